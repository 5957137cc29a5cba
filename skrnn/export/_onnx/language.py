"""A language model in ONNX: the probabilities of the next symbol."""

import json

import numpy as np

from skrnn.export._onnx.functions import with_repeated_ends
from skrnn.export._onnx.network import scores
from skrnn.export._onnx.reading import Inputs, all_where_zero, declare_lengths
from skrnn.export._onnx.steps import Steps


def write_language_model(g, estimator, states):
    """Declare the inputs and outputs of a language model, with `states` those of one step of n texts."""
    model = estimator._get_fitted().model
    network, V = model.network, model.network.n_outputs
    if states:
        ids = g.input("ids", np.int64, ("n",))
        state = g.input("state", np.float32, ("n", network.state_width))
        n = g.shape(ids, 0)
        begun = g.where(g.op("IsNaN", state), 0.0, state)
        steps = Steps(None, g.op("Expand", 1, n), categories=g.unsqueeze(ids, 1))
        of_symbols, after = scores(g, network, model.parameters, steps, begun)
        g.output("probabilities", _softmax(g, g.squeeze(of_symbols, 1)), np.float32, ("n", V))
        g.output("state_out", after, np.float32, ("n", network.state_width))
    else:
        ids = g.input("ids", np.int64, ("n", "steps"))
        lengths = all_where_zero(g, Inputs(declare_lengths(g), ids=ids))
        of_symbols, _ = scores(g, network, model.parameters, Steps(None, lengths, categories=ids))
        probabilities = with_repeated_ends(g, _softmax(g, of_symbols), lengths)
        g.output("probabilities", probabilities, np.float32, ("n", "steps", V))


def _softmax(g, of_symbols):
    return g.op("Softmax", of_symbols, axis=-1)


def symbols_of(estimator):
    """The symbols in the order of their ids as JSON; None where some are neither strings nor numbers."""
    symbols = [each.item() if isinstance(each, np.generic) else each for each in estimator.symbols_]
    plain = all(isinstance(symbol, str | int | float) for symbol in symbols)
    return json.dumps(symbols) if plain else None
