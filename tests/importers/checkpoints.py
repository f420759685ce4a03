"""Small random checkpoints of every family, saved as transformers saves them, with their tokenizer's files."""

import json
import string
from pathlib import Path
from typing import Any

import numpy as np

LETTERS = [*string.ascii_lowercase, *string.digits, *"$\\^{}<>=.,:", "the", "ing"]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [mark + each for mark in ("", "##") for each in LETTERS]
SIZES = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 48}
DISTIL = {"dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 48}
LABELS = {0: "cs", 1: "math", 2: "physics"}


def model(family: str, kind: str = "ForSequenceClassification", **config: Any) -> Any:
    """Return a random classifier of a family (Bert, DistilBert, Roberta), its biases and norms random too."""
    import torch
    import transformers

    torch.manual_seed(2)
    sizes = DISTIL if family == "DistilBert" else SIZES
    size = vocabulary_size(family)
    pad = {"pad_token_id": 1, "type_vocab_size": 1} if family == "Roberta" else {}
    known = {"vocab_size": size, "max_position_embeddings": 66, "id2label": LABELS, **pad, **sizes, **config}
    made = getattr(transformers, f"{family}{kind}")(getattr(transformers, f"{family}Config")(**known)).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return made


def vocabulary_size(family: str) -> int:
    return 300 if family == "Roberta" else len(PIECES)


def write_tokenizer(folder: Path, family: str) -> None:
    """Write vocab.txt, or RoBERTa's vocab.json and merges.txt, with tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    if family == "Roberta":
        from tokenizers.pre_tokenizers import ByteLevel

        pieces = [
            "<s>",
            "<pad>",
            "</s>",
            "<unk>",
            *sorted(ByteLevel.alphabet()),
            "th",
            "the",
            "Ġt",
            "in",
            "ing",
            "<mask>",
        ]
        (folder / "vocab.json").write_text(json.dumps({piece: at for at, piece in enumerate(pieces)}))
        (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e\nĠ t\ni n\nin g\n")
        settings: dict[str, Any] = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64}
    else:
        (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
        settings = {"tokenizer_class": f"{family}Tokenizer", "do_lower_case": True, "model_max_length": 66}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write(folder: Path, made: Any, family: str, weights: str = "safetensors") -> Path:
    """Write a checkpoint folder: config.json, weights of a kind, the tokenizer's files."""
    import torch

    write_tokenizer(folder, family)
    made.save_pretrained(folder)
    if weights == "bin":
        (folder / "model.safetensors").unlink()
        torch.save(made.state_dict(), folder / "pytorch_model.bin")
    if weights == "h5":
        (folder / "model.safetensors").unlink()
        write_tensorflow(folder / "tf_model.h5", made)
    return folder


def write_tensorflow(path: Path, made: Any) -> None:
    """Write weights under TensorFlow's names, kernels transposed, as TFPreTrainedModel.save_pretrained does."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, tensor in made.state_dict().items():
            *parts, kind = name.split(".")
            value = tensor.numpy()
            layer = parts[-1]
            kernel = kind == "weight" and value.ndim == 2 and not layer.endswith("_embeddings")
            tables = "weight" if layer == "word_embeddings" else "embeddings"
            norm = layer.lower().endswith(("layernorm", "layer_norm"))
            last = {"bias": "beta", "weight": "gamma"}[kind] if norm else kind if kind == "bias" else tables
            last = "kernel" if kernel else last
            stem = "/".join(parts).replace("layer/", "layer_._")
            group = parts[0]
            file[f"{group}/tf_made_for_a_test/{stem}/{last}:0"] = value.T if kernel else value
        assert np.shape(file)
