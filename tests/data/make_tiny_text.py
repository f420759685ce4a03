"""Make tests/data/tiny-text/1: a real but tiny text bundle (one layer of 8, letters as tokens, seeded weights).

Needs requirements/train.txt: PYTHONPATH=layers/assay/python:. python tests/data/make_tiny_text.py
"""

import json
import string
from pathlib import Path

import numpy as np

from tools.models.architecture import Architecture
from tools.models.build import build_manifest
from tools.models.encoder import Encoder, convert_encoder

FOLDER = Path(__file__).parent / "tiny-text" / "1"
LABELS = ["astro-ph", "cs", "math", "physics"]
HIDDEN, WIDE, LONGEST = 8, 16, 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
ADDED = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
NORMALIZER = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
PIECES = SPECIAL + [
    mark + letter for mark in ("", "##") for letter in string.ascii_lowercase + string.digits + string.punctuation
]


def tokenizer() -> dict[str, object]:
    """Return a tokenizer.json whose pieces are single characters; it cuts at 16 unless told otherwise."""
    pair = {"id": "[CLS]", "type_id": 0}, {"id": "[SEP]", "type_id": 0}
    single = [{"SpecialToken": pair[0]}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": pair[1]}]
    special = {name: {"id": name, "ids": [PIECES.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [{"id": index, "content": name, **ADDED} for index, name in enumerate(SPECIAL)],
        "normalizer": NORMALIZER,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": special,
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: index for index, piece in enumerate(PIECES)},
        },
    }


def weights() -> dict[str, np.ndarray]:
    """Return seeded weights under canonical names, large enough for texts to score apart."""
    random = np.random.default_rng(20)
    sizes = {
        **dict.fromkeys(("query", "key", "value", "attention_output"), (HIDDEN, HIDDEN)),
        "intermediate": (WIDE, HIDDEN),
        "output": (HIDDEN, WIDE),
    }
    found = {
        "embeddings.word.weight": random.normal(size=(len(PIECES), HIDDEN)),
        "embeddings.position.weight": random.normal(size=(LONGEST, HIDDEN)),
        "head.weight": 4 * random.normal(size=(len(LABELS), HIDDEN)),
        "head.bias": random.normal(size=len(LABELS)),
    }
    for part, size in sizes.items():
        found[f"layer.0.{part}.weight"] = random.normal(size=size)
        found[f"layer.0.{part}.bias"] = random.normal(size=size[0])
    for norm in ("embeddings.norm", "layer.0.attention_norm", "layer.0.norm"):
        found |= {f"{norm}.weight": np.ones(HIDDEN), f"{norm}.bias": np.zeros(HIDDEN)}
    return {name: value.astype(np.float32) for name, value in found.items()}


def header() -> dict[str, object]:
    """Return the manifest without its files."""
    return {
        "schema": 1,
        "name": "tiny-text",
        "version": "1",
        "task": "text-classification",
        "format": "tflite",
        "inputs": [{"name": name, "dtype": "int32", "shape": [1, None]} for name in ("input_ids", "attention_mask")],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [1, len(LABELS)]}],
        "text": {
            "labels": LABELS,
            "activation": "sigmoid",
            "thresholds": {"cs": 0.3},
            "max_tokens": LONGEST,
            "tokenizer": "tokenizer.json",
            "pad_id": 0,
        },
        "licence": "Apache-2.0",
    }


def main() -> None:
    """Write the bundle."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(Architecture(layers=1, heads=2), weights())
    (FOLDER / "model.tflite").write_bytes(convert_encoder(encoder, int8=False))
    (FOLDER / "tokenizer.json").write_text(json.dumps(tokenizer(), indent=0), "utf-8")
    (FOLDER / "manifest.json").write_bytes(build_manifest(FOLDER, header()).dumps())


if __name__ == "__main__":
    main()
