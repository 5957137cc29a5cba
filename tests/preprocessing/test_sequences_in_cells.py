"""Tables with a sequence in every cell: frames, Arrow tables, and the object arrays that others make of them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import as_object_array
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn._data.containers import as_sequences
from skrnn.preprocessing import SequenceImputer, SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
LENGTHS, Y = (2, 3, 4, 5), [0, 1, 0, 1]


def frame(dtype=np.float64):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {name: [rng.normal(size=length).astype(dtype) * 9 for length in LENGTHS] for name in "ab"}, index=[3, 1, 4, 2]
    )


def polars_frame(frame):
    return pl.DataFrame({name: frame[name].tolist() for name in frame})


MAKE = {
    "pandas": lambda frame: frame, "polars": polars_frame, "Arrow": lambda frame: polars_frame(frame).to_arrow(),
    "object array": pd.DataFrame.to_numpy,
    "object array of lists": lambda frame: frame.map(np.ndarray.tolist).to_numpy(),
}


def steps(X):
    return as_sequences(X).values


@pytest.mark.parametrize("make", MAKE)
def test_are_the_same_net(make):
    X, plain = MAKE[make](frame()), [np.column_stack(row) for row in frame().to_numpy()]
    net, expected = RNNClassifier(**SMALL).fit(X, Y), RNNClassifier(**SMALL).fit(plain, Y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    np.testing.assert_array_equal(net.predict_proba(X[1:3]), expected.predict_proba(plain[1:3]))
    assert net.n_features_in_ == 2


def test_float32_stays_float32():
    for X in (frame(np.float32), frame(np.float32).to_numpy()):
        assert as_sequences(X).dtype == np.float32
    assert as_sequences(pd.concat([frame(np.float32)["a"], frame()["b"]], axis=1).to_numpy()).dtype == np.float64
    for make in ("pandas", "polars", "Arrow"):
        assert as_sequences(SequenceScaler().fit_transform(MAKE[make](frame(np.float32)))).dtype == np.float32


def test_a_column_of_sequences_of_several_features():
    cells = np.empty((4, 1), dtype=object)
    cells[:, 0] = as_object_array([np.column_stack(row) for row in frame().to_numpy()])
    np.testing.assert_array_equal(steps(cells), steps(frame()))
    for make in (np.asarray, lambda cells: pd.DataFrame(cells, columns=["s"])):
        out = SequenceScaler().fit_transform(make(cells))
        assert out.shape == (4, 1)
        np.testing.assert_allclose(steps(out), steps(SequenceScaler().fit_transform(frame())))
    for make in (polars_frame, lambda frame: polars_frame(frame).to_arrow()):
        out = SequenceScaler().fit_transform(make(pd.DataFrame({"s": [cell.tolist() for cell in cells[:, 0]]})))
        np.testing.assert_allclose(steps(out), steps(SequenceScaler().fit_transform(frame())))


@pytest.mark.parametrize(("value", "message"), [
    (5.0, r"X\[2\] in the column 1 has shape \(\), expected one number per step"),
    (None, r"X\[2\] in the column 1 is missing, expected a list"),
    (np.ones(9), r"X\[2\] holds lists of \[4, 9\] numbers"),
])
def test_a_wrong_cell_is_named(value, message):
    X = frame().to_numpy(copy=True)
    X[2, 1] = value
    with pytest.raises(ValueError, match=message):
        RNNClassifier(**SMALL).fit(X, Y)


@pytest.mark.parametrize(("value", "message"), [
    ({1.0, 2.0}, r"X\[2\] in the column 1 is a set, which has no order"),
    ({"a": 1.0}, r"X\[2\] in the column 1 is a dict, expected numbers"),
], ids=["set", "dict"])
def test_a_wrong_container_in_a_cell_is_named(value, message):
    X = frame().to_numpy(copy=True)
    X[2, 1] = value
    with pytest.raises(TypeError, match=message):
        RNNClassifier(**SMALL).fit(X, Y)


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame, pa.table])
def test_a_column_of_records_beside_numbers(library):
    """It is no column of lists, so that the numbers need not be lists."""
    X = library({"s": [{"a": 1.0, "b": 2.0}] * 4, "v": np.arange(4.0)})
    with pytest.raises(TypeError, match=r"the first cell of X in the column 's' is a .*, expected numbers"):
        RNNClassifier(**SMALL).fit(X, Y)


def test_a_column_of_numbers_beside_sequences():
    X = frame().to_numpy(copy=True)
    X[:, 1] = [1.0, 2.0, 3.0, 4.0]
    net = RNNClassifier(**SMALL).fit(X, Y)
    assert net.n_features_in_ == 2
    X[2, 1] = {"a": 1.0}
    with pytest.raises(TypeError, match=r"X\[:, 1\]\[2\] is dict"):
        net.predict(X)


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("transform", ["default", "pandas", "polars"])
def test_transformers_return_tables(make, transform):
    X = MAKE[make](frame())
    imputer = SequenceImputer(add_indicator=True).set_output(transform=transform)
    out = imputer.fit_transform(X)
    library = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "default": type(X)}[transform]
    assert type(out) is library
    assert out.shape == (4, 4)
    np.testing.assert_array_equal(steps(out), np.concatenate([steps(X), 0 * steps(X)], axis=1))
    if library is not np.ndarray:
        own = ["x0", "x1"] if "array" in make else ["a", "b"]
        names = out.column_names if library is pa.Table else list(out.columns)
        assert names == [*own, *(f"missingindicator_{name}" for name in own)]
    if library is pd.DataFrame and make == "pandas":
        assert out.index.tolist() == [3, 1, 4, 2]
    scaler = SequenceScaler().set_output(transform=transform)
    back = scaler.inverse_transform(scaler.fit_transform(X))
    np.testing.assert_allclose(steps(back), steps(X))


@pytest.mark.parametrize("make", ["pandas", "polars", "object array"])
@pytest.mark.parametrize("transform", ["default", "pandas", "polars"])
def test_one_feature_is_scaled(make, transform):
    X = MAKE[make](frame())
    columns = ([0], [1]) if "array" in make else (["a"], ["b"])
    choose = make_column_transformer((SequenceScaler(), columns[0]), ("passthrough", columns[1]))
    out = choose.set_output(transform=transform).fit_transform(X)
    values = steps(X)
    expected = np.column_stack([(values[:, 0] - values[:, 0].mean()) / values[:, 0].std(), values[:, 1]])
    np.testing.assert_allclose(steps(out), expected)
    names = choose.get_feature_names_out().tolist()
    assert names == (["sequencescaler__x0", "passthrough__x1"] if "array" in make else
                     ["sequencescaler__a", "passthrough__b"])
    RNNClassifier(**SMALL).fit(out, Y)


def test_beside_columns_of_numbers():
    """What a ColumnTransformer makes of both is a table; each of them is scaled."""
    X = frame().assign(age=[30.0, 40, 50, 60])
    out = make_column_transformer((SequenceScaler(), ["a", "b"]), (StandardScaler(), ["age"])).fit_transform(X)
    np.testing.assert_allclose(steps(out[:, :2]), steps(SequenceScaler().fit_transform(frame())))
    np.testing.assert_allclose(out[:, 2].astype(float).mean(), 0, atol=1e-15)


def test_one_column_is_a_named_feature():
    net = RNNClassifier(**SMALL).fit(frame()[["a"]], Y)
    assert net.feature_names_in_.tolist() == ["a"]
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(frame()[["b"]])
    np.testing.assert_array_equal(net.predict_proba(frame()["a"]), net.predict_proba(frame()[["a"]]))
