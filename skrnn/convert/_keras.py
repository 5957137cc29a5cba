"""Keras' LSTM, GRU and SimpleRNN with a Dense layer."""

from typing import NamedTuple

import numpy as np

from skrnn._data.numbers import as_numbers
from skrnn._estimators.classifier import RNNClassifier
from skrnn._messages import shown
from skrnn._parameters import check_parameters
from skrnn.convert._weights import Direction, Weights, check_layers, estimator_with

# Layers without weights that change nothing of what a trained net predicts
PASSED = {"InputLayer", "Dropout", "SpatialDropout1D", "Masking"}
# What a layer of pooling after the recurrent ones is here
POOLINGS = {"GlobalAveragePooling1D": "mean", "GlobalMaxPooling1D": "max", "GlobalMaxPool1D": "max"}
# The cells, and the number of each gate of ours among those of Keras
CELLS = {"LSTM": ("lstm", (0, 1, 2, 3)), "GRU": ("gru", (1, 0, 2)), "SimpleRNN": ("rnn", (0,))}
ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "logistic", "linear": "identity"}


class Layer(NamedTuple):
    """A layer of Keras."""

    kind: str       # its class
    config: dict    # what get_config() has; what lacks is what Keras takes by default
    weights: list   # what get_weights() has, as arrays
    where: str      # what messages call it


def from_keras(source, estimator=None, *, classes=None, multilabel=False, X_units=None, y_units=None):
    """A net with the weights of a Keras model: recurrent layers, perhaps pooling, and a Dense layer.

    The layers may be LSTM, GRU and SimpleRNN, stacked, and Bidirectional ones of these that are concatenated; before
    them an Embedding, after them GlobalAveragePooling1D or GlobalMaxPooling1D. Layers of dropout, Masking and
    InputLayer are passed over. Keras need not be installed for layers as tuples.

    Parameters
    ----------
    source : model, or list of layers
        A Sequential model, or what its ``layers`` are: objects of Keras, or of each its class and the arrays of its
        ``get_weights()``, such as ``("LSTM", weights)``, with its ``get_config()`` between, where that has something
        else than what Keras takes if nothing is said: ``("GRU", {"return_sequences": True}, weights)``. A Bidirectional
        layer has that of the layer in it: ``("Bidirectional", {"layer": {"class_name": "LSTM"}}, weights)``.
    estimator : RNNClassifier or RNNRegressor, optional
        The result is a clone with the sizes and the cell of the weights; `pooling`, `return_sequences` and
        `out_activation` are those of the model. None: one without units. Where it is fitted the result is a copy with
        these weights, which are for X and y as they are.
    classes, multilabel, X_units, y_units
        As in `from_torch`.

    Returns
    -------
    net : RNNClassifier or RNNRegressor
        Fitted, with no epoch of training so far.

    Raises
    ------
    ValueError, TypeError
        When the source has something else, or arguments do not fit, naming the layer.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.convert import from_keras
    >>> rng = np.random.default_rng(0)
    >>> of_lstm, of_dense = [(2, 12), (3, 12), (12,)], [(3, 1), (1,)]
    >>> layers = [("LSTM", [rng.normal(size=shape) for shape in of_lstm]),
    ...           ("Dense", {"activation": "sigmoid"}, [rng.normal(size=shape) for shape in of_dense])]
    >>> net = from_keras(layers, classes=["down", "up"])
    >>> net.cell, net.hidden_size, net.predict_proba(np.zeros((1, 5, 2))).shape
    ('lstm', 3, (1, 2))
    """
    check_parameters({"multilabel": ["boolean"]}, {"multilabel": multilabel}, "from_keras")
    layers = [_read(layer, i) for i, layer in enumerate(getattr(source, "layers", source))]
    weights, activation = _weights([layer for layer in layers if layer.kind not in PASSED])
    of_labels = classes is not None or multilabel or isinstance(estimator, RNNClassifier)
    _check_activation(activation, len(weights.head[1]), of_labels, multilabel)
    if not of_labels:
        weights.settings["out_activation"] = ACTIVATIONS[activation]
    return estimator_with(
        weights, estimator, classes=classes, multilabel=multilabel, X_units=X_units, y_units=y_units
    )


def _read(layer, number):
    """A layer of Keras, as an object or a tuple."""
    if hasattr(layer, "get_weights"):
        kind, config, weights = type(layer).__name__, layer.get_config(), layer.get_weights()
    elif isinstance(layer, tuple) and len(layer) in (2, 3) and isinstance(layer[0], str):
        kind, config, weights = layer[0], layer[1] if len(layer) == 3 else {}, layer[-1]
    else:
        raise TypeError(
            f"layer {number} of source is {shown(layer)}, expected a layer of Keras, or a tuple of its class, its "
            "config (or without it) and its weights"
        )
    where = f"layer {number} of source, {kind},"
    return Layer(kind, config, [as_numbers(array, f"{where} weights[{i}]") for i, array in enumerate(weights)], where)


def _weights(layers):
    """What layers hold, and the activation of the head."""
    left = list(layers)
    E = _shaped(left.pop(0), [2], 1)[0] if left and left[0].kind == "Embedding" else None
    recurrent = []
    while left and (left[0].kind in CELLS or left[0].kind == "Bidirectional"):
        recurrent.append(left.pop(0))
    pooling = POOLINGS[left.pop(0).kind] if left and left[0].kind in POOLINGS else None
    head = left.pop(0) if left else None
    if head is not None and head.kind == "TimeDistributed":
        head = _inner(head)
    if not recurrent or head is None or head.kind != "Dense" or left:
        kinds = ", ".join(layer.kind for layer in layers)
        raise ValueError(
            f"source has the layers {kinds}: expected LSTM, GRU or SimpleRNN, perhaps Bidirectional, then one Dense "
            "layer; an Embedding may come before them, GlobalAveragePooling1D or GlobalMaxPooling1D between"
        )
    cell, settings, per_step, directions = _recurrent(recurrent)
    if pooling is not None and not per_step:
        raise ValueError(f"{recurrent[-1].where} has return_sequences=False, and steps are pooled after it")
    settings |= {"return_sequences": per_step and pooling is None, "pooling": pooling or "last"}
    V, *c = _shaped(head, [2, 1], 1)
    c = c[0] if c else np.zeros(V.shape[1], V.dtype)
    return Weights(cell, directions, (V, c), E, settings), head.config.get("activation") or "linear"


def _recurrent(layers):
    """The cell, its form, whether the last layer returns all steps, and the weights of each layer."""
    found, per_step = [], None
    for layer in layers:
        if per_step is False:
            raise ValueError(f"{layer.where} reads a layer with return_sequences=False: expected all of its steps")
        two = layer.kind == "Bidirectional"
        one = _inner(layer) if two else layer
        if two and layer.config.get("merge_mode", "concat") != "concat":
            raise ValueError(f"{layer.where} has merge_mode={layer.config['merge_mode']!r}, expected 'concat'")
        if one.kind not in CELLS:
            raise ValueError(f"{layer.where} has a {one.kind}, expected one of {', '.join(CELLS)}")
        n = len(one.weights) // 2 if two else len(one.weights)
        parts = [one._replace(weights=one.weights[:n]), *[one._replace(weights=one.weights[n:])] * two]
        found.append((CELLS[one.kind][0], _form(one), [_direction(part) for part in parts]))
        per_step = bool(one.config.get("return_sequences", False))
    cell, form, _ = found[0]
    if any((other, of_other) != (cell, form) for other, of_other, _ in found):
        raise ValueError(f"source has layers of several cells or forms, {shown([each[:2] for each in found])}")
    directions = [each[2] for each in found]
    check_layers(directions, "source")
    return cell, dict(form), per_step, directions


def _inner(layer):
    """The layer within a Bidirectional or TimeDistributed one, with the weights of both directions."""
    inner = layer.config.get("layer")
    if not isinstance(inner, dict) or "class_name" not in inner:
        raise ValueError(f"{layer.where} has no layer in its config, expected {{'layer': {{'class_name': ...}}}}")
    return layer._replace(kind=inner["class_name"], config=inner.get("config", {}))


def _form(layer):
    """The parameters of our cell that say which form of it a layer has; a ValueError for what it has not."""
    for name, expected in (("recurrent_activation", "sigmoid"), ("go_backwards", False)):
        value = layer.config.get(name, expected)
        if value != expected:
            raise ValueError(f"{layer.where} has {name}={value!r}, expected {expected!r}")
    activation = layer.config.get("activation", "tanh")
    if layer.kind == "SimpleRNN":
        if activation not in ACTIVATIONS:
            raise ValueError(f"{layer.where} has activation={activation!r}, expected one of {', '.join(ACTIVATIONS)}")
        return {"activation": ACTIVATIONS[activation]}
    if activation != "tanh":
        raise ValueError(f"{layer.where} has activation={activation!r}, expected 'tanh'")
    return {"reset_after": bool(layer.config.get("reset_after", True))} if layer.kind == "GRU" else {}


def _direction(layer):
    """The weights of one direction, with the gates in our order."""
    _, order = CELLS[layer.kind]
    n_biases = 2 if _form(layer).get("reset_after") else 1
    W, U, *b = _shaped(layer, [2, 2, n_biases], 2)
    K = len(U)
    b = np.atleast_2d(b[0]) if b else np.zeros((n_biases, len(order) * K), W.dtype)
    if U.shape[1] != len(order) * K or W.shape[1] != U.shape[1] or b.shape != (n_biases, U.shape[1]):
        raise ValueError(
            f"{layer.where} has weights of the shapes {[array.shape for array in layer.weights]}, expected (D, "
            f"{len(order)}K), (K, {len(order)}K) and biases of {len(order)}K units, in {n_biases} row(s)"
        )
    return Direction(*(part.reshape(-1, len(order), K)[:, order].reshape(part.shape) for part in (W, U, b)))


def _shaped(layer, dimensions, n_least):
    """The weights of a layer, at least so many arrays with these numbers of dimensions."""
    weights = layer.weights
    found = [array.ndim for array in weights]
    if not n_least <= len(found) <= len(dimensions) or found != dimensions[: len(found)]:
        raise ValueError(
            f"{layer.where} has weights of the shapes {[array.shape for array in weights]}, expected arrays of "
            f"{dimensions} dimensions"
        )
    return weights


def _check_activation(activation, n_outputs, of_labels, multilabel):
    """Raise a ValueError where the activation of the head is not that of predictions."""
    if not of_labels:
        if activation not in ("linear", "sigmoid"):
            raise ValueError(
                f"the Dense layer has activation={activation!r}, expected 'linear' or 'sigmoid'; for a classifier pass "
                "classes"
            )
        return
    expected = ("linear", "sigmoid") if multilabel or n_outputs == 1 else ("linear", "softmax")
    if activation not in expected:
        hint = "; for labels of which each is by itself pass multilabel=True" if activation == "sigmoid" else ""
        raise ValueError(
            f"the Dense layer has activation={activation!r} and {n_outputs} outputs, expected one of "
            f"{', '.join(expected)}{hint}"
        )
