"""POST /rank of FASTA records longer than the models read, window by window."""

from typing import Any

import pytest

from tests.events import post
from tests.integration.api.test_rank_api import GOOD, OTHER, Call, ranked, refused


def test_windows_of_a_protein_rank_as_if_each_was_sent(call: Call) -> None:
    protein, step = GOOD + OTHER + "X" + GOOD, 7
    query = {"queryStringParameters": {"window": "50", "step": str(step), "threshold": "-1000000"}}
    body = ranked(call(post("/rank", f">p\n{protein}\n".encode(), "text/x-fasta") | query))
    windows = [protein[at : at + 50] for at in range(0, len(protein) - 49, step)]
    lines = {"queryStringParameters": {"threshold": "-1000000"}}
    apart = ranked(call(post("/rank", "\n".join(windows).encode(), "text/plain") | lines))
    assert [(row["sequence"], row["score"]) for row in body["ranked"]] == [
        (row["sequence"], row["score"]) for row in apart["ranked"]
    ]
    assert body["counts"] == apart["counts"]
    first, last = (int(place) for place in body["ranked"][0]["id"].removeprefix("p/").split("-"))
    assert protein[first - 1 : last] == body["ranked"][0]["sequence"]


@pytest.mark.parametrize(
    "event", [post("/rank", b'{"sequences": [], "window": 50}'), post("/rank", b"ACD\n", "text/plain")]
)
def test_windows_are_for_fasta(call: Call, event: dict[str, Any]) -> None:
    error = refused(call(event | {"queryStringParameters": {"window": "50"}}), 400, "invalid_option")
    assert "window is for FASTA" in error["message"]
