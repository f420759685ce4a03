"""Files ranked on this machine: any number of processes gives the same results."""

import json
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ObjectMissing
from assay.options import RankOptions
from benchmarks.rank import GATE, SCORE, random_lines
from tests.conftest import ROOT
from tools.batch import rank_file, workers
from tools.batch.inputs import place_input
from tools.batch.worker import BatchRun

pytestmark = pytest.mark.skipif(not (ROOT / "models" / GATE).is_dir(), reason="needs the default models")
COUNT = 3000


def ranked(path: Path, results: Path, *, at_once: int, largest: int, **options: Any) -> dict[str, bytes]:
    """Rank a file and return the results by name."""
    with place_input(str(path)) as where:
        desk = BatchRun(uuid.uuid4().hex, where, str(results), str(ROOT / "models"), GATE, SCORE)
        rank_file.rank_file(desk, RankOptions(threshold=-1.0, **options), at_once, largest)
    folder = results / "results" / desk.job_id
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "lines.txt"
    path.write_bytes(b"\r\n".join([*random_lines(COUNT), b"XX", *random_lines(5)]))
    return path


def test_many_processes_give_what_one_gives(file: Path, tmp_path: Path) -> None:
    one = ranked(file, tmp_path, at_once=1, largest=1 << 30)
    many = ranked(file, tmp_path, at_once=2, largest=40_000)
    assert one["ranking.csv"] == many["ranking.csv"]
    assert (
        one["rejected.csv"]
        == many["rejected.csv"]
        == f"line,reason,detail\n{COUNT + 1},".encode() + (one["rejected.csv"].partition(f"\n{COUNT + 1},".encode())[2])
    )
    counts = json.loads(many["ranking.json"])["counts"]
    assert counts == json.loads(one["ranking.json"])["counts"]
    assert (counts["received"], counts["rejected"]) == (COUNT + 6, 1)


def test_all_scores_lie_beside_the_list_of_them(file: Path, tmp_path: Path) -> None:
    results = ranked(file, tmp_path, at_once=1, largest=80_000, output="all")
    parts = json.loads(results["scores/manifest.json"])["parts"]
    assert len(parts) == 2
    assert all(part[form] in results for part in parts for form in ("csv", "parquet"))


def test_a_csv_whose_cells_hold_line_ends_is_ranked_whole(tmp_path: Path) -> None:
    rows = [b'"a\nnote",%s' % line for line in random_lines(2000)]
    plain = [b"note,%s" % line for line in random_lines(2000)]
    path = tmp_path / "table.csv"
    path.write_bytes(b"\n".join([b"note,sequence", *plain, *rows]))
    one = ranked(path, tmp_path / "one", at_once=1, largest=1 << 30)
    many = ranked(path, tmp_path / "many", at_once=2, largest=70_000)
    assert one["ranking.csv"] == many["ranking.csv"]
    assert json.loads(one["ranking.json"])["counts"]["received"] == 4000


def test_a_process_that_dies_is_told(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = subprocess.Popen

    def doomed(*given: Any, **options: Any) -> "subprocess.Popen[str]":
        process: subprocess.Popen[str] = begun(*given, **options)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(subprocess, "Popen", doomed)
    with pytest.raises(workers.Lost, match="ended with status -9 in shard"):
        ranked(file, tmp_path, at_once=2, largest=40_000)


def test_what_a_process_says_is_the_error(file: Path, tmp_path: Path) -> None:
    with place_input(str(file)) as where:
        desk = BatchRun("job", where, str(tmp_path), str(ROOT / "models"), GATE, SCORE)
        with pytest.raises(workers.Lost, match="there is no"):
            workers.rank_shards(desk, [0, 1], 2, lambda _: None)
        with pytest.raises(ObjectMissing):
            desk.working.manifest()


def test_shards_are_a_few_a_process_within_bounds() -> None:
    assert rank_file.shard_bytes(100, 2) == rank_file.SMALLEST
    assert rank_file.shard_bytes(160 << 20, 2) == 20 << 20
    assert rank_file.shard_bytes(1 << 40, 2) == rank_file.LARGEST


def test_an_object_in_s3_is_named_in_full() -> None:
    with place_input("s3://bucket/folder/a.txt") as where:
        assert (where.root, where.key, where.in_s3) == ("bucket", "folder/a.txt", True)
    with pytest.raises(FileNotFoundError, match="names no object"), place_input("s3://bucket"):
        pass
