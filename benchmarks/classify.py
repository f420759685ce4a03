"""How fast abstracts are classified: `python -m benchmarks.classify [BUNDLE]`.

BUNDLE is a folder with a text model's manifest, by default the shipped classifier. Times are medians; the start is
that of a fresh process, from its first line to its first answer, with the bundle on disk.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import describe_machine, peak_megabytes
from benchmarks.objects import serve_items
from tools.models.shipped import newest

if TYPE_CHECKING:
    from assay.models.text_classifier import TextClassifier

SHIPPED: Final = newest(Path(__file__).parent.parent / "models", "arxiv-archives")
LENGTHS: Final = (64, 128, 192, 200, 256, 512)
RUNS: Final = 15
STARTS: Final = 5
BATCH: Final = 64
_QUIET: Final = {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
_FIRST: Final = """
import sys
from pathlib import Path
import boto3
from assay.models.text_classifier import TextClassifier
from assay.models.loading import load_folder
classifier = TextClassifier(load_folder(Path(sys.argv[1]), int(sys.argv[2])))
classifier.classify(["data " * 198])
"""


def make_text(tokens: int) -> str:
    """Return a text of about so many tokens, two of them special."""
    return "data " * (tokens - 2)


def median(act: Callable[[], object], runs: int) -> float:
    """Return the median seconds of an act."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def start(bundle: Path, threads: int) -> float:
    """Return the seconds that a fresh process needs, interpreter and imports included, to its first answer."""
    command = [sys.executable, "-c", _FIRST, str(bundle), str(threads)]
    environment = os.environ | _QUIET | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def measure_classifier(bundle: Path, threads: int) -> list[tuple[str, str]]:
    """Return the rows of the table."""
    os.environ.update(_QUIET)
    from assay.models.loading import load_folder
    from assay.models.text_classifier import TextClassifier

    classifier = TextClassifier(load_folder(bundle, threads))
    rows = [("process start to first answer (200 tokens)", f"{median(lambda: start(bundle, threads), STARTS):.2f} s")]
    for length in LENGTHS:
        (first,) = classifier.classify([make_text(length)])
        seconds = median(lambda length=length: classifier.classify([make_text(length)]), RUNS)  # type: ignore[misc]
        rows.append((f"one abstract of {first.tokens} tokens, warm", f"{seconds * 1000:.1f} ms"))
    mixed = [make_text(LENGTHS[index % len(LENGTHS)]) + f" {index}" for index in range(BATCH)]
    rows.append(
        (f"{BATCH} abstracts of mixed lengths", f"{BATCH / median(lambda: classifier.classify(mixed), 3):.0f} /s")
    )
    rows += time_cache(classifier, mixed)
    rows.append(("peak memory", f"{peak_megabytes():.0f} MB"))
    return rows


def time_cache(classifier: "TextClassifier", mixed: list[str]) -> list[tuple[str, str]]:
    """Return the rows of scores from the cache; the table lies on this machine, so DynamoDB's own time comes on top."""
    from assay.aws.clients import hasty_dynamodb
    from assay.score_cache import CachedClassifier, ScoreCache

    with serve_items() as address:
        os.environ |= {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        cached = CachedClassifier(classifier, ScoreCache(hasty_dynamodb(), "state", 1))
        cached.classify(mixed)
        rows = []
        for count in (1, len(mixed)):
            seconds = median(lambda count=count: cached.classify(mixed[:count]), RUNS)  # type: ignore[misc]
            rows.append((f"{count} from the cache, besides DynamoDB's time", f"{seconds * 1000:.1f} ms"))
    return rows


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=SHIPPED)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    named = f"{arguments.bundle.parent.name} {arguments.bundle.name}"
    print(f"{named}, {describe_machine()}, {arguments.threads} threads")
    for label, value in measure_classifier(arguments.bundle, arguments.threads):
        print(f"  {label:<44} {value:>10}")


if __name__ == "__main__":
    main()
