"""What the training abstracts are like, as a bundle's `reference.json`, and how well odd texts are told by it.

    python -m tools.training.abstracts.usual_texts DATA OLD NEW [--others FOLDER]

OLD is a bundle, NEW the folder of the same with the reference, named after its version; DATA holds the abstracts.
Likelihoods come from training rows, limits from the validation rows; false alarms are counted on the test rows.
`--others` is a folder of `KIND.txt`, a text a line, of what must be told: other languages, code, noise.
"""

import argparse
import json
import shutil
from pathlib import Path

from assay.abstracts.cleaning import LONGEST, clean
from assay.abstracts.tokens import TextTokenizer
from assay.models.manifest import MANIFEST
from assay.models.reference import REFERENCE
from assay.models.text_reference import dump_usual_texts, parse_usual_texts
from tools.models.text_statistics import Vocabulary, count_notices, learn_usual_texts, tokenize
from tools.training.abstracts.card import write_described
from tools.training.abstracts.labelled_abstracts import SERVED_TOKENS, load_splits
from tools.training.abstracts.wide import FACTOR

PER_PRIMARY = 4_000
PAD_ID = 0
WIDE = {"tokens": "Gather", "pairs": "Gather_1", "factor": FACTOR}
"""Where the graph of `wide_and_deep` has the wide part's tables, by the converter's names."""


def read_others(folder: Path | None) -> dict[str, list[str]]:
    """Return texts by kind, cleaned, as long as a request may send them."""
    files = sorted(folder.glob("*.txt")) if folder else []
    return {path.stem: [clean(line)[:LONGEST] for line in path.read_text("utf-8").splitlines()] for path in files}


def add_reference(arguments: argparse.Namespace) -> None:
    """Write the new bundle and the card."""
    splits = load_splits(arguments.data, PER_PRIMARY)
    training, held_out, test = ([row.text for row in part] for part in (splits.train, splits.validation, splits.test))
    if arguments.new != arguments.old:
        shutil.copytree(arguments.old, arguments.new)
    tokenizer = TextTokenizer(arguments.new / "tokenizer.json", SERVED_TOKENS)
    learned = learn_usual_texts(
        Vocabulary.of(tokenizer, PAD_ID), tokenize(tokenizer, training), tokenize(tokenizer, held_out)
    )
    about = f"{len(training):,} training abstracts; limits from {len(held_out):,} validation abstracts"
    content = (json.dumps({**dump_usual_texts(learned, about), "wide": WIDE}, allow_nan=False) + "\n").encode()
    (arguments.new / REFERENCE).write_bytes(content)
    served = parse_usual_texts(content)
    header = json.loads((arguments.new / MANIFEST).read_text("utf-8"))
    header["version"] = arguments.new.name
    others = {
        kind: count_notices(served, tokenize(tokenizer, texts)) for kind, texts in read_others(arguments.others).items()
    }
    header["metrics"]["notices"] = {
        "shortest": served.shortest,
        "longest": served.longest,
        "test": count_notices(served, tokenize(tokenizer, test)),
        "others": others,
    }
    write_described(arguments.new, header)


def main() -> None:
    """Parse the command line and add the reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz and pool.jsonl.gz")
    parser.add_argument("old", type=Path, help="bundle without a reference, or whose reference is made anew")
    parser.add_argument("new", type=Path, help="folder to write, named after the version; may be OLD itself")
    parser.add_argument("--others", type=Path, help="folder of KIND.txt, a text a line, that must be told")
    add_reference(parser.parse_args())


if __name__ == "__main__":
    main()
