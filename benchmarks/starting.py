"""One start of a function as the images start it: its models are fetched while its handler is imported, then an answer.

`benchmarks.start` runs it.
"""

import time

INTERPRETER = time.time()

import importlib  # noqa: E402  what a start costs begins above
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from types import SimpleNamespace  # noqa: E402

from assay.lambda_runtime import prefetch  # noqa: E402


def main() -> None:
    """Import the handler named first, and call it with the event in the file named second."""
    module, _, name = sys.argv[1].rpartition(".")
    with open(sys.argv[2], encoding="utf-8") as file:
        event = json.load(file)
    prefetch(sys.argv[1], os.environ)
    handler = getattr(importlib.import_module(module), name)
    imports = time.time()
    context = SimpleNamespace(
        function_name="start",
        invoked_function_arn="start",
        memory_limit_in_mb=3008,
        aws_request_id="start",
        get_remaining_time_in_millis=lambda: 30_000,
    )
    answer = handler(event, context)
    answered = time.time()
    print(
        json.dumps(
            {"answered": answered, "interpreter": INTERPRETER, "imports": imports, "status": answer["statusCode"]}
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
