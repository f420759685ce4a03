import json
import random
import string
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.abstracts.classification import NOT_ENGLISH, NOT_PROSE, ODDITIES, TOO_LONG, TOO_SHORT, UNFAMILIAR, UsualTexts
from assay.abstracts.tokens import TextTokenizer
from assay.errors import BundleInvalid
from assay.models.reference import REFERENCE
from assay.models.text_reference import dump_usual_texts, parse_usual_texts
from tests.conftest import ROOT
from tools.models.shipped import newest

BUNDLE = newest(ROOT / "models", "arxiv-archives")
SHIPPED = (BUNDLE / REFERENCE).read_bytes()
QUOTED = [
    each["abstract"]
    for each in json.loads((ROOT / "tools" / "demo" / "abstracts.json").read_text("utf-8"))["abstracts"]
]
KEYS = random.Random(3)
ODD = {
    "a cat in French": (
        NOT_ENGLISH,
        "Le chat dort toute la journée sur le canapé du salon et ne mange que du poisson.",
    ),
    "a cat in German": (NOT_ENGLISH, "Die Katze schläft den ganzen Tag auf dem Sofa und jagt in der Nacht Mäuse."),
    "Russian": (NOT_ENGLISH, "Мы измеряем радиус лёгкого ядра пучком мюонов и сравниваем с прежними работами."),  # noqa: RUF001
    "Chinese": (NOT_ENGLISH, "我们用缪子束测量轻核的电荷半径并与以前的工作进行比较。" * 3),
    "keys": (NOT_PROSE, " ".join("".join(KEYS.choices(string.ascii_lowercase, k=7)) for _ in range(40))),
    "one key": (NOT_PROSE, "x" * 300),
    "a protein": (NOT_PROSE, "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS" * 4),
    "proteins": (NOT_PROSE, "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS " * 4),
    "a table": (NOT_PROSE, " ".join(f"s{row},{row * 0.37:.3f},{row * 1.9:.2f},{-row:.1f}" for row in range(30))),
    "code": (
        NOT_PROSE,
        "def total(rows): found = {}; for row in rows: found[row.id] += row['n'] * 2; " * 4,
    ),
    "a recipe": (
        UNFAMILIAR,
        "Preheat the oven and mix the flour, the butter and the sugar, then add two eggs and a pinch of salt. Bake for "
        "forty minutes and let it cool before you serve it with whipped cream and a few fresh strawberries.",
    ),
    "a sentence": (TOO_SHORT, "We measure the charge radius of a light nucleus and compare it to theory."),
    "a whole paper": (TOO_LONG, QUOTED[0] * 12),
}


@pytest.fixture(scope="module")
def judge() -> Callable[[str], str]:
    tokenizer, known = TextTokenizer(BUNDLE / "tokenizer.json", 256), parse_usual_texts(SHIPPED)
    return lambda text: known.judge(text, tokenizer.encode([text])[0].ids)


@pytest.mark.parametrize("name", ODD)
def test_what_the_shipped_classifier_did_not_learn_from_is_told(name: str, judge: Callable[[str], str]) -> None:
    code, text = ODD[name]
    assert judge(text) == code


def test_abstracts_are_not_told(judge: Callable[[str], str]) -> None:
    assert [judge(text) for text in QUOTED] == [""] * len(QUOTED)


def test_the_card_states_few_false_alarms() -> None:
    told = json.loads((BUNDLE / "manifest.json").read_text("utf-8"))["metrics"]["notices"]
    assert told["test"]["rows"] > 1000
    assert told["test"]["noticed"] <= 0.02


@given(st.text(max_size=300))
@settings(max_examples=50)
def test_any_text_gets_a_known_code_or_none(judge: Callable[[str], str], text: str) -> None:
    assert judge(text) in ("", *ODDITIES)


@given(st.lists(st.floats(-20, -0.1) | st.just(float("nan")), min_size=3, max_size=9).filter(lambda x: x[0] == x[0]))
def test_what_is_written_is_read(likelihoods: list[float]) -> None:
    marked = np.arange(len(likelihoods)) % 2 == 0
    known = UsualTexts(np.array(likelihoods, np.float32), marked, ~marked, -8.0, 0.1, 0.05, 150, 1900)
    found = parse_usual_texts(json.dumps(dump_usual_texts(known, "three texts")).encode())
    np.testing.assert_allclose(found.likelihoods, known.likelihoods, atol=20 / 254 / 2 + 1e-5)
    assert (found.small_words == known.small_words).all()
    assert (found.signs == known.signs).all()
    limits = ("least_likelihood", "least_small_words", "most_signs", "shortest", "longest")
    assert all(getattr(found, name) == getattr(known, name) for name in limits)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("likelihoods", "#"),
        ("likelihoods", ""),
        ("likelihoods", 3),
        ("step", 0),
        ("step", True),
        ("step", "1"),
        ("small_words", [1 << 20]),
        ("small_words", [-1]),
        ("signs", [1.0]),
        ("signs", None),
        ("limits", {}),
        ("limits", {"likelihood": "low"}),
    ],
)
def test_a_broken_reference_is_told_by_its_place(field: str, value: object) -> None:
    document = json.loads(SHIPPED)
    document["texts"][field] = value
    with pytest.raises(BundleInvalid, match=rf"reference\.json\.texts\.{field}"):
        parse_usual_texts(json.dumps(document).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 2}', b'{"schema": 1}', b'{"schema": 1, "texts": []}'])
def test_what_is_no_reference_is_refused(content: bytes) -> None:
    with pytest.raises(BundleInvalid):
        parse_usual_texts(content)
