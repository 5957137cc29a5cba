"""Types that the public modules share: what arguments may be, each said once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

class SizedAndIndexed(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...

class SupportsArray(Protocol):
    def __array__(self) -> NDArray[Any]: ...

class FittedParameters(Mapping[str, NDArray[Any]]):
    """The parameters of a net by name; what is assigned to a name is checked and set."""

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __setitem__(self, name: str, values: ArrayLike, /) -> None: ...
    def __or__(self, other: Mapping[str, Any], /) -> dict[str, Any]: ...
    def copy(self) -> dict[str, NDArray[Any]]: ...

Array: TypeAlias = NDArray[Any]
# Arrays, lists of arrays, frames and tables of any library, memory-mapped and lazy arrays, collections on disk
ArrayLike: TypeAlias = SizedAndIndexed | SupportsArray
# One array, or of several columns of classes a list with one for each
Arrays: TypeAlias = NDArray[Any] | Any
State: TypeAlias = ArrayLike | None
Texts: TypeAlias = Iterable[Any]
Units: TypeAlias = tuple[Any, Any] | list[Any] | NDArray[Any]
Int: TypeAlias = int | np.integer[Any]
RandomState: TypeAlias = Int | np.random.RandomState | None
Scoring: TypeAlias = str | Callable[..., float] | None
Request: TypeAlias = bool | str | None

Activation: TypeAlias = Literal["tanh", "relu", "logistic", "identity"]
CategoricalFeatures: TypeAlias = (
    Literal["from_dtype"] | list[str] | tuple[str, ...] | Sequence[int] | Sequence[bool] | NDArray[Any] | None
)
Cell: TypeAlias = Literal["rnn", "gru", "mgu", "lstm", "skip_lstm"]
ClassWeight: TypeAlias = (
    Mapping[Any, float] | list[Mapping[Any, float]] | list[dict[Any, float]] | Literal["balanced"] | None
)
EmbeddingDim: TypeAlias = Int | Mapping[str, Int] | Literal["auto"] | None
HiddenSize: TypeAlias = Int | Sequence[Int] | NDArray[Any]
IntOrAuto: TypeAlias = Int | Literal["auto"]
LearningRate: TypeAlias = Literal[
    "auto", "constant", "invscaling", "adaptive", "cosine", "warmup_cosine", "one_cycle"
]
Loss: TypeAlias = Literal[
    "squared_error", "absolute_error", "huber", "quantile", "log_cosh", "poisson", "gaussian", "student_t",
    "negative_binomial",
]
Missing: TypeAlias = Literal["error", "ffill", "indicator", "decay"]
OutActivation: TypeAlias = Literal["identity", "logistic"]
PatchSize: TypeAlias = Int | Literal["auto"] | None
Pooling: TypeAlias = Literal["last", "mean", "max", "last_mean_max"]
Solver: TypeAlias = Literal["adam", "adamw", "nadam", "sgd", "rmsprop", "lbfgs"]
SolverOfBatches: TypeAlias = Literal["adam", "adamw", "nadam", "sgd", "rmsprop"]
Standardize: TypeAlias = bool | Literal["sequence"]
StaticTo: TypeAlias = Literal["head", "initial_state", "both"]

class Estimator(BaseEstimator):
    """What estimators have from scikit-learn, which has no types of its own."""

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def get_metadata_routing(self) -> Any: ...
    def __sklearn_tags__(self) -> Any: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...

class Transformer(TransformerMixin, Estimator):
    """What transformers have from scikit-learn. What they return is what `set_output` says, in the form of X."""

    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def set_output(self, *, transform: Literal["default", "pandas", "polars"] | None = None) -> Self: ...
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]: ...
