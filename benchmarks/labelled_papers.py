"""How often the abstract of a paper is found: real papers, and samples of publishers' layouts, labelled by reading.

python -m benchmarks.labelled_papers [--folder build/papers] [--misses] [--write]

The papers are not part of the project. `apt-get download` and `dpkg-deb` take each from a package of Debian's archive,
and its SHA-256 is checked. `benchmarks/labelled_papers.json` says where each lies and what a person read in it: the
SHA-256 of the abstract, its first and last words, and for each word four digits of its hash. A third of the papers, by
the last digit of their hash, is held out: nothing is tuned on it.
"""

import argparse
import difflib
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assay.abstracts.cleaning import clean
from assay.errors import AssayError
from assay.papers.pdf import extract
from tools.paths import ROOT

LABELS: Final = Path(__file__).with_suffix(".json")
RESULTS: Final = ROOT / "benchmarks" / "results" / "labelled_papers.md"
ENOUGH: Final = 0.95
DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF in a package, and what a reader found in it; `words` has four digits a word."""

    kind: str
    package: str
    version: str
    path: str
    sha256: str
    text_sha256: str
    first: str
    last: str
    words: str

    @property
    def held_out(self) -> bool:
        """Whether nothing may be tuned on it."""
        return int(self.sha256[-2:], 16) % 3 == 0


@dataclass(frozen=True, slots=True)
class Score:
    """What was found of one paper: to the letter, and the share of words that agree."""

    paper: Paper
    exact: bool
    agreement: float
    found: str


def plain_text(text: str) -> str:
    """Return a text as labels have it, and as a model reads it: without URLs, in NFKC, one space between words."""
    return clean(text)


def marks(text: str) -> str:
    """Return four digits of each word's hash."""
    return "".join(hashlib.sha256(word.encode()).hexdigest()[:DIGITS] for word in plain_text(text).split())


def share_words(one: str, other: str) -> float:
    """Return the share of words that two texts, as marks, have in common, in order, of the longer one's."""
    first, second = ([marks[at : at + DIGITS] for at in range(0, len(marks), DIGITS)] for marks in (one, other))
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / max(len(first), len(second), 1)


def label(text: str) -> dict[str, str]:
    """Return what is kept of an abstract that was read."""
    words = plain_text(text).split()
    sha256 = hashlib.sha256(plain_text(text).encode()).hexdigest()
    return {"text_sha256": sha256, "first": " ".join(words[:4]), "last": " ".join(words[-4:]), "words": marks(text)}


def load_papers() -> list[Paper]:
    """Return the labelled papers."""
    return [Paper(**each) for each in json.loads(LABELS.read_text(encoding="utf-8"))]


def fetch(papers: Sequence[Paper], folder: Path) -> None:
    """Put each paper into a folder under its hash. Raises SystemExit if one is not the paper that was labelled."""
    folder.mkdir(parents=True, exist_ok=True)
    missing: dict[tuple[str, str], list[Paper]] = defaultdict(list)
    for paper in papers:
        if not (folder / f"{paper.sha256}.pdf").exists():
            missing[paper.package, paper.version].append(paper)
    for (package, version), wanted in missing.items():
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(["apt-get", "download", "-q", f"{package}={version}"], cwd=work, check=True)
            (archive,) = Path(work).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, "unpacked"], cwd=work, check=True)
            for paper in wanted:
                _keep(paper, Path(work) / "unpacked" / paper.path, folder)


def _keep(paper: Paper, file: Path, folder: Path) -> None:
    body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if hashlib.sha256(body).hexdigest() != paper.sha256:
        raise SystemExit(f"{paper.package} {paper.version}: {paper.path} is not the file that was labelled")
    (folder / f"{paper.sha256}.pdf").write_bytes(body)


def score_papers(papers: Sequence[Paper], folder: Path) -> Iterator[Score]:
    """Yield how well each paper's abstract is found."""
    for paper in papers:
        try:
            found = plain_text(extract((folder / f"{paper.sha256}.pdf").read_bytes()).text)
        except AssayError as error:
            found = error.message
        exact = hashlib.sha256(found.encode()).hexdigest() == paper.text_sha256
        yield Score(paper, exact, 1.0 if exact else share_words(marks(found), paper.words), found)


def papers_table(scores: Sequence[Score]) -> str:
    """Return the shares, a row for each kind and part of the set."""
    groups: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for score in scores:
        for part in ("held out" if score.paper.held_out else "tuned on", "all"):
            groups[score.paper.kind, part].append(score)
    rows = ["| papers | part | number | to the letter | 95% of the words |", "|---|---|---|---|---|"]
    for (kind, part), some in sorted(groups.items()):
        shares = (_share(score.exact for score in some), _share(score.agreement >= ENOUGH for score in some))
        rows.append(f"| {kind} | {part} | {len(some)} | {shares[0]:.1%} | {shares[1]:.1%} |")
    return "\n".join(rows)


def _share(each: Iterator[bool]) -> float:
    found = list(each)
    return sum(found) / max(len(found), 1)


def _misses(scores: Sequence[Score]) -> Iterator[str]:
    """Yield what is wrong with papers that may be tuned on; of others only how many words agree."""
    for score in scores:
        if score.exact:
            continue
        about = f"{score.paper.package} {Path(score.paper.path).name} {score.agreement:.2f}"
        wanted = f"{score.paper.first} ... {score.paper.last}"
        said = (
            ""
            if score.paper.held_out
            else f"\n  wanted: {wanted}\n  found:  {score.found[:80]} ... {score.found[-80:]}"
        )
        yield f"{about}{said}"


def main() -> int:
    """Fetch what is missing, score all, print the shares."""
    parser = argparse.ArgumentParser(description="How often the abstract of a paper is found.")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "papers")
    parser.add_argument("--misses", action="store_true", help="say which are not found to the letter")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    options = parser.parse_args()
    papers = load_papers()
    fetch(papers, options.folder)
    scores = list(score_papers(papers, options.folder))
    print(*(_misses(scores) if options.misses else ()), papers_table(scores), sep="\n")
    if options.write:
        RESULTS.write_text(f"# Abstracts found in labelled papers\n\n{papers_table(scores)}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
