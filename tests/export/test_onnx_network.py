"""Networks as ONNX graphs, run by ONNX Runtime, against `RecurrentNetwork.forward`."""

import numpy as np
import pytest
from networks import FORMS, Case
from onnx_models import padded, run
from pairwise import pairwise

from skrnn._data.units import Units
from skrnn._network.decay import Decay
from skrnn._network.embeddings import Embedding
from skrnn._network.static import HEAD, INITIAL_STATE, StaticInputs
from skrnn.export._onnx import network as onnx_network
from skrnn.export._onnx.cells import STEPS
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.steps import Steps
from skrnn.kernels import CELLS

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)
# hidden_size, bidirectional, per step, pooling
ARRANGEMENTS = [
    ((5,), False, False, "last"), ((4, 3), False, False, "last"), ((4, 3), True, False, "last"),
    ((5,), False, True, "last"), ((4, 3), True, True, "last"), ((5,), True, False, "mean"), ((4, 3), False, False, "max"),
    ((3, 4), True, False, "last_mean_max"),
]
TABLES = (Embedding("ward", 4, 2), Embedding("color", 3, 1))
UNITS = (np.array([1.0, -2.0, 0.5]), np.array([2.0, 0.5, 3.0]))


def model_of(case, opset=DEFAULT_OPSET, states=False):
    """A model of the network of a case: its inputs are those of `Steps`, and the states with `states`."""
    net, g = case.net, Graph(opset)
    steps = Steps(
        g.input("values", np.float32, ("n", "steps", net.n_inputs)), g.input("lengths", np.int64, ("n",)),
        g.input("static", np.float32, ("n", net.static.n_columns)) if net.static else None,
    )
    initial = g.input("initial", np.float32, ("n", net.state_width)) if states else None
    scores, final = onnx_network.scores(g, net, case.parameters, steps, initial)
    g.output("scores", scores, np.float32, ("n", "steps", net.n_outputs) if net.per_step else ("n", net.n_outputs))
    g.output("final", final, np.float32, ("n", net.state_width))
    return g.model()


def assert_same(case, opset=DEFAULT_OPSET, states=False):
    """Scores and final states of ragged sequences, with NaN after their ends and steps that none of them has."""
    lengths, n_steps = case.sequences.lengths, max(case.sequences.lengths) + 2
    inputs = {"values": padded(case.X, lengths, n_steps), "lengths": lengths}
    if case.net.static is not None:
        inputs["static"] = case.sequences.static
    if states:
        inputs["initial"] = case.initial
    out = run(model_of(case, opset, states), **inputs)
    final = np.empty_like(case.initial)
    expected = case.net.forward(case.theta, case.sequences, case.index, case.initial if states else None, final)
    scores = out["scores"]
    if case.net.per_step:
        scores = np.concatenate([rows[:length] for rows, length in zip(scores, lengths, strict=True)])
    assert_close(scores, expected)
    assert_close(out["final"], final)


def assert_close(actual, expected):
    assert actual.dtype == np.float32
    assert actual.shape == expected.shape
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=1e-5, atol=1e-5 * np.abs(expected[finite]).max())


def test_every_cell_has_a_step():
    assert set(STEPS) == set(CELLS)


@pytest.mark.parametrize(("form", "arrangement", "states", "opset"), pairwise(FORMS, ARRANGEMENTS, (False, True), OPSETS))
def test_cells_and_arrangements(form, arrangement, states, opset):
    hidden_size, bidirectional, per_step, pooling = arrangement
    assert_same(Case(form, hidden_size, bidirectional, per_step, pooling=pooling), opset, states)
