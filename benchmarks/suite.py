"""The open suite: real sets and generators in their own units, of which the defaults are chosen. See docs/study.md.

A task is data as its users have them, an estimator and the parameters that it cannot do without. Half the tasks choose
defaults, the other half reports them, and the other way round. Tasks whose files are not in ../shared/data are skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tasks
from sklearn.datasets import load_digits

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import load_promoters

ARCHIVE = tasks.SHARED / "archive_open.npz"
NAMES = tasks.SHARED / "names.txt"
BASES = "ACGT"


def own_score(net, X, y):
    """Accuracy or R²."""
    return net.score(X, y)


@dataclass(frozen=True)
class Task:
    """A set of the suite.

    Parameters
    ----------
    load : callable
        (X_train, y_train, X_test, y_test) of a seed.
    estimator : class
    half : {"A", "B"}
    kind : {"classes", "numbers", "forecast", "steps"}
        One label or number of a sequence, the next value of a series, or a target of every step.
    needed : dict
        Parameters that the data need.
    file : Path, optional
        Without it the task is skipped.
    score : callable
        Of an estimator, X and y; 1 is the best, the constant answer of a regressor has 0.
    """

    load: Callable
    estimator: type
    half: str
    kind: str
    needed: dict = field(default_factory=dict)
    file: object = None
    score: Callable = own_score


def archive(name, label=int):
    """A loader of a set of the archives, on its own split."""

    def load(seed):
        with np.load(ARCHIVE) as file:
            steps, lengths, y, part = (file[f"{name}/{what}"] for what in ("x", "lengths", "y", "split"))
        X = np.split(steps, np.cumsum(lengths)[:-1])
        X = np.stack(X) if len(set(lengths)) == 1 else np.array(X, dtype=object)
        y = y.astype(label)
        return X[part == 0], y[part == 0], X[part == 1], y[part == 1]

    return load


def digits(seed):
    """Images of 8 rows of 8 numbers from 0 to 16, read row by row."""
    X, y = load_digits(return_X_y=True)
    return tasks.split(X.reshape(-1, 8, 8).astype(np.float32), y, seed, stratify=True)


def promoters(seed):
    """DNA: whether a sequence of 57 bases, categories, starts a gene."""
    sequences, y = load_promoters(return_X_y=True)
    X = np.array([[BASES.index(base) for base in sequence] for sequence in sequences])
    return tasks.split(X, y, seed, stratify=True)


def names(seed, n=2000):
    """How a first name ends, of its first letters: a, e, i, n, or another letter."""
    words = np.array(NAMES.read_text().split())
    words = np.random.default_rng(seed).permutation([word for word in words if len(word) > 3])[: 2 * n]
    y = np.array([word[-1] if word[-1] in "aein" else "other" for word in words])
    X = np.array([np.frombuffer(word[:-1].encode(), np.uint8).astype(int) - ord("a") for word in words], dtype=object)
    return X[:n], y[:n], X[n:], y[n:]


def chorales(seed, n_train=40, n_test=40, n_steps=40):
    """The keys of the next frame of a chorale, of all keys that sound, in the first frames of some pieces."""
    parts = (*(part[:n_train] for part in tasks.chorales(0)), *(part[:n_test] for part in tasks.chorales(2)))
    return tuple(_as_objects([frames[:n_steps] for frames in part]) for part in parts)


def _as_objects(arrays):
    """An array of arrays of different lengths."""
    objects = np.empty(len(arrays), dtype=object)
    objects[:] = arrays
    return objects


def surprise_explained(net, X, y):
    """The part of the surprise of the next frame, −log p, that is explained, of that with the keys' frequencies."""
    keys = np.concatenate(list(y))
    p = np.clip(np.concatenate(list(net.predict_proba(X))), 1e-7, 1 - 1e-7)
    often = np.clip(keys.mean(axis=0), 1e-7, 1 - 1e-7)
    surprise, constant = (-np.log(np.where(keys == 1, q, 1 - q)).sum() for q in (p, np.broadcast_to(often, p.shape)))
    return 1 - surprise / constant


def forecast(file, half, n_test, window):
    """The task of a series: the next value of each window of its last column; the last `n_test` values are held out."""
    file = tasks.SHARED / file

    def load(seed):
        values = np.genfromtxt(file, delimiter=",", skip_header=1)[:, -1]
        values = values[~np.isnan(values)].astype(np.float32)
        X = np.lib.stride_tricks.sliding_window_view(values[:-1], window)[:, :, None]
        y = values[window:]
        return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]

    return Task(load, RNNRegressor, half, "forecast", file=file)


def added(seed):
    """The sum of two marked numbers of 50 steps, in cents."""
    X, y, X_test, y_test = tasks.adding(50, 1000, 500, seed)
    return X.astype(np.float32), 100 * y, X_test.astype(np.float32), 100 * y_test


def echoed(seed):
    """A target a step: the input of five steps ago, in degrees."""
    X, y, X_test, y_test = tasks.echo(seed)
    X, y, X_test, y_test = ([20 + 5 * part for part in parts] for parts in (X, y, X_test, y_test))
    X, X_test = ([part.astype(np.float32) for part in parts] for parts in (X, X_test))
    return X, y, X_test, y_test


C, R = RNNClassifier, RNNRegressor
STEPS = {"return_sequences": True}
# Kinds alternate between the halves
TASKS = {
    "ItalyPowerDemand": Task(archive("ItalyPowerDemand"), C, "A", "classes", file=ARCHIVE),
    "GunPoint": Task(archive("GunPoint"), C, "B", "classes", file=ARCHIVE),
    "OSULeaf": Task(archive("OSULeaf"), C, "A", "classes", file=ARCHIVE),
    "ACSF1": Task(archive("ACSF1"), C, "B", "classes", file=ARCHIVE),
    "Coffee": Task(archive("Coffee"), C, "A", "classes", file=ARCHIVE),
    "vowels": Task(tasks.vowels, C, "B", "classes"),
    "promoters": Task(promoters, C, "A", "classes", {"embedding_dim": 8}),
    "names": Task(names, C, "B", "classes", {"embedding_dim": 8}, file=NAMES),
    "Cardano": Task(archive("CardanoSentiment", float), R, "A", "numbers", file=ARCHIVE),
    "digits": Task(digits, C, "B", "classes"),
    "sunspots": forecast("sunspots_yearly.csv", "A", 60, 24),
    "air": forecast("air_passengers.csv", "B", 24, 24),
    "CO2": forecast("co2_weekly.csv", "A", 200, 52),
    "lynx": forecast("lynx.csv", "B", 24, 12),
    "adding": Task(added, R, "A", "numbers"),
    "solar": forecast("solar_halfhourly.csv", "B", 48, 48),
    "chorales": Task(chorales, C, "A", "steps", STEPS, tasks.CHORALES, surprise_explained),
    "echo": Task(echoed, R, "B", "steps", STEPS),
}


def available():
    """The tasks whose files are here, by name."""
    return {name: task for name, task in TASKS.items() if task.file is None or task.file.exists()}
