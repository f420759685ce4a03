"""Whatever is sent, right or wrong, is answered as the description says, and never by an error of the service."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import KEY
from tests.e2e.samples import ABSTRACT, DESIGN
from tools.openapi.__main__ import document

pytestmark = pytest.mark.api
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
PATHS = document()["paths"]
OPERATIONS = [(method, path) for path, methods in PATHS.items() for method in methods]
# Where nothing can be chosen, nothing can be wrong.
CHOOSING = [each for each in OPERATIONS if {"parameters", "requestBody"} & set(PATHS[each[1]][each[0]])]
CASES = [*((*each, RIGHT) for each in OPERATIONS), *((*each, WRONG) for each in CHOOSING)]
FORMS = ["*/*", "application/json", "text/csv", "application/x-ndjson", "text/plain", "text/html"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HOW = settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])


@pytest.mark.parametrize(("method", "path", "mode"), CASES, ids=[f"{mode.value} {m} {p}" for m, p, mode in CASES])
def test_every_answer_is_one_that_is_described(
    description: Any, names: dict[str, list[str]], method: str, path: str, mode: GenerationMode
) -> None:
    operation = description[path][method.upper()]

    @HOW
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def holds(case: Any, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            case.path_parameters |= {each: data.draw(st.sampled_from(names[each])) for each in case.path_parameters}
        case.body = sensible(case.body, data)
        key, form = data.draw(st.sampled_from([KEY, KEY, KEY, ""])), data.draw(st.sampled_from(FORMS))
        case.call_and_validate(headers={"x-api-key": key, "Accept": form, "Accept-Encoding": "identity"}, checks=CHECKS)

    holds()


def sensible(value: Any, data: st.DataObject) -> Any:
    """Return a body, some of its texts replaced by a sequence or an abstract, which a generator hardly ever makes."""
    match value:
        case dict():
            return {name: sensible(each, data) for name, each in value.items()}
        case list():
            return [sensible(each, data) for each in value]
        case str() if data.draw(st.booleans()):
            return data.draw(st.sampled_from([DESIGN, ABSTRACT]))
    return value
