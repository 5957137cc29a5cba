"""One step of one stream: `predict_step`, `predict_proba_step` of an LSTM, a GRU, an Elman net, 32 units, 8 features.

    python benchmarks/stream.py
"""

import os
import timeit
import warnings
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from skrnn import RNNClassifier

CALLS, ROUNDS = 2000, 15


def main():
    """Print microseconds a step, the median over rounds."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 50, 8)).astype(np.float32), rng.integers(10, size=64)
    for cell in ("lstm", "gru", "rnn"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net = RNNClassifier(32, cell=cell, max_iter=1, random_state=0).fit(X, y)
        state, x = net.initial_state(), X[0, 0]
        for method in ("predict_step", "predict_proba_step"):
            step = partial(getattr(net, method), x, state)
            rounds = timeit.repeat(step, number=CALLS, repeat=ROUNDS)
            print(f"{cell:5} {method:20} {1e6 * np.median(rounds) / CALLS:.1f} us a step")


if __name__ == "__main__":
    main()
