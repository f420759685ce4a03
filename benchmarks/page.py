"""The page as Lighthouse sees it: both tabs and a result of each, on a desk and a phone: `make bench-page`.

    python -m benchmarks.page [--runs 3] [--least 95] [--write]

Needs Chromium (CHROMIUM names it) and the package in benchmarks/lighthouse, which `make bench-page` installs by its
lock. The local service does not compress its replies as API Gateway does, so the bytes here are those before gzip. On
the phone Lighthouse slows the network and the processor down.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.contest import ROOT
from benchmarks.measuring import RESULTS, Report
from benchmarks.overhead import local_service
from tools.demo.proteins import fasta, proteins

COMMAND: Final = "python -m benchmarks.page"
PROGRAM: Final = ROOT / "benchmarks/lighthouse/node_modules/.bin/lighthouse"
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
METRICS: Final = {
    "first-contentful-paint": "first paint, ms",
    "largest-contentful-paint": "largest paint, ms",
    "total-blocking-time": "blocked, ms",
    "cumulative-layout-shift": "layout shift",
    "total-byte-weight": "kB",
}
FORMS: Final[Mapping[str, tuple[str, ...]]] = {"desk": ("--preset=desktop",), "phone": ()}
ABSTRACT: Final = (
    "We compute the cross section for the production of a Higgs boson in association with two jets at the LHC to "
    "next-to-leading order in QCD, compare it with the data of ATLAS and CMS, and discuss the scale dependence."
)


def main() -> int:
    """Measure and print; return 1 if a score is too low."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each page; the table has their medians")
    parser.add_argument("--least", type=int, default=95, help="the lowest score of a category that is good enough")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/results/page.md")
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium or not PROGRAM.exists():
        print("Chromium or Lighthouse is not installed: see `make bench-page`.", file=sys.stderr)
        return 1
    said = Report("page", "The page in Lighthouse", f"{COMMAND} --runs {options.runs}", options.write, RESULTS)
    with local_service() as address:
        rows = measure_pages(address, chromium, options.runs)
    scores = [float(cell) for row in rows for cell in row[2 : 2 + len(CATEGORIES)]]
    said.add(
        f"Lighthouse {version()}, {browser_version(chromium)}; medians, runs: {options.runs}. Scores are out of 100. "
        "The local service sends without gzip."
    )
    said.table(("page", "screen", *CATEGORIES, *METRICS.values()), rows)
    said.finish()
    return 0 if min(scores) >= options.least else 1


def pages() -> dict[str, str]:
    """Return what is measured: the page's first view of each tab, and links that open with a result."""
    return {
        "rank, first view": "",
        "rank, 48 records": f"#rank={pack_link(fasta(proteins(9)))}",
        "classify, first view": "#classify",
        "classify, an abstract": f"#classify={pack_link(ABSTRACT)}",
    }


def pack_link(text: str) -> str:
    """Pack an input as the page's links do: a line of JSON before it, deflate, base64url."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(f'{{"name":"","made":""}}\n{text}'.encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def measure_pages(address: str, chromium: str, runs: int) -> list[list[str]]:
    """Return a row for each page and screen: its scores and metrics."""
    rows = []
    for name, path in pages().items():
        for screen, flags in FORMS.items():
            found = [run_lighthouse(f"{address}/{path}", chromium, flags) for _ in range(runs)]
            rows.append([name, screen, *summarize(found)])
            print(" | ".join(rows[-1]), flush=True)
    return rows


def run_lighthouse(url: str, chromium: str, flags: Sequence[str]) -> dict[str, Any]:
    """Return Lighthouse's report of an address. Raises CalledProcessError."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "report.json"
        command = [str(PROGRAM), url, "--quiet", f"--only-categories={','.join(CATEGORIES)}", *flags, "--output=json"]
        command += [f"--output-path={target}", "--chrome-flags=--headless=new --no-sandbox"]
        variables = {**os.environ, "CHROME_PATH": chromium, "NO_PROXY": "127.0.0.1"}
        subprocess.run(command, env=variables, check=True, capture_output=True, timeout=180)
        report: dict[str, Any] = json.loads(target.read_text("utf-8"))
        return report


def summarize(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the medians of scores and metrics as cells."""
    scores = [median(each["categories"][name]["score"] for each in reports) for name in CATEGORIES]
    values = {name: median(each["audits"][name]["numericValue"] for each in reports) for name in METRICS}
    values["total-byte-weight"] /= 1000
    shift = values["cumulative-layout-shift"]
    cells = [f"{shift:.3f}" if name == "cumulative-layout-shift" else f"{values[name]:.0f}" for name in METRICS]
    return [*(f"{100 * each:.0f}" for each in scores), *cells]


def find_chromium() -> str | None:
    """Return the path of Chromium, None if it is not installed."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def browser_version(chromium: str) -> str:
    """Return the browser's name and version."""
    done = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])


def version() -> str:
    """Return the version of Lighthouse that the lock names."""
    package = json.loads((ROOT / "benchmarks/lighthouse/package.json").read_text("utf-8"))
    return str(package["devDependencies"]["lighthouse"])


if __name__ == "__main__":
    sys.exit(main())
