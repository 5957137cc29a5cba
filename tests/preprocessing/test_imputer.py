"""SequenceImputer against a loop over steps, pandas and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from forms import FORMS, TABLES, array, ragged, values_of
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import RaggedArray, RNNRegressor
from skrnn.preprocessing import SequenceImputer

STRATEGIES = ["mean", "median", "constant", "ffill", "interpolate"]
rng = np.random.default_rng(0)


def gaps(lengths=(5, 1, 8, 3, 12), fraction=0.4):
    shapes = [(length, 3) for length in lengths]
    return [np.where(rng.random(shape) < fraction, np.nan, rng.normal(size=shape) + 5) for shape in shapes]


def by_hand(x, strategy, statistics):
    """One feature of one sequence, step by step."""
    seen = [t for t in range(len(x)) if not np.isnan(x[t])]
    out = x.copy()
    for t in set(range(len(x))) - set(seen):
        before, after = [s for s in seen if s < t], [s for s in seen if s > t]
        if strategy == "ffill":
            out[t] = x[before[-1]] if before else statistics
        elif strategy == "interpolate" and seen:
            left, right = (before or after[:1])[-1], (after or before[-1:])[0]
            out[t] = x[left] if left == right else x[left] + (x[right] - x[left]) * (t - left) / (right - left)
        else:
            out[t] = statistics
    return out


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_every_strategy(strategy, fraction):
    X = gaps(fraction=fraction)
    steps = np.concatenate(X)
    imputer = SequenceImputer(strategy, fill_value=-3.0).fit(X)
    average = {"median": np.nanmedian, "constant": lambda steps, axis: np.full(3, -3.0)}.get(strategy, np.nanmean)
    np.testing.assert_allclose(imputer.statistics_, average(steps, axis=0), rtol=1e-13)
    for x, out in zip(X, imputer.transform(X), strict=True):
        for feature in range(3):
            expected = by_hand(x[:, feature], strategy, imputer.statistics_[feature])
            np.testing.assert_allclose(out[:, feature], expected, rtol=1e-13)
            there = ~np.isnan(x[:, feature])
            np.testing.assert_array_equal(out[there, feature], x[there, feature])


def test_interpolation_is_that_of_pandas():
    (x,) = gaps([50])
    expected = pd.DataFrame(x).interpolate(limit_direction="both")
    np.testing.assert_allclose(SequenceImputer("interpolate").fit_transform([x])[0], expected, rtol=1e-13)


@pytest.mark.parametrize("strategy", ["mean", "median", "constant"])
def test_statistics_are_those_of_SimpleImputer(strategy):
    X = gaps()
    expected = SimpleImputer(strategy=strategy).fit_transform(np.concatenate(X))
    np.testing.assert_allclose(np.concatenate(SequenceImputer(strategy).fit_transform(X)), expected, rtol=1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_missing_changes_nothing_in_any_form(form, strategy):
    X, n_steps, steps = FORMS[form]()
    out = SequenceImputer(strategy, n_steps=n_steps).fit_transform(X)
    np.testing.assert_array_equal(values_of(out), steps.ravel())
    if form in {*TABLES, "array"}:
        assert out.shape == np.shape(X)


def test_sequences_do_not_touch():
    X = [np.array([[1.0], [np.nan]]), np.array([[np.nan], [np.nan]]), np.array([[np.nan], [5.0]])]
    assert [x.ravel().tolist() for x in SequenceImputer("ffill").fit_transform(X)] == [[1, 1], [3, 3], [3, 5]]
    assert [x.ravel().tolist() for x in SequenceImputer("interpolate").fit_transform(X)] == [[1, 1], [3, 3], [5, 5]]


def test_indicators():
    X = gaps()
    plain, out = SequenceImputer().fit_transform(X), SequenceImputer(add_indicator=True).fit_transform(X)
    for x, filled, both in zip(X, plain, out, strict=True):
        np.testing.assert_array_equal(both, np.hstack([filled, np.isnan(x)]))
    flat = [x[:, 0] for x in X]
    assert [x.shape for x in SequenceImputer().fit_transform(flat)] == [x.shape for x in flat]
    assert [x.shape for x in SequenceImputer(add_indicator=True).fit_transform(flat)] == [(len(x), 2) for x in X]


def test_indicators_of_a_table():
    table = pd.DataFrame({"a1": [1.0, np.nan], "b1": [2.0, 3.0], "a2": [4.0, 5.0], "b2": [np.nan, 6.0]})
    imputer = SequenceImputer(add_indicator=True, n_steps=2).set_output(transform="pandas")
    out = imputer.fit_transform(table)
    assert list(out.columns) == [
        "a1", "b1", "missingindicator_a1", "missingindicator_b1", "a2", "b2", "missingindicator_a2",
        "missingindicator_b2",
    ]
    assert out.to_numpy().tolist() == [[1, 2, 0, 0, 4, 11 / 3, 0, 1], [10 / 3, 3, 1, 0, 5, 6, 0, 0]]
    of_array = SequenceImputer(add_indicator=True).fit_transform(table.to_numpy().reshape(2, 2, 2))
    np.testing.assert_array_equal(out.to_numpy(), of_array.reshape(2, 8))


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_padding(strategy):
    X = array()
    X[1, 2:] = np.nan
    X[4, 1, 0] = np.nan
    kept = SequenceImputer(strategy).fit_transform(X)
    assert np.isnan(kept[1, 2:]).all()
    assert np.isnan(kept).sum() == 6
    assert not np.isnan(SequenceImputer(strategy, padding="fill").fit_transform(X)).any()
    net = RNNRegressor(2, missing="ffill", tol=1.0, n_iter_no_change=1, random_state=0)
    shorter = [*X[:1], X[1, :2], *X[2:]]
    expected = make_pipeline(SequenceImputer(strategy), net).fit(shorter, np.arange(6.0)).predict(shorter)
    out = make_pipeline(SequenceImputer(strategy), clone(net)).fit(X, np.arange(6.0)).predict(X)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_feature_without_values(strategy):
    X = [np.array([[np.nan, 1.0], [np.nan, 2.0]])]
    out = SequenceImputer(strategy, fill_value=7.5).fit_transform(X)
    assert out[0][:, 0].tolist() == [7.5, 7.5]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_dtype_and_input_are_kept(strategy):
    X = [x.astype(np.float32) for x in gaps()]
    before = [x.copy() for x in X]
    out = SequenceImputer(strategy, add_indicator=True).fit_transform(X)
    assert {x.dtype for x in out} == {np.dtype(np.float32)}
    for x, copy in zip(X, before, strict=True):
        np.testing.assert_array_equal(x, copy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_windows_are_filled_by_themselves(strategy):
    """A window does not see the rows before it."""
    (x,) = gaps([20])
    windows = RaggedArray(x, [3] * 18, np.arange(18), ["a", "b", "c"])
    imputer = SequenceImputer(strategy).fit(list(windows))
    out = imputer.transform(windows)
    for one, other in zip(out, imputer.transform(list(windows)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert out.feature_names == ["a", "b", "c"]
    names = SequenceImputer(add_indicator=True).fit_transform(windows).feature_names
    assert names == ["a", "b", "c", "missingindicator_a", "missingindicator_b", "missingindicator_c"]


def test_no_product_overflows():
    x = np.array([[-1.7e308], [np.nan], [1.7e308]])
    assert SequenceImputer("interpolate", padding="fill").fit([np.zeros((1, 1))]).transform([x])[0][1, 0] == 0


def test_what_does_not_fit_the_dtype():
    X = [np.array([[1.0], [np.nan]], np.float32)]
    with pytest.raises(ValueError, match="once filled in, contains infinity: sequence 0, step 1, feature 0"):
        SequenceImputer("constant", fill_value=1e300).fit_transform(X)


@pytest.mark.parametrize(
    ("X", "parameters", "message"),
    [
        ([np.array([[np.inf, 1.0]])], {}, "X contains infinity: sequence 0, step 0, feature 0"),
        ([np.full((3, 1), 1.7e308)], {}, "X is too large: the standard deviation"),
        (ragged(), {"strategy": "most_frequent"}, "'strategy' parameter of SequenceImputer"),
        (ragged(), {"fill_value": np.nan}, "'fill_value' parameter"),
        (ragged(), {"padding": None}, "'padding' parameter"),
    ],
)
def test_bad_input(X, parameters, message):
    imputer = SequenceImputer(**parameters)
    with pytest.raises(ValueError, match=message):
        imputer.fit(X)
    assert not hasattr(imputer, "n_features_in_")
    with pytest.raises(ValueError, match="X has 2 features, but SequenceImputer is expecting 3"):
        SequenceImputer().fit(ragged()).transform(ragged(2))


CHECKED = [
    *map(SequenceImputer, STRATEGIES), SequenceImputer(add_indicator=True), SequenceImputer("ffill", padding="fill"),
]


@parametrize_with_checks(CHECKED)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
@pytest.mark.parametrize("imputer", CHECKED, ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_param_validation",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_get_feature_names_out_error",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
    ],
)
def test_estimator_checks_that_are_only_run_at_home(name, imputer):
    getattr(estimator_checks, name)("SequenceImputer", imputer)
