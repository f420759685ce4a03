"""`python -m tools` is the command `assay`."""

import sys

from tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
