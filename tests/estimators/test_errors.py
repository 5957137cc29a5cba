"""What is said about X, y, sample_weight and parameters that cannot be used, and that nothing is lost then."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import array, as_object_array, frames, ragged
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skrnn import RaggedArray, RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
Y = np.arange(4) % 2
STEPS = [np.arange(len(x)) % 2 for x in ragged()]


@pytest.fixture(params=[RNNClassifier, RNNRegressor])
def estimator(request):
    return request.param(**SMALL)


class TestTooLarge:
    def test_for_the_dtype_of_the_fitted_net(self):
        net = RNNClassifier(**SMALL).fit(array().astype(np.float32), np.arange(6) % 2)
        X = array()
        X[3, 1, 2] = 1e300
        message = "X is too large for float32, the dtype of the fitted net: sequence 3, step 1, feature 2"
        with pytest.raises(ValueError, match=message):
            net.predict_proba(X)

    def test_targets_for_the_dtype_of_X(self):
        y = np.where(np.arange(6) == 4, 1e39, 0)
        message = r"y\[4\] is too large for float32, the dtype of X"
        assert_refused(RNNRegressor(**SMALL), ValueError, message, array().astype(np.float32), y)

    def test_weights_too_small_for_float32_still_count(self):
        X, y = array().astype(np.float32), np.arange(6.0)
        net = RNNRegressor(alpha=0, **SMALL)
        np.testing.assert_array_equal(net.fit(X, y, np.full(6, 2.0**-170)).predict(X), net.fit(X, y).predict(X))
        assert np.isfinite(net.score(X, y, np.full(6, 1e-50)))

    def test_values_that_overflow_when_added_are_no_error(self):
        X = np.full((4, 3), 1e308)
        assert np.isfinite(RNNRegressor(standardize=False, **SMALL).fit(X, Y).predict(X)).all()

    @pytest.mark.parametrize("estimator", [RNNClassifier, RNNRegressor])
    def test_states_that_grow_without_bound(self, estimator):
        net = estimator(cell="rnn", activation="identity", **SMALL).fit(array(1), np.arange(6) % 2)
        net.parameters_["layer0.U"] = 2 * np.eye(3)
        with pytest.raises(ValueError, match=r"output for X\[1\] is not finite: its states grow without bound"):
            net.predict([np.ones((5, 1)), np.ones((5000, 1))])


@pytest.mark.parametrize("n_steps", [0, -1, 2, 2.0, "a"])
def test_predictions_read_a_table_as_fit_did(estimator, n_steps):
    X = array(1)[:, :, 0]
    expected = estimator.fit(X, np.arange(6) % 2).predict(X)
    np.testing.assert_array_equal(estimator.set_params(n_steps=n_steps).predict(X), expected)


def test_n_steps_is_not_for_sequences_by_themselves(estimator):
    rows = list(array().reshape(6, 12))
    message = r"n_steps=4 is for a table, but X\[0\] is a sequence by itself.*np.stack"
    assert_refused(estimator, ValueError, message, rows, np.arange(6) % 2, n_steps=4)


def test_more_parameters_than_memory():
    with pytest.raises(MemoryError, match=r"hidden_size=4194304 makes 5629\d+ GB of parameters"):
        RNNRegressor(2**22, cell="lstm", pooling="last").fit(array(), np.arange(6.0))
    with pytest.raises(MemoryError, match=r"hidden_size=4 and patches of 1000000000000 steps makes 288000 GB"):
        RNNRegressor(4, cell="gru", patch_size=10**12).fit(array(), np.arange(6.0))
    with pytest.raises(ValueError, match=r"does not fit into memory; expected a smaller .*patch_size"):
        RNNRegressor(4, patch_size=10**30).fit(array(), np.arange(6.0))


@pytest.mark.parametrize(("target", "message"), [
    ("skrnn._network.network.RecurrentNetwork.initialize", "704 bytes of parameters: there is no room"),
    ("skrnn._training.optimizers.Adam.__init__", "704 bytes of parameters and averages of solver='adam' of their"),
])
def test_a_full_memory(monkeypatch, target, message):
    def full(*arguments, **keywords):
        raise MemoryError

    monkeypatch.setattr(target, full)
    with pytest.raises(MemoryError, match=f"hidden_size=3 makes {message}"):
        RNNRegressor(cell="lstm", pooling="last", **SMALL).fit(array(), np.arange(6.0))


def with_value(value, sequence=2, step=4, feature=1):
    X = ragged()
    X[sequence][step, feature] = value
    return X


def replaced(i, sequence, n=4):
    X = [np.ones((4, 3)) for _ in range(n)]
    X[i] = sequence
    return X


def ones(n):
    return np.ones(n)


BAD_X = {
    "nothing": ([], r"X is empty"),
    "an empty array": (np.ones((0, 3, 2)), r"0 sample\(s\)"),
    "an empty frame": (pd.DataFrame(), r"X is empty"),
    "no steps": (replaced(1, np.ones((0, 3))), r"X\[1\] has shape \(0, 3\): a sequence needs at least one step"),
    "no features": (np.ones((4, 3, 0)), r"\(4, 3, 0\).* at least one step and one feature"),
    "feature count": (replaced(17, np.ones((4, 2)), 20), r"X\[17\] has 2 features per step, expected 3"),
    "NaN": (with_value(np.nan), r"Input X contains NaN: sequence 2, step 4, feature 1"),
    "infinity": (with_value(-np.inf), r"Input X contains infinity: sequence 2, step 4, feature 1"),
    "NaN in float32 lists": (
        pl.Series([[1.0], [np.nan], [1.0], [2.0]], dtype=pl.List(pl.Float32)), r"X contains NaN: sequence 1, step 0"
    ),
    "NaN in a table": (np.where(np.eye(4) > 0, np.nan, 1)[::-1], r"NaN: sequence 0, step 3, feature 0"),
    "strings": (replaced(3, [["1", "b", "c"]]), r"X\[3\]\[0, 1\] is 'b', expected a number"),
    "numbers as strings": (replaced(3, [["1", "2", "3"]]), r"X\[3\]\[0, 0\] is '1', expected a number"),
    "a string in a table": ([["1", "2"], ["3", "x"], ["1", "2"], ["1", "2"]], r"X\[1, 1\] is 'x', expected a number"),
    "complex": (replaced(2, np.zeros((2, 3), complex)), r"Complex data not supported: X\[2\]"),
    "too deep": (replaced(2, np.zeros((2, 3, 1))), r"X\[2\] has shape \(2, 3, 1\), expected \(steps, features\)"),
    "a number": (replaced(2, 5.0), r"X\[2\] has shape \(\), expected \(steps, features\)"),
    "rows of different lengths": ([[1, 2], [3, 4], [5], [6]], r"X\[2\] has 1 numbers, X\[0\] has 2.*np.asarray"),
    "one dimension": ([1, 2, 3, 4], r"X has shape \(4,\). Expected 2D array, got 1D array"),
    "empty rows": ([[], [], [], []], r"X has shape \(4, 0\). .*0 feature\(s\)"),
    "nested unevenly": ([[1, 2], [3, [4]], [5], [6]], r"X\[1\] is not an array"),
    "4-D": (np.ones((4, 2, 2, 2)), r"dim 4: X has shape \(4, 2, 2, 2\)"),
    "uneven columns": (pd.DataFrame({"a": [[1], [2]] * 2, "b": [[1], [2, 3]] * 2}), r"X\[1\] holds lists of \[1, 2\]"),
    "masked values": (np.ma.masked_array(np.eye(4), mask=np.eye(4)), r"X has masked values"),
    "masked values of a sequence": (replaced(2, np.ma.masked_equal(np.eye(3), 1)), r"X\[2\] has masked values"),
    "an int too large": ([[1, 2], [3, 10**400]] * 2, r"X\[1, 1\] is int 1000+.*, expected a number"),
    "pandas' NA": (pd.DataFrame({"a": [1, pd.NA]}, dtype="Int64"), r"Input X contains NaN: sequence 1, step 0"),
    "other columns": (frames("ab", "ab", "ba", "ab"), r"X\[2\] has the columns \['b', 'a'\], expected \['a', 'b'\]"),
    "a missing cell": (pl.DataFrame({"a": [[1.0], None, [2.0], [3.0]]}), r"X\[1\] is missing, expected a sequence"),
}
BAD_TYPES = {
    "sparse": (csr_array(np.eye(4)), r"Sparse data was passed for X"),
    "a sparse sequence": (replaced(2, csr_array(np.eye(3))), r"Sparse data was passed for X\[2\]"),
    "sparse sequences": ([csr_array(np.eye(3))] * 4, r"Sparse data was passed for X\[0\]"),
    "dates": (replaced(2, np.zeros((2, 3), "M8[s]")), r"X\[2\] has dtype datetime64\[s\], expected numbers"),
    "dates in a table": (np.zeros((4, 2), "M8[D]"), r"X has dtype datetime64\[D\], expected numbers"),
    "an object": (replaced(3, [[{}, 1, 2]]), r"X\[3\]\[0, 0\] is dict \{\}, expected a number"),
    "an object in a table": (np.array([[{}, 1]] * 4), r"X\[0, 0\] is dict \{\}, expected a number"),
    "a generator": ((x for x in ragged()), r"X is a generator, expected an array, a data frame, or a list of"),
    "a dict": (dict(enumerate(ragged())), r"X is a dict, expected"),
    "a set": (set(range(4)), r"X is a set, expected"),
    "text": ("abcd", r"X is a str, expected"),
}
A_STEP = {"return_sequences": True}
BAD_Y = {
    "none": (None, {}, r"requires y to be passed"),
    "steps": (STEPS, {}, r"y holds a target for each step, expected one per sequence.*return_sequences=True"),
    "a column of steps": (pd.Series([t.tolist() for t in STEPS]), {}, r"y holds a target for each step"),
    "a polars column of steps": (pl.Series([t.tolist() for t in STEPS]), {}, r"y holds a target for each step"),
    "steps in a RaggedArray": (
        RaggedArray(np.concatenate(STEPS), [len(t) for t in STEPS]), {}, r"y holds a target for each step"
    ),
    "an Arrow column of steps": (pa.array([t.tolist() for t in STEPS]), {}, r"y holds a target for each step"),
    "one that is a list": ([0, [1], 0, 1], {}, r"y\[1\] is \[1\] and y\[0\] 0, expected one target per sequence"),
    "an object that is a list": (as_object_array([[1, 0], 1, 0, 1]), {}, r"y\[0\] is \[1, 0\] and y\[1\] 1, expected"),
    "a missing list": ([[0, 1], None, [1, 1], [0, 0]], {}, r"y\[0\] is \[0, 1\] and y\[1\] None, expected"),
    "a cell that is a list": (np.array([[0, 1], [{}, 0]] * 2, object), {}, r"y\[1, 0\] is \{\}, expected one value"),
    "fewer of one": ([[0, 1], [1], [0, 1], [0, 1]], {}, r"y\[1\] holds 1 values and y\[0\] 2, expected one target"),
    "none of one in a RaggedArray": (RaggedArray(Y, [2, 1, 1, 0]), {}, r"y\[1\] holds 1 values and y\[0\] 2"),
    "uneven cells": ([[[0], [1]], [[0], [1, 0]]] * 2, {}, r"y is not an array"),
    "too few": (Y[:3], {}, r"y does not go with the 4 sequences of X.*inconsistent numbers of samples: \[4, 3\]"),
    "too few of steps": (STEPS[:3], A_STEP, r"y does not go with the 4 sequences of X"),
    "complex": (1j * Y, {}, "Complex data not supported: y has dtype complex128"),
    "complex steps": ([1j * t for t in STEPS], A_STEP, r"Complex data not supported: y\[0\] has dtype complex128"),
    "other length": ([*STEPS[:2], STEPS[2][:-1], STEPS[3]], A_STEP, r"y\[2\] has 7 steps, expected 8"),
    "none a step": (Y, A_STEP, r"y\[0\] has shape \(\), expected \(5,\)"),
    "too deep": ([*STEPS[:3], np.zeros((3, 1, 1))], A_STEP, r"y\[3\] has shape \(3, 1, 1\), expected \(3,\)"),
    "other widths": ([*STEPS[:3], np.zeros((3, 1))], A_STEP, r"y\[3\] has shape \(3, 1\), expected \(3,\)"),
}
BAD_WEIGHTS = {
    "too few": ([1.0, 2.0], {}, r"sample_weight has shape \(2,\), expected \(4,\)"),
    "negative": ([1, 1, 1, -1.0], {}, r"Negative values in data passed to `sample_weight`: sample_weight\[3\] is -1.0"),
    "NaN": ([1, 1, 1, np.nan], {}, r"sample_weight contains NaN: sample_weight\[3\]"),
    "zeros": ([0, 0, 0, 0], {}, r"Sample weights must contain at least one non-zero number"),
    "infinity for all": (np.inf, {}, r"sample_weight contains infinity: sample_weight\[0\]"),
    "an infinite sum": ([1e308] * 4, {}, r"sample_weight adds up to infinity"),
    "a word": ("balanced", {}, r"sample_weight is 'balanced', expected a number"),
    "steps without need": ([ones(len(x)) for x in ragged()], {}, r"sample_weight holds weights of steps"),
    "NaN of a step": ([*map(ones, [5, 1, 8]), [1, np.nan, 1]], A_STEP, r"contains NaN: sample_weight\[3\]\[1\]"),
    "masked": (np.ma.masked_equal([1, 2, 3, 4], 2), {}, r"sample_weight has masked values"),
    "strings": (["a", 1, 1, 1], {}, r"sample_weight\[0\] is 'a', expected a number"),
    "other length": ([ones(5), ones(1), ones(8), ones(4)], A_STEP, r"sample_weight\[3\] has 4 steps, expected 3"),
    "two a step": ([np.ones((len(x), 2)) for x in ragged()], A_STEP, r"sample_weight has 2 values per step"),
    "a step, where a target is a sequence's": (np.ones((4, 3)), {}, r"has shape \(4, 3\), expected \(4,\)"),
}
BAD_PARAMETERS = {
    "cell": ("elman", r"'cell' parameter .* must be a str among"),
    "activation": ("sine", r"'activation' parameter"),
    "hidden_size": (1.5, r"'hidden_size' parameter"),
    "hidden_size of a layer": ((4, 2.0), r"hidden_size=\(4, 2.0\): expected a positive int, or a tuple"),
    "no layers": ((), r"hidden_size=\(\): expected"),
    "hidden_size zero": (0, r"'hidden_size' parameter"),
    "hidden_size negative": (-3, r"'hidden_size' parameter"),
    "hidden_size of a layer negative": ((4, -3), r"hidden_size=\(4, -3\): expected a positive int"),
    "hidden_size too large": (2**40, r"does not fit into memory; expected a smaller hidden_size"),
    "n_steps": (-1, r"'n_steps' parameter"),
    "solver": ("newton", r"'solver' parameter"),
    "alpha": (-1.0, r"'alpha' parameter"),
    "batch_size": (0, r"'batch_size' parameter"),
    "learning_rate_init": (0.0, r"'learning_rate_init' parameter"),
    "max_iter": (0, r"'max_iter' parameter"),
    "max_grad_norm": (-1.0, r"'max_grad_norm' parameter"),
    "momentum": (1.5, r"'momentum' parameter"),
    "tol": (-1.0, r"'tol' parameter"),
    "n_iter_no_change": (0, r"'n_iter_no_change' parameter"),
    "reset_after": ("yes", r"'reset_after' parameter"),
    "bidirectional": (2, r"'bidirectional' parameter"),
}


def parametrize(cases):
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


def assert_refused(estimator, error, message, *data, **parameters):
    """A new estimator stays unfitted, and a fitted one stays what it was."""
    with pytest.raises(error, match=message):
        estimator.set_params(**parameters).fit(*data)
    with pytest.raises(NotFittedError):
        estimator.predict(ragged())
    defaults = {name: type(estimator)(**SMALL).get_params()[name] for name in parameters}
    estimator.set_params(**defaults).fit(ragged(), Y)
    before, predictions = vars(estimator).copy(), estimator.predict(ragged())
    with pytest.raises(error, match=message):
        estimator.set_params(**parameters).fit(*data)
    estimator.set_params(**defaults)
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[name] is before[name] for name in before if name not in parameters)
    np.testing.assert_array_equal(estimator.predict(ragged()), predictions)


@parametrize(BAD_X)
def test_bad_X(estimator, case):
    X, message = case
    assert_refused(estimator, ValueError, message, X, np.arange(len(X)) % 2)


@parametrize(BAD_X)
def test_bad_X_in_predict(estimator, case):
    X, message = case
    estimator.fit(ragged(), Y)
    before = vars(estimator).copy()
    with pytest.raises(ValueError, match=message):
        estimator.predict(X)
    assert vars(estimator) == before


@parametrize(BAD_TYPES)
def test_bad_types(estimator, case):
    assert_refused(estimator, TypeError, case[1], case[0], Y)


@pytest.mark.parametrize(
    ("y", "parameters", "message"),
    [
        (5, {}, "y does not go with the 4 sequences of X"),
        ("abcd", {}, "y is 'abcd', expected a target for each sequence"),
        ({0, 1, 2, 3}, {}, "y is a set, expected an array or a list: a set has no order"),
        ([0, "a", 1, "b"], {}, "y mixes labels of the types int, str"),
        ([*STEPS[:3], ["a", "b", "a"]], A_STEP, r"y\[3\] has labels of dtype <U1, expected int64 as in y\[0\]"),
    ],
)
def test_bad_types_of_labels(y, parameters, message):
    assert_refused(RNNClassifier(**SMALL), TypeError, message, ragged(), y, **parameters)


@parametrize(BAD_Y)
def test_bad_y(estimator, case):
    y, parameters, message = case
    assert_refused(estimator, ValueError, message, ragged(), y, **parameters)


@parametrize(BAD_WEIGHTS)
def test_bad_weights(estimator, case):
    weights, parameters, message = case
    y = STEPS if parameters else Y
    assert_refused(estimator, ValueError, message, ragged(), y, weights, **parameters)


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters(estimator, name):
    value, message = BAD_PARAMETERS[name]
    parameter = name if name in estimator.get_params() else "hidden_size"
    assert_refused(estimator, ValueError, message, ragged(), Y, **{parameter: value})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_numbers_in_y(value):
    kind = "NaN" if np.isnan(value) else "infinity"
    y = np.where(np.arange(4) == 2, value, 1.0)
    assert_refused(RNNRegressor(**SMALL), ValueError, rf"Input y contains {kind}: y\[2\]", ragged(), y)
    if kind == "infinity":      # of several outputs some may be NaN
        steps = [np.ones((len(x), 2)) for x in ragged()]
        steps[2][6, 1] = value
        message = r"Input y contains infinity: y\[2\]\[6, 1\]"
        assert_refused(RNNRegressor(**SMALL), ValueError, message, ragged(), steps, **A_STEP)


def test_strings_in_y_of_a_regressor():
    y = ["1", "b", "2", "3"]
    assert_refused(RNNRegressor(**SMALL), ValueError, r"y\[1\] is 'b', expected a number", ragged(), y)
    steps = [[0.5] * len(x) for x in ragged()]
    steps[3][2] = "b"
    assert_refused(
        RNNRegressor(**SMALL), ValueError, r"y\[3\]\[2\] is 'b', expected a number", ragged(), steps, **A_STEP
    )


@pytest.mark.parametrize(
    ("y", "parameters", "message"),
    [
        (np.zeros(4), {}, "at least 2 classes in y, got 1 class"),
        (np.linspace(0, 1, 4), {}, "Unknown label type"),
        (np.full((4, 2), 3), {}, r"In column 0 of y: a classifier needs at least 2 classes in y, got 1 class: 3"),
        (np.full((4, 2), "a"), {}, r"In column 0 of y: a classifier needs at least 2 classes in y, got 1 class: 'a'"),
        ([np.full((len(x), 2), 0.5) for x in ragged()], A_STEP, "In column 0 of y: Unknown label type: continuous"),
        (["a", None, "b", "a"], {}, r"Input y contains a missing label: y\[1\]"),
        (["a", np.nan, "b", "a"], {}, r"Input y contains a missing label: y\[1\]"),
        (pd.Series(["a", "b", None, "a"]), {}, r"Input y contains a missing label: y\[2\]"),
        ([0, 1, np.nan, 1], {}, r"Input y contains a missing label: y\[2\]"),
        (np.array([0, 1, np.nan, 1]), {}, r"Input y contains NaN: y\[2\]"),
        ([*STEPS[:3], [0, np.inf, 1]], A_STEP, r"Input y contains infinity: y\[3\]\[1\]"),
        ([np.full(len(x), np.nan) for x in ragged()], A_STEP, "y has no label for any step"),
        ([np.arange(len(x)) % 2 * 2 - 1 for x in ragged()], A_STEP, "the integer -1 is a step without a label"),
    ],
)
def test_bad_labels(y, parameters, message):
    assert_refused(RNNClassifier(**SMALL), ValueError, message, ragged(), y, **parameters)


@pytest.mark.parametrize("y", [csr_array(np.eye(4)), csr_array(Y[:, np.newaxis])])
def test_sparse_numbers(y):
    message = re.escape("y is sparse, expected an array or a list of targets: y.toarray()")
    assert_refused(RNNRegressor(**SMALL), TypeError, message, ragged(), y)
    with pytest.raises(ValueError, match="y does not go with the 4 sequences of X"):
        RNNRegressor(**SMALL).fit(ragged(), y.T[:2])


def test_sparse_weights(estimator):
    message = re.escape("sample_weight is sparse, expected an array or a list of weights: sample_weight.toarray()")
    with pytest.raises(TypeError, match=message):
        estimator.fit(ragged(), Y, csr_array(np.ones((4, 1))))


def test_records_are_no_labels():
    y = np.array([(1, 2.0), (2, 3.0)] * 2, dtype=[("a", int), ("b", float)])
    with pytest.raises(TypeError, match=r"y has dtype \[.*\], expected bools, integers or strings"):
        RNNClassifier(**SMALL).fit(ragged(), y)


@pytest.mark.parametrize("form", [
    as_object_array, lambda y: pd.Series(as_object_array(y)), lambda y: RaggedArray(np.ravel(y), [2] * 4),
])
def test_several_targets_in_a_container_of_rows(estimator, form):
    y = [[1, 0], [1, 1], [0, 0], [0, 1]]
    expected = estimator.fit(ragged(), np.array(y)).predict(ragged())
    np.testing.assert_array_equal(estimator.fit(ragged(), form(y)).predict(ragged()), expected)


def test_sparse_targets_of_steps():
    message = re.escape("y is sparse, expected an array or a list with the values of each step: y.toarray()")
    assert_refused(RNNRegressor(**SMALL), TypeError, message, array(), csr_array(np.ones((6, 4))), **A_STEP)


def test_too_many_dimensions_of_y():
    message = re.escape("y has shape (4, 2, 2), expected (n,) or (n, outputs)")
    assert_refused(RNNRegressor(**SMALL), ValueError, message, ragged(), np.zeros((4, 2, 2)))


def test_columns_that_n_steps_does_not_divide(estimator):
    message = "X has 7 columns, which n_steps=3 does not divide"
    assert_refused(estimator, ValueError, message, np.ones((4, 7)), Y, n_steps=3)


@pytest.mark.parametrize(
    ("fitted", "X", "message"),
    [
        (ragged(4), ragged(1), "X has 1 features, but {} is expecting 4 features as input"),
        (array(4), array(1), "X has 1 features, but {} is expecting 4 features as input"),
        (np.eye(4), np.eye(5)[:4], "X has 5 features, but {} is expecting 4 features as input"),
        (ragged(3), ragged(3)[0], r"X has shape \(5, 3\).* {} was fitted on 3 features per step.* pass \[X\]"),
        (np.eye(4), ragged(3), "X has 3 features, but {} is expecting 1 features"),
    ],
)
def test_predict_with_other_features_than_fit(estimator, fitted, X, message):
    estimator.fit(fitted, np.arange(len(fitted)) % 2)
    with pytest.raises(ValueError, match=message.format(type(estimator).__name__)):
        estimator.predict(X)


def test_divergence_leaves_the_fitted_net_as_it_was():
    X, y = array(), 1e3 * np.arange(6)
    net = RNNRegressor(4, cell="rnn", activation="identity", max_iter=100, random_state=0).fit(X, y)
    before, predictions = vars(net).copy(), net.predict(X)
    with pytest.raises(ValueError, match=r"diverged in epoch \d+: the loss is .* and the gradient's norm"):
        net.set_params(solver="sgd", learning_rate_init=1e3).fit(X, y)
    assert all(vars(net)[name] is before[name] for name in before if name.endswith("_") or name.startswith("_"))
    np.testing.assert_array_equal(net.predict(X), predictions)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_penalty_that_rules_is_named(solver):
    """It is divided by the sum of the weights."""
    net = RNNRegressor(4, solver=solver, alpha=1e-2, random_state=0)
    with pytest.raises(ValueError, match=r"the penalty .*e\+.*smaller alpha, or greater sample weights"):
        net.fit(array(), np.arange(6.0), np.full(6, 1e-290))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_divergence_of_going_on_leaves_the_net_as_it_was(method):
    X, y = array(), 1e3 * np.arange(6)
    net = RNNRegressor(
        4, cell="rnn", activation="identity", solver="sgd", learning_rate_init=1e-6, batch_size=2, warm_start=True,
        shuffle=False, max_iter=1, random_state=0,
    ).partial_fit(X, y)
    predictions, losses = net.predict(X), net.loss_curve_
    # After two updates, of which nothing stays
    with pytest.raises(ValueError, match="diverged"):
        getattr(net, method)(np.concatenate([X[:4], 1e200 * X[4:]]), y)
    np.testing.assert_array_equal(net.predict(X), predictions)
    getattr(net, method)(X, y)
    assert net.loss_curve_[:-1] == losses
    assert (net.n_iter_, net.t_) == (2, 12)
