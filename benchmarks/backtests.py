"""Many steps ahead: untouched nets beside naive forecasts and ridge on lags. See docs/guide/forecasting.md.

    python benchmarks/backtests.py [--seeds 5] [--only SERIES ...]

Every model is fitted once, to what is known at the first origin. Nothing is chosen for a series but its windows; the
net has its defaults. Two minutes.
"""

import argparse
import csv
import os
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tasks import SHARED

from skrnn import RNNRegressor
from skrnn.datasets import load_co2, make_hourly_load
from skrnn.forecasting import ForecastWindows, RollingOrigin, SeasonalNaive, WindowTable, backtest


class Series(NamedTuple):
    """A series, what its windows are, and the origins."""

    rows: np.ndarray            # (rows, columns): the target, and what is known ahead
    windows: ForecastWindows
    origins: RollingOrigin
    season: int


def hourly_load(seed):
    """Days from midnight, with the temperature, free days, and the hour."""
    load = make_hourly_load(random_state=seed)
    weekday = (load.time.astype("M8[D]").astype(int) + 3) % 7       # Monday is 0
    free = (weekday >= 5) | (load.holiday == 1)
    hour = np.arange(len(free)) % 24
    rows = np.column_stack([load.load, load.temperature, free, hour])
    windows = ForecastWindows(168, 24, target=0, known=[1, 2, 3], step=24)
    return Series(rows, windows, RollingOrigin(28, horizon=24), 168)


def solar():
    """Days of half hours, with the clock; origins six hours apart."""
    with (SHARED / "solar_halfhourly.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = np.array([float(row["solar_gen"]) for row in rows])
    angle = 2 * np.pi * np.arange(len(values)) / 48
    windows = ForecastWindows(48, 48, target=0, known=[1, 2])
    return Series(
        np.column_stack([values, np.cos(angle), np.sin(angle)]), windows, RollingOrigin(5, horizon=48, step=12), 48
    )


def carbon_dioxide():
    """Half years of weeks; the level rises."""
    windows = ForecastWindows(104, 26, target=0, scaling="mean")
    return Series(load_co2().co2[:, np.newaxis], windows, RollingOrigin(28, horizon=26, step=13), 52)


SERIES = {
    **{f"hourly load {seed}": (lambda seed=seed: hourly_load(seed)) for seed in range(3)},
    "solar": solar, "co2": carbon_dioxide,
}
NEEDS = {"solar": SHARED / "solar_halfhourly.csv"}


def models(season, seeds):
    """The models by name."""
    lags = make_pipeline(
        WindowTable(), SimpleImputer(keep_empty_features=True), StandardScaler(), RidgeCV(np.logspace(-1, 5, 13))
    )
    nets = {f"net {seed}": RNNRegressor(missing="ffill", random_state=seed) for seed in range(seeds)}
    return {"last value": SeasonalNaive(1), "season before": SeasonalNaive(season), "ridge": lags, **nets}


def line(name, series, seeds):
    """Root mean squared errors, as a line of the table."""
    result = backtest(models(series.season, seeds), series.rows, series.windows, series.origins)
    errors = dict(zip(result.metrics["model"], result.metrics["rmse"], strict=True))
    alone = [errors.pop(model) for model in [*errors] if model.startswith("net ")]
    actual = result.forecasts[str(series.windows.target)]
    together = np.mean([result.forecasts[f"net {seed}"] for seed in range(seeds)], axis=0)
    known = ~np.isnan(actual)
    cells = [
        name, *(f"{error:#.3g}" for error in errors.values()), f"{np.mean(alone):#.3g} ± {np.std(alone):.2g}",
        f"{root_mean_squared_error(actual[known], together[known]):#.3g}",
    ]
    return f"| {' | '.join(cells)} |"


def main():
    """Test, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=SERIES, default=list(SERIES), metavar="SERIES")
    options = parser.parse_args()
    print("| series | last value | season before | ridge on lags | a net | nets together |\n|---|---|---|---|---|---|")
    for name in options.only:
        if name in NEEDS and not NEEDS[name].exists():
            print(f"{name}: left out, {NEEDS[name].name} is not here")
        else:
            print(line(name, SERIES[name](), options.seeds), flush=True)


if __name__ == "__main__":
    main()
