"""X as partitions of Dask's collections, and what goes with it in memory."""

from dataclasses import dataclass
from itertools import chain

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
from skrnn._data.with_static import WithStatic, n_rows
from skrnn._messages import shown

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
    are_listed : bool
        Whether X is a list of these parts, and what goes with it may be a list of as many.
    """

    parts: list
    are_listed: bool = False

    def __len__(self):
        return len(self.parts)

    def n_shards(self, n_shards):
        """How many shards there are, of which each has a part at least.

        Parameters
        ----------
        n_shards : int or "auto"
            "auto": one for each part, at most `MAX_SHARDS`.
        """
        if n_shards == "auto":
            return min(len(self), MAX_SHARDS)
        if n_shards > len(self):
            raise ValueError(
                f"n_shards={n_shards}, but X has {len(self)} partitions: expected at most as many, or repartition X"
            )
        return int(n_shards)

    def shards(self, n_shards):
        """The parts of each shard, a list of lists: neighbours, as many for each as can be."""
        n = self.n_shards(n_shards)
        ends = np.arange(1, n + 1) * len(self) // n
        return [self.parts[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def as_long_as(self, counts):
        """The same, whose parts are errors where what is listed beside them has another length.

        Parameters
        ----------
        counts : dict
            By name the lengths of the parts of what goes with X; those that have as many parts as X are looked at.
        """
        if not self.are_listed:
            return self
        lengths = {name: lengths for name, lengths in counts.items() if len(lengths) == len(self)}
        if not lengths:
            return self
        check = dask.delayed(_of_lengths)
        return Partitions([
            check(part, number, {name: of_parts[number] for name, of_parts in lengths.items()})
            for number, part in enumerate(self.parts)
        ], self.are_listed)


def _of_lengths(part, number, lengths):
    """A part of X; a ValueError if what goes with it has another length."""
    for name, n in lengths.items():
        check_lengths([_n_rows(part)], [n], "X", name, number)
    return part


def check_lengths(counts, others, name, other, first=0):
    """Raise a ValueError that names the first of as many partitions that go together whose lengths differ.

    Parameters
    ----------
    counts, others : list of int or None
        None is that of what has no length.
    name, other : str
        What messages call them.
    first : int
        The number of the first of the partitions.
    """
    if len(counts) != len(others):
        return
    for number, (n, expected) in enumerate(zip(counts, others, strict=True), first):
        if None not in (n, expected) and n != expected:
            raise ValueError(
                f"partition {number} of {name} has {n} sequences, and partition {number} of {other} {expected}: "
                "expected as many in both"
            )


def _n_rows(part):
    """The length of a part; None of what has none."""
    return n_rows(part) if hasattr(part, "__len__") or hasattr(part, "shape") else None


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
        parts = _parts_of(without_texts_of_lists(X, name))
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
    return Partitions(parts, isinstance(X, list | tuple))


def in_rows(X, name="X"):
    """A Dask Array whose chunks are whole rows."""
    if not X.ndim:
        raise ValueError(f"{name} is a Dask Array without a dimension, expected (sequences, steps, features)")
    if max(X.numblocks[1:], default=1) == 1:
        return X
    check_known_sizes(X, name)
    return X.rechunk(dict.fromkeys(range(1, X.ndim), -1))


def check_known_sizes(X, name="X"):
    """Raise a ValueError that names the first axis, but that of the sequences, along which sizes are not known."""
    axis = next((axis for axis in range(1, X.ndim) if np.isnan(X.shape[axis])), None)
    if axis is not None:
        raise ValueError(
            f"{name} has chunks of unknown sizes along axis {axis}: expected known sizes, but for the number of "
            f"sequences; {name}.compute_chunk_sizes() finds them"
        )


def gathered(values, client):
    """Values in the memory of this process: those that Dask holds are computed, and their parts put together.

    What they have in common is computed once.

    Parameters
    ----------
    values : dict
        By the names that messages call them: Dask collections, lists of Delayed or Future, or anything else, which
        stays as it is.
    client : Client, or None
        Where they are computed.

    Returns
    -------
    gathered : list
    counts : dict
        The lengths of the parts of those that are lists of parts, by name.
    """
    lazy = {name: _lazy_parts(value, name) for name, value in values.items() if is_partitioned(value)}
    found = iter(compute(list(chain(*lazy.values())), client))
    lazy = {name: [next(found) for _ in parts] for name, parts in lazy.items()}
    of_lists = {name: parts for name, parts in lazy.items() if isinstance(values[name], list | tuple)}
    counts = {name: list(map(_n_rows, parts)) for name, parts in of_lists.items()}
    return [concatenated(lazy[name], name) if name in lazy else value for name, value in values.items()], counts


def _lazy_parts(values, name):
    """What Dask has to compute of values, a list."""
    if isinstance(values, list | tuple):
        return _delayed_parts(values, name)
    if isinstance(values, Delayed | Future):
        raise TypeError(f"{name} is a {_kind(values)}, expected a list of delayed parts, [{name}]")
    return [values]


def compute(values, client):
    """What Dask computes of a list, on the cluster of a client, or, if it is None, as Dask does without one."""
    return list(dask.compute(*values)) if client is None else client.compute(values, sync=True)


def concatenated(parts, name):
    """The samples of parts that are in memory, one after the other, in a container that the estimators read alike.

    Raises
    ------
    TypeError, ValueError
        For frames beside others, and for parts whose features have other names, naming the first.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    if all(isinstance(part, WithStatic) for part in parts):
        _check_names([part.static_names for part in parts], name)
        sequences, static = (
            concatenated([getattr(part, which) for part in parts], f"{name}.{which}")
            for which in ("sequences", "static")
        )
        return WithStatic(sequences, static, first.static_names)
    if all(isinstance(part, pd.DataFrame | pd.Series) for part in parts):
        return concat_frames(parts)
    if all(_is_frame(part) for part in parts):
        return nw.concat([nw.from_native(part) for part in parts]).to_native()
    other = next((i for i, part in enumerate(parts) if _is_frame(part) or isinstance(part, WithStatic)), None)
    if other is not None:
        i = other or next(i for i, part in enumerate(parts) if type(part) is not type(first))
        raise TypeError(f"{name}[{i}] is a {_kind(parts[i])}, and {name}[0] a {_kind(first)}: expected parts of a kind")
    if all(isinstance(part, np.ndarray) for part in parts) and _go_together(parts):
        masked = any(isinstance(part, np.ma.MaskedArray) for part in parts)
        return np.ma.concatenate(parts) if masked else np.concatenate(parts)
    if all(isinstance(part, RaggedArray) for part in parts) and _go_together([part.values for part in parts]):
        _check_names([part.feature_names for part in parts], name)
        values = np.concatenate([steps_of(part.values, part.starts, part.lengths) for part in parts])
        return RaggedArray(values, np.concatenate([part.lengths for part in parts]), None, first.feature_names)
    return [sample for part in parts for sample in part]


def _is_frame(part):
    return isinstance(nw.from_native(part, pass_through=True), nw.DataFrame)


def _check_names(names, of):
    """Raise a ValueError that names the first part whose features are others than those of the first one."""
    i = next((i for i, each in enumerate(names) if each != names[0]), None)
    if i is not None:
        raise ValueError(f"{of}[{i}] has the features {names[i]}, expected {names[0]} as in {of}[0]")


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
    texts = _texts_in(frame)
    dtypes = frame.dtypes if isinstance(frame, dd.DataFrame) else [frame.dtype]
    if texts and not any("object" in str(dtype) or "list" in str(dtype) for dtype in dtypes):
        raise ValueError(f"{name}{in_column(texts[0])} holds text, and no column of {name} holds lists: {AS_LISTS}")


def without_texts_of_lists(frame, name):
    """The same frame or series; computing it is a ValueError where a column begins with the text of a list."""
    texts = _texts_in(frame) if isinstance(frame, dd.DataFrame) else []
    return frame.map_partitions(_without_texts_of_lists, texts, name, meta=frame._meta) if texts else frame


def _texts_in(frame):
    """The columns of text of a Dask frame or series."""
    dtypes = frame.dtypes.items() if isinstance(frame, dd.DataFrame) else [(frame.name, frame.dtype)]
    return [column for column, dtype in dtypes if isinstance(dtype, pd.StringDtype)]


def _without_texts_of_lists(part, texts, name, partition_info):
    """A partition of a frame; a ValueError if a column of text begins with that of a list."""
    for column in texts:
        first = next(iter(part[column].dropna().iloc[:1]), "")
        # of two numbers and a comma it may be an interval, which is a category
        if first.startswith("[") and first.endswith("]") and first.count(",") != 1:
            raise ValueError(
                f"partition {partition_info['number']} of {name} holds the text {shown(first)}{in_column(column)}: "
                f"{AS_LISTS}"
            )
    return part


def _kind(values):
    """The name of a type, as users know it."""
    return "Delayed" if isinstance(values, Delayed) else type(values).__name__


def _remedy(X):
    """What to do with an X that is not partitioned."""
    if isinstance(X, np.ndarray) and X.dtype == object and X.size and is_partitioned([X.flat[0]]):
        return ": of an array of delayed parts pass the list X.ravel().tolist()"
    if isinstance(X, list | tuple) and any(map(dask.is_dask_collection, X)):
        return ": put collections together by dask.array.concatenate or dask.dataframe.concat"
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
