"""The whole network's gradient, the optimizers, clipping, and the training loop."""

from inspect import signature

import numpy as np
import pytest
from networks import ALL_LOSSES, FORMS, RAGGED, make_loss, make_optimizer, outputs_of, targets_for
from numerical import assert_gradient, central_differences
from pairwise import one_at_a_time, pairwise
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.containers import as_sequences
from skrnn._data.examples import Examples
from skrnn._data.ragged import rows_of
from skrnn._network.layout import full_range
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._training.loop import Batches, History, Stopping, clipping, train
from skrnn._training.model import Model
from skrnn._training.optimizers import OPTIMIZERS, SGD, Adam, NAdam
from skrnn._training.schedules import SCHEDULES
from skrnn.kernels import kernels_for

pytestmark = pytest.mark.usefixtures("simd")


def examples_for(loss, per_step, weighted, seed=0):
    """Ragged sequences with targets for the loss, and the number of outputs."""
    rng = np.random.default_rng(seed)
    sequences = as_sequences([rng.normal(size=(length, 3)) for length in RAGGED])
    rows = sum(RAGGED) if per_step else len(RAGGED)
    weights = rng.uniform(0.5, 2, size=rows) if weighted else None
    return Examples(sequences, targets_for(loss, rows, rng), weights, per_step), outputs_of(loss)


@pytest.mark.parametrize(
    ("form_and_loss", "per_step", "weighted"),
    pairwise(list(one_at_a_time(FORMS, ALL_LOSSES)), [False, True], [False, True]), ids=str,
)
def test_loss_and_gradient_of_the_whole_network(form_and_loss, per_step, weighted):
    form, loss = form_and_loss
    examples, n_outputs = examples_for(loss, per_step, weighted)
    net = RecurrentNetwork(3, (3, 5), n_outputs, *form, True, per_step)
    theta = 0.5 * np.random.default_rng(1).normal(size=net.layout.size)
    objective = Objective(net, examples, make_loss(loss), 3, 0.1)
    index = np.array([3, 0, 1])
    *_, gradient, weight = objective(theta, index)
    gradient = gradient.copy()
    rows = rows_of(examples.sequences.starts[index], examples.sequences.lengths[index]) if per_step else index
    assert weight == pytest.approx(examples.weights[rows].sum() if weighted else len(rows))
    step = 1e-6 if form[1] == "relu" else 1e-5        # small beside the distance to kinks
    assert_gradient(gradient, central_differences(lambda: sum(objective(theta, index)[:2]), theta, step))


def test_penalty_decays_weights_and_not_biases():
    examples, n_outputs = examples_for("squared_error", False, True)
    net = RecurrentNetwork(3, (4,), n_outputs, "lstm", "tanh", True, False, False)
    theta = np.random.default_rng(0).normal(size=net.layout.size)
    index = np.arange(len(RAGGED))
    plain, penalised = (
        Objective(net, examples, make_loss("squared_error"), len(RAGGED), alpha)(theta, index) for alpha in (0, 2.0)
    )
    parameters = net.layout.views(theta)
    squares = sum(np.square(parameters[name]).sum() for name in ("layer0.W", "layer0.U", "head.V"))
    assert (plain[0], plain[1]) == (penalised[0], 0)
    assert penalised[1] == pytest.approx(0.5 * 2.0 * squares / examples.weights.sum())
    difference = net.layout.views(penalised[2] - plain[2])
    np.testing.assert_array_equal(difference["layer0.b"], 0)
    np.testing.assert_array_equal(difference["head.c"], 0)
    np.testing.assert_allclose(difference["layer0.U"], 2.0 * parameters["layer0.U"] / examples.weights.sum())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("return_sequences", [False, True])
def test_one_step_of_plain_sgd_is_the_gradient_written_out(return_sequences):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 3)) for length in RAGGED]
    y = [rng.normal(size=length) for length in RAGGED] if return_sequences else rng.normal(size=len(RAGGED))
    rate, alpha = 0.1, 0.5
    net = RNNRegressor(
        4, cell="rnn", solver="sgd", momentum=0, learning_rate_init=rate, alpha=alpha, max_iter=1, batch_size=len(X),
        return_sequences=return_sequences, pooling="last", random_state=0, shuffle=False, standardize=False,
    ).fit(X, y)
    start = net._fitted.model.network.initialize(check_random_state(0), np.float64)
    W, U, b, V, c = net._fitted.model.network.layout.views(start).values()
    gradient = {name: np.zeros_like(value) for name, value in net.parameters_.items()}
    total = sum(RAGGED) if return_sequences else len(RAGGED)
    for x, target in zip(X, y, strict=True):
        H = np.zeros((len(x) + 1, 4))
        for t in range(len(x)):
            H[t + 1] = np.tanh(x[t] @ W + H[t] @ U + b[0])
        residual = np.zeros(len(x))
        scores = (H[1:] @ V + c)[:, 0]
        if return_sequences:
            residual[:] = (scores - target) / total
        else:
            residual[-1] = (scores[-1] - target) / total
        gradient["head.V"] += H[1:].T @ residual[:, None]
        gradient["head.c"] += residual.sum()
        dh = np.zeros(4)
        for t in reversed(range(len(x))):
            dh = dh + residual[t] * V[:, 0]
            da = dh * (1 - H[t + 1] ** 2)
            gradient["layer0.W"] += np.outer(x[t], da)
            gradient["layer0.U"] += np.outer(H[t], da)
            gradient["layer0.b"] += da
            dh = da @ U.T
    for name, value in (("layer0.W", W), ("layer0.U", U), ("head.V", V)):
        gradient[name] += alpha * value / total
    for (name, fitted), before in zip(net.parameters_.items(), (W, U, b, V, c), strict=True):
        np.testing.assert_allclose(fitted, before - rate * gradient[name], rtol=1e-12, atol=1e-14)


@pytest.mark.every_simd
class TestOptimizers:
    def test_sgd_with_momentum(self):
        theta, rate, momentum = np.array([1.0, -2.0]), 0.1, 0.9
        sgd = SGD(theta, rate, momentum, nesterovs_momentum=False)
        g1, g2 = np.array([1.0, 2.0]), np.array([-1.0, 0.5])
        sgd.update(theta, g1)
        np.testing.assert_allclose(theta, [0.9, -2.2])
        sgd.update(theta, g2)
        np.testing.assert_allclose(theta, np.array([0.9, -2.2]) + momentum * (-rate * g1) - rate * g2)

    def test_sgd_with_nesterovs_momentum(self):
        theta, g = np.array([1.0]), np.array([1.0])
        sgd = SGD(theta, 0.1, 0.9, nesterovs_momentum=True)
        sgd.update(theta, g)
        np.testing.assert_allclose(theta, 1 + 0.9 * -0.1 - 0.1)

    @pytest.mark.parametrize("n", [3, 1003])
    def test_adam_as_in_the_paper(self, n):
        rng = np.random.default_rng(0)
        theta, gradients = rng.normal(size=n), rng.normal(size=(5, n))
        expected, m, v = theta.copy(), np.zeros(n), np.zeros(n)
        adam = Adam(theta, 0.01)
        for t, g in enumerate(gradients, 1):
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            expected = expected - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            adam.update(theta, g)
        np.testing.assert_allclose(theta, expected, rtol=1e-11)

    @pytest.mark.parametrize("n", [3, 1003])
    def test_nadam_as_in_the_paper(self, n):
        rng = np.random.default_rng(0)
        theta, gradients = rng.normal(size=n), rng.normal(size=(50, n))
        expected, m, v = theta.copy(), np.zeros(n), np.zeros(n)
        nadam = NAdam(theta, learning_rate_init=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-6)
        mu = 0.8 * (1 - 0.5 * 0.96 ** (0.004 * np.arange(1, 52)))
        for t, g in enumerate(gradients, 1):
            m = 0.8 * m + 0.2 * g
            v = 0.99 * v + 0.01 * g**2
            m_hat = mu[t] * m / (1 - mu[: t + 1].prod()) + (1 - mu[t - 1]) * g / (1 - mu[:t].prod())
            expected = expected - 0.01 * m_hat / (np.sqrt(v / (1 - 0.99**t)) + 1e-6)
            nadam.update(theta, g)
        np.testing.assert_allclose(theta, expected, rtol=1e-11)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_an_optimizer_says_what_the_estimators_need(self, name):
        optimizer, defaults = OPTIMIZERS[name], RNNRegressor().get_params()
        assert optimizer.name == name
        assert optimizer.summary
        assert defaults.keys() >= set(optimizer.parameters)
        taken = {parameter for base in optimizer.__mro__ for parameter in signature(base.__init__).parameters}
        assert taken - {"self", "theta", "decayed", "settings", "args", "kwargs"} == set(optimizer.parameters)
        assert optimizer.decays_weights == ("alpha" in optimizer.parameters)
        made = optimizer.make(np.zeros(3), defaults | {"learning_rate_init": 0.25}, np.array([[0, 2]]))
        assert made.learning_rate == 0.25
        optimizer.check_parameters(defaults)

    def test_an_unknown_update_or_vectors_that_it_does_not_take(self):
        def update(name, first=4, second=4, gradient=4):
            vectors = (np.zeros(n) if n else None for n in (first, second, gradient))
            kernels_for(np.float64).update(name, np.zeros(4), *vectors, np.array([[0, 4]]), learning_rate=0.1)

        update("adam")
        update("sgd", second=0)
        with pytest.raises(ValueError, match="there is no update 'adamax', expected one of "):
            update("adamax")
        for name, second in (("adam", 0), ("nadam", 0), ("sgd", 4), ("rmsprop", 4)):
            with pytest.raises(ValueError, match=rf"{name} takes [12] running averages"):
                update(name, second=second)
        with pytest.raises(ValueError, match="counts has 1 numbers, expected 2"):
            kernels_for(np.float64).update(
                "adam", *np.zeros((4, 4)), np.array([[0, 4]]), learning_rate=0.1, counts=np.zeros(1)
            )
        with pytest.raises(ValueError, match=r"ranges\[0\] is 2 to 5"):
            kernels_for(np.float64).update(
                "adam", *np.zeros((4, 4)), np.array([[0, 4]]), learning_rate=0.1, decayed=np.array([[2, 5]]), keep=0.5
            )
        for vectors in ({"first": 3}, {"second": 5}, {"gradient": 1}):
            with pytest.raises(ValueError, match="do not go together"):
                update("adam", **vectors)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_every_optimizer_minimizes_a_parabola_in_its_dtype(self, name, dtype):
        theta = np.array([3.0, -2.0], dtype)
        optimizer = make_optimizer(name, theta, 0.05)
        for step in range(1000):
            optimizer.learning_rate = 0.05 / (1 + step / 50)
            optimizer.update(theta, theta * np.array([1, 4], dtype))
        assert theta.dtype == dtype
        np.testing.assert_allclose(theta, 0, atol=5e-3)

    def test_an_update_leaves_the_gradient_alone(self):
        for name in OPTIMIZERS:
            theta, gradient = np.ones(3), np.arange(3.0)
            make_optimizer(name, theta).update(theta, gradient)
            np.testing.assert_array_equal(gradient, np.arange(3.0))


@pytest.mark.every_simd
class TestClipping:
    @pytest.mark.parametrize(("limit", "factor"), [(1.0, 0.2), (None, 1), (5.0, 1), (6.0, 1)])
    def test_only_a_long_gradient_is_scaled(self, limit, factor):
        assert clipping(5.0, limit) == pytest.approx(factor)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", [0, 1, 7, 8, 1001])
    def test_norm(self, size, dtype):
        gradient = np.random.default_rng(0).normal(size=size).astype(dtype)
        expected = np.linalg.norm(gradient.astype(np.float64))
        assert kernels_for(dtype).norm(gradient, full_range(gradient)) == pytest.approx(expected, rel=1e-14)

    def test_norm_and_updates_of_ranges(self):
        """What is in no range is neither read nor changed, and the ranges are as vectors of their own."""
        rng = np.random.default_rng(0)
        ranges = np.array([[3, 24], [24, 25], [40, 57], [99, 99]])
        inside = np.concatenate([np.arange(*part) for part in ranges])
        start, gradient = rng.normal(size=99), np.full(99, np.nan)
        gradient[inside] = rng.normal(size=len(inside))
        norm = kernels_for(np.float64).norm(gradient, ranges)
        assert norm == pytest.approx(np.linalg.norm(gradient[inside]), rel=1e-14)
        for name in OPTIMIZERS:
            some, own = start.copy(), start[inside]
            of_some, of_own = make_optimizer(name, some, 0.1), make_optimizer(name, own, 0.1)
            for _ in range(3):
                of_some.update(some, gradient, 0.5, ranges)
                of_own.update(own, gradient[inside], 0.5)
            np.testing.assert_array_equal(some[inside], own)
            np.testing.assert_array_equal(np.delete(some, inside), np.delete(start, inside))

    @pytest.mark.parametrize("ranges", [[[0, 100]], [[-1, 3]], [[5, 4]], [[1, 2, 3]]])
    def test_ranges_outside_of_the_vector(self, ranges):
        with pytest.raises(ValueError, match="ranges"):
            kernels_for(np.float64).norm(np.ones(99), np.array(ranges))

    def test_squares_of_float32_do_not_overflow(self):
        large = np.full(4, 1e30, np.float32)
        assert kernels_for(np.float32).norm(large, full_range(large)) == pytest.approx(2e30, rel=1e-6)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_the_factor_is_applied_by_the_optimizers(self, name):
        start, gradient = np.array([1.0, 2, 3]), np.array([4.0, -5, 6])
        scaled, plain = start.copy(), start.copy()
        make_optimizer(name, start, 0.1).update(scaled, gradient, 0.25)
        make_optimizer(name, start, 0.1).update(plain, 0.25 * gradient)
        np.testing.assert_array_equal(scaled, plain)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_counted_by_the_estimator(self):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(20, 4, 2)), 100 * rng.normal(size=20)
        clipped = RNNRegressor(3, max_iter=3, batch_size=5, max_grad_norm=1e-3, random_state=0).fit(X, y)
        free = RNNRegressor(3, max_iter=3, batch_size=5, random_state=0).fit(X, y)
        assert (clipped.n_clipped_, free.n_clipped_) == (12, 0)
        assert min(clipped.grad_norm_curve_) > 1e-3


class Pieces:
    """An objective that takes every batch as a whole."""

    ranges = np.array([[0, 1]])

    def __init__(self, function):
        self.function = function

    def checkpoint(self, model, batches):
        return None

    def gradients(self, theta, batch):
        yield self.function(theta, batch)


class TestLoop:
    """With an objective of its own: the loop knows no network."""

    def run(self, objective, rate=0.1, dtype=np.float64, schedule="constant", validate=None, **changed):
        stopping = {"max_iter": 50, "tol": 1e-4, "n_iter_no_change": 3}
        stopping |= {name: changed.pop(name) for name in stopping if name in changed}
        batches = Batches(10, 4, np.random.RandomState(0) if changed.pop("shuffle", True) else None)
        arguments = {"max_grad_norm": None} | changed
        model = Model(network=None, loss=None, theta=np.array([4.0], dtype), random_state=None)
        model.optimizer = SGD(model.theta, rate, 0.0)
        model.schedule = SCHEDULES[schedule](rate, 0.5, stopping["max_iter"])
        self.optimizer, self.stopping = model.optimizer, Stopping(**stopping, validate=validate)
        self.reason = train(model, Pieces(objective), batches, self.stopping, **arguments)
        return model.theta, model.history

    def test_every_sample_once_an_epoch_in_a_new_order(self):
        seen = []

        def objective(theta, index):
            seen.append(index.copy())
            return 1.0, 0.5, np.zeros(1), len(index)

        _, history = self.run(objective, max_iter=2)
        assert [len(index) for index in seen] == [4, 4, 2] * 2
        first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
        assert sorted(first) == sorted(second) == list(range(10))
        assert list(first) != list(second)
        assert history.last.n_samples_seen == 20

    def test_the_order_stays_without_shuffle(self):
        seen = []

        def objective(theta, index):
            seen.extend(index)
            return 1.0, 0.5, np.zeros(1), len(index)

        self.run(objective, shuffle=False, max_iter=2)
        assert seen == [*range(10), *range(10)]

    def test_loss_of_an_epoch_is_weighted_by_the_batches(self):
        losses = iter([1.0, 2.0, 6.0])
        with pytest.warns(ConvergenceWarning):
            _, history = self.run(lambda theta, index: (next(losses), 0.5, np.zeros(1), len(index)), max_iter=1)
        assert [epoch.loss for epoch in history.epochs] == [pytest.approx((4 * 1 + 4 * 2 + 2 * 6) / 10)]

    def test_stops_without_improvement(self):
        _, history = self.run(lambda theta, index: (1.0, 0.5, np.zeros(1), len(index)))
        assert history.n_epochs == 5      # the first, then more than n_iter_no_change without improvement

    def test_goes_on_while_it_improves(self):
        theta, history = self.run(lambda theta, index: (float(theta[0] ** 2), 0.0, 2 * theta, len(index)), tol=1e-8)
        assert abs(theta[0]) < 1e-3
        assert history.last.best_loss == min(epoch.loss for epoch in history.epochs)

    def test_warns_at_max_iter(self):
        with pytest.warns(ConvergenceWarning, match="maximum number of epochs, 2, and the loss still fell"):
            self.run(lambda theta, index: (float(theta[0] ** 2), 0.0, 2 * theta, len(index)), max_iter=2)

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_every_update_has_the_rate_of_the_schedule(self, name):
        """Where the gradient is 1 the parameters move by the rate."""
        seen = []

        def objective(theta, index):
            seen.append(float(theta[0]))
            return 1.0, 0.0, np.ones(1), len(index)

        theta, history = self.run(objective, max_iter=6, n_iter_no_change=10, schedule=name)
        schedule = SCHEDULES[name](0.1, 0.5, 6)
        rates = [schedule.rate(History(history.epochs[:n]), part) for n in range(6) for part in (0, 0.4, 0.8)]
        np.testing.assert_allclose(-np.diff([*seen, theta[0]]), rates, rtol=1e-10, atol=1e-14)

    @pytest.mark.parametrize(("loss", "slope"), [(np.nan, 0.0), (np.inf, 0.0), (1.0, np.nan), (1.0, np.inf)])
    def test_divergence_ends_the_fit_and_says_where(self, loss, slope):
        with pytest.raises(ValueError, match=r"diverged in epoch 1.*norm.*learning_rate_init"):
            self.run(lambda theta, index: (loss, 0.0, np.array([slope]), len(index)))

    def test_an_update_that_leaves_the_finite_numbers_is_divergence(self):
        with pytest.raises(ValueError, match="diverged in epoch 1"):
            self.run(lambda theta, index: (1.0, 0.0, np.full(1, 1e150), len(index)), rate=1e200, max_iter=1)

    def test_a_gradient_too_long_to_be_squared_in_float32_is_divergence(self):
        """Adam would divide by infinity and never move."""
        def objective(theta, index):
            return 1.0, 0.0, np.full(1, 1e20, theta.dtype), len(index)

        with pytest.raises(ValueError, match=r"diverged in epoch 1.* in float32"):
            self.run(objective, dtype=np.float32)
        theta, history = self.run(objective, dtype=np.float32, max_grad_norm=1.0)
        assert theta[0] < 4
        assert history.last.n_clipped == 3 * history.n_epochs

    def test_says_why_it_ended(self):
        self.run(lambda theta, index: (1.0, 0.5, np.zeros(1), len(index)))
        assert "did not improve" in self.reason


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
def test_a_sequence_without_weight_in_any_step_is_absent():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(T, 2)) for T in (3, 1, 4, 2)]
    y, weights = [x[:, 0] for x in X], [np.ones(len(x)) for x in X]
    weights[2][:] = 0
    net = RNNRegressor(4, batch_size=1, return_sequences=True, tol=1e-2, random_state=0)
    weighted = net.fit(X, y, weights).predict(X)
    del weights[2], y[2]
    removed = net.fit(X[:2] + X[3:], y, weights).predict(X)
    for a, b in zip(weighted, removed, strict=True):
        assert a.tobytes() == b.tobytes()


def test_weights_too_small_for_the_kernels_are_zero():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4, 2)), rng.normal(size=20)
    net = RNNRegressor(4, batch_size=5, shuffle=False, tol=1e-2, random_state=0)
    tiny = np.repeat([1e-310, 1.0], [5, 15])
    assert net.fit(X, y, tiny).predict(X).tobytes() == net.fit(X[5:], y[5:], np.ones(15)).predict(X).tobytes()
    with pytest.raises(ValueError, match="at least one non-zero number"):
        net.fit(X, y, np.full(20, 1e-308))
    small = net.set_params(alpha=0).fit(X, y, np.full(20, 1e-299)).predict(X)
    np.testing.assert_allclose(small, net.fit(X, y).predict(X), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
def test_zero_weight_is_absence_bit_for_bit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4, 2)), rng.integers(2, size=30)
    keep = rng.random(30) < 0.6
    net = RNNClassifier(4, batch_size=5, tol=1e-2, random_state=0)
    weighted = net.fit(X, y, sample_weight=keep.astype(float)).predict_proba(X)
    removed = net.fit(X[keep], y[keep], sample_weight=np.ones(keep.sum())).predict_proba(X)
    assert weighted.tobytes() == removed.tobytes()
