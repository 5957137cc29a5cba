"""Units of X and y within the first layer and the head, so that a net reads X and gives y as the user has them."""

import numpy as np

from skrnn._data.reading import Reading
from skrnn._estimators.number_targets import NumberTargets
from skrnn.exceptions import ExportError


def folded(parameters, net):
    """Parameters of a fitted net without units: (x − m) / s W + b = x (W / s) + (b − m (W / s)), and so on.

    Raise an ExportError where the units of y cannot be in a linear head.
    """
    X, y = _units(net)
    if X is not None:
        for W, b in _first_layer(net):
            scaled = parameters[W] / X.scale[:, None]
            parameters = parameters | {W: scaled, b: _shifted(parameters[b], -X.center @ scaled)}
    if y is not None:
        center, scale = y
        V, c = parameters["head.V"], parameters["head.c"]
        V, c = (V, c + np.log(scale)) if _is_exponential(net) else (V * scale, c * scale + center)
        parameters = parameters | {"head.V": V, "head.c": c}
    return parameters


def unfolded(parameters, net):
    """Parameters in the units of a fitted net: the inverse of `folded`."""
    X, y = _units(net)
    if X is not None:
        for W, b in _first_layer(net):
            shift = X.center @ parameters[W]
            parameters = parameters | {W: parameters[W] * X.scale[:, None], b: _shifted(parameters[b], shift)}
    if y is not None:
        center, scale = y
        V, c = parameters["head.V"], parameters["head.c"]
        V, c = (V, c - np.log(scale)) if _is_exponential(net) else (V / scale, (c - center) / scale)
        parameters = parameters | {"head.V": V, "head.c": c}
    return parameters


def _units(net):
    """The units of X, and those of y, each None where there is nothing to do."""
    model, reading, targets = net._get_fitted()
    of_X = reading.network_units if isinstance(reading, Reading) else None
    if not isinstance(targets, NumberTargets) or targets.scale is None:
        return of_X, None
    center, scale = targets.center, targets.scale
    if (center == 0).all() and (scale == 1).all():
        return of_X, None
    if model.loss.width > 1:
        raise ExportError(
            f"loss={model.loss.name!r} has several scores for each target, whose units a linear head cannot have: fit "
            "with standardize=False, and y in the units that the head has"
        )
    return of_X, (center, scale)


def _is_exponential(net):
    """Whether predictions are the exponentials of scores, whose center is then 0: exp(score) s = exp(score + log s)."""
    return net._get_fitted().model.exponential


def _first_layer(net):
    """The names of W and b of each direction of the first layer."""
    return [(f"{name}.W", f"{name}.b") for name in net._get_fitted().model.network.layers[0].directions]


def _shifted(b, shift):
    """Biases (biases, G·K) with a shift (G·K,) of the first row, that of the inputs."""
    b = b.astype(shift.dtype)
    b[0] += shift
    return b
