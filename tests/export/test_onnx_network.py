"""Networks as ONNX graphs, run by ONNX Runtime, against `RecurrentNetwork.forward`."""

import numpy as np
import pytest
from networks import FORMS, Case
from onnx_models import padded, run
from pairwise import pairwise
from sklearn.utils import check_random_state

from skrnn._data.sequences import Sequences
from skrnn._data.units import Units
from skrnn._network.decay import Decay
from skrnn._network.embeddings import Embedding
from skrnn._network.network import RecurrentNetwork
from skrnn._network.static import HEAD, INITIAL_STATE, StaticInputs
from skrnn.exceptions import ExportError
from skrnn.export._onnx import network as onnx_network
from skrnn.export._onnx.cells import STEPS
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.steps import Steps
from skrnn.kernels import CELLS

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)
# hidden_size, bidirectional, per step, pooling
ARRANGEMENTS = [
    ((5,), False, False, "last"), ((4, 3), False, False, "last"), ((4, 3), True, False, "last"),
    ((5,), False, True, "last"), ((4, 3), True, True, "last"), ((5,), True, False, "mean"),
    ((4, 3), False, False, "max"), ((3, 4), True, False, "last_mean_max"),
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


@pytest.mark.parametrize(
    ("form", "arrangement", "states", "opset"), pairwise(FORMS, ARRANGEMENTS, (False, True), OPSETS)
)
def test_cells_and_arrangements(form, arrangement, states, opset):
    hidden_size, bidirectional, per_step, pooling = arrangement
    assert_same(Case(form, hidden_size, bidirectional, per_step, pooling=pooling), opset, states)


@pytest.mark.parametrize(("form", "arrangement", "patch", "opset"), pairwise(
    [("lstm", "tanh", True), ("mgu", "tanh", True)],
    [arrangement for arrangement in ARRANGEMENTS if not arrangement[2]], [(1, 1), (2, 1), (3, 2), (4, 4)], OPSETS,
))
def test_patches(form, arrangement, patch, opset):
    hidden_size, bidirectional, per_step, pooling = arrangement
    assert_same(Case(
        form, hidden_size, bidirectional, per_step, (2, 5, 1, 4, 9), pooling=pooling, patch=patch, units=UNITS
    ), opset)


@pytest.mark.parametrize(("form", "n_inputs", "options"), [
    (("gru", "tanh", True), 5, {"embeddings": TABLES}),
    (("skip_lstm", "tanh", True), 2, {"embeddings": TABLES, "bidirectional": True, "per_step": True}),
    (("lstm", "tanh", True), 5, {"embeddings": TABLES, "units": tuple(np.append(u, [0, 0]) for u in UNITS)}),
    (("lstm", "tanh", True), 5, {"embeddings": TABLES, "patch": (3, 2), "lengths": (2, 5, 1, 6)}),
    (("lstm", "tanh", True), 3, {"units": UNITS}),
])
@pytest.mark.parametrize("opset", OPSETS)
def test_embeddings_and_units(form, n_inputs, options, opset):
    case = Case(form, n_inputs=n_inputs, **options)
    if case.net.embeddings:
        assert (case.X[:, -2:].max(axis=0) == [3, 2]).all()     # also the row of what fit did not see
    assert_same(case, opset)


@pytest.mark.parametrize(("to", "tables", "n_numbers", "arrangement", "states", "opset"), pairwise(
    [(HEAD,), (INITIAL_STATE,), (HEAD, INITIAL_STATE)], [TABLES, ()], [2, 0], ARRANGEMENTS, (False, True), OPSETS,
))
def test_static_features(to, tables, n_numbers, arrangement, states, opset):
    hidden_size, bidirectional, per_step, pooling = arrangement
    if not n_numbers:
        tables = TABLES
    units = Units(np.array([0.5, -1.0]), np.array([2.0, 0.3])) if n_numbers else None
    static = StaticInputs(n_numbers, tables, units, to)
    assert_same(
        Case(("lstm", "tanh", True), hidden_size, bidirectional, per_step, pooling=pooling, static=static), opset,
        states,
    )


@pytest.mark.parametrize(("form", "bidirectional", "per_step", "tables", "states", "opset"), pairwise(
    FORMS, (False, True), (False, True), ((), TABLES), (False, True), OPSETS
))
def test_decay(form, bidirectional, per_step, tables, states, opset):
    # numbers: two features, one that does not decay, two indicators; δ of each direction; codes
    n_numbers, n_times = 5, 2 * (1 + bidirectional)
    n_inputs = n_numbers + n_times + len(tables)
    units = np.zeros(n_inputs), np.ones(n_inputs)
    units[0][:3], units[1][:3] = UNITS
    assert_same(Case(
        form, (4, 3), bidirectional, per_step, n_inputs=n_inputs, decay=Decay(2, 3), embeddings=tables, units=units
    ), opset, states)


def test_steps_that_are_categories():
    rng, lengths = np.random.default_rng(0), np.array([2, 5, 1, 4], np.intp)
    net = RecurrentNetwork(3, (4,), 2, "gru", "tanh", True, False, True, n_categories=6)
    theta, codes = net.initialize(check_random_state(0), np.float64), rng.integers(6, size=lengths.sum())
    g = Graph(DEFAULT_OPSET)
    steps = Steps(
        None, g.input("lengths", np.int64, ("n",)), categories=g.input("codes", np.int64, ("n", "steps"))
    )
    scores, _ = onnx_network.scores(g, net, net.layout.views(theta), steps)
    g.output("scores", scores, np.float32, ("n", "steps", 2))
    out = run(g.model(), codes=padded(codes, lengths, 6, fill=-99), lengths=lengths)["scores"]
    sequences = Sequences(np.empty((len(codes), 0)), lengths, "ragged", categories=codes)
    expected = net.forward(theta, sequences, np.arange(len(lengths)))
    assert_close(np.concatenate([rows[:n] for rows, n in zip(out, lengths, strict=True)]), expected)


def test_what_float32_cannot_hold_is_an_error():
    case = Case(("lstm", "tanh", True), units=(UNITS[0], np.array([1, 1e-50, 1])))
    with pytest.raises(ExportError, match=r"1 / scale of features\[1\] is 1e\+50.*float32"):
        model_of(case)
    case = Case(("lstm", "tanh", True))
    case.parameters["layer0.U"][1, 2] = -1e40
    with pytest.raises(ExportError, match=r"layer0.U\[1, 2\] is -1e\+40.*float32"):
        model_of(case)


def test_a_cell_without_a_step_is_named(monkeypatch):
    monkeypatch.delitem(STEPS, "skip_lstm")
    with pytest.raises(ExportError, match="cell='skip_lstm' cannot be exported to ONNX"):
        model_of(Case(("skip_lstm", "tanh", True)))
