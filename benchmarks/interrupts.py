"""How soon Ctrl-C is heard: seconds from the signal until the call raises KeyboardInterrupt.

    python benchmarks/interrupts.py [--rounds 20] [--threads 1 2]

Signals come at random times during calls that take seconds. Not for Windows, which has no timers that send signals.
"""

import argparse
import signal
import time
import warnings
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor

# The latest time of a signal, in seconds after the call; most calls take longer
LONGEST = 2.0


def regressor(n, T, D, K, **parameters):
    """A net after hardly any training, and n sequences of T steps with targets."""
    rng = np.random.default_rng(0)
    per_step = parameters.get("return_sequences", False)
    net = RNNRegressor(K, random_state=0, max_iter=1, **parameters)
    X = rng.normal(size=(n, T, D)).astype(np.float32)
    few = X[:, :2]
    net.fit(few, few[..., 0] if per_step else few[:, 0, 0])
    return net, X, X[..., 0] if per_step else X[:, 0, 0]


def calls():
    """What is interrupted: a function for each name."""
    functions = {}
    for name, size, parameters in (
        ("1 × 3,000,000, 4 units", (1, 3_000_000, 1, 4), {}),
        ("1 × 3,000,000, 4 units, a target a step", (1, 3_000_000, 1, 4), {"return_sequences": True}),
        ("64 × 2,000, 512 units", (64, 2000, 4, 512), {}),
        ("96 × 2,000, 3 × 128 units, both directions", (96, 2000, 4, (128,) * 3), {"bidirectional": True}),
        ("4 × 20,000, 64 units, the mean", (4, 20_000, 4, 64), {"pooling": "mean"}),
        ("1,000,000 × 1, 64 units", (1_000_000, 1, 4, 64), {}),
    ):
        net, X, y = regressor(*size, **parameters)
        functions[f"predict {name}"] = partial(net.predict, X)
        functions[f"fit {name}"] = partial(net.fit, X, y)
    letters = "".join(np.random.default_rng(0).choice(list("abcdefgh ijkl.\n"), 200_000))
    model = RNNLanguageModel(128, n_streams=4, max_iter=10, random_state=0).fit([letters[:4000]])
    classes = np.random.default_rng(0).integers(1000, size=(50_000, 40))
    embedded = RNNClassifier(64, embedding_dim=64, max_iter=1, random_state=0)
    return functions | {
        "language model, fit": partial(model.fit, [letters]),
        "language model, score": partial(model.score, [letters] * 20),
        "language model, generate": partial(model.generate, 200_000),
        "embedding, fit": partial(embedded.fit, classes[..., np.newaxis], classes[:, 0] % 2),
    }


def latency(call, delay):
    """Seconds from a signal, `delay` seconds after the call, until it is heard; None when the call ended before."""
    sent = time.monotonic() + delay
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        call()
    except KeyboardInterrupt:
        return time.monotonic() - sent
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def main():
    """Print a line for each call and number of threads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    rng = np.random.default_rng()
    print(f"{'':60} {'threads':>7} {'heard':>6} {'median, s':>10} {'maximum, s':>10}")
    for name, call in calls().items():
        for n_threads in options.threads:
            with threadpool_limits(n_threads, user_api="openmp"):
                found = [latency(call, rng.uniform(0.05, LONGEST)) for _ in range(options.rounds)]
            seconds = [value for value in found if value is not None] or [np.nan]
            heard = sum(value is not None for value in found)
            print(f"{name:60} {n_threads:7} {heard:6} {np.median(seconds):10.3f} {np.max(seconds):10.3f}", flush=True)


if __name__ == "__main__":
    main()
