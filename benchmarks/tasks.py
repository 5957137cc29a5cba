"""Data of the studies: what ships, what scikit-learn has, what is generated, and what lies in ../shared/data."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import load_japanese_vowels, load_promoters

SHARED = Path(__file__).parents[2] / "shared" / "data"
CHORALES = SHARED / "jsb_chorales.npz"


def split(X, y, seed, test_size=0.3, stratify=False):
    """(X_train, y_train, X_test, y_test)."""
    index = np.arange(len(y))
    train, test = train_test_split(index, test_size=test_size, random_state=seed, stratify=y if stratify else None)
    X, y = (part if isinstance(part, np.ndarray) else np.array(part, dtype=object) for part in (X, y))
    return X[train], y[train], X[test], y[test]


def vowels(seed):
    """Nine speakers, the published split."""
    return *load_japanese_vowels(subset="train", return_X_y=True), *load_japanese_vowels(subset="test", return_X_y=True)


def digits(seed):
    """Images of 8 rows of 8 numbers, read row by row."""
    X, y = load_digits(return_X_y=True)
    return split((X / 16).reshape(-1, 8, 8), y, seed, stratify=True)


def bases():
    """106 promoters and others: (106, 57, 4), one of four bases, and the class."""
    sequences, y = load_promoters(return_X_y=True)
    X = np.array([[[base == letter for letter in "ACGT"] for base in sequence] for sequence in sequences], dtype=float)
    return X, y


def promoters(seed):
    """DNA: whether a sequence starts a gene."""
    return split(*bases(), seed, stratify=True)


def chorales(part):
    """Chorales of a part (0 train, 1 validation, 2 test): the frames (T, 88) but the last, and those but the first."""
    with np.load(CHORALES) as file:
        keys = np.unpackbits(file["x_bits"], axis=1)[:, :88]
        pieces = np.split(keys, np.cumsum(file["lengths"])[:-1])
        pieces = [keys for keys, its_part in zip(pieces, file["split"], strict=True) if its_part == part]
    return [keys[:-1].astype(np.float32) for keys in pieces], [keys[1:].astype(int) for keys in pieces]


def adding(T, n_train, n_test, seed):
    """The sum of two marked numbers (Hochreiter & Schmidhuber 1997); the constant answer has an error of 1/6."""
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    values, marks = rng.random((n, T)), np.zeros((n, T))
    marks[np.arange(n), rng.integers(T // 2, size=n)] = 1
    marks[np.arange(n), rng.integers(T // 2, T, size=n)] = 1
    X, y = np.stack([values, marks], axis=2), (values * marks).sum(axis=1)
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def echo(seed):
    """A target a step: the input of five steps ago, in sequences of 20 to 40 steps."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(T, 1)) for T in rng.integers(20, 40, size=300)]
    y = [np.concatenate([np.zeros(5), x[:-5, 0]]) for x in X]
    return X[:200], y[:200], X[200:], y[200:]


# name: (data of a seed, estimator, parameters that the task needs)
TASKS = {
    "vowels": (vowels, RNNClassifier, {}),
    "digits": (digits, RNNClassifier, {}),
    "promoters": (promoters, RNNClassifier, {}),
    "adding, 50 steps": (lambda seed: adding(50, 1000, 500, seed), RNNRegressor, {}),
    "echo, a target a step": (echo, RNNRegressor, {"return_sequences": True}),
}


def load(name, seed):
    """(X_train, y_train, X_test, y_test) in float32."""
    X, y, X_test, y_test = TASKS[name][0](seed)
    X, X_test = ([x.astype(np.float32) for x in part] for part in (X, X_test))
    return X, y, X_test, y_test
