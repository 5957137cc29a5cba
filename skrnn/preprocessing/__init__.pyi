from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin

from skrnn import RaggedArray
from skrnn._typing import Array, ArrayLike, Int, Transformer

__all__ = [
    "SequenceImputer", "SequenceScaler", "SequenceVectorizer", "SlidingWindow", "predictions_to_long",
    "sequences_from_long",
]

class SequenceImputer(Transformer):
    strategy: Literal["mean", "median", "constant", "ffill", "interpolate"]
    fill_value: float
    add_indicator: bool
    padding: Literal["keep", "fill"]
    n_steps: int | None
    statistics_: NDArray[np.float64]
    def __init__(
        self, strategy: Literal["mean", "median", "constant", "ffill", "interpolate"] = "mean", *,
        fill_value: float = 0.0, add_indicator: bool = False, padding: Literal["keep", "fill"] = "keep",
        n_steps: Int | None = None,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: Any = None) -> Self: ...
    def transform(self, X: ArrayLike) -> Any: ...
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any) -> Any: ...

class SequenceScaler(OneToOneFeatureMixin, Transformer):
    method: Literal["standard", "minmax", "robust"]
    n_steps: int | None
    center_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    n_samples_seen_: Array
    def __init__(
        self, method: Literal["standard", "minmax", "robust"] = "standard", *, n_steps: Int | None = None
    ) -> None: ...
    def fit(self, X: ArrayLike, y: Any = None) -> Self: ...
    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self: ...
    def transform(self, X: ArrayLike) -> Any: ...
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any) -> Any: ...
    def inverse_transform(self, X: ArrayLike) -> Any: ...

class SequenceVectorizer(Transformer):
    strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None
    lowercase: bool
    preprocessor: Callable[[Any], str] | None
    tokenizer: Callable[[str], Iterable[str]] | None
    stop_words: Literal["english"] | list[str] | None
    token_pattern: str
    analyzer: Literal["word", "char"] | Callable[[Any], Iterable[str]]
    max_df: float
    min_df: float
    max_features: int | None
    vocabulary: Mapping[str, int] | Iterable[str] | None
    vocabulary_: dict[str, int]
    unknown_category_: int
    def __init__(
        self, *, strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        lowercase: bool = True, preprocessor: Callable[[Any], str] | None = None,
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        stop_words: Literal["english"] | list[str] | None = None, token_pattern: str = r"(?u)\b\w+\b",
        analyzer: Literal["word", "char"] | Callable[[Any], Iterable[str]] = "word",
        max_df: float = 1.0, min_df: float = 1, max_features: Int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
    ) -> None: ...
    def fit(self, X: Iterable[str], y: Any = None) -> Self: ...
    def fit_transform(self, X: Iterable[str], y: Any = None) -> RaggedArray: ...
    def transform(self, X: Iterable[str]) -> RaggedArray: ...
    def inverse_transform(self, X: ArrayLike) -> list[list[str]]: ...

class SlidingWindow(Transformer):
    window: int
    group: str | int | None
    context: bool
    context_: dict[Any, Any]
    def __init__(self, window: Int = 1, *, group: str | int | None = None, context: bool = False) -> None: ...
    def fit(self, X: ArrayLike, y: Any = None) -> Self: ...
    def fit_transform(self, X: ArrayLike, y: Any = None) -> RaggedArray: ...
    def transform(self, X: ArrayLike) -> RaggedArray: ...

def predictions_to_long(
    y_pred: ArrayLike, df: Any, group: str, time: str, *, return_sequences: bool = False,
    names: str | Sequence[str] | None = None, groups: ArrayLike | None = None,
) -> Any: ...
@overload
def sequences_from_long(
    df: Any, group: str, time: str, target: None = None, *, features: Sequence[str] | None = None,
    static: None = None, return_sequences: bool = False,
) -> tuple[RaggedArray, None, Array]: ...
@overload
def sequences_from_long(
    df: Any, group: str, time: str, target: str | Sequence[str], *, features: Sequence[str] | None = None,
    static: None = None, return_sequences: bool = False,
) -> tuple[RaggedArray, Array, Array]: ...
# With static features a frame of the library of the table
@overload
def sequences_from_long(
    df: Any, group: str, time: str, target: None = None, *, features: Sequence[str] | None = None,
    static: Sequence[str], return_sequences: bool = False,
) -> tuple[Any, None, Array]: ...
@overload
def sequences_from_long(
    df: Any, group: str, time: str, target: str | Sequence[str], *, features: Sequence[str] | None = None,
    static: Sequence[str], return_sequences: bool = False,
) -> tuple[Any, Array, Array]: ...
