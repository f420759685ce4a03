"""The two clients over a transport that answers from memory, and the wheel that carries them."""

import asyncio
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution, files
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from assay.client import Assay, AsyncAssay, Refused, Unreachable
from tests.unit.templates import ROOT

SEQUENCE = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
URL = "http://service.example/prod"
ROW = {"rank": 1, "sequence": SEQUENCE, "score": 1.5, "gate": 0.5, "line": 1, "id": "x", "columns": {"batch": "7"}}
RANKING = {"ranked": [{**ROW, "new_field": 1}], "counts": {}, "rejected": [], "models": {}, "notices": [], "later": 2}
NEEDED = ("anyio", "h11", "httpcore2", "httpx2", "idna", "tqdm", "truststore", "typing-extensions")
Answer = Callable[[httpx2.Request], httpx2.Response]


def by_both(answer: Answer, do: Callable[[Any], Any]) -> list[Any]:
    """Return what each of the clients makes of the same service."""

    async def wait() -> Any:
        async with AsyncAssay(URL, "secret", transport=httpx2.MockTransport(answer)) as client:
            return await do(client)

    with Assay(URL + "/", "secret", transport=httpx2.MockTransport(answer)) as client:
        return [do(client), asyncio.run(wait())]


def test_both_send_a_file_as_a_form_and_keep_fields_that_they_do_not_know(tmp_path: Path) -> None:
    path, asked = tmp_path / "my designs.fasta", []
    path.write_text(f">x\n{SEQUENCE}\n")

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=RANKING)

    first, second = by_both(answer, lambda client: client.rank(path, top_k=5, strict=True, column=None))
    assert first.rows == second.rows == RANKING["ranked"]
    for request in asked:
        assert str(request.url) == f"{URL}/rank?top_k=5&strict=true"
        assert request.headers["x-api-key"] == "secret"
        assert int(request.headers["content-length"]) == len(request.content)
        assert b'name="input_file"; filename="my designs.fasta"' in request.content
        assert SEQUENCE.encode() in request.content


def test_both_ask_what_is_seen_of_sequences() -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"explained": [{"sequence": SEQUENCE}]})

    found = by_both(answer, lambda client: client.explain([SEQUENCE], score_model="mine", window=None))
    assert found == [{"explained": [{"sequence": SEQUENCE}]}] * 2
    for request in asked:
        assert str(request.url) == f"{URL}/rank/explain?score_model=mine"
        assert SEQUENCE.encode() in request.content


def test_the_key_goes_to_the_service_alone(tmp_path: Path) -> None:
    form = {"url": "https://s3.example/uploads", "fields": {"key": "k", "policy": "p"}}
    links = {"ranking": "https://s3.example/a/ranking.csv?X-Amz-Signature=a%2Fb", "scores": "https://s3.example/m.json"}
    record = {"job_id": "j", "kind": "rank", "state": "SUCCEEDED", "progress": 1.0, "results": links}

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert ("x-api-key" in request.headers) == (request.url.host == "service.example")
        if request.url.path.endswith("/uploads") and request.url.host == "service.example":
            return httpx2.Response(201, json={"job_id": "j", "max_bytes": 1000, "upload": form})
        if request.method == "POST":
            body = request.content
            assert body.index(b'name="policy"') < body.index(b'name="file"')
            assert int(request.headers["content-length"]) == len(body)
            return httpx2.Response(204)
        if request.url.host == "s3.example":
            assert request.url.path != "/a/ranking.csv" or request.url.query == b"X-Amz-Signature=a%2Fb"
            return httpx2.Response(200, content=request.url.path)
        return httpx2.Response(200, json=record)

    assert by_both(answer, lambda client: client.submit([SEQUENCE], "rank", top_k=1)) == ["j", "j"]
    for paths in by_both(answer, lambda client: client.save(record, tmp_path)):
        assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["ranking.csv", "scores/m.json"]
        assert paths[0].read_text() == "/a/ranking.csv"


def test_a_result_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    answer = lambda _: httpx2.Response(403, text="<Error>expired</Error>")  # noqa: E731
    record = {"results": {"ranking": "https://s3.example/ranking.csv"}}
    with pytest.raises(Refused, match=r"403 for ranking\.csv: <Error>expired"):
        by_both(answer, lambda client: client.save(record, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_nothing_there_is_said_by_both() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("connection refused")

    for client in (lambda each: each.health(), lambda each: each.rank([SEQUENCE])):
        with pytest.raises(Unreachable, match=r"nothing answers at http://service\.example/prod/"):
            by_both(answer, client)


def test_a_busy_service_is_waited_for_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr("asyncio.sleep", sleep)
    asked = count()

    def answer(_: httpx2.Request) -> httpx2.Response:
        busy = next(asked) % 2 == 0
        return httpx2.Response(429, headers={"Retry-After": "2"}) if busy else httpx2.Response(200, json=RANKING)

    first, second = by_both(answer, lambda client: client.rank([SEQUENCE]))
    assert first.rows == second.rows
    assert len(slept) == 2
    assert all(2 <= seconds <= 2.5 for seconds in slept)


def test_rows_become_a_frame_with_carried_columns_beside_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = lambda _: httpx2.Response(200, json=RANKING)  # noqa: E731
    ranking, _ = by_both(answer, lambda client: client.rank([SEQUENCE]))
    pandas = ModuleType("pandas")
    pandas.DataFrame = list  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    (row,) = ranking.to_frame()
    assert list(row) == ["rank", "sequence", "score", "gate", "line", "id", "new_field", "batch"]


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ([SEQUENCE], [SEQUENCE]),
        ({"x": SEQUENCE}, [{"id": "x", "sequence": SEQUENCE}]),
        (({"sequence": SEQUENCE, "batch": 7} for _ in "a"), [{"sequence": SEQUENCE, "batch": 7}]),
    ],
)
def test_sequences_of_the_program_are_sent_as_json(source: Any, body: Any) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert b'filename="sequences.json"' in request.content
        assert json.dumps(body).encode() in request.content
        return httpx2.Response(200, json=RANKING)

    with Assay(URL, transport=httpx2.MockTransport(answer)) as client:
        client.rank(source)


def test_the_wheel_has_a_client_that_needs_no_numpy_and_no_boto3(tmp_path: Path) -> None:
    """It is built, unpacked, and imported beside nothing but what it names as its dependencies and theirs."""
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert made.returncode == 0, made.stderr
    packages = tmp_path / "packages"
    with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        (about,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
        assert {"Requires-Dist: httpx2", "Requires-Dist: tqdm"} <= {
            line.partition("<")[0].partition(">")[0] for line in wheel.read(about).decode().splitlines()
        }
        wheel.extractall(packages, [name for name in wheel.namelist() if name.startswith("assay/")])
    assert (packages / "assay" / "py.typed").exists()
    for name in NEEDED:
        for folder in {Path(str(each)).parts[0] for each in files(name) or () if ".." not in Path(str(each)).parts}:
            (packages / folder).symlink_to(Path(str(distribution(name).locate_file(folder))))
    said = "import sys; sys.path.insert(0, sys.argv[1]); import assay.client; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", said, str(packages)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert {name.partition(".")[0] for name in done.stdout.split()}.isdisjoint({"numpy", "boto3", "pandas", "requests"})
