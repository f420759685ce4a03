"""All benchmarks, one after the other: `python -m benchmarks [--size quick] [--write]`, that is `make bench`.

Peers take part where `make peers` has installed them; the network of SciBERT's size is written first, once.
"""

import subprocess
import sys
import time

from benchmarks.classify_peers import FORMS
from benchmarks.contest import PEERS, ROOT, contest_environment
from benchmarks.measuring import arguments

PROGRAMS = ("classify_peers", "rank_peers", "rank_limits", "fetch", "start", "overhead", "curve")
ALONE = ("rank", "classify", "scaling")
"""Programs that have one size."""


def run_program(python: str, *command: str) -> bool:
    """Run a module; say whether it ended well."""
    began = time.perf_counter()
    print(f"\n=== {' '.join(command)}", flush=True)
    done = subprocess.run([python, "-m", *command], cwd=ROOT, env=contest_environment(2), check=False)
    print(f"=== {time.perf_counter() - began:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run them all; return 1 where one failed."""
    options = arguments(__doc__, "").parse_args()
    if PEERS.exists() and options.size != "smoke":
        run_program(str(PEERS), "benchmarks.peers.forms", str(FORMS))
    elif not PEERS.exists():
        print("Without peers: `make peers` installs them.", flush=True)
    common = ["--size", options.size, "--threads", str(options.threads), "--results", str(options.results)]
    common += ["--write"] if options.write else []
    failed = [name for name in PROGRAMS if not run_program(sys.executable, f"benchmarks.{name}", *common)]
    failed += [
        name for name in ALONE if options.size == "full" and not run_program(sys.executable, f"benchmarks.{name}")
    ]
    print(f"\nfailed: {' '.join(failed)}" if failed else "\nall done")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
