"""
Forecasting with what is known ahead, and with intervals
========================================================

How much electricity will a grid need tomorrow, hour by hour? The past says a lot, and two things are known ahead: the
calendar says whether tomorrow is free, and a weather forecast how warm it will be. This example forecasts the last 28
days of a year as if each were tomorrow, with an interval around each hour, and asks what the known future is worth.
It needs pandas.
"""

# %%
# The data
# --------
# ``make_hourly_load`` makes a load by stated equations: the hour, free days, heating and cooling by the temperature
# that buildings feel, and noise. So it is known how good a forecast can be: one that knew all equations would still be
# wrong by the noise, 1.8 GW.

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNRegressor
from skrnn.datasets import make_hourly_load
from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive, WindowTable, backtest
from skrnn.inspection import SequencePredictionDisplay

DAYS = 28
NOISE = 2.0             # GW, its deviation; 0.9 of it remain after an hour
QUANTILES = [0.05, 0.5, 0.95]

df = make_hourly_load(as_frame=True, random_state=0).frame
df["free"] = (df["time"].dt.dayofweek >= 5) | (df["holiday"] == 1)
print(df[["time", "load", "temperature", "free"]].tail(3))

# %%
# Windows
# -------
# A window is two days of past and the day to forecast, as one sequence: in its future the load is not there, but what
# is known is. Windows to train on begin at midnight, as those to forecast do.

windows = ForecastWindows(48, 24, "load", known=["temperature", "free"], time="time", step=24)
without = ForecastWindows(48, 24, "load", past_only=["temperature", "free"], time="time", step=24)
a_week = ForecastWindows(168, 24, "load", time="time", step=24)

# %%
# Models
# ------
# The net reads six hours at a time, and has three outputs for each hour, quantiles that cannot cross. It knows the days
# that it was trained on, so that its interval alone would be too narrow; ``ConformalForecaster`` widens it until it
# holds on days that were kept from the net. To compare: ridge regression on the same windows as rows of a table, and
# the load of the same hour a week before. ``backtest`` trains on windows whose whole future lies before the first day
# to forecast.

net = RNNRegressor(16, patch_size=6, loss="quantile", quantile=QUANTILES, random_state=0)
ridge = make_pipeline(WindowTable(), StandardScaler(), RidgeCV(10.0 ** np.arange(6)))
results = {
    "net": backtest(ConformalForecaster(net, QUANTILES), df, windows, DAYS, quantiles=QUANTILES),
    "ridge": backtest(ridge, df, windows, DAYS),
    "net that does not know the future": backtest(net, df, without, DAYS, quantiles=QUANTILES),
    "same hour a week before": backtest(SeasonalNaive(168), df, a_week, DAYS),
}
coverage = results["net"].metrics["coverage"][0]
print(f"\nError (RMSE) over {DAYS} days, GW")
for name, result in results.items():
    print(f"    {result.metrics['rmse'][0]:.2f}  {name}")
print(f"The interval for 90 % of the hours holds {100 * coverage:.0f} % of them")

# %%
# What a forecast looks like
# --------------------------
# Eight of the days, each forecast at its midnight. Free days, gray, have other peaks, and the net knows them ahead: a
# weekend, and a holiday on Monday. An interval says more than a line: it is narrow at the beginning of a working day
# and wide where the load is hard to foretell. Its legend counts the hours of this picture, the line above those of all
# 28 days.

forecasts = results["net"].forecasts.iloc[: 8 * 24]
name = results["net"].metrics["model"][0]
display = SequencePredictionDisplay.from_predictions(
    forecasts["load"], forecasts[f"{name}_0.5"], interval=(forecasts[f"{name}_0.05"], forecasts[f"{name}_0.95"]),
    interval_name="90 % interval", times=forecasts["time"], x_name="2024", output_names=["load, GW"],
)
axes = display.axes_[0]
free = df.set_index("time").loc[forecasts["time"], "free"]
axes.fill_between(
    forecasts["time"], 0, 1, where=free, transform=axes.get_xaxis_transform(), color="0.93", zorder=0, linewidth=0,
    step="post",
)
axes.text(forecasts["time"][free.to_numpy()].median(), forecasts["load"].max(), "weekend and a holiday", ha="center")
axes.xaxis.set_major_formatter(mdates.DateFormatter("%a %d %b"))
axes.set_title("Each day, forecast at its midnight")
display.figure_.set_size_inches(10, 4)

# %%
# What the known future is worth
# ------------------------------
# The error by the hour ahead. A net that knows neither calendar nor weather ahead is wrong by more than twice as much,
# most where working days have their peaks. With both it comes close to what is possible at all: what remains is the
# noise. Ridge cannot multiply, and what an hour means depends on the day. But in the first hours ridge is the better
# one, as it goes on from the last load, and noise goes on for some hours, too. A forecast of the next three hours would
# not need a net.

figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
for (name, result), color in zip(results.items(), ("C0", "C1", "C3", "0.6"), strict=True):
    by_hour = result.metrics_by("step")
    axes.plot(by_hour["step"], by_hour["rmse"], color=color, label=name)
hours = np.arange(1, 25)
axes.plot(hours, NOISE * np.sqrt(1 - 0.9 ** (2 * hours)), "k:", label="the noise itself")
axes.set(
    xlabel="hours ahead", ylabel="error (RMSE), GW", xlim=(1, 24), ylim=(0, None), xticks=[1, 6, 12, 18, 24],
    title=f"Forecasts of {DAYS} days from their midnight",
)
figure.legend(loc="outside lower center", ncols=2, frameon=False)

# %%
# What to change
# --------------
# A longer past, a gap between the origin and the first hour, ``refit=7`` to learn anew every week: parameters of
# ``ForecastWindows``, ``RollingOrigin`` and ``backtest``. In a search take ``RollingOrigin`` as ``cv``.

plt.show()
