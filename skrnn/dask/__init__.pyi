"""The estimators that are trained on a Dask cluster: predictions are lazy where X is."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Self

from distributed import Client

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._typing import (
    Activation,
    Array,
    CategoricalFeatures,
    Cell,
    ClassWeight,
    EmbeddingDim,
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
    Scoring,
    Solver,
    SolverOfBatches,
    Standardize,
    StaticTo,
)

__all__ = ["DaskRNNClassifier", "DaskRNNLanguageModel", "DaskRNNRegressor", "sequences_from_long"]

# What only those have that are trained on a cluster
class _OnCluster:
    client: Client | None
    n_shards: IntOrAuto

class _Net(_OnCluster):
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None, groups: Any = None
    ) -> Self: ...
    # A net on a cluster has none, unlike its base: accessing it raises an AttributeError that says so
    @property
    def partial_fit(self) -> None: ...
    def set_partial_fit_request(self) -> Self: ...
    def predict(self, X: Any, *, initial_state: Any = None, return_state: bool = False) -> Any: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def transform(self, X: Any) -> Any: ...

class DaskRNNClassifier(_Net, RNNClassifier):  # type: ignore[misc]
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
        max_grad_norm: float | None = None, truncated_bptt_steps: Int | None = None, client: Client | None = None,
        n_shards: IntOrAuto = "auto",
    ) -> None: ...
    def predict_proba(self, X: Any, *, initial_state: Any = None, return_state: bool = False) -> Any: ...
    def predict_log_proba(self, X: Any, *, initial_state: Any = None, return_state: bool = False) -> Any: ...
    def to_local(self) -> RNNClassifier: ...

class DaskRNNRegressor(_Net, RNNRegressor):  # type: ignore[misc]
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
        out_activation: OutActivation = "identity", client: Client | None = None, n_shards: IntOrAuto = "auto",
    ) -> None: ...
    def predict(
        self, X: Any, return_std: bool = False, *, initial_state: Any = None, return_state: bool = False
    ) -> Any: ...
    def predict_quantile(
        self, X: Any, q: Any, *, initial_state: Any = None, return_state: bool = False
    ) -> Any: ...
    def sample(
        self, X: Any, n_samples: Int = 1, random_state: RandomState = None, *, initial_state: Any = None,
        return_state: bool = False,
    ) -> Any: ...
    def to_local(self) -> RNNRegressor: ...

class DaskRNNLanguageModel(_OnCluster, RNNLanguageModel):
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
        n_iter_no_change: IntOrAuto = "auto", max_grad_norm: float | None = None, client: Client | None = None,
        n_shards: IntOrAuto = "auto",
    ) -> None: ...
    def fit(self, X: Any, y: Any = None, *, X_val: Any = None) -> Self: ...
    def partial_fit(
        self, X: Any, y: Any = None, *, symbols: Iterable[Any] | None = None, ends: bool = True
    ) -> Self: ...
    def predict_proba(self, prefixes: Any) -> Any: ...
    def score_samples(self, X: Any) -> Any: ...
    def score(self, X: Any, y: Any = None) -> float: ...
    def to_local(self) -> RNNLanguageModel: ...

def sequences_from_long(
    df: Any, group: str, time: str, target: str | Sequence[str] | None = None, *,
    features: Sequence[str] | None = None, static: Sequence[str] | None = None, return_sequences: bool = False,
) -> tuple[Any, Any, Any]: ...
