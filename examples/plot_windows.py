"""
Choosing how far to look back
=============================

Carbon dioxide in the air over Mauna Loa, week by week from 1958 to 2001: how much will it change within four weeks? One
row of the table is one week. SlidingWindow makes of each row the window of weeks that ends in it, inside the Pipeline,
so that the length of the window is searched together with the size of the net; TimeSeriesSplit validates each candidate
on weeks that follow those it was fitted to. Missing measurements stay missing in the windows: the net carries the last
value forward, and sees that it did. Weeks whose target is missing, 95 of 2279, cannot be trained on; their rows are
left out, so that some windows of the training skip a week.
"""

import warnings
from pathlib import Path
from time import perf_counter

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn.datasets import load_co2
from skrnn.preprocessing import SlidingWindow

AHEAD = 4               # weeks
TEST = 400              # the last weeks, which the search does not see
WINDOWS, SIZES = [1, 4, 13, 26, 52], [4, 16]


def table(co2):
    """A row a week: the change since the week before, ppm; and the target, the change within the weeks ahead."""
    return np.diff(co2)[:-AHEAD, np.newaxis], (co2[AHEAD:] - co2[:-AHEAD])[1:]


def search(X, y):
    """The fitted search over the window and the hidden size together."""
    model = make_pipeline(SlidingWindow(), RNNRegressor(missing="indicator", max_iter=30, random_state=0))
    grid = {"slidingwindow__window": WINDOWS, "rnnregressor__hidden_size": SIZES}
    folds = TimeSeriesSplit(3, gap=AHEAD)   # no target of the training weeks lies among the test weeks
    return GridSearchCV(model, grid, cv=folds, scoring="neg_root_mean_squared_error").fit(X, y)


def plot(results, path):
    """Error over the window, a line for each hidden size."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for size in SIZES:
        of_size = np.flatnonzero(results["param_rnnregressor__hidden_size"] == size)
        axes.errorbar(
            WINDOWS, -results["mean_test_score"][of_size], results["std_test_score"][of_size], marker="o", capsize=3,
            label=f"{size} units",
        )
    axes.set(
        xlabel="window, weeks", ylabel=f"RMSE {AHEAD} weeks ahead, ppm", xscale="log", xticks=WINDOWS,
        xticklabels=WINDOWS, title="CO₂ over Mauna Loa: three validation periods",
    )
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def rmse(error):
    """Root of the mean square."""
    return np.sqrt(np.mean(error**2))


def main():
    """Search, report, draw."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # a fixed number of epochs is part of the search
    start = perf_counter()
    X, y = table(load_co2().co2)
    labelled = ~np.isnan(y)
    # The last week that is used for training has its target before the first test week.
    train, test = np.arange(len(y)) < len(y) - TEST - AHEAD, np.arange(len(y)) >= len(y) - TEST
    found = search(X[train & labelled], y[train & labelled])
    results = found.cv_results_
    print(f"{'window':>6} {'units':>6} {'RMSE, ppm':>10} {'±':>6}")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        print(
            f"{results['param_slidingwindow__window'][i]:>6} {results['param_rnnregressor__hidden_size'][i]:>6} "
            f"{-results['mean_test_score'][i]:>10.3f} {results['std_test_score'][i]:>6.3f}"
        )
    print(f"\nThe last {TEST} weeks, RMSE {AHEAD} weeks ahead:")
    predicted = found.predict(X)        # of all weeks, so that the windows of the first test weeks are whole
    print(f"    net: {rmse((predicted - y)[test & labelled]):.3f} ppm")
    print(f"    to compare: {rmse(y[test & labelled]):.3f} ppm, no change")
    before = np.full(len(y), np.nan)
    before[52:] = y[:-52]
    compared = test & labelled & ~np.isnan(before)
    print(f"    to compare: {rmse((before - y)[compared]):.3f} ppm, the change of the same weeks a year before")
    path = Path(__file__).with_name("windows.png")
    plot(results, path)
    print(f"Took {perf_counter() - start:.1f} s. Errors over windows: {path}")


if __name__ == "__main__":
    main()
