"""What transformers makes of the same weights and texts, in PyTorch: the reference of every text import."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from assay.errors import UnreadableInput
from tools.models.importers.checkpoint import State

Logits = npt.NDArray[np.float32]


class Reference:
    """transformers' own network and tokenizer of a checkpoint; `code` in the folder is not looked at."""

    def __init__(self, config: Mapping[str, Any], state: State, tokenizer: Path, *, classifier: bool = True) -> None:
        self._tokenizer = _tokenizer(tokenizer)
        settings = {name: value for name, value in config.items() if name not in ("model_type", "auto_map")}
        made = transformers.AutoConfig.for_model(str(config["model_type"]), **settings)
        kind = transformers.AutoModelForSequenceClassification if classifier else transformers.AutoModel
        self.model = kind.from_config(made).eval()
        _fill(self.model, state)

    def ids(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Return the token ids of texts."""
        return [list(self._tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"]) for text in texts]

    def logits(self, texts: Sequence[str], max_tokens: int) -> Logits:
        """Return logits [N, labels]."""
        return self._run(texts, max_tokens, lambda output: output.logits)

    def hidden(self, texts: Sequence[str], max_tokens: int) -> list[Logits]:
        """Return the last hidden states [T, hidden] of each text."""
        return [self._run([text], max_tokens, lambda output: output.last_hidden_state[0]) for text in texts]

    def _run(self, texts: Sequence[str], max_tokens: int, taken: Any) -> Logits:
        with torch.no_grad():
            rows = [taken(self.model(torch.tensor([ids]))).numpy() for ids in self.ids(texts, max_tokens)]
        return np.concatenate(rows)


def _tokenizer(folder: Path) -> Any:
    try:
        if folder.is_file():
            return transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder))
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises many kinds
        raise UnreadableInput(f"transformers can't read the tokenizer of {folder.name}: {error}") from error


def _fill(model: Any, state: State) -> None:
    """Load weights, whatever prefix they were saved under; UnreadableInput where one is missing or misshaped."""
    wanted = model.state_dict()
    found = {key.removeprefix("module."): value for key, value in state.items()}
    prefix = f"{model.base_model_prefix}."
    for name in wanted:
        source = next((each for each in (name, prefix + name, name.removeprefix(prefix)) if each in found), None)
        if source is None and not name.endswith(("position_ids", "token_type_ids")) and ".pooler." not in f".{name}":
            raise UnreadableInput(f"the checkpoint lacks {name}")
        if source is not None:
            wanted[name] = torch.tensor(found[source]).to(wanted[name].dtype)
    try:
        model.load_state_dict(wanted)
    except RuntimeError as error:
        raise UnreadableInput(f"the weights do not fit config.json: {' '.join(str(error).split())[:300]}") from error
