"""Let a bundle's network read more or fewer tokens: thresholds and metrics are measured anew, the weights stay.

    python -m tools.training.abstracts.reading_length DATA OLD NEW [--tokens 512]

OLD is a bundle, NEW the folder to write, named after its version; DATA holds the abstracts. Only the served network is
measured. The float32 network and the encoder alone are not in a bundle, so their figures stay, and the card says so.
"""

import argparse
import json
import shutil
from pathlib import Path

from tokenizers import Tokenizer

from assay.abstracts.tokens import TextTokenizer
from assay.models.manifest import MANIFEST
from assay.models.reference import REFERENCE
from assay.models.text_reference import parse_usual_texts
from tools.models.text_statistics import count_notices, tokenize
from tools.training.abstracts.card import write_described
from tools.training.abstracts.labelled_abstracts import LABELS, SERVED_TOKENS, load_splits
from tools.training.abstracts.quality import Served, list_texts, measure_served, stack_targets
from tools.training.abstracts.reliability_plot import draw_reliability

_READING = (
    "The network learned from the first {before} tokens of a text. Since version {version} it reads {after}; "
    "the columns float32 and\nencoder alone are of {before}.\n\n"
)


def read_longer(arguments: argparse.Namespace) -> None:
    """Write the new bundle and the card."""
    old, new, splits = arguments.old, arguments.new, load_splits(arguments.data, per_primary=0)
    shutil.copytree(old, new)
    header = json.loads((old / MANIFEST).read_text("utf-8"))
    before = header["text"]["max_tokens"]
    tokenizer = Tokenizer.from_file(str(new / "tokenizer.json"))
    tokenizer.enable_truncation(arguments.tokens)
    measured = measure_served(Served((new / "model.tflite").read_bytes(), tokenizer), splits.validation, splits.test)
    header["version"] = new.name
    header["text"]["max_tokens"] = arguments.tokens
    header["text"]["thresholds"] = dict(zip(LABELS, measured.thresholds.tolist(), strict=True))
    header["metrics"] |= measured.metrics
    header["provenance"]["reading"] = _READING.format(before=before, after=arguments.tokens, version=new.name)
    usual = parse_usual_texts((new / REFERENCE).read_bytes())
    texts = tokenize(TextTokenizer(new / "tokenizer.json", arguments.tokens), list_texts(splits.test))
    header["metrics"]["notices"]["test"] = count_notices(usual, texts)
    write_described(new, header)
    draw_reliability(stack_targets(splits.test), measured.scores, LABELS, new.parent / "calibration.png")


def main() -> None:
    """Parse the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz")
    parser.add_argument("old", type=Path, help="bundle whose network reads another number of tokens")
    parser.add_argument("new", type=Path, help="folder to write, named after the version")
    parser.add_argument("--tokens", type=int, default=SERVED_TOKENS, help="most tokens of a text")
    read_longer(parser.parse_args())


if __name__ == "__main__":
    main()
