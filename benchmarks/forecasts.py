"""One step ahead on four series: small nets beside autoregressions. See docs/guide/forecasting.md.

    python benchmarks/forecasts.py [--choose] [--seeds 10] [--jobs 2] [--only SERIES ...]

What a net reads and how large it is was chosen for each series by the error on the four blocks at the end of its
training span, each forecast from what comes before it; --choose does it again, in seven minutes.
"""

import argparse
import csv
import itertools
import os
import warnings
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.exceptions import ConvergenceWarning
from tasks import SHARED

from skrnn import RNNRegressor
from skrnn.datasets import load_co2, load_sunspots

SEARCH_SEEDS = range(5)

# What --choose found
CHOSEN = {
    "sunspots": {"form": "level", "window": 12, "per_step": 1, "cell": "gru", "units": 8, "alpha": 1.0},
    "air passengers": {"form": "change", "window": 13, "per_step": 1, "cell": "rnn", "units": 16, "alpha": 0.1},
    "lynx": {"form": "level", "window": 2, "per_step": 1, "cell": "rnn", "units": 8, "alpha": 1.0},
    "co2": {"form": "change", "window": 52, "per_step": 4, "cell": "rnn", "units": 16, "alpha": 1.0},
}


class Series(NamedTuple):
    """A series to forecast, what of it is for training, and how an error is told."""

    values: np.ndarray
    to: callable  # what is forecast, of values
    back: callable  # values of it
    spans: dict  # test spans: name: (first, end)
    order: int  # of the usual autoregression
    order_to: callable  # what that one forecasts, of values
    orders: tuple  # of autoregressions to choose from
    windows: tuple  # numbers of values that a net reads, to choose from
    per_step: tuple  # how many of them make a step, to choose from
    block: int  # length of the four blocks to choose by
    measure: callable  # of errors

    @property
    def n_train(self):
        """Values before the test spans."""
        return min(first for first, _ in self.spans.values())


def unchanged(values):
    return values


def not_below_zero(roots):
    return np.maximum(roots, 0) ** 2


def rmse(errors):
    return np.sqrt(np.mean(errors**2))


def share_of_variance(errors):
    """Mean squared error over 1495.6, the variance that the literature on the sunspots divides by."""
    return np.mean(errors**2) / 1495.6


def column(name):
    """The second column of a file in ../shared/data."""
    with open(SHARED / name, newline="") as file:
        return np.array([float(value) for _, value in list(csv.reader(file))[1:]])


def sunspots():
    """Years; what is forecast is their square root, which evens out the noise of counts."""
    spans = {"1921-55": (221, 256), "1956-79": (256, 280)}
    return Series(
        load_sunspots().activity, np.sqrt, not_below_zero, spans, 12, unchanged, (2, 9, 12, 24), (12, 24), (1,), 25,
        share_of_variance,
    )


def air_passengers():
    """Months, in logs; a window is a year or two, and the month before."""
    values = column("air_passengers.csv")
    return Series(
        values, np.log, np.exp, {"last 24 months": (120, 144)}, 12, np.log, (12, 13, 24, 25), (13, 25), (1,), 10, rmse
    )


def lynx():
    """Years, in logs, in which the error is, too."""
    values = np.log10(column("lynx.csv"))
    spans = {"last 14 years": (100, 114)}
    return Series(values, unchanged, unchanged, spans, 2, unchanged, (2, 3, 11, 12), (2, 12), (1,), 10, rmse)


def co2():
    """Weeks, without the gaps; a step of the net is four weeks or thirteen."""
    values = load_co2().co2
    values = values[~np.isnan(values)]
    spans = {"last 200 weeks": (len(values) - 200, len(values))}
    return Series(values, unchanged, unchanged, spans, 52, unchanged, (52, 53, 60, 104), (52,), (4, 13), 150, rmse)


SERIES = {"sunspots": sunspots, "air passengers": air_passengers, "lynx": lynx, "co2": co2}
NEEDS = {"air passengers": SHARED / "air_passengers.csv", "lynx": SHARED / "lynx.csv"}


def windows_of(values, length):
    """Windows (n - length, length), oldest value first, and the value that follows each."""
    return sliding_window_view(values[:-1], length), values[length:]


def autoregression(X, y, X_new):
    """Least squares of y on a constant and the window: what it gives for X and for X_new."""
    def with_constant(X):
        return np.column_stack([np.ones(len(X)), X])

    weights = np.linalg.lstsq(with_constant(X), y, rcond=None)[0]
    return with_constant(X) @ weights, with_constant(X_new) @ weights


# What a net reads and is to say: (inputs of X, target, inputs of X_new, values of X_new from what it said)


def level(X, y, X_new, order):
    """The values themselves, scaled."""
    mean, scale = X.mean(), X.std()
    return (X - mean) / scale, (y - mean) / scale, (X_new - mean) / scale, lambda said: said * scale + mean


def change(X, y, X_new, order):
    """Everything relative to the last value."""
    last, last_new = X[:, -1:], X_new[:, -1:]
    scale, scale_y = np.std(X - last), np.std(y - last[:, 0])
    inputs, inputs_new = (X - last) / scale, (X_new - last_new) / scale
    return inputs, (y - last[:, 0]) / scale_y, inputs_new, lambda said: said * scale_y + last_new[:, 0]


def residual(X, y, X_new, order):
    """What an autoregression leaves, from the values relative to the last."""
    order = min(order, X.shape[1])
    fitted, fitted_new = autoregression(X[:, -order:], y, X_new[:, -order:])
    scale = np.std(y - fitted)
    inputs, _, inputs_new, _ = change(X, y, X_new, order)
    return inputs, (y - fitted) / scale, inputs_new, lambda said: said * scale + fitted_new


FORMS = {"level": level, "change": change, "residual": residual}


def settings_of(series):
    """All that is tried on a series."""
    grid = itertools.product(FORMS, series.windows, series.per_step, ("rnn", "gru"), (4, 8, 16), (0.1, 1.0, 10.0))
    return [dict(zip(("form", "window", "per_step", "cell", "units", "alpha"), one, strict=True)) for one in grid]


def by_nets(series, settings, seeds, first, end):
    """Forecasts (seeds, end - first) of values from first on, each from all before it, by nets trained to first."""
    values, length = series.to(series.values), settings["window"]
    X, y = windows_of(values, length)
    new = slice(first - length, end - length)
    inputs, target, inputs_new, said = FORMS[settings["form"]](X[: new.start], y[: new.start], X[new], series.order)
    forecasts = []
    for seed in seeds:
        net = RNNRegressor(
            settings["units"], cell=settings["cell"], n_steps=length // settings["per_step"], alpha=settings["alpha"],
            solver="lbfgs", pooling="last", patch_size=None, standardize=False, max_iter=200, random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 200 iterations are enough, and often fewer too
            forecasts.append(series.back(said(net.fit(inputs, target).predict(inputs_new))))
    return np.array(forecasts)


def by_autoregression(series, order, to, back, first, end):
    """Forecasts (end - first,) by least squares."""
    X, y = windows_of(to(series.values), order)
    new = slice(first - order, end - order)
    return back(autoregression(X[: new.start], y[: new.start], X[new])[1])


def blocks_of(series):
    """The blocks to choose by: (first, end)."""
    return [(series.n_train - i * series.block, series.n_train - (i - 1) * series.block) for i in (4, 3, 2, 1)]


def validated(series, forecast):
    """Error of forecasts on the blocks."""
    errors = [forecast(first, end) - series.values[first:end] for first, end in blocks_of(series)]
    return series.measure(np.concatenate(errors))


def validated_nets(series, settings):
    """Error of the mean of some nets on the blocks."""
    return validated(series, lambda first, end: by_nets(series, settings, SEARCH_SEEDS, first, end).mean(axis=0))


def choose_order(series):
    """The order of the autoregression with the least error on the blocks, and that error."""
    def error(order):
        return validated(series, lambda *span: by_autoregression(series, order, series.to, series.back, *span))

    return min((error(order), order) for order in series.orders)[::-1]


def choose_settings(series, jobs):
    """The settings of the nets with the least error on the blocks, and that error."""
    tried = settings_of(series)
    errors = Parallel(jobs)(delayed(validated_nets)(series, settings) for settings in tried)
    best = int(np.argmin(errors))
    return tried[best], errors[best]


def rows(name, series, order, settings, seeds, jobs):
    """Errors on the test spans, as lines of a table."""
    span = series.n_train, max(end for _, end in series.spans.values())
    nets = np.concatenate(Parallel(jobs)(delayed(by_nets)(series, settings, [seed], *span) for seed in range(seeds)))
    back = series.back if series.order_to is series.to else unchanged
    linear = {order: by_autoregression(series, order, series.to, series.back, *span) for order in series.orders}
    given = by_autoregression(series, series.order, series.order_to, back, *span)
    for where, (first, end) in series.spans.items():
        def error(forecasts, first=first, end=end):
            return series.measure(forecasts[first - span[0] : end - span[0]] - series.values[first:end])

        alone = [error(forecasts) for forecasts in nets]
        hindsight, best = min((error(forecasts), order) for order, forecasts in linear.items())
        cells = (
            f"{name}, {where}", f"{error(series.values[span[0] - 1 : span[1] - 1]):#.3g}",
            f"{error(given):#.3g} ({series.order})", f"{error(linear[order]):#.3g} ({order})",
            f"{hindsight:#.3g} ({best})", f"{np.mean(alone):#.3g} ± {np.std(alone):.2g}",
            f"{error(nets.mean(axis=0)):#.3g}",
        )
        yield f"| {' | '.join(cells)} |"


def main():
    """Choose, test, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=SERIES, default=list(SERIES), metavar="SERIES")
    options = parser.parse_args()
    table = []
    print("Errors on the blocks at the end of the training span")
    for name in options.only:
        if name in NEEDS and not NEEDS[name].exists():
            print(f"  {name}: left out, {NEEDS[name].name} is not here")
            continue
        series = SERIES[name]()
        order, order_error = choose_order(series)
        if options.choose:
            settings, error = choose_settings(series, options.jobs)
        else:
            settings, error = CHOSEN[name], validated_nets(series, CHOSEN[name])
        told = ", ".join(f"{key} {value}" for key, value in settings.items())
        print(f"  {name}: AR({order}) {order_error:.3g}; five nets together {error:.3g}: {told}", flush=True)
        table += rows(name, series, order, settings, options.seeds, options.jobs)
    print(
        "\n| test span | last value | AR (order) | AR, order by blocks | AR, best order in hindsight "
        f"| a net, {options.seeds} seeds | nets together |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(table))


if __name__ == "__main__":
    main()
