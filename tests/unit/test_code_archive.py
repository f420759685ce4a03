"""An archive of byte code gives the modules that the files would, and is left alone where it is not this Python's."""

import json
import os
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.unit.templates import ROOT

WRITE = """
import sys
import assay.papers.abstract, assay.options, colorsys
from assay.code_archive import write_archive
sys.modules["twice"] = assay.options
print(write_archive(sys.argv[1]))
"""
READ = """
import json, sys
from pathlib import Path
from assay.code_archive import ArchiveLoader, serve_archive
found = serve_archive(sys.argv[1])
import assay.papers.abstract, assay.options, assay.text.csv_rows, colorsys
from assay.papers import headings
archived = [name for name, each in sys.modules.items() if isinstance(getattr(each, "__loader__", None), ArchiveLoader)]
import inspect, traceback
try:
    assay.options.read_options(None, {"a": 1}, 7)
except Exception as error:
    place = traceback.extract_tb(error.__traceback__)[-1]
print(json.dumps({
    "found": found, "archived": archived, "file": assay.options.__file__, "path": list(assay.papers.__path__),
    "source": inspect.getsource(headings) == Path(headings.__file__).read_text("utf-8"), "place": place.filename,
    "name": assay.options.__name__, "package": assay.options.__package__,
}))
"""


def _run(program: str, *arguments: str) -> str:
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python"))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "modules.code"
    assert int(_run(WRITE, str(file))) > 20
    return file


def test_modules_come_from_the_archive_and_look_as_if_from_their_files(archive: Path) -> None:
    found = json.loads(_run(READ, str(archive)))
    assert found["found"]
    assert {"assay.options", "assay.papers", "assay.papers.headings", "colorsys"} <= set(found["archived"])
    assert "assay.text.csv_rows" not in found["archived"]  # imported as ever
    assert not {"assay.code_archive", "twice"} & set(found["archived"])
    options = ROOT / "layers/assay/python/assay/options.py"
    assert (found["file"], found["place"]) == (str(options), str(options))
    assert found["path"] == [str(ROOT / "layers/assay/python/assay/papers")]
    assert (found["name"], found["package"]) == ("assay.options", "assay")
    assert found["source"]


@pytest.mark.parametrize("damage", [b"", b"x", b"XXXX", b"\0\0\0\0"])
def test_another_pythons_archive_is_left_alone(archive: Path, tmp_path: Path, damage: bytes) -> None:
    other = tmp_path / "other.code"
    other.write_bytes(damage and damage + archive.read_bytes()[len(MAGIC_NUMBER) :])
    found = json.loads(_run(READ, str(other)))
    assert not found["found"]
    assert not found["archived"]


def test_a_checkout_has_none(tmp_path: Path) -> None:
    assert not json.loads(_run(READ, str(tmp_path / "none")))["found"]
