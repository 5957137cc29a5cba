"""Frames with columns of lists, static columns and categories, and `WithStatic`, in all that estimators do."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor, WithStatic
from skrnn.exceptions import ConstantFeatureWarning
from skrnn.preprocessing import SequenceImputer, SequenceScaler

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("simd"),
]
N = 24
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(2, 7, N)
DATA = {
    "heat": [RNG.normal(20, 5, length).tolist() for length in LENGTHS],
    "state": [RNG.choice(["on", "off"], length).tolist() for length in LENGTHS],
    "age": RNG.normal(50, 10, N).tolist(), "ward": RNG.choice(["x", "y", "z"], N).tolist(),
}
Y = np.where(np.array(DATA["age"]) > 50, "old", "young")
LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.table}
FRAME = pd.DataFrame(DATA)
SMALL = {"hidden_size": 3, "max_iter": 3, "random_state": 0}


def beside():
    """The same data as `WithStatic`."""
    steps = [np.array([heat, state], dtype=object).T for heat, state in zip(DATA["heat"], DATA["state"], strict=True)]
    return WithStatic(steps, FRAME[["age", "ward"]])


def some(X, rows):
    rows = list(rows)
    return X.take(rows) if isinstance(X, pa.Table) else X[rows] if isinstance(X, pl.DataFrame) else X.iloc[rows]


@pytest.fixture(scope="module")
def of_pandas():
    return RNNClassifier(**SMALL).fit(FRAME, Y)


@pytest.mark.parametrize("library", LIBRARIES)
class TestLibraries:
    def test_the_net_is_the_same(self, library, of_pandas):
        X = LIBRARIES[library](DATA)
        net = RNNClassifier(**SMALL).fit(X, Y)
        assert net.n_features_in_ == 4
        assert net.feature_names_in_.tolist() == list(DATA)
        for name, values in of_pandas.parameters_.items():
            np.testing.assert_array_equal(net.parameters_[name], values)
        np.testing.assert_array_equal(of_pandas.predict_proba(X), net.predict_proba(FRAME))

    def test_saved_and_loaded(self, library, of_pandas):
        X = LIBRARIES[library](DATA)
        loaded = pickle.loads(pickle.dumps(of_pandas))
        np.testing.assert_array_equal(loaded.predict_proba(X), of_pandas.predict_proba(FRAME))

    def test_a_subset_is_that_of_all(self, library, of_pandas):
        X, rows = LIBRARIES[library](DATA), [7, 2, 11]
        np.testing.assert_array_equal(of_pandas.predict_proba(some(X, rows)), of_pandas.predict_proba(X)[rows])

    def test_splitters_searches_and_pipelines(self, library):
        X = LIBRARIES[library](DATA)
        net = RNNClassifier(**SMALL)
        assert len(cross_val_predict(net, X, Y, cv=3)) == N
        pipe = make_pipeline(SequenceImputer(), SequenceScaler(), net)
        search = GridSearchCV(pipe, {"rnnclassifier__static_to": ["head", "initial_state"]}, cv=2).fit(X, Y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert search.predict(X).shape == (N,)

    def test_partial_fit_and_validation_data(self, library):
        X = LIBRARIES[library](DATA)
        net = RNNClassifier(**SMALL).partial_fit(some(X, range(12)), Y[:12], classes=["old", "young"])
        shapes = {name: values.shape for name, values in net.parameters_.items()}
        net.partial_fit(LIBRARIES[library](DATA | {"ward": ["new"] * N}), Y)
        assert {name: values.shape for name, values in net.parameters_.items()} == shapes
        stopped = RNNClassifier(**SMALL, early_stopping=True).fit(X, Y, X_val=some(X, range(6)), y_val=Y[:6])
        assert stopped.predict(X).shape == (N,)


class TestWithStatic:
    def test_it_is_the_net_of_the_frame(self, of_pandas):
        net = RNNClassifier(**SMALL, categorical_features=[1, 3]).fit(beside(), Y)
        np.testing.assert_array_equal(net.predict_proba(beside()), of_pandas.predict_proba(FRAME))
        np.testing.assert_array_equal(of_pandas.predict_proba(beside()), of_pandas.predict_proba(FRAME))

    @pytest.mark.parametrize("cv", [KFold(3, shuffle=True, random_state=0), GroupKFold(3)])
    def test_splitters(self, cv):
        net = RNNClassifier(**SMALL, categorical_features=[1, 3])
        groups = {"groups": np.arange(N) % 5} if isinstance(cv, GroupKFold) else {}
        frame = cross_val_score(RNNClassifier(**SMALL), FRAME, Y, cv=cv, **groups)
        np.testing.assert_array_equal(cross_val_score(net, beside(), Y, cv=cv, **groups), frame)

    @pytest.mark.slow
    def test_processes(self):
        net = clone(RNNClassifier(**SMALL, categorical_features=[1, 3]))
        one, two = (cross_val_score(net, beside(), Y, cv=3, n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(one, two)

    def test_early_stopping_holds_out_both(self):
        net = RNNClassifier(**SMALL, categorical_features=[1, 3], early_stopping=True, scoring="accuracy")
        assert len(net.fit(beside(), Y).validation_scores_) == net.n_iter_

    def test_memory_mapped_sequences(self, tmp_path):
        np.save(tmp_path / "X.npy", RNG.normal(size=(N, 4, 2)))
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        nets = [RNNClassifier(**SMALL).fit(WithStatic(X, DATA["age"]), Y) for X in (mapped, np.array(mapped))]
        np.testing.assert_array_equal(*(net.predict_proba(WithStatic(mapped, DATA["age"])) for net in nets))


class TestCategoriesAlone:
    def test_indices(self):
        X = RNG.normal(size=(N, 5, 2))
        X[..., 1] = RNG.integers(0, 3, (N, 5))
        net = RNNRegressor(**SMALL, categorical_features=[1]).fit(X, X[:, -1, 0])
        words = [np.array([[x, "abc"[int(c)]] for x, c in rows], dtype=object) for rows in X]
        other = RNNRegressor(**SMALL, categorical_features=[1]).fit(words, X[:, -1, 0])
        np.testing.assert_array_equal(net.predict(X), other.predict(words))
        assert other.categories_["x1"].tolist() == ["a", "b", "c", "unseen"]

    def test_labels_of_steps(self):
        labels = [np.array(states) == "on" for states in DATA["state"]]
        net = RNNClassifier(**SMALL, return_sequences=True).fit(FRAME[["state", "age"]], labels)
        assert [len(row) for row in net.predict(FRAME[["state", "age"]])] == LENGTHS.tolist()

    def test_unseen_categories_are_zero(self, of_pandas):
        assert not of_pandas.embeddings_["ward"][-1].any()
        assert of_pandas.categories_["ward"].tolist() == ["x", "y", "z", "unseen"]


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
class TestMissing:
    def test_a_missing_static_number_is_the_mean(self, missing):
        gaps = FRAME.assign(age=[np.nan, *DATA["age"][1:]])
        net = RNNClassifier(**SMALL, missing=missing).fit(gaps, Y)
        filled = gaps.assign(age=gaps.age.fillna(gaps.age.mean()))
        same = np.array_equal(net.predict_proba(gaps)[0], net.predict_proba(filled)[0])
        assert same == (missing == "ffill")
        np.testing.assert_array_equal(net.predict_proba(gaps)[1:], net.predict_proba(filled)[1:])

    def test_numbers_of_steps_among_categories(self, missing):
        gaps = FRAME.assign(heat=[[np.nan, *heat[1:]] for heat in DATA["heat"]])
        net = RNNClassifier(**SMALL, missing=missing).fit(gaps, Y)
        state = net.initial_state(static=gaps[["age", "ward"]].iloc[:1])
        for heat, of_step in zip(gaps.heat[0], DATA["state"][0], strict=True):
            proba, state = net.predict_proba_step([heat, of_step], state)
        np.testing.assert_array_equal(proba, net.predict_proba(gaps.iloc[:1])[0])


def test_a_missing_static_number_beside_steps_that_are_categories():
    ids = [np.array([state == "on" for state in states], int) for states in DATA["state"]]
    age = np.array([np.nan, *DATA["age"][1:]])
    X, filled = (WithStatic(ids, ages) for ages in (age, np.where(np.isnan(age), np.nanmean(age), age)))
    net = RNNClassifier(**SMALL, embedding_dim=2, missing="ffill").fit(X, Y)
    np.testing.assert_array_equal(net.static_mean_, np.nanmean(age))
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(filled))


@pytest.mark.parametrize("step", [
    lambda heat, state: [heat, state], lambda heat, state: pd.Series({"heat": heat, "state": state}),
    lambda heat, state: {"state": state, "heat": heat},
    lambda heat, state: pl.DataFrame({"heat": heat, "state": state}),
])
def test_streams_take_strings(of_pandas, step):
    state = of_pandas.initial_state(static=FRAME[["age", "ward"]].iloc[[3]])
    for heat, of_step in zip(DATA["heat"][3], DATA["state"][3], strict=True):
        proba, state = of_pandas.predict_proba_step(step(heat, of_step), state)
    np.testing.assert_array_equal(np.ravel(proba), of_pandas.predict_proba(FRAME.iloc[[3]])[0])


def test_each_sequence_in_its_own_units():
    net = RNNClassifier(**SMALL, standardize="sequence").fit(FRAME, Y)
    scaled = FRAME.assign(heat=[[2 * x + 1 for x in heat] for heat in DATA["heat"]])
    assert net.predict(scaled).shape == (N,)


class TestDecimals:
    """Numbers that are text are categories, and hardly meant so."""

    @pytest.mark.parametrize("column", ["age", "heat"])
    def test_as_text(self, column):
        frame = FRAME.assign(**{column: FRAME[column].map(lambda cell: (
            [f"{value:.1f}" for value in cell] if column == "heat" else f"{cell:.1f}"
        ))})
        with pytest.warns(UserWarning, match=rf"'{column}' is read as .* decimal numbers, .*pd.to_numeric"):
            RNNClassifier(**SMALL).fit(frame, Y)

    def test_static_features_without_names(self):
        steps = [np.ones((3, 2)) * i for i in range(N)]
        with pytest.warns(UserWarning, match="'x2' is read as"):
            net = RNNClassifier(**SMALL).fit(WithStatic(steps, [[f"{i % 3}.5"] for i in range(N)]), Y)
        assert list(net.categories_) == ["x2"]

    @pytest.mark.parametrize("text", ["0{:.0f}", "{:.1f} years", "v1.{:.0f}.0"])
    def test_codes_and_other_texts(self, text):
        """Without a warning, which would be an error here."""
        age = FRAME["age"].round(-1).map(text.format)
        net = RNNClassifier(**SMALL).fit(FRAME.assign(age=age), Y)
        assert net.categories_["age"].tolist() == [*sorted(set(age)), "unseen"]

    def test_names_of_sequences(self):
        frame = FRAME.assign(patient=[f"p{i}" for i in range(N)])
        with pytest.warns(UserWarning, match=f"'patient' is read as {N} categories, one for each sequence"):
            RNNClassifier(**SMALL).fit(frame, Y)
        RNNClassifier(**SMALL, categorical_features=["patient", "state", "ward"]).fit(frame, Y)

    def test_where_they_are_meant(self):
        """Without a warning, which would be an error here."""
        frame = FRAME.assign(age=FRAME["age"].map("{:.1f}".format))
        named = RNNClassifier(**SMALL, categorical_features=["state", "age", "ward"]).fit(frame, Y)
        by_dtype = RNNClassifier(**SMALL).fit(frame.assign(age=frame["age"].astype("category")), Y)
        for net in (named, by_dtype):
            assert net.categories_["age"].tolist() == [*sorted(set(frame["age"])), "unseen"]


def test_units_make_no_difference(of_pandas):
    other = FRAME.assign(age=FRAME.age * 12, heat=[[1.8 * x + 32 for x in heat] for heat in DATA["heat"]])
    net = RNNClassifier(**SMALL).fit(other, Y)
    np.testing.assert_allclose(net.predict_proba(other), of_pandas.predict_proba(FRAME), atol=1e-8)


def test_a_failed_fit_leaves_the_net_as_it_was(of_pandas):
    net = pickle.loads(pickle.dumps(of_pandas))
    for bad in (FRAME.assign(age=np.nan), FRAME.assign(ward=[1, *DATA["ward"][1:]])):
        with pytest.raises((ValueError, TypeError)):
            net.fit(bad, Y)
    np.testing.assert_array_equal(net.predict_proba(FRAME), of_pandas.predict_proba(FRAME))


def test_constant_static_features_are_named():
    with pytest.warns(ConstantFeatureWarning, match="feature 'age' of X is constant, 3 in every sequence"):
        RNNClassifier(**SMALL).fit(FRAME.assign(age=3.0), Y)


def test_what_continues_reads_the_same():
    net = RNNClassifier(**SMALL, warm_start=True).fit(FRAME, Y)
    net.fit(FRAME, Y)
    with pytest.raises(ValueError, match="yet now missing"):
        net.fit(FRAME[["heat", "age"]], Y)
