"""What ships against other programs: its tokenizer against transformers' own, LiteRT against TensorFlow.

`ASSAY_AGREEMENT=full` takes 10,000 texts for the tokenizer, 300 abstracts and 100,000 sequences for the models; else a
few of each. Abstracts are those of `../shared`, where that is; without it these tests are skipped.
"""

import gzip
import json
import os
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("tensorflow")
transformers = pytest.importorskip("transformers")

from assay.models.loading import SequenceScorer
from tests.conftest import ROOT
from tests.importers.graphs import Graph
from tools.models.shipped import list_shipped, newest_model

POOL: Final = Path(os.environ.get("ASSAY_SHARED", ROOT.parent / "shared")) / "data" / "abstracts" / "pool.jsonl.gz"
FULL: Final = os.environ.get("ASSAY_AGREEMENT") == "full"
TEXTS, ABSTRACTS, SEQUENCES = (10_000, 300, 100_000) if FULL else (200, 3, 512)
SEED: Final = 1
_ODD: Final = (
    "\U0001f9ec", "\U0001f468\u200d\U0001f52c", "\U0001f1e9\U0001f1ea", "e\u0301", "\u1e9b\u0323", "\ufb01", "\u00df",
    "\u0130stanbul", "\u4e2d\u6587\u8bba\u6587", "\u0434\u043e\u043a\u0430\u0437", "\u05d0\u05b7", "\u0645\u062b\u0644",
    r"$\alpha_{i}^{2}\leq\frac{1}{2}$", r"\mathbb{R}^n", r"$$\sum_{k=0}^\infty x^k$$", "~10^{-3}", "\u00a0", "\u200b",
    "\u221e", "\u2264", "\ufffd", "\x00", "\x07", "x" * 101, "\u1d54f", "\u0e44\u0e17\u0e22", "\uac00", "#a",
)  # fmt: skip

needs_abstracts = pytest.mark.skipif(not POOL.exists(), reason="no abstracts: ../shared is not here")


def abstracts() -> Iterator[str]:
    """Yield the texts of the pool."""
    with gzip.open(POOL, "rt", encoding="utf-8") as source:
        for line in source:
            record = json.loads(line)
            yield record.get("abstract") or record["text"]


def odd(texts: Iterator[str]) -> Iterator[str]:
    """Yield texts with some words replaced by letters of other scripts, LaTeX, emoji and control characters."""
    chance = random.Random(SEED)
    for text in texts:
        words = text.split(" ")
        for _ in range(chance.randrange(6)):
            words.insert(chance.randrange(len(words) + 1), chance.choice(_ODD))
        yield chance.choice((" ", " ", "")).join(words) if chance.random() < 0.1 else " ".join(words)


def classifiers() -> list[str]:
    """Return the names of the text models that ship."""
    return sorted({path.parent.name for path in list_shipped(ROOT / "models") if (path / "tokenizer.json").exists()})


def scorers() -> list[str]:
    """Return the names of the sequence models that ship."""
    return sorted({path.parent.name for path in list_shipped(ROOT / "models")} - set(classifiers()))


def own_tokenizer(path: Path, folder: Path) -> Any:
    """Return transformers' tokenizer in pure Python, from the vocabulary and settings of a `tokenizer.json`."""
    saved = json.loads(path.read_text("utf-8"))
    vocabulary = sorted(saved["model"]["vocab"], key=saved["model"]["vocab"].__getitem__)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    rules = saved["normalizer"]
    return transformers.BertTokenizer(
        str(folder / "vocab.txt"), do_lower_case=rules["lowercase"], strip_accents=rules["strip_accents"]
    )


@needs_abstracts
@pytest.mark.parametrize("name", classifiers())
def test_tokens_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    model = newest_model(ROOT / "models", name, 1)
    other = own_tokenizer(model.folder / model.text.tokenizer, tmp_path)
    texts = list(islice(odd(abstracts()), TEXTS))
    assert len(texts) == TEXTS
    longest = model.longest
    for text, found in zip(texts, model.tokenizer.encode(texts), strict=True):
        assert found.ids.tolist() == other(text, truncation=True, max_length=longest)["input_ids"], text


@needs_abstracts
@pytest.mark.parametrize("name", classifiers())
def test_litert_classifies_as_tensorflow_does(name: str) -> None:
    from assay.models.text_classifier import TextClassifier

    model = newest_model(ROOT / "models", name, 2)
    graph = Graph((model.folder / model.manifest.model_path).read_bytes())
    classifier, gaps = TextClassifier(model), []
    for text in islice(abstracts(), ABSTRACTS):
        (tokens,) = model.tokenizer.encode([text])
        ids = tokens.ids[None, :]
        logits = np.asarray(graph.run({"input_ids": ids, "attention_mask": np.ones_like(ids)}), np.float32)
        expected = classifier._activate(logits)[0]
        found = classifier._windows([tokens.ids])[0]
        gaps.append(float(np.abs(found - expected).max()))
    print(f"{name}: {len(gaps)} abstracts, scores differ by at most {max(gaps):.4f}, on average {np.mean(gaps):.4f}")
    assert max(gaps) < 0.15  # int8 weights: LiteRT rounds what they are multiplied with, TensorFlow does not
    assert np.mean(gaps) < 0.03


@pytest.mark.parametrize("name", scorers())
def test_litert_scores_as_tensorflow_does(name: str) -> None:
    model = newest_model(ROOT / "models", name, 2)
    scorer = SequenceScorer(model)
    codes = np.random.default_rng(SEED).integers(0, len(scorer.alphabet), (SEQUENCES, scorer.length), np.uint8)
    batch = model.manifest.inputs[0].shape[0] or SEQUENCES
    graph, found = Graph((model.folder / model.manifest.model_path).read_bytes()), scorer.score(codes)
    gaps: list[float] = []
    for start in range(0, SEQUENCES, batch):
        rows = codes[start : start + batch]
        padded = np.concatenate([rows, np.zeros((batch - len(rows), scorer.length), np.uint8)])
        expected = graph.run({"": padded}).reshape(-1)[: len(rows)]
        gaps.extend(np.abs(found[start : start + batch] - expected).tolist())
    apart = float(np.mean(np.asarray(gaps) > 1e-4))
    print(f"{name}: {SEQUENCES:,} sequences, {apart:.2%} differ, by at most {max(gaps):.2e}")
    assert len(gaps) == SEQUENCES
    assert apart < 0.02  # a value on the edge between two steps of int8 may be rounded either way
    assert max(gaps) < 0.05
