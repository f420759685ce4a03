"""`python -m tests.fuzz TARGET --runs N --seconds T --seed S`: libFuzzer, guided by the code that inputs reach.

New inputs go to `build/fuzz/TARGET`, one that fails to `build/fuzz/TARGET-failed-...`; what is kept, and replayed by
the tests, lies in `tests/fuzz/corpus`.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

BUILD = Path("build/fuzz")


def main() -> None:
    """Fuzz one target; the exit status is not 0 where an input failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="fuzz one target")
    parser.add_argument("target")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=0, help="end after so long, whatever --runs says; 0: never")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["assay", "rank", "classify", "multipart"], enable_loader_override=False):
        from tests.fuzz import adapters
        from tests.fuzz.targets import CORPUS, GUIDED, LONGEST, TARGETS

        adapters.quiet()
        for name in GUIDED.get(asked.target, ()):
            import_module(name)

    found = BUILD / asked.target
    found.mkdir(parents=True, exist_ok=True)
    flags = [
        f"-runs={asked.runs}",
        f"-max_total_time={asked.seconds}",
        f"-seed={asked.seed}",
        f"-max_len={LONGEST.get(asked.target, 300)}",
        f"-artifact_prefix={BUILD / asked.target}-failed-",
        "-timeout=20",
        "-rss_limit_mb=1500",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    atheris.Setup([sys.argv[0], *flags, str(found), str(CORPUS / asked.target)], TARGETS[asked.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
