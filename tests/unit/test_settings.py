from pathlib import Path

import pytest

from assay.errors import SettingsError
from assay.settings import Settings


def test_defaults_name_the_models_that_ship() -> None:
    settings = Settings.from_environ({})
    assert (settings.gate_model, settings.score_model) == ("stability-chymotrypsin", "stability-trypsin")
    assert settings.classifier == "arxiv-archives"
    assert settings.threads >= 1
    assert settings.scratch == Path("/tmp")


def test_every_variable_is_read() -> None:
    given = {
        "ASSAY_UPLOADS_BUCKET": "u",
        "ASSAY_RESULTS_BUCKET": "r",
        "ASSAY_MODELS_BUCKET": "m",
        "ASSAY_STATE_TABLE": "t",
        "ASSAY_GATE_MODEL": "g",
        "ASSAY_SCORE_MODEL": "s",
        "ASSAY_CLASSIFIER": "c",
        "ASSAY_MODEL_REFRESH_SECONDS": "0.5",
        "ASSAY_SCRATCH": "/scratch",
        "ASSAY_THREADS": "3",
        "ASSAY_PRELOAD": "True",
        "ASSAY_REPLY_BYTES": "100",
    }
    expected = Settings("u", "r", "m", "t", "g", "s", "c", 0.5, Path("/scratch"), 3, True, 100)
    assert Settings.from_environ(given, "uploads_bucket", "state_table") == expected


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match="ASSAY_MODELS_BUCKET and ASSAY_STATE_TABLE"):
        Settings.from_environ({"ASSAY_STATE_TABLE": " "}, "models_bucket", "state_table")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THREADS", "two"),
        ("THREADS", "0"),
        ("MODEL_REFRESH_SECONDS", "nan"),
        ("MODEL_REFRESH_SECONDS", "-1"),
        ("PRELOAD", "maybe"),
    ],
)
def test_what_is_malformed_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ASSAY_{name} is"):
        Settings.from_environ({f"ASSAY_{name}": value})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 1024),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}, 1504),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008", "ASSAY_MODEL_MEMORY_MB": "700"}, 700),
    ],
)
def test_models_may_take_half_of_a_functions_memory_unless_told_otherwise(given: dict[str, str], expected: int) -> None:
    assert Settings.from_environ(given).model_memory_mb == expected
