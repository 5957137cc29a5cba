"""
Forecasting the sunspots
========================

The yearly numbers of sunspots to 1920 train small nets, the years after them are the test, as in the literature since
1990: one year ahead from windows in a Pipeline; five years ahead at once, or year by year from a net that continues
from its own forecasts; and intervals, by nets for two quantiles and by conformal prediction. Beside them stands a
linear autoregression, which is what a net has to beat. It is not always beaten.
"""

# %%
# The series
# ----------
# One net will be as it comes, on the numbers as they are. The others read square roots, whose noise is even, and are as
# small as ``benchmarks/forecasts.py`` chose them, on training years, for one year ahead.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn.datasets import load_sunspots
from skrnn.preprocessing import SlidingWindow

WINDOW, HORIZON = 12, 5
LEVEL = 0.9
NET = {"hidden_size": 8, "pooling": "last", "alpha": 1.0, "solver": "lbfgs", "random_state": 0}

warnings.simplefilter("ignore", ConvergenceWarning)     # the default number of iterations is enough
sunspots = load_sunspots()
years, counts = sunspots.year, sunspots.activity
roots = np.sqrt(counts)
n = int(np.searchsorted(years, 1921))                   # years to train on
print(f"{n} years to train on, {years[0]} to {years[n - 1]}, and {len(years) - n} to test with")


def counts_of(roots):
    """The counts of their square roots."""
    return np.maximum(roots, 0) ** 2


# %%
# One year ahead
# --------------
# A row of the table is a year, its target the next one. ``SlidingWindow`` makes of each row the window of twelve years
# that ends in it; with ``context=True`` the windows of the first test years begin among the training years. Errors are
# divided by 1495.6, as the literature has them.


def one_year(values, **parameters):
    """Forecasts of the test years, each from the twelve before it."""
    rows, next_year = values[:-1, np.newaxis], values[1:]
    net = make_pipeline(SlidingWindow(WINDOW, context=True), RNNRegressor(**parameters))
    return net.fit(rows[: n - 1], next_year[: n - 1]).predict(rows[n - 1 :])


def autoregression(values, horizon):
    """Forecasts (origins, horizon) by least squares on twelve years, which continue from themselves."""
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    known = np.column_stack([np.ones(n - WINDOW), windows[: n - WINDOW]])
    weights = np.linalg.lstsq(known, values[WINDOW:n], rcond=None)[0]
    ahead = windows[n - WINDOW : len(windows) - horizon]
    for _ in range(horizon):
        ahead = np.column_stack([ahead, weights[0] + ahead[:, -WINDOW:] @ weights[1:]])
    return ahead[:, -horizon:]


truth = counts[n:]
forecasts = {
    f"AR({WINDOW})": autoregression(counts, 1)[:, 0],
    "GRU on roots": counts_of(one_year(roots, **NET)),
    "untouched net, without roots": one_year(counts, random_state=0),
    "as last year": counts[n - 1 : -1],
}
spans = {"1921-55": years[n:] <= 1955, "1956-79": (years[n:] >= 1956) & (years[n:] <= 1979), "1921-2008": years[n:] > 0}
errors = {
    name: [np.mean((forecast - truth)[span] ** 2) / 1495.6 for span in spans.values()]
    for name, forecast in forecasts.items()
}
print("\nOne year ahead, mean squared error over 1495.6" + "".join(f"{span:>11}" for span in spans))
for name, values in errors.items():
    print(f"    {name:<42}" + "".join(f"{value:>11.3f}" for value in values))

# %%
# Five years ahead
# ----------------
# All at once: a net with an output for each of the next five years. Year by year: a net that reads all years as one
# sequence, with a target at each step; ``predict_step`` takes a year and the state before it, and a forecast can take
# the place of a year. A state is an array that nothing changes, so that the series goes on from it afterwards.


def five_years_at_once(values):
    """Forecasts (origins, HORIZON) of the years after each from n - 1 on: an output for each of them."""
    rows = values[:-HORIZON, np.newaxis]
    next_years = np.lib.stride_tricks.sliding_window_view(values[1:], HORIZON)
    net = make_pipeline(SlidingWindow(WINDOW, context=True), RNNRegressor(**NET))
    n_fit = n - HORIZON     # targets up to year n - 1
    return net.fit(rows[:n_fit], next_years[:n_fit]).predict(rows[n_fit:])[HORIZON - 1 :]


def year_by_year(values):
    """The same, from a net that continues from its own forecasts."""
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


next_five = np.lib.stride_tricks.sliding_window_view(truth, HORIZON)
ahead = {
    f"AR({WINDOW})": autoregression(counts, HORIZON),
    "GRU, year by year": counts_of(year_by_year(roots)),
    "GRU, five at once": counts_of(five_years_at_once(roots)),
}
horizon_errors = {name: np.sqrt(np.mean((each - next_five) ** 2, axis=0)) for name, each in ahead.items()}
print("\nRoot mean squared error, years ahead" + "".join(f"{year:>8}" for year in range(1, HORIZON + 1)))
for name, values in horizon_errors.items():
    print(f"    {name:<32}" + "".join(f"{value:>8.1f}" for value in values))

# %%
# Intervals
# ---------
# How sure is a forecast? Two nets, one for the quantile below and one for that above, know their training years and are
# surer than they should be. Conformal prediction holds the forecasts of a net to years that it was not trained on, the
# last third of the training years, and makes the interval as wide as its errors there were.


def conformal(values):
    """Lower and upper ends (2, test years) around the forecasts of one net, by the errors on years held out."""
    windows, next_year = np.lib.stride_tricks.sliding_window_view(values[:-1], WINDOW), values[WINDOW:]
    first, end = 2 * (n - WINDOW) // 3, n - WINDOW
    net = RNNRegressor(**NET).fit(windows[:first], next_year[:first])
    held_out = np.sort(np.abs(net.predict(windows[first:end]) - next_year[first:end]))
    width = held_out[int(np.ceil(LEVEL * (len(held_out) + 1))) - 1]
    return net.predict(windows[end:]) + np.array([[-width], [width]])


quantiles = np.array([
    one_year(roots, hidden_size=8, loss="quantile", quantile=quantile, alpha=0.1, random_state=0)
    for quantile in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
])
intervals = {"two quantile nets": counts_of(quantiles), "conformal": counts_of(conformal(roots))}
held = {name: np.mean((low <= truth) & (truth <= high)) for name, (low, high) in intervals.items()}
print(f"\nIntervals for {LEVEL:.0%} of the years        hold   mean width")
for name, (low, high) in intervals.items():
    print(f"    {name:<32}{held[name]:>6.1%}{np.mean(high - low):>13.1f}")

# %%
# What to see
# -----------
# The cycle of eleven years is there, and the heights of its peaks are what is hard: a net that has seen no peak like
# that of 1957 does not foretell it. To the right, the errors grow with the distance. Several years ahead the linear
# autoregression is better than either net: two hundred noisy numbers are little to learn from.

figure, (over_years, over_horizon) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 1), layout="constrained")
low, high = intervals["conformal"]
over_years.fill_between(
    years[n:], low, high, alpha=0.25, color="C1", linewidth=0,
    label=f"{100 * LEVEL:.0f} % interval, holds {100 * held['conformal']:.0f} %",
)
over_years.plot(years[n - 20 :], counts[n - 20 :], "k.-", linewidth=0.7, markersize=4, label="sunspots")
over_years.plot(years[n:], forecasts["GRU on roots"], "C1", label="GRU, one year ahead")
over_years.axvline(years[n] - 0.5, color="gray", linestyle=":")
over_years.text(years[n] - 1.5, 125, "trained on\nyears before", ha="right", color="gray")
over_years.set(xlabel="year", ylabel="sunspots, yearly mean number", title="One year ahead", ylim=(0, None))
over_years.legend(loc="upper left", fontsize="small")
for (name, values), color in zip(horizon_errors.items(), ("C0", "C1", "C2"), strict=True):
    over_horizon.plot(np.arange(1, HORIZON + 1), values, "o-", color=color, label=name)
over_horizon.set(
    xlabel="years ahead", ylabel="error (RMSE), sunspots", ylim=(0, None), title="Further ahead",
    xticks=range(1, HORIZON + 1),
)
over_horizon.legend(fontsize="small")

# %%
# What to change
# --------------
# ``RNNRegressor(loss="gaussian")`` has a deviation of its own for each forecast; ``ConformalForecaster`` makes
# conformal intervals for several steps ahead, see ``plot_forecasting.py``. The mean of nets with several
# ``random_state`` is better than most of them.

plt.show()
