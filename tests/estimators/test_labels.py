"""Labels of any type in any container: the classes, predictions and scores of plain arrays, with and without gaps."""

import datetime
from copy import deepcopy
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import product

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import as_object_array
from pairwise import pairwise
from sklearn.metrics import accuracy_score, f1_score

from skrnn import RNNClassifier, RNNRegressor, concatenate_steps, make_sequence_scorer, split_steps

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::sklearn.exceptions.DataConversionWarning"
)
nan = np.nan
N, T = 18, 3
X = np.random.default_rng(0).normal(size=(N, T, 1))
CODES = (X[:, :, 0] > 0).astype(int)
Colour = Enum("Colour", "RED BLUE")
LABELS = {"integers": [0, 1], "negative": [-5, 2], "bools": [False, True], "strings": ["a", "b"]}


def net(**parameters):
    return RNNClassifier(3, cell="gru", max_iter=2, random_state=0, **parameters)


OF_SEQUENCES = {
    "list": list,
    "tuple": tuple,
    "objects": lambda y: np.array(y, dtype=object),
    "column": lambda y: np.array(y, dtype=object)[:, np.newaxis],
    "Series": pd.Series,
    "Series of objects": lambda y: pd.Series(y, dtype=object),
    "nullable": lambda y: pd.Series(y).convert_dtypes(),
    "nullable array": lambda y: pd.Series(y).convert_dtypes().array,
    "pyarrow dtype": lambda y: pd.Series(y).convert_dtypes(dtype_backend="pyarrow"),
    "category": lambda y: pd.Series(y, dtype="category"),
    "Categorical": pd.Categorical,
    "Index": pd.Index,
    "frame": lambda y: pd.DataFrame({"y": y}).convert_dtypes(),
    "polars": pl.Series,
    "polars frame": lambda y: pl.DataFrame({"y": y}),
    "Arrow": pa.array,
    "Arrow chunks": lambda y: pa.chunked_array([y[:5], y[5:]]),
    "Arrow dictionary": lambda y: pa.array(y).dictionary_encode(),
    "Arrow table": lambda y: pa.table({"y": y}),
    "awkward": ak.Array,
}


@cache
def fitted_to_arrays(kind, per_step, gaps="none"):
    """Fitted to labels in an array, with weights of 0 where they are missing; and its score."""
    labels = np.array(LABELS[kind])[CODES if per_step else CODES[:, 0]]
    weights = steps(kind, gaps)[1] if per_step else None
    model = net(return_sequences=per_step).fit(X, labels, None if gaps == "none" else weights)
    return model, model.score(X, labels, weights)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("form", OF_SEQUENCES)
def test_of_sequences_are_those_of_an_array(form, kind):
    y = [LABELS[kind][code] for code in CODES[:, 0]]
    given = OF_SEQUENCES[form](y)
    (expected, score), actual = fitted_to_arrays(kind, False), net().fit(X, given)
    assert actual.classes_.tolist() == expected.classes_.tolist() == LABELS[kind]
    assert actual.predict_proba(X).tobytes() == expected.predict_proba(X).tobytes()
    assert actual.score(X, given) == score
    if kind != "strings":
        assert actual.classes_.dtype == expected.classes_.dtype


@pytest.mark.parametrize("form", OF_SEQUENCES)
def test_a_missing_one_of_a_sequence_is_named(form):
    y = CODES[:, 0].tolist()
    y[4] = None
    with pytest.raises(ValueError, match=r"^Input y contains (a missing label|NaN): y\[4\]"):
        net().fit(X, OF_SEQUENCES[form](y))


@pytest.mark.parametrize("classes", [np.array([0, 1], object), pd.Series([0, 1], dtype="Int64"), pa.array([0, 1])])
def test_classes_of_partial_fit(classes):
    y = CODES[:, 0]
    expected = net().partial_fit(X, y, classes=[0, 1]).predict_proba(X).tobytes()
    actual = net().partial_fit(X, y.astype(object), classes=classes)
    assert actual.classes_.dtype.kind == "i"
    assert actual.predict_proba(X).tobytes() == expected


OF_STEPS = {
    "lists": lambda y: y,
    "tuples": lambda y: tuple(map(tuple, y)),
    "objects": lambda y: np.array(y, dtype=object),
    "lists as objects": as_object_array,
    "object rows": lambda y: [np.array(row, dtype=object) for row in y],
    "frame of objects": lambda y: pd.DataFrame(y, dtype=object),
    "nullable frame": lambda y: pd.DataFrame(y).convert_dtypes(),
    "frame of pyarrow": lambda y: pd.DataFrame(y).convert_dtypes(dtype_backend="pyarrow"),
    "categories": lambda y: pd.DataFrame(y, dtype=object).astype("category"),
    "polars frame": lambda y: pl.DataFrame(y, schema=["a", "b", "c"], orient="row"),
    "Arrow table": lambda y: pa.table([pa.array(step) for step in zip(*y, strict=True)], names=["a", "b", "c"]),
    "Arrow dictionaries": lambda y: pa.table(
        [pa.array(step).dictionary_encode() for step in zip(*y, strict=True)], names=["a", "b", "c"]
    ),
    "column of lists": pd.Series,
    "polars lists": pl.Series,
    "Arrow lists": pa.array,
    "pandas Arrow lists": lambda y: pd.Series(pd.arrays.ArrowExtensionArray(pa.array(y))),
    "rows of Series": lambda y: [pd.Series(row, dtype=object).convert_dtypes() for row in y],
    "rows of categories": lambda y: [pd.Series(pd.Series(row, dtype=object), dtype="category") for row in y],
    "rows of pandas arrays": lambda y: [pd.Series(row, dtype=object).convert_dtypes().array for row in y],
    "rows of polars": lambda y: [pl.Series(row) for row in y],
    "rows of Arrow": lambda y: [pa.array(row) for row in y],
    "awkward": ak.Array,
}


def steps(kind, gaps):
    """Labels of steps as lists, with None where one is missing, and weights that are 0 there."""
    y = [[LABELS[kind][code] for code in row] for row in CODES.tolist()]
    weights = np.ones((N, T))
    if gaps != "none":
        y[0][1], weights[0, 1] = None, 0
    if gaps == "a sequence":
        y[4], weights[4] = [None] * T, 0
    return y, weights


@pytest.mark.parametrize("form", OF_SEQUENCES)
def test_of_a_warm_start_and_of_validation(form):
    y = CODES[:, 0].tolist()
    given = OF_SEQUENCES[form](y)
    continued = deepcopy(fitted_to_arrays("integers", False)[0]).set_params(warm_start=True)
    assert continued.fit(X, given).n_iter_ == 4
    stopped = net(early_stopping=True, scoring=None).fit(X, np.array(y), X_val=X, y_val=given)
    assert stopped.best_validation_score_ == stopped.score(X, y)


@pytest.mark.parametrize(
    ("form", "kind", "gaps"), pairwise(OF_STEPS, LABELS, ["none", "a step", "a sequence"])
)
def test_of_steps_are_those_of_an_array(form, kind, gaps):
    y, weights = steps(kind, gaps)
    given = OF_STEPS[form](y)
    expected, score = fitted_to_arrays(kind, True, gaps)
    actual = net(return_sequences=True).fit(X, given)
    assert actual.classes_.tolist() == LABELS[kind]
    if kind != "strings":
        assert actual.classes_.dtype == expected.classes_.dtype
    assert actual.predict_proba(X).tobytes() == expected.predict_proba(X).tobytes()
    assert actual.score(X, given) == pytest.approx(score)
    assert make_sequence_scorer(accuracy_score)(expected, X, given) == pytest.approx(score)
    whole, known = np.array(LABELS[kind])[CODES], weights > 0
    f1 = f1_score(whole[known], actual.predict(X)[known], average="macro")
    assert make_sequence_scorer(f1_score, average="macro")(actual, X, given) == pytest.approx(f1)


@pytest.mark.parametrize("form", OF_STEPS)
def test_of_steps_end_to_end_and_back(form):
    for kind, gaps in product(LABELS, ("none", "a step", "a sequence")):
        y, _ = steps(kind, gaps)
        given = OF_STEPS[form](y)
        flat, codes = concatenate_steps(given, CODES)
        assert flat.tolist() == [label for row in y for label in row if label is not None]
        assert flat.tolist() == np.array(LABELS[kind])[codes].tolist()
        assert kind == "strings" or flat.dtype == np.array(LABELS[kind]).dtype
        back = concatenate_steps(split_steps(flat, like=given))[0]
        assert back.tolist() == flat.tolist()


@pytest.mark.parametrize("gone", [None, nan, pd.NA, np.float32(nan), -1], ids=repr)
@pytest.mark.parametrize("container", [list, np.array, as_object_array])
def test_what_is_missing_in_ragged_rows(gone, container):
    """In a row that has only some of the labels, none, or −1 beside others."""
    lengths = [2 + i % 2 for i in range(N)]
    ragged = [x[:k] for x, k in zip(X, lengths, strict=True)]
    y = [row[:k].tolist() for row, k in zip(CODES, lengths, strict=True)]
    weights = [np.ones(k) for k in lengths]
    for i, t in ((0, 0), (3, 0), (3, 1), (3, 2), (5, 1)):
        weights[i][t] = 0
    expected = net(return_sequences=True).fit(ragged, y, weights)
    y[0][0] = y[3][0] = y[3][1] = y[3][2] = gone
    y[5][1] = -1
    rows = as_object_array(y) if container is as_object_array else [container(row) for row in y]
    actual = net(return_sequences=True).fit(ragged, rows)
    assert actual.classes_.tolist() == [0, 1]
    p, q = (np.concatenate(list(fitted.predict_proba(ragged))) for fitted in (actual, expected))
    assert p.tobytes() == q.tobytes()


@pytest.mark.parametrize("form", [
    lambda days: days.astype("M8[D]"), lambda days: days.astype("M8[ns]") - np.datetime64("2020-01-01", "ns"),
    lambda days: pd.Index(days.astype("M8[ns]")).astype(object), lambda days: days.astype("M8[D]").astype(object),
    lambda days: pd.Series(days.astype("M8[ns]")), lambda days: pd.Series(days.astype("M8[ns]")).array,
    lambda days: pd.PeriodIndex(days, freq="D").array, lambda days: pl.Series(days.astype("M8[D]")),
    lambda days: pa.array(days.astype("M8[D]")),
])
def test_dates_are_no_labels_in_any_container(form):
    days = np.array(["2020-01-01", "2020-01-02"])[CODES[:, 0]]
    error = " (has dtype .*: convert dates|has labels of type)"
    with pytest.raises(TypeError, match="^y" + error):
        net().fit(X, form(days))
    with pytest.raises(TypeError, match="^classes" + error):
        net().partial_fit(X, CODES[:, 0], classes=form(np.unique(days)))
    with pytest.raises(TypeError, match=r"^y(\[0\])?" + error):
        net(return_sequences=True).fit(X, [form(days[:T])] * N)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a", 1, None], "y mixes labels of the types int, str; expected one type"),
        (np.array(["a", 1, "b"], dtype=object), "y mixes labels of the types int, str; expected one type"),
        ([Decimal(1), Decimal(2), None], "y has labels of type Decimal, expected bools, integers"),
        ([2**70, 2**71, 2**70], "y has labels of type int, expected bools, integers of up to 64 bits"),
        ([datetime.date(2020, 1, 1)] * 3, "y has labels of type date, expected bools, integers"),
        ([Colour.RED, Colour.BLUE, None], "y has labels of type Colour, expected bools, integers"),
    ],
    ids=str,
)
def test_what_is_no_label_is_a_type_error(rows, message):
    with pytest.raises(TypeError, match=message):
        net(return_sequences=True).fit(X, [rows] * N)
    if None not in list(rows):
        with pytest.raises(TypeError, match=message):
            net().fit(X, np.array(list(rows) * (N // 3), dtype=object))


def test_other_labels_than_those_of_the_first_fit():
    y = CODES[:, 0]
    fitted = net(warm_start=True).fit(X, y)
    with pytest.raises(TypeError, match=r"y has labels of type str, expected int as in the classes \[0 1\]"):
        fitted.fit(X, np.where(y, "a", "b"))
    with pytest.raises(ValueError, match=r"y has the label 7, which is not among classes: \[0, 1\]; it is y\[2\]"):
        fitted.fit(X, np.where(np.arange(N) == 2, 7, y))
    with pytest.raises(TypeError, match=r"y\[1\] has labels of dtype <U1, expected int64 as in y\[0\]"):
        net(return_sequences=True).fit(X, [[0, 1, 0], ["a", "b", "a"]] * (N // 2))
    with pytest.raises(TypeError, match="classes mixes labels of the types int, str"):
        net().partial_fit(X, y, classes=[0, "a"])


def test_masked_labels_are_an_error():
    y = np.ma.array(CODES, mask=CODES == 1)
    for fitted, labels in ((net(), y[:, 0]), (net(return_sequences=True), y)):
        with pytest.raises(ValueError, match="y has masked values; fill them"):
            fitted.fit(X, labels)


def test_minus_one_is_a_number_to_a_regressor():
    fitted = RNNRegressor(3, max_iter=1, return_sequences=True).fit(X, X[..., 0])
    assert make_sequence_scorer(lambda y, p: len(y))(fitted, X, np.full((N, T), -1)) == N * T
