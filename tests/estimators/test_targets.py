"""What y and the weights may be: several labels, steps without a target, weights of classes, losses and outputs."""

import warnings

import numpy as np
import pandas as pd
import pytest
from forms import as_object_array
from problems import walks
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.class_weight import compute_class_weight

from skrnn import RNNClassifier, RNNRegressor
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LEARNING = {"cell": "gru", "learning_rate_init": 0.02, "batch_size": 20, "random_state": 0}
nan = np.nan


class TestSeveralLabels:
    def test_of_sequences(self):
        X, Y = walks()
        net = RNNClassifier(12, **LEARNING).fit(X, Y)
        assert net.score(X, Y) == accuracy_score(Y, net.predict(X)) > 0.9
        assert (net.n_outputs_, net.out_activation_, net.classes_.tolist()) == (2, "logistic", [0, 1])
        p = net.predict_proba(X)
        assert p.shape == (80, 2)
        np.testing.assert_array_equal(net.predict(X), p > 0.5)
        np.testing.assert_allclose(net.predict_log_proba(X), np.log(p))
        assert cross_val_score(net, X, Y, cv=3, scoring="f1_macro").mean() > 0.7
        assert cross_val_predict(net, X, Y, cv=3, method="predict_proba").shape == (80, 2)

    def test_attributes_are_those_of_the_perceptron(self):
        X, Y = walks()
        net, mlp = (e(max_iter=2, random_state=0).fit(x, Y) for e, x in (
            (RNNClassifier, X), (MLPClassifier, X.reshape(80, -1))
        ))
        for name in ("n_outputs_", "out_activation_"):
            assert getattr(net, name) == getattr(mlp, name)
        np.testing.assert_array_equal(net.classes_, mlp.classes_)
        assert net.predict(X).dtype == mlp.predict(X.reshape(80, -1)).dtype

    @pytest.mark.parametrize(
        "form", [np.asarray, np.asfortranarray, pd.DataFrame, csr_array, lambda Y: Y.tolist(), lambda Y: Y == 1]
    )
    def test_in_every_form(self, form):
        X, Y = walks()
        net = RNNClassifier(3, max_iter=2, random_state=0)
        expected = net.fit(X, Y).predict_proba(X).tobytes()
        assert net.fit(X, form(Y)).predict_proba(X).tobytes() == expected
        # of a net that is not sure of anything
        np.testing.assert_array_equal(net.predict(X), net.predict_proba(X) > 0.5)

    def test_of_steps(self):
        X, _ = walks()
        Y = (np.cumsum(X, axis=1) > 0).astype(int)
        net = RNNClassifier(12, return_sequences=True, **LEARNING).fit(X, Y)
        assert net.predict(X).shape == net.predict_proba(X).shape == (80, 8, 2)
        assert np.mean(net.predict(X) == Y) > 0.9
        ragged = as_object_array([x[: 3 + i % 5] for i, x in enumerate(X)])
        y = as_object_array([t[: 3 + i % 5] for i, t in enumerate(Y)])
        net.fit(ragged, y)
        assert net.predict_proba(ragged)[1].shape == (4, 2)
        assert net.score(ragged, y) > 0.5

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    def test_a_label_that_nothing_has(self):
        X, Y = walks()
        Y = np.column_stack([Y, np.zeros(80, int)])
        net = RNNClassifier(6, max_iter=20, **LEARNING).fit(X, Y)
        assert net.predict_proba(X)[:, 2].max() < 0.5

    def test_partial_fit(self):
        X, Y = walks()
        net = RNNClassifier(4, random_state=0).partial_fit(X, Y, classes=[0, 1]).partial_fit(X, Y)
        assert net.predict(X).shape == (80, 2)
        with pytest.raises(ValueError, match="y has 3 columns, expected 2 as in the first fit"):
            net.partial_fit(X, np.column_stack([Y, Y[:, 0]]))
        with pytest.raises(ValueError, match="y has 1 columns, expected 2 as in the first fit"):
            net.partial_fit(X, Y[:, 0])


class TestStepsWithoutTarget:
    def without(self, y, gone, value):
        y = [list(row) for row in y]
        for i, t in gone:
            y[i][t] = value
        return y

    GONE = ((0, 0), (0, 1), (3, 7), (5, 2))

    def weights(self, n=80, T=8):
        w = np.ones((n, T))
        for i, t in self.GONE:
            w[i, t] = 0
        return w

    @pytest.mark.parametrize("value", [nan, None])
    def test_of_a_regressor_are_steps_of_weight_zero(self, value):
        X, _ = walks()
        y = X.sum(axis=2)
        net = RNNRegressor(4, return_sequences=True, max_iter=3, random_state=0)
        expected = net.fit(X, y, self.weights()).predict(X).tobytes()
        gone = self.without(y, self.GONE, value)
        assert net.fit(X, gone).predict(X).tobytes() == expected
        assert net.fit(as_object_array(list(X)), gone).predict(X).tobytes() == expected
        kept = self.weights() > 0
        assert net.score(X, gone) == pytest.approx(r2_score(y[kept], net.predict(X)[kept]))

    @pytest.mark.parametrize(
        ("labels", "value"),
        [([0, 1], -1), ([0.0, 1.0], nan), (["a", "b"], None), ([2, 5], -1), ([False, True], None)],
        ids=str,
    )
    def test_of_a_classifier_are_steps_of_weight_zero(self, labels, value):
        X, _ = walks()
        y = np.array(labels)[(X.sum(axis=2) > 0).astype(int)]
        net = RNNClassifier(4, return_sequences=True, max_iter=3, random_state=0)
        expected = net.fit(X, y, self.weights()).predict_proba(X).tobytes()
        gone = self.without(y.tolist(), self.GONE, value)
        gone = [np.array(row, object) for row in gone] if value is None else gone
        assert net.fit(X, gone).predict_proba(X).tobytes() == expected
        assert net.classes_.tolist() == labels
        kept = self.weights() > 0
        assert net.score(X, gone) == np.mean(net.predict(X)[kept] == y[kept])

    def test_in_lists_of_strings_and_beside_other_rows(self):
        X, _ = walks()
        y = [["a" if v > 0 else "b" for v in x[:, 0]] for x in X]
        y[0][2] = nan
        net = RNNClassifier(3, return_sequences=True, max_iter=1, random_state=0).fit(X, y)
        assert net.classes_.tolist() == ["a", "b"]
        for gone in (None, nan):
            y = [[int(v > 0) for v in x[:, 0]] for x in X]
            y[0][2], y[1][1] = gone, -1
            assert net.fit(X, y).classes_.tolist() == [0, 1]

    def test_of_several_outputs(self):
        X, Y = walks()
        y = X.copy()
        y[4, 3] = nan
        net = RNNRegressor(4, return_sequences=True, max_iter=3, random_state=0).fit(X, y)
        assert np.isfinite(net.predict(X)).all()
        assert np.isfinite(net.score(X, y))
        labels = np.repeat(Y[:, np.newaxis], 8, axis=1)
        labels[2, 1] = -1
        many = RNNClassifier(4, return_sequences=True, max_iter=3, random_state=0).fit(X, labels)
        assert many.predict(X).shape == (80, 8, 2)
        assert 0 <= many.score(X, labels) <= 1

    def test_a_sequence_without_any_is_absent(self):
        X, _ = walks()
        y = X.sum(axis=2)
        y[:40] = nan
        parameters = {"return_sequences": True, "batch_size": 7, "max_iter": 3, "random_state": 0}
        a = RNNRegressor(4, **parameters).fit(X, y)
        b = RNNRegressor(4, **parameters).fit(X[40:], y[40:], np.ones(40))
        assert a.predict(X).tobytes() == b.predict(X).tobytes()

    def test_minus_one_of_a_sequence_is_a_label(self):
        X, Y = walks()
        net = RNNClassifier(4, max_iter=3, random_state=0).fit(X, 2 * Y[:, 0] - 1)
        assert net.classes_.tolist() == [-1, 1]

    def test_a_weight_for_steps_without_target_alone_is_an_error(self):
        X, _ = walks()
        y = X.sum(axis=2)
        y[:, :4] = nan
        weights = np.zeros((80, 8))
        weights[:, :4] = 1
        with pytest.raises(ValueError, match="no target has a positive weight"):
            RNNRegressor(4, return_sequences=True).fit(X, y, weights)


class TestClassWeights:
    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_are_sample_weights(self, return_sequences):
        X, Y = walks()
        y = np.where(X.sum(axis=2) > 1, "b", "a") if return_sequences else np.where(Y[:, 0] > 0, "b", "a")
        net = RNNClassifier(4, return_sequences=return_sequences, max_iter=3, random_state=0)
        expected = net.fit(X, y, np.where(y == "b", 3.0, 0.5)).predict_proba(X).tobytes()
        net.set_params(class_weight={"a": 0.5, "b": 3.0})
        assert net.fit(X, y).predict_proba(X).tobytes() == expected
        share = np.mean(y == "b")
        balanced = np.where(y == "b", 0.5 / share, 0.5 / (1 - share))
        expected = net.set_params(class_weight=None).fit(X, y, balanced).predict_proba(X)
        p = net.set_params(class_weight="balanced").fit(X, y).predict_proba(X)
        np.testing.assert_allclose(p, expected, rtol=1e-9)

    def test_multiply_sample_weights(self):
        X, Y = walks()
        y, w = Y[:, 0], np.random.default_rng(0).uniform(size=80)
        net = RNNClassifier(4, max_iter=3, random_state=0)
        expected = net.fit(X, y, w * np.where(y, 2.0, 1.0)).predict_proba(X).tobytes()
        assert net.set_params(class_weight={1: 2.0}).fit(X, y, w).predict_proba(X).tobytes() == expected

    def test_find_the_rare_class(self):
        X, _ = walks(300)
        y = (X[:, :, 0].sum(axis=1) > 4).astype(int)
        assert y.mean() < 0.12
        p = [
            RNNClassifier(8, class_weight=w, max_iter=3, **LEARNING).fit(X, y).predict_proba(X)[:, 1].mean()
            for w in (None, "balanced")
        ]
        assert p[1] > 1.5 * p[0]

    @pytest.mark.parametrize(
        ("weights", "error", "message"),
        [
            ({0: -1}, ValueError, r"class_weight\[0\] is -1.0, expected a finite number that is not negative"),
            ({0: nan}, ValueError, r"class_weight\[0\] is nan, expected a finite"),
            ({1: np.inf}, ValueError, r"class_weight\[1\] is inf, expected a finite"),
            ({0: 1, 1: 1, 7: -1}, ValueError, r"class_weight\[7\] is -1.0, expected a finite"),
            ({0: 0, 1: 0}, ValueError, r"class_weight is 0 for all classes \[0, 1\]"),
            ({0: "a"}, TypeError, r"class_weight\[0\] is 'a', expected a number"),
            ({0: "2"}, TypeError, r"class_weight\[0\] is '2', expected a number"),
            ({np.int64(1): None}, TypeError, r"class_weight\[1\] is None, expected a number"),
            ({0: 1, 1: [2, 3]}, TypeError, r"class_weight\[1\] is \[2, 3\], expected a number"),
            ([{0: 1}], TypeError, r"class_weight is a list, which is for a y of several labels; expected a dict"),
        ],
        ids=str,
    )
    def test_that_are_no_weights_are_errors(self, weights, error, message):
        X, Y = walks()
        with pytest.raises(error, match=message):
            RNNClassifier(4, class_weight=weights).fit(X, Y[:, 0])
        with pytest.raises(error, match=message):
            RNNClassifier(4, class_weight=weights).partial_fit(X, Y[:, 0], classes=[0, 1])

    @pytest.mark.parametrize(
        "weights", [{7: 1.0}, {0: 1, 2: 5}, {"0": 1, "1": 2}, {0: 1}, {0: 1, 1: 2, 2: 5}, {}], ids=str
    )
    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_for_other_classes_follow_the_rule_of_scikit_learn(self, weights, return_sequences):
        """A weight for a class that y lacks is a mistake only where a class of y has none."""
        X, Y = walks()
        y = (X.sum(axis=2) > 0).astype(int) if return_sequences else Y[:, 0]
        net = RNNClassifier(4, class_weight=weights, return_sequences=return_sequences, max_iter=1, random_state=0)
        try:
            expected = compute_class_weight(weights, classes=np.arange(2), y=y.ravel())
        except ValueError:
            with pytest.raises(ValueError, match=r"class_weight has weights for .*, which are not among the classes"):
                net.fit(X, y)
        else:
            p = net.fit(X, y).predict_proba(X).tobytes()
            assert p == net.set_params(class_weight=None).fit(X, y, expected[y]).predict_proba(X).tobytes()

    def test_times_sample_weights_that_add_up_to_infinity(self):
        X, Y = walks()
        with pytest.raises(ValueError, match="sample_weight times class_weight adds up to infinity"):
            RNNClassifier(4, class_weight={0: 1e307}).fit(X, Y[:, 0], np.full(80, 10.0))

    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_of_a_class_that_some_folds_lack(self, return_sequences):
        X, Y = walks()
        y = (X.sum(axis=2) > 0).astype(int) if return_sequences else Y[:, 0].copy()
        y[-4:] = 2
        net = RNNClassifier(2, class_weight={0: 1, 1: 1, 2: 5}, return_sequences=return_sequences, max_iter=1)
        groups = np.repeat(np.arange(20), 4)
        scores = cross_val_score(net, X, y, groups=groups, cv=GroupKFold(5), error_score="raise")
        assert np.isfinite(scores).all()

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_of_several_labels_that_some_folds_lack(self, return_sequences):
        X, Y = walks()
        Y = Y * [[1, 0]]
        weights = [{0: 1, 1: 2}, {1: 3}]
        if return_sequences:
            Y = np.repeat(Y[:, np.newaxis], 8, axis=1)
        net = RNNClassifier(2, class_weight=weights, return_sequences=return_sequences, max_iter=1, random_state=0)
        expected = clone(net).set_params(class_weight=None).fit(X, Y, 1.0 + Y[..., 0]).predict_proba(X)
        assert net.fit(X, Y).predict_proba(X).tobytes() == expected.tobytes()
        assert clone(net).set_params(class_weight="balanced").fit(X, Y).loss_ > 0

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ({0: 1}, r"class_weight is \{0: 1\}, but y has 2 labels: expected a list of 2 dicts"),
            ([{0: 1}], r"class_weight is a list of 1, but y has 2 labels"),
            ([{0: 1, 1: 1}, 2], r"class_weight\[1\] is 2, expected a dict"),
            ([{}, {0: 1, 3: 1}], r"class_weight\[1\] has weights for \[3\]"),
            ([{0: "a"}, {}], r"class_weight\[0\]\[0\] is 'a', expected a number"),
        ],
        ids=str,
    )
    def test_of_several_labels_that_do_not_go(self, weights, message):
        X, Y = walks()
        with pytest.raises((TypeError, ValueError), match=message):
            RNNClassifier(2, class_weight=weights).fit(X, Y)

    def test_of_classes_that_a_part_does_not_have(self):
        X, Y = walks()
        net = RNNClassifier(4, class_weight={0: 1, 2: 5}, random_state=0).partial_fit(X, Y[:, 0], classes=[0, 1, 2])
        assert net.partial_fit(X[Y[:, 0] == 1], np.ones(Y[:, 0].sum(), int)).n_iter_ == 2

    def test_of_several_labels(self):
        X, Y = walks()
        net = RNNClassifier(4, class_weight=[{0: 1, 1: 2}, {0: 1, 1: 1}], max_iter=3, random_state=0)
        expected = RNNClassifier(4, max_iter=3, random_state=0).fit(X, Y, 1.0 + Y[:, 0]).predict_proba(X).tobytes()
        assert net.fit(X, Y).predict_proba(X).tobytes() == expected

    def test_of_steps_without_a_label(self):
        X, _ = walks()
        y = (X.sum(axis=2) > 1).astype(int)
        y[:, 3] = -1
        net = RNNClassifier(4, class_weight="balanced", return_sequences=True, max_iter=3, random_state=0).fit(X, y)
        assert np.isfinite(net.loss_)


class TestOutputs:
    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
    def test_between_zero_and_one(self, loss):
        X, _ = walks()
        y = 1 / (1 + np.exp(-X[:, :, 0].sum(axis=1)))
        net = RNNRegressor(8, loss=loss, out_activation="logistic", **LEARNING).fit(X, y)
        assert net.out_activation_ == "logistic"
        predicted = net.predict(100 * X)
        assert ((predicted >= 0) & (predicted <= 1)).all()
        assert net.score(X, y) > 0.9
        with pytest.raises(ValueError, match=r"y\[3\] is 1.5, expected numbers from 0 to 1 with out_activation"):
            net.fit(X, np.where(np.arange(80) == 3, 1.5, y))

    def test_counts(self):
        rng = np.random.default_rng(0)
        X, _ = walks(300)
        mean = np.exp(0.3 * X[:, :, 0].sum(axis=1))
        y = rng.poisson(mean)
        net = RNNRegressor(8, loss="poisson", max_iter=60, **LEARNING).fit(X, y)
        assert net.out_activation_ == "exp"
        assert (net.predict(X) > 0).all()
        assert np.corrcoef(net.predict(X), mean)[0, 1] > 0.8
        with pytest.raises(ValueError, match=r"y\[7\] is -1.0, expected numbers that are not negative"):
            net.fit(X, np.where(np.arange(300) == 7, -1, y))
        with pytest.raises(ValueError, match="out_activation='logistic' does not go with loss='poisson'"):
            net.set_params(out_activation="logistic").fit(X, y)

    @pytest.mark.parametrize("quantile", [0.1, 0.9])
    def test_quantiles_cover_what_they_say(self, quantile):
        rng = np.random.default_rng(0)
        X, _ = walks(600)
        y = X[:, -1, 0] + rng.normal(size=600)
        net = RNNRegressor(8, loss="quantile", quantile=quantile, max_iter=40, **LEARNING).fit(X, y)
        assert np.mean(y < net.predict(X)) == pytest.approx(quantile, abs=0.05)

    def test_huber_delta_reaches_the_loss(self):
        X, Y = walks()
        losses = [
            RNNRegressor(3, loss="huber", huber_delta=d, max_iter=1, random_state=0).fit(X, 10.0 * Y[:, 0]).loss_
            for d in (0.1, 1.0, 100.0)
        ]
        squared = RNNRegressor(3, max_iter=1, random_state=0).fit(X, 10.0 * Y[:, 0]).loss_
        assert losses[0] < losses[1] < losses[2] == pytest.approx(squared, rel=1e-12)


def one_hot(n=30, classes=3):
    return np.eye(classes, dtype=int)[np.arange(n) % classes]


class TestTellingCoincidences:
    """What can be read, but was probably meant otherwise, is said once, at the user's line."""

    X = np.random.default_rng(0).normal(size=(30, 5, 2))
    STEPS = (X[..., 0] > 0).astype(int)

    @pytest.mark.parametrize(
        ("X", "y", "parameters", "message"),
        [
            (X, STEPS, {}, "If it holds a label for each step, set return_sequences=True"),
            (X, STEPS.tolist(), {}, "set return_sequences=True"),
            (X[..., 0], pd.DataFrame(STEPS), {}, "set return_sequences=True"),
            (list(X), STEPS > 0, {}, "set return_sequences=True"),
            (np.where(np.arange(5)[:, np.newaxis] < 4, X, nan), STEPS, {"missing": "ffill"}, "return_sequences=True"),
            (X, one_hot(), {}, r"If it is one-hot, .* y.argmax\(axis=-1\)"),
            (X, pd.get_dummies(pd.Series(list("abc") * 10)), {}, "one-hot"),
            (X, np.repeat(one_hot()[:, np.newaxis], 5, axis=1), {"return_sequences": True}, "one-hot"),
            (X, np.arange(30) % 2, {"n_steps": 5}, "n_steps=5 is not used"),
            ([x[: 2 + i % 3] for i, x in enumerate(X)], np.arange(30) % 2, {"n_steps": 5}, "n_steps=5 is not used"),
        ],
        ids=[
            "array", "lists", "table", "list of arrays", "padded", "one-hot", "dummies", "one-hot steps", "3-D",
            "ragged",
        ],
    )
    def test_of_a_classifier(self, X, y, parameters, message):
        net = RNNClassifier(2, max_iter=1, random_state=0, **parameters)
        with pytest.warns(UserWarning, match=message) as seen:
            net.fit(X, y)
        assert [warning.filename for warning in seen if warning.category is UserWarning] == [__file__]
        net.predict(X), net.score(X, y)
        net.partial_fit(X, y)
        net.set_params(warm_start=True).fit(X, y)
        first, classes = clone(net), net.classes_
        with pytest.warns(UserWarning, match=message) as seen:
            first.partial_fit(X, y, classes=classes)
        assert [warning.filename for warning in seen] == [__file__]
        first.partial_fit(X, y)

    def test_of_unused_n_steps_of_a_regressor_in_a_pipeline(self):
        model = make_pipeline(SequenceScaler(), RNNRegressor(2, n_steps=5, max_iter=1))
        with pytest.warns(UserWarning, match="n_steps=5 is not used") as seen:
            model.fit(self.X, np.arange(30.0))
        assert seen[0].filename == __file__

    @pytest.mark.parametrize(
        ("estimator", "X", "y"),
        [
            (RNNClassifier(2, max_iter=1), X, STEPS[:, :4]),                        # several labels, not of steps
            (RNNClassifier(2, max_iter=1), X, STEPS[:, 0]),
            (RNNClassifier(2, max_iter=1, return_sequences=True), X, STEPS),
            (RNNClassifier(2, max_iter=1), X[:3], np.eye(3, dtype=int)),            # too few rows to tell
            (RNNRegressor(2, max_iter=1), X, X[..., 0]),                            # a horizon as long as the window
            (RNNRegressor(2, max_iter=1), X, one_hot()),
            (RNNClassifier(2, max_iter=1, n_steps=5), X.reshape(30, -1), STEPS[:, 0]),
        ],
        ids=["labels", "one label", "tagger", "few", "horizon", "one-hot numbers", "n_steps of a table"],
    )
    def test_plain_cases_pass_without_a_word(self, estimator, X, y):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", UserWarning)
            clone(estimator).fit(X, y)
        assert not [w for w in found if w.category is UserWarning]


class TestLabelsThatDoNotGo:
    """What is said of labels of other types and shapes than the classes."""

    X = np.random.default_rng(0).normal(size=(6, 4))

    @pytest.mark.parametrize(
        ("classes", "error", "message"),
        [
            ([0, "a"], TypeError, "classes mixes labels of the types int, str; expected one type"),
            (np.array([0, "a"], object), TypeError, "classes mixes labels of the types int, str"),
            ([0, None], ValueError, r"classes=\[0, None\]: expected all labels .* none of them missing"),
            ([0, 1, nan], ValueError, "none of them missing"),
            ([[0, 1]], ValueError, "in one dimension"),
            ([[0], [1, 2]], ValueError, r"classes=\[\[0\], \[1, 2\]\] are of 2 columns, but y has one"),
            ("ab", ValueError, "classes='ab': expected all labels"),
            ({0, 1}, TypeError, "classes is a set, expected an array or a list: a set has no order"),
            ([], ValueError, "expected all labels"),
            ([0], ValueError, "needs at least 2 classes in classes, got 1 class: 0"),
            (["a", "b"], TypeError, r"y has labels of type int, expected str as in the classes \['a' 'b'\]"),
        ],
        ids=str,
    )
    def test_classes(self, classes, error, message):
        net, y = RNNClassifier(2), np.arange(6) % 2
        with pytest.raises(error, match=message):
            net.partial_fit(self.X, y, classes=classes)
        net.partial_fit(self.X, y, classes=[0, 1])
        with pytest.raises((TypeError, ValueError), match=r"classes"):
            net.partial_fit(self.X, y, classes=classes)

    @pytest.mark.parametrize(("known", "other"), [([0, 1], ["a", "b"]), (["a", "b"], [0, 1]), ([0.0, 1.0], ["0", "1"])])
    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_of_another_type(self, known, other, return_sequences):
        X = self.X[..., np.newaxis]
        codes = np.arange(24).reshape(6, 4) % 2 if return_sequences else np.arange(6) % 2
        net = RNNClassifier(2, return_sequences=return_sequences, max_iter=1, warm_start=True)
        net.fit(X, np.array(known)[codes])
        y, theta = np.array(other)[codes], net.predict_proba(X)
        for call in (net.fit, net.partial_fit, net.score):
            with pytest.raises(TypeError, match=r"y has labels of type \w+, expected \w+ as in the classes"):
                call(X, y)
        np.testing.assert_array_equal(net.predict_proba(X), theta)

    @pytest.mark.parametrize("shape", [(6, 4, 2), (6, 1, 1), (6, 2, 2, 2), (6, 0)])
    def test_of_more_dimensions(self, shape):
        message = r"y should be a 1d array of labels, \(n,\), or .* \(n, labels\); .*return_sequences=True"
        with pytest.raises(ValueError, match=message):
            RNNClassifier(2).fit(self.X, np.zeros(shape, int))

    def test_of_other_columns_when_scored(self):
        net = RNNClassifier(2, max_iter=1).fit(self.X, np.arange(12).reshape(6, 2) % 3 % 2)
        with pytest.raises(ValueError, match="y has 3 columns, expected 2 as in the first fit"):
            net.score(self.X, np.zeros((6, 3), int))
        with pytest.raises(ValueError, match=r"y has shape \(6, 2\), expected \(6,\)"):
            RNNRegressor(2, max_iter=1).fit(self.X, np.arange(6.0)).score(self.X, np.zeros((6, 2)))

    def test_steps_laid_end_to_end(self):
        X, y = self.X[..., np.newaxis], np.arange(24) % 2
        with pytest.raises(ValueError, match=r"y has a value for each step of all sequences: skrnn.split_steps"):
            RNNClassifier(2, return_sequences=True).fit(X, y)

    def test_what_is_no_label_of_a_step_is_no_class(self):
        y = np.arange(24).reshape(6, 4) % 3 - 1
        net = RNNClassifier(2, return_sequences=True).partial_fit(self.X[..., np.newaxis], y, classes=np.unique(y))
        assert net.classes_.tolist() == [0, 1]
        assert net.partial_fit(self.X[..., np.newaxis], y, classes=[-1, 0, 1]).n_iter_ == 2

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ("balanced", "expected a number for each sequence; class_weight may be 'balanced'"),
            (np.ones((6, 1)), r"sample_weight has shape \(6, 1\), expected \(6,\)"),
            (np.ones((6, 2)), r"sample_weight has shape \(6, 2\), expected \(6,\): a weight per sequence"),
            ([(np.ones(2), 1.0)] * 6, "sample_weight holds weights of steps"),
            ({0: 1.0}, "sample_weight is a dict, expected an array or a list"),
            ([1, None, 1, 1, 1, 1], r"contains NaN: sample_weight\[1\]"),
        ],
        ids=["word", "column", "two columns", "pairs", "dict", "missing"],
    )
    def test_sample_weights(self, weights, message):
        with pytest.raises((TypeError, ValueError), match=message):
            RNNClassifier(2).fit(self.X, np.arange(6) % 2, weights)
