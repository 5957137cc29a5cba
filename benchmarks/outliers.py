"""Outliers that each value by itself does not show, found by RNNOutlierDetector and by detectors for tables.

    python benchmarks/outliers.py

Prints for each problem the area under the curve of each detector, and of the net the fraction of ordinary sequences
and of outliers that its default threshold calls outliers.
"""

import warnings

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skrnn import RNNOutlierDetector
from skrnn.datasets import load_japanese_vowels


def deviations(train, new):
    """The root of the mean square of standardized values of each new sequence."""
    steps = np.concatenate(train)
    return np.array([np.sqrt(np.mean(((x - steps.mean(0)) / steps.std(0)) ** 2)) for x in new])


def summaries(X):
    """Mean, deviation and extremes of each feature of each sequence."""
    return np.array([np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]) for x in X])


def oscillations(n, rng, T=60):
    """Sine and cosine of a phase, with noise."""
    phase = rng.uniform(0, 6, size=(n, 1)) + rng.uniform(0.3, 0.6, size=(n, 1)) * np.arange(T)
    return list(np.stack([np.sin(phase), np.cos(phase)], axis=2) + 0.1 * rng.normal(size=(n, T, 2)))


def mirrored(x, rng):
    """A sequence whose second feature has the other sign for five steps."""
    x, begin = x.copy(), rng.integers(10, len(x) - 10)
    x[begin : begin + 5, 1] *= -1
    return x


def with_step_of_another(x, others, rng):
    """A sequence in which one step is one of another sequence."""
    x, other = x.copy(), others[rng.integers(len(others))]
    x[rng.integers(1, len(x) - 1)] = other[rng.integers(len(other))]
    return x


def problems():
    """The name, the training sequences, new ones, and which of these are outliers, of each problem."""
    rng = np.random.default_rng(0)
    train, new = (load_japanese_vowels(subset=subset).data for subset in ("train", "test"))
    unusual = rng.random(len(new)) < 0.25
    changes = {
        "vowels, steps in another order": rng.permutation, "vowels, steps in reverse order": lambda x: x[::-1],
        "vowels, one step of another": lambda x: with_step_of_another(x, train, rng),
    }
    for name, change in changes.items():
        yield name, train, [change(x) if bad else x for x, bad in zip(new, unusual, strict=True)], unusual
    train, new, unusual = oscillations(300, rng), oscillations(400, rng), np.arange(400) < 100
    new = [mirrored(x, rng) if bad else x for x, bad in zip(new, unusual, strict=True)]
    yield "oscillations, 5 of 60 steps mirrored", train, new, unusual
    yield "the same, a tenth of training, too", [*train[:270], *(mirrored(x, rng) for x in train[270:])], new, unusual


def main():
    warnings.simplefilter("ignore")
    for name, train, new, unusual in problems():
        tables = summaries(train), summaries(new)
        scale = tables[0].std(axis=0)
        scores = {
            "deviations": deviations(train, new),
            "isolation forest": -IsolationForest(random_state=0).fit(tables[0]).score_samples(tables[1]),
            "local outlier factor": -LocalOutlierFactor(novelty=True).fit(tables[0] / scale).score_samples(
                tables[1] / scale
            ),
        }
        found = []
        for reduction in ("mean", "max"):
            detector = RNNOutlierDetector(reduction=reduction, random_state=0).fit(train)
            scores[f"net, {reduction}"] = -detector.score_samples(new)
            called = detector.predict(new) == -1
            found.append(f"{reduction}: {called[~unusual].mean():.2f} and {called[unusual].mean():.2f}")
        areas = ", ".join(f"{by} {roc_auc_score(unusual, score):.3f}" for by, score in scores.items())
        print(f"{name}: {areas}; called outliers of ordinary ones and of outliers by {', '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
