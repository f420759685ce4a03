"""The demo: start the service, do the main job three ways, show it, check it."""

import csv
import io
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from tools.demo.proteins import BAD, Protein, fasta, proteins, table, write_proteins
from tools.local.service import LocalService, Options
from tools.terminal import bar, format_table

LEAST_PAIRS = 0.9
LEAST_DESIGNS = 0.8


class DemoFailed(Exception):
    """Something came out otherwise than it should."""


def require(truth: bool, message: str) -> None:
    """Raise DemoFailed with a message unless something is true."""
    if not truth:
        raise DemoFailed(message)


def counts_add_up(counts: Mapping[str, int], sent: int) -> None:
    """Check received = scored + rejected + duplicates, and that nothing sent is missing."""
    require(counts["received"] == sent, f"{sent} records were sent, {counts['received']} received")
    accounted = counts["scored"] + counts["rejected"] + counts["duplicates"]
    require(accounted == sent, f"{sent} records were received, {accounted} accounted for: {dict(counts)}")
    require(counts["rejected"] == len(BAD), f"{len(BAD)} bad records were sent, {counts['rejected']} rejected")


def designs_lead(ranked: Sequence[str], top: int = 10) -> int:
    """Check names in ranked order: there are `top` of them, nearly all designs; return how many."""
    require(len(ranked) >= top, f"only {len(ranked)} sequences passed the gate, not even {top}")
    leading = sum(name.startswith("design-") for name in ranked[:top])
    require(leading >= LEAST_DESIGNS * top, f"only {leading} of the first {top} are designs")
    return leading


def designs_beat_scrambles(ranked: Sequence[str], families: int) -> int:
    """Check names in ranked order: a design ranks above its own scramble; return for how many that holds."""
    place = {name: index for index, name in enumerate(ranked)}
    pairs = sum(_before(place, f"design-{number:02d}", f"scramble-{number:02d}") for number in range(1, families + 1))
    require(pairs >= LEAST_PAIRS * families, f"only {pairs} of {families} designs rank above their own scramble")
    return pairs


def _before(place: Mapping[str, int], first: str, second: str) -> bool:
    return first in place and place[first] < place.get(second, len(place))


def require_labels(result: Mapping[str, Any], archives: Sequence[str], name: str) -> None:
    """Check that the likeliest label of an abstract is one of its own archives."""
    best = max(result["scores"], key=result["scores"].__getitem__)
    require(best in archives, f"arXiv:{name} is filed under {', '.join(archives)}, classified as {best}")


SECONDS = 60.0


class Api:
    """A client of one running service."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is of no use on this machine

    def post(self, path: str, **body: Any) -> requests.Response:
        """POST and return the answer."""
        reply = self._session.post(self._url + path, timeout=SECONDS, **body)
        if not reply.ok:
            raise DemoFailed(f"POST {path} answered {reply.status_code}: {reply.text[:500]}")
        return reply


class Drop:
    """The uploads and results buckets of one running service; `s3` is a boto3 client."""

    def __init__(self, s3: Any, uploads: str, results: str) -> None:
        self._s3 = s3
        self._uploads = uploads
        self._results = results

    def put(self, key: str, body: bytes, content_type: str, options: dict[str, str]) -> None:
        """Drop a file; options travel as its metadata."""
        self._s3.put_object(Bucket=self._uploads, Key=key, Body=body, ContentType=content_type, Metadata=options)

    def wait(self, key: str) -> dict[str, Any]:
        """Wait for the pointer of a dropped file and then for the summary of its job; return the summary."""
        pointer: dict[str, Any] = json.loads(self._wait_for(f"by-upload/{key}.json"))
        return dict(json.loads(self._wait_for(f"results/{pointer['job_id']}/ranking.json")), job_id=pointer["job_id"])

    def _wait_for(self, key: str) -> bytes:
        deadline = time.monotonic() + SECONDS
        while (body := self._get(key)) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"s3://{self._results}/{key} did not appear within {SECONDS:.0f} s")
            time.sleep(0.1)
        return body

    def _get(self, key: str) -> bytes | None:
        try:
            return bytes(self._s3.get_object(Bucket=self._results, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def save(self, job_id: str, names: tuple[str, ...], folder: Path) -> None:
        """Copy a job's results into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_bytes(self._wait_for(f"results/{job_id}/{name}"))


FAMILIES = 100
SHOWN = 10
KEY = "rank/mini-proteins + controls.csv"
RESULTS = ("ranking.csv", "rejected.csv", "ranking.json")
ABSTRACTS = Path(__file__).with_name("abstracts.json")
KINDS = {
    "design": "designed helical bundle",
    "scramble": "same residues, shuffled",
    "proline": "proline in each helix",
    "glycine": "4 core residues to glycine",
    "buried_asp": "3 core residues to aspartate",
}


def run_demo(folder: Path) -> None:
    """Run the demo and leave copies of the results in a folder; DemoFailed says what was not as expected."""
    started = time.perf_counter()
    with LocalService(Options(port=0, s3_port=0, quiet=True)) as service:
        print(service.banner(), flush=True)
        api = Api(service.url)
        drop = Drop(service.client("s3"), service.stack.bucket("Uploads"), service.stack.bucket("Results"))
        sequences = proteins(FAMILIES)
        rank_over_http(api, sequences)
        rank_the_old_way(api, sequences)
        rank_by_drop(drop, sequences, folder)
        classify_abstracts(api)
    print(f"\nAll as expected, in {time.perf_counter() - started:.1f} s. Results lie in {folder}/")


def rank_over_http(api: Api, sequences: Sequence[Protein]) -> None:
    """Post FASTA to /rank; show the best, what passed the gate and what was rejected."""
    _title(f"POST /rank: {len(sequences)} generated mini-proteins and {len(BAD)} bad records, as FASTA")
    reply = _rank(api, sequences, threshold=0)
    models = reply["models"]
    print(f"  gate {_model(models['gate'])}, score {_model(models['score'])}; passes where gate > 0\n")
    print(_write_ranking(reply["ranked"][:SHOWN]))
    print(f"\n{_kinds(reply['ranked'])}\n\n{_rejects(reply['rejected'])}")
    counts_add_up(reply["counts"], len(sequences) + len(BAD))
    leading = designs_lead(_names(reply["ranked"]), SHOWN)
    everything = _rank(api, sequences, threshold=-1000)["ranked"]
    require(len(everything) == len(sequences), f"with the gate open {len(everything)} of {len(sequences)} are ranked")
    pairs = designs_beat_scrambles(_names(everything), FAMILIES)
    print(f"\n  {leading} of the first {SHOWN} are designs. With the gate open (threshold=-1000),")
    print(f"  {pairs} of {FAMILIES} designs rank above the scramble of their own residues.")


def _rank(api: Api, sequences: Sequence[Protein], threshold: float) -> dict[str, Any]:
    options = {"top_k": 1000, "threshold": threshold}
    body = fasta(sequences).encode()
    reply = api.post("/rank", params=options, data=body, headers={"Content-Type": "text/x-fasta"})
    return dict(reply.json())


def _names(ranked: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["id"] for row in ranked]


def rank_the_old_way(api: Api, sequences: Sequence[Protein]) -> None:
    """Post a file to /file_data: the old contract, ranked sequences as text."""
    _title("POST /file_data: the same sequences, a line each, in a form (the old contract)")
    reply = api.post(
        "/file_data", files={"input_file": ("sequences.txt", write_proteins(sequences).encode(), "text/plain")}
    )
    ranked = reply.text.splitlines()
    rejected = reply.headers.get("X-Assay-Rejected")
    print("\n".join(f"  {sequence}" for sequence in ranked[:3]))
    print(f"  ... {len(ranked)} sequences, best first; X-Assay-Rejected: {rejected}")
    known = {protein.sequence: protein.name for protein in sequences}
    designs_lead([known[sequence] for sequence in ranked], SHOWN)
    require(rejected == str(len(BAD)), f"X-Assay-Rejected is {rejected}, not {len(BAD)}")


def rank_by_drop(drop: Drop, sequences: Sequence[Protein], folder: Path) -> None:
    """Drop a CSV in the uploads bucket, wait for its results and copy them."""
    _title(f"S3: the same as CSV, dropped at {KEY}")
    drop.put(KEY, table(sequences).encode(), "text/csv", {"top-k": "1000"})
    summary = drop.wait(KEY)
    drop.save(summary["job_id"], RESULTS, folder)
    ranked = list(csv.DictReader(io.StringIO((folder / "ranking.csv").read_text(encoding="utf-8"))))
    rejected = list(csv.DictReader(io.StringIO((folder / "rejected.csv").read_text(encoding="utf-8"))))
    print(
        f"  results/{summary['job_id']}/ holds {', '.join(RESULTS)}; ranking.csv begins\n\n{_write_ranking(ranked[:3])}"
    )
    counts_add_up(summary["counts"], len(sequences) + len(BAD))
    require(len(rejected) == len(BAD), f"rejected.csv has {len(rejected)} rows, not {len(BAD)}")
    designs_lead(_names(ranked), SHOWN)


def classify_abstracts(api: Api) -> None:
    """Classify the quoted abstracts, and one of them by the old contract."""
    quoted = json.loads(ABSTRACTS.read_text(encoding="utf-8"))["abstracts"]
    _title(f"POST /classify: {len(quoted)} abstracts (CC0, never seen in training)")
    reply = api.post("/classify", json={"abstracts": [item["abstract"] for item in quoted]}).json()
    print(f"  model {_model(reply['model'])}")
    for item, result in zip(quoted, reply["results"], strict=True):
        print(f"\n  arXiv:{item['id']} {item['title']}\n  filed under {', '.join(item['archives'])}\n{_bars(result)}")
        require_labels(result, item["archives"], item["id"])
    predictions = api.post("/api/predict/", json={"abstract": quoted[0]["abstract"]}).json()["predictions"]
    _title(f"POST /api/predict/: the old contract answers {len(predictions[0])} probabilities")
    require(len(predictions[0]) == len(reply["labels"]), "/api/predict/ does not answer one probability a label")


def _title(text: str) -> None:
    print(f"\n{text}\n", flush=True)


def _model(model: Mapping[str, Any]) -> str:
    return f"{model['name']} version {model['version']}"


def _write_ranking(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        (
            str(row["rank"]),
            row["sequence"],
            f"{float(row['score']):.3f}",
            f"{float(row['gate']):+.3f}",
            _kind(row["id"]),
        )
        for row in rows
    ]
    return format_table(("rank", "sequence", "score", "gate", "kind"), cells)


def _kind(name: str) -> str:
    return name.rsplit("-", 1)[0]


def _kinds(ranked: Sequence[Mapping[str, Any]]) -> str:
    """Tabulate how many of each kind passed the gate, and the best of each."""
    scores = {kind: [row["score"] for row in ranked if _kind(row["id"]) == kind] for kind in KINDS}
    rows = [
        (kind, f"{len(found)} / {FAMILIES}", f"{max(found):.3f}" if found else "-", text)
        for (kind, text), found in zip(KINDS.items(), scores.values(), strict=True)
    ]
    return format_table(("kind", "passed", "best", "what it is"), rows)


def _rejects(rejects: Sequence[Mapping[str, Any]]) -> str:
    return format_table(
        ("line", "rejected for", "detail"), [(str(r["line"]), r["reason"], r["detail"]) for r in rejects]
    )


def _bars(result: Mapping[str, Any], shown: int = 4) -> str:
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    chosen = {label["label"] for label in result["labels"]}
    best = sorted(result["scores"].items(), key=lambda pair: -pair[1])[:shown]
    return "\n".join(f"    {'*' if name in chosen else ' '} {name:9} {bar(p, block=block)} {p:.3f}" for name, p in best)
