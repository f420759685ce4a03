"""Make tests/data/family_logits.json: what transformers answers for small checkpoints of each family.

Needs requirements/train.txt: PYTHONPATH=layers/assay/python:. python tests/data/make_family_logits.py
"""

import json
from typing import Any

import torch
import transformers

from tests.importers import stored

SIZES = {
    "vocab_size": stored.VOCABULARY,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 70,
    "num_labels": 3,
}
DISTIL = {"dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 40}
NUMBERS = {"pad_token_id": 0, "bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2}
PLACES = {"pos_att_type": ["c2p", "p2c"], "relative_attention": True}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", {}),
    "distilbert": ("DistilBert", DISTIL),
    "roberta": ("Roberta", {"type_vocab_size": 1, "pad_token_id": 3}),
    "xlm-roberta": ("XLMRoberta", {"type_vocab_size": 1, "pad_token_id": 1}),
    "camembert": ("Camembert", {"type_vocab_size": 1, "pad_token_id": 1}),
    "electra": ("Electra", {"embedding_size": 16}),
    "albert": ("Albert", {"embedding_size": 16, "num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}),
    "mpnet": ("MPNet", {}),
    "deberta-v2": ("DebertaV2", {**PLACES, "type_vocab_size": 2}),
    "deberta-v2, convolution": (
        "DebertaV2",
        {**PLACES, "share_att_key": True, "position_buckets": 8, "conv_kernel_size": 3, "embedding_size": 16},
    ),
    "deberta-v3": (
        "DebertaV2",
        {
            **PLACES,
            "share_att_key": True,
            "position_buckets": 16,
            "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
    ),
    "modernbert": ("ModernBert", {**NUMBERS, "local_attention": 8, "global_attn_every_n_layers": 2}),
    "modernbert, mean": (
        "ModernBert",
        {
            **NUMBERS,
            "local_attention": 8,
            "classifier_pooling": "mean",
            **dict.fromkeys(("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"), True),
        },
    ),
    **{f"bert, {name}": ("Bert", {"hidden_act": name}) for name in ("gelu_new", "quick_gelu", "silu", "relu", "mish")},
}


def answer(family: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return a case's configuration, the shapes of its weights, and transformers' logits of ids by their length."""
    config = getattr(transformers, f"{family}Config")(**{**SIZES, **changes})
    config.reference_compile = False
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).float().eval()
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict({name: torch.from_numpy(stored.weight(name, shape)) for name, shape in shapes.items()})
    layers = int(getattr(config, "num_hidden_layers", 2))
    with torch.no_grad():
        logits = {str(length): model(torch.from_numpy(stored.ids(length))).logits[0] for length in stored.LENGTHS}
    return {
        "config": json.loads(config.to_json_string(use_diff=True)),
        "layers": layers,
        "shapes": stored.folded(shapes, layers),
        "logits": {length: [round(float(each), 6) for each in row] for length, row in logits.items()},
    }


def main() -> None:
    """Write the file."""
    made = {name: answer(*case) for name, case in CASES.items()}
    same = {name: case for name, case in made.items() if "," in name and case["shapes"] == made["bert"]["shapes"]}
    for case in same.values():
        case["shapes"] = "bert"
    stored.PATH.write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
