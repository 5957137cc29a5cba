"""The methods of the engine: what each takes beside the others, and that they agree to the bit."""

import numpy as np
import pytest
from networks import ALL_LOSSES, FORMS, Case, make_loss, outputs_of, targets_for
from numerical import assert_gradient, central_differences
from pairwise import pairwise

from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._training.target_statistics import known_fraction
from skrnn.kernels import kernels_for
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

RATES = {"dropout": 0.3, "recurrent_dropout": 0.4}
SEED = 123
RESOURCES = {"max_bytes": 2**40, "n_threads": 1}
SEGMENTS = {"max_bytes": 1, "n_threads": 1}
# bidirectional, per step, pooling
ARRANGEMENTS = [
    (False, True, "last"), (True, True, "last"), (True, False, "last"), (False, False, "mean"), (True, False, "max"),
    (True, False, "last_mean_max"),
]


def with_embedding(form, bidirectional, per_step, pooling, hidden_size=(4, 3), n_categories=5):
    """A case whose steps are categories; the last one does not occur."""
    case = Case(form, hidden_size, bidirectional, per_step, pooling=pooling)
    rng = np.random.default_rng(2)
    case.net = RecurrentNetwork(
        3, hidden_size, 2, *form, bidirectional, per_step, pooling, n_categories=n_categories
    )
    case.theta = 0.5 * rng.normal(size=case.net.layout.size)
    categories = rng.integers(n_categories - 1, size=len(case.X))
    case.sequences = Sequences(case.X, case.sequences.lengths, "ragged", categories=categories)
    return case


def step_of(form):
    """Of central differences: one that crosses the kink of relu would measure something else."""
    return 1e-6 if form[1] == "relu" else 1e-4


def assert_state_gradient(case, actual, expected, rtol):
    for name, place in case.net.state_layout.items():
        if name != "steps":
            assert_gradient(actual[:, place], expected[:, place], rtol)


@pytest.mark.parametrize(
    ("form", "arrangement", "embedding"), pairwise(FORMS, ARRANGEMENTS, [False, True]), ids=str
)
def test_backward_with_everything(form, arrangement, embedding):
    """Dropout of both kinds with mask offsets, penalty, states: every gradient against central differences."""
    bidirectional, per_step, pooling = arrangement
    if embedding:
        case = with_embedding(form, *arrangement)
    else:
        case = Case(form, (4, 3), bidirectional, per_step, pooling=pooling)
    case.sequences.mask_offsets = np.array([[5, 0, 2, 9], [7, 1, 0, 3]])
    engine, penalty = case.net.engine(np.float64, **RATES), 0.3
    inputs = (case.theta, case.sequences, case.index)
    dropout = {"engine": engine, "training": True, "seed": SEED}

    def value():
        final = np.empty_like(case.initial)
        scores = case.net.forward(*inputs, case.initial, final, **dropout)
        squares = sum(np.sum(v**2) for name, v in case.parameters.items() if name.rpartition(".")[2] in "WUV")
        return np.sum(case.dscores * scores) + np.sum(case.dfinal * final) + 0.5 * penalty * squares

    dstate, final = case.dfinal.copy(), np.empty_like(case.initial)
    gradients = case.net.backward(
        *inputs, case.dscores, dstate, case.initial, need_dX=not embedding, final=final, penalty=penalty, **dropout
    )
    numerical = central_differences(value, case.theta, step_of(form))
    for part in case.net.layout.slices.values():
        assert_gradient(gradients.theta[part], numerical[part], 1e-6)
    assert_state_gradient(case, dstate, central_differences(value, case.initial, step_of(form)), 1e-6)
    if embedding:
        assert not gradients.theta[case.net.layout.slices["embedding.E"]].reshape(5, 3)[4].any()
    else:
        assert_gradient(gradients.X, central_differences(value, case.X, step_of(form)), 1e-6)
    expected = np.empty_like(final)
    case.net.forward(*inputs, case.initial, expected, **dropout)
    assert final.tobytes() == expected.tobytes()
    plain = case.net.backward(*inputs, case.dscores, None, case.initial, engine=engine)
    assert gradients.penalty > 0 == plain.penalty


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(("bidirectional", "per_step", "pooling"), ARRANGEMENTS[1:])
def test_gradients_of_a_loss_in_inputs_and_initial_states(form, bidirectional, per_step, pooling):
    case = Case(form, (4, 3), bidirectional, per_step, pooling=pooling)
    engine = case.net.engine(np.float64, loss="squared_error", alpha=0.1, **RATES)
    targets = np.random.default_rng(1).normal(size=case.dscores.shape)
    inputs = Inputs(
        case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial,
        np.array([[5, 0, 2, 9], [7, 1, 0, 3]]),
    )

    def gradient(**out):
        loss, _, _ = engine.gradient(
            case.theta, inputs, targets, np.empty_like(case.theta), seed=SEED, **RESOURCES, **out
        )
        return loss

    # what was in there does not count
    dinitial, dX = np.full_like(case.initial, 7), np.full_like(case.X, 7)
    gradient(dinitial=dinitial, dX=dX)
    assert_gradient(dX, central_differences(gradient, case.X, step_of(form)), 1e-6)
    assert_state_gradient(case, dinitial, central_differences(gradient, case.initial, step_of(form)), 1e-6)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("loss", "per_step", "resources", "dtype", "missing"),
    pairwise(
        ALL_LOSSES, [False, True], [RESOURCES, SEGMENTS, RESOURCES | {"n_threads": 3}], [np.float32, np.float64],
        [False, True],
    ),
    ids=str,
)
def test_the_gradient_of_a_loss_is_backward_of_its_gradient_in_the_scores(loss, per_step, resources, dtype, missing):
    """With weights, missing cells, a penalty and dropout, to the bit; also in segments and in groups of all threads."""
    case = Case(
        ("gru", "tanh", False), (5,), False, per_step, (300, 41, 7, 299), n_outputs=outputs_of(loss), dtype=dtype
    )
    rng, loss = np.random.default_rng(3), make_loss(loss)
    rows, alpha = case.net.n_rows(case.sequences, case.index), 0.1
    targets, weights = targets_for(loss.name, rows, rng, dtype), rng.uniform(size=rows)
    if missing and targets.ndim > 1:
        targets[rng.uniform(size=targets.shape) < 0.4] = -1 if loss.of_classes else np.nan
    known = known_fraction(targets)
    engine = case.net.engine(dtype, loss=loss.name, parameters=loss.parameters, alpha=alpha, **RATES)
    inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index, case.initial)
    expected = {
        "gradient": np.empty_like(case.theta), "dX": np.empty_like(case.X), "final": np.empty_like(case.initial),
    }
    dinitial = np.empty_like(case.initial)
    value, penalty, weight = engine.gradient(
        case.theta, inputs, targets, weights=weights, known=known, dinitial=dinitial, seed=SEED, **expected,
        **resources,
    )
    scores = np.empty((rows, case.net.n_outputs), dtype)
    engine.forward(case.theta, inputs, scores, training=True, seed=SEED, **resources)
    assert weight == pytest.approx(np.sum(weights if known is None else weights * known))
    dscores = np.empty_like(scores)
    losses = kernels_for(dtype).loss(loss.name, loss.parameters, False, scores, targets, weights / weight, dscores)
    actual = {name: np.empty_like(array) for name, array in expected.items()}
    dstate = np.zeros_like(case.initial)
    of_weights = engine.backward(
        case.theta, inputs, dscores, dstate=dstate, penalty=alpha / weight, training=True, seed=SEED, **actual,
        **resources,
    )
    assert value == pytest.approx(losses, rel=1e-12)
    assert of_weights == penalty > 0
    for name, array in expected.items():
        assert actual[name].tobytes() == array.tobytes(), name
    assert dstate.tobytes() == dinitial.tobytes()


def test_categories_have_no_gradient():
    case = with_embedding(FORMS[0], False, True, "last")
    with pytest.raises(ValueError, match="inputs that are categories have no gradient"):
        case.net.backward(case.theta, case.sequences, case.index, case.dscores, need_dX=True)


def test_without_training_there_is_no_dropout():
    case = Case(FORMS[0], per_step=True)
    engine = case.net.engine(np.float64, **RATES)
    inputs = (case.theta, case.sequences, case.index)
    assert case.net.forward(*inputs, engine=engine).tobytes() == case.net.forward(*inputs).tobytes()
    plain = case.net.backward(*inputs, case.dscores).theta
    assert case.net.backward(*inputs, case.dscores, engine=engine).theta.tobytes() == plain.tobytes()
    dropped = [case.net.backward(*inputs, case.dscores, engine=engine, training=True, seed=s).theta for s in (1, 1, 2)]
    assert dropped[0].tobytes() == dropped[1].tobytes() != dropped[2].tobytes() != plain.tobytes()


@pytest.mark.parametrize("rates", [{"dropout": 0.3}, {"recurrent_dropout": 0.4}], ids=str)
def test_mask_offsets_choose_the_masks_that_steps_would_have_elsewhere(rates):
    """Two sequences one after the other, and the second one alone with the offsets of its row and its number."""
    case = Case(FORMS[0], (6,), per_step=True, lengths=(3, 4))
    engine = case.net.engine(np.float64, **rates)

    def scores(steps, starts, lengths, mask_offsets=None):
        inputs = Inputs(steps, *(np.array(a) for a in (starts, lengths, range(len(starts)))), None, mask_offsets)
        out = np.empty((sum(lengths), 2))
        engine.forward(case.theta, inputs, out, training=True, seed=SEED, **RESOURCES)
        return out

    both, alone = scores(case.X, [0, 3], [3, 4]), scores(case.X[3:], [0], [4])
    moved = scores(case.X[3:], [0], [4], np.array([[3], [1]]))
    assert moved.tobytes() == both[3:].tobytes() != alone.tobytes()


class TestStep:
    """One more step of some streams."""

    @pytest.mark.every_simd
    @pytest.mark.parametrize(
        ("form", "arrangement", "packed", "n", "dtype"),
        pairwise(
            FORMS,
            [
                ((9,), True, "last"), ((9, 5), False, "last"), ((9, 32), False, "mean"), ((5, 7), False, "max"),
                ((5, 7), False, "last_mean_max"),
            ],
            [False, True], [1, 7, 130], [np.float32, np.float64],
        ),
        ids=str,
    )
    def test_same_bits_as_whole_sequences(self, form, arrangement, packed, n, dtype):
        """Scores of every step or prefix, and states."""
        hidden_size, per_step, pooling = arrangement
        T = 5
        case = Case(form, hidden_size, False, per_step, (T,) * n, pooling=pooling, dtype=dtype)
        engine, state, X = case.net.engine(dtype), case.initial, case.X.reshape(n, T, -1)
        if packed:
            engine.pack_weights(case.theta)
        for t in range(T):
            scores, state, _ = case.net.step(engine, case.theta, np.ascontiguousarray(X[:, t]), state, packed)
            lengths = np.full(n, t + 1, np.intp)
            sequences = Sequences(case.X, lengths, "ragged", starts=np.arange(n) * T)
            final = np.empty_like(state)
            expected = case.net.forward(case.theta, sequences, case.index, case.initial, final)
            assert scores.tobytes() == (expected[t :: t + 1] if per_step else expected).tobytes()
            assert state.tobytes() == final.tobytes()

    def test_categories(self):
        case = with_embedding(FORMS[0], False, True, "last")
        engine, state = case.net.engine(np.float64), case.initial[:1]
        rows = case.steps(1)
        expected = case.net.forward(case.theta, case.sequences, np.array([1]), case.initial[1:2])
        state = case.initial[1:2]
        for t, row in enumerate(range(rows.start, rows.stop)):
            scores, state, _ = case.net.step(engine, case.theta, case.sequences.categories[row : row + 1], state)
            assert scores.tobytes() == expected[t : t + 1].tobytes()
        with pytest.raises(ValueError, match=r"steps\[1\]=5 must be a category from 0 to 4"):
            case.net.step(engine, case.theta, np.array([0, 5]), case.initial[:2])

    def test_between_other_calls(self):
        """Batches and other numbers of streams do not disturb it, nor does it disturb them; states may be replaced."""
        case = Case(FORMS[0], (6,), per_step=True)
        engine, rng = case.net.engine(np.float64), np.random.default_rng(0)
        x, state = rng.normal(size=(3, 3)), rng.normal(size=(3, case.net.state_width))
        expected = case.net.step(engine, case.theta, x, state)
        whole = case.net.forward(case.theta, case.sequences, case.index, engine=engine)
        case.net.step(engine, case.theta, x[:1], state[:1])
        case.net.backward(case.theta, case.sequences, case.index, case.dscores, engine=engine)
        scores = np.empty_like(expected[0])
        engine.step(case.theta, x, state, scores, state)
        assert scores.tobytes() == expected[0].tobytes()
        assert state.tobytes() == expected[1].tobytes()
        again = case.net.forward(case.theta, case.sequences, case.index, engine=engine)
        assert again.tobytes() == whole.tobytes()

    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_tells_whether_states_and_scores_are_finite(self, n_threads):
        case = Case(("lstm", "tanh", True), (6,), lengths=(1,) * 40)
        engine = case.net.engine(np.float64)

        def finite(state, theta=case.theta):
            return engine.step(theta, case.X, state, np.empty((40, 2)), np.empty_like(state), n_threads=n_threads)

        assert finite(case.initial)
        for value in (np.nan, np.inf, -np.inf):
            for column in range(case.initial.shape[1]):
                state = case.initial.copy()
                state[33, column] = value
                assert not finite(state)
        assert not finite(case.initial, np.full_like(case.theta, 1.7e308))

    @pytest.mark.parametrize("n", [3, 130])
    def test_threads_change_no_bit(self, n):
        case = Case(("lstm", "tanh", True), (9, 5), lengths=(1,) * n)
        engine, results = case.net.engine(np.float64), []
        for n_threads in (1, 2, 5, 1):
            scores, after = np.empty((n, 2)), np.empty_like(case.initial)
            engine.step(case.theta, case.X, case.initial, scores, after, n_threads=n_threads)
            results.append((scores.tobytes(), after.tobytes()))
        assert len(set(results)) == 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("theta", np.zeros(9)), ("steps", np.zeros((4, 2))), ("steps", np.zeros((0, 3))),
            ("state", np.zeros((3, 5))), ("state", np.zeros((4, 4))), ("after", np.zeros((4, 6))),
            ("after", np.zeros((5, 5))), ("scores", np.zeros((4, 3))), ("scores", np.zeros((3, 2))),
            ("n_threads", 0), ("n_threads", 2**20),
        ],
    )
    def test_wrong_arguments(self, name, value):
        case = Case(FORMS[0])
        right = {
            "theta": case.theta, "steps": np.zeros((4, 3)), "state": np.zeros((4, 5)), "scores": np.zeros((4, 2)),
            "after": np.zeros((4, 5)), "n_threads": 2,
        }
        engine = case.net.engine(np.float64)
        engine.step(**right)
        with pytest.raises(ValueError, match=r"has shape|must have at least|must be between"):
            engine.step(**right | {name: value})
        if name == "theta":
            with pytest.raises(ValueError, match="theta has shape"):
                engine.pack_weights(value)


@pytest.mark.parametrize("method", ["step", "forward"])
def test_weights_are_packed_again_unless_they_are_said_to_be_packed(method):
    case = Case(FORMS[0], (6,), per_step=True)
    engine, x, state = case.net.engine(np.float64), np.ones((1, 3)), case.initial[:1]

    def scores(**packed):
        if method == "step":
            return case.net.step(engine, case.theta, x, state, **packed)[0].tobytes()
        return case.net.forward(case.theta, case.sequences, case.index, engine=engine, **packed).tobytes()

    with pytest.raises(ValueError, match="`pack_weights` must be called"):
        scores(packed=True)
    first = scores()
    case.theta += 0.1
    assert scores(packed=True) == first
    second = scores()
    assert second != first
    engine.pack_weights(case.theta + 0.1)
    third = scores(packed=True)
    assert third not in (first, second)
    assert scores(packed=True) == third     # what it computes leaves them as they are


class TestForward:
    """One sequence alone: its place is kept from one call to the next."""

    # (starts, lengths, index, rows) of calls one after the other
    CALLS = (
        ([0], [7], [0], 7), ([0], [7], [0], 7), ([1], [7], [0], 8), ([1], [6], [0], 8), ([0], [6], [0], 8),
        ([0], [30], [0], 30), ([0, 7], [7, 5], [1], 12), ([0, 7], [7, 5], [0], 12), ([0, 7], [7, 4], [0], 12),
        ([0, 7], [7, 5], [0, 1], 12), ([0], [7], [0], 12), ([0], [1], [0], 1), ([0], [7], [0], 7),
    )

    @pytest.mark.parametrize(
        ("form", "bidirectional", "per_step", "pooling", "patch"),
        [(*args, None) for args in pairwise(FORMS, [False, True], [False, True], ["last", "last_mean_max"])]
        + [(FORMS[0], False, False, "last", (3, 2))],
        ids=str,
    )
    def test_calls_do_not_depend_on_those_before(self, form, bidirectional, per_step, pooling, patch):
        case = Case(form, (9, 5), bidirectional, per_step, lengths=(30,), pooling=pooling, patch=patch)
        engine, state = case.net.engine(np.float64), case.initial
        for starts, lengths, index, rows in self.CALLS:
            inputs = Inputs(case.X[:rows], *(np.array(values, np.intp) for values in (starts, lengths, index)))
            inputs.initial = np.repeat(state, len(index), axis=0)
            results = []
            for used in (engine, case.net.engine(np.float64)):
                final, R = np.empty_like(inputs.initial), sum(lengths[i] for i in index) if per_step else len(index)
                scores = np.empty((R, 2))
                assert used.forward(case.theta, inputs, scores, final=final, **RESOURCES)
                results.append((scores.tobytes(), final.tobytes()))
            assert results[0] == results[1]
            if not bidirectional:
                steps = case.X[: 1 if patch is None else patch[0]].reshape(1, -1)
                case.net.step(engine, case.theta, steps, state)

    @pytest.mark.parametrize(
        ("starts", "lengths", "index", "rows", "match"),
        [
            ([0], [7], [1], 7, r"index\[0\]=1 must be one of the 1"), ([0], [7], [-1], 7, r"index\[0\]=-1"),
            ([0], [8], [0], 7, "has 8 steps from row 0 on, of 7"), ([1], [7], [0], 7, "from row 1 on, of 7"),
            ([0], [7], [0], 6, "has 7 steps from row 0 on, of 6"), ([0], [0], [0], 7, "has 0 steps"),
            ([0, 0], [7], [0], 7, "2 starts and 1 lengths"), ([0], [7, 7], [0], 7, "1 starts and 2 lengths"),
        ],
    )
    def test_the_next_sequence_is_checked(self, starts, lengths, index, rows, match):
        case = Case(FORMS[0], lengths=(7,))
        engine, scores = case.net.engine(np.float64), np.empty((1, 2))

        def forward(starts, lengths, index, rows):
            arrays = (np.array(values, np.intp) for values in (starts, lengths, index))
            engine.forward(case.theta, Inputs(case.X[:rows], *arrays), scores, **RESOURCES)
            return scores.tobytes()

        first = forward([0], [7], [0], 7)
        with pytest.raises(ValueError, match=match):
            forward(starts, lengths, index, rows)
        assert forward([0], [7], [0], 7) == first

    @pytest.mark.parametrize("lengths", [(5,), (5,) * 40])
    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_tells_whether_scores_are_finite(self, lengths, n_threads):
        case = Case(FORMS[0], lengths=lengths)
        inputs = Inputs(case.X, case.sequences.starts, case.sequences.lengths, case.index)
        for value in (0.0, np.nan, np.inf, -np.inf):
            case.parameters["head.c"][1] = value
            scores = np.empty((len(lengths), 2))
            finite = case.net.engine(np.float64).forward(
                case.theta, inputs, scores, max_bytes=2**40, n_threads=n_threads
            )
            assert finite == np.isfinite(value) == np.isfinite(scores).all()


def test_memory_is_that_of_sequences_of_one_sequence_and_of_streams():
    case = Case(FORMS[0], (20,), lengths=(50,) * 8)
    engine, seen = case.net.engine(np.float64), [0]
    case.net.forward(case.theta, case.sequences, case.index, engine=engine)
    seen.append(engine.memory())
    case.net.forward(case.theta, case.sequences, case.index[:1], engine=engine)
    seen.append(engine.memory())
    n = 10_000
    case.net.step(engine, case.theta, np.zeros((n, 3)), np.zeros((n, case.net.state_width)))
    seen.append(engine.memory())
    # tables have six integers of a sequence, and two of a step
    assert (np.diff(seen) > [50 * 20 * 8, 20 * 8 + 2 * 50 * 8, 6 * 8 * n]).all()
