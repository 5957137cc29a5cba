"""`WithStatic`: sequences with static features, selected together."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils import resample, shuffle

from skrnn import RaggedArray, WithStatic
from tests.helpers.forms import OnDisk, ragged

N = 4
SEQUENCES = {
    "array": lambda: np.arange(24.0).reshape(N, 3, 2),
    "table": lambda: np.arange(12.0).reshape(N, 3),
    "list": ragged,
    "RaggedArray": lambda: RaggedArray(np.concatenate(ragged()), [len(x) for x in ragged()]),
    "pandas": lambda: pd.DataFrame({"f": [x[:, 0].tolist() for x in ragged()]}, index=list("abcd")),
    "polars": lambda: pl.DataFrame({"f": [x[:, 0].tolist() for x in ragged()]}),
    "Arrow": lambda: pa.table({"f": [x[:, 0].tolist() for x in ragged()]}),
}
AGES = [61.0, 34.0, 45.0, 70.0]
STATIC = {
    "array": lambda: np.array(AGES)[:, np.newaxis],
    "1-D": lambda: np.array(AGES),
    "list": lambda: AGES,
    "rows": lambda: [[age] for age in AGES],
    "pandas": lambda: pd.DataFrame({"age": AGES}, index=[9, 8, 7, 6]),
    "series": lambda: pd.Series(AGES, name="age"),
    "polars": lambda: pl.DataFrame({"age": AGES}),
    "Arrow": lambda: pa.table({"age": AGES}),
}


def numbers(table):
    return np.ravel(np.column_stack([np.asarray(column) for column in table.columns])
                    if hasattr(table, "column_names") else np.asarray(table)).tolist()


def first_steps(sequences):
    cells = sequences["f"].to_pylist() if isinstance(sequences, pa.Table) else (
        list(sequences["f"]) if hasattr(sequences, "columns") else sequences
    )
    return [float(np.ravel(np.asarray(x))[0]) for x in cells]


@pytest.mark.parametrize("static", STATIC)
@pytest.mark.parametrize("sequences", SEQUENCES)
class TestSelection:
    @pytest.mark.parametrize("key", [[2, 0], np.array([2, 0]), slice(1, 3), np.array([True, False, False, True])])
    def test_rows_go_together(self, sequences, static, key):
        X = WithStatic(SEQUENCES[sequences](), STATIC[static]())
        chosen, rows = X[key], np.arange(N)[key]
        assert isinstance(chosen, WithStatic)
        assert chosen.shape == (len(rows),)
        assert numbers(chosen.static) == [AGES[i] for i in rows]
        assert first_steps(chosen.sequences) == [first_steps(X.sequences)[i] for i in rows]
        assert chosen.static_names == X.static_names

    def test_one_is_a_pair(self, sequences, static):
        X = WithStatic(SEQUENCES[sequences](), STATIC[static]())
        _, last = X[-1]
        assert numbers(last) == AGES[-1:]
        assert len(list(X)) == N

    def test_pickles(self, sequences, static):
        X = pickle.loads(pickle.dumps(WithStatic(SEQUENCES[sequences](), STATIC[static]())))
        assert (len(X), numbers(X.static)) == (N, AGES)


@pytest.mark.parametrize("split", [
    lambda X: train_test_split(X, random_state=0)[0],
    lambda X: shuffle(X, random_state=0),
    lambda X: resample(X, random_state=0),
    lambda X: X[next(KFold(2).split(X))[0]],
    lambda X: X[next(StratifiedKFold(2).split(X, [0, 0, 1, 1]))[0]],
])
def test_splitters_of_scikit_learn(split):
    X = WithStatic([np.full((2, 1), age) for age in AGES], AGES, ["age"])
    part = split(X)
    assert [float(x[0, 0]) for x in part.sequences] == part.static[:, 0].tolist()


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(IndexError, match="the mask has 2 entries, but there are 4 sequences"):
        WithStatic(ragged(), AGES)[np.array([True, False])]


@pytest.mark.parametrize("key", ["age", 1.5, (0, 1), 4])
def test_other_keys_are_refused(key):
    with pytest.raises(IndexError):
        WithStatic(ragged(), AGES)[key]


def test_names():
    assert WithStatic(ragged(), AGES, ["age"]).static_names == ["age"]
    assert WithStatic(ragged(), AGES).static_names is None
    assert WithStatic(ragged(), pd.DataFrame({"age": AGES})).static_names == ["age"]
    assert repr(WithStatic(ragged(), AGES, ["age"])) == "WithStatic of 4 sequences and 1 static feature: age"


def test_numbers_beside_strings_stay_numbers():
    assert WithStatic(ragged(), [["a", 1], ["b", 2], ["a", 3], [None, 4]]).static[:, 1].tolist() == [1, 2, 3, 4]


def test_strings_may_look_like_numbers():
    for static in (np.array(["1", "2", "3", "1"]), np.array([["a", "1"]] * 4).astype(object)):
        assert WithStatic(ragged(), static).static[0, -1] == "1"


def test_a_batch_of_arrow():
    X = WithStatic(ragged(), pa.RecordBatch.from_pydict({"age": AGES}))
    assert X.static_names == ["age"]
    assert X[[2]].static.column("age").to_pylist() == [AGES[2]]


@pytest.mark.parametrize("key", [1, (1,), (1, ...)])
def test_a_tuple_of_a_key_is_the_key(key):
    x, static = WithStatic(ragged(), AGES)[key]
    assert x.tobytes() == ragged()[1].tobytes()
    assert static.tolist() == [AGES[1]]


def test_sequences_that_are_read_on_demand():
    X = WithStatic(OnDisk(ragged()), AGES)
    assert [len(x) for x in X[[3, 1]].sequences] == [len(ragged()[i]) for i in (3, 1)]


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((ragged(), AGES[:3]), ValueError, "static has 3 rows, but there are 4 sequences"),
    ((ragged(), AGES, ["a", "b"]), ValueError, "static_names has 2 names, but static has 1 columns"),
    ((ragged(), [[1, 2]] * 4, ["a", "a"]), ValueError, "expected different names"),
    ((ragged(), AGES, "age"), TypeError, "expected a list of names"),
    ((ragged(), np.ones((4, 1, 1))), ValueError, r"static has shape \(4, 1, 1\)"),
    ((3, AGES), TypeError, "sequences is a int"),
    ((WithStatic(ragged(), AGES), AGES), TypeError, "is a WithStatic already"),
    ((ragged(), None), TypeError, r"static is None, expected an array \(n, features\), or a data frame"),
    ((ragged(), "abcd"), TypeError, r"static is 'abcd', expected an array \(n, features\), or a data frame"),
    ((ragged(), csr_matrix(np.ones((4, 1)))), TypeError, r"Sparse data was passed for static; use static.toarray\(\)"),
    ((ragged(), pd.DataFrame(index=range(4))), ValueError, "static has no columns"),
    ((ragged(), np.array([["a", 1.5]] * 4)), ValueError, "array of strings, also of numbers in column 1, '1.5'"),
    ((ragged(), np.column_stack([AGES, list("abba")])), ValueError, "array of strings, also of numbers in column 0"),
])
def test_what_does_not_go_together_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        WithStatic(*arguments)
