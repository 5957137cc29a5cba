"""The same kind of data in every form that X may have."""

import awkward
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from skrnn import RaggedArray
from skrnn._data.containers import as_sequences

LENGTHS = [5, 1, 8, 3]


def ragged(n_features=3, dtype=np.float64):
    """Four sequences whose features have different means and deviations."""
    rng = np.random.default_rng(0)
    scale, shift = np.arange(1, n_features + 1) ** 2, np.arange(n_features) * 10 - 5
    return [(rng.normal(size=(length, n_features)) * scale + shift).astype(dtype) for length in LENGTHS]


def array(n_features=3):
    rng = np.random.default_rng(1)
    return rng.normal(size=(6, 4, n_features)) * np.arange(1, n_features + 1) + 7


def as_object_array(sequences):
    out = np.empty(len(sequences), dtype=object)
    out[:] = sequences
    return out


def cells(sequences):
    return [x.tolist() for x in sequences]


def values_of(X):
    """All numbers of X, which transformers have returned, (total,)."""
    frame = hasattr(X, "iloc") or hasattr(X, "schema")
    return np.concatenate([np.ravel(x) for x in (as_sequences(X).values if frame else X)])


def frames(*columns):
    """A frame of three steps for each string, whose letters are the columns."""
    return [
        pd.DataFrame(np.arange(3.0 * len(names)).reshape(3, -1), columns=list(names)) for names in columns
    ]


class OnDisk:
    """A sequence object: it can be asked for its length and for one item at a time, and nothing else."""

    def __init__(self, items):
        self._items, self.read = list(items), []

    def __len__(self):
        return len(self._items)

    def __getitem__(self, i):
        if type(i) is not int:
            raise TypeError(f"only an int, not {i!r}")
        self.read.append(i)
        return self._items[i]


def shuffled():
    """The sequences of `ragged` as pieces of an array in which they lie in another order, between other rows."""
    sequences, order = ragged(), [2, 0, 3, 1]
    gap = np.full((1, 3), np.nan)
    values = np.concatenate([part for i in order for part in (gap, sequences[i])])
    starts = np.empty(4, int)
    starts[order] = np.cumsum([1, *(LENGTHS[i] + 1 for i in order[:-1])])
    return RaggedArray(values, LENGTHS, starts)


# X, n_steps, and the concatenated steps of X
FORMS = {
    "table": lambda: (array(1)[:, :, 0], None, array(1).reshape(-1, 1)),
    "table of blocks": lambda: (array().reshape(6, 12), 4, array().reshape(-1, 3)),
    "frame": lambda: (pd.DataFrame(array().reshape(6, 12)).add_prefix("c"), 4, array().reshape(-1, 3)),
    "rows": lambda: (array().reshape(6, 12).tolist(), 4, array().reshape(-1, 3)),
    "nested lists": lambda: (array().tolist(), None, array().reshape(-1, 3)),
    "array": lambda: (array(), None, array().reshape(-1, 3)),
    "list": lambda: (ragged(), None, np.concatenate(ragged())),
    "list of equal lengths": lambda: (list(array()), None, array().reshape(-1, 3)),
    "tuple": lambda: (tuple(ragged()), None, np.concatenate(ragged())),
    "list of lists": lambda: (cells(ragged()), None, np.concatenate(ragged())),
    "list of 1-D": lambda: ([x[:, 0] for x in ragged(1)], None, np.concatenate(ragged(1))),
    "object array": lambda: (as_object_array(ragged()), None, np.concatenate(ragged())),
    "RaggedArray": lambda: (RaggedArray(np.concatenate(ragged()), LENGTHS), None, np.concatenate(ragged())),
    "RaggedArray in another order": lambda: (shuffled(), None, np.concatenate(ragged())),
    "sequence object": lambda: (OnDisk(ragged()), None, np.concatenate(ragged())),
    "awkward array": lambda: (awkward.Array(cells(ragged())), None, np.concatenate(ragged())),
    "awkward array of numbers": lambda: (
        awkward.Array([x[:, 0] for x in ragged(1)]), None, np.concatenate(ragged(1))
    ),
    "pandas column": lambda: (pd.Series(cells(ragged())), None, np.concatenate(ragged())),
    "pandas columns": lambda: (
        pd.DataFrame({f"f{j}": cells(x[:, j] for x in ragged()) for j in range(3)}), None, np.concatenate(ragged())
    ),
    "polars column": lambda: (pl.Series(cells(ragged())), None, np.concatenate(ragged())),
    "polars columns": lambda: (
        pl.DataFrame({f"f{j}": cells(x[:, j] for x in ragged()) for j in range(3)}), None, np.concatenate(ragged())
    ),
    "polars column of one frame": lambda: (
        pl.DataFrame({"x": cells(ragged())}), None, np.concatenate(ragged())
    ),
    "Arrow array": lambda: (pa.array(cells(ragged())), None, np.concatenate(ragged())),
    "Arrow array of fixed lists": lambda: (
        pa.array(cells(ragged()), pa.list_(pa.list_(pa.float64(), 3))), None, np.concatenate(ragged())
    ),
    "Arrow column": lambda: (pa.table({"x": cells(ragged())}), None, np.concatenate(ragged())),
    "Arrow columns": lambda: (
        pa.table({f"f{j}": cells(x[:, j] for x in ragged()) for j in range(3)}), None, np.concatenate(ragged())
    ),
    "Arrow batch": lambda: (
        pa.record_batch({f"f{j}": cells(x[:, j] for x in ragged()) for j in range(3)}), None, np.concatenate(ragged())
    ),
    "Arrow table": lambda: (
        pa.table({f"c{j}": column for j, column in enumerate(array().reshape(6, 12).T)}), 4, array().reshape(-1, 3)
    ),
    "polars frame": lambda: (
        pl.DataFrame(array().reshape(6, 12), schema=[f"c{j}" for j in range(12)]), 4, array().reshape(-1, 3)
    ),
}
# Those that are one table: n_features_in_ is the number of columns, predictions are arrays.
TABLES = {"table", "rows", "table of blocks", "frame", "Arrow table", "polars frame"}
