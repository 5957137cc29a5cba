"""What should read static features: rules for static_to, over problems and seeds. See docs/study.md.

    python benchmarks/static_features.py [--seeds 0 1 2] [--n 400] [--steps 20] [--jobs 2] [--max-iter auto]

A figure is accuracy, or R² where targets are numbers, on 1,000 other sequences; the mean over seeds and its standard
error. "steps" repeats the static features at every step instead, "none" leaves them out. A seed is one of the data,
made by the generators below, and of the net, whose other parameters are the defaults.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from skrnn import RNNClassifier, RNNRegressor, WithStatic
from skrnn._network.static import STATIC_TO

N_TEST = 1000
WAYS = ("none", "steps", *STATIC_TO)


def offset(rng, n, n_steps):
    """A random walk x with noise; y = its end + two static numbers, all of them standard normal but for the walk."""
    x, s = rng.normal(size=(n, n_steps, 1)).cumsum(axis=1) / 3, rng.normal(size=(n, 2))
    return x + 0.3 * rng.normal(size=x.shape), s, x[:, -1, 0] + s.sum(axis=1) + 0.3 * rng.normal(size=n)


def limit(rng, n, n_steps):
    """Whether one of standard normal steps exceeds a limit of the sequence, uniform from 1 to 3."""
    x, s = rng.normal(size=(n, n_steps, 1)), rng.uniform(1, 3, size=(n, 1))
    return x, s, x.max(axis=(1, 2)) > s[:, 0]


def sign(rng, n, n_steps):
    """y = the mean of standard normal steps times √T, with the sign that a static feature has, with noise."""
    x, s = rng.normal(size=(n, n_steps, 1)), rng.choice([-1.0, 1.0], size=(n, 1))
    return x, s, s[:, 0] * x.mean(axis=(1, 2)) * n_steps**0.5 + 0.3 * rng.normal(size=n)


def channel(rng, n, n_steps):
    """Three standard normal features a step; the static ones say which one counts: the class is the sign of its sum."""
    x, which = rng.normal(size=(n, n_steps, 3)), rng.integers(3, size=n)
    return x, np.eye(3)[which], x[np.arange(n), :, which].sum(axis=1) > 0


def decay(rng, n, n_steps):
    """y = Σ a^(T − t) x_t, where a, uniform from 0.5 to 0.95, is static and x standard normal."""
    x, a = rng.normal(size=(n, n_steps, 1)), rng.uniform(0.5, 0.95, size=(n, 1))
    return x, a, (x[:, :, 0] * a ** np.arange(n_steps - 1, -1, -1)).sum(axis=1)


def patients(rng, n, n_steps):
    """A drifting vital sign, with an age and two numbers that tell nothing; an outcome with a logistic probability.

    Its logit is the end of the drift + age, both standard normal, + half their product − 1.
    """
    drift, s = rng.normal(size=n), rng.normal(size=(n, 3))
    x = (drift[:, np.newaxis] * np.linspace(0, 1, n_steps) + 0.5 * rng.normal(size=(n, n_steps)))[:, :, np.newaxis]
    logit = 2 * (drift + s[:, 0] + 0.5 * drift * s[:, 0]) - 1
    return x, s, rng.random(n) < 1 / (1 + np.exp(-logit))


PROBLEMS = {problem.__name__: problem for problem in (offset, limit, sign, channel, decay, patients)}


def score(name, way, seed, n, n_steps, max_iter):
    """Of a net on data that it was not fitted on."""
    X, static, y = PROBLEMS[name](np.random.default_rng(seed), n + N_TEST, n_steps)
    net = (RNNClassifier if y.dtype == bool else RNNRegressor)(random_state=seed, max_iter=max_iter)
    if way == "steps":
        X = np.concatenate([X, np.repeat(static[:, np.newaxis], n_steps, axis=1)], axis=2)
    elif way != "none":
        X, net = WithStatic(X, static), net.set_params(static_to=way)
    return net.fit(X[:n], y[:n]).score(X[n:], y[n:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-iter", default="auto", type=lambda text: text if text == "auto" else int(text))
    given = parser.parse_args()
    cells = [(name, way, seed) for name in PROBLEMS for way in WAYS for seed in given.seeds]
    scores = Parallel(given.jobs)(delayed(score)(*cell, given.n, given.steps, given.max_iter) for cell in cells)
    print("| problem | " + " | ".join(WAYS) + " |\n|---|" + "---|" * len(WAYS))
    for name in PROBLEMS:
        row = []
        for way in WAYS:
            of_cell = [value for cell, value in zip(cells, scores, strict=True) if cell[:2] == (name, way)]
            row.append(f"{np.mean(of_cell):.3f} ± {np.std(of_cell, ddof=1) / len(of_cell) ** 0.5:.3f}")
        print(f"| {name} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
