"""Static features: the head reads them, or the states begin with them; against the reference and to the bit."""

import numpy as np
import pytest
import reference
from networks import FORMS as ALL_FORMS
from networks import Case, make_loss
from numerical import assert_gradient, central_differences
from pairwise import pairwise
from sklearn.utils import check_random_state

from skrnn._data.examples import Examples
from skrnn._data.units import Units
from skrnn._network.embeddings import Embedding
from skrnn._network.objective import Objective
from skrnn._network.static import HEAD, INITIAL_STATE, StaticInputs
from skrnn._runtime import memory, threads
from skrnn.kernels import POOLINGS, kernels_for

pytestmark = pytest.mark.usefixtures("simd")

# One of each cell: of a form, static inputs see how wide its state is.
FORMS = list({form[0]: form for form in reversed(ALL_FORMS)}.values())[::-1]
# bidirectional, per step, pooling
ARRANGEMENTS = [
    (False, False, "last"), (False, True, "last"), (True, True, "last"), (True, False, "mean"), (False, False, "max"),
    (True, False, "last_mean_max"),
]
TO = [(HEAD,), (INITIAL_STATE,), (HEAD, INITIAL_STATE)]
RATES = {"dropout": 0.3, "recurrent_dropout": 0.4}
SEED = 123
TABLES = (Embedding("ward", 4, 2), Embedding("x.E", 3, 1))


def static_inputs(to=(HEAD, INITIAL_STATE), n_numbers=2, tables=TABLES):
    rng = np.random.default_rng(4)
    units = Units(rng.normal(size=n_numbers), rng.uniform(0.5, 2, size=n_numbers))
    return StaticInputs(n_numbers, tables, units, to)


def case_of(form, arrangement, to, hidden_size=(3, 2), lengths=(2, 5, 1, 4), static=None, **options):
    bidirectional, per_step, pooling = arrangement
    return Case(
        form, hidden_size, bidirectional, per_step, lengths, pooling=pooling, static=static or static_inputs(to),
        **options,
    )


def step_of(form):
    """Of central differences: one that crosses the kink of relu would measure something else."""
    return 1e-6 if form[1] == "relu" else 1e-4


def problem_of(case, max_steps=None, alpha=0.1, **rates):
    """An objective over weighted random targets, whose masks are the same in every epoch."""
    rng = np.random.default_rng(5)
    rows = case.net.n_rows(case.sequences, case.index)
    targets = rng.normal(size=(rows, case.net.n_outputs)).astype(case.theta.dtype)
    examples = Examples(case.sequences, targets, rng.uniform(0.5, 2, size=rows), case.net.per_step)
    return Objective(
        case.net, examples, make_loss("squared_error"), len(case.index), alpha, random_state=check_random_state(7),
        max_steps=max_steps, **rates,
    )


class TestScores:
    @pytest.mark.parametrize(
        ("form", "arrangement", "to", "dropout"), pairwise(FORMS, ARRANGEMENTS, TO, [False, True]), ids=str
    )
    def test_equal_the_reference(self, form, arrangement, to, dropout):
        """Also under dropout, which has the outputs of layers, not static features."""
        case = case_of(form, arrangement, to)
        net, static = case.net, case.net.static
        engine = net.engine(np.float64, **(RATES if dropout else {}))
        scores = net.forward(case.theta, case.sequences, case.index, engine=engine, training=dropout, seed=SEED)
        cell, activation, reset_after = form
        for i in case.index:
            values, zero = case.sequences.static[i], net.zero_state(1, np.float64)
            codes = dict(zip(("ward", "x.E"), values[2:].astype(int), strict=True))
            z = reference.static_inputs(case.parameters, values[:2], codes, static.units)
            if INITIAL_STATE in to:
                states = reference.states_of_static(case.parameters, z)
                zero[:, : len(states)] = states
            expected, _, _ = reference.network(
                case.parameters, case.X[case.steps(i)], case.states(zero, 0), cell, 2, arrangement[0],
                net.per_step, net.pooling, case.pool(zero, 0), self.masks(case, i) if dropout else None,
                z if HEAD in to else (), activation=activation, reset_after=reset_after,
            )
            actual = scores[case.steps(i) if net.per_step else i]
            np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)

    def masks(self, case, i):
        def mask(place, row, name, n):
            y = np.empty(n)
            kernels_for(np.float64).dropped(SEED, place, row, RATES[name], np.ones(n), y)
            return y

        net, rows = case.net, range(case.steps(i).start, case.steps(i).stop)
        inputs = [1, np.array([mask(1, row, "dropout", net.layers[1].n_inputs) for row in rows])]
        recurrent = [
            [mask(3 + 2 * depth + d, i, "recurrent_dropout", layer.n_units) for d in range(2)]
            for depth, layer in enumerate(net.layers)
        ]
        head = np.array([mask(2, row, "dropout", net.n_features - net.n_static) for row in rows])
        return {"inputs": inputs, "recurrent": recurrent, "head": head if net.per_step else head[-1]}

    def test_without_units_numbers_are_read_as_they_are(self):
        plain, scaled = (
            case_of(FORMS[0], ARRANGEMENTS[0], (HEAD,), static=StaticInputs(2, (), units, (HEAD,)))
            for units in (None, Units(np.ones(2), np.full(2, 4.0)))
        )
        plain.sequences.static = (plain.sequences.static - 1) / 4
        scores = [case.net.forward(case.theta, case.sequences, case.index) for case in (plain, scaled)]
        np.testing.assert_allclose(*scores, rtol=1e-12)

    def test_initial_values(self):
        """The states are 0 at first, embeddings are as large as units."""
        case = case_of(FORMS[0], ARRANGEMENTS[0], TO[2], static=static_inputs(tables=(Embedding("ward", 500, 4),)))
        parameters = case.net.layout.views(case.net.initialize(check_random_state(0), np.float64))
        assert not parameters["static.W"].any()
        assert not parameters["static.b"].any()
        assert parameters["static.ward.E"].std() == pytest.approx(1, abs=0.1)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_of_one_more_step_at_a_time(self, dtype):
        """The bits of whole sequences, from the states that static features give."""
        case = case_of(("lstm", "tanh", True), ARRANGEMENTS[1], TO[2], lengths=(5,) * 7, dtype=dtype)
        engine, X = case.net.engine(dtype), case.X.reshape(7, 5, -1)
        final = np.empty_like(case.initial)
        expected = case.net.forward(case.theta, case.sequences, case.index, final=final)
        state = case.net.begin(case.theta, case.sequences, case.index)
        for t in range(5):
            scores, state, finite = case.net.step(engine, case.theta, np.ascontiguousarray(X[:, t]), state)
            assert scores.tobytes() == expected[t::5].tobytes()
            assert finite
        assert state.tobytes() == final.tobytes()


class TestGradients:
    @pytest.mark.parametrize(
        ("form", "arrangement", "to", "dropout"), pairwise(FORMS, ARRANGEMENTS, TO, [False, True]), ids=str
    )
    def test_of_scores_and_final_states(self, form, arrangement, to, dropout):
        """With a penalty, of all parameters: those of layers and head, W, b and the embeddings."""
        case = case_of(form, arrangement, to)
        engine, penalty = case.net.engine(np.float64, **RATES), 0.3
        passes = {"engine": engine, "training": dropout, "seed": SEED}
        inputs = (case.theta, case.sequences, case.index)

        def value():
            final = np.empty_like(case.initial)
            scores = case.net.forward(*inputs, final=final, **passes)
            squares = sum(np.sum(v**2) for name, v in case.parameters.items() if name.rpartition(".")[2] in "WUV")
            return np.sum(case.dscores * scores) + np.sum(case.dfinal * final) + 0.5 * penalty * squares

        gradient = case.net.backward(*inputs, case.dscores, case.dfinal.copy(), penalty=penalty, **passes).theta
        numerical = central_differences(value, case.theta, step_of(form))
        for part in case.net.layout.slices.values():
            assert_gradient(gradient[part], numerical[part], 1e-6)
        rows = case.net.layout.views(gradient)["static.ward.E"].any(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(rows), np.unique(case.sequences.static[:, 2]))

    @pytest.mark.parametrize(("form", "arrangement"), pairwise(FORMS, ARRANGEMENTS), ids=str)
    def test_in_states_that_are_given(self, form, arrangement):
        """A state has the static inputs of the head: the gradient in them, and that of theta has nothing of them."""
        case = case_of(form, arrangement, TO[2])
        dtheta, dX, dinitial = case.gradients()
        numerical = central_differences(case.value, case.initial, step_of(form))
        place = case.net.state_layout["static"]
        assert_gradient(dinitial[:, place], numerical[:, place])
        assert_gradient(dX, central_differences(case.value, case.X, step_of(form)))
        views = case.net.layout.views(dtheta)
        assert not any(views[name].any() for name in views if name.startswith("static."))

    @pytest.mark.parametrize(("form", "arrangement", "to"), pairwise(FORMS, ARRANGEMENTS, TO), ids=str)
    def test_of_a_loss(self, form, arrangement, to):
        case = case_of(form, arrangement, to)
        objective = problem_of(case)
        batch = np.array([3, 0, 1])
        gradient = objective(case.theta, batch)[2].copy()
        numerical = central_differences(lambda: sum(objective(case.theta, batch)[:2]), case.theta, step_of(form))
        for part in case.net.layout.slices.values():
            assert_gradient(gradient[part], numerical[part], 1e-6)

    def test_only_rows_of_embeddings_in_use_are_updated(self):
        """Of one batch after the other."""
        case = case_of(FORMS[0], ARRANGEMENTS[0], TO[2])
        case.sequences.static[:, 2] = [0, 2, 2, 1]
        objective, (start, stop, _) = problem_of(case), case.net.layout.slices["static.ward.E"].indices(10**6)
        for batch in ([1, 2], [0, 3], [1, 3]):
            gradient, rows = objective(case.theta, np.array(batch))[2], np.unique(case.sequences.static[batch, 2])
            in_use = np.zeros(len(gradient), bool)
            for first, last in objective.ranges:
                assert not in_use[first:last].any()
                in_use[first:last] = True
            assert not gradient[~in_use].any()
            table = in_use[start:stop].reshape(4, 2)
            np.testing.assert_array_equal(np.flatnonzero(table.all(axis=1)), rows)
            np.testing.assert_array_equal(table.any(axis=1), table.all(axis=1))

    @pytest.mark.parametrize("to", TO, ids=str)
    @pytest.mark.parametrize("per_step", [False, True])
    def test_of_stretches(self, to, per_step):
        """Each has the gradient of what its head reads, and the first one that of the first states."""
        case = case_of(("lstm", "tanh", True), (False, per_step, "last"), to, lengths=(5, 7, 3, 4))
        objective, theta = problem_of(case, max_steps=3), case.theta
        state = None
        for begin, (*_, gradient, _) in zip((0, 3, 6), objective.gradients(theta, case.index), strict=True):
            going_on = np.flatnonzero(case.sequences.lengths > begin)
            ending = case.sequences.lengths[going_on] <= begin + 3
            stretch = case.sequences.replace(
                lengths=np.minimum(case.sequences.lengths - begin, 3)[going_on],
                starts=case.sequences.starts[going_on] + begin, static=case.sequences.static[going_on],
            )
            index = np.arange(len(going_on))

            def initial_of(theta, stretch=stretch, index=index, state=state):
                if state is None:
                    return case.net.begin(theta, stretch, index)
                return case.net.carry(theta, stretch, index, state)

            def value(stretch=stretch, index=index, going_on=going_on, ending=ending, initial_of=initial_of):
                scores = case.net.forward(theta, stretch, index, initial_of(theta))
                rows = np.concatenate([
                    np.arange(start, start + n) for start, n in zip(stretch.starts, stretch.lengths, strict=True)
                ]) if per_step else going_on
                weights = objective.examples.weights[rows] * (1 if per_step else ending)
                errors = scores - objective.examples.targets[rows]
                squares = sum(np.sum(v**2) for name, v in case.parameters.items() if name.rpartition(".")[2] in "WUV")
                return (np.sum(weights[:, None] * errors**2) / 4 + 0.05 * squares) / weights.sum()

            numerical = central_differences(value, theta)
            for part in case.net.layout.slices.values():
                assert_gradient(gradient[part], numerical[part], 1e-6)
            final = np.empty((len(index), case.net.state_width))
            case.net.forward(theta, stretch, index, initial_of(theta), final)
            state = final[~ending]

    def test_float32_is_close_to_float64(self):
        single, double = (case_of(FORMS[0], ARRANGEMENTS[1], TO[2], dtype=dtype) for dtype in (np.float32, np.float64))
        for of_case in (lambda case: case.theta, lambda case: case.X, lambda case: case.sequences.static):
            of_case(double)[:] = of_case(single)
        results = [problem_of(case)(case.theta, case.index) for case in (single, double)]
        assert results[0][2].dtype == np.float32
        assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
        assert_gradient(results[0][2], results[1][2], rtol=1e-5)


class TestBits:
    def results(self, case, **rates):
        value, penalty, gradient, _ = problem_of(case, **rates)(case.theta, case.index)
        final = np.empty_like(case.initial)
        scores = case.net.forward(case.theta, case.sequences, case.index, final=final)
        dstate = case.dfinal.copy()
        of_scores = case.net.backward(case.theta, case.sequences, case.index, case.dscores, dstate).theta
        return value, penalty, *(array.tobytes() for array in (gradient, scores, final, dstate, of_scores))

    @pytest.mark.parametrize(
        ("arrangement", "to", "dtype", "rates"),
        pairwise(ARRANGEMENTS, TO, [np.float32, np.float64], [{}, RATES]), ids=str,
    )
    def test_threads_change_none(self, arrangement, to, dtype, rates, monkeypatch):
        case = case_of(
            ("gru", "tanh", True), arrangement, to, lengths=np.resize([3, 9, 1, 12, 5], 70), dtype=dtype
        )
        results = []
        for n_threads in (1, 2, 5):
            monkeypatch.setattr(threads, "threads_for", lambda work, n_threads=n_threads: n_threads)
            results.append(self.results(case, **rates))
        assert all(result == results[0] for result in results)

    @pytest.mark.parametrize(
        ("head", "to", "rates"),
        pairwise([(True, "last"), *((False, pooling) for pooling in POOLINGS)], TO, [{}, RATES]), ids=str,
    )
    @pytest.mark.parametrize("n_threads", [1, 3])
    def test_segments_change_none(self, head, to, rates, n_threads, monkeypatch):
        case = case_of(("lstm", "tanh", True), (False, *head), to, lengths=(301, 1, 17, 256, 300, 40))
        monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
        whole = self.results(case, **rates)
        monkeypatch.setattr(memory, "max_bytes", lambda: 1)
        assert self.results(case, **rates) == whole

    @pytest.mark.parametrize(("arrangement", "to"), pairwise(ARRANGEMENTS, TO), ids=str)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_scores_of_a_subset_are_that_subset_of_all(self, arrangement, to, dtype):
        case = case_of(FORMS[0], arrangement, to, lengths=np.resize([3, 9, 1, 12, 5], 37), dtype=dtype)
        inputs = (case.theta, case.sequences)
        whole = case.net.forward(*inputs, case.index)
        for subset in ([5], [3, 30, 11], np.arange(36, -1, -1), *[[i] for i in range(20)]):
            part = case.net.forward(*inputs, np.array(subset))
            rows = np.concatenate([np.arange(len(whole))[case.steps(i) if case.net.per_step else [i]] for i in subset])
            assert part.tobytes() == whole[rows].tobytes()


class TestWhatANetworkRefuses:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda static: None, r"static has shape None, expected \(4, 4\)"),
            (lambda static: static[:, :3], r"static has shape \(4, 3\), expected \(4, 4\)"),
            (lambda static: np.where(np.arange(4) == 2, 4, static), "'ward' of sequence 0 has the code 4"),
            (lambda static: np.where(np.arange(4) == 3, -1, static), "'x.E' .* -1, expected .* 0 to 2"),
        ],
    )
    def test_other_static_features(self, change, message):
        case = case_of(FORMS[0], ARRANGEMENTS[0], TO[2])
        case.sequences.static = change(case.sequences.static)
        with pytest.raises(ValueError, match=message):
            case.net.forward(case.theta, case.sequences, case.index)

    def test_a_negative_number(self):
        layer = {"cell": "rnn", "variant": 0, "D": 1, "K": 1, "W": [0], "U": [1], "b": [2]}
        with pytest.raises(ValueError, match="n_static=-1"):
            kernels_for(np.float64).Engine([layer], n_outputs=1, V=3, c=4, size=5, n_static=-1)

    def test_a_head_that_does_not_fit_into_theta(self):
        layer = {"cell": "rnn", "variant": 0, "D": 1, "K": 1, "W": [0], "U": [1], "b": [2]}
        kernels_for(np.float64).Engine([layer], n_outputs=1, V=3, c=5, size=6, n_static=1)
        with pytest.raises(ValueError, match="parameters must lie within"):
            kernels_for(np.float64).Engine([layer], n_outputs=1, V=3, c=5, size=6, n_static=4)
