"""Makes forward_passes.json: transformers' answers for small checkpoints of each family (`requirements/train.txt`).

Weights are not kept: each is drawn anew from its name (see `tests.unit.importers.test_forward_pass`), so that the file
holds configurations, names, shapes and logits alone.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from tests.unit.importers.drawn import IDS, drawn

SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 48,
    "vocab_size": 120,
    "max_position_embeddings": 200,
    "num_labels": 5,
}
DISTIL = {"dim": 24, "n_layers": 3, "n_heads": 3, "hidden_dim": 48}
ALONE = {"position_biased_input": False, "type_vocab_size": 0, "norm_rel_ebd": "layer_norm", "share_att_key": True}
MODERN = {"local_attention": 16, "reference_compile": False, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2}
MODERN |= {"bos_token_id": 1, "eos_token_id": 2}
LEFT_OUT = {"transformers_version", "id2label", "label2id", "architectures", "dtype", "torch_dtype"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("Bert", {}),
    ("Bert", {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}),
    ("Bert", {"hidden_act": "silu"}),
    ("Bert", {"hidden_act": "quick_gelu"}),
    ("Bert", {"hidden_act": "mish"}),
    ("Roberta", {"pad_token_id": 3}),
    ("XLMRoberta", {}),
    ("Camembert", {}),
    ("Electra", {"embedding_size": 12}),
    ("DistilBert", DISTIL),
    ("Albert", {"embedding_size": 12, "num_hidden_groups": 2}),
    ("MPNet", {}),
    ("DebertaV2", {**ALONE, "relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]}),
    ("DebertaV2", {"relative_attention": True, "pos_att_type": ["c2p"], "conv_kernel_size": 3, "conv_act": "gelu"}),
    ("ModernBert", MODERN),
    ("ModernBert", {**MODERN, "classifier_pooling": "mean"}),
]


def answered(family: str, changes: dict[str, Any]) -> dict[str, Any]:
    config = getattr(transformers, f"{family}Config")(**{**SIZES, **changes})
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).eval().double()
    shapes = {name: list(value.shape) for name, value in model.state_dict().items() if value.is_floating_point()}
    wanted = {name: torch.tensor(drawn(name, shape)) for name, shape in shapes.items()}
    model.load_state_dict({**model.state_dict(), **wanted})
    with torch.no_grad():
        logits = model(torch.tensor([IDS])).logits[0].numpy()
    kept = {name: value for name, value in config.to_diff_dict().items() if name not in LEFT_OUT}
    return {"config": kept, "shapes": shapes, "logits": np.round(logits, 12).tolist()}


if __name__ == "__main__":
    found = [answered(*case) for case in CASES]
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in found)
    Path(__file__).with_name("forward_passes.json").write_text(f"[\n{lines}\n]\n", "utf-8")
