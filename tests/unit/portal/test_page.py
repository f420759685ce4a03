"""The page's modules, what they are built into, and what they say twice they say alike."""

import gzip
import json
import re
from pathlib import Path

import pytest

from assay.models.manifest import read_manifest
from portal import pages
from tools.demo.proteins import fasta, proteins
from tools.models.shipped import newest

ROOT = Path(__file__).parents[3]
FOLDER = Path(pages.__file__).parent / "page"
MODULES = sorted(FOLDER.glob("*.js"))
HTML = (FOLDER / "index.html").read_text()
BUILT = pages.part(pages.SCRIPT).body
SOURCES = "\n".join(module.read_text() for module in MODULES)
LICENCES = pages.part(pages.NOTICE).body


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_is_checked_for_types_and_no_longer_than_one_subject(module: Path) -> None:
    text = module.read_text()
    assert text.startswith("// @ts-check\n")
    assert len(text.splitlines()) <= 400
    assert max(map(len, text.splitlines())) <= 120


def test_what_browsers_get_is_one_script_that_imports_nothing_and_names_its_licences() -> None:
    assert not re.search(r"\bfrom ?\"|\bimport ?[({\"]", BUILT)
    assert "NOTICE.txt" in BUILT
    packages = json.loads((ROOT / "tools/page/package.json").read_text())["dependencies"]
    imported = set(re.findall(r'from "([\w@][\w@/-]*)"', SOURCES))
    assert imported <= packages.keys()
    assert all(f"{name} {packages[name]} (" in LICENCES for name in imported)


@pytest.mark.parametrize("folder", ["tools/page", "benchmarks/lighthouse"])
def test_the_locks_of_the_pages_packages_name_no_place_to_download_from(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
    assert "https://registry" not in lock


def test_the_page_is_light() -> None:
    sent = [HTML, *(pages.part(name).body for name in pages.TYPES)]
    assert sum(len(gzip.compress(text.encode())) for text in sent) <= 400_000


def test_what_a_module_imports_is_exported_and_used() -> None:
    for module in MODULES:
        text = module.read_text()
        for names, source in re.findall(r'import \{([^}]*)\} from "\./([\w-]+\.js)"', text):
            for name in re.findall(r"\w+", names):
                assert re.search(
                    rf"^export (async )?(function|const|class) {name}\b", (FOLDER / source).read_text(), re.M
                )
                assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{module.name} does not use {name}"


def test_every_style_sheet_is_in_the_style() -> None:
    imported = re.findall(r'@import "\./([\w-]+\.css)";', (FOLDER / "style.css").read_text())
    assert {*imported, "style.css"} == {path.name for path in FOLDER.glob("*.css")}


def test_what_people_send_never_becomes_markup() -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function"
    assert not re.search(markup, SOURCES + BUILT)


def test_every_table_that_is_saved_or_copied_is_written_by_what_makes_formulas_text() -> None:
    assert SOURCES.count('"text/csv"') == SOURCES.count('"text/csv", writeCsv(') > 1
    copied = re.findall(r"(?<!function )\bcopy\((\w+)", SOURCES)
    assert set(copied) <= {"writeTabs", "location", "link", "told", "fasta", "sequence"}  # only the first is a table
    bodies = dict(re.findall(r"^export function (write\w+)\((.*?)\n}", SOURCES, re.DOTALL | re.MULTILINE))
    assert set(bodies) == {"writeCsv", "writeTabs"}
    assert all("harmless(" in body for body in bodies.values())


def test_elements_that_the_script_asks_for_by_id_are_in_the_page() -> None:
    ids = set(re.findall(r'\bid="([\w-]+)"', HTML))
    named = re.findall(r'(?:aria-(?:controls|labelledby|describedby)|for)="([\w-]+)"', HTML)
    asked = {*re.findall(r'\bat\("([\w-]+)"\)', SOURCES), *named}
    assert asked <= ids


def test_the_page_says_how_many_tokens_the_shipped_classifier_reads() -> None:
    manifest = read_manifest(newest(ROOT / "models", "arxiv-archives"))
    assert manifest.text is not None
    assert f"reads {manifest.text.max_tokens} tokens" in HTML


def test_the_example_is_the_demos() -> None:
    listed = re.search(r"EXAMPLE_SEQUENCES = \[\n(.*?)\]", SOURCES, re.DOTALL)
    assert listed
    assert re.findall(r'"(.*)"', listed[1]) == fasta(proteins(9, seed=710)).splitlines()
