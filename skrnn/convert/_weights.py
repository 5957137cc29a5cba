"""Weights of other libraries under the names and in the shapes of skrnn, and estimators that are filled with them."""

from copy import copy
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from skrnn._data.numbers import is_sized
from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.label_targets import announced_classes
from skrnn._estimators.regressor import RNNRegressor
from skrnn._messages import shown
from skrnn.convert._units import unfolded


class Direction(NamedTuple):
    """One direction of a recurrent layer."""

    W: np.ndarray       # (D, G·K)
    U: np.ndarray       # (K, G·K)
    b: np.ndarray       # (biases, G·K)


class Weights(NamedTuple):
    """A net: recurrent layers of one cell under a linear head, perhaps on embedded categories."""

    cell: str
    layers: list        # from the input upwards, of each its one or two `Direction`
    head: tuple         # V (features, outputs) and c (outputs,)
    E: np.ndarray | None            # (categories, D), without a row for categories that were not seen
    settings: dict                  # the estimator's parameters that the source decides besides

    @property
    def structure(self):
        """The parameters of an estimator with such a net."""
        sizes = tuple(len(layer[0].U) for layer in self.layers)
        embedding = {} if self.E is None else {"embedding_dim": self.E.shape[1]}
        return {
            "cell": self.cell, "hidden_size": sizes if len(sizes) > 1 else sizes[0],
            "bidirectional": len(self.layers[0]) == 2, **embedding, **self.settings,
        }

    @property
    def parameters(self):
        """The arrays by the names of ``parameters_``."""
        named = {}
        for depth, layer in enumerate(self.layers):
            for direction, reverse in zip(layer, ("", ".reverse"), strict=False):
                named |= {f"layer{depth}{reverse}.{kind}": part for kind, part in direction._asdict().items()}
        named |= dict(zip(("head.V", "head.c"), self.head, strict=True))
        if self.E is not None:
            named["embedding.E"] = np.concatenate([self.E, np.zeros_like(self.E[:1])])
        return named


def check_layers(layers, name):
    """Raise a ValueError unless layers read each other's outputs, all in as many directions; `name` is of messages."""
    n_directions, width = len(layers[0]), None
    for depth, layer in enumerate(layers):
        if len(layer) != n_directions:
            raise ValueError(f"{name} has layers of one direction and of both: an estimator has one kind")
        for direction in layer:
            if width is not None and len(direction.W) != width:
                raise ValueError(
                    f"layer {depth} of {name} reads {len(direction.W)} inputs, but the one below has {width} outputs"
                )
        width = sum(len(direction.U) for direction in layer)


def estimator_with(weights, estimator, *, classes, multilabel, X_units, y_units):
    """A net with these weights; see `from_torch` for the arguments."""
    of_labels = classes is not None or multilabel
    if estimator is None:
        with_units = X_units is not None or y_units is not None
        estimator = (RNNClassifier if of_labels else RNNRegressor)(pooling="last", standardize=with_units)
    if not isinstance(estimator, RNNClassifier | RNNRegressor):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}, expected an RNNClassifier or RNNRegressor; others are filled "
            "by their set_parameters"
        )
    if of_labels and not isinstance(estimator, RNNClassifier):
        raise TypeError(f"classes and multilabel are for an RNNClassifier, but estimator is {type(estimator).__name__}")
    if y_units is not None and not isinstance(estimator, RNNRegressor):
        raise TypeError(f"y_units are for an RNNRegressor, but estimator is {type(estimator).__name__}")
    known = {"X_units": X_units}
    known |= {"y_units": y_units} if isinstance(estimator, RNNRegressor) else {
        "classes": classes, "multilabel": multilabel
    }
    if estimator.__sklearn_is_fitted__():
        return _refilled(weights, estimator, known)
    net = clone(estimator).set_params(**weights.structure)
    _check_head(weights, net)
    if classes is not None:
        weights, known["classes"] = _with_sorted_classes(weights, classes, net.return_sequences)
    return net.set_parameters(weights.parameters, **known)


def _refilled(weights, estimator, known):
    """A copy of a fitted net with these weights, which read X and give y in the units of the user."""
    for name, value in weights.structure.items():
        has = getattr(estimator, name)
        if np.atleast_1d(has).tolist() != np.atleast_1d(value).tolist():
            raise ValueError(f"the estimator has {name}={shown(has)}, but the weights are of {name}={shown(value)}")
    _check_head(weights, estimator)
    net = copy(estimator)
    if isinstance(net, RNNClassifier) and not getattr(net._get_fitted().targets, "multilabel", False):
        weights, _ = _with_sorted_classes(weights, net.classes_, net.return_sequences)
    parameters = weights.parameters
    if weights.E is not None:
        E = net.parameters_["embedding.E"]      # of which the last row is that of categories that were not seen
        parameters["embedding.E"] = np.concatenate([weights.E, E[len(weights.E) :]])
    # What is given besides is refused before anything of the fit is changed
    known = {name: value or None if name == "multilabel" else value for name, value in known.items()}
    return net.set_parameters(unfolded(parameters, net), **known)


def _check_head(weights, net):
    """Raise a ValueError unless the head reads what the estimator gives it."""
    n = sum(len(direction.U) for direction in weights.layers[-1])
    n_parts = 1 if net.return_sequences else len(net.pooling.split("_"))
    if len(weights.head[0]) != n * n_parts:
        raise ValueError(
            f"the head reads {len(weights.head[0])} numbers, but the top layer has {n} outputs, of which "
            f"pooling={net.pooling!r} gives it {n * n_parts}: pass an estimator with the pooling of the net"
        )


def _with_sorted_classes(weights, classes, per_step):
    """Weights with a head whose outputs are in the order of sorted classes, and these.

    Two outputs for two classes become one, the difference: their softmax is the logistic function of it.
    """
    several = is_sized(classes) and len(classes) > 0 and all(is_sized(each) for each in classes)
    given = [np.asarray(each).tolist() for each in (classes if several else [classes])]
    known = announced_classes(classes, per_step)
    known = known if isinstance(known, list) else [known]
    V, c = weights.head
    for labels, found in zip(given, known, strict=True):
        if sorted(labels) != found.tolist():
            raise ValueError(f"classes={shown(labels)}: expected each label once, in the order of the outputs")
    full = sum(map(len, given)) == len(c)
    widths = [len(labels) if full or len(labels) > 2 else 1 for labels in given]
    if sum(widths) != len(c):
        raise ValueError(
            f"classes={shown(classes)}: expected {len(c)} labels, one for each output of the head; for one output two"
        )
    columns, first = [], 0
    for labels, found, width in zip(given, known, widths, strict=True):
        block = np.vstack([V[:, first : first + width], c[first : first + width]])
        first += width
        if width == 1:
            columns.append(block if labels == found.tolist() else -block)
            continue
        block = block[:, [labels.index(label) for label in found.tolist()]]
        columns.append(block[:, 1:] - block[:, :1] if len(found) == 2 else block)
    head = np.ascontiguousarray(np.hstack(columns))
    return weights._replace(head=(head[:-1], head[-1])), known if several else known[0]
