"""Every cell in every arrangement: outputs against the reference, gradients against central differences."""

import numpy as np
import pytest
import reference
from networks import FORMS, RAGGED, Case
from numerical import assert_gradient, central_differences
from pairwise import pairwise

from skrnn.kernels import CELLS, POOLINGS, kernels_for
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

# hidden_size and bidirectional
ARRANGEMENTS = [((5,), False), ((5,), True), ((3, 5), False), ((3, 5), True)]
LENGTHS = [(1,), (2, 2, 2), (5, 5), RAGGED]


@pytest.fixture(params=FORMS, ids=lambda form: "-".join(map(str, form)))
def form(request):
    return request.param


def assert_gradients(case):
    dtheta, dX, dinitial = case.gradients()
    # A step that crosses the kink of relu would measure something else.
    step = 1e-6 if case.form[1] == "relu" else 1e-4
    numerical = central_differences(case.value, case.theta, step)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])
    assert_gradient(dX, central_differences(case.value, case.X, step))
    expected = central_differences(case.value, case.initial, step)
    for name, place in case.net.state_layout.items():
        if name != "steps":
            assert_gradient(dinitial[:, place], expected[:, place])


@pytest.mark.parametrize(
    ("form", "arrangement", "lengths", "per_step"), pairwise(FORMS, ARRANGEMENTS, LENGTHS, [False, True]), ids=str
)
class TestEveryArrangement:
    def test_outputs_and_final_states_equal_the_reference(self, form, arrangement, lengths, per_step):
        hidden_size, bidirectional = arrangement
        case = Case(form, hidden_size, bidirectional, per_step, lengths)
        scores, final = case.forward()
        cell, activation, reset_after = form
        for i in case.index:
            expected, expected_final, _ = reference.network(
                case.parameters, case.X[case.steps(i)], case.states(case.initial, i), cell, len(hidden_size),
                bidirectional, per_step, activation=activation, reset_after=reset_after,
            )
            np.testing.assert_allclose(scores[case.steps(i) if per_step else i], expected, rtol=1e-12, atol=1e-14)
            for actual_layer, layer in zip(case.states(final, i), expected_final, strict=True):
                for actual_state, state in zip(actual_layer, layer, strict=True):
                    np.testing.assert_allclose(actual_state, state, rtol=1e-12, atol=1e-14)

    def test_gradients_equal_central_differences(self, form, arrangement, lengths, per_step):
        assert_gradients(Case(form, *arrangement, per_step, lengths))


@pytest.mark.parametrize(
    ("form", "arrangement", "lengths", "pooling"), pairwise(FORMS, ARRANGEMENTS, LENGTHS, POOLINGS), ids=str
)
def test_pooling(form, arrangement, lengths, pooling):
    """Outputs and what is pooled against the reference, gradients against central differences."""
    hidden_size, bidirectional = arrangement
    case = Case(form, hidden_size, bidirectional, False, lengths, pooling=pooling)
    scores, final = case.forward()
    cell, activation, reset_after = form
    for i in case.index:
        expected, _, pool = reference.network(
            case.parameters, case.X[case.steps(i)], case.states(case.initial, i), cell, len(hidden_size),
            bidirectional, False, pooling, case.pool(case.initial, i), activation=activation, reset_after=reset_after,
        )
        np.testing.assert_allclose(scores[i], expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(case.pool(final, i), pool, rtol=1e-12, atol=1e-14)
    assert_gradients(case)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "n_units", "dtype"), pairwise(FORMS, [1, 4, 7, 15, 16, 19, 31, 33], [np.float32, np.float64]), ids=str
)
def test_numbers_of_units_and_inputs_that_are_no_multiples_of_a_vector(form, n_units, dtype):
    """Against the reference, in both dtypes, with more sequences than a group holds."""
    rng = np.random.default_rng(n_units)
    case = Case(
        form, (n_units,), lengths=rng.integers(1, 6, size=70), n_inputs=n_units + 2, n_outputs=n_units + 1, dtype=dtype,
    )
    scores, _ = case.forward()
    cell, activation, reset_after = form
    parameters = case.net.layout.views(case.theta.astype(np.float64))
    for i in case.index:
        expected, _, _ = reference.network(
            parameters, case.X[case.steps(i)].astype(np.float64), case.states(case.initial.astype(np.float64), i), cell,
            1, False, False, activation=activation, reset_after=reset_after,
        )
        tolerance = 1e-12 if dtype == np.float64 else 2e-5
        np.testing.assert_allclose(scores[i], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "n_units", "n_sequences"), pairwise(FORMS, [32, 62, 64, 115, 128, 130], [1, 7]), ids=str
)
def test_gradients_of_wide_layers_along_directions(form, n_units, n_sequences):
    """Whole panels and tails of vectors, of one row and of several: in each parameter along random directions."""
    case = Case(form, (n_units,), lengths=(4,) * n_sequences, n_inputs=n_units + 3)
    dtheta, _, _ = case.gradients()
    start, rng = case.theta.copy(), np.random.default_rng(0)
    # A step that crosses the kink of relu would measure something else.
    step = 1e-7 if form[1] == "relu" else 1e-4
    for part in case.net.layout.slices.values():
        direction = np.zeros_like(start)
        direction[part] = rng.choice([-1.0, 1.0], size=part.stop - part.start) / np.sqrt(part.stop - part.start)
        values = []
        for sign in (1, -1):
            case.theta[:] = start + sign * step * direction
            values.append(case.value())
        case.theta[:] = start
        slope = (values[0] - values[1]) / (2 * step)
        assert slope == pytest.approx(dtheta @ direction, rel=1e-5, abs=1e-5 * np.linalg.norm(dtheta[part]))
        # and every element beside that of float32, whose vectors are twice as wide
    single = Case(form, (n_units,), lengths=(4,) * n_sequences, n_inputs=n_units + 3, dtype=np.float32)
    for name in ("theta", "X", "dscores", "initial", "dfinal"):
        getattr(case, name)[:] = getattr(single, name)
    for actual, expected in zip(single.gradients(), case.gradients(), strict=True):
        assert_gradient(actual, expected, rtol=2e-5)


@pytest.mark.parametrize("per_step", [False, True])
def test_gradients_of_several_groups_are_added(form, per_step):
    case = Case(form, (3,), True, per_step, lengths=(3, 1, 2, 2, 1) * 14, n_inputs=2, n_outputs=1)
    dtheta, _, _ = case.gradients()
    numerical = central_differences(case.value, case.theta, 1e-6 if form[1] == "relu" else 1e-4)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])


def test_gradients_of_long_sequences_in_several_chunks(form):
    case = Case(form, (2,), per_step=True, lengths=(300, 1, 129), n_inputs=1, n_outputs=1)
    dtheta, _, _ = case.gradients()
    numerical = central_differences(case.value, case.theta, 1e-6 if form[1] == "relu" else 1e-4)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])


@pytest.mark.every_simd
def test_float32_is_close_to_float64(form):
    single, double = (Case(form, (7,), dtype=dtype) for dtype in (np.float32, np.float64))
    for name in ("theta", "X", "dscores", "initial", "dfinal"):
        getattr(double, name)[:] = getattr(single, name)
    assert single.forward()[0].dtype == np.float32
    np.testing.assert_allclose(single.forward()[0], double.forward()[0], rtol=1e-5, atol=1e-5)
    for actual, expected in zip(single.gradients(), double.gradients(), strict=True):
        assert actual.dtype == np.float32
        assert_gradient(actual, expected, rtol=1e-5)


def test_update_gate_near_one_keeps_the_state():
    """The PyTorch sense of z; a text that writes h = (1 − z) ⊙ h₋ + z ⊙ n exchanges z and 1 − z."""
    case = Case(("gru", "tanh", True), per_step=True)
    K = 5
    case.parameters["layer0.b"][0, K : 2 * K] = 50
    _, final = case.forward()
    np.testing.assert_allclose(final, case.initial, rtol=1e-12)


@pytest.mark.parametrize("form", [form for form in FORMS if form[1] not in ("relu", "identity")], ids=str)
def test_extreme_inputs_stay_finite(form):
    case = Case(form)
    case.X[:] = np.where(case.X > 0, 1e4, -1e4)
    assert np.isfinite(case.forward()[0]).all()
    assert all(np.isfinite(gradient).all() for gradient in case.gradients())


def test_descriptions():
    """What they say of a cell is complete, and agrees with its kernels and with the reference."""
    for name, cell in CELLS.items():
        assert name == cell.name in reference.STEPS
        assert cell.summary
        assert cell.states[0] == "h"
        assert set(cell.bias) <= set(cell.gates)
        assert len(cell.forms) == len(cell.n_biases) == len(cell.n_saved)


class TestKernelsRefuseWrongArguments:
    """The kernels run without bounds checks, so what goes in is checked whoever calls."""


    def call(self, function, arguments, objective=None, **changed):
        """A method of an engine with arguments that are right but for those that are changed; returns the arrays."""
        case = Case(("lstm", "tanh", True))
        sequences, resources = case.sequences, {"max_bytes": 2**30, "n_threads": 1}
        inputs = {
            "steps": case.X, "starts": sequences.starts, "lengths": sequences.lengths, "index": case.index,
            "initial": case.initial, "mask_offsets": np.zeros((2, 4), np.intp),
        }
        objective = {"decayed": case.net.layout.weight_ranges(), "alpha": 0.1} | (objective or {})
        arguments = {"theta": case.theta} | arguments(case) | resources
        for name, value in changed.items():
            next(of for of in (inputs, arguments, objective) if name in of or of is objective)[name] = value
        engine = case.net.engine(np.float64)
        engine.set_objective(**objective)
        if function != "step":
            arguments["inputs"] = Inputs(**inputs)
        getattr(engine, function)(**arguments)
        return arguments

    def forward(self, **changed):
        return self.call("forward", lambda case: {"scores": np.zeros((4, 2)), "final": np.zeros((4, 10))}, **changed)[
            "scores"
        ]

    def gradient(self, **changed):
        return self.call(
            "gradient",
            lambda case: {
                "targets": np.zeros((4, 2)), "weights": None, "gradient": np.zeros_like(case.theta),
                "final": np.zeros((4, 10)), "dinitial": np.zeros((4, 10)), "dX": np.zeros((12, 3)),
            },
            {"loss": "squared_error"}, **changed,
        )["gradient"]

    def backward(self, **changed):
        return self.call(
            "backward",
            lambda case: {
                "dscores": case.dscores, "gradient": np.zeros_like(case.theta), "dstate": case.dfinal,
                "final": np.zeros((4, 10)), "dX": np.zeros((12, 3)), "penalty": 0.1,
            },
            **changed,
        )["gradient"]

    @pytest.mark.parametrize("function", ["forward", "gradient", "backward"])
    def test_right_arguments_pass(self, function):
        assert getattr(self, function)().all()

    @pytest.mark.parametrize("function", ["forward", "gradient", "backward"])
    @pytest.mark.parametrize("n_threads", [0, -1, -(2**31), 2**31 - 1])
    def test_a_number_of_threads_that_the_runtime_can_start(self, function, n_threads):
        with pytest.raises(ValueError, match=r"n_threads=.* must be between"):
            getattr(self, function)(n_threads=n_threads)

    def test_more_threads_than_work(self):
        np.testing.assert_array_equal(self.forward(n_threads=1000), self.forward())
        np.testing.assert_array_equal(self.gradient(n_threads=1000), self.gradient())

    @pytest.mark.parametrize("cell", [*CELLS, "none"])
    @pytest.mark.parametrize("variant", [-1, 4, 99])
    def test_forms_that_there_are_not(self, cell, variant):
        layer = {"cell": cell, "variant": variant, "D": 1, "K": 1, "W": [0], "U": [0], "b": [0]}
        with pytest.raises(ValueError, match=rf"no cell .* with variant={variant}"):
            kernels_for(np.float64).Engine([layer], n_outputs=1, V=0, c=0, size=9)

    @pytest.mark.parametrize("function", ["forward", "gradient", "backward"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("theta", np.zeros(9)), ("steps", np.zeros((12, 2))), ("steps", np.zeros((11, 3))),
            ("starts", np.array([0, 2, 7])), ("starts", np.array([0, 2, 7, -1])), ("starts", np.array([0, 2, 7, 9])),
            ("lengths", np.array([2, 5, 0, 4])), ("lengths", np.array([2, 5, 1, 2**62])),
            ("index", np.array([0, 1, 2, 4])), ("initial", np.zeros((4, 9))), ("initial", np.zeros((3, 10))),
            ("mask_offsets", np.zeros((2, 3), np.intp)), ("mask_offsets", np.zeros((1, 4), np.intp)),
            ("final", np.zeros((5, 10))), ("final", np.zeros((4, 9))), ("dropout", 1.0), ("dropout", -0.1),
            ("recurrent_dropout", np.nan), ("decayed", np.array([[0, 10**6]])), ("decayed", np.array([[-1, 3]])),
            ("decayed", np.array([[5, 3]])), ("decayed", None), ("loss", "none"),
            ("index", np.array([0, 1, 2, -1])), ("index", np.array([], np.intp)),
        ],
    )
    def test_wrong_inputs_are_errors(self, function, name, value):
        with pytest.raises(ValueError, match=r"has shape|must be|must have|starts|from row|needs|no loss"):
            getattr(self, function)(**{name: value})

    @pytest.mark.parametrize(
        ("function", "name", "value"),
        [
            ("forward", "scores", np.zeros((3, 2))), ("forward", "scores", np.zeros((4, 3))),
            ("gradient", "targets", np.zeros((3, 2))), ("gradient", "targets", np.zeros((4, 1))),
            ("gradient", "weights", np.zeros(3)), ("gradient", "weights", np.zeros(4)),
            ("gradient", "weights", np.full(4, np.nan)), ("gradient", "gradient", np.zeros(9)),
            ("gradient", "loss", None), ("gradient", "dinitial", np.zeros((4, 9))),
            ("gradient", "dinitial", np.zeros((3, 10))), ("gradient", "dX", np.zeros((12, 2))),
            ("backward", "dstate", np.zeros((3, 10))), ("backward", "dscores", np.zeros((3, 2))),
            ("backward", "dX", np.zeros((11, 3))), ("backward", "gradient", np.zeros(9)),
        ],
    )
    def test_wrong_other_arguments_are_errors(self, function, name, value):
        with pytest.raises(ValueError, match=r"has shape|must be|must have"):
            getattr(self, function)(**{name: value})

    def test_a_penalty_needs_its_ranges(self):
        with pytest.raises(ValueError, match="a penalty must have ranges"):
            self.backward(decayed=None, alpha=0.0)

    @pytest.mark.parametrize(
        ("loss", "n_outputs"), [("log_loss", 1), ("binary_log_loss", 2), ("binary_log_loss", 3), ("squared_error", 0)]
    )
    def test_numbers_of_outputs_that_a_loss_does_not_have(self, loss, n_outputs):
        scores = np.zeros((4, n_outputs))
        with pytest.raises(ValueError, match=f"{loss} of {n_outputs} outputs must be"):
            kernels_for(np.float64).loss(loss, None, False, scores, np.zeros(4, np.intp), np.ones(4), scores)

    def engine(self, layers, V=0, c=0):
        return kernels_for(np.float64).Engine(layers, n_outputs=2, V=V, c=c, size=42)

    @pytest.mark.parametrize(
        "changed",
        [
            {"D": 0}, {"K": 0}, {"W": [10**6]}, {"U": [-1]}, {"b": [45]}, {"W": [0, 0, 0]}, {"W": [0, 0]}, {"W": []},
        ],
    )
    def test_layouts_that_do_not_fit(self, changed):
        layer = {"cell": "rnn", "variant": 0, "D": 3, "K": 4, "W": [0], "U": [12], "b": [28]} | changed
        with pytest.raises(ValueError, match=r"layer 0 must have|must lie within"):
            self.engine([layer], V=32, c=40)
        good = layer | {"W": [0], "U": [0], "b": [0], "K": 4, "D": 3}
        with pytest.raises(ValueError, match="layer 1 has 3 inputs, the layer below has 4"):
            self.engine([good] * 2)
        with pytest.raises(ValueError, match="must have a layer"):
            self.engine([])

    @pytest.mark.parametrize("targets", [[0, 1, 0, 2], [0, -1, 0, 1]])
    def test_classes_that_there_are_not(self, targets):
        with pytest.raises(ValueError, match="must be a class from 0 to 1"):
            self.gradient(targets=np.array(targets), loss="log_loss")
        with pytest.raises(ValueError, match="must be a class from 0 to 1"):
            kernels_for(np.float64).loss(
                "log_loss", None, False, np.zeros((4, 2)), np.array(targets), np.ones(4), np.zeros((4, 2))
            )
