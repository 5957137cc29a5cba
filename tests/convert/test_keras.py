"""Nets with the weights of Keras models: what Keras predicted, which `make_keras_fixture.py` has written out."""

import json
from pathlib import Path

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.convert import from_keras

# The classes of models whose head has labels; "zyx" are to be sorted
CLASSES = {
    "gru": ["z", "y", "x"], "gru before": ["b", "a"], "maximum": [0, 1, 2], "embedding": [1, 0],
    "rnn tanh": [False, True], "rnn relu": ["no", "yes"],
}


@pytest.fixture(scope="module")
def keras():
    """Layers of each model as tuples, what it predicts, and what of."""
    with np.load(Path(__file__).with_name("keras_fixture.npz")) as file:
        arrays = dict(file)
    models = json.loads(str(arrays.pop("models")))["models"]
    layers = {
        name: [
            (kind, config, [arrays[f"{name}/{i}/{j}"] for j in range(n)]) for i, (kind, config, n) in enumerate(model)
        ]
        for name, model in models.items()
    }
    return layers, {name: arrays[f"{name}/y"] for name in models}, arrays["X"], arrays["categories"]


def names():
    with np.load(Path(__file__).with_name("keras_fixture.npz")) as file:
        return list(json.loads(str(file["models"]))["models"])


def probabilities_of(net, name, X):
    """In the order and the form of the model's outputs."""
    p = net.predict_proba(X)
    if name not in CLASSES:
        return p
    places = [net.classes_.tolist().index(label) for label in CLASSES[name]]
    return p[:, places]


@pytest.mark.parametrize("name", names())
def test_predictions_are_those_of_keras(keras, name):
    layers, y, X, categories = keras
    X = categories if name == "embedding" else X
    of_labels = {"classes": CLASSES[name]} if name in CLASSES else {"multilabel": True} if name == "stacked" else {}
    net = from_keras(layers[name], **of_labels)
    expected = y[name]
    if of_labels:
        predicted = probabilities_of(net, name, X)
        expected = np.hstack([1 - expected, expected]) if expected.shape[1] == 1 else expected
    else:
        predicted = net.predict(X).reshape(expected.shape)
    assert net._fitted.model.dtype == np.float32
    np.testing.assert_allclose(predicted, expected, rtol=1e-5, atol=1e-6)


def test_what_the_model_says_of_the_estimator(keras):
    layers, *_ = keras
    net = from_keras(layers["mean"], RNNRegressor(7, cell="rnn", bidirectional=True, loss="huber", random_state=3))
    assert (net.cell, net.hidden_size, net.bidirectional, net.pooling, net.loss) == ("lstm", 3, False, "mean", "huber")
    assert from_keras(layers["per step"]).return_sequences
    assert from_keras(layers["rnn sigmoid"]).out_activation == "logistic"
    assert not from_keras(layers["gru before"], classes=[0, 1]).reset_after
    assert from_keras(layers["stacked"], RNNClassifier(), multilabel=True).hidden_size == (3, 4)


class Named:
    """A layer as an object of Keras."""

    def __init__(self, layer):
        self._layer = layer

    def get_config(self):
        return self._layer[1]

    def get_weights(self):
        return self._layer[2]


def test_objects_of_keras(keras):
    layers, y, X, _ = keras
    objects = [type(layer[0], (Named,), {})(layer) for layer in layers["stacked"]]
    model = type("Sequential", (), {"layers": objects})()
    np.testing.assert_allclose(from_keras(model, multilabel=True).predict_proba(X), y["stacked"], rtol=1e-5)


def changed(layers, number, weights=None, kind=None, **config):
    """Layers of which one has another config or other weights."""
    layers = list(layers)
    of_kind, before, arrays = layers[number]
    layers[number] = (kind or of_kind, before | config, arrays if weights is None else weights)
    return layers


@pytest.mark.parametrize(("name", "change", "message"), [
    ("lstm", {"number": 0, "activation": "relu"}, r"^layer 0 of source, LSTM, has activation='relu', expected 'tanh'"),
    ("gru", {"number": 0, "recurrent_activation": "hard_sigmoid"}, "recurrent_activation='hard_sigmoid', expected"),
    ("gru", {"number": 0, "go_backwards": True}, "go_backwards=True, expected False"),
    ("rnn tanh", {"number": 0, "activation": "elu"}, "activation='elu', expected one of tanh, relu"),
    ("stacked", {"number": 0, "return_sequences": False}, "reads a layer with return_sequences=False"),
    ("mean", {"number": 0, "return_sequences": False}, "return_sequences=False, and steps are pooled after it"),
    ("both directions", {"number": 0, "merge_mode": "sum"}, "merge_mode='sum', expected 'concat'"),
    ("both directions", {"number": 0, "layer": 3}, "has no layer in its config"),
    ("gru", {"number": 0, "reset_after": False}, "expected arrays of"),
    ("lstm", {"number": 0, "weights": [np.zeros((2, 12)), np.zeros((4, 12))]}, "has weights of the shapes"),
    ("lstm", {"number": 1, "activation": "softmax"}, "activation='softmax', expected 'linear' or 'sigmoid'"),
    ("lstm", {"number": 1, "kind": "Conv1D"}, "source has the layers LSTM, Conv1D: expected LSTM, GRU or SimpleRNN"),
])
def test_what_has_no_counterpart_is_named(keras, name, change, message):
    with pytest.raises(ValueError, match=message):
        from_keras(changed(keras[0][name], **change))


def test_heads_and_labels_that_do_not_go_together(keras):
    layers, *_ = keras
    with pytest.raises(ValueError, match="has activation='sigmoid' and 2 outputs, expected one of linear, softmax"):
        from_keras(layers["stacked"], classes=[0, 1])
    with pytest.raises(ValueError, match="has activation='softmax' and 3 outputs, expected one of linear, sigmoid"):
        from_keras(layers["gru"], multilabel=True)
    with pytest.raises(TypeError, match=r"^layer 0 of source is 'LSTM', expected a layer of Keras"):
        from_keras(["LSTM"])
