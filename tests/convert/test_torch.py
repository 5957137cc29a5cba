"""Nets with the weights of PyTorch modules, and state dicts of nets: as arrays, and against PyTorch if it is there."""

import importlib
import os

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, WithStatic
from skrnn.convert import from_torch, to_torch
from skrnn.convert._torch import state_arrays
from skrnn.exceptions import ExportError

NAMES = ("rnn", "head", "embedding")
SMALL = {"hidden_size": 3, "pooling": "last", "max_iter": 1, "random_state": 0}
pytestmark = pytest.mark.filterwarnings(
    "ignore::skrnn.exceptions.NothingLearnedWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)


def problem(dtype=np.float64):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(12, 5, 2)) * [2, 0.5] + [3, -1]).astype(dtype)
    return X, (10 * X[:, -1, 0] + 4).astype(dtype)


def lstm_state(K=3, n_outputs=1, dtype=np.float64, gates=4):
    """The state of a module with an nn.LSTM and an nn.Linear."""
    rng = np.random.default_rng(1)
    shapes = {
        "lstm.weight_ih_l0": (gates * K, 2), "lstm.weight_hh_l0": (gates * K, K), "lstm.bias_ih_l0": (gates * K,),
        "lstm.bias_hh_l0": (gates * K,), "fc.weight": (n_outputs, K), "fc.bias": (n_outputs,),
    }
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize(("gates", "cell"), [(1, "rnn"), (3, "gru"), (4, "lstm")])
@pytest.mark.parametrize("suffix", ["_l0", ""], ids=["layers", "of a cell"])
def test_where_the_arrays_go(gates, cell, suffix):
    state = lstm_state(gates=gates)
    net = from_torch({name.replace("_l0", suffix): values for name, values in state.items()})
    assert net.cell == cell
    biases = np.stack([state["lstm.bias_ih_l0"], state["lstm.bias_hh_l0"]])
    for name, values in {
        "layer0.W": state["lstm.weight_ih_l0"].T, "layer0.U": state["lstm.weight_hh_l0"].T,
        "layer0.b": biases if cell == "gru" else biases.sum(axis=0, keepdims=True),
        "head.V": state["fc.weight"].T, "head.c": state["fc.bias"],
    }.items():
        np.testing.assert_array_equal(net.parameters_[name], values, err_msg=name)


FORMS = pytest.mark.parametrize("form", [
    {"cell": "lstm"}, {"cell": "gru"}, {"cell": "rnn"}, {"cell": "rnn", "activation": "relu"},
    {"cell": "lstm", "hidden_size": (3, 3), "bidirectional": True, "pooling": "last_mean_max"},
    {"cell": "gru", "hidden_size": (3, 3), "standardize": False},
], ids=str)


@FORMS
def test_a_regressor_there_and_back(form):
    """A net without units has the same predictions, one with units the same parameters."""
    X, y = problem()
    net = RNNRegressor(**SMALL | form).fit(X, y)
    state = state_arrays(net, *NAMES)
    settings = {name: value for name, value in form.items() if name in ("pooling", "activation")}
    plain = from_torch(state, RNNRegressor(**{"pooling": "last", "standardize": False} | settings))
    assert (plain.cell, plain.bidirectional) == (net.cell, net.bidirectional)
    np.testing.assert_allclose(plain.predict(X), net.predict(X), rtol=1e-12)
    same = from_torch(state, net)
    for name, values in net.parameters_.items():
        np.testing.assert_allclose(same.parameters_[name], values, rtol=1e-12, atol=1e-14, err_msg=name)
    np.testing.assert_allclose(same.predict(X), net.predict(X), rtol=1e-12)
    assert same.n_iter_ == net.n_iter_ == 1
    assert same is not net


@pytest.mark.parametrize("labels", [["b", "a"], [2, 0, 1], [[1, 0], [3, 4, 5]]])
def test_labels_in_any_order(labels):
    """Of softmax heads, with two outputs for two classes, and of heads with one output for these."""
    X, _ = problem()
    several = isinstance(labels[0], list)
    columns = labels if several else [labels]
    state = lstm_state(n_outputs=sum(map(len, columns)))
    p = from_torch(state, classes=labels).predict_proba(X)
    raw = from_torch(state).predict(X)
    for column, of_column in zip(columns, p if several else [p], strict=True):
        scores, raw = raw[:, : len(column)], raw[:, len(column) :]
        expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(of_column[:, np.argsort(np.argsort(column))], expected, rtol=1e-10)


@pytest.mark.parametrize("y", [
    np.arange(12) % 2, np.arange(12) % 3, np.stack([np.arange(12) % 2, np.arange(12) % 3 > 0], axis=1).astype(int),
    np.stack([np.arange(12) % 2, 5 + np.arange(12) % 2], axis=1), np.stack([np.arange(12) % 3] * 2, axis=1),
], ids=["two classes", "three classes", "labels", "columns of two classes", "columns of three"])
def test_a_classifier_there_and_back(y):
    """Also with the outputs of a module that has one for each of two classes."""
    X, _ = problem()
    net = RNNClassifier(**SMALL, cell="lstm").fit(X, y)
    state = state_arrays(net, *NAMES)
    assert_equal_parameters(from_torch(state, net), net)
    if y.max() > 2 or y.ndim == 1:
        for kind in ("weight", "bias"):
            rows = state[f"head.{kind}"]
            if len(rows) == y.reshape(12, -1).shape[1]:
                state[f"head.{kind}"] = np.stack([np.zeros_like(rows), rows], axis=1).reshape(-1, *rows.shape[1:])
        assert_equal_parameters(from_torch(state, net), net)


def assert_equal_parameters(net, other):
    for name, values in other.parameters_.items():
        np.testing.assert_allclose(net.parameters_[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


def test_one_output_for_two_classes_is_the_log_odds_of_the_second():
    X, _ = problem()
    state = lstm_state()
    odds = np.exp(from_torch(state).predict(X))
    for labels, column in ((["a", "b"], 1), (["b", "a"], 0)):
        net = from_torch(state, classes=labels)
        np.testing.assert_allclose(net.predict_proba(X)[:, column], odds / (1 + odds), rtol=1e-10)


def test_counts():
    """The module gives the logarithm of the mean, with its unit."""
    X, _ = problem()
    net = RNNRegressor(**SMALL, loss="poisson").fit(X, np.arange(12))
    state = state_arrays(net, *NAMES)
    plain = from_torch(state, RNNRegressor(pooling="last", standardize=False, loss="poisson"))
    np.testing.assert_allclose(plain.predict(X), net.predict(X), rtol=1e-12)
    np.testing.assert_allclose(from_torch(state, net).parameters_["head.c"], net.parameters_["head.c"], atol=1e-12)


def test_units_that_the_net_was_trained_in():
    X, y = problem()
    state, units = lstm_state(), {"X_units": (X.mean(axis=(0, 1)), X.std(axis=(0, 1))), "y_units": (y.mean(), y.std())}
    net = from_torch(state, **units)
    standardized = (X - units["X_units"][0]) / units["X_units"][1]
    expected = from_torch(state).predict(standardized) * y.std() + y.mean()
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-12)
    assert net.y_mean_ == y.mean()


def test_layers_in_modules_of_their_own_and_without_biases():
    X, _ = problem()
    state = lstm_state()
    del state["lstm.bias_ih_l0"], state["lstm.bias_hh_l0"], state["fc.bias"]
    rng = np.random.default_rng(2)
    state |= {"second.weight_ih_l0": rng.normal(size=(8, 3)), "second.weight_hh_l0": rng.normal(size=(8, 2))}
    state["fc.weight"] = state["fc.weight"][:, :2]
    net = from_torch(state)
    assert net.hidden_size == (3, 2)
    assert not net.parameters_["layer1.b"].any()
    assert np.isfinite(net.predict(X)).all()


def test_float32_stays_float32():
    X, _ = problem(np.float32)
    assert from_torch(lstm_state(dtype=np.float32)).predict(X).dtype == np.float32


def test_embeddings():
    """Categories that the module does not have are embedded as zeros; a fitted net keeps what it has for them."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 4, size=(12, 5)), np.arange(12) % 2
    state = lstm_state() | {"words.weight": rng.normal(size=(4, 2))}
    net = from_torch(state, RNNClassifier(pooling="last"), classes=[0, 1], embedding="words")
    np.testing.assert_array_equal(net.parameters_["embedding.E"][-1], 0)
    assert net.predict_proba(np.full((1, 5), 9)).shape == (1, 2)
    fitted = RNNClassifier(**SMALL, cell="lstm", embedding_dim=2, n_categories=4).fit(X, y)
    state = state_arrays(fitted, *NAMES)
    assert state["embedding.weight"].shape == (5, 2)
    for n in (4, 5):
        state["embedding.weight"] = state["embedding.weight"][:n]
    for keywords in ({}, {"embedding": "embedding"}):       # as to_torch calls it
        same = from_torch(state, fitted, **keywords)
        np.testing.assert_allclose(same.predict_proba(X), fitted.predict_proba(X), rtol=1e-12)
    with pytest.raises(ValueError, match=r"2 linear layers, .*say which one is the head, or name an nn.Embedding"):
        from_torch(state, classes=[0, 1])


def test_a_language_model():
    model = RNNLanguageModel(4, embedding_dim=2, max_iter=1, random_state=0).fit(["abab", "ba"])
    state = state_arrays(model, *NAMES)
    assert state["embedding.weight"].shape == (4, 2)
    np.testing.assert_array_equal(state["head.weight"], model.parameters_["head.V"].T)


@pytest.mark.parametrize(("change", "keywords", "message"), [
    ({"conv.weight": np.zeros((2, 2, 3))}, {}, "source has 'conv.weight', neither of the recurrent layers"),
    ({"lin.weight": np.zeros((3, 3))}, {}, r"source has 2 linear layers, \['fc.weight', 'lin.weight'\]: say which"),
    ({"lin.weight": np.zeros((3, 3))}, {"head": "fc"}, "source has 'lin.weight', neither"),
    ({"fc.weight": None, "fc.bias": None}, {}, "source has no linear head"),
    ({"lstm.weight_hr_l0": np.zeros((3, 3))}, {}, "source has 'lstm.weight_hr_l0': an LSTM with proj_size"),
    ({"lstm.weight_ih_l0": None}, {}, r"^lstm\.layer 0 of source lacks weight_ih"),
    ({"lstm.bias_ih_l0": np.zeros(11)}, {}, r"^lstm\.layer 0 of source has the shapes"),
    ({"fc.bias": np.zeros(2)}, {}, r"^fc\.bias of source has shape \(2,\), expected \(1,\)"),
    ({"fc.weight": np.zeros((1, 6))}, {}, "the head reads 6 numbers, but the top layer has 3 outputs, of which"),
    ({"b.weight_ih_l0": np.zeros((8, 2)), "b.weight_hh_l0": np.zeros((8, 2))}, {}, "layer 1 of source reads 2 inputs"),
    ({"b.weight_ih_l0": np.zeros((6, 3)), "b.weight_hh_l0": np.zeros((6, 2))}, {}, r"the cells \['gru', 'lstm'\]"),
    ({}, {"embedding": "words"}, "embedding='words': source has no 'words.weight'"),
    ({}, {"classes": [0, 1, 2]}, r"^classes=\[0, 1, 2\]: expected 1 labels"),
    ({}, {"classes": [0, 0]}, r"^classes=\[0, 0\]: expected each label once"),
    ({"lstm.weight_ih_l0": np.full((12, 2), np.nan)}, {}, r"^parameters\['layer0.W'\]\[0, 0\] is nan"),
])
def test_what_does_not_fit_is_named(change, keywords, message):
    state = {name: values for name, values in (lstm_state() | change).items() if values is not None}
    with pytest.raises(ValueError, match=message):
        from_torch(state, **keywords)


def test_types_that_do_not_fit():
    with pytest.raises(TypeError, match=r"^source is a int, expected a PyTorch module or its state dict"):
        from_torch(3)
    with pytest.raises(TypeError, match=r"^source\['state_dict'\] is a dict, expected a tensor: of a checkpoint pass"):
        from_torch({"epoch": 3, "state_dict": lstm_state()})
    with pytest.raises(TypeError, match="estimator is a RNNLanguageModel, expected an RNNClassifier or RNNRegressor"):
        from_torch(lstm_state(), RNNLanguageModel())
    with pytest.raises(TypeError, match="classes and multilabel are for an RNNClassifier, but estimator is"):
        from_torch(lstm_state(), RNNRegressor(), classes=[0, 1])
    with pytest.raises(TypeError, match="y_units are for an RNNRegressor"):
        from_torch(lstm_state(), classes=[0, 1], y_units=(0, 1))
    with pytest.raises(TypeError, match="net is a RNNOutlierDetector, expected a net that has parameters_"):
        state_arrays(RNNOutlierDetector(), *NAMES)


@pytest.mark.parametrize(("settings", "message"), [
    ({"cell": "mgu"}, "cell='mgu' is none of PyTorch's"),
    ({"cell": "gru", "reset_after": False}, "cell='gru' with reset_after=False is none"),
    ({"cell": "rnn", "activation": "logistic"}, "cell='rnn' with activation='logistic' is none"),
    ({"hidden_size": (3, 2)}, r"hidden_size=\(3, 2\): the layers of a module of PyTorch have one size"),
    ({"patch_size": 2}, "the net reads patch_size=2, patches of 2 steps"),
    ({"missing": "indicator"}, "missing='indicator', indicators of what is missing"),
    ({"missing": "decay"}, "missing='decay', indicators of what is missing"),
    ({"times": 1}, "times=1, times between steps"),
    ({"standardize": "sequence"}, "standardize='sequence', each sequence in its own units"),
    ({"categorical_features": [1]}, "categorical features"),
    ({"loss": "gaussian"}, "loss='gaussian' has several scores for each target"),
])
def test_what_pytorch_does_not_have_is_named(settings, message):
    X, y = problem()
    X[..., 1] = np.arange(5)
    with pytest.raises(ExportError, match=message):
        state_arrays(RNNRegressor(**SMALL | settings).fit(X, y), *NAMES)


def test_a_fitted_net_of_another_structure():
    X, y = problem()
    net = RNNRegressor(**SMALL, cell="gru").fit(X, y)
    with pytest.raises(ValueError, match="the estimator has cell='gru', but the weights are of cell='lstm'"):
        from_torch(lstm_state(), net)
    with pytest.raises(ValueError, match="X_units is for a net that is not fitted"):
        from_torch(lstm_state(gates=3), net, X_units=([0, 0], [1, 1]))


def test_static_features_are_named():
    X, y = problem()
    with pytest.raises(ExportError, match="the net reads static features"):
        state_arrays(RNNRegressor(**SMALL).fit(WithStatic(X, y[:, np.newaxis]), y), *NAMES)


@pytest.fixture(scope="module")
def torch():
    """PyTorch; without it tests are skipped, unless SKRNN_REQUIRE_PEERS is set."""
    required = os.environ.get("SKRNN_REQUIRE_PEERS")
    torch = importlib.import_module("torch") if required else pytest.importorskip("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return torch


@pytest.mark.slow
class TestAgainstPyTorch:
    """Modules as a user writes them."""

    @staticmethod
    def module(torch, form, n_outputs=2):
        """Layers and a head that reads what `pooling` says."""
        kinds = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
        keywords = {"nonlinearity": form.get("activation", "tanh")} if form["cell"] == "rnn" else {}
        sizes = np.atleast_1d(form.get("hidden_size", 3))
        bidirectional, pooling = form.get("bidirectional", False), form.get("pooling", "last")
        width = int(sizes[0]) * (1 + bidirectional)

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = getattr(torch.nn, kinds[form["cell"]])(
                    2, int(sizes[0]), num_layers=len(sizes), bidirectional=bidirectional, batch_first=True, **keywords
                )
                self.head = torch.nn.Linear(width * len(pooling.split("_")), n_outputs)

            def forward(self, x):
                out, h = self.rnn(x)
                h = h[0] if isinstance(h, tuple) else h
                parts = {
                    "last": torch.cat(list(h[-1 - bidirectional :]), dim=1), "mean": out.mean(dim=1),
                    "max": out.max(dim=1).values,
                }
                return self.head(torch.cat([parts[part] for part in pooling.split("_")], dim=1))

        return Net()

    @FORMS
    def test_predictions_are_those_of_the_module(self, torch, form):
        X, _ = problem(np.float32)
        module = self.module(torch, form)
        pooling = form.get("pooling", "last")
        net = from_torch(module, RNNRegressor(pooling=pooling, standardize=False))
        with torch.no_grad():
            expected = module(torch.from_numpy(X)).numpy()
        np.testing.assert_allclose(net.predict(X), expected, rtol=1e-5, atol=1e-6)
        assert net.activation == form.get("activation", "tanh")

    @FORMS
    def test_the_module_predicts_what_the_net_does(self, torch, form):
        X, y = problem()
        net = RNNRegressor(**SMALL | form).fit(X, np.column_stack([y, -y]))
        module = self.module(torch, form).double()
        module.load_state_dict(to_torch(net))
        with torch.no_grad():
            predicted = module(torch.from_numpy(X)).numpy()
        np.testing.assert_allclose(predicted, net.predict(X), rtol=1e-10)
        refilled = from_torch(module, net)
        np.testing.assert_allclose(refilled.predict(X), net.predict(X), rtol=1e-10)

    def test_half_precision_and_tensors_that_require_gradients(self, torch):
        X, _ = problem(np.float32)
        module = self.module(torch, {"cell": "gru"})
        expected = from_torch(module).predict(X)
        for dtype in (torch.bfloat16, torch.float16):
            net = from_torch(module.to(dtype))
            assert net.predict(X).dtype == np.float32
            np.testing.assert_allclose(net.predict(X), expected, atol=0.05)

    def test_a_list_of_modules(self, torch):
        layers = torch.nn.ModuleList([torch.nn.LSTM(2, 3), torch.nn.Linear(3, 1)])
        assert from_torch(layers).predict(problem()[0]).shape == (12,)
        with pytest.raises(ValueError, match=r"no linear head.*nn\.ModuleList\(\[lstm, linear\]\)"):
            from_torch(layers[0])
