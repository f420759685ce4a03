"""The networks in PyTorch: an accurate teacher, and the small fast student that ships.

Both take residue indices [N, 50]. The student gives both stability scores [N, 2], chymotrypsin first; the teacher
gives these and both EC50 [N, 4]: what the assay measured directly teaches the layers below more than the scores alone.
"""

from dataclasses import astuple, dataclass
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from tools.training.sequences.proteins_data import ALPHABET, LENGTH, PROTEASES

NARROW: Final = 3
"""Kernel of the convolution before the dense layer, which halves the positions again."""


@dataclass(frozen=True, slots=True)
class TeacherShape:
    """Channels, kernel and number of the residual blocks, rate of dropout."""

    width: int = 64
    kernel: int = 9
    blocks: int = 3
    dropout: float = 0.15


@dataclass(frozen=True, slots=True)
class StudentShape:
    """Sizes of a student: of a residue's embedding, of every convolution, of the last hidden layer.

    `stem` and `stride` are the first convolution's kernel and stride; `kernel`, `dilation` and `separable` tell what
    the inner `blocks` are.
    """

    embedding: int = 8
    width: int = 64
    stem: int = 9
    kernel: int = 5
    blocks: int = 1
    dense: int = 64
    stride: int = 2
    dilation: int = 1
    separable: bool = False
    valid: bool = False

    @property
    def positions(self) -> int:
        """Return how many positions the dense layer reads."""
        if not self.valid:
            return -(-LENGTH // (2 * self.stride))
        inner = (LENGTH - self.stem) // self.stride + 1 - self.blocks * self.dilation * (self.kernel - 1)
        return (inner - NARROW) // 2 + 1

    @property
    def file(self) -> str:
        """Return a file name that tells the shape."""
        return f"student-{'-'.join(str(value) for value in astuple(self))}.pt"


class Convolution(nn.Module):
    """Convolution, normalisation, ReLU: [N, channels, T] to [N, width, ceil(T / stride)], padded as TensorFlow does.

    A `valid` one is not padded, and gives fewer positions.
    """

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int = 1, dilation: int = 1, *, valid: bool = False
    ) -> None:
        super().__init__()
        self.valid = valid
        self.convolution = nn.Conv1d(channels, width, kernel, stride, dilation=dilation, bias=False)
        self.normalisation = nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the activations."""
        return functional.relu(self.normalisation(self.convolution(x if self.valid else self._pad(x))))

    @property
    def margin(self) -> int:
        """Return how many positions are lost at each side, where the stride is 1."""
        return self.convolution.dilation[0] * (self.convolution.kernel_size[0] // 2) if self.valid else 0

    def _pad(self, x: torch.Tensor) -> torch.Tensor:
        stride, length = self.convolution.stride[0], x.shape[2]
        kernel = self.convolution.dilation[0] * (self.convolution.kernel_size[0] - 1) + 1
        missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        return functional.pad(x, (missing // 2, missing - missing // 2))


class Separable(nn.Module):
    """A convolution of each channel by itself, then one over the channels: [N, width, T] to the same."""

    margin = 0

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.pointwise = Convolution(width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the activations."""
        activations: torch.Tensor = self.pointwise(self.depthwise(x))
        return activations


class Teacher(nn.Module):
    """Residual convolutions over single residues, then the mean and the maximum over positions."""

    def __init__(self, shape: TeacherShape) -> None:
        super().__init__()
        width = shape.width
        self.residues = nn.Embedding(len(ALPHABET), width)
        self.positions = nn.Parameter(torch.zeros(LENGTH, width))
        self.blocks = nn.ModuleList(Convolution(width, width, shape.kernel) for _ in range(shape.blocks))
        self.dropout = nn.Dropout(shape.dropout)
        self.hidden = nn.Sequential(nn.Dropout(2 * shape.dropout), nn.Linear(2 * width, 2 * width), nn.ReLU())
        self.heads = nn.Linear(2 * width, 2 * len(PROTEASES))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return scores and EC50 [N, 4] of codes [N, 50]."""
        x = (self.residues(codes) + self.positions).transpose(1, 2)
        for block in self.blocks:
            x = x + self.dropout(block(x))
        return self.heads(self.hidden(torch.cat([x.mean(2), x.amax(2)], 1)))


class Student(nn.Module):
    """The small network: the first convolution halves the positions before anything wide happens.

    Most of the work of a convolution at full length buys little rank correlation.
    """

    def __init__(self, shape: StudentShape, dropout: float = 0.05) -> None:
        super().__init__()
        width = shape.width
        self.residues = nn.Embedding(len(ALPHABET), shape.embedding)
        self.stem = Convolution(shape.embedding, width, shape.stem, shape.stride, valid=shape.valid)
        self.blocks = nn.ModuleList(_inner(shape) for _ in range(shape.blocks))
        self.narrow = Convolution(width, width, NARROW, 2, valid=shape.valid)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(shape.positions * width, shape.dense)
        self.heads = nn.Linear(shape.dense, len(PROTEASES))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return scores [N, 2] of codes [N, 50]."""
        x = self.stem(self.residues(codes).transpose(1, 2))
        for block in self.blocks:
            x = x[:, :, block.margin : x.shape[2] - block.margin] + block(x)
        flat = self.narrow(x).transpose(1, 2).flatten(1)
        return self.heads(functional.relu(self.hidden(self.dropout(flat))))


def _inner(shape: StudentShape) -> nn.Module:
    if shape.separable:
        return Separable(shape.width, shape.kernel)
    return Convolution(shape.width, shape.width, shape.kernel, dilation=shape.dilation, valid=shape.valid)
