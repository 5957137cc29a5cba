"""X in partitions, and what goes with it put together in memory."""

import dask
import dask.array as da
import dask.bag
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from same import assert_same

from skrnn import RaggedArray, WithStatic
from skrnn.dask._partitions import Partitions, concatenated, gathered, is_partitioned, partitions_of

CUBE = np.random.default_rng(0).normal(size=(10, 6, 2))
LISTS = pd.DataFrame({"a": list(CUBE[:, :, 0]), "b": list(CUBE[:, :, 1]), "age": range(10)})
OF_ARROW = pd.ArrowDtype(pa.list_(pa.float64()))


def frame(chunks):
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_delayed([dask.delayed(LISTS.iloc[chunk]) for chunk in chunks])


FORMS = {
    "array": lambda chunks: da.concatenate([da.from_array(CUBE[chunk], chunks=(-1, 4, 1)) for chunk in chunks]),
    "frame": frame,
    "series": lambda chunks: frame(chunks)["a"],
    "bag": lambda chunks: dask.bag.from_delayed([dask.delayed(list)(CUBE[chunk]) for chunk in chunks]).map(np.asarray),
    "delayed": lambda chunks: [dask.delayed(RaggedArray)(CUBE[chunk].reshape(-1, 2), [6] * 5) for chunk in chunks],
}
IN_MEMORY = {"frame": LISTS, "series": LISTS["a"], "delayed": RaggedArray(CUBE.reshape(-1, 2), [6] * 10)}
CHUNKS = [slice(5), slice(5, 10)]


@pytest.mark.parametrize("form", FORMS)
def test_partitions_are_in_order(form):
    X = FORMS[form](CHUNKS)
    parts = dask.compute(*partitions_of(X).parts, scheduler="sync")
    assert is_partitioned(X)
    assert list(map(len, parts)) == [5, 5]
    together = concatenated(parts)
    if form in ("frame", "series"):
        assert together.equals(IN_MEMORY[form])
    elif form == "delayed":
        assert_same(together, IN_MEMORY[form])
    else:
        assert np.array_equal(np.stack(list(together)), CUBE)


@pytest.mark.parametrize(("n_parts", "n_shards", "expected"), [
    (5, 2, [[0, 1], [2, 3, 4]]), (4, 4, [[0], [1], [2], [3]]), (3, 1, [[0, 1, 2]]), (3, "auto", [[0], [1], [2]]),
    (7, 3, [[0, 1], [2, 3], [4, 5, 6]]),
])
def test_shards_are_neighbours(n_parts, n_shards, expected):
    assert Partitions(list(range(n_parts))).shards(n_shards) == expected


def test_shards_are_not_too_many():
    assert len(Partitions(list(range(200))).shards("auto")) == 64
    with pytest.raises(ValueError, match="n_shards=4, but X has 3 partitions: expected at most as many"):
        Partitions([1, 2, 3]).shards(4)


@pytest.mark.parametrize(("X", "remedy"), [
    (CUBE, "dask.array.from_array"), (LISTS, "dask.dataframe.from_pandas"), ([CUBE[0], CUBE[1]], "dask.delayed"),
    (IN_MEMORY["delayed"], "dask.delayed"), (dask.delayed(CUBE), "pass the list"), (None, "list of delayed parts"),
], ids=lambda value: type(value).__name__)
def test_what_is_in_memory_is_refused(X, remedy):
    with pytest.raises(TypeError, match=f"X is a .*, expected a Dask DataFrame.*{remedy}"):
        partitions_of(X)


@pytest.mark.parametrize(("X", "message"), [
    (dd.from_pandas(LISTS[["a"]], npartitions=1), r"X in the column 'a' holds text, and no .*convert-string"),
    (dd.from_pandas(LISTS["a"], npartitions=1), "X in the column 'a' holds text.*convert-string"),
    ([dask.delayed(CUBE), CUBE], r"X\[1\] is a ndarray, expected a delayed part"),
    (da.zeros(()), "without a dimension"),
], ids=["frame", "series", "list", "scalar"])
def test_what_cannot_be_read_is_refused(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        partitions_of(X)


def test_lists_of_arrow_and_texts_beside_them_are_no_mistake():
    table = LISTS.assign(a=LISTS["a"].astype(OF_ARROW), place=list("xyxyxyxyxy"))[["a", "place"]]
    assert len(partitions_of(dd.from_pandas(table, npartitions=2))) == 2


LABELS = list("abcabcabca")


@pytest.mark.parametrize("y", [
    np.arange(10), np.array(LABELS), pd.Series(LABELS, dtype="category"), pd.Series(np.arange(10.0), name="y"),
    pd.DataFrame({"u": range(10), "v": LABELS}),
], ids=["ints", "texts", "categories", "series", "frame"])
@pytest.mark.parametrize("as_collection", [True, False])
def test_targets_are_gathered_as_they_would_be_in_memory(y, as_collection):
    rows = y.iloc if hasattr(y, "iloc") else y
    if not as_collection:
        lazy = [dask.delayed(rows[chunk]) for chunk in CHUNKS]
    elif hasattr(y, "iloc"):
        lazy = dd.from_pandas(y, npartitions=3)
    else:
        lazy = da.from_array(y, chunks=4)
    with dask.config.set(scheduler="sync"):
        found = gathered(lazy, None, "y")
    assert type(found) is type(y)
    assert np.array_equal(np.asarray(found), np.asarray(y))


@pytest.mark.parametrize("parts", [
    [RaggedArray(np.arange(5.0), [2, 3], feature_names=["a"]), RaggedArray(np.arange(9.0), [4], [3], ["a"])],
    [RaggedArray(np.ones((3, 1)), [3]), RaggedArray(np.ones((3, 2)), [3])],
    [WithStatic(CUBE[:3], LISTS[["age"]][:3]), WithStatic(CUBE[3:], LISTS[["age"]][3:])],
    [pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [3]})],
    [pa.table({"a": [1, 2]}), pa.table({"a": [3]})],
    [np.arange(3), np.array(["a", "b"])],
    [np.zeros((2, 3)), np.zeros((2, 4))],
    [[1, 2], [3]],
], ids=["ragged", "other features", "static", "polars", "Arrow", "other kinds", "other lengths", "lists"])
def test_parts_are_put_together(parts):
    together = concatenated(parts)
    assert len(together) == sum(map(len, parts))
    if isinstance(together, list):
        assert_same(together, [sample for part in parts for sample in part])
    else:
        assert type(together) is type(parts[0])
    if isinstance(together, RaggedArray):
        assert together.feature_names == ["a"]
        assert [x.tolist() for x in together] == [x.tolist() for part in parts for x in part]
    if isinstance(together, WithStatic):
        assert np.array_equal(together.sequences, CUBE)
        assert together.static["age"].tolist() == list(range(10))


def test_what_is_in_memory_stays():
    y = [1, 2, 3]
    assert gathered(y, None, "y") is y
    with pytest.raises(TypeError, match="y is a Delayed, expected a list of delayed parts"):
        gathered(dask.delayed(y), None, "y")
