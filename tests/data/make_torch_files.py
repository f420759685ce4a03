"""Makes torch/new.bin and legacy.bin: weights as PyTorch writes them, since 1.6 and before (needs PyTorch)."""

from collections import OrderedDict
from pathlib import Path

import torch

from tests.unit.importers.drawn import drawn


def weights() -> OrderedDict[str, torch.Tensor]:
    matrix = torch.tensor(drawn("matrix", [5, 7]), dtype=torch.float32)
    found: OrderedDict[str, torch.Tensor] = torch.nn.Linear(
        7, 5
    ).state_dict()  # with the versions that such a dictionary carries
    found.clear()
    found["matrix"] = matrix
    found["transposed"] = matrix.T
    found["part"] = matrix[1:3, 2:]
    found["parameter"] = torch.nn.Parameter(torch.tensor(drawn("parameter", [3])))
    found["half"] = torch.tensor([0.5, -2.0, 1024.0]).half()
    found["bfloat16"] = torch.tensor([0.5, -2.0, 3.140625]).bfloat16()
    found["counts"] = torch.arange(5)
    found["number"] = torch.tensor(3.5)
    found["nothing"] = torch.zeros(0, 3)
    return found


if __name__ == "__main__":
    folder = Path(__file__).with_name("torch")
    torch.save(weights(), folder / "new.bin")
    torch.save(weights(), folder / "legacy.bin", _use_new_zipfile_serialization=False)
