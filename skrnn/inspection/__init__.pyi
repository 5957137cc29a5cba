from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.utils import Bunch

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, RNNSurvival
from skrnn._typing import Array, ArrayLike, Int, RandomState

__all__ = [
    "AttributionDisplay", "GradientFlowDisplay", "HiddenStateDisplay", "SearchDisplay", "SequencePredictionDisplay",
    "StepConfusionDisplay", "TrainingDisplay", "gradient_flow", "hidden_states", "input_gradients",
    "integrated_gradients", "occlusion", "permutation_importance",
]

_Keywords: TypeAlias = dict[str, Any] | None
_Names: TypeAlias = Sequence[str] | NDArray[np.str_] | NDArray[np.object_] | None
# One for all panels, or one for each
_SeveralAxes: TypeAlias = Axes | Sequence[Axes] | NDArray[np.object_] | None
_Panels: TypeAlias = Sequence[Literal["loss", "score", "grad_norm", "clipped"]] | None
# Those that read X as it is: what a Pipeline or a search reads has another form
_Net: TypeAlias = RNNClassifier | RNNRegressor | RNNSurvival
# The output that is explained: a class, the index of an output, a quantile, a time, or a pair of these
_Target: TypeAlias = Any
_Form: TypeAlias = NDArray[np.float64]

class AttributionDisplay:
    axes_: NDArray[np.object_]
    figure_: Figure
    lines_: list[Line2D]
    images_: list[Any]
    letters_: list[Any]
    bars_: BarContainer | None
    colorbar_: Colorbar | None
    def __init__(
        self, *, attributions: ArrayLike, values: ArrayLike, feature_names: _Names = None, symbols: _Names = None,
        times: ArrayLike | None = None, time_name: str = "step", static_attributions: ArrayLike | None = None,
        static_values: ArrayLike | None = None, static_names: _Names = None, output: str = "prediction",
        value: float | None = None, caption: str = "attribution",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, sequence: Int = 0,
        method: Literal["integrated_gradients", "occlusion", "input_gradients"] = "integrated_gradients",
        target: _Target = None, step: Int | None = None, feature_names: _Names = None, symbols: _Names = None,
        ax: _SeveralAxes = None, line_kw: _Keywords = None, cmap: str | Colormap = "RdBu_r", **options: Any,
    ) -> Self: ...
    @classmethod
    def from_attributions(
        cls, attributions: ArrayLike, X: ArrayLike, *, sequence: Int = 0, feature_names: _Names = None,
        symbols: _Names = None, output: str = "prediction", ax: _SeveralAxes = None, line_kw: _Keywords = None,
        cmap: str | Colormap = "RdBu_r",
    ) -> Self: ...
    def plot(
        self, ax: _SeveralAxes = None, *, line_kw: _Keywords = None, cmap: str | Colormap = "RdBu_r"
    ) -> Self: ...

class GradientFlowDisplay:
    ax_: Axes
    figure_: Figure
    lines_: dict[Any, Line2D]
    bands_: dict[Any, Any]
    clipped_: dict[Any, Line2D]
    rates_: dict[Any, float]
    def __init__(
        self, *, norms: ArrayLike, scale: ArrayLike | None = None, grad_norm: ArrayLike | None = None,
        max_grad_norm: float | None = None, unit: str = "step",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, state: Literal["h", "c"] | None = None,
        step: Int | None = None, ax: Axes | None = None, layers: Sequence[int] | None = None,
        statistic: Literal["median", "mean"] = "median", quantiles: tuple[float, float] | None = (0.1, 0.9),
        include_clipped: bool = True, name: str | None = None, line_kw: _Keywords = None,
    ) -> Self: ...
    def plot(
        self, ax: Axes | None = None, *, layers: Sequence[int] | None = None,
        statistic: Literal["median", "mean"] = "median", quantiles: tuple[float, float] | None = (0.1, 0.9),
        include_clipped: bool = True, name: str | None = None, line_kw: _Keywords = None,
    ) -> Self: ...

class HiddenStateDisplay:
    ax_: Axes
    axes_: NDArray[np.object_]
    figure_: Figure
    image_: AxesImage
    colorbar_: Colorbar
    lines_: list[Line2D]
    def __init__(
        self, *, states: ArrayLike, units: ArrayLike | None = None, series: ArrayLike | None = None,
        feature_names: _Names = None, state: str = "h", unit: str = "step",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, sequence: Int = 0, layer: Int | None = -1,
        state: Literal["h", "c"] = "h", order: Literal["number", "peak"] = "number", include_series: bool = True,
        feature_names: _Names = None, ax: _SeveralAxes = None, im_kw: _Keywords = None, line_kw: _Keywords = None,
    ) -> Self: ...
    def plot(self, ax: _SeveralAxes = None, *, im_kw: _Keywords = None, line_kw: _Keywords = None) -> Self: ...

class SearchDisplay:
    axes_: NDArray[np.object_]
    figure_: Figure
    lines_: dict[Any, ErrorbarContainer]
    times_: dict[Any, Line2D]
    dots_: Any
    best_: Line2D | None
    failed_: Line2D | None
    reference_: list[Line2D]
    legend_: Legend | None
    def __init__(
        self, *, x: Sequence[Any] | Array, scores: ArrayLike, deviations: ArrayLike | None = None,
        fit_times: ArrayLike | None = None, hue: Sequence[Any] | Array | None = None, best_index: Int | None = None,
        greater_is_better: bool = True, connected: bool = True, x_name: str | None = None, hue_name: str | None = None,
        score_name: str | None = None, n_folds: Int | None = None, reference: Mapping[str, float] | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, search: Any, *, x: str = "auto", hue: str | None = "auto", metric: str | None = None,
        negate_score: bool = False, score_name: str | None = None, reference: Mapping[str, float] | None = None,
        include_times: bool = True, ax: _SeveralAxes = None,
    ) -> Self: ...
    def plot(self, ax: _SeveralAxes = None, *, include_times: bool = True) -> Self: ...

class SequencePredictionDisplay:
    axes_: NDArray[np.object_]
    figure_: Figure
    lines_: dict[str, list[Line2D]]
    intervals_: list[Any]
    strip_: Any
    legend_: Legend
    def __init__(
        self, *, y_pred: ArrayLike, y_true: ArrayLike | None = None, lower: ArrayLike | None = None,
        upper: ArrayLike | None = None, interval_name: str | None = None, classes: ArrayLike | None = None,
        history: ArrayLike | None = None, times: ArrayLike | None = None, x_name: str | None = None,
        output_names: _Names = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike | None = None, *, sequence: Int = 0,
        along: Literal["auto", "steps", "outputs", "sequences"] = "auto", outputs: Sequence[int] | None = None,
        interval: float | Literal["auto"] | None = "auto", history: ArrayLike | None = None,
        times: ArrayLike | None = None, x_name: str | None = None, output_names: _Names = None,
        ax: _SeveralAxes = None, line_kw: _Keywords = None, interval_kw: _Keywords = None,
    ) -> Self: ...
    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike | None, y_pred: ArrayLike, *, sequence: Int | None = None,
        interval: tuple[ArrayLike, ArrayLike] | None = None, interval_name: str = "interval",
        classes: ArrayLike | None = None, outputs: Sequence[int] | None = None, history: ArrayLike | None = None,
        times: ArrayLike | None = None, x_name: str = "step", output_names: _Names = None, ax: _SeveralAxes = None,
        line_kw: _Keywords = None, interval_kw: _Keywords = None,
    ) -> Self: ...
    def plot(
        self, ax: _SeveralAxes = None, *, outputs: Sequence[int] | None = None, line_kw: _Keywords = None,
        interval_kw: _Keywords = None,
    ) -> Self: ...

class StepConfusionDisplay(ConfusionMatrixDisplay):
    confusion_matrix: Array
    display_labels: Array
    ax_: Axes
    figure_: Figure
    im_: AxesImage
    text_: NDArray[np.object_] | None
    def __init__(self, *, confusion_matrix: ArrayLike, display_labels: ArrayLike) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, column: Int | None = None, labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None, normalize: Literal["true", "pred", "all"] | None = None,
        display_labels: ArrayLike | None = None, ax: Axes | None = None, **drawing: Any,
    ) -> Self: ...
    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike, y_pred: ArrayLike, *, column: Int | None = None, labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None, normalize: Literal["true", "pred", "all"] | None = None,
        display_labels: ArrayLike | None = None, ax: Axes | None = None, **drawing: Any,
    ) -> Self: ...
    def plot(
        self, ax: Axes | None = None, *, include_values: bool | None = None, cmap: str | Colormap = "Blues",
        xticks_rotation: Literal["vertical", "horizontal"] | float | None = None, values_format: str | None = None,
        colorbar: bool = False, im_kw: _Keywords = None, text_kw: _Keywords = None,
    ) -> Self: ...

class TrainingDisplay:
    axes_: NDArray[np.object_]
    figure_: Figure
    panels_: tuple[str, ...]
    lines_: dict[str, Line2D]
    best_: list[Line2D]
    def __init__(
        self, *, loss: ArrayLike, penalty: ArrayLike | None = None, validation_loss: ArrayLike | None = None,
        validation_score: ArrayLike | None = None, grad_norm: ArrayLike | None = None,
        n_clipped: ArrayLike | None = None, n_updates: ArrayLike | None = None, max_grad_norm: float | None = None,
        best_epoch: Int | None = None, loss_name: str | None = None, score_name: str | None = None,
        unit: str = "epoch",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: _SeveralAxes = None, panels: _Panels = None, include_penalty: bool = False,
        name: str | None = None, line_kw: _Keywords = None, validation_kw: _Keywords = None,
    ) -> Self: ...
    def plot(
        self, ax: _SeveralAxes = None, *, panels: _Panels = None, include_penalty: bool = False,
        name: str | None = None, line_kw: _Keywords = None, validation_kw: _Keywords = None,
    ) -> Self: ...

def gradient_flow(
    net: Any, X: ArrayLike, y: ArrayLike, *, state: Literal["h", "c"] | None = None, step: Int | None = None
) -> Bunch: ...
def hidden_states(net: Any, X: ArrayLike, *, layer: Int | None = -1, state: Literal["h", "c"] = "h") -> Array: ...
@overload
def input_gradients(net: _Net, X: Array, *, target: _Target = None, step: Int | None = None) -> _Form: ...
@overload
def input_gradients(net: _Net, X: RaggedArray, *, target: _Target = None, step: Int | None = None) -> RaggedArray: ...
@overload
def input_gradients(net: Any, X: ArrayLike, *, target: _Target = None, step: Int | None = None) -> Any: ...
@overload
def integrated_gradients(
    net: _Net, X: Array, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, tol: float = 1e-3, max_points: Int = 1000, return_n_points: Literal[False] = False,
) -> _Form: ...
@overload
def integrated_gradients(
    net: _Net, X: RaggedArray, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, tol: float = 1e-3, max_points: Int = 1000, return_n_points: Literal[False] = False,
) -> RaggedArray: ...
@overload
def integrated_gradients(
    net: Any, X: ArrayLike, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, tol: float = 1e-3, max_points: Int = 1000, return_n_points: Literal[True],
) -> tuple[Any, NDArray[np.intp]]: ...
@overload
def integrated_gradients(
    net: Any, X: ArrayLike, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, tol: float = 1e-3, max_points: Int = 1000, return_n_points: bool = False,
) -> Any: ...
@overload
def occlusion(
    net: _Net, X: Array, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, by: Literal["cell", "step", "feature"] = "cell", window: Int = 1,
) -> _Form: ...
@overload
def occlusion(
    net: Any, X: ArrayLike, *, baseline: float | Literal["mean"] | ArrayLike = 0.0, target: _Target = None,
    step: Int | None = None, by: Literal["cell", "step", "feature"] = "cell", window: Int = 1,
) -> Any: ...
# For several scores a dict with a Bunch for each
def permutation_importance(
    estimator: Any, X: ArrayLike, y: ArrayLike | None, *, by: Literal["feature", "step"] = "feature",
    groups: Mapping[str, Any] | None = None, align: Literal["end", "start"] = "end",
    scoring: str | Callable[..., float] | Sequence[str] | Mapping[str, Any] | None = None, n_repeats: Int = 5,
    n_jobs: Int | None = None, random_state: RandomState = None, sample_weight: ArrayLike | None = None,
    max_samples: float = 1.0,
) -> Bunch: ...
