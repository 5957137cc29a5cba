"""Every cell in every arrangement: outputs against the reference, gradients against central differences."""

import numpy as np
import pytest
import reference
from networks import FORMS, RAGGED, Case
from numerical import assert_gradient, central_differences

from skrnn import _head
from skrnn.cells import CELLS, lstm

ARRANGEMENTS = [
    pytest.param((5,), False, id="one"),
    pytest.param((5,), True, id="bidirectional"),
    pytest.param((3, 5), False, id="stacked"),
    pytest.param((3, 5), True, id="stacked-bidirectional"),
]
LENGTHS = [(1,), (2, 2, 2), (5, 5), RAGGED]


@pytest.fixture(params=FORMS, ids=lambda form: "-".join(map(str, form)))
def form(request):
    return request.param


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("hidden_size", "bidirectional"), ARRANGEMENTS)
class TestEveryArrangement:
    def test_outputs_and_final_states_equal_the_reference(self, form, hidden_size, bidirectional, lengths, per_step):
        case = Case(form, hidden_size, bidirectional, per_step, lengths)
        out = case.forward()
        cell, activation, reset_after = form
        for r, sequence in enumerate(case.packing.order):
            initial = [[state[:, r] for state in layer] for layer in case.initial]
            scores, final = reference.network(
                case.parameters, case.sequences[sequence], initial, cell, len(hidden_size), bidirectional, per_step,
                activation=activation, reset_after=reset_after,
            )
            actual = out.scores[case.rows(r)] if per_step else out.scores[r]
            np.testing.assert_allclose(actual, scores, rtol=1e-12, atol=1e-14)
            for actual_layer, layer in zip(out.final, final, strict=True):
                for actual_state, state in zip(actual_layer, layer, strict=True):
                    np.testing.assert_allclose(actual_state[:, r], state, rtol=1e-12, atol=1e-14)

    def test_gradients_equal_central_differences(self, form, hidden_size, bidirectional, lengths, per_step):
        case = Case(form, hidden_size, bidirectional, per_step, lengths)
        dtheta, dX, dinitial = case.gradients()
        # A step that crosses the kink of relu would measure something else.
        step = 1e-6 if form[1] == "relu" else 1e-4
        numerical = central_differences(case.value, case.theta, step)
        for part in case.net.layout.slices.values():
            assert_gradient(dtheta[part], numerical[part])
        assert_gradient(dX, central_differences(case.value, case.X, step))
        for layer, gradients in zip(case.initial, dinitial, strict=True):
            for state, gradient in zip(layer, gradients, strict=True):
                assert_gradient(gradient, central_differences(case.value, state, step))


def test_gradient_of_a_head_of_several_blocks():
    """The head shares out 16 units at a time."""
    case = Case(("rnn", "tanh", True), (19,), True, True, lengths=(9, 9, 9), n_inputs=2)
    assert_gradient(case.gradients()[0], central_differences(case.value, case.theta, 1e-4))


@pytest.mark.parametrize("per_step", [False, True])
def test_gradients_of_several_tiles_are_added(form, per_step):
    case = Case(form, (3, 5), per_step=per_step, lengths=(3, 1, 2) * 8)
    assert case.packing.tiles.tolist() == [0, 8, 16, 24]
    dtheta, dX, _ = case.gradients()
    step = 1e-6 if form[1] == "relu" else 1e-4
    numerical = central_differences(case.value, case.theta, step)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])
    assert_gradient(dX, central_differences(case.value, case.X, step))


def test_forward_without_keeping_gives_the_same_bits(form):
    case = Case(form, (3, 5), True, True)
    np.testing.assert_array_equal(case.forward(keep=False).scores, case.forward(keep=True).scores)


def test_float32_is_close_to_float64(form):
    single, double = (Case(form, (7,), dtype=dtype) for dtype in (np.float32, np.float64))
    double.theta[:], double.X[:], double.dscores[:] = single.theta, single.X, single.dscores
    for pair in (("initial", double.initial, single.initial), ("dfinal", double.dfinal, single.dfinal)):
        for to, source in zip(pair[1], pair[2], strict=True):
            for a, b in zip(to, source, strict=True):
                a[:] = b
    assert single.forward().scores.dtype == np.float32
    np.testing.assert_allclose(single.forward().scores, double.forward().scores, rtol=1e-5, atol=1e-5)
    for actual, expected in zip(single.gradients()[:2], double.gradients()[:2], strict=True):
        assert actual.dtype == np.float32
        assert_gradient(actual, expected, rtol=1e-5)


def test_update_gate_near_one_keeps_the_state():
    """The PyTorch sense of z; a text that writes h = (1 − z) ⊙ h₋ + z ⊙ n exchanges z and 1 − z."""
    case = Case(("gru", "tanh", True), per_step=True)
    K = 5
    case.parameters["layer0.b"][0, K : 2 * K] = 50
    final = case.forward().final[0][0][0]
    np.testing.assert_allclose(final, case.initial[0][0][0], rtol=1e-12)


@pytest.mark.parametrize("form", [form for form in FORMS if form[1] not in ("relu", "identity")], ids=str)
def test_extreme_inputs_stay_finite(form):
    case = Case(form)
    case.X[:] = np.where(case.X > 0, 1e4, -1e4)
    assert np.isfinite(case.forward().scores).all()
    assert all(np.isfinite(gradient).all() for gradient in case.gradients()[:2])


class TestKernelsRefuseWrongShapes:
    """The kernels run without bounds checks, so what goes in is checked whoever calls."""

    def arguments(self):
        N, S, D, K = 2, 5, 3, 4
        return {
            "X": np.zeros((S, D)), "active": np.array([2, 2, 1]), "tiles": np.array([0, 2]), "W": np.zeros((D, 4 * K)),
            "U": np.zeros((K, 4 * K)), "b": np.zeros((1, 4 * K)), "states": np.zeros((2, N + S, K)),
            "saved": np.zeros((S, 5 * K)), "variant": 0, "n_threads": 1,
        }

    def run(self, **changed):
        arguments = self.arguments() | changed
        lstm.forward(*arguments.values())
        return arguments["states"]

    def test_right_shapes_pass(self):
        arguments = self.arguments()
        states = self.run(W=arguments["W"] + 1, X=arguments["X"] + 1, states=arguments["states"] + 1)
        np.testing.assert_array_equal(states[:, :2], 1)
        assert (states[:, 2:] != 1).all()

    @pytest.mark.parametrize("n_threads", [0, -1, -(2**31)])
    def test_at_least_one_thread(self, n_threads):
        with pytest.raises(ValueError, match="must be at least 1"):
            self.run(n_threads=n_threads)
        with pytest.raises(ValueError, match="must be at least 1"):
            _head.linear(np.ones((4, 2)), np.ones((2, 3)), np.ones(3), np.ones((4, 3)), n_threads)

    def test_no_more_threads_than_work(self):
        """The OpenMP runtime ends the process when it cannot start as many threads as it is asked for."""
        np.testing.assert_array_equal(self.run(n_threads=2**31 - 1), self.run(n_threads=1))
        scores = np.zeros((4, 3))
        _head.linear(np.ones((4, 2)), np.ones((2, 3)), np.ones(3), scores, 2**62)
        np.testing.assert_array_equal(scores, 3)

    @pytest.mark.parametrize("cell", CELLS)
    @pytest.mark.parametrize("variant", [-1, 4, 99])
    def test_forms_that_there_are_not(self, cell, variant):
        case = Case((cell, "tanh", True))
        case.net.layers[0].variant = variant
        with pytest.raises(ValueError, match=rf"variant={variant} must be|b has shape"):
            case.forward()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("W", np.zeros((2, 16))), ("W", np.zeros((3, 15))), ("U", np.zeros((4, 12))), ("b", np.zeros((2, 16))),
            ("states", np.zeros((1, 7, 4))), ("states", np.zeros((2, 5, 4))), ("saved", np.zeros((5, 16))),
            ("saved", np.zeros((3, 20))), ("active", np.array([2, 2, 2])), ("active", np.array([1, 2, 2])),
            ("active", np.array([3, 1, 1])), ("active", np.array([2, 4, -1])), ("tiles", np.array([0, 3])),
            ("tiles", np.array([0, 2, 1, 2])), ("tiles", np.array([1, 2])), ("X", np.zeros((5, 0))),
        ],
    )
    def test_wrong_shapes_are_errors(self, name, value):
        with pytest.raises(ValueError, match=r"has shape|must|active|needs"):
            self.run(**{name: value})
