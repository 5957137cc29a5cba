"""Class targets in several columns, each with its own classes."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import as_object_array
from sklearn.base import clone
from sklearn.metrics import f1_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skrnn import RNNClassifier, concatenate_steps, make_sequence_scorer, split_steps
from skrnn.exceptions import ConstantTargetWarning, NothingLearnedWarning
from skrnn.preprocessing import SequenceScaler, sequences_from_long

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
nan = np.nan
SHORT = {"cell": "gru", "max_iter": 3, "learning_rate_init": 0.02, "random_state": 0}
LABELS = (["high", "low", "mid"], [3, 7], [False, True])
KINDS = {"integers": ([-2, 0, 5], [0, 1], [1, 2, 3]), "strings": (["a", "b", "c"], ["x", "y"], ["p", "q", "rst"]),
         "floats": ([0.0, 1.0, 2.0], [0.0, 1.0], [3.0, 4.0, 5.0]), "mixed": LABELS}


def codes_of(X):
    """Three class numbers for each row of features."""
    return np.stack([np.digitize(X[..., 0], [-0.5, 0.5]), X[..., 1] > 0, np.digitize(X.sum(axis=-1), [0, 1])], axis=-1)


def data(per_step=False, n=60, T=5, labels=LABELS, seed=0):
    """Sequences (n, T, 2), and for each or each step of it three labels, as objects."""
    X = np.random.default_rng(seed).normal(size=(n, T, 2))
    codes = codes_of(X if per_step else X.mean(axis=1) * np.sqrt(T))
    y = np.empty(codes.shape, dtype=object)
    for q, names in enumerate(labels):
        y[..., q] = np.array(names, dtype=object)[np.minimum(codes[..., q], len(names) - 1)]
    return X, y


def net(per_step=False, **parameters):
    return RNNClassifier(4, return_sequences=per_step, **SHORT | parameters)


def stacked(fitted, X):
    """The probabilities of all columns side by side, for all sequences or steps."""
    return np.concatenate([np.concatenate(list(p)) if fitted.return_sequences else p for p in
                           fitted.predict_proba(X)], axis=-1)


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def per_step(request):
    return request.param


class TestConvention:
    """Classes and probabilities are lists, as those of scikit-learn's classifiers of several outputs are."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_shapes_and_types(self, kind, per_step):
        X, y = data(per_step, labels=KINDS[kind])
        if kind != "mixed":
            y = np.array(y.tolist())
        fitted = net(per_step).fit(X, y)
        assert [classes.tolist() for classes in fitted.classes_] == list(map(list, KINDS[kind]))
        sizes = list(map(len, KINDS[kind]))
        n_scores = [1 if size == 2 else size for size in sizes]
        assert fitted.n_outputs_ == sum(n_scores) == fitted.parameters_["head.c"].size
        assert fitted.out_activation_ == ["logistic" if size == 2 else "softmax" for size in sizes]
        p, log_p, predicted = fitted.predict_proba(X), fitted.predict_log_proba(X), fitted.predict(X)
        assert isinstance(p, list)
        assert predicted.shape == y.shape
        assert predicted.dtype == y.dtype
        for q, size in enumerate(sizes):
            assert p[q].shape == (*y.shape[:-1], size)
            np.testing.assert_allclose(p[q].sum(axis=-1), 1)
            np.testing.assert_allclose(np.exp(log_p[q]), p[q])
            expected = fitted.classes_[q][p[q].argmax(axis=-1)]
            assert predicted[..., q].tolist() == expected.tolist()

    def test_as_scikit_learn(self):
        X, y = data(labels=KINDS["integers"])
        y = y.astype(int)
        flat = X.reshape(len(X), -1)
        for other in (DecisionTreeClassifier(), MultiOutputClassifier(DecisionTreeClassifier())):
            other, fitted = other.fit(flat, y), net().fit(X, y)
            for a, b in zip(fitted.classes_, other.classes_, strict=True):
                np.testing.assert_array_equal(a, b)
            for a, b in zip(fitted.predict_proba(X), other.predict_proba(flat), strict=True):
                assert a.shape == b.shape
            assert fitted.predict(X).shape == other.predict(flat).shape

    def test_score_is_the_fraction_of_rows_that_are_right_in_all_columns(self, per_step):
        X, y = data(per_step)
        fitted, weights = net(per_step).fit(X, y), np.random.default_rng(1).uniform(size=len(X))
        right = (fitted.predict(X) == y).all(axis=-1)
        assert fitted.score(X, y) == right.mean()
        of_rows = np.broadcast_to(weights[:, np.newaxis], right.shape) if per_step else weights
        assert fitted.score(X, y, weights) == pytest.approx(np.average(right, weights=of_rows))
        gaps = np.random.default_rng(2).uniform(size=y.shape) < 0.4
        right = ((fitted.predict(X) == y) | gaps).all(axis=-1)[~gaps.all(axis=-1)]
        assert fitted.score(X, np.where(gaps, None, y)) == right.mean()
        if not per_step:
            numbers = data(labels=KINDS["integers"])[1].astype(int)
            several = MultiOutputClassifier(DecisionTreeClassifier(max_depth=1)).fit(X[:, 0], numbers)
            assert several.score(X[:, 0], numbers) == (several.predict(X[:, 0]) == numbers).all(axis=1).mean()

    def test_learns(self, per_step):
        X, y = data(per_step, n=120)
        fitted = RNNClassifier(16, return_sequences=per_step, random_state=0).fit(X, y)
        assert fitted.score(X, y) > 0.9

    def test_zeros_and_ones_stay_several_labels(self):
        X, y = data(labels=([0, 1], [0, 1], [0, 1]))
        fitted = net().fit(X, y.astype(int))
        assert fitted.classes_.tolist() == [0, 1, 2]
        assert fitted.predict_proba(X).shape == (60, 3)

    def test_copies_and_pickles(self, per_step):
        X, y = data(per_step)
        fitted = net(per_step).fit(X, y)
        assert stacked(pickle.loads(pickle.dumps(fitted)), X).tobytes() == stacked(fitted, X).tobytes()
        assert stacked(clone(fitted).fit(X, y), X).tobytes() == stacked(fitted, X).tobytes()


FORMS = {
    "lists": lambda y: y.tolist(),
    "tuples": lambda y: list(map(tuple, y.tolist())),
    "rows of objects": list,
    "frame": lambda y: pd.DataFrame({name: column.tolist() for name, column in zip("abc", y.T, strict=True)}),
    "frame of objects": lambda y: pd.DataFrame(y),
    "nullable": lambda y: pd.DataFrame(y).convert_dtypes(),
    "pyarrow dtypes": lambda y: pd.DataFrame(y).convert_dtypes(dtype_backend="pyarrow"),
    "categories": lambda y: pd.DataFrame(y).astype("category"),
    "polars": lambda y: pl.DataFrame(dict(zip("abc", map(list, y.T), strict=True))),
    "Arrow": lambda y: pa.table(dict(zip("abc", map(list, y.T), strict=True))),
    "Arrow dictionary": lambda y: pa.table({
        name: pa.array(list(column)).dictionary_encode() for name, column in zip("ab", y.T[:2], strict=True)
    } | {"c": list(y[:, 2])}),
    "column of lists": lambda y: pd.Series(y.tolist()),
}
FORMS_OF_STEPS = {
    "lists": lambda y: y.tolist(),
    "arrays of objects": list,
    "collection": lambda y: as_object_array(list(y)),
    "frames": lambda y: [pd.DataFrame(rows).convert_dtypes() for rows in y],
    "polars frames": lambda y: [pl.DataFrame(dict(zip("abc", map(list, rows.T), strict=True))) for rows in y],
    "columns of lists": lambda y: pd.DataFrame({name: y[:, :, q].tolist() for q, name in enumerate("abc")}),
    "polars lists": lambda y: pl.DataFrame({name: y[:, :, q].tolist() for q, name in enumerate("abc")}),
    "Arrow lists": lambda y: pa.table({name: y[:, :, q].tolist() for q, name in enumerate("abc")}),
}


class TestForms:
    @pytest.mark.parametrize("gaps", [False, True], ids=["whole", "with gaps"])
    @pytest.mark.parametrize(
        ("per_step", "form"), [(False, form) for form in FORMS] + [(True, form) for form in FORMS_OF_STEPS]
    )
    def test_in_every_container(self, form, per_step, gaps):
        """The types of the columns and the net are those of an array of objects."""
        X, y = data(per_step)
        if gaps:
            y.reshape(-1, 3)[[0, 4, 9], [0, 1, 2]] = None
        given = (FORMS_OF_STEPS if per_step else FORMS)[form](y)
        expected, actual = net(per_step).fit(X, y), net(per_step).fit(X, given)
        assert [classes.tolist() for classes in actual.classes_] == list(map(list, LABELS))
        of_pandas = form == "frame" and gaps        # whose integers beside a missing one are floats
        assert [classes.dtype.kind for classes in actual.classes_[1:]] == ["f" if of_pandas else "i", "b"]
        assert stacked(actual, X).tobytes() == stacked(expected, X).tobytes()
        assert actual.score(X, given) == expected.score(X, y)

    def test_ragged(self):
        X, y = data(True)
        lengths = 2 + np.arange(len(X)) % 4
        X, y = ([rows[:T] for rows, T in zip(all_rows, lengths, strict=True)] for all_rows in (X, y.tolist()))
        fitted = net(True).fit(X, y)
        p, predicted = fitted.predict_proba(X), fitted.predict(X)
        assert [part.shape for part in (p[0][2], p[1][3], predicted[1])] == [(4, 3), (5, 2), (3, 3)]
        right = [(a == np.array(b, dtype=object)).all(axis=1) for a, b in zip(predicted, y, strict=True)]
        assert fitted.score(X, y) == np.concatenate(right).mean()

    @pytest.mark.parametrize("gone", [None, nan, pd.NA, -1], ids=repr)
    def test_what_is_missing_among_steps(self, gone):
        X, y = data(True)
        y[2, 1, 1] = None
        expected = stacked(net(True).fit(X, y), X).tobytes()
        y[2, 1, 1] = gone
        assert stacked(net(True).fit(X, y), X).tobytes() == expected


class TestLoss:
    def test_is_the_mean_of_those_of_the_columns(self, per_step):
        X, y = data(per_step)
        weights = np.random.default_rng(1).uniform(size=len(X))
        fitted = net(per_step, early_stopping=True).fit(X, y, X_val=X, y_val=y)
        p = fitted.predict_proba(X)
        of_columns = [
            log_loss(y[..., q].ravel().tolist(), p[q].reshape(-1, p[q].shape[-1])) for q in range(3)
        ]
        assert fitted.validation_loss_curve_[fitted.best_iter_ - 1] == pytest.approx(np.mean(of_columns))
        assert fitted.validation_scores_ == [-loss for loss in fitted.validation_loss_curve_]
        assert np.isfinite(net(per_step).fit(X, y, weights).loss_)

    def test_of_what_is_known(self, per_step):
        """Σ w ℓ / Σ w m / k, over the m known ones of k columns."""
        X, y = data(per_step)
        gaps = np.random.default_rng(1).uniform(size=y.shape) < 0.3
        fitted = net(per_step, early_stopping=True).fit(X, y, X_val=X, y_val=np.where(gaps, None, y))
        codes = np.stack([np.searchsorted(c, y[..., q].astype(c.dtype)) for q, c in enumerate(fitted.classes_)], -1)
        log_p = fitted.predict_log_proba(X)
        of_cells = [-np.take_along_axis(log_p[q], codes[..., [q]], axis=-1)[..., 0] for q in range(3)]
        expected = np.stack(of_cells, axis=-1)[~gaps].mean()
        assert fitted.validation_loss_curve_[fitted.best_iter_ - 1] == pytest.approx(expected)

    @pytest.mark.parametrize("standardize", [True, False])
    def test_begins_with_the_frequencies(self, standardize):
        X, y = data()
        fitted = net(solver="sgd", learning_rate_init=1e-12, max_iter=1, standardize=standardize).fit(X, y)
        if standardize:
            for p, classes, column in zip(fitted.predict_proba(X), fitted.classes_, y.T, strict=True):
                expected = [np.mean(column == label) for label in classes]
                np.testing.assert_allclose(p[0], expected, rtol=1e-6)

    def test_one_column_more_does_not_change_the_others_where_they_share_nothing(self):
        """With the states as they are, the head of a column learns what it learns alone, at the rate of one of k."""
        X, y = data(labels=KINDS["integers"])
        y = y.astype(int)
        sgd = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "max_iter": 1, "batch_size": len(X),
               "learning_rate": "constant"}
        several = net(**sgd | {"learning_rate_init": 0.3}).fit(X, y)
        alone = net(**sgd | {"learning_rate_init": 0.1}).fit(X, y[:, 0])
        np.testing.assert_allclose(several.parameters_["head.V"][:, :3], alone.parameters_["head.V"], rtol=1e-12)
        np.testing.assert_allclose(several.predict_proba(X)[0], alone.predict_proba(X), rtol=1e-12)


class TestWeights:
    def test_of_classes_are_multiplied(self, per_step):
        X, y = data(per_step)
        y.reshape(-1, 3)[5, 0] = None
        given = [{"high": 2.0, "low": 0.5}, None, {False: 3.0}]
        of_rows = np.ones(y.shape[:-1])
        for q, weights in enumerate(given):
            for label, weight in (weights or {}).items():
                of_rows[y[..., q] == label] *= weight
        expected = stacked(net(per_step).fit(X, y, of_rows), X).tobytes()
        assert stacked(net(per_step, class_weight=given).fit(X, y), X).tobytes() == expected

    def test_balanced(self, per_step):
        X, y = data(per_step)
        of_rows = np.ones(y.shape[:-1])
        for q, labels in enumerate(LABELS):
            for label in labels:
                rows = y[..., q] == label
                of_rows[rows] *= rows.size / (len(labels) * rows.sum())
        expected = stacked(net(per_step).fit(X, y, of_rows), X)
        for given in ("balanced", ["balanced"] * 3):
            actual = stacked(net(per_step, class_weight=given).fit(X, y), X)
            np.testing.assert_allclose(actual, expected, rtol=1e-9)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"high": 2}, "class_weight is {'high': 2}, but y has 3 columns: expected a list of 3 dicts, {label: weig"),
            ([{"high": 2}], "class_weight is a list of 1, but y has 3 columns"),
            ([None, {4: 2}, None], r"class_weight\[1\] has weights for \[4\], which are not among the classes \[3, "),
            ([None, 5, None], r"class_weight\[1\] is 5, expected a dict"),
        ],
    )
    def test_errors(self, given, message):
        X, y = data()
        with pytest.raises((ValueError, TypeError), match=message):
            net(class_weight=given).fit(X, y)
        with pytest.raises(ValueError, match="class_weight='balanced' needs all data at once"):
            net(class_weight=[None, "balanced", None]).partial_fit(X, y, classes=LABELS)


class TestInParts:
    def test_partial_fit(self, per_step):
        """The first part may lack classes, or have nothing but zeros and ones."""
        X, y = data(per_step, labels=KINDS["integers"])
        y = np.abs(y.astype(int))
        classes = [[0, 2, 5], [0, 1], [1, 2, 3]]
        only = np.where(y <= 1, y, 1)
        only[..., 0] = 0
        only.flat[2] = 2            # no mistake, since it was announced
        fitted = net(per_step).partial_fit(X, only, classes=classes)
        assert [found.tolist() for found in fitted.classes_] == classes
        assert [p.shape[-1] for p in fitted.predict_proba(X)] == [3, 2, 3]
        fitted.partial_fit(X, y).partial_fit(X, y, classes=[np.array(c) for c in classes])
        assert fitted.n_iter_ == 3
        with pytest.raises(ValueError, match=r"`classes=.* is not the same as on last call to partial_fit"):
            fitted.partial_fit(X, y, classes=[[0, 2, 5], [0, 1], [1, 2, 4]])
        with pytest.raises(ValueError, match=r"In column 0 of y: y has the label 9, which is not among classes"):
            fitted.partial_fit(X, np.where(y == 5, 9, y))

    def test_parts_that_lack_a_column(self, per_step):
        X, y = data(per_step)
        gone = y.copy()
        gone[..., 1] = None
        fitted = net(per_step).partial_fit(X, gone, classes=LABELS)
        assert fitted.parameters_["head.c"][3] == 0
        assert np.isfinite(stacked(fitted.partial_fit(X, y), X)).all()
        V = fitted.parameters_["head.V"].copy()
        fitted.set_params(solver="sgd", alpha=0.0).partial_fit(X, gone)
        np.testing.assert_array_equal(fitted.parameters_["head.V"][:, 3], V[:, 3])

    @pytest.mark.parametrize(
        ("classes", "message"),
        [
            ([["high", "low", "mid"], [3, 7]], "expected a list of 3, the labels of each column of y"),
            ([["high", "low", "mid"], [3, None], [False, True]], r"classes\[1\]=.*none of them missing"),
            ([["high", "low", "mid"], [3], [False, True]], "In column 1 of y: a classifier needs at least 2 classes"),
            ([["high", 1, "mid"], [3, 7], [False, True]], r"classes\[0\] mixes labels of the types int, str"),
        ],
    )
    def test_classes_that_cannot_be(self, classes, message):
        X, y = data()
        with pytest.raises((ValueError, TypeError), match=message):
            net().partial_fit(X, y, classes=classes)

    def test_classes_of_columns_for_one_column(self):
        X, y = data()
        with pytest.raises(ValueError, match=r"classes=.* are of 2 columns, but y has one"):
            net().partial_fit(X, y[:, 1].astype(int), classes=[[3, 7], [1, 2]])

    def test_warm_start(self, per_step):
        X, y = data(per_step)
        fitted = net(per_step, warm_start=True).fit(X, y)
        assert fitted.fit(X[:20], y[:20]).n_iter_ == 6
        with pytest.raises(ValueError, match="y has 2 columns, expected 3 as in the first fit"):
            fitted.fit(X, y[..., :2])
        with pytest.raises(TypeError, match=r"In column 1 of y: y has labels of type str, expected int"):
            fitted.fit(X, np.where([False, True, False], "a", y))
        assert fitted.n_iter_ == 6

    def test_in_stretches_and_lbfgs(self, per_step):
        X, y = data(per_step)
        y.reshape(-1, 3)[::4, 1] = None
        assert np.isfinite(net(per_step, truncated_bptt_steps=2).fit(X, y).loss_)
        long = stacked(net(per_step, truncated_bptt_steps=5).fit(X, y), X).tobytes()
        assert stacked(net(per_step).fit(X, y), X).tobytes() == long
        fitted = net(per_step, solver="lbfgs", max_iter=30).fit(X, y)
        assert fitted.loss_ < 0.8 * fitted.loss_curve_[0]


class TestEarlyStopping:
    def test_scores(self, per_step):
        X, y = data(per_step)
        y.reshape(-1, 3)[::7, 0] = None
        fitted = net(per_step, early_stopping=True, scoring=None).fit(X, y, X_val=X, y_val=y)
        assert fitted.best_validation_score_ == pytest.approx(fitted.score(X, y))
        net(per_step, early_stopping=True).fit(X, y)

    def test_scorers_see_the_rows_as_they_were_given(self, per_step):
        X, y = data(per_step)
        seen = []

        def scorer(estimator, X, y):
            seen.append(np.asarray(y))
            return estimator.score(X, y)

        fitted = net(per_step, early_stopping=True, scoring=scorer).fit(X, y, X_val=X, y_val=y)
        assert seen[0].tolist() == y.tolist()
        assert fitted.best_validation_score_ == fitted.score(X, y)
        if per_step:
            f1 = make_sequence_scorer(f1_score, average="macro")
            fitted = net(per_step, early_stopping=True, scoring=f1).fit(X, y, X_val=X, y_val=y)
            assert fitted.best_validation_score_ == pytest.approx(f1(fitted, X, y))
        with pytest.raises(ValueError, match="scoring='accuracy' does not work for the 60 sequences held out"):
            net(per_step, early_stopping=True, scoring="accuracy").fit(X, y, X_val=X, y_val=y)

    def test_labels_of_y_val_that_y_lacks(self):
        X, y = data()
        y_val = y.copy()
        y_val[3, 1] = 9
        with pytest.raises(ValueError, match=(
            r"In X_val and y_val: In column 1 of y: y has the label 9, .* it is y\[3\]; its loss is infinite"
        )):
            net(early_stopping=True).fit(X, y, X_val=X, y_val=y_val)
        fitted = net(early_stopping=True, scoring=None).fit(X, y, X_val=X, y_val=y_val)
        assert np.isinf(fitted.validation_loss_curve_).all()
        assert fitted.best_validation_score_ == pytest.approx(fitted.score(X, y_val))
        y_val[:, 1] = None
        net(early_stopping=True).fit(X, y, X_val=X, y_val=y_val)

    @pytest.mark.parametrize("groups", [None, np.arange(200) // 4])
    def test_all_classes_are_trained_on_and_held_out(self, groups):
        """A class of 4 of 200, whose rows have the most frequent class in the other column, and one of 8."""
        held = []
        X = np.random.default_rng(0).normal(size=(200, 3, 1))
        y = np.array([["rare" if i % 50 == 0 else "often", "few" if i % 25 == 3 else "many"] for i in range(200)])

        def scorer(estimator, X, y):
            held.append(np.asarray(y))
            return 0.0

        for seed in range(5):
            net(early_stopping=True, scoring=scorer, validation_fraction=0.25, random_state=seed, max_iter=1).fit(
                X, y, groups=groups
            )
            counts = [np.count_nonzero(held[-1] == label) for label in ("rare", "few")]
            assert 1 <= counts[0] <= 3
            assert 1 <= counts[1] <= 4
            held.clear()

    def test_nothing_learned(self):
        X, y = data(labels=KINDS["integers"])
        y = np.random.default_rng(1).permutation(y.astype(int))
        with pytest.warns(NothingLearnedWarning, match="RNNClassifier has learned hardly anything|nothing"):
            net(learning_rate_init=1e-6).fit(X, y)


class TestStreams:
    def test_steps_have_the_bits_of_the_whole(self, per_step):
        X, y = data(per_step)
        fitted = net(per_step).fit(X, y)
        whole, labels = fitted.predict_proba(X), fitted.predict(X)
        one, many, states = fitted.initial_state(), fitted.initial_state(60), []
        for t in range(5):
            p, one = fitted.predict_proba_step(X[0, t], one)
            rows, after = fitted.predict_proba_step(X[:, t], many)
            predicted, many = fitted.predict_step(X[:, t], many)
            assert after.tobytes() == many.tobytes()
            states.append(many)
            if per_step or t == 4:
                for q in range(3):
                    of_step = whole[q][:, t] if per_step else whole[q]
                    assert rows[q].tobytes() == of_step.tobytes()
                    assert p[q].tobytes() == of_step[0].tobytes()
                assert predicted.tolist() == (labels[:, t] if per_step else labels).tolist()
        p, state = fitted.predict_proba(X, return_state=True)
        assert state.tobytes() == states[-1].tobytes()
        assert all(a.tobytes() == b.tobytes() for a, b in zip(p, whole, strict=True))


class TestModelSelection:
    def test_search(self, per_step):
        X, y = data(per_step)
        search = GridSearchCV(net(per_step), {"hidden_size": [2, 3]}, cv=KFold(3), error_score="raise").fit(X, y)
        assert search.score(X, y) == search.best_estimator_.score(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_scorers_and_pipelines_of_sequences(self):
        X, y = data(labels=KINDS["strings"])
        y = np.array(y.tolist())
        pipeline = make_pipeline(SequenceScaler(), net())

        def macro_f1(y, predicted):
            return np.mean([f1_score(y[:, q], predicted[:, q], average="macro") for q in range(y.shape[1])])

        assert np.isfinite(cross_val_score(pipeline, X, y, cv=3, scoring=make_scorer(macro_f1))).all()
        predicted = cross_val_predict(pipeline, X, y, cv=3)
        assert predicted.shape == y.shape
        assert predicted.dtype == y.dtype
        p = cross_val_predict(net(), X, y, cv=3, method="predict_proba")
        assert [of_column.shape for of_column in p] == [(60, 3), (60, 2), (60, 3)]
        np.testing.assert_allclose(p[0].sum(axis=1), 1)
        # the first fold is one of a net that is fitted to the others
        rest = net().fit(X[20:], y[20:]).predict_proba(X[:20])
        assert all(a[:20].tobytes() == b.tobytes() for a, b in zip(p, rest, strict=True))

    @pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
    def test_columns_of_different_types(self, form):
        """Where scikit-learn does not look for classes by itself: it compares labels of all columns."""
        X, y = data()
        p = cross_val_predict(net(), X, form(y), cv=KFold(3), method="predict_proba")
        assert [of_column.shape for of_column in p] == [(60, 3), (60, 2), (60, 2)]
        assert {type(label) for label in cross_val_predict(net(), X, form(y), cv=KFold(3))[0]} == {str, int, bool}

    def test_columns_of_a_long_table(self, per_step):
        rng = np.random.default_rng(0)
        df = pd.DataFrame({"unit": np.arange(120) // 4, "hour": np.arange(120) % 4, "heat": rng.normal(size=120)})
        df["ward"], df["grade"] = np.where(df.unit % 2, "north", "south"), df.unit % 3
        X, y, _ = sequences_from_long(df, "unit", "hour", ["ward", "grade"], return_sequences=per_step)
        fitted = net(per_step).fit(X, y)
        assert [classes.tolist() for classes in fitted.classes_] == [["north", "south"], [0, 1, 2]]
        assert fitted.predict(X)[0].shape == ((4, 2) if per_step else (2,))

    @pytest.mark.parametrize("gaps", [False, True])
    def test_metrics_of_sequences(self, gaps):
        """The mean over columns of a metric, also at the end of a Pipeline and of a search, and in early stopping."""
        X = np.random.default_rng(0).normal(size=(30, 4, 2))
        y = np.array([["abc"[i % 3], i % 2] for i in range(30)], dtype=object)
        net = RNNClassifier(3, max_iter=3, random_state=0)
        scorer = make_sequence_scorer(f1_score, average="macro")
        models = [net, make_pipeline("passthrough", net), GridSearchCV(net, {}, scoring=scorer, cv=KFold(2))]
        weights = np.arange(30.0)
        for model in models:
            predicted = model.fit(X, y).predict(X)
            known = np.arange(30) % 4 > 0 if gaps else np.ones(30, dtype=bool)
            true = np.where(known[:, np.newaxis] | [True, False], y, None)
            columns = (0, str, np.flatnonzero(weights)), (1, int, np.flatnonzero(known & (weights > 0)))
            expected = [        # the weights are the numbers of the rows
                f1_score(y[rows, k].astype(kind), predicted[rows, k].astype(kind), average="macro", sample_weight=rows)
                for k, kind, rows in columns
            ]
            assert scorer(model, X, true, sample_weight=weights) == pytest.approx(np.mean(expected), rel=1e-12)
        net.set_params(early_stopping=True, scoring=scorer, validation_fraction=0.3).fit(X, y)
        with pytest.raises(ValueError, match="For several columns of classes pass a scorer of make_sequence_scorer"):
            net.set_params(scoring="accuracy").fit(X, y)

    def test_metrics_of_steps(self):
        X, y = data(True)
        y[0, 0], y[1, 2, 1] = None, None
        fitted = net(True).fit(X, y)
        known = (y != None).any(axis=-1)        # noqa: E711
        flat, predicted, *p = concatenate_steps(y, fitted.predict(X), *fitted.predict_proba(X))
        assert flat.tolist() == y[known].tolist()
        assert predicted.tolist() == fitted.predict(X)[known].tolist()
        assert [of_column.shape for of_column in p] == [(299, 3), (299, 2), (299, 2)]
        assert np.asarray(split_steps(flat, like=y)).tolist() == y.tolist()
        weights = np.random.default_rng(0).uniform(size=60)
        for sample_weight in (None, weights):
            of_steps = None if sample_weight is None else np.broadcast_to(weights[:, np.newaxis], (60, 5))
            f1, loss = [], []
            for q in range(3):
                rows = y[..., q] != None        # noqa: E711
                of_rows = None if of_steps is None else of_steps[rows]
                true = y[..., q][rows].tolist()
                f1.append(f1_score(
                    true, fitted.predict(X)[..., q][rows].tolist(), average="macro", sample_weight=of_rows
                ))
                loss.append(log_loss(true, fitted.predict_proba(X)[q][rows], sample_weight=of_rows))
            scorer = make_sequence_scorer(f1_score, average="macro")
            assert scorer(fitted, X, y, sample_weight) == pytest.approx(np.mean(f1))
            scorer = make_sequence_scorer(log_loss, response_method="predict_proba", greater_is_better=False)
            assert scorer(fitted, X, y, sample_weight) == pytest.approx(-np.mean(loss))
        assert np.isfinite(cross_val_score(net(True), X, y, cv=3, scoring=scorer)).all()

    def test_integers_of_steps_keep_their_type(self):
        y = np.array([[[1, 2], [3, -1], [-1, -1]], [[2, 2], [1, 2], [3, 4]]])
        flat, = concatenate_steps(y)
        assert flat.tolist() == [[1, 2], [3, -1], [2, 2], [1, 2], [3, 4]]
        assert flat.dtype.kind == "i"
        assert split_steps(flat, like=y).tolist() == y.tolist()


class TestMessages:
    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (["a"] * 60, "In column 1 of y: a classifier needs at least 2 classes in y, got 1 class: 'a'"),
            ([0.5, *range(59)], "In column 1 of y: Unknown label type: continuous"),
            ([np.inf, *range(59)], r"In column 1 of y: Input y contains infinity: y\[0\]"),
            ([1, *["a"] * 59], "In column 1 of y: y mixes labels of the types int, str; expected one type"),
            ([None] * 60, "y has no target for output 1: every value of its column is missing; leave it out"),
        ],
    )
    def test_name_the_column(self, column, message):
        X, y = data()
        y[:, 1] = column
        with pytest.raises((ValueError, TypeError), match=message):
            net().fit(X, y)

    def test_name_the_column_of_a_frame(self):
        X, y = data()
        frame = pd.DataFrame({"ward": y[:, 0], "outcome": 1})
        with pytest.raises(ValueError, match="In column 'outcome' of y: a classifier needs at least 2 classes"):
            net().fit(X, frame)

    def test_labels_of_steps_without_return_sequences(self):
        X, y = data(True, labels=KINDS["strings"])
        with pytest.warns(UserWarning, match=(
            "y has 5 columns, and each sequence of X 5 steps: it is read as 5 targets of a sequence, each with its own "
            "classes. If it holds a label for each step, set return_sequences=True"
        )):
            net().fit(X, y[..., 0])
        with pytest.raises(ValueError, match=r"In column 0 of y: .*if y holds a label for each step, set return_seq"):
            net().fit(X, np.where(np.arange(5) == 0, "b", y[..., 0]))

    @pytest.mark.parametrize("other", [-1, 7])
    def test_indicators_with_a_mistake(self, other):
        X, y = data(labels=([0, 1], [0, 1], [0, 1]))
        y = y.astype(int)
        y[4, 2] = other
        text = f"y is 0 or 1 in all cells but 1, of which y[4, 2] is {other}: it is read as 3 targets"
        with pytest.warns(UserWarning, match=re.escape(text)):
            fitted = net().fit(X, y)
        assert fitted.classes_[2].tolist() == sorted([0, 1, other])
        y[::6, 2] = 7
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "y is 0 or 1")
            net().fit(X, y)

    def test_a_column_that_is_constant_where_it_has_weight(self):
        X, y = data()
        weights = np.where(y[:, 1] == 3, 1.0, 0.0)
        with pytest.warns(ConstantTargetWarning, match=r"output 1 of y is constant, 3 for all that the net is trained"):
            net().fit(X, y, weights)

    def test_a_failed_fit_leaves_the_net_as_it_was(self):
        X, y = data()
        fitted = net().fit(X, y)
        before = stacked(fitted, X).tobytes()
        with pytest.raises(ValueError, match="at least 2 classes"):
            fitted.fit(X, np.where([True, False, True], "a", y))
        assert stacked(fitted, X).tobytes() == before

    def test_rows_without_a_label_are_absent(self, per_step):
        X, y = data(per_step)
        y[3] = None
        rest = np.arange(60) != 3
        fitted = net(per_step).fit(X, y)
        expected = net(per_step).fit(X[rest], y[rest], np.ones(59))
        assert stacked(fitted, X).tobytes() == stacked(expected, X).tobytes()
        assert fitted.score(X, y) == fitted.score(X[rest], y[rest])
