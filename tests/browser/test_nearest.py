"""A row shows the measured sequences nearest to it, if its score model carries some: of a request, and of a job."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from assay.models.manifest import MANIFEST
from tests.browser.conftest import QUIET
from tests.browser.test_looks import faults
from tests.browser.visit import DESK, PHONE, Visit
from tests.conftest import ROOT
from tests.e2e.running import Service, running, wait_for
from tests.models_command import main
from tools.models.build import build_manifest
from tools.models.publish import publish
from tools.models.shipped import newest

DESIGN = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
NEAR = f"K{DESIGN[1:]}"
TABLE = f"name,sequence,stability\n=HYPERLINK(1),{NEAR},1.25\nfar,{'AG' * 25},-0.5\n"


@pytest.fixture
def measured(browser: Any, tmp_path: Path) -> Iterator[Visit]:
    """A service whose score model is as shipped, but carries two measured sequences."""
    folder = tmp_path / "stability-trypsin" / "measured"
    shutil.copytree(newest(ROOT / "models", "stability-trypsin"), folder)
    header = json.loads((folder / MANIFEST).read_text("utf-8")) | {"version": folder.name}
    del header["files"]
    (folder / MANIFEST).write_bytes(build_manifest(folder, header).dumps())
    (tmp_path / "assay.csv").write_text(TABLE)
    assert main(["reference", str(folder), "--measured", str(tmp_path / "assay.csv")]) == 0
    with running(*QUIET, "--parameter", "ModelRefreshSeconds=1") as service:
        publish(Bucket(service.s3, service.models), folder)
        wait_for(lambda: serves(service, folder.name), "the model with measured sequences")
        with Visit.to(browser, service) as opened:
            yield opened


def serves(service: Service, version: str) -> bool | None:
    """Whether a ranking is made with a version of the score model, None if not."""
    answer = service.post("/rank", data=DESIGN, headers={"Content-Type": "text/plain"}).json()
    return answer["models"]["score"]["version"] == version or None


def opened(visit: Visit) -> str:
    visit.page.click("#rank-result .table tbody td.sequence")
    visit.page.wait_for_selector(".nearest table")
    return visit.text(".nearest")


def test_a_row_of_a_request_and_of_a_job_shows_its_nearest(measured: Visit) -> None:
    visit = measured
    visit.paste(DESIGN)
    visit.rank()
    said = opened(visit)
    for words in ("=HYPERLINK(1)", "98.0", "K1D", "1.25", "2 sequences of assay.csv"):
        assert words in said
    assert "1.25" in visit.column("stability", ".nearest table")
    assert faults(visit) == []
    visit.page.set_viewport_size(PHONE)
    assert visit.page.locator(".drawer").bounding_box()["width"] == PHONE["width"]
    visit.page.set_viewport_size(DESK)
    visit.page.keyboard.press("Escape")
    visit.page.click("#rank-clear")
    done = visit.service.drop("rank/a.txt", f"{DESIGN}\n".encode(), gate="off")
    visit.go(f"/?job={done['job_id']}")
    visit.page.wait_for_selector("#rank-result .table")
    assert opened(visit) == said


def test_a_model_without_measured_sequences_is_not_asked(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.paste(DESIGN)
    visit.rank()
    visit.page.click("#rank-result .table tbody td.sequence")
    visit.page.wait_for_timeout(500)
    assert visit.page.locator(".nearest").count() == 0
    assert not any(url.endswith("/explain") for url in asked)
