"""Forecasts: windows of past and future steps, backtests over origins, and what to compare with."""

from skrnn._public import set_public_home
from skrnn.forecasting._backtest import Backtest, backtest
from skrnn.forecasting._conformal import ConformalForecaster
from skrnn.forecasting._naive import SeasonalNaive, WindowTable
from skrnn.forecasting._origins import RollingOrigin
from skrnn.forecasting._windows import ForecastWindows, Windows

__all__ = [
    "Backtest", "ConformalForecaster", "ForecastWindows", "RollingOrigin", "SeasonalNaive", "WindowTable", "Windows",
    "backtest",
]

set_public_home(globals())
