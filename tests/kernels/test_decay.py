"""Decays of inputs and states: outputs against the reference, gradients against central differences, the same bits."""

import numpy as np
import pytest
import reference
from networks import FORMS, Case
from numerical import assert_gradient, central_differences
from pairwise import pairwise

from skrnn._network.decay import Decay
from skrnn._network.embeddings import Embedding
from skrnn.kernels import POOLINGS
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

ARRANGEMENTS = [((5,), False), ((5,), True), ((3, 5), False), ((3, 5), True)]
# n features, the column of the first indicator, and the inputs of the first layer
DECAYS = [(1, 1, 2), (2, 3, 6), (5, 5, 10)]


def make_case(form, n_and_inputs, hidden_size=(5,), bidirectional=False, *args, **keywords):
    n, indicators, n_numbers = n_and_inputs
    decay = Decay(n, indicators)
    n_inputs = n_numbers + decay.n_times(1 + bidirectional) + len(keywords.get("embeddings", ()))
    return Case(form, hidden_size, bidirectional, *args, n_inputs=n_inputs, decay=decay, **keywords)


def expected_outputs(case, i, per_step=False, pooling="last"):
    cell, activation, reset_after = case.form
    layers = case.net.layers
    X = case.X[case.steps(i)]
    if case.net.units is not None:
        X = (X - case.net.units[0]) / case.net.units[1]
    X = reference.embedded(X, [case.parameters[table] for table in case.net.tables])
    # the reference has the times at the end
    end = case.net.n_inputs - len(case.net.embeddings)
    times = slice(end - case.net.decay.n_times(len(layers[0].directions)), end)
    X = np.concatenate([np.delete(X, times, axis=1), X[:, times]], axis=1)
    return reference.network(
        case.parameters, X, case.states(case.initial, i), cell, len(layers),
        len(layers[0].directions) == 2, per_step, pooling, case.pool(case.initial, i), decay=case.net.decay,
        activation=activation, reset_after=reset_after,
    )


def gradients(case, **resources):
    """Of theta and of the initial states."""
    dstate, dtheta = case.dfinal.copy(), np.zeros_like(case.theta)
    inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial)
    resources = {"max_bytes": 2**30, "n_threads": 1} | resources
    case.net.engine(case.theta.dtype).backward(case.theta, inputs, case.dscores, dtheta, dstate=dstate, **resources)
    return dtheta, dstate


def assert_gradients(case):
    dtheta, dinitial = gradients(case)
    step = 1e-6 if case.form[1] == "relu" else 1e-4
    numerical = central_differences(case.value, case.theta, step)
    for name, part in case.net.layout.slices.items():
        assert_gradient(dtheta[part], numerical[part])
        if "decay" in name:
            assert np.any(dtheta[part] != 0)
    expected = central_differences(case.value, case.initial, step)
    for name, place in case.net.state_layout.items():
        if name != "steps":
            assert_gradient(dinitial[:, place], expected[:, place])


@pytest.mark.parametrize(
    ("form", "arrangement", "of", "per_step"), pairwise(FORMS, ARRANGEMENTS, DECAYS, [False, True]), ids=str
)
class TestEveryArrangement:
    def test_outputs_and_final_states_equal_the_reference(self, form, arrangement, of, per_step):
        case = make_case(form, of, *arrangement, per_step)
        scores, final = case.forward()
        for i in case.index:
            expected, expected_final, _ = expected_outputs(case, i, per_step)
            np.testing.assert_allclose(scores[case.steps(i) if per_step else i], expected, rtol=1e-12, atol=1e-14)
            for actual_layer, layer in zip(case.states(final, i), expected_final, strict=True):
                for actual_state, state in zip(actual_layer, layer, strict=True):
                    np.testing.assert_allclose(actual_state, state, rtol=1e-12, atol=1e-14)

    def test_gradients_equal_central_differences(self, form, arrangement, of, per_step):
        assert_gradients(make_case(form, of, *arrangement, per_step))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_pooling_and_units(pooling, bidirectional):
    """Units are of what is read: the missing value decays to the center."""
    rng = np.random.default_rng(0)
    n_others = 4 + 2 * bidirectional
    units = (np.append(rng.normal(size=2), np.zeros(n_others)), np.append(0.5 + rng.random(2), np.ones(n_others)))
    case = make_case(("gru", "tanh", True), (2, 2, 4), (4,), bidirectional, False, pooling=pooling, units=units)
    scores, _ = case.forward()
    for i in case.index:
        expected, _, _ = expected_outputs(case, i, pooling=pooling)
        np.testing.assert_allclose(scores[i], expected, rtol=1e-12, atol=1e-14)
    assert_gradients(case)


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_beside_categories(bidirectional, per_step):
    """Which come after the times in a step, and before them in what the first layer reads."""
    embeddings = (Embedding("ward", 4, 2), Embedding("drug", 3, 1))
    case = make_case(("lstm", "tanh", True), (2, 3, 5), (4,), bidirectional, per_step, embeddings=embeddings)
    scores, _ = case.forward()
    for i in case.index:
        expected, _, _ = expected_outputs(case, i, per_step)
        np.testing.assert_allclose(scores[case.steps(i) if per_step else i], expected, rtol=1e-12, atol=1e-14)
    assert_gradients(case)
    for resources in ({"n_threads": 3}, {"max_bytes": 1}):
        for actual, wanted in zip(gradients(case, **resources), gradients(case), strict=True):
            np.testing.assert_array_equal(actual, wanted)


@pytest.mark.every_simd
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 3, 4, 9, 17])
def test_numbers_of_features_that_are_no_multiples_of_a_vector(n, dtype):
    case = make_case(("lstm", "tanh", True), (n, n, 2 * n), (n + 2,), dtype=dtype)
    double = make_case(("lstm", "tanh", True), (n, n, 2 * n), (n + 2,))
    for name in ("theta", "X", "dscores", "initial", "dfinal"):
        getattr(double, name)[:] = getattr(case, name)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    for i in case.index:
        np.testing.assert_allclose(case.forward()[0][i], expected_outputs(double, i)[0], rtol=tolerance, atol=tolerance)
    for actual, expected in zip(case.gradients(), double.gradients(), strict=True):
        assert_gradient(actual, expected, rtol=2e-5)


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_bits_depend_neither_on_threads_nor_on_memory(bidirectional, per_step):
    """Shared tiles and parts, groups one at a time, and segments."""
    lengths = (300, 200, 7) + (40,) * 30
    case = make_case(("gru", "tanh", True), (3, 3, 6), (7, 5), bidirectional, per_step, lengths=lengths)
    expected = gradients(case)
    for resources in ({"n_threads": 2}, {"n_threads": 5}, {"max_bytes": 1}, {"n_threads": 3, "max_bytes": 2**17}):
        for actual, wanted in zip(gradients(case, **resources), expected, strict=True):
            np.testing.assert_array_equal(actual, wanted)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_one_step_at_a_time_has_the_bits_of_all(form):
    case = make_case(form, (2, 2, 5), (4, 3), pooling="last_mean_max", lengths=(6, 6))
    scores, final = case.forward()
    engine, state = case.net.engine(case.theta.dtype), case.initial
    for t in range(6):
        one, state, finite = case.net.step(engine, case.theta, np.ascontiguousarray(case.X[t::6]), state)
        assert finite
    np.testing.assert_array_equal(one, scores)
    np.testing.assert_array_equal(state, final)


def test_no_rate_leaves_everything_as_it_is():
    """The same numbers as a network without decay, which has the same weights."""
    case = make_case(("lstm", "tanh", True), (2, 2, 4), (5,))
    for name in ("decay.W", "decay.b", "layer0.decay.W", "layer0.decay.b"):
        case.parameters[name][:] = -1
    plain = Case(("lstm", "tanh", True), (5,), n_inputs=4)
    for name, values in plain.parameters.items():
        values[:] = case.parameters[name]
    plain.X[:], plain.initial[:] = case.X[:, :4], case.initial
    np.testing.assert_array_equal(case.forward()[0], plain.forward()[0])
    case.dscores[:], case.dfinal[:] = plain.dscores, plain.dfinal
    dtheta = case.net.layout.views(gradients(case)[0])
    for name, expected in plain.net.layout.views(gradients(plain)[0]).items():
        np.testing.assert_array_equal(dtheta[name], expected)
    assert not any(dtheta[name].any() for name in ("decay.W", "decay.b", "layer0.decay.W", "layer0.decay.b"))


def test_dropout_goes_with_it():
    """Recurrent dropout is of the decayed states: gradients of a pass with masks equal central differences."""
    case = make_case(("gru", "tanh", False), (2, 2, 4), (5,), True)
    engine = case.net.engine(case.theta.dtype, dropout=0.3, recurrent_dropout=0.4)
    settings = {"engine": engine, "training": True, "seed": 3}

    def value():
        scores = case.net.forward(case.theta, case.sequences, case.index, case.initial, **settings)
        return np.sum(case.dscores * scores)

    dtheta = case.net.backward(
        case.theta, case.sequences, case.index, case.dscores, initial=case.initial, **settings
    ).theta
    numerical = central_differences(value, case.theta, 1e-4)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])


@pytest.mark.parametrize(
    ("form", "arrangement", "of", "per_step", "units"),
    pairwise(FORMS, ARRANGEMENTS, DECAYS, [False, True], [False, True]), ids=str,
)
def test_gradient_of_steps(form, arrangement, of, per_step, units):
    """Of values in their own units, seen or missing, of indicators and of times: central differences."""
    rng, n, n_others = np.random.default_rng(2), of[0], of[2] - of[0] + of[0] * (1 + arrangement[1])
    if units:
        units = (np.append(rng.normal(size=n), np.zeros(n_others)), np.append(0.5 + rng.random(n), np.ones(n_others)))
    assert_steps_gradient(make_case(form, of, *arrangement, per_step, units=units or None))


def assert_steps_gradient(case):
    _, dX, _ = case.gradients()
    numbers = case.X[:, : case.net.n_inputs - len(case.net.embeddings)]
    step = 1e-6 if case.form[1] == "relu" else 1e-4
    assert_gradient(dX[:, : numbers.shape[1]], central_differences(case.value, numbers, step), rtol=1e-6)


def test_gradient_of_steps_beside_categories_and_in_parts():
    """Which have none, and no bit depends on threads and memory."""
    embeddings = (Embedding("ward", 4, 2), Embedding("drug", 3, 1))
    case = make_case(
        ("lstm", "tanh", True), (2, 2, 4), (4,), True, True, embeddings=embeddings, lengths=(9, 5) + (3,) * 40
    )
    assert_steps_gradient(case)
    dX = np.full_like(case.X, 7)
    gradients(case, dX=dX)
    assert not dX[:, 8:].any()
    for resources in ({"n_threads": 3}, {"max_bytes": 1}):
        other = np.full_like(case.X, 7)
        gradients(case, dX=other, **resources)
        np.testing.assert_array_equal(other, dX)


class TestRefuses:
    @pytest.mark.parametrize("wrong", [
        {"n": 0}, {"indicators": 1}, {"indicators": 3}, {"W": []}, {"b": [0, 0]}, {"w": 10**6}, {"W": [-1]},
    ], ids=str)
    def test_a_description_that_does_not_fit(self, wrong):
        net = make_case(("gru", "tanh", True), (2, 2, 4)).net
        net._description["decay"].update(wrong)
        with pytest.raises(ValueError, match=r"a decay must be|must lie within"):
            net.engine(np.float64)
