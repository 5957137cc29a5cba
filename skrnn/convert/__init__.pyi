from typing import Any, TypeVar, overload

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor, RNNSurvival
from skrnn._typing import ArrayLike, Units

__all__ = ["from_keras", "from_torch", "to_torch"]

_Net = TypeVar("_Net", RNNClassifier, RNNRegressor)

@overload
def from_keras(
    source: Any, estimator: None = None, *, classes: ArrayLike | None = None, multilabel: bool = False,
    X_units: Units | None = None, y_units: Units | None = None,
) -> RNNClassifier | RNNRegressor: ...
@overload
def from_keras(
    source: Any, estimator: _Net, *, classes: ArrayLike | None = None, multilabel: bool = False,
    X_units: Units | None = None, y_units: Units | None = None,
) -> _Net: ...
@overload
def from_torch(
    source: Any, estimator: None = None, *, classes: ArrayLike | None = None, multilabel: bool = False,
    head: str | None = None, embedding: str | None = None, X_units: Units | None = None, y_units: Units | None = None,
) -> RNNClassifier | RNNRegressor: ...
@overload
def from_torch(
    source: Any, estimator: _Net, *, classes: ArrayLike | None = None, multilabel: bool = False,
    head: str | None = None, embedding: str | None = None, X_units: Units | None = None, y_units: Units | None = None,
) -> _Net: ...
# Of str to torch.Tensor
def to_torch(
    net: RNNClassifier | RNNRegressor | RNNSurvival | RNNLanguageModel, *, rnn: str = "rnn", head: str = "head",
    embedding: str = "embedding",
) -> dict[str, Any]: ...
