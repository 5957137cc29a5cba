"""A fit, predictions and a step of a stream of long sequences: step by step, and in patches of several steps.

    python benchmarks/patches.py
"""

import timeit
import warnings
from functools import partial

import numpy as np

from skrnn import RNNClassifier

N, T, F, EPOCHS, ROUNDS, CALLS = 256, 400, 3, 5, 5, 1000
SIZES = [(None, None), (4, 2), (8, 4), (16, 8), (16, 16), (32, 16)]


def main():
    """Print a line for each size of patches, medians over rounds."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, T, F)).astype(np.float32), rng.integers(4, size=N)
    print(f"{N} sequences of {T} steps, {F} features, an LSTM of 32 units, {EPOCHS} epochs")
    print("patch  every  fit (s)  predict (ms)  predict_step (us)")
    for size, stride in SIZES:
        net = RNNClassifier(32, patch_size=size, patch_stride=stride, max_iter=EPOCHS, random_state=0)
        fit = seconds(partial(fit_quietly, net, X, y), 1)
        predict = seconds(partial(net.predict, X), 1)
        step = seconds(partial(net.predict_step, X[0, 0], net.initial_state()), CALLS)
        print(f"{size or 1:5} {stride or 1:6} {fit:8.2f} {1e3 * predict:13.1f} {1e6 * step:18.1f}")


def fit_quietly(net, X, y):
    """Fit without a word on convergence, for which these epochs are too few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, y)


def seconds(call, n_calls):
    """Seconds of a call, the median over rounds."""
    return float(np.median(timeit.repeat(call, number=n_calls, repeat=ROUNDS))) / n_calls


if __name__ == "__main__":
    main()
