"""Categories as inputs."""

from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest
from networks import FORMS
from numerical import assert_gradient, central_differences
from pairwise import pairwise
from sklearn.model_selection import cross_val_score

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.examples import Examples
from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training.losses import LOSSES
from skrnn.kernels import kernels_for

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]
LENGTHS = np.array([3, 7, 1, 5])


class Problem:
    def __init__(self, form=FORMS[0], bidirectional=False, per_step=True, lengths=LENGTHS, n_categories=6):
        rng = np.random.default_rng(0)
        total = lengths.sum()
        self.categories = rng.integers(0, n_categories - 2, size=total)
        self.net = RecurrentNetwork(3, (4, 3), 2, *form, bidirectional, per_step, n_categories=n_categories)
        self.theta = 0.5 * rng.normal(size=self.net.layout.size)
        self.sequences = Sequences(np.zeros((total, 1)), lengths, "ragged", categories=self.categories)
        targets = rng.normal(size=(total if per_step else len(lengths), 2))
        self.examples = Examples(self.sequences, targets, None, per_step)
        self.index = np.arange(len(lengths))

    def with_category_ids(self):
        """The same network without the embedding, on its rows."""
        form = self.net.layers[0]
        E = self.net.layout.views(self.theta)["embedding.E"]
        return Sequences(E[self.categories], self.sequences.lengths, "ragged"), form

    def objective(self, **parameters):
        return Objective(self.net, self.examples, LOSSES["squared_error"](), len(self.index), **parameters)


@pytest.mark.parametrize(
    ("form", "bidirectional", "per_step"), pairwise(FORMS, [False, True], [False, True]), ids=str
)
class TestKernels:
    def test_scores_are_those_of_the_rows(self, form, bidirectional, per_step):
        problem = Problem(form, bidirectional, per_step)
        sequences, _ = problem.with_category_ids()
        net = RecurrentNetwork(3, (4, 3), 2, *form, bidirectional, per_step)
        expected = net.forward(problem.theta[: net.layout.size], sequences, problem.index)
        actual = problem.net.forward(problem.theta, problem.sequences, problem.index)
        assert actual.tobytes() == expected.tobytes()

    def test_gradient_of_one_batch_after_another(self, form, bidirectional, per_step):
        """Rows of the embedding that only the first has are zero in the second, and in no range."""
        problem = Problem(form, bidirectional, per_step, lengths=np.array([1, 2, 1]))
        problem.categories[:] = [0, 1, 2, 3]
        objective = problem.objective()
        objective(problem.theta, np.array([0, 1]))
        again = objective(problem.theta, np.array([2]))[2]
        expected = problem.objective()(problem.theta, np.array([2]))[2]
        np.testing.assert_array_equal(again, expected)
        E = problem.net.layout.slices["embedding.E"].start
        assert objective.ranges.tolist() == [[0, E], [E + 9, E + 12]]

    def test_gradient(self, form, bidirectional, per_step):
        problem = Problem(form, bidirectional, per_step)
        objective = problem.objective(alpha=0.1)
        gradient = objective(problem.theta, problem.index)[2].copy()
        step = 1e-6 if form[1] == "relu" else 1e-4
        numerical = central_differences(
            lambda: sum(objective(problem.theta, problem.index)[:2]), problem.theta, step
        )
        for part in problem.net.layout.slices.values():
            assert_gradient(gradient[part], numerical[part])
        E = problem.net.layout.views(gradient)["embedding.E"]
        unused = np.setdiff1d(np.arange(6), problem.categories)
        assert len(unused) >= 2
        np.testing.assert_array_equal(E[unused], 0)


def test_threads_and_memory_change_no_bit(monkeypatch):
    results = []
    for n_threads, most in ((1, 2**40), (2, 2**40), (5, 2**40), (3, 1)):
        monkeypatch.setattr(threads, "threads_for", lambda work, n_threads=n_threads: n_threads)
        monkeypatch.setattr(memory, "max_bytes", lambda most=most: most)
        problem = Problem(lengths=np.resize([300, 4, 270, 31], 70))
        value, _, gradient, _ = problem.objective(dropout=0.2)(problem.theta, problem.index)
        results.append((value, gradient.tobytes()))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("bad", [-1, 6, 2**40])
def test_kernels_refuse_categories_that_there_are_not(bad):
    problem = Problem()
    problem.categories[9] = bad
    with pytest.raises(ValueError, match=rf"steps\[9\]={bad} must be a category from 0 to 5"):
        problem.net.forward(problem.theta, problem.sequences, problem.index)
    with pytest.raises(ValueError, match="must be a category"):
        problem.objective()(problem.theta, problem.index)


def test_kernels_refuse_more_categories_than_fit():
    layer = {"cell": "rnn", "variant": 0, "D": 3, "K": 4, "W": [0], "U": [12], "b": [28]}
    for n_categories in (-1, 2**62):
        with pytest.raises(ValueError, match="there cannot be"):
            kernels_for(np.float64).Engine([layer], n_outputs=2, V=32, c=40, size=42, n_categories=n_categories)


def words(n=200, seed=0):
    """Sequences of letters 0 .. 5, and whether there are more 2 than 4."""
    rng = np.random.default_rng(seed)
    X = [rng.integers(0, 6, size=T) for T in rng.integers(3, 12, size=n)]
    return X, np.array([np.sum(x == 2) > np.sum(x == 4) for x in X])


class TestEstimators:
    def test_learns(self):
        X, y = words()
        net = RNNClassifier(8, cell="gru", embedding_dim=4, learning_rate_init=0.02, batch_size=20, random_state=0)
        assert cross_val_score(net, X, y, cv=3).mean() > 0.9

    def test_forms_of_x(self):
        X, y = words()
        X = [x[:3] for x in X]
        net = RNNClassifier(4, embedding_dim=2, max_iter=3, random_state=0)
        predicted = [
            net.fit(form, y).predict_proba(form).tobytes()
            for form in (X, np.array(X), np.array(X)[:, :, np.newaxis], np.array(X, float), [x.tolist() for x in X])
        ]
        assert len(set(predicted)) == 1

    def test_categories_that_fit_did_not_see_are_zeros(self):
        X, y = words()
        X = [np.where(x == 3, 2, x) for x in X]
        net = RNNClassifier(4, embedding_dim=2, max_iter=3, random_state=0).fit(X, y)
        E = net.parameters_["embedding.E"]
        assert E.shape == (7, 2)
        np.testing.assert_array_equal(E[[3, 6]], 0)
        assert E[[0, 1, 2, 4, 5]].all()
        a = net.predict_proba([np.array([1, 3, 2])])
        assert a.tobytes() == net.predict_proba([np.array([1, 99, 2])]).tobytes()

    def test_of_sequences_without_weight_count_as_not_seen(self):
        X, y = words()
        weights = np.ones(200)
        weights[7] = 0
        parameters = {"embedding_dim": 2, "max_iter": 3, "random_state": 0}
        a = RNNClassifier(4, **parameters).fit([*X[:7], np.array([9, 30]), *X[8:]], y, weights)
        b = RNNClassifier(4, **parameters).fit(X[:7] + X[8:], np.delete(y, 7), np.ones(199))
        assert a.predict_proba(X).tobytes() == b.predict_proba(X).tobytes()

    def test_predict_does_not_change_the_estimator(self):
        X, y = words()
        net = RNNClassifier(4, embedding_dim=2, max_iter=2, random_state=0).fit(X, y)
        expected = net.predict_proba(X)
        np.testing.assert_array_equal(net.set_params(embedding_dim=None).predict_proba(X), expected)

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            ([0, -1], r"X\[1\]\[1\] is -1.0, expected a category"),
            ([0.5, 1], r"X\[1\]\[0\] is 0.5, expected a category"),
            ([0, 2**40], r"X\[1\]\[1\] is 1099511627776.0, expected a category"),
            ([0, np.nan], "Input X contains NaN: sequence 1, step 1"),
        ],
    )
    def test_what_is_no_category_is_an_error(self, x, message):
        X, _ = words(4)
        net = RNNClassifier(4, embedding_dim=2, max_iter=1, random_state=0)
        with pytest.raises(ValueError, match=message):
            net.fit([X[0], np.array(x), *X[2:]], [0, 1, 0, 1])
        net.fit(X, [0, 1, 0, 1])
        with pytest.raises(ValueError, match=message):
            net.predict([X[0], np.array(x)])

    def test_several_features_are_an_error(self):
        with pytest.raises(ValueError, match="X has 2 features per step, expected one with embedding_dim"):
            RNNClassifier(4, embedding_dim=2).fit(np.zeros((4, 3, 2)), [0, 1, 0, 1])

    def test_does_not_go_with_indicators(self):
        with pytest.raises(ValueError, match=r"missing='indicator' is for numbers.* missing='ffill' takes the last"):
            RNNClassifier(4, embedding_dim=2, missing="indicator").fit(*words())

    def test_partial_fit_needs_the_last_category_first(self):
        X, y = words()
        net = RNNClassifier(4, embedding_dim=2, random_state=0).partial_fit(X, y, classes=[False, True])
        net.partial_fit(X, y)
        with pytest.raises(ValueError, match="a category that the first fit did not see: expected categories up to 5"):
            net.partial_fit([np.array([6, 1])], [True])

    def test_streams(self):
        X, _ = words()
        net = RNNRegressor(4, embedding_dim=2, max_iter=2, return_sequences=True, random_state=0)
        net.fit(X, [x == 2 for x in X])
        state, steps = net.initial_state(), []
        for category in X[0]:
            value, state = net.predict_step(category, state)
            steps.append(value)
        assert np.array(steps).tobytes() == net.predict(X[:1])[0].tobytes()

    def test_the_penalty_leaves_it_alone(self):
        X, y = words()
        rate, alpha = 0.1, 50.0
        nets = [
            RNNClassifier(
                3, embedding_dim=2, solver="sgd", momentum=0, learning_rate_init=rate, alpha=a, max_iter=1,
                batch_size=200, random_state=0,
            ).fit(X, y).parameters_
            for a in (0, alpha)
        ]
        np.testing.assert_allclose(nets[0]["embedding.E"], nets[1]["embedding.E"], rtol=1e-12)
        assert not np.allclose(nets[0]["layer0.U"], nets[1]["layer0.U"])


def padded(dtype=float):
    """Sequences of letters as lists of arrays and in a matrix (n, 8) with NaN after their ends; targets of steps."""
    rng = np.random.default_rng(1)
    X = [rng.integers(0, 6, size=T) for T in rng.integers(1, 9, size=30)]
    matrix = np.full((30, 8), np.nan, dtype)
    for row, x in zip(matrix, X, strict=True):
        row[: len(x)] = x
    return X, matrix, rng.normal(size=(30, 8))


def integers(matrix):
    return [[None if np.isnan(cell) else int(cell) for cell in row] for row in matrix]


PADDED = {
    "matrix": lambda matrix: matrix,
    "array": lambda matrix: matrix[:, :, np.newaxis],
    "lists": integers,
    "objects": lambda matrix: np.array(integers(matrix), object),
    "pandas": pd.DataFrame,
    "nullable": lambda matrix: pd.DataFrame(matrix).astype("Int64"),
    "arrow in pandas": lambda matrix: pd.DataFrame(matrix).astype("int64[pyarrow]"),
    "polars": lambda matrix: pl.DataFrame(integers(matrix), orient="row"),
    "pyarrow": lambda matrix: pl.DataFrame(integers(matrix), orient="row").to_arrow(),
    "items on demand": lambda matrix: OnDemand(matrix[:, :, np.newaxis]),
}


class OnDemand:
    """A 3-D array that is read item by item."""

    def __init__(self, array):
        self.array, self.shape, self.ndim, self.dtype = array, array.shape, array.ndim, array.dtype

    def __len__(self):
        return len(self.array)

    def __getitem__(self, i):
        return self.array[i]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)


class TestMissing:
    PARAMETERS: ClassVar = {"embedding_dim": 2, "max_iter": 3, "random_state": 0}

    @pytest.mark.parametrize("form", PADDED.values(), ids=PADDED)
    def test_padding_is_left_out(self, form):
        """Fit, predict, score and transform are those of the sequences without padding, to the bit."""
        X, matrix, Y = padded()
        net = RNNRegressor(3, **self.PARAMETERS).fit(X, Y[:, 0])
        other = RNNRegressor(3, missing="ffill", **self.PARAMETERS).fit(form(matrix), Y[:, 0])
        assert other.predict(form(matrix)).tobytes() == net.predict(X).tobytes()
        assert other.transform(form(matrix)).tobytes() == net.transform(X).tobytes()
        assert other.score(form(matrix), Y[:, 0]) == net.score(X, Y[:, 0])
        net.partial_fit(X[:9], Y[:9, 0])
        other.partial_fit(form(matrix[:9]), Y[:9, 0])
        assert other.predict(X).tobytes() == net.predict(X).tobytes()

    @pytest.mark.parametrize("form", ["matrix", "array", "pandas", "polars"])
    def test_padding_with_targets_of_steps(self, form):
        X, matrix, Y = padded()
        net = RNNRegressor(3, return_sequences=True, **self.PARAMETERS).fit(
            X, [y[: len(x)] for x, y in zip(X, Y, strict=True)]
        )
        other = RNNRegressor(3, return_sequences=True, missing="ffill", **self.PARAMETERS).fit(PADDED[form](matrix), Y)
        for x, one, values in zip(X, other.predict(PADDED[form](matrix)), net.predict(X), strict=True):
            np.testing.assert_array_equal(one, np.r_[values, np.repeat(values[-1], 8 - len(x))])

    def test_single_precision(self):
        X, matrix, Y = padded(np.float32)
        net = RNNRegressor(3, missing="ffill", **self.PARAMETERS).fit(matrix, Y[:, 0])
        assert net.predict(matrix).dtype == np.float32
        expected = RNNRegressor(3, **self.PARAMETERS).fit([x.astype(np.float32) for x in X], Y[:, 0])
        assert net.predict(matrix).tobytes() == expected.predict([x.astype(np.float32) for x in X]).tobytes()

    def test_within_a_sequence_the_last_category_is_taken(self):
        """Before the first one there is none: a vector of its own, which is that of categories above."""
        gaps = [np.array([np.nan, 1, np.nan]), np.array([2, np.nan, 0]), np.array([np.nan, np.nan, 2.0])]
        full = [np.array([3, 1, 1]), np.array([2, 2, 0]), np.array([3, 3, 2])]
        y = [0.0, 1.0, 2.0]
        net = RNNRegressor(3, missing="ffill", **self.PARAMETERS).fit(gaps, y)
        other = RNNRegressor(3, **self.PARAMETERS).fit(full, y)
        np.testing.assert_array_equal(net.parameters_["embedding.E"], other.parameters_["embedding.E"][:4])
        assert net.predict(gaps).tobytes() == other.predict(full).tobytes()
        above, nothing = [np.array([77, np.nan])], [np.array([np.nan, np.nan])]
        assert net.predict(above).tobytes() == net.predict(nothing).tobytes()
        before = net.predict(full)
        net.partial_fit(gaps, y)
        assert (net.predict(full) != before).all()
        with pytest.raises(ValueError, match=r"see: expected categories up to 2, but X\[1\]\[1\] is 3; set n_cat"):
            net.partial_fit([gaps[0], np.array([np.nan, 3])], y[:2])

    def test_categories_that_are_only_in_sequences_without_weight(self):
        gaps = [np.array([np.nan, 1]), np.array([0, np.nan]), np.array([np.nan, 5])]
        net = RNNRegressor(3, missing="ffill", **self.PARAMETERS).fit(gaps, [0.0, 1.0, 2.0], [1, 1, 0])
        other = RNNRegressor(3, missing="ffill", **self.PARAMETERS).fit(gaps[:2], [0.0, 1.0])
        np.testing.assert_array_equal(net.parameters_["embedding.E"], other.parameters_["embedding.E"])
        net.fit([np.array([np.nan, np.nan])] * 2, [0.0, 1.0])
        assert net.parameters_["embedding.E"].shape == (1, 2)

    def test_streams(self):
        """A missing category is the last one of the stream."""
        x = np.array([np.nan, 1, np.nan, 50, np.nan, 2])
        X, _, Y = padded()
        net = RNNRegressor(3, missing="ffill", return_sequences=True, **self.PARAMETERS).fit(
            X, [y[: len(x)] for x, y in zip(X, Y, strict=True)]
        )
        expected = net.predict([x])[0]
        state = net.initial_state(2)
        for category, value in zip(x, expected, strict=True):
            values, state = net.predict_step([[category], [1.0]], state)
            assert values[0] == value
        _, half = net.predict([x[:3]], return_state=True)
        rest, after = net.predict([x[3:]], initial_state=half, return_state=True)
        np.testing.assert_array_equal(rest[0], expected[3:])
        np.testing.assert_array_equal(after, state[:1])
        values, _ = net.predict(x[np.newaxis], return_state=True)
        np.testing.assert_array_equal(values[0], expected)

    def test_in_validation_data(self):
        X, matrix, Y = padded()
        nets = [
            RNNRegressor(3, missing=missing, early_stopping=True, **self.PARAMETERS).fit(
                X[:20], Y[:20, 0], X_val=validation, y_val=Y[20:, 0]
            ) for missing, validation in (("error", X[20:]), ("ffill", matrix[20:, :, np.newaxis]))
        ]
        assert nets[0].validation_scores_ == nets[1].validation_scores_


class TestAnnounced:
    PARAMETERS: ClassVar = {"embedding_dim": 2, "n_categories": 9, "max_iter": 3, "random_state": 0}

    def test_what_is_learned_does_not_depend_on_the_greatest_category(self):
        X, y = words()
        net = RNNClassifier(4, **self.PARAMETERS).fit(X, y)
        plain = RNNClassifier(4, **self.PARAMETERS | {"n_categories": None}).fit([*X[:-1], np.array([8])], y)
        assert net.parameters_["embedding.E"].shape == plain.parameters_["embedding.E"].shape == (10, 2)
        np.testing.assert_array_equal(net.parameters_["embedding.E"][6:], 0)
        assert net.parameters_["embedding.E"][:6].all()
        weights = np.r_[np.ones(199), 0]
        a = RNNClassifier(4, **self.PARAMETERS).fit([*X[:-1], np.array([8])], y, weights)
        b = RNNClassifier(4, **self.PARAMETERS).fit(X[:-1], y[:-1])
        assert a.predict_proba(X).tobytes() == b.predict_proba(X).tobytes()

    @pytest.mark.parametrize("missing", ["error", "ffill"])
    def test_later_categories_are_learned(self, missing):
        X, y = words()
        net = RNNClassifier(4, missing=missing, **self.PARAMETERS).partial_fit(X, y, classes=[False, True])
        expected = net.predict_proba([[10, 1]])
        assert net.predict_proba([[8, 1]]).tobytes() == expected.tobytes()
        net.partial_fit([np.array([8, 1]), np.array([7, 7])], [True, False])
        moved = net.parameters_["embedding.E"].any(axis=1)
        assert moved.tolist() == [True] * 6 + [False, True, True, False]
        with pytest.raises(ValueError, match=r"n_categories=9 does not announce: .* up to 8, but X\[1\]\[0\] is 9$"):
            net.partial_fit([np.array([8]), np.array([9])], [True, False])

    def test_in_folds_and_warm_starts(self):
        """Which categories a part of X holds changes neither the shapes nor whether a fit can continue."""
        X, y = words()
        low, high = [x % 3 for x in X], [x + 3 for x in X]
        net = RNNClassifier(4, warm_start=True, **self.PARAMETERS).fit(low, y).fit(high, y)
        assert net.parameters_["embedding.E"].any(axis=1).tolist() == [True] * 9 + [False]
        for changed in (8, None):
            with pytest.raises(ValueError, match=f"cannot continue with n_categories={changed}, which the first fit"):
                net.set_params(n_categories=changed).fit(low, y)
        with pytest.raises(ValueError, match="cannot continue with n_categories=9"):
            RNNClassifier(4, warm_start=True, embedding_dim=2, max_iter=1).fit(high, y).set_params(n_categories=9).fit(
                low, y
            )

    def test_is_checked(self):
        X, y = words(4)
        with pytest.raises(ValueError, match=r"X\[1\]\[0\] is 9.0, expected a category: .* up to 8, as n_categories=9"):
            RNNClassifier(4, **self.PARAMETERS).fit([X[0], np.array([9]), *X[2:]], y)
        with pytest.raises(ValueError, match="n_categories=9 is for categories: set embedding_dim"):
            RNNClassifier(4, n_categories=9).fit(X, y)
        for bad in (0, 2.5, 10**9):
            with pytest.raises(ValueError, match="The 'n_categories' parameter of RNNClassifier must be"):
                RNNClassifier(4, embedding_dim=2, n_categories=bad).fit(X, y)


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "rmsprop"])
def test_an_update_leaves_other_categories_alone(solver):
    """A category that a batch does not hold keeps its embedding, though it has been moving before."""
    X, y = [np.array([0, 1]), np.array([2, 2, 3])], np.array([0.0, 1.0])
    net = RNNRegressor(3, embedding_dim=2, solver=solver, learning_rate_init=0.01, random_state=0).partial_fit(X, y)
    before = net.parameters_["embedding.E"].copy()
    net.partial_fit(X[:1], y[:1])
    moved = (net.parameters_["embedding.E"] != before).any(axis=1)
    assert moved.tolist() == [True, True, False, False, False]
