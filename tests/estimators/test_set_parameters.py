"""Parameters by name: what is assigned to `parameters_` or passed to `set_parameters`, also of nets without a fit."""

import copy
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival

SMALL = {"hidden_size": 3, "max_iter": 1, "random_state": 0}
pytestmark = pytest.mark.filterwarnings(
    "ignore::skrnn.exceptions.NothingLearnedWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6, 2)) * [2, 0.5] + [3, -1]
Y = 10 * X[:, -1, 0] + 4
TIMES = np.column_stack([X[:, 0, 0] > 2, np.exp(X[:, -1, 1])])
TEXTS = ["anna", "hanna", "nana"]
CATEGORIES = RNG.integers(0, 4, size=(12, 6))


def units(net):
    """What a net without a fit is given besides parameters."""
    return {"X_units": (net.X_mean_, net.X_scale_)}


def of_number(net):
    return units(net) | {"y_units": (net.y_mean_, net.y_scale_)}


def of_labels(net):
    return units(net) | {"classes": net.classes_}


# A net, what it is fitted to, and what of a fit a net without one is told
NETS = {
    "number": (RNNRegressor(**SMALL), (X, Y), of_number),
    "numbers": (RNNRegressor(**SMALL), (X, np.column_stack([Y, -Y])), of_number),
    "as they are": (RNNRegressor(**SMALL, standardize=False), (X, Y), lambda net: {}),
    "own units": (RNNRegressor(**SMALL, standardize="sequence", missing="indicator"), (X, Y), of_number),
    "patches": (RNNRegressor(**SMALL, patch_size=2, missing="ffill"), (X, Y), of_number),
    "per step": (RNNRegressor(**SMALL, return_sequences=True), (X, X[..., 0]), of_number),
    "distribution": (RNNRegressor(**SMALL, loss="gaussian"), (X, Y), of_number),
    "quantiles": (RNNRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.9]), (X, Y), of_number),
    "counts": (RNNRegressor(**SMALL, loss="poisson"), (X, np.arange(12)), of_number),
    "fractions": (RNNRegressor(**SMALL, out_activation="logistic"), (X, np.arange(12) / 12), units),
    "stacked": (RNNRegressor((3, 2), cell="lstm", bidirectional=True, max_iter=1, random_state=0), (X, Y), of_number),
    "single": (RNNRegressor(**SMALL), (X.astype(np.float32), Y), of_number),
    "two classes": (RNNClassifier(**SMALL), (X, np.where(Y > 30, "up", "down")), of_labels),
    "classes": (RNNClassifier(**SMALL), (X, np.arange(12) % 3), of_labels),
    "columns": (RNNClassifier(**SMALL), (X, np.column_stack([np.arange(12) % 2, 3 + np.arange(12) % 3])), of_labels),
    "labels": (
        RNNClassifier(**SMALL), (X, RNG.integers(0, 2, size=(12, 3))), lambda net: units(net) | {"multilabel": True}
    ),
    "categories": (
        RNNClassifier(**SMALL, embedding_dim=2), (CATEGORIES, np.arange(12) % 2), lambda net: {"classes": [0, 1]}
    ),
    "announced": (
        RNNClassifier(**SMALL, embedding_dim=2, n_categories=5), (CATEGORIES, np.arange(12) % 2),
        lambda net: {"classes": [0, 1]},
    ),
    "times to events": (
        RNNSurvival(**SMALL, intervals=3), (X, TIMES), lambda net: units(net) | {"unique_times": net.unique_times_}
    ),
    "given intervals": (RNNSurvival(**SMALL, intervals=[0, 0.3, 0.6, 1]), (X, TIMES), units),
    "texts": (RNNLanguageModel(3, embedding_dim=2, max_iter=1, random_state=0), (TEXTS,),
              lambda net: {"symbols": net.symbols_[:-2]}),
}


@pytest.fixture(scope="module")
def fitted():
    """Nets by name; nobody may change them."""
    found = {}

    def fit(name):
        if name not in found:
            net, data, _ = NETS[name]
            found[name] = clone(net).fit(*data)
        return found[name]

    return fit


def filled(net, name, **changes):
    """A net that is told what a fitted one knows."""
    estimator, _, known = NETS[name]
    return clone(estimator).set_parameters(dict(net.parameters_), **known(net) | changes)


def predictions(net, data):
    return net.predict_proba(data) if hasattr(net, "predict_proba") else net.predict(data)


def assert_equal_predictions(net, other, data):
    for ours, theirs in zip(
        *(p if isinstance(p, list) else [p] for p in (predictions(net, data), predictions(other, data))), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


class TestWithoutAFit:
    @pytest.mark.parametrize("name", NETS)
    def test_the_bits_of_the_net_that_the_parameters_come_from(self, fitted, name):
        net, data = fitted(name), NETS[name][1]
        other = filled(net, name)
        assert_equal_predictions(other, net, data[0])
        assert_equal_predictions(pickle.loads(pickle.dumps(other)), net, data[0])
        assert (other.n_iter_, other.loss_curve_, other.t_) == (0, [], 0)
        for attribute in ("X_mean_", "n_outputs_", "out_activation_", "patch_size_", "y_mean_", "categories_"):
            if hasattr(net, attribute):
                np.testing.assert_equal(getattr(other, attribute), getattr(net, attribute), attribute)

    @pytest.mark.parametrize("name", NETS)
    def test_training_goes_on(self, fitted, name):
        net, data = fitted(name), NETS[name][1]
        other = filled(net, name)
        assert other.partial_fit(*data).n_iter_ == 1
        assert any((other.parameters_[key] != values).any() for key, values in net.parameters_.items())
        other = filled(net, name).set_params(warm_start=True, learning_rate_init=1e-12, solver="adam", alpha=0.0)
        for key, values in other.fit(*data).parameters_.items():
            np.testing.assert_allclose(values, net.parameters_[key], atol=1e-6)

    @pytest.mark.parametrize(("name", "changes"), [
        ("number", {"X_units": None, "y_units": None}), ("classes", {"X_units": None}),
    ])
    def test_units_that_are_not_given_are_0_and_1(self, fitted, name, changes):
        net, data = fitted(name), NETS[name][1]
        other = filled(net, name, **changes)
        np.testing.assert_array_equal([other.X_mean_, other.X_scale_], [[0, 0], [1, 1]])
        plain = clone(other).set_params(standardize=False)
        plain.set_parameters(net.parameters_, **{"classes": [0, 1, 2]} if name == "classes" else {})
        assert_equal_predictions(other, plain, data[0])

    @pytest.mark.parametrize(("name", "changes", "message"), [
        ("number", {"X_units": 3}, r"^X_units is 3, expected a pair"),
        ("number", {"X_units": ([0], [1])}, r"^X_units has the shapes \(1,\) and \(1,\), expected \(2,\) each"),
        ("number", {"X_units": ([0, 0], [1, 0])}, "expected finite means, and scales that are positive"),
        ("number", {"X_units": ([0, 0], [1, 1e-310])}, r"^X_units is .*1e-310.* 1 / scale is beyond float64"),
        ("number", {"y_units": (np.nan, 1)}, r"^y_units is .* expected finite means"),
        ("as they are", {"X_units": (0, 1)}, r"^X_units are for standardize=True, not False"),
        ("counts", {"y_units": (1, 1)}, "loss='poisson' with out_activation='exp' takes y in no such units"),
        ("fractions", {"y_units": (0, 2)}, "out_activation='logistic' takes y in no such units"),
        ("categories", {"X_units": (0, 1)}, "X_units are of numbers, but with embedding_dim"),
        ("classes", {"classes": None}, "^classes must be passed to a net that is not fitted"),
        ("classes", {"classes": [0, 2, 1]}, r"^classes=\[0, 2, 1\]: expected them once each and in order, \[0, 1, 2\]"),
        ("classes", {"classes": [0, 1]}, r"have 1 outputs, one for two classes, .* head.V has 3 columns"),
        ("classes", {"classes": [1]}, r"^classes=\[1\]: expected at least 2 classes"),
        ("classes", {"classes": [[0, 1, 2]]}, r"^classes=\[\[0, 1, 2\]\]: expected the classes of one column by them"),
        ("columns", {"classes": [[0, 1], [5, 4]]}, r"^classes\[1\]=\[5, 4\]: expected them once each and in order"),
        ("labels", {"classes": [0, 1, 2]}, "^multilabel=True is for labels that are 0 or 1"),
        ("two classes", {"classes": None, "multilabel": True}, "^multilabel=True is for several labels, but head.V"),
        ("times to events", {"unique_times": None}, "^unique_times must be passed .* with intervals=3"),
        ("times to events", {"unique_times": [0, 1]}, "^unique_times has 1 intervals, but head.V 3 columns"),
        ("times to events", {"unique_times": [0, 2, 1, 3]}, r"^unique_times=\[0.0, 2.0, 1.0, 3.0\]|^unique_times="),
        ("texts", {"symbols": None}, "^symbols must be passed to a model that is not fitted"),
        ("texts", {"symbols": ["n", "h", "a"]}, r"^symbols=\['n', 'h', 'a'\]: expected them once each and in order"),
        ("texts", {"symbols": ["a", "h"]}, r"^parameters\['head.V'\] has shape \(3, 5\), expected \(3, 4\), by hidden"),
    ])
    def test_what_else_does_not_fit_is_named(self, fitted, name, changes, message):
        with pytest.raises(ValueError, match=message):
            filled(fitted(name), name, **changes)

    @pytest.mark.parametrize(("name", "settings", "message"), [
        ("number", {"hidden_size": 4}, r"^parameters\['layer0.W'\] has shape \(2, 9\), expected \(2, 12\), by hidden"),
        ("number", {"pooling": "last"}, r"^parameters\['head.V'\] has shape \(9, 1\), expected \(3, 1\), .*g='last'"),
        ("number", {"pooling": "max"}, r"; rows of static features need a fit, for one epoch"),
        ("number", {"categorical_features": [0], "embedding_dim": 2}, r"^categorical_features=\[0\] is of what only a"),
        ("number", {"missing": "decay"}, "^missing='decay' is of what only a fit learns"),
        ("number", {"times": 0}, "^times=0 is of what only a fit learns"),
        ("number", {"categorical_features": [0]}, r"^categorical_features=\[0\] is of what only a fit learns"),
        ("number", {"embedding_dim": "auto"}, "^embedding_dim='auto' is of what only a fit learns"),
        ("number", {"standardize": "sequence"}, r"^parameters\['layer0.W'\] has 2 rows, expected 3 for each feature"),
        ("number", {"loss": "gaussian"}, r"^parameters\['head.V'\] has 1 columns, expected 2 for each output"),
        ("number", {"hidden_size": 0}, "^The 'hidden_size' parameter|^hidden_size=0"),
        ("categories", {"missing": "indicator"}, "^missing='indicator' is for numbers"),
        ("categories", {"n_categories": 7}, r"^parameters\['embedding.E'\] has shape \(5, 2\), expected 8 rows"),
        ("categories", {"patch_size": 2}, "^patch_size=2 is for numbers"),
    ])
    def test_parameters_of_the_estimator_that_do_not_fit(self, fitted, name, settings, message):
        net = fitted(name)
        estimator = clone(NETS[name][0]).set_params(**settings)
        with pytest.raises(ValueError, match=message):
            estimator.set_parameters(net.parameters_, **NETS[name][2](net))
        with pytest.raises(NotFittedError):
            estimator.predict(X)

    def test_labels_are_what_fit_takes(self, fitted):
        for labels in ([b"a", b"b", b"c"], np.array([b"a", b"b", b"c"], object)):
            with pytest.raises(TypeError, match=r"^classes has labels of type bytes, expected bools, integers"):
                filled(fitted("classes"), "classes", classes=labels)

    def test_all_parameters_are_needed(self, fitted):
        parameters = dict(fitted("number").parameters_)
        for name in parameters:
            rest = {key: values for key, values in parameters.items() if key != name}
            with pytest.raises(ValueError, match=rf"^parameters lacks '{name}': a net that is not fitted needs all"):
                RNNRegressor(3).set_parameters(rest)
        with pytest.raises(ValueError, match=r"^parameters has 'static.W', of static features"):
            RNNRegressor(3).set_parameters(parameters | {"static.W": np.zeros((1, 3))})
        with pytest.raises(ValueError, match=r"^parameters\['head.V'\] has shape \(9,\), expected two dimensions"):
            RNNRegressor(3).set_parameters(parameters | {"head.V": np.zeros(9)})


class TestOfAFittedNet:
    @pytest.mark.parametrize("name", ["number", "classes", "times to events", "texts", "categories"])
    def test_assignment_does_what_it_says(self, fitted, name):
        """It is what the net predicts by, also one step of it, whatever was called before."""
        net, data = copy.deepcopy(fitted(name)), NETS[name][1]
        before = predictions(net, data[0])
        parameters = net.parameters_
        c = parameters["head.c"] + np.arange(1, 1 + parameters["head.c"].size)
        parameters["head.c"] = c
        assert (predictions(net, data[0]) != before).any()
        np.testing.assert_array_equal(net.parameters_["head.c"], c.astype(parameters["head.c"].dtype))
        np.testing.assert_array_equal(parameters["head.c"], net.parameters_["head.c"])
        assert_equal_predictions(net, filled(net, name), data[0])
        assert_equal_predictions(pickle.loads(pickle.dumps(net)), net, data[0])

    def test_steps_of_streams(self, fitted):
        net = copy.deepcopy(fitted("number"))
        state = net.initial_state()
        before, _ = net.predict_step(X[0, 0], state)
        net.set_parameters({"head.c": net.parameters_["head.c"] + 1})
        after, _ = net.predict_step(X[0, 0], state)
        assert after == pytest.approx(before + net.y_scale_)
        assert after == net.predict(X[:1, :1])[0]

    def test_some_at_once(self, fitted):
        net = copy.deepcopy(fitted("number"))
        kept = net.parameters_["layer0.W"].copy()
        assert net.set_parameters({"head.V": np.zeros((9, 1)), "head.c": [2]}) is net
        np.testing.assert_allclose(net.predict(X), net.y_mean_ + 2 * net.y_scale_)
        np.testing.assert_array_equal(net.parameters_["layer0.W"], kept)
        assert net.n_iter_ == 1

    def test_the_solver_goes_on(self, fitted):
        """With the averages that it has: after the same parameters are set, with the same bits."""
        one, other = copy.deepcopy(fitted("number")), copy.deepcopy(fitted("number"))
        other.set_parameters(dict(other.parameters_))
        for net in (one, other):
            net.partial_fit(X, Y)
        assert_equal_predictions(one, other, X)

    def test_other_objects_keep_their_parameters(self, fitted):
        """Copies, and what was taken of `parameters_` before a fit or an assignment."""
        net = copy.deepcopy(fitted("number"))
        shallow, taken, values = copy.copy(net), net.parameters_, dict(net.parameters_)["head.c"].copy()
        net.set_parameters({"head.c": [7]})
        assert taken["head.c"] == shallow.parameters_["head.c"] == values
        net.partial_fit(X, Y)
        assert taken["head.c"] == values
        with pytest.raises(ValueError, match=r"no longer the parameters of the RNNRegressor.*: take its"):
            taken["head.c"] = [8]
        taken = net.parameters_
        taken["head.c"] = [8]
        taken["head.c"] = taken["head.c"] + 1
        assert net.parameters_["head.c"] == 9

    def test_arrays_cannot_be_written_to(self, fitted):
        net = fitted("categories")
        for values in (*net.parameters_.values(), *net.embeddings_.values()):
            with pytest.raises(ValueError, match="read-only"):
                values[:] = 0
        with pytest.raises(AttributeError):
            del net.parameters_["head.c"]

    def test_a_mapping_like_a_dict(self, fitted):
        net = fitted("number")
        parameters, names = net.parameters_, ["layer0.W", "layer0.U", "layer0.b", "head.V", "head.c"]
        assert list(parameters) == list(parameters.keys()) == names
        assert len(parameters) == 5
        assert "head.V" in parameters
        assert "head.W" not in parameters
        assert "'head.c': array" in repr(parameters)
        for plain in (
            dict(parameters), parameters.copy(), copy.copy(parameters), copy.deepcopy(parameters), parameters | {},
            {} | parameters, pickle.loads(pickle.dumps(parameters)),
        ):
            assert type(plain) is dict
            assert list(plain) == names
            np.testing.assert_array_equal(plain["head.V"], parameters["head.V"])

    @pytest.mark.parametrize(("parameters", "error", "message"), [
        (3, TypeError, "^parameters is a int, expected a dict of arrays by name"),
        ({"layer0.X": [1]}, ValueError, r"^parameters has 'layer0.X', expected names of this net: layer0.W, layer0.U"),
        ({3: [1]}, ValueError, r"^parameters has 3, expected names"),
        ({"head.c": 1}, ValueError, r"^parameters\['head.c'\] has shape \(\), expected \(1,\)$"),
        ({"head.V": np.zeros((1, 9))}, ValueError, r"^parameters\['head.V'\] has shape \(1, 9\), expected \(9, 1\)$"),
        ({"head.V": np.full((9, 1), np.nan)}, ValueError, r"^parameters\['head.V'\]\[0, 0\] is nan, expected a finite"),
        ({"head.c": [1e300]}, ValueError, r"^parameters\['head.c'\]\[0\] is 1e\+300, too large for float32"),
        ({"head.c": ["1"]}, ValueError, r"^parameters\['head.c'\]\[0\] is '1', expected a number"),
        ({"head.c": [1j]}, ValueError, r"Complex data not supported: parameters\['head.c'\]"),
    ])
    def test_a_failed_call_leaves_the_net_as_it_was(self, fitted, parameters, error, message):
        net = copy.deepcopy(fitted("single"))
        before, model = net.predict(X), net._fitted.model
        good = {"layer0.U": np.zeros((3, 9))}
        with pytest.raises(error, match=message):
            net.set_parameters(good | parameters if isinstance(parameters, dict) else parameters)
        assert net._fitted.model is model
        np.testing.assert_array_equal(net.predict(X), before)

    @pytest.mark.parametrize(("name", "known"), [
        ("number", {"X_units": (0, 1)}), ("number", {"y_units": (0, 1)}), ("classes", {"classes": [0, 1, 2]}),
        ("classes", {"multilabel": True}), ("times to events", {"unique_times": [0, 1]}), ("texts", {"symbols": "anh"}),
    ])
    def test_a_fitted_net_keeps_what_else_it_has_learned(self, fitted, name, known):
        (argument,) = known
        with pytest.raises(ValueError, match=f"^{argument} is for a net that is not fitted"):
            fitted(name).set_parameters({}, **known)

    def test_the_net_of_a_detector(self):
        detector = RNNOutlierDetector(3, max_iter=1, random_state=0).fit(X)
        before = detector.score_samples(X)
        parameters = detector.forecaster_.parameters_
        parameters["head.c"] = parameters["head.c"] + 5
        assert (detector.score_samples(X) < before).all()

    def test_predictions_of_other_threads_are_those_of_one_set(self, fitted):
        """While parameters are set to one of two sets, what is predicted is by one of both."""
        net = copy.deepcopy(fitted("number"))
        sets = [{"head.V": np.full((9, 1), v), "head.c": [v]} for v in (1.0, -1.0)]
        expected = [net.set_parameters(each).predict(X[:1])[0] for each in sets]
        found, done = set(), threading.Event()

        def predict():
            while not done.is_set():
                found.add(net.predict(X[:1])[0])

        thread = threading.Thread(target=predict)
        thread.start()
        for i in range(200):
            net.set_parameters(sets[i % 2])
        done.set()
        thread.join()
        assert found <= set(expected)


def test_nothing_of_a_net_without_a_fit():
    with pytest.raises(NotFittedError):
        _ = RNNRegressor().parameters_
