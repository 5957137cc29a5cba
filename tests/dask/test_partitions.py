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
    together = concatenated(parts, "X")
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
    (da.zeros((4, 6, 2), chunks=3)[:, da.arange(6, chunks=3) > 1], r"axis 1: .*X\.compute_chunk_sizes\(\)"),
], ids=["frame", "series", "list", "scalar", "unknown sizes"])
def test_what_cannot_be_read_is_refused(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        partitions_of(X)


def test_lists_of_arrow_and_texts_beside_them_are_no_mistake():
    table = LISTS.assign(a=LISTS["a"].astype(OF_ARROW), place=[None, *"xyxyx", *4 * ["[1, 2]"]])[["a", "place"]]
    parts = dask.compute(*partitions_of(dd.from_pandas(table, npartitions=2)).parts, scheduler="sync")
    assert pd.concat(parts)["place"].dropna().tolist() == table["place"].dropna().tolist()


@pytest.mark.parametrize("lists", [LISTS["b"], LISTS["b"].map(list), LISTS["b"].map(lambda x: [x[0]])])
def test_texts_of_lists_beside_lists_of_arrow_are_refused(lists):
    frame = dd.from_pandas(LISTS[["age"]].assign(a=LISTS["a"].astype(OF_ARROW), b=lists.where(LISTS["age"] > 4)), 2)
    parts = partitions_of(frame).parts
    assert len(parts[0].compute(scheduler="sync")) == 5
    with pytest.raises(ValueError, match=r"partition 1 of X holds the text '\[.*in the column 'b': .*convert-string"):
        parts[1].compute(scheduler="sync")


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
        (found,), counts = gathered({"y": lazy}, None)
    assert type(found) is type(y)
    assert counts == ({} if as_collection else {"y": [5, 5]})
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
    together = concatenated(parts, "X")
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
    (found,), _ = gathered({"y": y}, None)
    assert found is y
    with pytest.raises(TypeError, match="y is a Delayed, expected a list of delayed parts"):
        gathered({"y": dask.delayed(y)}, None)


@pytest.mark.parametrize(("parts", "message"), [
    ([RaggedArray(np.ones((3, 2)), [3], feature_names=names) for names in (["a", "b"], ["b", "a"])],
     r"X_val\[1\] has the features \['b', 'a'\], expected \['a', 'b'\]"),
    ([WithStatic(CUBE[:1], [[1, 2]], names) for names in (["u", "v"], ["v", "u"])],
     r"X_val\[1\] has the features \['v', 'u'\]"),
    ([CUBE[:1], LISTS[:1]], r"X_val\[1\] is a DataFrame, and X_val\[0\] a ndarray"),
    ([LISTS[:1], LISTS[:1], CUBE[:1]], r"X_val\[2\] is a ndarray, and X_val\[0\] a DataFrame"),
    ([WithStatic(CUBE[:1], [1]), CUBE[:1]], r"X_val\[1\] is a ndarray, and X_val\[0\] a WithStatic"),
], ids=["ragged", "static", "frame behind", "frame before", "without static"])
def test_parts_that_do_not_go_together_are_refused(parts, message):
    with pytest.raises((TypeError, ValueError), match=message):
        concatenated(parts, "X_val")


def test_masks_are_kept():
    parts = [np.ma.masked_equal(np.arange(3), 1), np.arange(2)]
    assert concatenated(parts, "y").mask.tolist() == [False, True, False, False, False]


def test_what_values_have_in_common_is_computed_once():
    calls = []

    def table():
        calls.append(1)
        return LISTS

    with dask.config.set(scheduler="sync"):
        frame = dask.delayed(table)()
        (y, weights, other), _ = gathered({"y": [frame["age"]], "sample_weight": [frame["a"]], "groups": None}, None)
    assert (len(y), len(weights), other, len(calls)) == (10, 10, None, 1)


def test_parts_are_as_long_as_what_goes_with_them():
    X = partitions_of([dask.delayed(CUBE[chunk]) for chunk in CHUNKS])
    assert X.as_long_as({"y": [4, 4, 2]}) is X          # other parts: the values go with all sequences, in order
    assert [len(part) for part in dask.compute(*X.as_long_as({"y": [5, 5]}).parts, scheduler="sync")] == [5, 5]
    assert X.as_long_as({"y": [None, 5]}).parts[0].compute(scheduler="sync") is not None
    assert partitions_of(da.from_array(CUBE, chunks=(5, 6, 2))).as_long_as({"y": [4, 6]}).are_listed is False
    with pytest.raises(ValueError, match="partition 1 of X has 5 sequences, and partition 1 of groups 6: expected as"):
        dask.compute(*X.as_long_as({"y": [5, 5], "groups": [5, 6]}).parts, scheduler="sync")
