"""
Forecasting the sunspots
========================

The yearly numbers of sunspots to 1920 train small recurrent nets, the years after them are the test: one year ahead
from windows in a Pipeline; five years ahead at once, or year by year from a net that continues from its own forecasts;
and intervals, by nets for two quantiles and by conformal prediction. Beside them stands an autoregression, which is
what a net has to beat. One net is as it comes, on the numbers as they are; the others read square roots, whose noise is
even, and are as small as benchmarks/forecasts.py chose them, on training years, for one year ahead.
"""

import warnings
from pathlib import Path
from time import perf_counter

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn.datasets import load_sunspots
from skrnn.preprocessing import SlidingWindow

FIRST_TEST_YEAR = 1921
WINDOW, HORIZON = 12, 5
LEVEL = 0.9
NET = {"hidden_size": 8, "pooling": "last", "alpha": 1.0, "solver": "lbfgs", "random_state": 0}


def counts_of(roots):
    """The counts of their square roots."""
    return np.maximum(roots, 0) ** 2


def one_year(values, n, **parameters):
    """Forecasts of the years from the n-th on, each from the twelve before it, by a Pipeline that takes a table."""
    rows, next_year = values[:-1, np.newaxis], values[1:]
    net = make_pipeline(SlidingWindow(WINDOW, context=True), RNNRegressor(**parameters))
    return net.fit(rows[: n - 1], next_year[: n - 1]).predict(rows[n - 1 :])


def five_years_at_once(values, n):
    """Forecasts (origins, HORIZON) of the years after each from n - 1 on: an output for each of them."""
    rows = values[:-HORIZON, np.newaxis]
    next_years = np.lib.stride_tricks.sliding_window_view(values[1:], HORIZON)
    net = make_pipeline(SlidingWindow(WINDOW, context=True), RNNRegressor(**NET))
    n_fit = n - HORIZON     # targets up to year n - 1
    return net.fit(rows[:n_fit], next_years[:n_fit]).predict(rows[n_fit:])[HORIZON - 1 :]


def year_by_year(values, n):
    """The same, from a net that reads all years as one sequence, and continues from its own forecasts."""
    net = RNNRegressor(return_sequences=True, **NET).fit([values[: n - 1]], [values[1:n]])
    _, state = net.predict([values[: n - 1]], return_state=True)
    forecasts = []
    for year in values[n - 1 : -HORIZON]:
        forecast, state = net.predict_step([year], state)
        ahead, imagined = [forecast], state
        for _ in range(HORIZON - 1):
            forecast, imagined = net.predict_step([forecast], imagined)
            ahead.append(forecast)
        forecasts.append(ahead)
    return np.array(forecasts)


def autoregression(values, n):
    """The same by least squares on twelve years and a constant, which continues from its own forecasts."""
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    known = np.column_stack([np.ones(n - WINDOW), windows[: n - WINDOW]])
    weights = np.linalg.lstsq(known, values[WINDOW:n], rcond=None)[0]
    ahead = windows[n - WINDOW : -HORIZON]
    for _ in range(HORIZON):
        ahead = np.column_stack([ahead, weights[0] + ahead[:, -WINDOW:] @ weights[1:]])
    return ahead[:, -HORIZON:]


def quantiles(values, n):
    """Lower and upper ends (years,): two nets, each with the loss of its quantile, which has kinks: not for L-BFGS."""
    return np.array([
        one_year(values, n, hidden_size=8, loss="quantile", quantile=quantile, alpha=0.1, random_state=0)
        for quantile in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    ])


def conformal(values, n):
    """The same around the forecasts of one net, as wide as its errors on the last third of the training years need."""
    from mapie.regression import SplitConformalRegressor

    X, y = np.lib.stride_tricks.sliding_window_view(values[:-1], WINDOW), values[WINDOW:]
    first, end = 2 * (n - WINDOW) // 3, n - WINDOW
    intervals = SplitConformalRegressor(RNNRegressor(**NET), confidence_level=LEVEL, prefit=False)
    intervals.fit(X[:first], y[:first]).conformalize(X[first:end], y[first:end])
    return intervals.predict_interval(X[end:])[1][:, :, 0].T


def print_one_year(years, truth, forecasts):
    """Mean squared errors over 1495.6, as the literature has them."""
    print("One year ahead, mean squared error over 1495.6      1921-55   1956-79   1921-2008")
    for name, forecast in forecasts.items():
        errors = (forecast - truth) ** 2 / 1495.6
        spans = years <= 1955, (years >= 1956) & (years <= 1979), years <= 2008
        print(f"  {name:<48}" + "".join(f"{errors[span].mean():>10.3f}" for span in spans))


def horizon_errors(counts, n, forecasts):
    """Root of the mean squared error (HORIZON,) of forecasts (origins, HORIZON)."""
    truth = np.lib.stride_tricks.sliding_window_view(counts[n:], HORIZON)
    return np.sqrt(np.mean((forecasts - truth) ** 2, axis=0))


def print_intervals(truth, intervals):
    """What share of the years they hold, and how wide they are."""
    print(f"\nIntervals for {LEVEL:.0%} of the years                            hold   mean width")
    for name, (low, high) in intervals.items():
        print(f"  {name:<48}{np.mean((low <= truth) & (truth <= high)):>10.1%}{np.mean(high - low):>10.1f}")


def draw(years, counts, n, forecast, intervals, errors, path):
    """The forecasts and an interval over the years, and the errors over the horizon."""
    figure, (over_years, over_horizon) = plt.subplots(
        1, 2, figsize=(10, 4), width_ratios=(3, 1), layout="constrained"
    )
    name, (low, high) = list(intervals.items())[-1]
    over_years.fill_between(years[n:], low, high, alpha=0.25, color="C1", label=f"{LEVEL:.0%}: {name}")
    over_years.plot(years[n - 20 :], counts[n - 20 :], "k.-", linewidth=0.7, markersize=4, label="sunspots")
    over_years.plot(years[n:], forecast, "C1", label="GRU, one year ahead")
    over_years.axvline(years[n] - 0.5, color="gray", linestyle=":")
    over_years.set(xlabel="year", ylabel="sunspots", title=f"Trained on the years to {years[n - 1]}")
    over_years.legend(loc="upper left", fontsize="small")
    for name, error in errors.items():
        over_horizon.plot(np.arange(1, HORIZON + 1), error, "o-", label=name)
    over_horizon.set(xlabel="years ahead", ylabel="root mean squared error", ylim=(0, None), title="Error")
    over_horizon.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    """Forecast, report, draw."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # the default number of iterations is enough
    start = perf_counter()
    sunspots = load_sunspots()
    years, counts = sunspots.year, sunspots.activity
    n = int(np.searchsorted(years, FIRST_TEST_YEAR))
    roots = np.sqrt(counts)

    untouched = one_year(counts, n, random_state=0)
    forecast = counts_of(one_year(roots, n, **NET))
    ahead = {
        f"AR({WINDOW})": autoregression(counts, n),
        "GRU, year by year": counts_of(year_by_year(roots, n)),
        "GRU, five at once": counts_of(five_years_at_once(roots, n)),
    }
    errors = {name: horizon_errors(counts, n, forecasts) for name, forecasts in ahead.items()}
    linear = autoregression(np.append(counts, np.zeros(HORIZON - 1)), n)[:, 0]
    print_one_year(years[n:], counts[n:], {
        f"AR({WINDOW})": linear, "GRU": forecast, "untouched net, without roots": untouched,
        "last year": counts[n - 1 : -1],
    })

    print(f"\nRoot mean squared error, years ahead            {''.join(f'{h:>8}' for h in range(1, HORIZON + 1))}")
    for name, error in errors.items():
        print(f"  {name:<46}" + "".join(f"{value:>8.1f}" for value in error))

    intervals = {"two quantile nets": counts_of(quantiles(roots, n))}
    try:
        intervals["split conformal (MAPIE)"] = counts_of(conformal(roots, n))
    except ImportError:
        print("\nMAPIE is not installed: no conformal interval")
    print_intervals(counts[n:], intervals)

    path = Path(__file__).with_name("forecasting.png")
    draw(years, counts, n, forecast, intervals, errors, path)
    print(f"\nTook {perf_counter() - start:.1f} s. Picture: {path}")


if __name__ == "__main__":
    main()
