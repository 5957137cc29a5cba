"""SequenceScaler against NumPy on the concatenated steps, and within scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from forms import FORMS, LENGTHS, TABLES, OnDisk, array, cells, ragged, values_of
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import RaggedArray, RNNClassifier
from skrnn._data.containers import as_sequences
from skrnn._data.lazy import LazySequences
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler


@pytest.mark.parametrize("form", FORMS)
def test_statistics_are_those_of_all_steps(form):
    X, n_steps, steps = FORMS[form]()
    scaler = SequenceScaler(n_steps=n_steps).fit(X)
    np.testing.assert_allclose(scaler.center_, np.mean(steps, axis=0), rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, np.std(steps, axis=0), rtol=1e-13)
    assert scaler.n_features_in_ == (np.shape(X)[1] if form in TABLES else steps.shape[1])


@pytest.mark.parametrize("form", FORMS)
def test_outputs_are_standardized_in_the_form_of_X(form):
    X, n_steps, steps = FORMS[form]()
    out = SequenceScaler(n_steps=n_steps).fit_transform(X)
    expected = (steps - steps.mean(axis=0)) / steps.std(axis=0)
    if form in {*TABLES, "array"}:
        assert isinstance(out, np.ndarray)
        assert out.dtype == np.float64
        assert out.shape == np.shape(X)
        rows = out.reshape(-1, steps.shape[1])
    else:
        if isinstance(X, list | tuple):
            assert isinstance(out, list)
        elif hasattr(X, "columns"):
            assert type(out) is (pa.Table if isinstance(X, pa.RecordBatch) else type(X))
            assert list(getattr(out, "column_names", out.columns)) == list(getattr(X, "column_names", X.columns))
            out = list(as_sequences(out).split(as_sequences(out).values))
        elif not isinstance(X, np.ndarray):
            assert type(out) is (LazySequences if isinstance(X, OnDisk) else RaggedArray)
        else:
            assert isinstance(out, np.ndarray)
            assert out.dtype == object
            assert out.shape == (len(X),)
        if isinstance(X, list | tuple | np.ndarray):
            assert [x.shape for x in out] == [np.shape(x) for x in X]
        rows = np.concatenate(list(out)).reshape(-1, steps.shape[1])
    np.testing.assert_allclose(rows, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(rows.std(axis=0), 1, rtol=1e-13)


def test_forms_agree():
    """A scaler that was fitted to one form takes every other."""
    X = array()
    blocks, sequences = X.reshape(6, 12), list(X)
    for fitted_to in (blocks, X, sequences):
        scaler = SequenceScaler(n_steps=4).fit(fitted_to)
        expected = scaler.transform(X)
        assert expected.shape == X.shape
        np.testing.assert_array_equal(scaler.transform(blocks), expected.reshape(6, 12))
        np.testing.assert_array_equal(np.stack(scaler.transform(sequences)), expected)


def test_new_sequences_are_scaled_by_the_fitted_statistics():
    scaler = SequenceScaler().fit(ragged())
    x = np.arange(6.0).reshape(2, 3)
    (out,) = scaler.transform([x])
    np.testing.assert_allclose(out, (x - scaler.center_) / scaler.scale_, rtol=1e-15)


def test_a_sequence_is_scaled_alike_in_any_company():
    X = ragged()
    scaler = SequenceScaler().fit(X)
    for x, out in zip(X, scaler.transform(X), strict=True):
        np.testing.assert_array_equal(scaler.transform([x])[0], out)


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, -1e6, 1e100])
def test_constant_feature_has_scale_1(value):
    X = ragged(2)
    for x in X:
        x[:, 1] = value
    scaler = SequenceScaler().fit(X)
    assert scaler.scale_[1] == 1
    assert scaler.scale_[0] == pytest.approx(np.concatenate(X)[:, 0].std(), rel=1e-13)
    np.testing.assert_allclose(np.concatenate(scaler.transform(X))[:, 1] / max(1, abs(value)), 0, atol=1e-15)


def test_scale_is_that_of_StandardScaler():
    X = ragged(4)
    for x in X:
        x[:, 1] = 0.1
        x[:, 2] = 1e9 + 1e-9 * x[:, 2]   # varies by less than rounding
    scaler, reference = SequenceScaler().fit(X), StandardScaler().fit(np.concatenate(X))
    np.testing.assert_allclose(scaler.center_, reference.mean_, rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, reference.scale_, rtol=1e-13)
    assert scaler.scale_[1] == scaler.scale_[2] == 1


METHODS = ["standard", "minmax", "robust"]
SKLEARN = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}


def with_gaps():
    """Ragged sequences in which a third of the values is missing."""
    rng = np.random.default_rng(3)
    return [np.where(rng.random(x.shape) < 0.3, np.nan, x) for x in ragged()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [ragged, with_gaps])
def test_every_method_is_the_one_of_scikit_learn(method, make):
    """Over the concatenated steps; missing values do not count and stay missing."""
    X = make()
    steps = np.concatenate(X)
    scaler, reference = SequenceScaler(method).fit(X), SKLEARN[method]().fit(steps)
    out = np.concatenate(scaler.transform(X))
    np.testing.assert_allclose(out, reference.transform(steps), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(scaler.n_samples_seen_, (~np.isnan(steps)).sum(axis=0))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", FORMS)
def test_inverse(method, form):
    X, n_steps, steps = FORMS[form]()
    scaler = SequenceScaler(method, n_steps=n_steps).fit(X)
    back = scaler.inverse_transform(scaler.transform(X))
    np.testing.assert_allclose(values_of(back), steps.ravel(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_features_without_values_or_spread(method):
    X = [np.array([[1.0, np.nan, 3.0], [1.0, np.nan, np.nan]]), np.array([[1.0, np.nan, 5.0]])]
    scaler = SequenceScaler(method).fit(X)
    assert scaler.center_[:2].tolist() == [1, 0]
    assert scaler.scale_[:2].tolist() == [1, 1]
    out = scaler.transform([np.array([[2.0, 7.0, 3.0]])])[0]
    assert out[0, :2].tolist() == [1, 7]


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_partial_fit(method):
    X = with_gaps()
    whole, scaler = SequenceScaler(method).fit(X), SequenceScaler(method)
    for x in X:
        scaler.partial_fit([x])
    np.testing.assert_allclose(scaler.center_, whole.center_, rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, whole.scale_, rtol=1e-13)
    np.testing.assert_array_equal(scaler.n_samples_seen_, whole.n_samples_seen_)
    np.testing.assert_array_equal(scaler.fit(X).center_, whole.center_)     # which begins anew


def test_partial_fit_far_from_zero():
    """Where the sum of squares minus the square of the sum would be nothing but rounding."""
    rng = np.random.default_rng(0)
    X = 1e8 + rng.normal(size=(50, 20, 2))
    scaler = SequenceScaler()
    for part in np.split(X, 10):
        scaler.partial_fit(part)
    np.testing.assert_allclose(scaler.scale_, X.reshape(-1, 2).std(axis=0), rtol=1e-7)


def test_minmax_of_single_precision_is_computed_in_double():
    scaler = SequenceScaler("minmax").fit([np.array([[16777216], [-1]], np.float32)])
    assert (scaler.center_.dtype, scaler.scale_.dtype) == (np.float64, np.float64)
    assert scaler.scale_[0] == 16777217
    wide = [np.array([[-3e38], [3e38]], np.float32)]
    assert SequenceScaler("minmax").fit_transform(wide)[0].ravel().tolist() == [0, 1]
    scaler = SequenceScaler("robust").fit([np.array([[1e8], [1e8 + 8], [1e8 + 16]], np.float32)])
    assert scaler.center_[0] == 1e8 + 8


@pytest.mark.parametrize("method", METHODS)
def test_padding_stays_padding(method):
    X = array()
    X[2, 1:] = np.nan
    scaler = SequenceScaler(method).fit(X)
    out = scaler.transform(X)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X))
    assert scaler.n_samples_seen_.tolist() == [21, 21, 21]
    np.testing.assert_array_equal(np.isnan(scaler.inverse_transform(out)), np.isnan(X))


def test_inverse_of_other_columns():
    scaler = SequenceScaler().fit(array(1)[:, :, 0])
    with pytest.raises(ValueError, match="X has 3 columns, expected 4"):
        scaler.inverse_transform(np.ones((2, 3)))


def test_parameters_are_checked_by_partial_fit():
    with pytest.raises(ValueError, match="'method' parameter of SequenceScaler"):
        SequenceScaler().fit(ragged()).set_params(method="other").partial_fit(ragged())


def test_partial_fit_that_fails_changes_nothing():
    scaler = SequenceScaler().partial_fit(ragged())
    center = scaler.center_.copy()
    bad = ragged()
    bad[1][0, 0] = 1e200
    with pytest.raises(ValueError, match="overflows"):
        scaler.partial_fit(bad)
    np.testing.assert_array_equal(scaler.center_, center)
    np.testing.assert_array_equal(scaler.partial_fit(ragged()).n_samples_seen_, [34, 34, 34])
    with pytest.raises(ValueError, match="cannot continue with method='minmax'"):
        scaler.set_params(method="minmax").partial_fit(ragged())
    with pytest.raises(ValueError, match="X has 2 features, but SequenceScaler is expecting 3"):
        scaler.set_params(method="standard").partial_fit(ragged(2))
    assert not hasattr(SequenceScaler("robust"), "partial_fit")


def test_a_ragged_array_keeps_its_shared_steps():
    windows = RaggedArray(np.arange(10.0), [1, 2, 3, 3], [0, 0, 0, 1], ["x"])
    out = SequenceScaler("minmax").fit_transform(windows)
    assert len(out.values) == 10
    assert out.feature_names == ["x"]
    assert [x.tolist() for x in out] == [[0], [0, 1 / 3], [0, 1 / 3, 2 / 3], [1 / 3, 2 / 3, 1]]
    scaler = SequenceScaler().fit(windows)
    assert scaler.center_[0] == pytest.approx(np.mean([0, 0, 1, 0, 1, 2, 1, 2, 3]))      # a step counts in each window


def test_one_step_gives_zeros():
    np.testing.assert_array_equal(SequenceScaler().fit_transform([[[3.0, -7.0]]]), [[[0.0, 0.0]]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    X = ragged(dtype=dtype)
    steps = np.concatenate(X).astype(np.float64)
    scaler = SequenceScaler().fit(X)
    assert scaler.center_.dtype == scaler.scale_.dtype == np.float64
    np.testing.assert_allclose(scaler.center_, steps.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, steps.std(axis=0), rtol=1e-13)
    assert {x.dtype for x in scaler.transform(X)} == {np.dtype(dtype)}
    assert SequenceScaler().fit_transform(array().astype(dtype)).dtype == dtype
    assert SequenceScaler().fit_transform(array(1)[:, :, 0].astype(dtype)).dtype == dtype


def test_integers_become_float64():
    X = [np.array([[1], [2]]), np.array([[3]])]
    assert {x.dtype for x in SequenceScaler().fit_transform(X)} == {np.dtype(np.float64)}


def test_float32_far_from_zero_keeps_its_digits():
    """Subtracted in float64: in float32 the mean itself would be off by up to half a unit in the last place."""
    X = (1e4 + np.random.default_rng(0).normal(size=(50, 20, 1))).astype(np.float32)
    steps = X.astype(np.float64)
    out = SequenceScaler().fit_transform(X)
    np.testing.assert_allclose(out, (steps - steps.mean()) / steps.std(), rtol=3e-7)


@pytest.mark.parametrize("form", ["table", "table of blocks", "array", "list", "object array", "list of equal lengths"])
def test_input_is_not_changed(form):
    X, n_steps, _ = FORMS[form]()
    before = pickle.dumps(X)
    scaler = SequenceScaler(n_steps=n_steps)
    out = scaler.fit_transform(X)
    for x in out:
        x[...] = 99    # nor does the output share its memory
    assert pickle.dumps(X) == before


def test_read_only_input():
    X = array()
    X.setflags(write=False)
    assert SequenceScaler().fit_transform(X).flags.writeable


def test_infinity_names_the_sequence():
    X = ragged()
    X[2][4, 1] = np.inf
    message = "Input X contains infinity: sequence 2, step 4, feature 1"
    with pytest.raises(ValueError, match=message):
        SequenceScaler().fit(X)
    with pytest.raises(ValueError, match=message):
        SequenceScaler().fit(ragged()).transform(X)


def test_too_large():
    X = ragged()
    X[0][0, 1] = 1e200
    with pytest.raises(ValueError, match="standard deviation of feature 1 overflows"):
        SequenceScaler().fit(X)


def test_too_large_for_the_fitted_scale():
    X = [np.ones((2, 3)), np.array([[1, 1e305, 1]])]
    with pytest.raises(ValueError, match="X, once scaled, contains infinity: sequence 1, step 0, feature 1"):
        SequenceScaler().fit([1e-9 * x for x in ragged()]).transform(X)


def test_wrong_number_of_features():
    expecting = "X has {} features, but SequenceScaler is expecting {} features as input"
    with pytest.raises(ValueError, match=expecting.format(1, 4)):
        SequenceScaler().fit(ragged(4)).transform(ragged(1))
    with pytest.raises(ValueError, match=expecting.format(1, 4)):
        SequenceScaler().fit(array(4)).transform(array(1))
    with pytest.raises(ValueError, match=expecting.format(1, 4)):
        SequenceScaler().fit(np.eye(4)).transform(np.eye(4)[:, :1])
    with pytest.raises(ValueError, match=expecting.format(6, 4)):
        SequenceScaler(n_steps=2).fit(np.eye(4)).transform(np.ones((2, 6)))
    with pytest.raises(ValueError, match=expecting.format(3, 4)):    # rather than that 2 does not divide 3
        SequenceScaler(n_steps=2).fit(np.eye(4)).transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match=expecting.format(3, 2)):
        SequenceScaler(n_steps=2).fit(np.eye(4)).transform(ragged(3))
    with pytest.raises(ValueError, match=r"X has shape \(5, 3\).* fitted on 3 features per step.* pass \[X\]"):
        SequenceScaler().fit(ragged(3)).transform(ragged(3)[0])


def test_other_n_steps_than_in_fit():
    scaler = SequenceScaler(n_steps=2).fit(np.eye(4))
    expected = scaler.transform(np.eye(4))
    scaler.set_params(n_steps=4)
    np.testing.assert_array_equal(scaler.transform(np.eye(4)), expected)
    with pytest.raises(ValueError, match=r"n_steps=4 as sequences of 1 features per step, but .* fitted on 2 features"):
        scaler.partial_fit(np.eye(4))


def test_feature_names():
    X = pd.DataFrame(array(1)[:, :, 0], columns=["a", "b", "c", "d"])
    scaler = SequenceScaler().fit(X)
    assert scaler.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert scaler.get_feature_names_out().tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        scaler.transform(X[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        scaler.transform(X.to_numpy())
    assert not hasattr(scaler.fit(ragged()), "feature_names_in_")
    assert SequenceScaler().fit(X.to_numpy()).get_feature_names_out().tolist() == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize(("container", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_output_container(container, frame):
    X = pd.DataFrame(array(1)[:, :, 0], columns=["a", "b", "c", "d"], index=list("uvwxyz"))
    out = SequenceScaler().set_output(transform=container).fit_transform(X)
    assert isinstance(out, frame)
    assert list(out.columns) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(out.to_numpy(), SequenceScaler().fit_transform(X))
    if container == "pandas":
        assert list(out.index) == list("uvwxyz")


def test_output_containers_are_for_tables():
    """Whatever the scaler was fitted to: other forms come in their own."""
    table = array().reshape(6, 12)
    for fitted_to in (table, array(), ragged()):
        scaler = SequenceScaler(n_steps=4).set_output(transform="pandas").fit(fitted_to)
        assert isinstance(scaler.transform(array()), np.ndarray)
        assert isinstance(scaler.transform(ragged()), list)
    for rows in (table, table.tolist()):
        assert isinstance(SequenceScaler(n_steps=4).set_output(transform="pandas").fit_transform(rows), pd.DataFrame)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(SequenceScaler().fit_transform(array()), np.ndarray)
        assert isinstance(SequenceScaler().fit_transform(array(1)[:, :, 0]), pd.DataFrame)
    with pytest.raises(ValueError, match="'transform' parameter of set_output"):
        SequenceScaler().set_output(transform="spark")
    assert isinstance(clone(SequenceScaler().set_output(transform="polars")).fit_transform(table), pl.DataFrame)


def test_names_of_features_go_along():
    """Where sequences have names of their own, through the scaler to the net."""
    names = ["pulse", "pressure", "heat"]
    ragged_array = RaggedArray(np.concatenate(ragged()), LENGTHS, feature_names=names)
    columns = pd.DataFrame({name: cells(x[:, j] for x in ragged()) for j, name in enumerate(names)})
    for X in (ragged_array, columns, pl.from_pandas(columns)):
        scaler = SequenceScaler().fit(X)
        assert scaler.get_feature_names_out().tolist() == names
        out = scaler.transform(X)
        assert list(out.columns if hasattr(out, "columns") else out.feature_names) == names
    assert SequenceScaler().fit(ragged()).get_feature_names_out().tolist() == ["x0", "x1", "x2"]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("bad", ["value", "parameter"])
def test_failed_fit_leaves_the_scaler_as_it_was(fitted, bad):
    scaler = SequenceScaler()
    if fitted:
        scaler.fit(pd.DataFrame(array(1)[:, :, 0]).add_prefix("c"))
    X = ragged()
    if bad == "value":
        X[0][0, 0] = 1e200    # found only after the features are set
    else:
        scaler.set_params(n_steps=0)
    before = vars(scaler).copy()
    with pytest.raises(ValueError, match=r"too large|n_steps"):
        scaler.fit(X)
    assert vars(scaler).keys() == before.keys()
    assert all(vars(scaler)[name] is before[name] for name in before)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        SequenceScaler().transform(ragged())


@pytest.mark.parametrize(
    ("X", "n_steps", "error", "message"),
    [
        ([], None, ValueError, "X is empty"),
        (np.ones((2, 5)), 2, ValueError, "5 columns, which n_steps=2 does not divide"),
        ([np.ones((2, 1)), np.ones((3, 2))], None, ValueError, r"X\[1\] has 2 features per step, expected 1"),
        (csr_array(np.eye(2)), None, TypeError, "Sparse data was passed for X"),
        (np.ones((2, 4)), 1.5, ValueError, "'n_steps' parameter of SequenceScaler"),
    ],
)
def test_bad_input(X, n_steps, error, message):
    with pytest.raises(error, match=message):
        SequenceScaler(n_steps=n_steps).fit(X)


def test_clone_and_pickle():
    scaler = SequenceScaler(n_steps=4).fit(array().reshape(6, 12))
    assert clone(scaler).get_params() == {"method": "standard", "n_steps": 4}
    assert not hasattr(clone(scaler), "center_")
    again = pickle.loads(pickle.dumps(scaler))
    np.testing.assert_array_equal(again.transform(array()), scaler.transform(array()))


@parametrize_with_checks([SequenceScaler(method) for method in METHODS])
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
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
def test_estimator_checks_that_are_only_run_at_home(name):
    """Those that scikit-learn runs for its own estimators."""
    getattr(estimator_checks, name)("SequenceScaler", SequenceScaler())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_grid_search_of_a_pipeline_over_ragged_sequences():
    """Where one feature drowns the other, the search finds that scaling pays."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = [
        np.column_stack([rng.normal(size=length) * 1e4, rng.normal(2 * label - 1, 0.3, size=length)])
        for label, length in zip(y, rng.integers(3, 9, size=60), strict=True)
    ]
    net = RNNClassifier(4, cell="rnn", learning_rate_init=0.02, batch_size=10, max_iter=15, random_state=0)
    pipeline = make_pipeline(SequenceScaler(), net)
    search = GridSearchCV(
        pipeline, {"sequencescaler": [SequenceScaler(), "passthrough"]}, cv=3, n_jobs=2, error_score="raise"
    )
    search.fit(X, y)
    assert isinstance(search.best_params_["sequencescaler"], SequenceScaler)
    assert search.best_score_ > 0.95
    assert search.score(X, y) > 0.95
    scaler = search.best_estimator_[0]
    np.testing.assert_allclose(scaler.scale_, np.concatenate(X).std(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(search.predict(X), search.best_estimator_[1].predict(scaler.transform(X)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_table_through_a_pipeline():
    """n_steps in both steps of the pipeline is the same as a 3-D array."""
    X, y = array(), np.array([0, 1, 0, 1, 0, 1])
    net = RNNClassifier(2, max_iter=2, random_state=0)
    of_array = make_pipeline(SequenceScaler(), net).fit(X, y)
    of_table = make_pipeline(SequenceScaler(n_steps=4), clone(net).set_params(n_steps=4)).fit(X.reshape(6, 12), y)
    np.testing.assert_array_equal(of_table.predict_proba(X.reshape(6, 12)), of_array.predict_proba(X))


def test_japanese_vowels():
    train, test = load_japanese_vowels(subset="train").data, load_japanese_vowels(subset="test").data
    scaler = SequenceScaler().fit(train)
    reference = StandardScaler().fit(np.concatenate(train))
    np.testing.assert_allclose(scaler.center_, reference.mean_, rtol=1e-12)
    np.testing.assert_allclose(scaler.scale_, reference.scale_, rtol=1e-12)
    out = scaler.transform(test)
    assert [len(x) for x in out] == [len(x) for x in test]
    np.testing.assert_allclose(np.concatenate(out), reference.transform(np.concatenate(test)), rtol=1e-10, atol=1e-13)
