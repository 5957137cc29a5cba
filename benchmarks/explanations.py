"""What explanations cost, in predictions. See docs/guide/explanations.md.

    OMP_NUM_THREADS=1 python benchmarks/explanations.py [--seconds 2]

Each row is a net on 100 sequences. A figure is the median processor time of an explanation of all of them over that of
`predict`, which it takes turns with; of integrated gradients also how many points they needed. Nets are trained, since
how many kinks lie on the way depends on what they have learned.
"""

import argparse
import warnings
from time import perf_counter, process_time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNRegressor
from skrnn.inspection import input_gradients, integrated_gradients, occlusion

N, F = 100, 4
EXPLANATIONS = {
    "gradients": input_gradients,
    "IG 1e-2": lambda net, X: integrated_gradients(net, X, baseline="mean", tol=1e-2, max_points=10**5),
    "IG 1e-3": lambda net, X: integrated_gradients(net, X, baseline="mean", max_points=10**5),
    "by feature": lambda net, X: occlusion(net, X, by="feature"),
    "by step": lambda net, X: occlusion(net, X, by="step"),
    "by cell": lambda net, X: occlusion(net, X),
}
NETS = {
    "GRU of 32, the last output, 50 steps": (50, {"pooling": "last", "patch_size": 1}),
    "GRU of 32, 50 steps": (50, {"patch_size": 1}),
    "LSTM of 32, both directions, 50 steps": (50, {"cell": "lstm", "bidirectional": True, "patch_size": 1}),
    "GRU of 32, 200 steps": (200, {"patch_size": 1}),
    "GRU of 32, patches, 200 steps": (200, {}),
}


def trained(steps, options):
    """A net of the greatest value of a feature in the first half, and 100 sequences that it has not seen."""
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.normal(size=(500 + N, steps, F)), axis=1) / np.sqrt(steps)
    y = X[:, : steps // 2, 0].max(axis=1) + 0.1 * X[:, -1, 1]
    return RNNRegressor(32, max_iter=30, random_state=0, **options).fit(X[N:], y[N:]), X[:N]


def median_seconds(functions, seconds):
    """Median processor time of a call of each of some functions, which take turns."""
    times, begin = {name: [] for name in functions}, perf_counter()
    while perf_counter() - begin < seconds * len(functions) or len(times["predict"]) < 3:
        for name, function in functions.items():
            start = process_time()
            function()
            times[name].append(process_time() - start)
    return {name: float(np.median(taken)) for name, taken in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'':40}" + "".join(f"{name:>12}" for name in EXPLANATIONS) + f"{'points':>12}")
    for name, (steps, parameters) in NETS.items():
        net, X = trained(steps, parameters)
        functions = {"predict": lambda net=net, X=X: net.predict(X)} | {
            each: lambda function=function, net=net, X=X: function(net, X) for each, function in EXPLANATIONS.items()
        }
        times = median_seconds(functions, options.seconds)
        _, n_points = integrated_gradients(net, X, baseline="mean", max_points=10**5, return_n_points=True)
        figures = "".join(f"{times[each] / times['predict']:>12.0f}" for each in EXPLANATIONS)
        print(f"{name:40}{figures}{np.median(n_points):>12.0f}", flush=True)


if __name__ == "__main__":
    main()
