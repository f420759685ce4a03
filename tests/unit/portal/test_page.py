"""The page's modules can be joined into one script, and what they say twice they say alike."""

import re
from pathlib import Path

import pytest

from portal import pages
from tools.demo.proteins import fasta, proteins

FOLDER = Path(pages.__file__).parent / "page"
MODULES = sorted(FOLDER.glob("*.js"))
HTML = (FOLDER / "index.html").read_text()
SCRIPT = pages.part(pages.SCRIPT).body
NAMED = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_and_in_the_script_once(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= 250
    assert max(map(len, text.splitlines())) <= 120
    assert SCRIPT.count(text.splitlines()[0]) == 1


def test_a_joined_script_has_each_name_once_and_no_import_left() -> None:
    names = [name for module in MODULES for name in NAMED.findall(module.read_text())]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    assert not re.search(r"^(import|export)\b", SCRIPT, re.MULTILINE)


def test_what_a_module_imports_stands_before_it() -> None:
    for module in MODULES:
        first = module.read_text().splitlines()[0]
        for imported in re.findall(r'from "\./([\w-]+\.js)"', module.read_text()):
            needed = (FOLDER / imported).read_text().splitlines()[0]
            assert SCRIPT.index(needed) < SCRIPT.index(first), f"{imported} after {module.name}"


def exporting(source: str) -> str:
    return (FOLDER / source).read_text()


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
    style = pages.part(pages.STYLE).body
    assert all(path.read_text() in style for path in FOLDER.glob("*.css"))


def test_what_people_send_never_becomes_markup() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function", SCRIPT
    )


def test_every_table_that_is_saved_or_copied_is_written_by_what_makes_formulas_text() -> None:
    assert SCRIPT.count('"text/csv"') == SCRIPT.count('"text/csv", writeCsv(') > 1
    copied = re.findall(r"(?<!function )\bcopy\((\w+)", SCRIPT)
    assert set(copied) == {"writeTabs", "location"}
    bodies = dict(re.findall(r"^function (write\w+)\((.*?)\n}", SCRIPT, re.DOTALL | re.MULTILINE))
    assert set(bodies) == {"writeCsv", "writeTabs"}
    assert all("harmless(" in body for body in bodies.values())


def test_elements_that_the_script_asks_for_by_id_are_in_the_page() -> None:
    ids = set(re.findall(r'\bid="([\w-]+)"', HTML))
    named = re.findall(r'(?:aria-(?:controls|labelledby|describedby)|for)="([\w-]+)"', HTML)
    asked = {*re.findall(r'\bat\("([\w-]+)"\)', SCRIPT), *named}
    assert asked <= ids


def test_the_example_is_the_demos() -> None:
    listed = re.search(r"EXAMPLE_SEQUENCES = \[\n(.*?)\]", SCRIPT, re.DOTALL)
    assert listed
    assert re.findall(r'"(.*)"', listed[1]) == fasta(proteins(9, seed=710)).splitlines()
