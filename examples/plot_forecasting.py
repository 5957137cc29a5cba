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

DAYS = 28
NOISE = 1.8             # GW
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
# The net has three outputs for each hour, quantiles that cannot cross. It knows the days that it was trained on, so
# that its interval alone would be too narrow; ``ConformalForecaster`` widens it until it holds on days that were kept
# from the net. To compare: ridge regression on the same windows as rows of a table, and the load of the same hour a
# week before. ``backtest`` trains on windows whose whole future lies before the first day to forecast.

net = RNNRegressor(16, loss="quantile", quantile=QUANTILES, random_state=0)
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
print(f"    {NOISE:.2f}  the noise, which nobody can foretell")
print(f"The interval for 90% of the hours holds {coverage:.0%} of them")

# %%
# What a forecast looks like
# --------------------------
# Eight of the days, each forecast at its midnight. Weekends have no morning peak, and the net knows it ahead. An
# interval says more than a line: it is wide where the load is hard to foretell.

forecasts = results["net"].forecasts.iloc[: 8 * 24]
model = results["net"].forecasts.columns[-4]
figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
axes.fill_between(
    forecasts["time"], forecasts[f"{model}_0.05"], forecasts[f"{model}_0.95"], color="C0", alpha=0.3, linewidth=0,
    label="90% interval",
)
axes.plot(forecasts["time"], forecasts[f"{model}_0.5"], color="C0", label="median of the net")
axes.plot(forecasts["time"], forecasts["load"], ".", color="black", markersize=4, label="load as it came")
free = df.set_index("time").loc[forecasts["time"], "free"]
axes.fill_between(
    forecasts["time"], 0, 1, where=free, transform=axes.get_xaxis_transform(), color="0.93", zorder=0, linewidth=0,
    step="post", label="free day",
)
for midnight in forecasts["origin"].unique():
    axes.axvline(midnight, color="0.7", linestyle=":", linewidth=0.8)
axes.xaxis.set_major_formatter(mdates.DateFormatter("%a %d %b"))
axes.set(ylabel="load, GW", title="Each day, forecast at its midnight", xlim=(forecasts["time"].min(), forecasts["time"].max()))
figure.legend(loc="outside lower center", ncols=4, frameon=False)

# %%
# What the known future is worth
# ------------------------------
# The error by the hour ahead. A net that knows neither calendar nor weather ahead is wrong by more than twice as much.
# With both, the net comes close to the noise, below which nobody gets; ridge does not, since what a warm hour means
# depends on the season, and what the hour means on the day.

figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
for (name, result), color in zip(results.items(), ("C0", "C1", "C3", "0.6"), strict=True):
    by_hour = result.metrics_by("step")
    axes.plot(by_hour["step"], by_hour["rmse"], color=color, label=name)
axes.axhline(NOISE, color="black", linestyle=":", label="noise of the load")
axes.set(
    xlabel="hours ahead", ylabel="error (RMSE), GW", xlim=(1, 24), ylim=(0, None), xticks=[1, 6, 12, 18, 24],
    title=f"Forecasts of {DAYS} days from their midnight",
)
axes.legend()

# %%
# What to change
# --------------
# A longer past, a gap between the origin and the first hour, ``refit=7`` to learn anew every week: parameters of
# ``ForecastWindows``, ``RollingOrigin`` and ``backtest``. In a search take ``RollingOrigin`` as ``cv``.

plt.show()
