"""Dropout: its masks, what they multiply, the gradient under them, and that neither threads nor memory change a bit."""

import numpy as np
import pytest
import reference
from networks import FORMS, RAGGED, Case
from numerical import assert_gradient, central_differences
from pairwise import pairwise
from sklearn.utils import check_random_state

from skrnn._data.examples import Examples
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training.losses import LOSSES
from skrnn.kernels import POOLINGS, kernels_for

pytestmark = pytest.mark.usefixtures("simd")

RATES = {"dropout": 0.3, "recurrent_dropout": 0.4}
# hidden_size, bidirectional, per_step and pooling
ARRANGEMENTS = [
    ((5,), False, False, "last"), ((3, 5), False, True, "last"), ((3, 5), True, True, "last"),
    ((3, 4), True, False, "mean"), ((3, 4), False, False, "max"), ((3, 4), True, False, "last_mean_max"),
]


def mask(seed, place, row, rate, n, dtype=np.float64):
    y = np.empty(n, dtype)
    kernels_for(dtype).dropped(seed, place, row, rate, np.ones(n, dtype), y)
    return y


class Problem:
    """The squared error of a network over random targets; the same masks in every call."""

    def __init__(self, case, **rates):
        rng = np.random.default_rng(5)
        rows = case.net.n_rows(case.sequences, case.index)
        self.targets = rng.normal(size=(rows, case.net.n_outputs)).astype(case.theta.dtype)
        examples = Examples(case.sequences, self.targets, None, case.net.per_step)
        self.case, self.random_state = case, check_random_state(7)
        self.seed = int(check_random_state(7).randint(2**63 - 1, dtype=np.int64))
        self.objective = Objective(
            case.net, examples, LOSSES["squared_error"](), len(case.index), random_state=self.random_state, **rates
        )

    def __call__(self):
        self.random_state.seed(7)
        return self.objective(self.case.theta, self.case.index)


@pytest.mark.every_simd
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_masks_drop_the_share_that_they_should_and_keep_the_mean(rate, dtype):
    masks = np.array([mask(seed, place, row, rate, 333, dtype)
                      for seed in (0, 1, 2**63) for place in (0, 3) for row in range(100)])
    np.testing.assert_array_equal(np.unique(masks), np.array([0, 1 / (1 - rate)], dtype))
    dropped = masks == 0
    error = np.sqrt(rate * (1 - rate))
    assert abs(dropped.mean() - rate) < 4 * error / np.sqrt(dropped.size)
    # neither units nor rows go together
    assert abs(dropped.mean(axis=0) - rate).max() < 5 * error / np.sqrt(len(dropped))
    assert abs(dropped.mean(axis=1) - rate).max() < 5 * error / np.sqrt(dropped.shape[1])
    correlations = np.corrcoef(dropped)[np.triu_indices(len(dropped), 1)]
    assert abs(correlations).max() < 6 / np.sqrt(dropped.shape[1])


@pytest.mark.every_simd
def test_a_mask_depends_on_seed_place_and_row_alone():
    first = mask(1, 2, 3, 0.5, 100)
    assert mask(1, 2, 3, 0.5, 100).tobytes() == first.tobytes()
    np.testing.assert_array_equal(mask(1, 2, 3, 0.5, 37), first[:37])
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 2, -1)):
        assert 20 < np.sum(mask(*other, 0.5, 100) != first) < 80


class TestAgainstTheReference:
    @pytest.mark.parametrize(("form", "arrangement"), pairwise(FORMS, ARRANGEMENTS), ids=str)
    def test_loss(self, form, arrangement):
        hidden_size, bidirectional, per_step, pooling = arrangement
        case = Case(form, hidden_size, bidirectional, per_step, pooling=pooling)
        problem = Problem(case, **RATES)
        value, _, _, weight = problem()
        cell, activation, reset_after = form
        total = 0
        for i in case.index:
            expected, _, _ = reference.network(
                case.parameters, case.X[case.steps(i)], case.states(np.zeros_like(case.initial), i), cell,
                len(hidden_size), bidirectional, per_step, pooling, case.pool(case.net.zero_state(1, np.float64), 0),
                self.masks(case, problem.seed, i), activation=activation, reset_after=reset_after,
            )
            total += (0.5 * (expected - problem.targets[case.steps(i) if per_step else i]) ** 2).mean(axis=-1).sum()
        assert value == pytest.approx(total / weight, rel=1e-12)
        assert value != pytest.approx(Problem(case)()[0], rel=1e-5)

    def masks(self, case, seed, i):
        """In the reference's form: those of layer inputs, of the recurrence, and of what the head reads."""
        net, rows = case.net, range(case.steps(i).start, case.steps(i).stop)
        inputs = [
            1 if depth == 0 else np.array([mask(seed, depth, row, RATES["dropout"], layer.n_inputs) for row in rows])
            for depth, layer in enumerate(net.layers)
        ]
        n = len(net.layers)
        recurrent = [
            [mask(seed, n + 1 + 2 * depth + d, i, RATES["recurrent_dropout"], layer.n_units) for d in range(2)]
            for depth, layer in enumerate(net.layers)
        ]
        head = np.array([mask(seed, n, row, RATES["dropout"], net.n_features) for row in rows])
        return {"inputs": inputs, "recurrent": recurrent, "head": head if net.per_step else head[-1]}

    @pytest.mark.parametrize(
        ("form", "arrangement", "rates"),
        pairwise(FORMS, ARRANGEMENTS, [{"dropout": 0.3}, {"recurrent_dropout": 0.4}, RATES]), ids=str,
    )
    def test_gradient(self, form, arrangement, rates):
        *arrangement, pooling = arrangement
        problem = Problem(Case(form, *arrangement, pooling=pooling), **rates)
        gradient = problem()[2].copy()
        numerical = central_differences(lambda: problem()[0], problem.case.theta, 1e-6 if form[1] == "relu" else 1e-4)
        for part in problem.case.net.layout.slices.values():
            assert_gradient(gradient[part], numerical[part], rtol=1e-6)


@pytest.mark.parametrize(("hidden_size", "bidirectional", "per_step", "pooling"), ARRANGEMENTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_no_bit(hidden_size, bidirectional, per_step, pooling, dtype, monkeypatch):
    results = []
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(threads, "threads_for", lambda work, n_threads=n_threads: n_threads)
        case = Case(
            ("gru", "tanh", True), hidden_size, bidirectional, per_step, np.resize([3, 9, 1, 12, 5], 100), dtype=dtype,
            pooling=pooling,
        )
        value, _, gradient, _ = Problem(case, **RATES)()
        results.append((value, gradient.tobytes()))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("form", "head", "rates"),
    pairwise(FORMS, [(True, "last"), *((False, pooling) for pooling in POOLINGS)], [{}, RATES]), ids=str,
)
def test_recomputed_segments_have_the_same_masks_and_pools(form, head, rates, monkeypatch):
    per_step, pooling = head
    results = []
    for most in (2**40, 1):
        monkeypatch.setattr(memory, "max_bytes", lambda most=most: most)
        case = Case(form, (4, 3), False, per_step, (301, 1, 17, 256, 300, 40), pooling=pooling)
        value, _, gradient, _ = Problem(case, **rates)()
        results.append((value, gradient.tobytes()))
        if not rates:
            results[-1] += tuple(array.tobytes() for array in case.gradients())
    assert results[0] == results[1]


def test_predictions_have_no_dropout():
    case = Case(FORMS[0], lengths=RAGGED)
    before = case.forward()[0].tobytes()
    Problem(case, **RATES)()
    assert case.forward()[0].tobytes() == before
