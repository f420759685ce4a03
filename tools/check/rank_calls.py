"""Checks of POST /rank and the old contract beside it: forms in, forms out, counts, options and errors."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tools.check.ground import OPEN, Ground
from tools.check.promises import Check, Untried, hold
from tools.check.specimens import SHORT
from tools.check.wire import expect, expect_refusal, hold_times, read_json, time_calls

SENT: Final = 13
"""Records of a body: twelve good ones and one that is too short."""


def ask_ranking(ground: Ground) -> list[dict[str, Any]]:
    """Return the ranking of the specimens by the plainest way."""
    sent = {"sequences": [*ground.specimens.sequences, SHORT], "threshold": -1e9}
    answer = read_json(ground.wire.post("/rank", json=sent))
    hold_counts(answer["counts"])
    ranked: list[dict[str, Any]] = answer["ranked"]
    return ranked


def hold_counts(counts: Mapping[str, int]) -> None:
    """Raise Broken unless every record is accounted for."""
    total = counts["scored"] + counts["rejected"] + counts["duplicates"]
    hold(counts["received"] == SENT, f"{SENT} records were sent, and received is {counts['received']}")
    hold(total == SENT, f"scored, rejected and duplicates add up to {total}, and {SENT} records were sent")
    hold(counts["rejected"] == 1, f"one record is too short, and rejected is {counts['rejected']}")


def hold_order(ranked: Sequence[Mapping[str, Any]], sequences: Sequence[str]) -> None:
    """Raise Broken unless a ranking has all the sequences, best first."""
    hold({row["sequence"] for row in ranked} == set(sequences), "the ranking has not the sequences that were sent")
    scores = [float(row["score"]) for row in ranked]
    hold(scores == sorted(scores, reverse=True), "the ranking is not in order of its scores")
    hold([int(row["rank"]) for row in ranked] == [*range(1, len(ranked) + 1)], "the ranks are not 1, 2, 3, ...")


def check_rank(ground: Ground) -> str:
    """Hold the JSON contract: order, counts, rejects with line and reason, models."""
    sent = {"sequences": [*ground.specimens.sequences, SHORT], "threshold": -1e9}
    answer = read_json(ground.wire.post("/rank", json=sent))
    hold_counts(answer["counts"])
    hold_order(answer["ranked"], ground.specimens.sequences)
    [reject] = answer["rejected"]
    hold((reject["line"], reject["reason"]) == (SENT, "length"), f"the reject is {reject}, not line {SENT}, length")
    hold(all(answer["models"][role]["version"] for role in ("gate", "score")), "the reply names no models")
    return f"{len(answer['ranked'])} ranked, 1 rejected with its line"


def check_rank_forms(ground: Ground) -> str:
    """Hold that every form of input gives the same ranking."""
    expected = _order(ask_ranking(ground))
    bodies = ground.specimens.bodies()
    for form, (content_type, body) in bodies.items():
        reply = ground.wire.post("/rank", params=OPEN, data=body, headers={"Content-Type": content_type})
        found = _order(read_json(reply)["ranked"])
        hold(found == expected, f"{form} gives another ranking than JSON")
    reply = ground.wire.post("/rank", params=OPEN, files={"input_file": ("designs.fasta", ground.specimens.fasta())})
    hold(_order(read_json(reply)["ranked"]) == expected, "a form's file gives another ranking than JSON")
    return f"JSON, {', '.join(bodies)}, form"


def check_rank_replies(ground: Ground) -> str:
    """Hold that CSV, lines and NDJSON say what JSON says, and the headers what they have no room for."""
    expected = _order(ask_ranking(ground))
    for accept in ("text/csv", "text/plain", "application/x-ndjson"):
        headers = {"Content-Type": "text/x-fasta", "Accept": accept}
        reply = expect(ground.wire.post("/rank", params=OPEN, data=ground.specimens.fasta(), headers=headers), 200)
        given = reply.headers.get("Content-Type", "")
        hold(given.startswith(accept), f"Accept: {accept} was answered as {given}")
        hold(_read_sequences(reply.text, accept) == expected, f"{accept} gives another ranking than JSON")
        received = reply.headers.get("X-Assay-Received")
        hold(received == str(SENT), f"{accept}: the header X-Assay-Received is {received}, not {SENT}")
    return "CSV, lines, NDJSON"


def check_rank_options(ground: Ground) -> str:
    """Hold that top_k, threshold and gate do what they say."""
    sent = ground.specimens.sequences
    top = read_json(ground.wire.post("/rank", json={"sequences": sent, "threshold": -1e9, "top_k": 3}))["ranked"]
    hold(_order(top) == _order(ask_ranking(ground))[:3], "top_k=3 does not give the best three")
    none = read_json(ground.wire.post("/rank", json={"sequences": sent, "threshold": 1e9}))["counts"]
    hold(none["passed"] == 0, f"{none['passed']} passed a threshold of a billion")
    every = read_json(ground.wire.post("/rank", json={"sequences": sent, "threshold": 1e9, "gate": "off"}))["counts"]
    hold(every["passed"] == len(sent), f"gate=off let only {every['passed']} of {len(sent)} pass")
    return "top_k, threshold, gate"


def check_rank_errors(ground: Ground) -> str:
    """Hold that bad requests are told what is wrong, by status and code."""
    good = {"sequences": ground.specimens.sequences}
    expect_refusal(ground.wire.post("/rank", json={"sequences": "none"}), 400, "malformed_body")
    expect_refusal(ground.wire.post("/rank", json=good, params={"topk": "1"}), 400, "invalid_option")
    expect_refusal(ground.wire.post("/rank", json={**good, "score_model": "no-such-model"}), 404, "not_found")
    expect_refusal(ground.wire.post("/rank", json=good, headers={"Accept": "image/png"}), 406, "not_acceptable")
    expect_refusal(
        ground.wire.post("/rank", data=b"x", headers={"Content-Type": "image/png"}), 415, "unsupported_media_type"
    )
    broken = {"data": b"\x1f\x8bnothing", "headers": {"Content-Type": "application/gzip"}}
    expect_refusal(ground.wire.post("/rank", **broken), 422, "unreadable_input")
    strict = {"sequences": [SHORT], "strict": True}
    expect_refusal(ground.wire.post("/rank", json=strict), 422, "rejected_records")
    return "400, 404, 406, 415, 422"


def check_old_rank(ground: Ground) -> str:
    """Hold the contract of the service that was replaced: a form's file in, lines out."""
    expected = _order(ask_ranking(ground))
    for path in ("/file_data", "/upload_file"):
        form = {"input_file": ("designs.fasta", ground.specimens.fasta())}
        reply = expect(ground.wire.post(path, params=OPEN, files=form), 200)
        hold(reply.text.split() == expected, f"{path} gives other lines than the ranking has")
        hold(reply.headers.get("X-Assay-Rejected") == "1", f"{path} does not say that it rejected a record")
    return "/file_data, /upload_file"


def check_rank_times(ground: Ground) -> str:
    """Hold that a first call is answered within the gateway's 29 s, and warm ones at once."""
    sent = {"sequences": ground.specimens.sequences}
    first, warm = time_calls(lambda: read_json(ground.wire.post("/rank", json=sent)))
    return hold_times(first, warm)


def _order(ranked: Sequence[Mapping[str, Any]]) -> list[str]:
    if not ranked:
        raise Untried("nothing was ranked: see the check rank")
    return [row["sequence"] for row in ranked]


def _read_sequences(text: str, accept: str) -> list[str]:
    if accept == "text/csv":
        return [row["sequence"] for row in csv.DictReader(io.StringIO(text))]
    lines = text.splitlines()
    return lines if accept == "text/plain" else [json.loads(line)["sequence"] for line in lines]


CHECKS: Final = (
    Check("rank", "sequences are ranked, and every record is accounted for", check_rank),
    Check("rank-forms", "every form of input gives the same ranking", check_rank_forms),
    Check("rank-replies", "every form of reply says the same", check_rank_replies),
    Check("rank-options", "options do what they say", check_rank_options),
    Check("rank-errors", "bad requests are told what is wrong", check_rank_errors),
    Check("old-rank", "clients of the service that was replaced are answered", check_old_rank),
)
TIMES: Final = Check("rank-times", "a first call is answered in time, warm ones at once", check_rank_times)
