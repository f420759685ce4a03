"""What the training abstracts are like, as a bundle's `reference.json`, and how well odd texts are told by it.

    python -m tools.training.abstracts.usual_texts DATA OLD NEW [--others FOLDER]

OLD is a bundle, NEW the folder of the same with the reference, named after its version; DATA holds the abstracts.
Likelihoods come from training rows, limits from the validation rows; false alarms are counted on the test rows.
`--others` is a folder of `KIND.txt`, a text a line, of what must be told: other languages, code, noise.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from assay.abstracts.cleaning import LONGEST, clean
from assay.abstracts.oddities import UsualTexts
from assay.models.manifest import MANIFEST
from assay.models.reference import REFERENCE
from assay.models.text_reference import dump_usual_texts, parse_usual_texts
from tools.models.build import build_manifest
from tools.training.abstracts.card import render
from tools.training.abstracts.labelled_abstracts import MAX_TOKENS, load_splits
from tools.training.abstracts.wide import FACTOR

SMALL_WORDS = (
    "the of and in a to we is for that with this by an on as are be from which it our these at or can between using "
    "has have been also their its not but was were such than more when into show results both where one two through "
    "under here there they if then each only other may how all"
)
"""The words that stand in nearly every English abstract."""
SIGNS = ";=\"#<>[]&|*@!'"
"""What code and markup are full of and abstracts, LaTeX included, are not."""
SHARES = {"likelihood": 0.3, "small_words": 0.4, "signs": 99.7, "shortest": 0.1, "longest": 99.9}
"""Percentiles of the validation rows at which the limits lie; lengths are of the training rows, which are more."""
PER_PRIMARY = 4_000
WIDE = {"tokens": "Gather", "pairs": "Gather_1", "factor": FACTOR}
"""Where the graph of `wide_and_deep` has the wide part's tables, by the converter's names."""
Ids = npt.NDArray[np.int32]


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
    """Return the tokens of texts, cut as the model cuts them."""
    tokenizer.enable_truncation(MAX_TOKENS)
    return [np.array(each.ids, np.int32) for each in tokenizer.encode_batch(list(texts))]


def token_ids(tokenizer: Tokenizer, tokens: Iterable[str]) -> list[int]:
    """Return the ids of tokens, those left out that the tokenizer does not have."""
    found = (tokenizer.token_to_id(token) for token in tokens)
    return [each for each in found if each is not None]


def count_tokens(tokenizer: Tokenizer, tokens: Sequence[Ids]) -> npt.NDArray[np.float32]:
    """Return the logarithm of each token's share [V], smoothed by half a token; NaN for special tokens."""
    counts = np.bincount(np.concatenate(tokens), minlength=tokenizer.get_vocab_size()).astype(np.float64)
    special = token_ids(tokenizer, ("[CLS]", "[SEP]", "[PAD]"))
    counts[special] = 0
    found = np.log((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
    found[special] = np.nan
    return np.asarray(found, np.float32)


def learn_usual_texts(tokenizer: Tokenizer, training: Sequence[str], held_out: Sequence[str]) -> UsualTexts:
    """Return the tables of training texts, and the limits beyond which few of the held-out ones lie."""
    likelihoods = count_tokens(tokenizer, encode(tokenizer, training))
    small_words, signs = np.zeros((2, len(likelihoods)), np.bool_)
    small_words[token_ids(tokenizer, SMALL_WORDS.split())] = True
    signs[token_ids(tokenizer, SIGNS)] = True
    told = [ids[~np.isnan(likelihoods[ids])] for ids in encode(tokenizer, held_out)]
    shares = {
        "likelihood": [likelihoods[ids].mean() for ids in told],
        "small_words": [small_words[ids].mean() for ids in told],
        "signs": [signs[ids].mean() for ids in told],
        "shortest": [len(text) for text in training],
        "longest": [len(text) for text in training],
    }
    limits = {name: float(np.percentile(shares[name], SHARES[name])) for name in SHARES}
    return UsualTexts(
        likelihoods,
        small_words,
        signs,
        round(limits["likelihood"], 3),
        round(limits["small_words"], 4),
        round(limits["signs"], 4),
        int(limits["shortest"]),
        int(limits["longest"]),
    )


def count_notices(known: UsualTexts, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, Any]:
    """Return how many texts there are, the share that gets a notice, and the share of each code."""
    told = Counter(known.judge(text, ids) for text, ids in zip(texts, encode(tokenizer, texts), strict=True))
    share = {code: round(count / len(texts), 4) for code, count in sorted(told.items()) if code}
    return {"rows": len(texts), "noticed": round(1 - told[""] / len(texts), 4), **share}


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
    tokenizer = Tokenizer.from_file(str(arguments.new / "tokenizer.json"))
    learned = learn_usual_texts(tokenizer, training, held_out)
    about = f"{len(training):,} training abstracts; limits from {len(held_out):,} validation abstracts"
    content = (json.dumps({**dump_usual_texts(learned, about), "wide": WIDE}, allow_nan=False) + "\n").encode()
    (arguments.new / REFERENCE).write_bytes(content)
    served = parse_usual_texts(content)
    header = json.loads((arguments.new / MANIFEST).read_text("utf-8"))
    header["version"] = arguments.new.name
    others = {kind: count_notices(served, tokenizer, texts) for kind, texts in read_others(arguments.others).items()}
    header["metrics"]["notices"] = {
        "shortest": served.shortest,
        "longest": served.longest,
        "test": count_notices(served, tokenizer, test),
        "others": others,
    }
    manifest = build_manifest(arguments.new, header).dumps()
    (arguments.new / MANIFEST).write_bytes(manifest)
    (arguments.new.parent / "README.md").write_text(render(json.loads(manifest)), "utf-8")


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
