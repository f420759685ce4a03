"""What the commands share: reporting failure, and staying quiet otherwise."""

import os
import re
import sys


def fail(message: str) -> int:
    """Print an error and return the exit status 1."""
    print(f"error: {printable(message)}", file=sys.stderr)
    return 1


def printable(text: str) -> str:
    """Return what others wrote (keys, reasons, a service's words) without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def quiet() -> None:
    """Keep the log lines and metrics that Lambda would collect out of a command's output; errors stay."""
    os.environ.update({"POWERTOOLS_LOG_LEVEL": "ERROR", "POWERTOOLS_METRICS_DISABLED": "true"})


def explain(error: BaseException) -> str:
    """Return what an error says in words: which file and why, which address, and never a bare number or class name."""
    from requests import ConnectionError as Unreachable
    from requests import Timeout

    if isinstance(error, Unreachable | Timeout):
        where = str(error.request.url).partition("?")[0] if error.request is not None else "the address"
        return f"nothing answers at {where}: is the service up, and is that its address?"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    said = str(error)
    if said and not said.isdecimal():
        return said
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"it failed ({words.removesuffix(' error') or words})"
