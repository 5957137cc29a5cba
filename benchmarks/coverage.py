"""How much of the future intervals for 90 % hold, one step ahead on open series. See docs/guide/forecasting.md.

    python benchmarks/coverage.py [--only SERIES ...]      # needs mapie; the whole takes three minutes

A net of three quantiles by itself, and conformal intervals by MAPIE around a net that is fitted on the first two thirds
of the training span: of fixed width from its errors on the last third, and adaptive ones, whose level follows what
they held so far. Nothing is fitted anew within the test span.
"""

import argparse
import csv
import os
import warnings
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from forecasts import column, windows_of
from mapie.regression import SplitConformalRegressor, TimeSeriesRegressor
from tasks import SHARED

from skrnn import RNNRegressor
from skrnn.datasets import load_co2, load_sunspots

LEVEL = 0.9
# How fast the adaptive level follows: after each value by this times (what was missed - what may be missed)
GAMMA = 0.05


class Series(NamedTuple):
    """A series, how many of its values a window has and how many the test span, and in which units a net reads."""

    values: np.ndarray
    window: int
    n_test: int
    standardize: bool | str


def co2_without_gaps():
    values = load_co2().co2
    return values[~np.isnan(values)]


def solar():
    with open(SHARED / "solar_halfhourly.csv", newline="") as file:
        return np.array([float(row[-1]) for row in list(csv.reader(file))[1:]])


SERIES = {
    "sunspots": lambda: Series(np.sqrt(load_sunspots().activity), 12, 88, True),
    "air passengers": lambda: Series(np.log(column("air_passengers.csv")), 13, 24, "sequence"),
    "lynx": lambda: Series(np.log10(column("lynx.csv")), 12, 14, True),
    "co2, every fourth week": lambda: Series(load_co2().co2[3::4], 13, 100, "sequence"),
    "co2, weeks": lambda: Series(co2_without_gaps(), 52, 200, "sequence"),
    "solar": lambda: Series(solar(), 48, 96, True),
}
NEEDS = {"air passengers": "air_passengers.csv", "lynx": "lynx.csv", "solar": "solar_halfhourly.csv"}


def quantiles(net, train, calibrate, X):
    """The 5 % and the 95 % quantile of one net that is fitted on all of the training span."""
    both = [np.concatenate(parts) for parts in zip(train, calibrate, strict=True)]
    net.set_params(loss="quantile", quantile=[(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return net.fit(*both).predict(X)[:, [0, 2]]


def fixed(net, train, calibrate, X):
    """The forecast plus and minus a quantile of the errors."""
    conformal = SplitConformalRegressor(net.fit(*train), confidence_level=LEVEL, prefit=True).conformalize(*calibrate)
    return conformal.predict_interval(X)[1][:, :, 0]


def adaptive(net, train, calibrate, X, y):
    """The same with a level that follows what the intervals so far have held (Gibbs & Candès 2021)."""
    conformal = TimeSeriesRegressor(net.fit(*train), method="aci", cv="prefit").fit(*calibrate)
    intervals = []
    for i in range(len(X)):
        now = slice(i, i + 1)
        _, interval = conformal.predict(X[now], confidence_level=LEVEL, allow_infinite_bounds=True)
        intervals.append(interval[0, :, 0])
        conformal.adapt_conformal_inference(X[now], y[now], gamma=GAMMA, confidence_level=LEVEL)
    return np.array(intervals)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SERIES, default=list(SERIES))
    warnings.simplefilter("ignore")
    names = ("quantiles", "fixed", "adaptive")
    print(f"| series | values | {' | '.join(f'{name}: held, median width' for name in names)} |")
    for name in parser.parse_args().only:
        if name in NEEDS and not (SHARED / NEEDS[name]).exists():
            print(f"| {name} | needs {NEEDS[name]} |")
            continue
        series = SERIES[name]()
        X, y = windows_of(series.values, series.window)
        X, y = X[~np.isnan(y)], y[~np.isnan(y)]
        n = len(y) - series.n_test
        train, calibrate = (X[: 2 * n // 3], y[: 2 * n // 3]), (X[2 * n // 3 : n], y[2 * n // 3 : n])
        cells = []
        for method in (quantiles, fixed, adaptive):
            net = RNNRegressor(
                standardize=series.standardize, missing="ffill" if np.isnan(X).any() else "error", random_state=0
            )
            of_test = (y[n:],) if method is adaptive else ()
            low, high = method(net, train, calibrate, X[n:], *of_test).T
            cells.append(f"{np.mean((low <= y[n:]) & (y[n:] <= high)):.1%}, {np.median(high - low):.3g}")
        print(f"| {name} | {series.n_test} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
