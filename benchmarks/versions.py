"""Two builds of skrnn in turn, by their public interface: is one slower?

    python benchmarks/versions.py PYTHON_OF_ONE PYTHON_OF_OTHER [--rounds 9] [--seconds 0.1]

Each Python has its own skrnn installed. A process of each waits for its turn: in a round both time the same task one
after the other, and in the next round the other way round, so that what slows the machine down slows both. Printed are
the medians, and the median over the rounds of the ratio other / one with its quartiles.
"""

import argparse
import json
import os
import subprocess
import sys
import timeit
import warnings
from functools import partial

import numpy as np

# By name, since the defaults of builds may differ in what is computed
SAME_WORK = {"pooling": "last", "batch_size": 32, "random_state": 0}
SIZES = {"tiny": (32, 10, 4, 8), "small": (256, 20, 8, 32), "medium": (64, 50, 32, 128)}      # n, T, D, K


def tasks():
    """What is timed: a function for each name."""
    from skrnn import RNNClassifier, RNNLanguageModel

    rng, functions = np.random.default_rng(0), {}
    for cell in ("lstm", "gru"):
        for name, (n, T, D, K) in SIZES.items():
            X, y = rng.normal(size=(n, T, D)).astype(np.float32), rng.integers(5, size=n)
            fresh = RNNClassifier(K, cell=cell, max_iter=3, **SAME_WORK)
            fitted = RNNClassifier(K, cell=cell, max_iter=1, **SAME_WORK).fit(X, y)
            functions |= {
                f"fit {cell} {name}": partial(fresh.fit, X, y),
                f"predict {cell} {name}": partial(fitted.predict, X),
                f"predict one {cell} {name}": partial(fitted.predict, X[:1]),
            }
            if name == "small":
                functions[f"predict_step {cell}"] = partial(fitted.predict_step, X[0, 0], fitted.initial_state())
    letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz ,.\n"), 4000))
    # Trained until it hardly ever draws the end
    model = RNNLanguageModel(128, n_streams=4, max_iter=10, random_state=0).fit([letters])
    functions["generate 200 symbols"] = partial(model.generate, 200, random_state=0)
    return functions


def work():
    """Answer each line of the input, the name of a task and the number of calls, with seconds per call."""
    warnings.simplefilter("ignore")
    functions = tasks()
    print(json.dumps(list(functions)), flush=True)
    for line in sys.stdin:
        name, number = json.loads(line)
        print(json.dumps(timeit.timeit(functions[name], number=number) / number), flush=True)


class Build:
    """A process with one of the builds."""

    def __init__(self, python):
        self.process = subprocess.Popen(
            [python, __file__, "--work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=os.path.dirname(__file__),
        )
        self.names = json.loads(self.process.stdout.readline())

    def time(self, name, number):
        """Seconds per call."""
        self.process.stdin.write(json.dumps([name, number]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main():
    """Print a line for each task."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pythons", nargs="*")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--work", action="store_true")
    options = parser.parse_args()
    if options.work:
        work()
        return
    builds = [Build(python) for python in options.pythons]
    print(f"{'':28} {'one, ms':>10} {'other, ms':>10}   other / one (quartiles)")
    for name in builds[0].names:
        number = max(1, int(options.seconds / max(build.time(name, 3) for build in builds)))
        times = np.array([
            [builds[i ^ (turn % 2)].time(name, number) for i in range(2)][:: -1 if turn % 2 else 1]
            for turn in range(options.rounds)
        ])
        one, other = np.median(times, axis=0) * 1e3
        low, middle, high = np.quantile(times[:, 1] / times[:, 0], [0.25, 0.5, 0.75])
        print(f"{name:28} {one:10.4f} {other:10.4f}   {middle:.2f} ({low:.2f}, {high:.2f})", flush=True)


if __name__ == "__main__":
    main()
