"""What a user's abstracts are like, as a part of a classifier's `reference.json`, and how often it errs."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay.abstracts.classification import UsualTexts
from assay.errors import UnreadableInput
from assay.models.loading import load_folder
from assay.models.reference import REFERENCE
from assay.models.text_reference import dump_usual_texts, parse_usual_texts
from tools.models.abstract_rows import read_abstracts
from tools.models.build import rebuild_manifest
from tools.models.text_statistics import EncodedText, Vocabulary, learn_usual_texts, share_notices, tokenize

FEWEST: Final = 1_000
"""Texts below which the limits would be those of a few odd ones."""
MOST_ALARMS: Final = 0.02
"""The share of texts like those given that may get a notice."""
PERCENT: Final = dict.fromkeys(("likelihood", "small_words", "signs", "shortest", "longest"), 0.1)
"""Percent of the held-out texts beyond each limit: less than for the shipped model, which had ten times the texts."""
_TURNS: Final = 5
_TRAINING: Final = 0.6


@dataclass(frozen=True, slots=True)
class TextsLearned:
    """What came of a user's file: `alarms` as `share_notices` counts them, of texts that shaped no table and limit."""

    texts: int
    left_out: int
    alarms: dict[str, Any]


def refer_to_texts(folder: Path, path: Path, column: str | None = None) -> TextsLearned:
    """Write into a classifier's bundle what the texts of a file are like.

    Raises BundleInvalid; UnreadableInput for a file with too few texts, or whose own texts would be told as odd.
    """
    model = load_folder(folder, os.cpu_count() or 1)
    texts, left_out = read_abstracts(path, column)
    if len(texts) < FEWEST:
        raise UnreadableInput(f"{path} has {len(texts):,} texts of use; at least {FEWEST:,} are needed")
    known = Vocabulary.of(model.tokenizer, model.text.pad_id)
    order = np.random.default_rng(0).permutation(len(texts))
    encoded = tokenize(model.tokenizer, [texts[at] for at in order])
    alarms = judge_in_turns(known, encoded)
    if alarms["noticed"] > MOST_ALARMS:
        raise UnreadableInput(
            f"{alarms['noticed']:.1%} of the texts of {path} would be told as odd by the others, over "
            f"{MOST_ALARMS:.0%}: send more of them, or fewer kinds"
        )
    learned = _learn(known, encoded)
    _write(folder, learned, f"{len(texts):,} texts of {path.name}", alarms)
    return TextsLearned(len(texts), left_out, alarms)


def _learn(known: Vocabulary, texts: Sequence[EncodedText]) -> UsualTexts:
    cut = round(len(texts) * _TRAINING)
    return learn_usual_texts(known, texts[:cut], texts[cut:], PERCENT)


def judge_in_turns(known: Vocabulary, texts: Sequence[EncodedText]) -> dict[str, Any]:
    """Return the notices of texts, a fifth at a time, by what was learned from the other four fifths."""
    told: Counter[str] = Counter()
    for turn in range(_TURNS):
        others = [each for at, each in enumerate(texts) if at % _TURNS != turn]
        learned = _round(_learn(known, others))
        told.update(learned.judge(text, ids) for text, ids in texts[turn::_TURNS])
    return share_notices(told)


def _round(learned: UsualTexts) -> UsualTexts:
    """Return what a function reads of it: rounded."""
    return parse_usual_texts(json.dumps(dump_usual_texts(learned, "-")).encode())


def _write(folder: Path, learned: UsualTexts, about: str, alarms: dict[str, Any]) -> None:
    """Write reference.json and the manifest; what else the reference says stays."""
    before = json.loads((folder / REFERENCE).read_bytes()) if (folder / REFERENCE).exists() else {}
    content = (json.dumps({**before, **dump_usual_texts(learned, about)}, allow_nan=False) + "\n").encode()
    parse_usual_texts(content)
    (folder / REFERENCE).write_bytes(content)
    notices = {"shortest": learned.shortest, "longest": learned.longest, "test": alarms}
    rebuild_manifest(folder, {"notices": notices})
