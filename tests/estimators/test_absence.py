"""A weight of zero is the same as absence, to the bit: also of categories, missing ones, and what stands beside steps.
"""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from skrnn import RNNClassifier, RNNOutlierDetector, RNNRegressor, RNNSurvival, WithStatic

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("simd"),
]
N = 40
RNG = np.random.default_rng(0)
HELD = np.arange(N) % 4 != 1
ROWS = np.flatnonzero(HELD)
LENGTHS = RNG.integers(3, 7, N)
HEAT = [RNG.normal(20, 5, length).tolist() for length in LENGTHS]


def labels(kept, others, size, rng=RNG):
    """Labels of rows with weight, and those of rows without."""
    return [rng.choice(kept if held else [*kept, *others], n).tolist() for held, n in zip(HELD, size, strict=True)]


# What only sequences without weight have comes before, between and after what others have, and is missing
STATE = labels(["b", "d"], ["a", "c", "e", None], LENGTHS)
CODES = labels([2, 5], [0, 3, 9], LENGTHS)
WARD = [cell[0] for cell in labels(["x", "z"], ["w", "y", None], np.ones(N, int))]
AGE = np.where(HELD, RNG.normal(50, 10, N), 1e6)
COLUMNS = {"heat": HEAT, "state": STATE, "age": AGE, "ward": WARD}
FRAME = pd.DataFrame(COLUMNS)
Y = np.where(RNG.random(N) < 0.5, "old", "young")
SMALL = {"hidden_size": 3, "max_iter": 3, "random_state": 0}


def arrays(*columns):
    return [np.array(rows, dtype=object).T for rows in zip(*columns, strict=True)]


FORMS = {
    "pandas": (FRAME, {}),
    "polars": (pl.DataFrame(COLUMNS), {}),
    "Arrow": (pa.table(COLUMNS), {}),
    "objects": (FRAME.to_numpy(), {"categorical_features": [1, 3]}),
    "steps alone": (FRAME[["heat", "state"]], {}),
    "static alone": (FRAME[["heat", "ward"]], {}),
    "beside": (WithStatic(arrays(HEAT, STATE), FRAME[["age", "ward"]]), {"categorical_features": [1, 3]}),
    "numbers": (arrays(HEAT, CODES), {"categorical_features": [1]}),
    "ids": (WithStatic([np.array(codes) for codes in CODES], FRAME[["age"]]), {"embedding_dim": 2}),
    "ids with a ward": (WithStatic(arrays(CODES), FRAME[["ward"]]), {"categorical_features": [0, 1]}),
    "a dtype": (FRAME.astype({"ward": "category"}), {}),
    "ids with gaps": (
        WithStatic([np.array(codes) for codes in CODES], np.where(np.arange(N) < 3, np.nan, AGE)),
        {"embedding_dim": 2, "missing": "ffill"},
    ),
    "gaps": (FRAME.assign(age=np.where(np.arange(N) < 3, np.nan, AGE)), {"missing": "indicator"}),
}


def some(X, rows):
    if isinstance(X, list):
        return [X[i] for i in rows]
    if isinstance(X, pa.Table):
        return X.take(rows)
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def assert_same(net, other):
    assert net.parameters_.keys() == other.parameters_.keys()
    for name, values in net.parameters_.items():
        np.testing.assert_array_equal(other.parameters_[name], values, err_msg=name)
    for name, categories in net.categories_.items():
        assert other.categories_[name].tolist() == categories.tolist()


@pytest.mark.parametrize("form", FORMS)
class TestForms:
    def test_fit(self, form):
        X, parameters = FORMS[form]
        net = RNNClassifier(**SMALL, **parameters).fit(X, Y, sample_weight=HELD)
        other = clone(net).fit(some(X, ROWS), Y[ROWS])
        assert_same(net, other)
        np.testing.assert_array_equal(net.predict_proba(X), other.predict_proba(X))

    @pytest.mark.parametrize("groups", [None, np.arange(N) // 3])
    def test_early_stopping(self, form, groups):
        X, parameters = FORMS[form]
        net = RNNClassifier(**SMALL, **parameters, early_stopping=True).fit(X, Y, HELD, groups=groups)
        of_rows = None if groups is None else groups[ROWS]
        other = clone(net).fit(some(X, ROWS), Y[ROWS], np.ones(len(ROWS)), groups=of_rows)
        assert_same(net, other)
        assert net.validation_scores_ == other.validation_scores_

    def test_partial_fit_and_going_on(self, form):
        X, parameters = FORMS[form]
        net = RNNClassifier(**SMALL, **parameters).partial_fit(X, Y, classes=["old", "young"], sample_weight=HELD)
        other = clone(net).partial_fit(some(X, ROWS), Y[ROWS], classes=["old", "young"])
        for _ in range(2):
            net.partial_fit(X, Y, sample_weight=HELD)
            other.partial_fit(some(X, ROWS), Y[ROWS])
        assert_same(net, other)


@pytest.mark.parametrize("form", ["pandas", "beside", "numbers"])
def test_targets_of_steps(form):
    """A sequence is absent if all of its steps are."""
    X, parameters = FORMS[form]
    y = [np.asarray(heat) / 10 for heat in HEAT]
    weights = [np.where(np.arange(length) == 1, 0.0, held) for held, length in zip(HELD, LENGTHS, strict=True)]
    net = RNNRegressor(**SMALL, **parameters, return_sequences=True).fit(X, y, weights)
    assert_same(net, clone(net).fit(some(X, ROWS), some(y, ROWS), some(weights, ROWS)))


def test_targets_that_are_missing():
    """Steps without a target have no weight."""
    y = [np.full(length, np.nan) if not held else np.arange(length) for held, length in zip(HELD, LENGTHS, strict=True)]
    net = RNNRegressor(**SMALL, return_sequences=True).fit(FRAME, y)
    assert_same(net, clone(net).fit(FRAME.iloc[ROWS], some(y, ROWS)))


def test_other_estimators():
    detector = RNNOutlierDetector(**SMALL).fit(FRAME, sample_weight=HELD)
    other = clone(detector).fit(FRAME.iloc[ROWS])
    np.testing.assert_array_equal(detector.score_samples(FRAME), other.score_samples(FRAME))
    assert (detector.offset_, detector.step_offset_) == (other.offset_, other.step_offset_)
    y = np.column_stack([np.arange(N) % 3 > 0, RNG.exponential(size=N)])
    net = RNNSurvival(**SMALL, intervals=5).fit(FRAME, y, HELD)
    assert_same(net, clone(net).fit(FRAME.iloc[ROWS], y[ROWS]))


def test_read_on_demand(tmp_path):
    """Sequences of a file are recoded when they are read."""
    X = RNG.normal(size=(N, 6, 2))
    X[..., 1] = np.where(HELD[:, np.newaxis], RNG.choice([2, 5], (N, 6)), RNG.choice([0, 3, 9], (N, 6)))
    np.save(tmp_path / "X.npy", X)
    static = FRAME[["age", "ward"]]
    net = RNNClassifier(**SMALL, categorical_features=[1, 3])
    net.fit(WithStatic(np.load(tmp_path / "X.npy", mmap_mode="r"), static), Y, HELD)
    assert net.categories_["x1"].tolist() == [2, 5, "unseen"]
    assert_same(net, clone(net).fit(WithStatic(X[ROWS], static.iloc[ROWS]), Y[ROWS]))


def test_categories_of_a_dtype_stay():
    """What a dtype announces does not depend on what occurs; whether cells are missing does."""
    X = FRAME.astype({"ward": pd.CategoricalDtype(["z", "y", "x", "w"])})
    net = RNNClassifier(**SMALL).fit(X, Y, HELD)
    assert net.categories_["ward"].tolist() == ["z", "y", "x", "w", "unseen"]
    assert not net.embeddings_["ward"][[1, 3, 4]].any()
    assert net.embeddings_["ward"][[0, 2]].all()
    assert clone(net).fit(X, Y).categories_["ward"].tolist() == ["z", "y", "x", "w", None, "unseen"]
