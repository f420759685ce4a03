"""Whatever the split, the results of a file are those of one pass, to the byte."""

import gzip
import random
from collections.abc import Callable

import pytest

from assay.jobs.merging import CutInRow, collect_results
from assay.jobs.planning import Caps, Upload, new_plan
from assay.jobs.rank_files import RankJobType
from assay.jobs.workspace import Workspace
from tests.conftest import Aws, delete_objects
from tests.unit.reference import SMALL, Fake

MODELS = {"score": {"name": "s", "version": "1"}, "gate": {"name": "g", "version": "1"}}
ENDS = ("\n", "\r\n", "\r")
LETTERS = "ACD"
Results = dict[str, bytes]


def gate(text: str) -> float:
    """Return a value that ties often, and is not finite now and then."""
    return {"AAA": 0.1, "CCC": float("nan"), "DDD": float("-inf")}.get(text, text.count("A") - 1.0)


def score(text: str) -> float:
    """Return a value that ties often, and is not finite now and then."""
    return {"AAC": float("nan"), "ADD": -0.0, "DAA": 0.0}.get(text, (text.count("D") - text.count("C")) * 0.1)


class Models:
    """The gate and the score model."""

    gate = Fake(gate, SMALL, 2)
    score = Fake(score, SMALL, 3)
    contract = SMALL


KIND = RankJobType(lambda _: MODELS, lambda _: Models())


def results(aws: Aws, body: bytes, name: str, shard_bytes: int, **metadata: str) -> tuple[Results, int]:
    """Rank a file in shards of that size; return its result files, counts included, and how many shards there were."""
    key = f"rank/{name}"
    aws.s3.put_object(Bucket="uploads", Key=key, Body=body, Metadata={"top-k": "5", "threshold": "-5", **metadata})
    caps = Caps(shard_bytes, 1 << 20, 1 << 30)
    manifest = new_plan(KIND, "job", Upload("uploads", key), aws.uploads, caps)
    working = Workspace(aws.results, "job")
    working.keep(manifest)
    for shard in reversed(range(manifest.shards)):
        working.save(KIND.work(manifest, shard, aws.uploads, working))
    joined = KIND.join(manifest, working, collect_results(working, manifest))
    found = {each: (aws.results.get(place, limit=1 << 20) or (b"", ""))[0] for each, place in joined.results.items()}
    for each in list(aws.results.keys("")):
        delete_objects(aws.results, each)
    return {**found, "said": repr((joined.counts, joined.said)).encode()}, manifest.shards


def record(pick: random.Random) -> str:
    """Return a sequence, mostly good ones of few kinds, so that many tie and come again."""
    good = "".join(pick.choices(LETTERS, k=3))
    forgiven = [good.lower(), f" {good}\t", f"{good}*", f"1 {good[0]} {good[1:]}"]
    return pick.choice([good, good, good, *forgiven, "", "AC", "XYZ", "ACDA", "Ä", " "])


def lines(pick: random.Random) -> str:
    """Return sequences a line."""
    return "".join(record(pick) + pick.choice(ENDS) for _ in range(pick.randrange(60)))


def fasta(pick: random.Random) -> str:
    """Return FASTA, records over several lines, and text before the first."""
    text = [pick.choice(["", "stray\n", "\n"])]
    for number in range(pick.randrange(25)):
        body = "".join(letter + pick.choice(["", "", pick.choice(ENDS)]) for letter in record(pick))
        text.append(f">{pick.choice(['', f'id{number} words'])}{pick.choice(ENDS)}{body}{pick.choice(ENDS)}")
    return "".join(text)


def csv(pick: random.Random) -> str:
    """Return a CSV whose cells hold no line ends."""
    head = pick.choice(["", "\n", "\r\n\n\n\n\n\n\n\n\n\n"]) + pick.choice(
        ["id,sequence,note\n", 'note;"sequence";id\r\n']
    )
    mark = ";" if ";" in head else ","
    order = (2, 1, 0) if mark == ";" else (0, 1, 2)
    rows = []
    for number in range(pick.randrange(40)):
        cells = [str(number), record(pick), pick.choice(["", "x", '"a, b; c"', '"say ""hi"""', "é"])]
        rows.append(mark.join(cells[at] for at in order) + pick.choice(ENDS))
    return head + "".join(rows)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("make", "name"), [(lines, "a.txt"), (fasta, "a.fasta"), (csv, "a.csv")])
def test_any_split_gives_the_bytes_of_one_pass(
    aws: Aws, make: Callable[[random.Random], str], name: str, seed: int
) -> None:
    pick = random.Random(seed)
    body = pick.choice([b"", b"\xef\xbb\xbf"]) + make(pick).encode()
    body = body[: len(body) - pick.randrange(2)]
    whole, shards = results(aws, body, name, 1 << 20)
    assert shards == 1
    for _ in range(2):
        size = pick.choice([1, 2, 7, 20, 64, max(len(body), 1)])
        cut, count = results(aws, body, name, max(size, len(body) // 25 + 1))
        assert cut == whole, (count, size)


@pytest.mark.parametrize(("make", "name"), [(lines, "a.txt"), (fasta, "a.fasta"), (csv, "a.csv")])
def test_gzip_gives_the_bytes_of_plain(aws: Aws, make: Callable[[random.Random], str], name: str) -> None:
    body = make(random.Random(7)).encode()
    plain, _ = results(aws, body, name, 30)
    packed, shards = results(aws, gzip.compress(body, mtime=0), f"{name}.gz", 30)
    assert shards == 1
    assert packed == plain


def test_windows_of_a_proteome_do_not_depend_on_the_cut(aws: Aws) -> None:
    pick = random.Random(3)
    body = "".join(f">p{at}\n{''.join(pick.choices(LETTERS, k=pick.randrange(20)))}\n" for at in range(20)).encode()
    whole, _ = results(aws, body, "a.fasta", 1 << 20, window="3", step="2")
    assert results(aws, body, "a.fasta", 25, window="3", step="2")[0] == whole


def test_a_shard_that_ends_within_a_cell_says_so(aws: Aws) -> None:
    body = b'sequence,note\nACD,1\nACD,"2\n3"\nACD,4\n'
    assert results(aws, body, "quoted.csv", 1 << 20)[0]["said"]
    long = b"sequence,note\n" + b"ACD,1\n" * 12_000 + b'ACD,"2\n3"\n' + b"ACD,4\n" * 10
    with pytest.raises(CutInRow):
        results(aws, long, "quoted.csv", 14 + 6 * 12_000 + 7)


def test_a_cell_with_line_ends_within_a_shard_harms_nothing(aws: Aws) -> None:
    long = b"sequence,note\n" + b"ACD,1\n" * 12_000 + b'ACD,"2\n3"\n' + b"ACC,4\n" * 10_000
    whole, _ = results(aws, long, "quoted.csv", 1 << 20)
    cut, shards = results(aws, long, "quoted.csv", 50_000)
    assert shards > 1
    assert cut == whole


@pytest.mark.parametrize(
    "mark", [",", pytest.param("\t", marks=pytest.mark.slow), pytest.param(";", marks=pytest.mark.slow)]
)
def test_stray_quotes_cost_the_same_rows_whatever_the_cut(aws: Aws, mark: str) -> None:
    pick = random.Random(11)
    cells = ["1", '"stray', '"', '"x" y', '"fine"', '5"']
    rows = ["sequence,note\n", *["ACD,1\n"] * 12_000]  # a head without quotes, so that the file is cut
    rows += [f"{record(pick)},{pick.choice(cells)}\n" for _ in range(4000)]
    body = "".join(rows).replace(",", mark).encode()
    whole, _ = results(aws, body, "strays.csv", 1 << 20)
    assert whole["rejected"].count(b"malformed") > 100
    cut_in_row = 0
    for size in range(90_000, 98_000, 401):
        try:
            cut, shards = results(aws, body, "strays.csv", size)
        except CutInRow:  # the job is then planned again as one shard
            cut_in_row += 1
        else:
            assert shards > 1
            assert cut == whole
    assert 0 < cut_in_row < 20


def test_rejects_in_parts_are_the_same_lines(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    body = lines(random.Random(5)).encode()
    whole, _ = results(aws, body, "a.txt", 40)
    monkeypatch.setattr("assay.jobs.rejects.ONE_FILE", 60)
    written: dict[str, bytes] = {}
    put = aws.results.put
    monkeypatch.setattr(
        "assay.aws.s3.Bucket.put", lambda self, key, data, kind: (written.update({key: data}), put(key, data, kind))
    )
    results(aws, body, "a.txt", 40)
    parts = sorted(key for key in written if "/rejected-" in key)
    assert len(parts) > 2
    header, _, rest = whole["rejected"].partition(b"\n")
    assert b"".join(written[key].partition(b"\n")[2] for key in parts) == rest
    assert all(written[key].startswith(header) for key in parts)
