from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skrnn._typing import Array, Int, RandomState

__all__ = [
    "load_co2", "load_japanese_vowels", "load_promoters", "load_sunspots", "make_adding", "make_copy_memory",
    "make_delayed_echo", "make_hourly_load", "make_patients", "make_survival", "make_temporal_order",
]

def load_co2(*, as_frame: bool = False) -> Bunch: ...
@overload
def load_japanese_vowels(
    *, subset: Literal["train", "test", "all"] = "all", return_X_y: Literal[False] = False
) -> Bunch: ...
@overload
def load_japanese_vowels(
    *, subset: Literal["train", "test", "all"] = "all", return_X_y: Literal[True]
) -> tuple[list[NDArray[np.float64]], Array]: ...
@overload
def load_promoters(*, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def load_promoters(*, return_X_y: Literal[True]) -> tuple[Array, Array]: ...
def load_sunspots(*, as_frame: bool = False) -> Bunch: ...
def make_adding(
    n_samples: Int = 100, n_steps: Int = 100, *, random_state: RandomState = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def make_copy_memory(
    n_samples: Int = 100, gap: Int = 100, *, n_symbols: Int = 10, alphabet_size: Int = 8, one_hot: bool = False,
    random_state: RandomState = None,
) -> tuple[Array, Array]: ...
@overload
def make_delayed_echo(
    n_samples: Int = 100, n_steps: Int = 50, *, delay: Int = 5, values: Literal["real", "binary"] = "real",
    random_state: RandomState = None,
) -> tuple[NDArray[np.float64], Array]: ...
@overload
def make_delayed_echo(
    n_samples: int, n_steps: tuple[int, int], *, delay: Int = 5, values: Literal["real", "binary"] = "real",
    random_state: RandomState = None,
) -> tuple[list[NDArray[np.float64]], list[Array]]: ...
def make_hourly_load(n_days: Int = 400, *, as_frame: bool = False, random_state: RandomState = None) -> Bunch: ...
def make_patients(n_patients: Int = 1800, *, n_hospitals: Int = 12, random_state: RandomState = None) -> Bunch: ...
def make_survival(
    n_samples: Int = 100, n_steps: int | tuple[int, int] = (20, 40), *, random_state: RandomState = None
) -> tuple[list[NDArray[np.float64]], NDArray[np.void]]: ...
def make_temporal_order(
    n_samples: Int = 100, n_steps: int | tuple[int, int] = (100, 110), *, n_relevant: Literal[2, 3] = 2,
    one_hot: bool = False, random_state: RandomState = None,
) -> tuple[list[Array], Array]: ...
