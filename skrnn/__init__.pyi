"""The public interface of skrnn with its types; those of the submodules are in stubs of their own."""

from abc import ABCMeta
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import EllipsisType
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, OutlierMixin, RegressorMixin

from skrnn import (
    convert as convert,
)
from skrnn import (
    dask as dask,
)
from skrnn import (
    datasets as datasets,
)
from skrnn import (
    exceptions as exceptions,
)
from skrnn import (
    export as export,
)
from skrnn import (
    forecasting as forecasting,
)
from skrnn import (
    inspection as inspection,
)
from skrnn import (
    metrics as metrics,
)
from skrnn import (
    preprocessing as preprocessing,
)
from skrnn._typing import (
    Activation,
    Array,
    ArrayLike,
    Arrays,
    CategoricalFeatures,
    Cell,
    ClassWeight,
    EmbeddingDim,
    Estimator,
    FittedParameters,
    HiddenSize,
    Int,
    IntOrAuto,
    LearningRate,
    Loss,
    Missing,
    OutActivation,
    PatchSize,
    Pooling,
    RandomState,
    Request,
    Scoring,
    Solver,
    SolverOfBatches,
    Standardize,
    State,
    StaticTo,
    Texts,
    Transformer,
    Units,
)
from skrnn.metrics import concatenate_steps, make_sequence_scorer, split_steps

__all__ = [
    "RNNClassifier", "RNNLanguageModel", "RNNOutlierDetector", "RNNRegressor", "RNNSurvival", "RaggedArray",
    "WithStatic", "__version__", "concatenate_steps", "load", "make_sequence_scorer", "save", "split_steps",
]

__version__: str
SUBMODULES: tuple[str, ...]

# What selects several samples
_Selection: TypeAlias = slice | Sequence[int] | Sequence[bool] | NDArray[np.integer] | NDArray[np.bool_]

class RaggedArray:
    ndim: int
    values: Array
    lengths: Array
    starts: Array
    feature_names: list[str] | None
    def __init__(
        self, values: ArrayLike, lengths: ArrayLike, starts: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None: ...
    @classmethod
    def from_list(cls, X: Sequence[Any] | Array, feature_names: Sequence[str] | None = None) -> Self: ...
    @classmethod
    def from_padded(
        cls, X: ArrayLike, lengths: ArrayLike | None = None, padding_value: float | None = None, *,
        side: Literal["end", "start"] = "end", feature_names: Sequence[str] | None = None,
    ) -> Self: ...
    @property
    def shape(self) -> tuple[int]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def __sizeof__(self) -> int: ...
    @overload
    def __getitem__(self, key: int | np.integer) -> Array: ...
    @overload
    def __getitem__(self, key: _Selection | tuple[_Selection, EllipsisType]) -> RaggedArray: ...
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array: ...

class WithStatic:
    ndim: int
    sequences: Any
    static: Any
    static_names: list[str] | None
    def __init__(
        self, sequences: ArrayLike, static: ArrayLike, static_names: Sequence[str] | None = None
    ) -> None: ...
    @property
    def shape(self) -> tuple[int]: ...
    @property
    def n_static(self) -> int: ...
    def __len__(self) -> int: ...
    def __sizeof__(self) -> int: ...
    @overload
    def __getitem__(self, key: int | np.integer) -> tuple[Any, Any]: ...
    @overload
    def __getitem__(self, key: _Selection | tuple[_Selection, EllipsisType]) -> WithStatic: ...

# The parameters and attributes that all have which are trained in epochs
class _Trained(Estimator):
    hidden_size: HiddenSize
    cell: Cell
    activation: Activation
    reset_after: bool
    dropout: float
    recurrent_dropout: float
    alpha: float
    learning_rate: LearningRate
    learning_rate_init: float
    power_t: float
    max_iter: IntOrAuto
    average: float
    shuffle: bool
    random_state: RandomState
    tol: float
    verbose: bool | int
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: IntOrAuto
    max_grad_norm: float | None
    def __sklearn_is_fitted__(self) -> bool: ...

# Those of nets that are fitted to sequences of features
class _OfSequences(_Trained):
    static_to: StaticTo
    n_steps: int | None
    categorical_features: CategoricalFeatures
    missing: Missing
    times: str | int | None
    solver: Solver
    batch_size: IntOrAuto
    max_fun: int
    truncated_bptt_steps: int | None
    n_features_in_: int
    feature_names_in_: Array
    def initial_state(self, n_sequences: Int | None = None, static: Any = None) -> Array: ...

class _History(Estimator):
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    penalty_curve_: list[float]
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_iter_: int
    n_iter_: int
    max_iter_: int
    t_: int
    grad_norm_curve_: list[float]
    n_clipped_: int
    out_activation_: str | Any
    @property
    def parameters_(self) -> FittedParameters: ...

class _Net(_History, _OfSequences, ClassNamePrefixFeaturesOutMixin, Transformer, metaclass=ABCMeta):
    bidirectional: bool
    pooling: Pooling
    patch_size: PatchSize
    patch_stride: PatchSize
    embedding_dim: EmbeddingDim
    n_categories: int | None
    standardize: Standardize
    warm_start: bool
    scoring: Scoring
    n_outputs_: int
    patch_size_: int
    patch_stride_: int
    X_mean_: Array | None
    X_scale_: Array | None
    static_mean_: Array | None
    static_scale_: Array | None
    @property
    def embeddings_(self) -> dict[str, Array]: ...
    @property
    def categories_(self) -> dict[str, Array]: ...
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None, groups: ArrayLike | None = None,
    ) -> Self: ...
    def transform(self, X: ArrayLike) -> Any: ...
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any) -> Any: ...
    def predict_step(self, x: ArrayLike, state: State) -> tuple[Any, Array]: ...
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
    def set_fit_request(
        self, *, X_val: Request = ..., groups: Request = ..., sample_weight: Request = ..., y_val: Request = ...
    ) -> Self: ...
    def set_score_request(self, *, sample_weight: Request = ...) -> Self: ...

class RNNClassifier(ClassifierMixin, _Net):
    return_sequences: bool
    class_weight: ClassWeight
    classes_: Arrays
    def __init__(
        self, hidden_size: HiddenSize = 32, *, cell: Cell = "gru", activation: Activation = "tanh",
        reset_after: bool = True, bidirectional: bool = False, return_sequences: bool = False,
        pooling: Pooling = "last_mean_max", static_to: StaticTo = "both", n_steps: Int | None = None,
        patch_size: PatchSize = "auto", patch_stride: PatchSize = None, embedding_dim: EmbeddingDim = None,
        n_categories: Int | None = None, categorical_features: CategoricalFeatures = "from_dtype",
        missing: Missing = "error", times: str | int | None = None, standardize: Standardize = True,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, class_weight: ClassWeight = None, solver: Solver = "adam",
        alpha: float = 1e-2, batch_size: IntOrAuto = "auto", learning_rate: LearningRate = "auto",
        learning_rate_init: float = 3e-3, power_t: float = 0.5, max_iter: IntOrAuto = "auto", average: float = 0.0,
        shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4, verbose: bool | int = False,
        warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
        scoring: Scoring = "loss", validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-4, n_iter_no_change: IntOrAuto = "auto", max_fun: Int = 15000,
        max_grad_norm: float | None = None, truncated_bptt_steps: Int | None = None,
    ) -> None: ...
    @overload
    def predict(self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[False] = False) -> Array: ...
    @overload
    def predict(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[True]
    ) -> tuple[Array, Array]: ...
    @overload
    def predict(
        self, X: ArrayLike, *, initial_state: State = None, return_state: bool
    ) -> Array | tuple[Array, Array]: ...
    @overload
    def predict_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[False] = False
    ) -> Arrays: ...
    @overload
    def predict_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[True]
    ) -> tuple[Arrays, Array]: ...
    @overload
    def predict_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: bool
    ) -> Arrays | tuple[Arrays, Array]: ...
    @overload
    def predict_log_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[False] = False
    ) -> Arrays: ...
    @overload
    def predict_log_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[True]
    ) -> tuple[Arrays, Array]: ...
    @overload
    def predict_log_proba(
        self, X: ArrayLike, *, initial_state: State = None, return_state: bool
    ) -> Arrays | tuple[Arrays, Array]: ...
    def predict_proba_step(self, x: ArrayLike, state: State) -> tuple[Arrays, Array]: ...
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def set_parameters(
        self, parameters: Mapping[str, ArrayLike], *, classes: ArrayLike | None = None, multilabel: bool = False,
        X_units: Units | None = None,
    ) -> Self: ...
    def set_partial_fit_request(self, *, classes: Request = ..., sample_weight: Request = ...) -> Self: ...
    def set_predict_request(self, *, initial_state: Request = ..., return_state: Request = ...) -> Self: ...
    def set_predict_proba_request(self, *, initial_state: Request = ..., return_state: Request = ...) -> Self: ...
    def set_predict_log_proba_request(self, *, initial_state: Request = ..., return_state: Request = ...) -> Self: ...

class RNNRegressor(RegressorMixin, _Net):
    return_sequences: bool
    loss: Loss
    quantile: float | Sequence[float] | Array
    huber_delta: float
    out_activation: OutActivation
    y_mean_: Any
    y_scale_: Any
    def __init__(
        self, hidden_size: HiddenSize = 32, *, cell: Cell = "gru", activation: Activation = "tanh",
        reset_after: bool = True, bidirectional: bool = False, return_sequences: bool = False,
        pooling: Pooling = "last_mean_max", static_to: StaticTo = "both", n_steps: Int | None = None,
        patch_size: PatchSize = "auto", patch_stride: PatchSize = None, embedding_dim: EmbeddingDim = None,
        n_categories: Int | None = None, categorical_features: CategoricalFeatures = "from_dtype",
        missing: Missing = "error", times: str | int | None = None, standardize: Standardize = True,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, solver: Solver = "adam", alpha: float = 1e-2,
        batch_size: IntOrAuto = "auto", learning_rate: LearningRate = "auto", learning_rate_init: float = 3e-3,
        power_t: float = 0.5, max_iter: IntOrAuto = "auto", average: float = 0.0, shuffle: bool = True,
        random_state: RandomState = None, tol: float = 1e-4, verbose: bool | int = False, warm_start: bool = False,
        momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False, scoring: Scoring = "loss",
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-4,
        n_iter_no_change: IntOrAuto = "auto", max_fun: Int = 15000, max_grad_norm: float | None = None,
        truncated_bptt_steps: Int | None = None, loss: Loss = "squared_error",
        quantile: float | Sequence[float] | Array = 0.5, huber_delta: float = 1.0,
        out_activation: OutActivation = "identity",
    ) -> None: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[False] = False, *, initial_state: State = None,
        return_state: Literal[False] = False,
    ) -> Array: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[True], *, initial_state: State = None,
        return_state: Literal[False] = False,
    ) -> tuple[Array, Array]: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[False] = False, *, initial_state: State = None,
        return_state: Literal[True],
    ) -> tuple[Array, Array]: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[True], *, initial_state: State = None,
        return_state: Literal[True],
    ) -> tuple[Array, Array, Array]: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: bool = False, *, initial_state: State = None,
        return_state: bool = False,
    ) -> Any: ...
    @overload
    def predict_step(
        self, x: ArrayLike, state: State, *, return_std: Literal[False] = False
    ) -> tuple[Any, Array]: ...
    @overload
    def predict_step(
        self, x: ArrayLike, state: State, *, return_std: Literal[True]
    ) -> tuple[Any, Any, Array]: ...
    @overload
    def predict_step(self, x: ArrayLike, state: State, *, return_std: bool) -> Any: ...
    @overload
    def predict_quantile(
        self, X: ArrayLike, q: float | ArrayLike, *, initial_state: State = None, return_state: Literal[False] = False
    ) -> Array: ...
    @overload
    def predict_quantile(
        self, X: ArrayLike, q: float | ArrayLike, *, initial_state: State = None, return_state: Literal[True]
    ) -> tuple[Array, Array]: ...
    @overload
    def predict_quantile(
        self, X: ArrayLike, q: float | ArrayLike, *, initial_state: State = None, return_state: bool
    ) -> Array | tuple[Array, Array]: ...
    @overload
    def sample(
        self, X: ArrayLike, n_samples: Int = 1, random_state: RandomState = None, *, initial_state: State = None,
        return_state: Literal[False] = False,
    ) -> Array: ...
    @overload
    def sample(
        self, X: ArrayLike, n_samples: Int = 1, random_state: RandomState = None, *, initial_state: State = None,
        return_state: Literal[True],
    ) -> tuple[Array, Array]: ...
    @overload
    def sample(
        self, X: ArrayLike, n_samples: Int = 1, random_state: RandomState = None, *, initial_state: State = None,
        return_state: bool,
    ) -> Array | tuple[Array, Array]: ...
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self: ...
    def set_parameters(
        self, parameters: Mapping[str, ArrayLike], *, X_units: Units | None = None, y_units: Units | None = None
    ) -> Self: ...
    def set_partial_fit_request(self, *, sample_weight: Request = ...) -> Self: ...
    def set_predict_request(
        self, *, initial_state: Request = ..., return_state: Request = ..., return_std: Request = ...
    ) -> Self: ...

class RNNSurvival(_Net):
    return_sequences: Literal[False]
    intervals: int | Sequence[float] | Array
    unique_times_: Array
    def __init__(
        self, hidden_size: HiddenSize = 32, *, cell: Cell = "gru", activation: Activation = "tanh",
        reset_after: bool = True, bidirectional: bool = False, pooling: Pooling = "last_mean_max",
        static_to: StaticTo = "both", n_steps: Int | None = None, patch_size: PatchSize = "auto",
        patch_stride: PatchSize = None, embedding_dim: EmbeddingDim = None, n_categories: Int | None = None,
        categorical_features: CategoricalFeatures = "from_dtype", missing: Missing = "error",
        times: str | int | None = None, standardize: Standardize = True, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, solver: Solver = "adam", alpha: float = 1e-2, batch_size: IntOrAuto = "auto",
        learning_rate: LearningRate = "auto", learning_rate_init: float = 3e-3, power_t: float = 0.5,
        max_iter: IntOrAuto = "auto", average: float = 0.0, shuffle: bool = True, random_state: RandomState = None,
        tol: float = 1e-4, verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
        nesterovs_momentum: bool = True, early_stopping: bool = False, scoring: Scoring = "loss",
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-4,
        n_iter_no_change: IntOrAuto = "auto", max_fun: Int = 15000, max_grad_norm: float | None = None,
        truncated_bptt_steps: Int | None = None, intervals: int | Sequence[float] | Array = 20,
    ) -> None: ...
    @overload
    def predict(self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[False] = False) -> Array: ...
    @overload
    def predict(
        self, X: ArrayLike, *, initial_state: State = None, return_state: Literal[True]
    ) -> tuple[Array, Array]: ...
    @overload
    def predict(
        self, X: ArrayLike, *, initial_state: State = None, return_state: bool
    ) -> Array | tuple[Array, Array]: ...
    @overload
    def predict_survival_function(
        self, X: ArrayLike, *, return_array: Literal[False] = False
    ) -> NDArray[np.object_]: ...
    @overload
    def predict_survival_function(self, X: ArrayLike, *, return_array: Literal[True]) -> Array: ...
    @overload
    def predict_survival_function(self, X: ArrayLike, *, return_array: bool) -> Array: ...
    @overload
    def predict_cumulative_hazard_function(
        self, X: ArrayLike, *, return_array: Literal[False] = False
    ) -> NDArray[np.object_]: ...
    @overload
    def predict_cumulative_hazard_function(self, X: ArrayLike, *, return_array: Literal[True]) -> Array: ...
    @overload
    def predict_cumulative_hazard_function(self, X: ArrayLike, *, return_array: bool) -> Array: ...
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self: ...
    def set_parameters(
        self, parameters: Mapping[str, ArrayLike], *, unique_times: ArrayLike | None = None,
        X_units: Units | None = None,
    ) -> Self: ...
    def set_partial_fit_request(self, *, sample_weight: Request = ...) -> Self: ...
    def set_predict_request(self, *, initial_state: Request = ..., return_state: Request = ...) -> Self: ...

class RNNOutlierDetector(OutlierMixin, _OfSequences):
    contamination: float | Literal["auto"]
    reduction: Literal["mean", "max"]
    loss: Literal["squared_error", "absolute_error", "log_cosh"]
    def __init__(
        self, hidden_size: HiddenSize = 32, *, cell: Cell = "gru", activation: Activation = "tanh",
        reset_after: bool = True, static_to: StaticTo = "both", n_steps: Int | None = None,
        categorical_features: CategoricalFeatures = "from_dtype", missing: Missing = "error",
        times: str | int | None = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, solver: Solver = "adam",
        alpha: float = 1e-2, batch_size: IntOrAuto = "auto", learning_rate: LearningRate = "auto",
        learning_rate_init: float = 3e-3, power_t: float = 0.5, max_iter: IntOrAuto = "auto", average: float = 0.0,
        shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4, verbose: bool | int = False,
        momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-4,
        n_iter_no_change: IntOrAuto = "auto", max_fun: Int = 15000, max_grad_norm: float | None = None,
        truncated_bptt_steps: Int | None = None, contamination: float | Literal["auto"] = "auto",
        reduction: Literal["mean", "max"] = "mean",
        loss: Literal["squared_error", "absolute_error", "log_cosh"] = "squared_error",
    ) -> None: ...
    @property
    def offset_(self) -> float: ...
    @property
    def step_offset_(self) -> float: ...
    @property
    def error_scale_(self) -> Array: ...
    @property
    def forecaster_(self) -> RNNRegressor: ...
    @property
    def n_iter_(self) -> int: ...
    def fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None, X_val: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self: ...
    def fit_predict(self, X: ArrayLike, y: Any = None, **kwargs: Any) -> NDArray[np.intp]: ...
    def predict(self, X: ArrayLike) -> NDArray[np.intp]: ...
    def decision_function(self, X: ArrayLike) -> Array: ...
    def score_samples(self, X: ArrayLike) -> Array: ...
    def score_steps(self, X: ArrayLike) -> Array: ...
    def score_step(self, x: ArrayLike, state: State) -> tuple[Any, Array]: ...
    def set_fit_request(
        self, *, X_val: Request = ..., groups: Request = ..., sample_weight: Request = ...
    ) -> Self: ...

class RNNLanguageModel(_History, _Trained):
    embedding_dim: int
    analyzer: Literal["char", "word"] | Callable[[Any], Iterable[Any]]
    min_frequency: int
    initial_bias: Literal["frequencies", "zero"]
    truncated_bptt_steps: int
    n_streams: int
    solver: SolverOfBatches
    warm_start: bool
    symbols_: NDArray[np.object_]
    vocabulary_: dict[Any, int]
    def __init__(
        self, hidden_size: HiddenSize = 128, *, cell: Cell = "lstm", activation: Activation = "tanh",
        reset_after: bool = True, embedding_dim: Int = 32,
        analyzer: Literal["char", "word"] | Callable[[Any], Iterable[Any]] = "char", min_frequency: Int = 1,
        initial_bias: Literal["frequencies", "zero"] = "frequencies", dropout: float = 0.0,
        recurrent_dropout: float = 0.0, truncated_bptt_steps: Int = 32, n_streams: Int = 32,
        solver: SolverOfBatches = "adam", alpha: float = 1e-4, learning_rate: LearningRate = "auto",
        learning_rate_init: float = 4e-3, power_t: float = 0.5, max_iter: IntOrAuto = 30, average: float = 0.0,
        shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4, verbose: bool | int = False,
        warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
        n_iter_no_change: IntOrAuto = "auto", max_grad_norm: float | None = None,
    ) -> None: ...
    def fit(self, X: Texts, y: Any = None, *, X_val: Texts | None = None) -> Self: ...
    def partial_fit(
        self, X: Texts, y: Any = None, *, symbols: Iterable[Any] | None = None, ends: bool = True
    ) -> Self: ...
    def predict_proba(self, prefixes: Texts) -> NDArray[np.float64]: ...
    def score_samples(self, X: Texts) -> NDArray[np.float64]: ...
    def score(self, X: Texts, y: Any = None) -> float: ...
    def perplexity(self, X: Texts) -> float: ...
    def bits_per_token(self, X: Texts) -> float: ...
    @overload
    def symbol_log_likelihoods(
        self, text: Sequence[Any], *, initial_state: State = None, return_state: Literal[False] = False,
        end: bool = True,
    ) -> NDArray[np.float64]: ...
    @overload
    def symbol_log_likelihoods(
        self, text: Sequence[Any], *, initial_state: State = None, return_state: Literal[True],
        end: bool = True,
    ) -> tuple[NDArray[np.float64], Array]: ...
    @overload
    def symbol_log_likelihoods(
        self, text: Sequence[Any], *, initial_state: State = None, return_state: bool, end: bool = True
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], Array]: ...
    @overload
    def generate(
        self, n_tokens: Int = 100, prefix: Sequence[Any] = "", *, temperature: float = 1.0, top_k: Int | None = None,
        top_p: float | None = None, random_state: RandomState = None, stream: Literal[False] = False,
    ) -> str | Any: ...
    @overload
    def generate(
        self, n_tokens: Int = 100, prefix: Sequence[Any] = "", *, temperature: float = 1.0, top_k: Int | None = None,
        top_p: float | None = None, random_state: RandomState = None, stream: Literal[True],
    ) -> Iterator[Any]: ...
    @overload
    def generate(
        self, n_tokens: Int = 100, prefix: Sequence[Any] = "", *, temperature: float = 1.0, top_k: Int | None = None,
        top_p: float | None = None, random_state: RandomState = None, stream: bool,
    ) -> Any: ...
    def set_parameters(
        self, parameters: Mapping[str, ArrayLike], *, symbols: Iterable[Any] | None = None
    ) -> Self: ...
    def set_fit_request(self, *, X_val: Request = ...) -> Self: ...
    def set_partial_fit_request(self, *, ends: Request = ..., symbols: Request = ...) -> Self: ...
    def set_predict_proba_request(self, *, prefixes: Request = ...) -> Self: ...

def load(path: str | PathLike[str]) -> Any: ...
def save(estimator: Any, path: str | PathLike[str]) -> None: ...
