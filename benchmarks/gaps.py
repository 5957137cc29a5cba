"""What to do about missing values and uneven times, on sets with gaps made and with gaps of their own.

    python benchmarks/gaps.py [--seeds 5] [--sets vowels ...]

Medians over seeds, and how far the quartiles are apart. All nets are default ones but for these parameters.
"""

import argparse
import warnings

import numpy as np
from sklearn.metrics import log_loss

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import load_co2, load_japanese_vowels, make_patients
from skrnn.preprocessing import sequences_from_long

WAYS = [
    ("ffill", False), ("indicator", False), ("decay", False), ("ffill", True), ("indicator", True), ("decay", True),
]
SIGNS = ["heart_rate", "systolic_pressure", "oxygen_saturation", "temperature", "lactate"]
TAU = 5.0


def main():
    """Print a line for each set, and in it a column for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    print(f"{'':34}" + "".join(f"{missing + ' + times' * timed:>20}" for missing, timed in WAYS))
    for name in arguments.sets:
        results = np.array([[SETS[name](way, seed) for way in WAYS] for seed in range(arguments.seeds)])
        quartiles = np.percentile(results, [25, 50, 75], axis=0)
        print(f"{name + ', ' + MEASURES[name]:34}" + "".join(
            f"{median:>13.3f} ±{(high - low) / 2:.3f}" for low, median, high in quartiles.T
        ), flush=True)


def fitted(estimator, way, X, y, seed, **parameters):
    """A net for sequences whose first feature is the time, which is left out of X unless it is read."""
    missing, timed = way
    net = estimator(missing=missing, times=0 if timed else None, random_state=seed, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return net.fit(X if timed else [x[:, 1:] for x in X], y)


def seen(way, X):
    """X as a net of this way reads it."""
    return X if way[1] else [x[:, 1:] for x in X]


def vowels(way, seed, gaps):
    """Errors in percent of Japanese vowels with values or steps dropped."""
    rng = np.random.default_rng(seed)
    (X, y), (X_test, y_test) = (load_japanese_vowels(subset=part, return_X_y=True) for part in ("train", "test"))
    X, X_test = ([gaps(np.column_stack([np.arange(len(x)), x]), rng) for x in part] for part in (X, X_test))
    net = fitted(RNNClassifier, way, X, y, seed)
    return 100 * (1 - net.score(seen(way, X_test), y_test))


def at_random(x, rng, fraction=0.5):
    """Single values missing."""
    x[:, 1:][rng.random((len(x), x.shape[1] - 1)) < fraction] = np.nan
    return x


def in_blocks(x, rng, fraction=0.5):
    """Of each feature a range of steps missing."""
    for feature in range(1, x.shape[1]):
        size = max(1, round(fraction * len(x)))
        begin = rng.integers(len(x) - size + 1)
        x[begin : begin + size, feature] = np.nan
    return x


def of_steps(x, rng):
    """Half of the steps left out, and of the others some values."""
    kept = np.sort(rng.choice(len(x), max(2, len(x) // 2), replace=False))
    return at_random(x[kept], rng, 0.3)


def patients(way, seed):
    """Log loss of deaths: times and gaps say something, since the more ill are measured more often."""
    table = make_patients(1500, random_state=seed)
    frame = {name: table[name] for name in ["patient", "hour", "died", *SIGNS]}
    X, y, _ = sequences_from_long(_frame(frame), "patient", "hour", "died", features=["hour", *SIGNS])
    X = list(X)
    net = fitted(RNNClassifier, way, X[:1000], y[:1000], seed, early_stopping=True)
    return log_loss(y[1000:], net.predict_proba(seen(way, X[1000:]))[:, 1])


def _frame(columns):
    import pandas as pd

    return pd.DataFrame(columns)


def fading(way, seed):
    """R² of what is left at the end of impulses that fade, exp(−(t_end − t) / τ), at uneven times."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(600):
        n = rng.integers(5, 25)
        t = np.cumsum(rng.exponential(TAU / 3, size=n) * rng.choice([0.3, 1, 3], size=n))
        x = rng.normal(size=(n, 2))
        y.append(x.sum(axis=1) @ np.exp(-(t[-1] - t) / TAU))
        X.append(at_random(np.column_stack([t, x]), rng, 0.0))
    net = fitted(RNNRegressor, way, X[:400], np.array(y[:400]), seed)
    return net.score(seen(way, X[400:]), np.array(y[400:]))


def wandering(way, seed):
    """R² of the last value of slow processes, each seen now and then with noise, at uneven times."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(1500):
        n = rng.integers(5, 30)
        gaps = rng.exponential(TAU / 3, size=n) * rng.choice([0.2, 1, 3], size=n)
        z = np.zeros((n, 3))
        z[0] = rng.normal(size=3)
        for i in range(1, n):
            a = np.exp(-gaps[i] / TAU)
            z[i] = a * z[i - 1] + np.sqrt(1 - a**2) * rng.normal(size=3)
        x = np.where(rng.random((n, 3)) < 0.5, np.nan, z + 0.3 * rng.normal(size=(n, 3)))
        x[-1] = np.nan          # the value at the last time is what is asked for
        X.append(np.column_stack([np.cumsum(gaps), x]))
        y.append(z[-1])
    net = fitted(RNNRegressor, way, X[:1000], np.array(y[:1000]), seed, early_stopping=True)
    return net.score(seen(way, X[1000:]), np.array(y[1000:]))


def co2(way, seed, dropped=0.0):
    """RMSE in ppm of the next week from a year of weeks, some of them empty, over the last 400 weeks."""
    rng = np.random.default_rng(seed)
    values = load_co2().co2.astype(float)
    values[rng.random(len(values)) < dropped] = np.nan
    weeks = np.arange(len(values), dtype=float)
    X, y = [], []
    for i in range(52, len(values)):
        level = values[i - 52 : i]
        if np.isnan(values[i]) or np.isnan(level).all():
            continue
        last = level[~np.isnan(level)][-1]
        X.append(np.column_stack([weeks[i - 52 : i], level - last]))
        y.append(values[i] - last)
    y = np.array(y)
    net = fitted(RNNRegressor, way, X[:-400], y[:-400], seed, max_iter=30)
    return np.sqrt(np.mean((net.predict(seen(way, X[-400:])) - y[-400:]) ** 2))


SETS = {
    "vowels, half at random": lambda way, seed: vowels(way, seed, at_random),
    "vowels, half in blocks": lambda way, seed: vowels(way, seed, in_blocks),
    "vowels, steps left out": lambda way, seed: vowels(way, seed, of_steps),
    "patients": patients,
    "fading impulses": fading,
    "wandering values": wandering,
    "CO2, its empty weeks": co2,
    "CO2, half of the weeks empty": lambda way, seed: co2(way, seed, 0.5),
}
MEASURES = dict(zip(SETS, ["errors %"] * 3 + ["log loss"] + ["R2"] * 2 + ["RMSE"] * 2, strict=True))


if __name__ == "__main__":
    main()
