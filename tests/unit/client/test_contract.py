"""The client held to the API's description: every route it calls, option it sends and field it reads is there."""

import inspect
from typing import Any, get_args, get_type_hints

import pytest

from assay.client import conversation, results, sessions
from assay.client.sessions import ClassificationChoices, RankingChoices
from assay.options import RANKING, REQUESTING
from classify.request import MOST_ABSTRACTS
from tools.openapi.__main__ import document

PATHS = document()["paths"]
SCHEMAS = document()["components"]["schemas"]
READ: dict[str, Any] = {
    "Ranked": results.RankedDesign,
    "Reject": results.Rejected,
    "LabelScore": results.Label,
    "Job": results.JobStatus,
    "Work": results.Work,
}


def fields(schema: str) -> set[str]:
    return set(SCHEMAS[schema]["properties"])


@pytest.mark.parametrize("name", conversation.ROUTES)
def test_every_route_is_described(name: str) -> None:
    route = conversation.ROUTES[name]
    assert route.method.lower() in PATHS[route.path]


@pytest.mark.parametrize("schema", READ)
def test_every_field_that_is_read_is_described(schema: str) -> None:
    assert set(READ[schema].__annotations__) <= fields(schema)


@pytest.mark.parametrize("schema", READ)
def test_a_field_that_every_reply_has_is_one_that_callers_may_rely_on(schema: str) -> None:
    assert set(READ[schema].__required_keys__) <= set(SCHEMAS[schema]["required"])


def test_a_result_is_described_but_for_its_place() -> None:
    assert set(results.Abstract.__annotations__) - {"line", "error"} <= fields("Classified")


@pytest.mark.parametrize(
    ("schema", "read"),
    [
        ("Ranking", {"ranked", "counts", "rejected", "models", "notices", "histograms"}),
        ("Classification", {"results", "model", "notices"}),
        ("Upload", {"job_id", "max_bytes", "upload"}),
        ("AcceptedJob", {"job_id"}),
        ("Models", {"models", "next"}),
        ("StoredRanking", {"result_url"}),
        ("StoredClassification", {"result_url"}),
    ],
)
def test_fields_of_replies_are_described(schema: str, read: set[str]) -> None:
    assert read <= fields(schema)


def test_options_are_those_of_the_service() -> None:
    assert set(RankingChoices.__annotations__) == set(RANKING)
    assert set(ClassificationChoices.__annotations__) == set(REQUESTING)
    hints = get_type_hints(RankingChoices)
    for name, hint in hints.items():
        described: Any = SCHEMAS["RankRequest"]["properties"][name]
        words = [word for each in get_args(hint) for word in get_args(each)]
        assert words == described.get("enum", []), name


def test_the_most_abstracts_of_a_request_are_those_of_the_service() -> None:
    assert conversation.MOST_ABSTRACTS == MOST_ABSTRACTS
    assert f"{MOST_ABSTRACTS}" in PATHS["/classify"]["post"]["description"]


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    def offered(client: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(client, inspect.isfunction)
        return {name: [*inspect.signature(each).parameters] for name, each in methods if not name.startswith("_")}

    assert offered(sessions.Assay) == offered(sessions.AsyncAssay)
