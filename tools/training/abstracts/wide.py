"""A wide part beside the encoder: what tokens and pairs of neighbours say, by one logistic regression a label.

A feature is the count of a token, or of a pair hashed to a bucket (Weinberger et al., ICML 2009), times its rarity,
over the square root of the text's length. A label's logit is then a sum over the text of one number a token and one a
pair, which the served graph gathers. It is added to the encoder's (Cheng et al., Wide & Deep Learning, DLRS 2016),
because words and meaning err differently.

    python -m tools.training.abstracts.wide DATA ENCODER OUT
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from tokenizers import Tokenizer

from tools.models import metrics
from tools.training.abstracts.labelled_abstracts import MAX_TOKENS, LabelledAbstract, load_splits

BUCKETS = 1 << 18
PER_PRIMARY = 1_000_000  # all of the pool: 1,800 and 4,000 of an archive ranked the validation rows worse
FACTOR = 65_521  # times any of 30,522 tokens it stays within int32, as the served graph counts
_RARE, _COMMON = 3, 0.6  # features of fewer texts, or of a greater share of them, are left out
_STRENGTH = 0.2  # C of the regression
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
Ids = Sequence[npt.NDArray[np.int32]]
Weights = Mapping[str, npt.NDArray[np.float32]]


def tokens(tokenizer: Tokenizer, rows: Sequence[LabelledAbstract]) -> list[npt.NDArray[np.int32]]:
    """Return every row's token ids, at most `MAX_TOKENS`."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return [np.array(found.ids, np.int32) for found in tokenizer.encode_batch([row.text for row in rows])]


def pairs(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the bucket of each pair of neighbours, one fewer than tokens."""
    return (ids[:-1] * np.int32(FACTOR) + ids[1:]) % np.int32(BUCKETS)


def features(texts: Ids, vocabulary: int) -> sparse.csr_matrix:
    """Return counts over the square root of the length, [N, vocabulary + BUCKETS]."""
    columns = [np.concatenate((ids, pairs(ids) + vocabulary)) for ids in texts]
    lengths = [len(row) for row in columns]
    values = np.repeat([len(ids) ** -0.5 for ids in texts], lengths)
    found = sparse.csr_matrix(
        (values, np.concatenate(columns), np.concatenate(([0], np.cumsum(lengths)))),
        shape=(len(texts), vocabulary + BUCKETS),
    )
    found.sum_duplicates()
    return found


def rarity(counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Return each feature's weight: smoothed inverse document frequency, 0 where it is left out."""
    texts = counts.getnnz(axis=0)
    kept = (texts >= _RARE) & (texts <= _COMMON * counts.shape[0])
    return np.where(kept, np.log((1 + counts.shape[0]) / (1 + texts)) + 1, 0.0)


def fit_wide(texts: Ids, target: metrics.Array, vocabulary: int, jobs: int = 2) -> Weights:
    """Return `wide.token` [vocabulary, labels], `wide.pair` [BUCKETS, labels] and `wide.bias` [labels]."""
    counts = features(texts, vocabulary)
    scale = rarity(counts)
    weighted = (counts @ sparse.diags(scale)).tocsr()
    weighted.eliminate_zeros()
    weighted.sum_duplicates()  # sorts, which other processes could not do in memory that they only read
    model = OneVsRestClassifier(LogisticRegression(C=_STRENGTH, solver="liblinear"), n_jobs=jobs).fit(weighted, target)
    table = np.concatenate([label.coef_ for label in model.estimators_]).T * scale[:, None]
    bias = np.concatenate([label.intercept_ for label in model.estimators_])
    named = {"token": table[:vocabulary], "pair": table[vocabulary:], "bias": bias}
    return {f"wide.{name}": value.astype(np.float32) for name, value in named.items()}


def logits(weights: Weights, texts: Ids) -> metrics.Array:
    """Return the wide part's logits [N, labels]."""
    sums = [weights["wide.token"][ids].sum(0) + weights["wide.pair"][pairs(ids)].sum(0) for ids in texts]
    return np.stack(sums) / np.sqrt([[len(ids)] for ids in texts]) + weights["wide.bias"]


def best_share(deep: metrics.Array, wide: metrics.Array, target: metrics.Array) -> float:
    """Return the wide part's share in the sum of logits, of a few, that ranks the rows best."""
    return max(_SHARES, key=lambda share: metrics.mean_average_precision(target, (1 - share) * deep + share * wide))


def join_wide(deep: Weights, wide: Weights, share: float) -> Weights:
    """Return the weights of the sum (1 - share) * deep + share * wide; both biases become the head's."""
    kept = {name: value * np.float32(share) for name, value in wide.items() if name != "wide.bias"}
    head = {name: deep[name] * np.float32(1 - share) for name in ("head.weight", "head.bias")}
    head["head.bias"] = head["head.bias"] + wide["wide.bias"] * np.float32(share)
    return dict(deep) | head | kept


def run_wide(arguments: argparse.Namespace) -> None:
    """Fit on the training rows and the whole pool; write OUT/wide.npz."""
    splits = load_splits(arguments.data, PER_PRIMARY)
    tokenizer = Tokenizer.from_file(str(arguments.encoder / "tokenizer.json"))
    target = np.stack([row.target for row in splits.train])
    fitted = fit_wide(tokens(tokenizer, splits.train), target, tokenizer.get_vocab_size(), arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_wide(arguments.out / "wide.npz", fitted)


def wide_summary(arguments: argparse.Namespace) -> str:
    """Return the manifest's line about the fit."""
    rows = len(load_splits(arguments.data, PER_PRIMARY).train)
    return f"{rows:,} rows, L2 with C = {_STRENGTH:g}, features of at least {_RARE} texts"


def write_wide(path: Path, weights: Weights) -> None:
    """Write the wide part's weights."""
    np.savez(path, token=weights["wide.token"], pair=weights["wide.pair"], bias=weights["wide.bias"])


def read_wide(path: Path) -> Weights:
    """Return what `write` wrote."""
    with np.load(path, allow_pickle=False) as saved:
        return {f"wide.{name}": saved[name] for name in saved.files}


def main() -> None:
    """Parse the command line and fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz and pool.jsonl.gz")
    parser.add_argument("encoder", type=Path, help="Hugging Face folder whose tokenizer is used")
    parser.add_argument("out", type=Path, help="folder for wide.npz")
    parser.add_argument("--threads", type=int, default=2)
    run_wide(parser.parse_args())


if __name__ == "__main__":
    main()
