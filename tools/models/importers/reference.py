"""What transformers makes of the same weights and texts, in PyTorch: the reference of every text import."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
import transformers

from assay.errors import UnreadableInput
from assay.models.classifier import ACTIVATIONS
from tools.models.importers.checkpoint import State
from tools.models.importers.texts import TextSource, averaged

Logits = npt.NDArray[np.float32]
Head = Callable[[Logits], Logits]
_UNUSED: Final = frozenset({"model_type", "auto_map", "dtype", "torch_dtype", "quantization_config"})
_BUFFERS: Final = ("position_ids", "token_type_ids")


class Reference:
    """transformers' own network and tokenizer of a checkpoint; `code` in the folder is not looked at."""

    def __init__(self, config: Mapping[str, Any], state: State, tokenizer: Path, *, classifier: bool = True) -> None:
        self._tokenizer = _tokenizer(tokenizer)
        self.model = _network(config, classifier=classifier)
        _fill(self.model, state, classifier=classifier)

    def ids(self, text: str, max_tokens: int, overlap: int = 0) -> list[list[int]]:
        """Return the token ids of a text; with an `overlap`, of all its windows."""
        if not overlap:
            return [list(self._tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"])]
        more = {"stride": overlap, "return_overflowing_tokens": True}
        return list(self._tokenizer([text], truncation=True, max_length=max_tokens, **more)["input_ids"])

    def logits(self, ids: Sequence[int]) -> Logits:
        """Return logits [labels] of one window."""
        return self._run(ids, "logits")

    def hidden(self, ids: Sequence[int]) -> Logits:
        """Return the last hidden states [T, hidden] of one window."""
        return self._run(ids, "last_hidden_state")

    def pooled(self, hidden: Logits) -> Logits:
        """Return what the network's own pooler makes of last hidden states."""
        pooler = getattr(self.model, "pooler", None)
        if pooler is None:
            raise UnreadableInput("the encoder has no pooler: --pooling cls or mean")
        rows = torch.tensor(hidden[None])
        with torch.no_grad():
            found = torch.tanh(pooler(rows[:, 0])) if isinstance(pooler, torch.nn.Linear) else pooler(rows)
        return np.asarray(found[0].numpy(), np.float32)

    def scores(self, texts: Sequence[str], source: TextSource, activation: str, head: Head | None = None) -> Logits:
        """Return scores [N, labels], by a `head` over the hidden states where the network has none."""
        answer, found = self.answer(head), []
        for text in texts:
            windows = self.ids(text, source.max_tokens, source.overlap)
            rows = ACTIVATIONS[activation](np.stack([answer(ids) for ids in windows]))
            found.append(averaged(rows, [len(ids) for ids in windows]))
        return np.stack(found)

    def answer(self, head: Head | None) -> Callable[[Sequence[int]], Logits]:
        """Return what gives the logits [labels] of one window."""
        return self.logits if head is None else lambda ids: head(self.hidden(ids))

    def _run(self, ids: Sequence[int], taken: str) -> Logits:
        try:
            with torch.no_grad():
                found = getattr(self.model(torch.tensor([list(ids)])), taken)[0]
        except (IndexError, RuntimeError, ValueError) as error:
            raise UnreadableInput(
                f"transformers can't run the network: {' '.join(str(error).split())[:300]}"
            ) from error
        return np.asarray(found.numpy(), np.float32)


def _network(config: Mapping[str, Any], *, classifier: bool) -> Any:
    """Return transformers' network of a configuration, float32 whatever that says; UnreadableInput."""
    settings = {name: value for name, value in config.items() if name not in _UNUSED} | {"reference_compile": False}
    kind = transformers.AutoModelForSequenceClassification if classifier else transformers.AutoModel
    try:
        made = transformers.AutoConfig.for_model(str(config["model_type"]), **settings)
        return kind.from_config(made, attn_implementation="eager").float().eval()
    except Exception as error:  # transformers raises whatever a wrong setting leads to
        words = " ".join(str(error).split())[:300]
        raise UnreadableInput(f"transformers can't make the network that config.json describes: {words}") from error


def _tokenizer(folder: Path) -> Any:
    try:
        if folder.is_file():
            return transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder))
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises many kinds
        raise UnreadableInput(f"transformers can't read the tokenizer of {folder.name}: {error}") from error


def _fill(model: Any, state: State, *, classifier: bool) -> None:
    """Load weights, whatever prefix they were saved under; UnreadableInput where one is missing or misshaped.

    Only an encoder's own pooler may be missing, which a head of another file need not read.
    """
    wanted = model.state_dict()
    prefix = f"{model.base_model_prefix}."
    for name in wanted:
        source = next((each for each in (name, prefix + name, name.removeprefix(prefix)) if each in state), None)
        pooler = name.startswith("pooler.") and not classifier
        if source is None and not name.endswith(_BUFFERS) and not pooler:
            raise UnreadableInput(f"the checkpoint lacks {name}, and would answer by chance without it")
        if source is not None:
            wanted[name] = torch.tensor(state[source]).to(wanted[name].dtype)
    try:
        model.load_state_dict(wanted)
    except RuntimeError as error:
        raise UnreadableInput(f"the weights do not fit config.json: {' '.join(str(error).split())[:300]}") from error
