"""X as partitions of Dask's collections, and what goes with it in memory."""

from dataclasses import dataclass

import dask
import dask.array as da
import dask.dataframe as dd
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from dask.bag import Bag
from dask.dataframe.dispatch import concat as concat_frames
from dask.delayed import Delayed
from distributed import Future, futures_of

from skrnn._data.ragged import RaggedArray
from skrnn._data.ragged import gathered as steps_of
from skrnn._data.schemas import in_column
from skrnn._data.with_static import WithStatic

EXPECTED = (
    "expected a Dask DataFrame, Series, Array or Bag, or a list of delayed parts, each of which is an X as one process "
    "takes it"
)
MAX_SHARDS = 64
AS_LISTS = (
    'if its cells are lists, Dask has made text of them: set dask.config.set({"dataframe.convert-string": False}) '
    "before the frame is made, or hold them as lists of Arrow, pd.ArrowDtype(pa.list_(pa.float64()))"
)


@dataclass(frozen=True)
class Partitions:
    """X in parts, each of which is an X as one process reads it.

    Parameters
    ----------
    parts : list of Delayed
        In order.
    """

    parts: list

    def __len__(self):
        return len(self.parts)

    def shards(self, n_shards):
        """The parts of each shard, a list of lists: neighbours, as many for each as can be.

        Parameters
        ----------
        n_shards : int or "auto"
            "auto": one for each part, at most `MAX_SHARDS`.
        """
        n = min(len(self), MAX_SHARDS) if n_shards == "auto" else int(n_shards)
        if n > len(self):
            raise ValueError(
                f"n_shards={n_shards}, but X has {len(self)} partitions: expected at most as many, or repartition X"
            )
        ends = np.arange(1, n + 1) * len(self) // n
        return [self.parts[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def is_partitioned(values):
    """Whether values are held by Dask: a collection, or a list of delayed parts or futures."""
    if isinstance(values, list | tuple):
        return any(isinstance(part, Delayed | Future) for part in values)
    return isinstance(values, Future) or dask.is_dask_collection(values)


def partitions_of(X, name="X"):
    """The partitions of X.

    Parameters
    ----------
    X : Dask DataFrame, Series, Array or Bag, or list of Delayed or Future
    name : str
        What messages call it.

    Raises
    ------
    TypeError
        For anything else, saying what to do.
    ValueError
        For frames of texts, and for no parts at all.
    """
    if isinstance(X, dd.DataFrame | dd.Series):
        check_holds_lists(X, name)
        parts = _parts_of(X)
    elif isinstance(X, da.Array):
        parts = _parts_of(in_rows(X, name)).ravel().tolist()
    elif isinstance(X, Bag):
        parts = _parts_of(X.map_partitions(list))
    elif isinstance(X, list | tuple) and is_partitioned(X):
        parts = _delayed_parts(X, name)
    else:
        raise TypeError(f"{name} is a {_kind(X)}, {EXPECTED}{_remedy(X)}")
    if not parts:
        raise ValueError(f"{name} has no partitions")
    return Partitions(parts)


def in_rows(X, name="X"):
    """A Dask Array whose chunks are whole rows."""
    if not X.ndim:
        raise ValueError(f"{name} is a Dask Array without a dimension, expected (sequences, steps, features)")
    return X.rechunk(dict.fromkeys(range(1, X.ndim), -1)) if max(X.numblocks[1:], default=1) > 1 else X


def gathered(values, client, name):
    """Values in the memory of this process: those that Dask holds are computed, and their parts put together.

    Parameters
    ----------
    values : Dask collection, list of Delayed or Future, or anything else, which stays as it is
    client : Client, or None
        Where they are computed.
    name : str
        What messages call them.
    """
    if not is_partitioned(values):
        return values
    if isinstance(values, list | tuple):
        return concatenated(compute(_delayed_parts(values, name), client))
    if isinstance(values, Delayed | Future):
        raise TypeError(f"{name} is a {_kind(values)}, expected a list of delayed parts, [{name}]")
    return compute(values, client)


def compute(values, client):
    """What Dask computes of values, on the cluster of a client, or, if it is None, as Dask does without one."""
    return dask.compute(values)[0] if client is None else client.compute(values, sync=True)


def concatenated(parts):
    """The samples of parts that are in memory, one after the other, in a container that the estimators read alike."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if all(isinstance(part, WithStatic) for part in parts):
        sequences, static = (concatenated([getattr(part, name) for part in parts]) for name in ("sequences", "static"))
        return WithStatic(sequences, static, first.static_names)
    if all(isinstance(part, pd.DataFrame | pd.Series) for part in parts):
        return concat_frames(parts)
    if all(isinstance(nw.from_native(part, pass_through=True), nw.DataFrame) for part in parts):
        return nw.concat([nw.from_native(part) for part in parts]).to_native()
    if all(isinstance(part, np.ndarray) for part in parts) and _go_together(parts):
        return np.concatenate(parts)
    if all(isinstance(part, RaggedArray) for part in parts) and _go_together([part.values for part in parts]):
        values = np.concatenate([steps_of(part.values, part.starts, part.lengths) for part in parts])
        return RaggedArray(values, np.concatenate([part.lengths for part in parts]), None, first.feature_names)
    return [sample for part in parts for sample in part]


def _go_together(arrays):
    """Whether arrays are of one shape but for their lengths, and all of numbers or all of the same kind of others."""
    kinds = {"number" if array.dtype.kind in "iuf" else array.dtype.kind for array in arrays}
    return len({array.shape[1:] for array in arrays}) == len(kinds) == 1


def _parts_of(collection):
    """The partitions of a collection, delayed: an optimized graph of what is in the memory of workers names no futures.
    """
    return collection.to_delayed(optimize_graph=not futures_of(collection))


def _delayed_parts(values, name):
    """A list of delayed parts, of which some may be futures."""
    others = [i for i, part in enumerate(values) if not isinstance(part, Delayed | Future)]
    if others:
        kind = type(values[others[0]]).__name__
        raise TypeError(f"{name}[{others[0]}] is a {kind}, expected a delayed part as the others of {name}")
    return [dask.delayed(part) for part in values]


def check_holds_lists(frame, name):
    """Raise a ValueError for a frame of which Dask has, by its default, made text of what were lists."""
    dtypes = list(frame.dtypes.items()) if isinstance(frame, dd.DataFrame) else [(frame.name, frame.dtype)]
    texts = [column for column, dtype in dtypes if isinstance(dtype, pd.StringDtype)]
    if texts and not any("object" in str(dtype) or "list" in str(dtype) for _, dtype in dtypes):
        raise ValueError(f"{name}{in_column(texts[0])} holds text, and no column of {name} holds lists: {AS_LISTS}")


def _kind(values):
    """The name of a type, as users know it."""
    return "Delayed" if isinstance(values, Delayed) else type(values).__name__


def _remedy(X):
    """What to do with an X that is not partitioned."""
    if isinstance(X, Delayed | Future):
        return ": of a single part pass the list [X]"
    if isinstance(X, np.ndarray):
        return ". This one is in memory: fit the estimator of one process, or pass dask.array.from_array(X, chunks=...)"
    if isinstance(X, pd.DataFrame | pd.Series):
        return (
            ". This one is in memory: fit the estimator of one process, or pass dask.dataframe.from_pandas(X, "
            "npartitions=...)"
        )
    if isinstance(X, list | tuple | RaggedArray | WithStatic):
        return (
            ". This one is in memory: fit the estimator of one process, or pass [dask.delayed(part) for part in parts] "
            "of its parts"
        )
    return ""
