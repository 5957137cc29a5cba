"""States after every step, and the gradient in them: against the reference, with the same bits in every arrangement."""

import numpy as np
import pytest
import reference
from networks import FORMS, Case, make_loss
from numerical import assert_gradient, central_differences
from pairwise import pairwise
from test_decay import make_case
from test_engine import step_of

from skrnn._network.embeddings import Embedding
from skrnn.kernels import kernels_for
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

# hidden_size and bidirectional
ARRANGEMENTS = [((4,), False), ((4,), True), ((3, 4), False), ((3, 2), True)]
# per_step and pooling
HEADS = [(True, "last"), (False, "last"), (False, "mean"), (False, "max"), (False, "last_mean_max")]
FEATURES = ["plain", "units", "patches", "embeddings", "decay"]
RESOURCES = {"max_bytes": 2**40, "n_threads": 1}


def case_of(form, arrangement, head, features, lengths=(2, 5, 1), dtype=np.float64):
    """A case with one kind of features."""
    (hidden_size, bidirectional), (per_step, pooling) = arrangement, head
    if form[1] == "relu" and "max" in pooling:
        pooling = "mean"        # outputs of 0 are all maxima
    options = {"lengths": lengths, "pooling": pooling, "dtype": dtype}
    if features == "decay":
        return make_case(form, (2, 2, 4), hidden_size, bidirectional, per_step, **options)
    if features == "units":
        options["units"] = (np.array([1.0, 2.0, 0.0]), np.array([2.0, 0.5, 1.0]))
    if features == "patches":
        options["patch"], per_step = (3, 2), False
    if features == "embeddings":
        options["embeddings"] = (Embedding("a", 4, 2),)
    return Case(form, hidden_size, bidirectional, per_step, **options)


def states_of(case, i, added=None):
    """Scores, final states and pool by the reference, and its states after every step of sequence i, (T, n_states)."""
    cell, activation, reset_after = case.form
    net, X, trace = case.net, case.X[case.steps(i)], []
    if net.units is not None:
        X = (X - net.units[0]) / net.units[1]
    if net.patch is not None:
        X = reference.patches(X, *net.patch)
    X = reference.embedded(X, [case.parameters[table] for table in net.tables])
    results = reference.network(
        case.parameters, X, case.states(case.initial, i), cell, len(net.layers), net.bidirectional, net.per_step,
        net.pooling, case.pool(case.initial, i), decay=net.decay, added=added, trace=trace, activation=activation,
        reset_after=reset_after,
    )
    T = len(X)
    return results, np.concatenate([states.reshape(T, -1) for layer in trace for states in layer], axis=1)


def rows_of_states(case):
    """For each sequence the rows of its steps or patches among those of all."""
    ends = np.cumsum(case.net.n_patches(case.sequences.lengths))
    return np.split(np.arange(ends[-1]), ends[:-1])


def trace_of(case):
    trace = np.full((len(case.X), case.net.n_states), 7, case.theta.dtype)
    scores = case.net.forward(case.theta, case.sequences, case.index, case.initial, trace=trace)
    return case.net.states_of_steps(case.sequences, case.index, trace), scores


def dstates_of(case, index=None, **options):
    index = case.index if index is None else index
    rows = np.concatenate([np.r_[case.steps(i)] for i in index]) if case.net.per_step else index
    return case.net.backward(
        case.theta, case.sequences, index, case.dscores[rows], case.dfinal[index], case.initial[index],
        need_dstates=True, **options,
    ).states


@pytest.mark.parametrize(
    ("form", "arrangement", "head", "features"), pairwise(FORMS, ARRANGEMENTS, HEADS, FEATURES), ids=str
)
class TestEveryArrangement:
    def test_states_equal_the_reference(self, form, arrangement, head, features):
        case = case_of(form, arrangement, head, features)
        trace, scores = trace_of(case)
        for i, rows in enumerate(rows_of_states(case)):
            np.testing.assert_allclose(trace[rows], states_of(case, i)[1], rtol=1e-11, atol=1e-13)
        plain = case.net.forward(case.theta, case.sequences, case.index, case.initial)
        assert scores.tobytes() == plain.tobytes()

    def test_gradient_equals_central_differences(self, form, arrangement, head, features):
        """Of the reference, to whose states after each step something is added, which what comes after sees.

        A random direction for each step.
        """
        case = case_of(form, arrangement, head, features)
        dstates, rng = dstates_of(case), np.random.default_rng(5)
        for i, rows in enumerate(rows_of_states(case)):
            along, direction = np.zeros(len(rows)), rng.normal(size=(len(rows), case.net.n_states))
            numerical = central_differences(
                lambda i=i, along=along, to=direction: value_of(case, i, along[:, np.newaxis] * to), along,
                step_of(form),
            )
            assert_gradient(np.sum(dstates[rows] * direction, axis=1), numerical, rtol=1e-6)


def value_of(case, i, flat):
    """Σ dscores · scores + Σ dfinal · final of sequence i, with these numbers (T, n_states) added to its states."""
    added, start = [], 0
    for layer in case.net.layers:
        added.append([])
        for _ in layer.directions:
            shape = (len(flat), len(layer.cell.states), layer.n_units)
            added[-1].append(flat[:, start : start + shape[1] * shape[2]].reshape(shape))
            start += shape[1] * shape[2]
    (scores, final, pool), _ = states_of(case, i, added)
    value = np.sum(case.dscores[case.steps(i) if case.net.per_step else i] * scores)
    for given, layer in zip(case.states(case.dfinal, i), final, strict=True):
        value += sum(np.sum(a * b) for a, b in zip(given, layer, strict=True))
    return value + np.sum(case.pool(case.dfinal, i) * pool)


LONG = (300, 200, 7) + (40,) * 30


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("arrangement", "head", "features", "dtype"),
    pairwise([((7, 5), False), ((7,), True)], [(True, "last"), (False, "last_mean_max")], FEATURES,
             [np.float64, np.float32]),
    ids=str,
)
def test_bits_depend_neither_on_threads_nor_on_memory(arrangement, head, features, dtype):
    """Tiles of groups, groups one at a time, and segments: nor on what else is computed, nor on the batch."""
    case = case_of(("lstm", "tanh", True), arrangement, head, features, LONG, dtype)
    inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial)
    expected_trace, expected = trace_of(case)[0], dstates_of(case)
    assert expected_trace.dtype == expected.dtype == dtype
    plain = case.net.backward(case.theta, case.sequences, case.index, case.dscores, case.dfinal.copy(), case.initial)
    for resources in ({"n_threads": 2}, {"n_threads": 5}, {"max_bytes": 1}, {"n_threads": 3, "max_bytes": 2**17}):
        resources = RESOURCES | resources
        engine, gradient = case.net.engine(dtype), np.zeros_like(case.theta)
        dstates, trace = np.full((2, len(case.X), case.net.n_states), 7, dtype)
        engine.backward(
            case.theta, inputs, case.dscores, gradient, dstate=case.dfinal.copy(), dstates=dstates, **resources
        )
        engine.forward(case.theta, inputs, np.empty_like(case.dscores), trace=trace, **resources)
        for actual, wanted in ((dstates, expected), (trace, expected_trace)):
            kept = case.net.states_of_steps(case.sequences, case.index, actual)
            assert kept.tobytes() == wanted.tobytes()
        assert gradient.tobytes() == plain.theta.tobytes()
    some = np.array([5, 0, 2])
    rows = np.concatenate([rows_of_states(case)[i] for i in some])
    np.testing.assert_array_equal(dstates_of(case, some), expected[rows])


def test_gradient_of_a_loss_is_backward_of_its_scores():
    """With dropout of both kinds."""
    case, loss = Case(FORMS[0], (4, 3), True, True), make_loss("squared_error")
    targets = np.random.default_rng(0).normal(size=case.dscores.shape)
    engine = case.net.engine(
        np.float64, loss=loss.name, parameters=loss.parameters, dropout=0.3, recurrent_dropout=0.3
    )
    inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial)
    dstates, expected = np.empty((2, len(case.X), case.net.n_states))
    engine.gradient(case.theta, inputs, targets, np.empty_like(case.theta), dstates=dstates, seed=5, **RESOURCES)
    scores, dscores = np.empty_like(targets), np.empty_like(targets)
    engine.forward(case.theta, inputs, scores, training=True, seed=5, **RESOURCES)
    weights = np.full(len(scores), 1 / len(scores))
    kernels_for(np.float64).loss(loss.name, loss.parameters, False, scores, targets, weights, dscores)
    engine.backward(
        case.theta, inputs, dscores, np.empty_like(case.theta), dstates=expected, training=True, seed=5, **RESOURCES
    )
    assert dstates.tobytes() == expected.tobytes()


def test_one_sequence_alone_and_between_other_calls():
    """An engine whose place for one sequence alone is kept from call to call, which has no room for states."""
    case = Case(("lstm", "tanh", True), (40,), lengths=(60,))
    engine, trace = case.net.engine(np.float64), np.empty((60, 80))
    run = (case.theta, case.sequences, case.index, case.initial)
    expected = case.net.forward(*run, engine=engine)
    assert case.net.forward(*run, engine=engine, trace=trace).tobytes() == expected.tobytes()
    assert case.net.forward(*run, engine=engine).tobytes() == expected.tobytes()
    np.testing.assert_allclose(trace, states_of(case, 0)[1], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("method", "name"), [
    ("forward", "trace"), ("gradient", "dstates"), ("backward", "dstates")
])
@pytest.mark.parametrize("shape", [(11, 5), (12, 4), (13, 5)])
def test_wrong_shapes(method, name, shape):
    case, loss = Case(FORMS[0]), make_loss("squared_error")
    engine = case.net.engine(np.float64, loss=loss.name, parameters=loss.parameters)
    inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial)
    arguments = {
        "forward": (np.empty((4, 2)),), "gradient": (np.zeros((4, 2)), np.empty_like(case.theta)),
        "backward": (case.dscores, np.empty_like(case.theta)),
    }[method]
    with pytest.raises(ValueError, match=rf"{name} has shape \({shape[0]}, {shape[1]}\), expected \(12, 5\)"):
        getattr(engine, method)(case.theta, inputs, *arguments, **{name: np.empty(shape)}, **RESOURCES)
