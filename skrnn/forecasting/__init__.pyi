from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MetaEstimatorMixin, RegressorMixin
from sklearn.model_selection import BaseCrossValidator

from skrnn._typing import Array, ArrayLike, Estimator, Int, Request, Transformer

__all__ = [
    "Backtest", "ConformalForecaster", "ForecastWindows", "RollingOrigin", "SeasonalNaive", "WindowTable", "Windows",
    "backtest",
]

class Windows:
    X: Array
    y: Array
    origins: Array
    series: Array
    level: Array
    scale: Array
    feature_names: list[str]
    made_by: ForecastWindows
    panel: Any
    def __init__(
        self, X: Array, y: Array, origins: Array, series: Array, level: Array, scale: Array, feature_names: list[str],
        made_by: ForecastWindows, panel: Any,
    ) -> None: ...
    def __len__(self) -> int: ...
    def inverse_transform(self, y: Array) -> Array: ...
    def to_frame(
        self, forecasts: ArrayLike | Mapping[str, ArrayLike], quantiles: Sequence[float] | None = None
    ) -> Any: ...

class ForecastWindows(Estimator):
    past: int
    horizon: int
    target: str | int
    known: Sequence[str] | None
    past_only: Sequence[str] | None
    group: str | None
    time: str | None
    step: int
    scaling: Literal["last", "mean", "standard"] | None
    def __init__(
        self, past: int, horizon: int, target: str | int, *, known: Sequence[str] | None = None,
        past_only: Sequence[str] | None = None, group: str | None = None, time: str | None = None, step: Int = 1,
        scaling: Literal["last", "mean", "standard"] | None = None,
    ) -> None: ...
    def make(self, df: Any, origins: Sequence[Any] | Array | None = None) -> Windows: ...
    def ahead(self, df: Any) -> Windows: ...

class RollingOrigin(BaseCrossValidator, metaclass=ABCMeta):
    n_origins: int
    horizon: int
    step: int | None
    gap: int
    max_train_size: int | None
    def __init__(
        self, n_origins: Int = 5, *, horizon: Int = 1, step: Int | None = None, gap: Int = 0,
        max_train_size: Int | None = None,
    ) -> None: ...
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int: ...
    def split(
        self, X: ArrayLike, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]: ...
    def origins(self, positions: ArrayLike) -> Array: ...
    def training(self, positions: ArrayLike, origin: int) -> Array: ...

class SeasonalNaive(RegressorMixin, Estimator):
    season: int
    horizon_: int
    def __init__(self, season: Int = 1) -> None: ...
    def fit(self, X: Array, y: Array) -> Self: ...
    def predict(self, X: Array) -> Array: ...
    def score(self, X: Array, y: Array, sample_weight: ArrayLike | None = None) -> float: ...
    def set_score_request(self, *, sample_weight: Request = ...) -> Self: ...

class WindowTable(Transformer):
    lags: Sequence[int] | None
    past_: int
    horizon_: int
    n_features_: int
    def __init__(self, lags: Sequence[int] | None = None) -> None: ...
    def fit(self, X: Array, y: Any = None) -> Self: ...
    def transform(self, X: Array) -> Any: ...
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any) -> Any: ...

class ConformalForecaster(MetaEstimatorMixin, RegressorMixin, Estimator):
    estimator: Any
    quantiles: Sequence[float]
    calibration: float
    gap: int
    estimator_: Any
    offsets_: Array
    def __init__(
        self, estimator: Any, quantiles: Sequence[float] = (0.05, 0.5, 0.95), *, calibration: float = 0.25,
        gap: Int = 0,
    ) -> None: ...
    def fit(self, X: Array, y: Array) -> Self: ...
    def predict(self, X: Array) -> Array: ...
    def score(self, X: Array, y: Array, sample_weight: ArrayLike | None = None) -> float: ...
    def set_score_request(self, *, sample_weight: Request = ...) -> Self: ...

# Tables are of the library of the data
class Backtest:
    forecasts: Any
    metrics: Any
    models: dict[str, Any]
    data: Windows
    by_model: dict[str, Any]
    quantiles: Sequence[float] | None
    metric_functions: dict[str, Callable[..., float]]
    def __init__(
        self, data: Windows, by_model: dict[str, Any], quantiles: Sequence[float] | None,
        metric_functions: dict[str, Callable[..., float]],
    ) -> None: ...
    def metrics_by(self, column: Literal["step", "origin", "group"]) -> Any: ...

def backtest(
    models: Any, df: Any, windows: ForecastWindows, origins: int | RollingOrigin = 5, *, refit: bool | int = False,
    quantiles: Sequence[float] | None = None,
    metrics: Sequence[str | Callable[..., float]] | Mapping[str, Callable[..., float]] = ("rmse", "mae"),
    n_jobs: Int | None = None,
) -> Backtest: ...
