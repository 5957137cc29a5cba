"""PyTorch's LSTM, GRU and RNN with a linear head."""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from skrnn._data.numbers import as_numbers, is_positive_int
from skrnn._data.reading import Reading
from skrnn._messages import kind_of, shown
from skrnn._parameters import check_parameters
from skrnn.convert._units import folded
from skrnn.convert._weights import Direction, Weights, check_layers, estimator_with
from skrnn.exceptions import ExportError

# nn.LSTM and so on number their layers, nn.LSTMCell and so on have one
RECURRENT = re.compile(
    r"(?P<module>(?:.*\.)?)(?P<kind>weight|bias)_(?P<of>ih|hh)(?:_l(?P<layer>\d+)(?P<reverse>_reverse)?)?"
)
# By the number of gates
CELLS = {1: "rnn", 3: "gru", 4: "lstm"}
# The forms of cells that PyTorch has
FORMS = {"rnn": ({"activation": "tanh"}, {"activation": "relu"}), "gru": ({"reset_after": True},), "lstm": ({},)}


def from_torch(
    source, estimator=None, *, classes=None, multilabel=False, head=None, embedding=None, X_units=None, y_units=None
):
    """A net with the weights of a PyTorch module: recurrent layers and a linear head.

    All nn.LSTM, nn.GRU or nn.RNN of the module are stacked in their order. PyTorch need not be installed for a state
    dict of arrays. It has to be known what the head reads: an estimator with its `pooling` and `return_sequences`.

    Parameters
    ----------
    source : module, or mapping of str to tensor or array
        A module or its state dict, with nothing but these layers; of a bare nn.LSTM and an nn.Linear
        ``nn.ModuleList([lstm, linear])``.
    estimator : RNNClassifier or RNNRegressor, optional
        The result is a clone with the sizes and the cell of the weights. None: one with ``pooling="last"``, which is
        ``h_n`` of the top layer, and without units. Where it is fitted the result is a copy with these weights, which
        are for X and y as they are, as `to_torch` returns them.
    classes : array-like, or list of them, optional
        The labels in the order of the outputs of the head, for a classifier that is not fitted. Of two outputs for two
        classes the net has the difference, with the same probabilities.
    multilabel : bool, default=False
        Whether each output is a label of its own, by its logistic function.
    head : str, optional
        The name of the linear layer, needed if there is another one.
    embedding : str, optional
        The name of an nn.Embedding before the layers. The steps of X are then categories; those that it does not have
        are embedded as zeros. None: "embedding", as in `to_torch`, for an estimator with an int as `embedding_dim`, if
        there is one.
    X_units, y_units : pair of array-likes, optional
        The mean and scale with which X, and y of a regressor, were standardized for the net; with
        ``standardize=True`` of a given estimator.

    Returns
    -------
    net : RNNClassifier or RNNRegressor
        Fitted, with no epoch of training so far.

    Raises
    ------
    ValueError, TypeError
        When the source has something else, or arguments do not fit, naming it.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.convert import from_torch
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"lstm.weight_ih_l0": (12, 2), "lstm.weight_hh_l0": (12, 3), "lstm.bias_ih_l0": (12,),
    ...           "lstm.bias_hh_l0": (12,), "fc.weight": (2, 3), "fc.bias": (2,)}
    >>> state = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    >>> net = from_torch(state, classes=["down", "up"])
    >>> net.cell, net.hidden_size, net.predict(np.zeros((1, 5, 2))).shape
    ('lstm', 3, (1,))
    """
    check_parameters({"multilabel": ["boolean"]}, {"multilabel": multilabel}, "from_torch")
    state = _arrays(source)
    if embedding is None and is_positive_int(getattr(estimator, "embedding_dim", None)) and "embedding.weight" in state:
        embedding = "embedding"
    weights = _weights(state, head, embedding)
    if weights.cell == "rnn":
        weights.settings["activation"] = _activation(source, estimator)
    return estimator_with(
        weights, estimator, classes=classes, multilabel=multilabel, X_units=X_units, y_units=y_units
    )


def _arrays(source):
    """The state dict of a module, as it is or already one, as arrays by name."""
    state = source.state_dict() if hasattr(source, "state_dict") else source
    if not isinstance(state, Mapping):
        raise TypeError(f"source is a {type(source).__name__}, expected a PyTorch module or its state dict")
    return {name: _array(name, values) for name, values in state.items()}


def _array(name, values):
    """A tensor or array as float32 or float64."""
    if isinstance(values, Mapping):
        raise TypeError(
            f"source[{name!r}] is a {type(values).__name__}, expected a tensor: of a checkpoint pass the state dict in "
            "it"
        )
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() and values.element_size() < 4 else values).numpy()
    return as_numbers(values, name)


def _activation(source, estimator):
    """The activation of nn.RNN, which a state dict does not say: the estimator does."""
    modules = source.modules() if hasattr(source, "modules") else ()
    found = {module.nonlinearity for module in modules if hasattr(module, "nonlinearity")}
    if len(found) > 1:
        raise ValueError(f"source has nn.RNN with different nonlinearities, {sorted(found)}: an estimator has one")
    return found.pop() if found else "tanh" if estimator is None else estimator.activation


def _weights(state, head, embedding):
    """What a state dict holds."""
    places, others = {}, dict(state)
    for name in state:
        match = RECURRENT.fullmatch(name)
        if match:
            key = match["module"], int(match["layer"] or 0)
            of_direction = places.setdefault(key, {}).setdefault(bool(match["reverse"]), {})
            of_direction[f"{match['kind']}_{match['of']}"] = others.pop(name)
        if name.rpartition(".")[2].startswith("weight_hr"):
            raise ValueError(f"source has {name!r}: an LSTM with proj_size has no counterpart here")
    if not places:
        raise ValueError(f"source has no weights of nn.LSTM, nn.GRU or nn.RNN, but {shown(list(state))}")
    modules = list(dict.fromkeys(module for module, _ in places))
    order = sorted(places, key=lambda key: (modules.index(key[0]), key[1]))
    cells, layers = set(), []
    for key in order:
        where = f"{key[0]}layer {key[1]}"
        found = [_direction(places[key][reverse], where) for reverse in sorted(places[key])]
        cells |= {cell for cell, _ in found}
        layers.append([direction for _, direction in found])
    if len(cells) > 1:
        raise ValueError(f"source has the cells {sorted(cells)}, expected one in all layers")
    check_layers(layers, "source")
    E = None if embedding is None else _taken(others, f"{embedding}.weight", "embedding")
    V, c = _head(others, head)
    if others:
        raise ValueError(
            f"source has {', '.join(map(repr, others))}, neither of the recurrent layers nor of a linear head: "
            "an estimator has no other layers (name an nn.Embedding by embedding)"
        )
    cell = cells.pop()
    return Weights(cell, layers, (V, c), E, dict(FORMS[cell][0]))


def _direction(arrays, where):
    """The cell, and its weights in one direction of a layer."""
    for kind in ("weight_ih", "weight_hh"):
        if kind not in arrays or arrays[kind].ndim != 2:
            raise ValueError(f"{where} of source lacks {kind}, an array of two dimensions")
    W, U = arrays["weight_ih"].T, arrays["weight_hh"].T
    n_gates, rest = divmod(U.shape[1], len(U))
    b = [arrays.get(f"bias_{of}", np.zeros(U.shape[1], U.dtype)) for of in ("ih", "hh")]
    width = U.shape[1:]
    if rest or n_gates not in CELLS or W.shape[1:] != width or any(bias.shape != width for bias in b):
        shapes = {name: values.shape for name, values in arrays.items()}
        raise ValueError(f"{where} of source has the shapes {shapes}, expected those of nn.LSTM, nn.GRU or nn.RNN")
    cell = CELLS[n_gates]
    return cell, Direction(W, U, np.stack(b) if cell == "gru" else np.atleast_2d(b[0] + b[1]))


def _head(others, head):
    """V (features, outputs) and c of the linear head, which are taken out of what is left of the state."""
    if head is None:
        found = [name for name, values in others.items() if name.rpartition(".")[2] == "weight" and values.ndim == 2]
        if len(found) != 1:
            what = (
                f"{len(found)} linear layers, {shown(found)}: say which one is the head, or name an nn.Embedding by "
                "embedding"
            ) if found else (
                "no linear head, whose outputs are what a net predicts: of an nn.LSTM and an nn.Linear pass "
                "nn.ModuleList([lstm, linear])"
            )
            raise ValueError(f"source has {what}")
        head = found[0].rpartition(".")[0]
    prefix = f"{head}." if head else ""
    V = _taken(others, f"{prefix}weight", "head").T
    c = others.pop(f"{prefix}bias", np.zeros(V.shape[1], V.dtype))
    if c.shape != V.shape[1:]:
        raise ValueError(f"{prefix}bias of source has shape {c.shape}, expected {V.shape[1:]}")
    return V, c


def _taken(others, name, argument):
    """The matrix of this name, taken out of what is left of the state."""
    if name not in others or others[name].ndim != 2:
        raise ValueError(
            f"{argument}={shown(name.removesuffix('.weight'))}: source has no {name!r} of two dimensions, but "
            f"{shown(list(others))}"
        )
    return others.pop(name)


def to_torch(net, *, rnn="rnn", head="head", embedding="embedding"):
    """The weights of a fitted net as a state dict of PyTorch.

    It is for a module with the attributes ``rnn``, an nn.LSTM, nn.GRU or nn.RNN, and ``head``, an nn.Linear. The units
    of X and y are in its weights: it reads X, and a regressor gives y, as they are. What the head reads is up to
    ``forward``, see the guide on weights; of a classifier it gives log-odds.

    Parameters
    ----------
    net : RNNClassifier, RNNRegressor, RNNSurvival or RNNLanguageModel
    rnn, head, embedding : str, default="rnn", "head" and "embedding"
        The names of the modules; that of an nn.Embedding is for nets whose steps are categories.

    Returns
    -------
    state : dict of str to tensor
        In the dtype that the net computes in; of arrays where PyTorch is not installed.

    Raises
    ------
    ExportError
        When PyTorch's layers have no such form, naming the parameter.
    TypeError
        For what has no `parameters_`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.convert import to_torch
    >>> X = np.random.default_rng(0).normal(size=(30, 5, 2))
    >>> net = RNNRegressor(4, cell="lstm", pooling="last", random_state=0).fit(X, X[:, -1, 0])
    >>> sorted(to_torch(net))
    ['head.bias', 'head.weight', 'rnn.bias_hh_l0', 'rnn.bias_ih_l0', 'rnn.weight_hh_l0', 'rnn.weight_ih_l0']
    """
    state = state_arrays(net, rnn, head, embedding)
    if find_spec("torch") is None:
        return state
    torch = import_module("torch")
    return {name: torch.from_numpy(values) for name, values in state.items()}


def state_arrays(net, rnn, head, embedding):
    """What `to_torch` returns, as arrays."""
    if not hasattr(type(net), "parameters_"):
        raise TypeError(f"net is a {kind_of(net)}, expected a net that has parameters_")
    model, reading, _ = net._get_fitted()
    network = model.network
    _check_has_counterpart(net, network, reading)
    parameters, state = folded(dict(net.parameters_), net), {}
    for depth, layer in enumerate(network.layers):
        for name in layer.directions:
            suffix = f"l{depth}{'_reverse' * name.endswith('.reverse')}"
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            state[f"{rnn}.weight_ih_{suffix}"], state[f"{rnn}.weight_hh_{suffix}"] = W.T, U.T
            state[f"{rnn}.bias_ih_{suffix}"] = b[0]
            state[f"{rnn}.bias_hh_{suffix}"] = b[1] if len(b) == 2 else np.zeros_like(b[0])
    state |= {f"{head}.weight": parameters["head.V"].T, f"{head}.bias": parameters["head.c"]}
    if network.n_categories:
        state[f"{embedding}.weight"] = parameters["embedding.E"]
    return {name: np.array(values, model.dtype, order="C") for name, values in state.items()}


def _check_has_counterpart(net, network, reading):
    """Raise an ExportError that names the parameter that PyTorch's layers do not have."""
    layer = network.layers[0]
    if layer.form not in FORMS.get(layer.cell_name, ()):
        values = "".join(f" with {name}={value!r}" for name, value in layer.form.items())
        raise ExportError(f"cell={layer.cell_name!r}{values} is none of PyTorch's: expected 'lstm', 'gru' or 'rnn'")
    if len({layer.n_units for layer in network.layers}) > 1:
        raise ExportError(f"hidden_size={net.hidden_size!r}: the layers of a module of PyTorch have one size")
    if isinstance(reading, Reading):
        _check_has_plain_inputs(net, network, reading)


def _check_has_plain_inputs(net, network, reading):
    """Raise an ExportError that names what a net reads besides the features of each step."""
    size = 1 if network.patch is None else network.patch[0]
    for what, is_read in (
        (f"patch_size={net.patch_size!r}, patches of {size} steps", size > 1),
        (f"missing={net.missing!r}, indicators of what is missing", reading.n_indicators > 0),
        (f"times={net.times!r}, times between steps", reading.times is not None),
        (f"standardize={net.standardize!r}, each sequence in its own units", reading.in_own_units),
        ("static features", network.static is not None),
        ("categorical features", bool(network.embeddings)),
    ):
        if is_read:
            raise ExportError(
                f"the net reads {what}, which a module of PyTorch has no inputs for: take its parameters_, and compute "
                "these inputs where they are used"
            )
