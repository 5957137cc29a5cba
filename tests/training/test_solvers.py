"""Solvers and their schedules, stopping, going on."""

import os
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, d2_tweedie_score, r2_score
from sklearn.neural_network import MLPRegressor

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._estimators.splitting import hold_out
from skrnn._network.objective import Objective
from skrnn._training.loop import START, History
from skrnn._training.optimizers import OPTIMIZERS, Adam, AdamW, RMSprop
from skrnn._training.schedules import SCHEDULES
from skrnn.kernels import POOLINGS
from skrnn.preprocessing import SequenceScaler

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SOLVERS = [*OPTIMIZERS, "lbfgs"]


def sums(n=60, T=8, seed=0):
    """Sequences of two features, and the sum of the first."""
    X = np.random.default_rng(seed).normal(size=(n, T, 2))
    return X, X[:, :, 0].sum(axis=1)


@quiet
class TestSolvers:
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_each_learns(self, solver):
        X, y = sums()
        rate = 0.05 if solver == "sgd" else 0.02
        net = RNNRegressor(8, cell="gru", solver=solver, learning_rate_init=rate, batch_size=20, random_state=0)
        assert net.fit(X, y).score(X, y) > 0.98
        assert len(net.loss_curve_) == net.n_iter_
        assert net.loss_curve_[-1] < 0.1 * net.loss_curve_[0]

    def test_rmsprop_as_in_the_lecture(self):
        rng = np.random.default_rng(0)
        theta, v = rng.normal(size=3), np.zeros(3)
        expected, rmsprop = theta.copy(), RMSprop(theta, 0.01)
        for g in rng.normal(size=(5, 3)):
            v = 0.9 * v + 0.1 * g**2
            expected = expected - 0.01 * g / (np.sqrt(v) + 1e-8)
            rmsprop.update(theta, g)
        np.testing.assert_allclose(theta, expected, rtol=1e-13)

    def test_adamw_decays_weights_apart_from_the_gradient(self):
        theta = np.array([1.0, 2.0, 3.0])
        plain, start, gradient = theta.copy(), theta.copy(), np.array([0.1, -0.2, 0.3])
        AdamW(theta, np.array([[1, 3]]), 0.5, learning_rate_init=0.1).update(theta, gradient)
        Adam(plain, learning_rate_init=0.1).update(plain, gradient)
        np.testing.assert_allclose(theta - plain, -0.1 * 0.5 * start * [0, 1, 1], rtol=1e-13)

    @pytest.mark.parametrize("solver", OPTIMIZERS)
    def test_alpha_of_a_decay_of_weights_is_not_in_the_loss(self, solver):
        X, y = sums()
        plain, decayed = (
            RNNRegressor(4, solver=solver, alpha=alpha, max_iter=1, batch_size=60, random_state=0).fit(X, y)
            for alpha in (0, 10.0)
        )
        assert plain.loss_ == decayed.loss_
        assert plain.penalty_curve_ == [0]
        assert (decayed.penalty_curve_ == [0]) == OPTIMIZERS[solver].decays_weights

    def test_lbfgs_ends_in_a_minimum(self):
        X, y = sums(20, 4)
        net = RNNRegressor(2, cell="rnn", solver="lbfgs", alpha=0.1, tol=1e-7, max_iter=5000, random_state=0).fit(X, y)
        before = net.loss_
        net.set_params(solver="sgd", momentum=0, learning_rate_init=1e-9, max_iter=1, warm_start=True, max_grad_norm=1)
        assert net.fit(X, y).grad_norm_curve_[-1] < 1e-3
        assert net.loss_ == pytest.approx(before)

    def test_lbfgs_warns_when_it_has_not_converged(self):
        X, y = sums()
        with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iterations"):
            RNNRegressor(4, solver="lbfgs", max_iter=2, random_state=0).fit(X, y)
        with pytest.warns(ConvergenceWarning, match=r"lbfgs failed to converge.*EVALUATIONS"):
            RNNRegressor(4, solver="lbfgs", max_fun=3, random_state=0).fit(X, y)

    @pytest.mark.slow
    def test_lbfgs_has_the_same_bits_on_any_number_of_threads(self):
        code = (
            "import numpy as np, warnings\nfrom skrnn import RNNRegressor\nfrom skrnn._runtime import threads\n"
            "threads.SERIAL_WORK = 0\n"
            "warnings.simplefilter('ignore')\n"
            "X = np.random.default_rng(0).normal(size=(40, 6, 2))\n"
            "net = RNNRegressor(60, solver='lbfgs', max_iter=5, random_state=0).fit(X, X[:, :, 0].sum(axis=1))\n"
            "assert net._fitted.model.theta.size > 10000\nprint(net._fitted.model.theta.tobytes().hex())"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True,
                env=os.environ | {"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            ).stdout
            for n in "14"
        }
        assert len(outputs) == 1

    @pytest.mark.parametrize(
        "changed",
        [
            {"early_stopping": True}, {"truncated_bptt_steps": 3}, {"dropout": 0.1}, {"recurrent_dropout": 0.1},
            {"max_grad_norm": 1.0}, {"average": 0.5},
        ],
    )
    def test_what_lbfgs_cannot_do_is_an_error(self, changed):
        with pytest.raises(ValueError, match=rf"{next(iter(changed))}=.* does not go with solver='lbfgs'"):
            RNNRegressor(4, solver="lbfgs", **changed).fit(*sums())
        assert not hasattr(RNNRegressor(4, solver="lbfgs"), "partial_fit")

    @pytest.mark.parametrize(
        ("solver", "name"), [(solver, name) for solver in OPTIMIZERS for name in OPTIMIZERS[solver].parameters]
    )
    def test_parameters_reach_the_optimizer(self, solver, name):
        X, y = sums()
        net = RNNRegressor(4, solver=solver, max_iter=3, random_state=0)
        other = clone(net).set_params(**{name: not net.nesterovs_momentum if name == "nesterovs_momentum" else 0.05})
        assert net.fit(X, y).loss_ != other.fit(X, y).loss_

    @pytest.mark.parametrize("solver", OPTIMIZERS)
    def test_a_decay_that_leaves_nothing_of_the_weights_is_an_error(self, solver):
        net = RNNRegressor(4, solver=solver, learning_rate_init=0.5, alpha=2.0, max_iter=1)
        if not OPTIMIZERS[solver].decays_weights:
            net.fit(*sums())
            return
        with pytest.raises(ValueError, match=r"alpha=2.0 times learning_rate_init=0.5 is the fraction .* less than 1"):
            net.fit(*sums())


WARMING_UP = ("warmup_cosine", "one_cycle")


class TestSchedules:
    def rates(self, name, epochs=6, **parameters):
        """The rates after 1, 2, ... epochs of 100 samples."""
        schedule, history, rates = SCHEDULES[name](0.1, **parameters), History(), []
        for _ in range(epochs):
            history.add(history.next_epoch(1.0, 0.0, 1.0, 100))
            rates.append(schedule.rate(history))
        return rates

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_each_begins_with_its_initial_rate(self, name):
        first = pytest.approx(0.1 / 25) if name in WARMING_UP else 0.1
        assert SCHEDULES[name](0.1).rate(History()) == first
        history = History([START._replace(n_samples_seen=60, n_plateaus=3)] * 4)
        assert SCHEDULES[name](0.1, n_epochs_before=4, n_plateaus_before=3).rate(history) == first

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_over_the_updates_of_an_epoch(self, name):
        """The rate is the same throughout, or goes on smoothly from one epoch to the next."""
        schedule, parts = SCHEDULES[name](0.1, max_iter=20), np.linspace(0, 1, 50, endpoint=False)
        histories = [History([START._replace(n_samples_seen=60)] * n) for n in range(20)]
        rates = [schedule.rate(history, part) for history in histories for part in parts]
        if name not in WARMING_UP:
            assert rates == list(np.repeat(rates[::50], 50))
            return
        assert max(np.abs(np.diff(rates))) < 0.1 / 90
        top = int(np.argmax(rates))
        assert rates[top] == pytest.approx(0.1, rel=1e-3)
        assert all(np.diff(rates[: top + 1]) > 0)
        assert all(np.diff(rates[top:]) < 0)
        assert rates[-1] < 1e-5
        assert schedule.rate(History([START] * 20)) == rates[0]

    @pytest.mark.parametrize("name", [name for name, schedule in SCHEDULES.items() if schedule.ends])
    def test_those_that_end_end_at_almost_zero(self, name):
        schedule = SCHEDULES[name](0.1, max_iter=1000)
        assert schedule.rate(History([START] * 999), 0.999) < 1e-6

    def test_warmup_cosine(self):
        schedule = SCHEDULES["warmup_cosine"](0.1, max_iter=10)
        assert schedule.rate(History(), 0.25) == pytest.approx(0.1 * (0.04 + 0.96 * 0.25))
        assert schedule.rate(History([START])) == 0.1
        for n, part in ((1, 0.5), (5, 0.5), (9, 0.9)):
            expected = 0.05 * (1 + np.cos(np.pi * (n + part - 1) / 9))
            assert schedule.rate(History([START] * n), part) == pytest.approx(expected)

    def test_one_cycle_is_that_of_pytorch(self):
        """The values of OneCycleLR(max_lr=0.1, total_steps=101), whose last step is number 100."""
        schedule = SCHEDULES["one_cycle"](0.1, max_iter=100)
        low, end = 0.1 / 25, 0.1 / 25 / 1e4
        for n in (0, 7, 29, 30, 31, 64, 99):
            up = low + (0.1 - low) * 0.5 * (1 - np.cos(np.pi * n / 30))
            down = end + (0.1 - end) * 0.5 * (1 + np.cos(np.pi * (n - 30) / 70))
            assert schedule.rate(History([START] * n)) == pytest.approx(up if n < 30 else down, rel=1e-12)

    @quiet
    @pytest.mark.parametrize("power_t", [100, 200.0, 1e300])
    def test_a_power_that_overflows_makes_the_rate_zero(self, power_t):
        """As a smaller one does whose inverse underflows."""
        X, y = sums()
        net = RNNRegressor(4, learning_rate="invscaling", power_t=power_t, max_iter=3, random_state=0).fit(X, y)
        first = clone(net).set_params(max_iter=1).fit(X, y)
        np.testing.assert_allclose(net._fitted.model.theta, first._fitted.model.theta, rtol=1e-12)

    def test_constant(self):
        assert self.rates("constant") == [0.1] * 6

    def test_invscaling_is_that_of_the_perceptrons(self):
        np.testing.assert_allclose(
            self.rates("invscaling", power_t=0.3), 0.1 / (100 * np.arange(1, 7) + 1) ** 0.3, rtol=1e-14
        )
        X, y = np.random.default_rng(0).normal(size=(100, 3)), np.zeros(100)
        with pytest.warns(ConvergenceWarning):
            mlp = MLPRegressor(
                hidden_layer_sizes=2, solver="sgd", learning_rate="invscaling", learning_rate_init=0.1, max_iter=4
            ).fit(X, y)
        assert mlp._optimizer.learning_rate == pytest.approx(self.rates("invscaling", 4, power_t=0.5)[-1])

    def test_cosine(self):
        rates = self.rates("cosine", 8, max_iter=6)
        assert rates[2] == pytest.approx(0.05)
        assert rates[4] == pytest.approx(0.05 * (1 + np.cos(5 * np.pi / 6)))
        assert all(np.diff(rates[:5]) < 0)
        assert rates[5:] == [0.1, *rates[:2]]

    @quiet
    def test_adaptive_takes_a_fifth_when_nothing_improves(self, capsys):
        X, y = sums()
        net = RNNRegressor(
            4, solver="sgd", learning_rate="adaptive", learning_rate_init=1e-4, tol=10.0, n_iter_no_change=2,
            verbose=True, random_state=0,
        ).fit(X, y)
        # 1e-4 / 5³ is below 1e-6: four times three epochs without improvement, after the first one
        assert net._fitted.model.learning_rate == pytest.approx(1e-4 / 5**3)
        assert net.n_iter_ == 13
        assert "did not improve" in capsys.readouterr().out

    @quiet
    @pytest.mark.parametrize("name", ["invscaling", "cosine", *WARMING_UP])
    @pytest.mark.parametrize("solver", OPTIMIZERS)
    def test_every_solver_follows_them(self, name, solver):
        X, y = sums()
        losses = [
            RNNRegressor(4, solver=solver, learning_rate=rate, max_iter=3, random_state=0).fit(X, y).loss_
            for rate in ("constant", name)
        ]
        assert losses[0] < losses[1]


EARLY = {
    "cell": "gru", "learning_rate": "constant", "learning_rate_init": 0.02, "early_stopping": True, "random_state": 0
}


@quiet
class TestEarlyStopping:
    def test_the_best_epoch_is_kept(self):
        X, y = sums(80)
        y = y + np.random.default_rng(1).normal(size=80)
        net = RNNRegressor(16, n_iter_no_change=5, validation_fraction=0.25, batch_size=5, **EARLY).fit(X, y)
        assert net.n_iter_ < 200
        assert len(net.validation_scores_) == net.n_iter_
        assert net.best_validation_score_ == max(net.validation_scores_)
        assert net.best_loss_ is None
        best = int(np.argmax(net.validation_scores_)) + 1
        assert best < net.n_iter_
        again = clone(net).set_params(max_iter=best, n_iter_no_change=best).fit(X, y)
        assert again.predict(X).tobytes() == net.predict(X).tobytes()

    def test_data_of_ones_own(self):
        X, y = sums(40)
        X_val, y_val = sums(30, seed=1)
        net = RNNRegressor(8, scoring=None, n_iter_no_change=10, **EARLY).fit(X, y, X_val=X_val, y_val=y_val)
        assert net.score(X_val, y_val) == pytest.approx(net.best_validation_score_)
        # all of X is trained on
        assert net.t_ == 40 * net.n_iter_
        with pytest.raises(ValueError, match="X_val and y_val go together"):
            net.fit(X, y, X_val=X_val)
        with pytest.raises(ValueError, match="y_val does not go with the 30 sequences"):
            net.fit(X, y, X_val=X_val, y_val=y)
        with pytest.raises(ValueError, match="X_val and y_val are what early_stopping=True"):
            clone(net).set_params(early_stopping=False).fit(X, y, X_val=X_val, y_val=y_val)

    def test_the_split_is_of_sequences_and_stratified(self):
        X, _ = sums(50)
        y = np.repeat(["a", "b"], [45, 5])
        net = RNNClassifier(4, validation_fraction=0.2, max_iter=3, **EARLY).fit(X, y)
        assert net.t_ == 3 * 40

    @pytest.mark.parametrize(
        ("y", "n_held_out"),
        [(["a", "a", "a", "b", "b"], 1), (["a"] * 24 + ["b"] * 25 + ["c"], 10), (["a"] * 49 + ["b"], 10)],
        ids=["fewer than classes", "one of a class", "one beside one class"],
    )
    def test_what_cannot_be_stratified_is_split_at_random(self, y, n_held_out):
        X, _ = sums(len(y))
        net = RNNClassifier(4, validation_fraction=0.2, max_iter=1, **EARLY).fit(X, y)
        assert net.t_ == len(y) - n_held_out
        used, held_out = hold_out(np.arange(len(y)), "sequences", 0.2, np.random.RandomState(0), np.array(y))
        assert sorted([*used, *held_out]) == list(range(len(y)))
        assert set(y) == {y[i] for i in used}

    def test_one_of_each_class_leaves_none_to_hold_out(self):
        X, _ = sums(4)
        net = RNNClassifier(4, max_iter=1, **EARLY)
        with pytest.raises(ValueError, match=r"cannot hold out any of 4 sequences, one of each class.*pass X_val"):
            net.fit(X, np.arange(4))
        assert net.fit(X, np.arange(4), X_val=X, y_val=np.arange(4)).n_iter_ == 1

    def test_a_label_of_the_validation_alone_is_missed(self):
        X, y = sums(60)
        net, y_val = RNNClassifier(4, max_iter=2, **EARLY), np.where(y > 1, 7, y > 0)
        with pytest.raises(ValueError, match=r"In X_val and y_val: y has the label 7.*its loss is infinite"):
            net.fit(X, y > 0, X_val=X, y_val=y_val)
        net.set_params(scoring=None).fit(X, y > 0, X_val=X, y_val=y_val)
        assert net.validation_scores_[-1] <= np.mean(y <= 1)
        assert net.validation_loss_curve_ == [np.inf, np.inf]

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    def test_constant_targets_to_validate_on_are_named(self):
        X, y = sums(60)
        net = RNNRegressor(4, max_iter=1, scoring=None, **EARLY)
        with pytest.warns(UserWarning, match=r"early_stopping validates on are all 2.5: their score is 0") as seen:
            net.fit(X, y, X_val=X, y_val=np.full(60, 2.5))
        assert seen[0].filename == __file__
        with pytest.warns(UserWarning, match="are all 1.0"):
            net.fit(X, np.ones(60))
        net.fit(X, y, X_val=X, y_val=y)
        net.set_params(scoring="loss").fit(X, y, X_val=X, y_val=np.full(60, 2.5))

    @pytest.mark.parametrize(
        ("loss", "metric"),
        [
            ("squared_error", r2_score), ("huber", r2_score), ("absolute_error", d2_absolute_error_score),
            ("quantile", partial(d2_pinball_score, alpha=0.8)), ("poisson", partial(d2_tweedie_score, power=1)),
        ],
    )
    def test_the_score_is_the_explained_share_of_the_loss(self, loss, metric):
        (X, y), (X_val, y_val) = sums(60), sums(40, seed=1)
        y, y_val = (np.exp(0.2 * y), np.exp(0.2 * y_val)) if loss == "poisson" else (y, y_val)
        net = RNNRegressor(8, loss=loss, quantile=0.8, max_iter=20, scoring=None, **EARLY)
        net.fit(X, y, X_val=X_val, y_val=y_val)
        assert net.best_validation_score_ == pytest.approx(metric(y_val, net.predict(X_val)))

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "log_cosh"])
    def test_a_constant_output_has_the_score_0_in_any_units(self, loss):
        (X, y), (X_val, y_val) = sums(60), sums(40, seed=1)
        constant = np.full(40, 0.1)
        for other in (y_val, np.where(np.arange(40) < 5, np.nan, y_val)):
            net = RNNRegressor(4, loss=loss, max_iter=2, scoring=None, **EARLY)
            net.fit(X, np.column_stack([y, y / 3]), X_val=X_val, y_val=np.column_stack([other, constant]))
            assert 0 < net.best_validation_score_ < 0.5
        net = RNNRegressor(4, loss=loss, max_iter=2, scoring=None, **EARLY).fit(X, y / 3, X_val=X_val, y_val=constant)
        assert net.validation_scores_ == [0, 0]

    def test_a_net_that_diverges_on_what_is_validated_on_names_the_sequence(self):
        (X, y), (X_val, y_val) = sums(60), sums(40, seed=1)
        X_val[23] = 1e308
        net = RNNRegressor(4, cell="rnn", activation="identity", early_stopping=True, random_state=0)
        with pytest.raises(ValueError, match=r"The net's output for X_val\[23\] is not finite"):
            net.fit(X, y, X_val=X_val, y_val=y_val)

    def test_what_is_validated_on_is_checked_as_y_is(self):
        (X, y), (X_val, y_val) = sums(60), sums(40, seed=1)
        net = RNNRegressor(4, loss="poisson", max_iter=2, **EARLY)
        with pytest.raises(ValueError, match=r"In X_val and y_val: y\[\d+\] is .* not negative"):
            net.fit(X, np.exp(y), X_val=X_val, y_val=y_val)
        net = RNNClassifier(4, max_iter=2, **EARLY)
        with pytest.raises(ValueError, match=r"In X_val and y_val: y has the label .*'c'.*, which is not among"):
            net.fit(X, np.where(y > 0, "a", "b"), X_val=X_val, y_val=np.full(40, "c"))

    def test_a_warm_start_keeps_what_it_began_with_when_nothing_is_better(self):
        (X, y), (X_val, y_val) = sums(60), sums(40, seed=1)
        net = RNNRegressor(8, warm_start=True, max_iter=60, **EARLY).fit(X, y, X_val=X_val, y_val=y_val)
        before = net.predict(X_val)
        net.set_params(learning_rate_init=5.0, max_iter=2).fit(X, y, X_val=X_val, y_val=y_val)
        np.testing.assert_array_equal(net.predict(X_val), before)
        assert net.best_validation_score_ == max(net.validation_scores_)

    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_several_outputs_and_steps_without_a_target(self, return_sequences):
        X, _ = sums(60)
        y = X.copy() if return_sequences else X.sum(axis=1)
        if return_sequences:
            y[::2, 3] = np.nan
        net = RNNRegressor(
            8, loss="absolute_error", return_sequences=return_sequences, batch_size=10, max_iter=30, scoring=None,
            **EARLY,
        ).fit(X, y)
        assert net.best_validation_score_ > 0.5

    def test_a_score_that_cannot_be_computed_is_an_error(self):
        X, y = sums(20)
        net = RNNRegressor(4, scoring=None, **EARLY)
        with (
            pytest.raises(ValueError, match="The validation score is nan: the 1 sequences held out are too few"),
            pytest.warns(UserWarning, match=r"R\^2 score is not well-defined"),
        ):
            net.fit(X, y, X_val=X[:1], y_val=y[:1])

    def test_what_a_score_needs_is_held_out(self):
        X, y = sums(6)
        net = RNNRegressor(4, max_iter=2, **EARLY).fit(X, y)
        assert net.t_ == 2 * 4
        assert np.isfinite(net.validation_scores_).all()
        assert RNNClassifier(4, max_iter=2, **EARLY).fit(X, y > 0).t_ == 2 * 5

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    def test_counts_that_are_all_alike(self):
        X, _ = sums(20)
        net = RNNRegressor(4, loss="poisson", max_iter=2, scoring=None, **EARLY)
        with pytest.warns(UserWarning, match="early_stopping validates on are all 0.0"):
            net.fit(X, np.zeros(20))
        assert net.validation_scores_ == [0.0, 0.0]
        y = np.column_stack([np.arange(20.0) % 3, np.ones(20)])
        # standardized training begins with the mean, which meets what is constant
        for standardize, of_constant in ((True, 1), (False, 0)):
            predicted = net.set_params(standardize=standardize).fit(X, y, X_val=X, y_val=y).predict(X)
            expected = (d2_tweedie_score(y[:, 0], predicted[:, 0], power=1) + of_constant) / 2
            assert net.best_validation_score_ == pytest.approx(expected)


# What an epoch of `partial_fit` once took, and trained wrongly, not at all, or raised something raw
WRONG = [
    ("alpha", -100.0), ("alpha", np.nan), ("huber_delta", -1.0), ("quantile", 2.0), ("truncated_bptt_steps", -1),
    ("truncated_bptt_steps", 0), ("cell", "LSTM"), ("batch_size", 0), ("solver", "newton"), ("dropout", 1.0),
    ("recurrent_dropout", -0.1), ("activation", "gelu"), ("missing", "drop"), ("tol", -1.0), ("hidden_size", 0),
    ("hidden_size", (2, -1)), ("n_streams", 0), ("learning_rate_init", 0.0), ("learning_rate", "none"),
    ("class_weight", "even"), ("class_weight", {0: -1.0}), ("max_grad_norm", 0.0), ("n_steps", 0),
    ("embedding_dim", 1.5), ("loss", "l3"), ("out_activation", "exp"), ("shuffle", "no"), ("pooling", "first"),
]
FIRST_EPOCH = {
    RNNRegressor: lambda: RNNRegressor(2, random_state=0).partial_fit(*sums(6)),
    RNNClassifier: lambda: RNNClassifier(2, random_state=0).partial_fit(*DATA_OF[RNNClassifier], classes=[0, 1]),
    RNNLanguageModel: lambda: RNNLanguageModel(2, n_streams=2, random_state=0).partial_fit(["ab", "ba"]),
    SequenceScaler: lambda: SequenceScaler().partial_fit(sums(6)[0]),
}
DATA_OF = {
    RNNRegressor: sums(6), RNNClassifier: (sums(6)[0], np.arange(6) % 2), RNNLanguageModel: (["ab", "ba"],),
    SequenceScaler: (sums(6)[0],),
}


@quiet
class TestGoingOn:
    @pytest.mark.parametrize("solver", OPTIMIZERS)
    @pytest.mark.parametrize("estimator", [RNNClassifier, RNNRegressor])
    def test_partial_fit_goes_on_bit_for_bit_after_pickling(self, solver, estimator):
        X, y = sums()
        parameters = {"batch_size": 7, "random_state": 0, "dropout": 0.2, "recurrent_dropout": 0.1, "solver": solver}
        first = {} if estimator is RNNRegressor else {"classes": [False, True]}
        y = y if estimator is RNNRegressor else y > 0
        straight, halting = estimator(5, **parameters), estimator(5, **parameters)
        for epoch in range(6):
            straight.partial_fit(X, y, **first)
            halting.partial_fit(X, y, **(first if epoch == 0 else {}))
            halting = pickle.loads(pickle.dumps(halting))
        assert straight._fitted.model.theta.tobytes() == halting._fitted.model.theta.tobytes()
        assert straight.loss_curve_ == halting.loss_curve_
        assert straight.n_iter_ == len(straight.loss_curve_) == 6
        assert straight.t_ == 6 * len(X)

    @pytest.mark.parametrize("solver", OPTIMIZERS)
    def test_partial_fit_is_an_epoch_of_fit(self, solver):
        """All that an optimizer knows goes on, through the copies that `partial_fit` makes and through pickles."""
        X, y = sums()
        net = RNNRegressor(
            5, solver=solver, learning_rate="constant", batch_size=7, shuffle=False, tol=0, max_iter=4, random_state=0
        )
        parts = clone(net)
        for _ in range(4):
            parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y)))
        assert parts._fitted.model.theta.tobytes() == net.fit(X, y)._fitted.model.theta.tobytes()

    @pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "adaptive"])
    def test_the_schedule_goes_on_with_partial_fit(self, name):
        X, y = sums()
        net = RNNRegressor(
            4, learning_rate=name, learning_rate_init=0.02, batch_size=20, shuffle=False, max_iter=5,
            n_iter_no_change=99, random_state=0,
        )
        parts = clone(net)
        for _ in range(5):
            parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y)))
        net.set_params(warm_start=True).fit(X, y)
        assert parts._fitted.model.theta.tobytes() == net._fitted.model.theta.tobytes()
        # warm_start begins the schedule again, as partial_fit does after max_iter calls
        first, again = (fitted._fitted.model.optimizer.learning_rate for fitted in (net, net.fit(X, y)))
        assert again == first or name == "invscaling"
        assert net.n_iter_ == 10

    def test_the_rate_auto_comes_down_in_fit_and_stays_in_partial_fit(self):
        X, y = sums()
        parameters = {"hidden_size": 4, "learning_rate_init": 0.02, "batch_size": 20, "random_state": 0, "max_iter": 4}
        nets = {name: RNNRegressor(learning_rate=name, **parameters) for name in ("auto", "cosine", "constant")}
        whole = {name: clone(net).fit(X, y).predict(X).tobytes() for name, net in nets.items()}
        assert whole["auto"] == whole["cosine"] != whole["constant"]
        for _ in range(3):
            parts = {name: net.partial_fit(X, y).predict(X).tobytes() for name, net in nets.items()}
        assert parts["auto"] == parts["constant"] != parts["cosine"]
        net = RNNRegressor(learning_rate="auto", **parameters).fit(X, y)
        assert net._fitted.model.optimizer.learning_rate < 0.01
        assert [net.partial_fit(X, y)._fitted.model.optimizer.learning_rate for _ in range(3)] == [0.02] * 3

    def test_nets_without_a_seed_draw_apart(self):
        X, y = sums()
        a, b = (RNNRegressor(3, dropout=0.5).partial_fit(X, y) for _ in range(2))
        assert a._fitted.model.random_state.randint(2**31 - 1) != b._fitted.model.random_state.randint(2**31 - 1)
        assert a._fitted.model.random_state is not np.random.mtrand._rand

    def test_partial_fit_learns(self):
        X, y = sums()
        net = RNNRegressor(8, cell="gru", learning_rate_init=0.02, batch_size=20, random_state=0)
        for _ in range(60):
            net.partial_fit(X, y)
        assert net.score(X, y) > 0.95

    def test_the_dtype_stays_that_of_the_first_fit(self):
        X, y = sums()
        for first, second in ((np.float32, np.float64), (np.float64, np.float32)):
            net = RNNRegressor(4, random_state=0).partial_fit(X.astype(first), y).partial_fit(X.astype(second), y)
            assert net.predict(X.astype(second)).dtype == first
            net.set_params(warm_start=True, max_iter=1).fit(X.astype(second), y)
            assert net._fitted.model.theta.dtype == first

    def test_partial_fit_goes_on_after_fit_of_any_solver(self):
        X, y = sums()
        for solver in SOLVERS:
            net = RNNRegressor(4, solver=solver, max_iter=5, random_state=0).fit(X, y)
            net.set_params(solver="adam" if solver == "lbfgs" else solver).partial_fit(X, y)
            assert net.n_iter_ == 6
            assert net.loss_ < net.loss_curve_[0]

    def test_partial_fit_follows_the_schedule(self):
        X, y = sums()
        net = RNNRegressor(4, learning_rate="cosine", learning_rate_init=1e-3, max_iter=4, random_state=0)
        rates = [net.partial_fit(X, y)._fitted.model.learning_rate for _ in range(5)]
        assert all(np.diff([1e-3, *rates[:3]]) < 0)
        assert rates[3:] == [1e-3, rates[0]]
        net.set_params(learning_rate="adaptive", tol=10.0, n_iter_no_change=2)
        net = clone(net)
        rates = [net.partial_fit(X, y)._fitted.model.learning_rate for _ in range(7)]
        assert rates == [1e-3] * 3 + [pytest.approx(2e-4)] * 3 + [pytest.approx(4e-5)]

    def test_what_partial_fit_refuses(self):
        X, y = sums()
        net = RNNClassifier(4, random_state=0)
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            net.partial_fit(X, y > 0)
        assert not hasattr(net, "classes_")
        net.partial_fit(X, y > 0, classes=[False, True])
        with pytest.raises(ValueError, match="is not the same as on last call"):
            net.partial_fit(X, y > 0, classes=[0, 1, 2])
        with pytest.raises(ValueError, match=r"label 3, which is not among classes"):
            net.partial_fit(X, np.full(60, 3))
        with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
            clone(net).set_params(early_stopping=True).partial_fit(X, y > 0, classes=[False, True])
        with pytest.raises(ValueError, match="class_weight='balanced' needs all data"):
            clone(net).set_params(class_weight="balanced").partial_fit(X, y > 0, classes=[False, True])
        with pytest.raises(ValueError, match="expecting 2 features"):
            net.partial_fit(X[:, :, :1], y > 0)
        assert net.n_iter_ == 1

    def test_a_class_that_comes_later(self):
        X, y = sums()
        net = RNNClassifier(4, random_state=0).partial_fit(X, np.where(y > 0, "a", "b"), classes=["c", "b", "a"])
        assert net.classes_.tolist() == ["a", "b", "c"]
        assert net.predict_proba(X).shape == (60, 3)

    def test_warm_start_goes_on_from_the_parameters(self):
        X, y = sums()
        net = RNNRegressor(4, max_iter=10, warm_start=True, random_state=0).fit(X, y)
        loss, theta = net.loss_, net._fitted.model.theta
        before = theta.copy()
        net.fit(X, y)
        assert (net.n_iter_, len(net.loss_curve_)) == (20, 20)
        assert net.loss_ < loss
        np.testing.assert_array_equal(theta, before)
        cold = clone(net).set_params(warm_start=False)
        assert cold.fit(X, y).loss_ == cold.fit(X, y).loss_ == loss

    @pytest.mark.parametrize(
        "changed", [{"hidden_size": 5}, {"hidden_size": (4, 4)}, {"cell": "lstm"}, {"bidirectional": True}]
    )
    def test_warm_start_of_another_network_is_an_error(self, changed):
        X, y = sums()
        net = RNNRegressor(4, max_iter=2, warm_start=True, random_state=0).fit(X, y)
        predictions = net.predict(X)
        with pytest.raises(ValueError, match="cannot continue with parameters of the shapes"):
            net.set_params(**changed).fit(X, y)
        np.testing.assert_array_equal(net.predict(X), predictions)

    def test_warm_start_with_another_reading_of_x_is_an_error(self):
        X = np.zeros((6, 4, 1))
        net = RNNRegressor(4, embedding_dim=2, max_iter=1, warm_start=True, random_state=0).fit(X, np.arange(6.0))
        for changed in ({"embedding_dim": None}, {"embedding_dim": None, "missing": "indicator"}):
            with pytest.raises(ValueError, match=r"cannot continue with missing=.* and embedding_dim=None"):
                net.set_params(**changed).fit(X, np.arange(6.0))

    @pytest.mark.parametrize(("make", "name"), [
        (make, name) for cls, make in FIRST_EPOCH.items() for name in cls._parameter_constraints
    ])
    def test_later_calls_check_every_parameter(self, make, name):
        net = make()
        before = pickle.dumps(net)
        valid = getattr(net, name)
        wrong = [object(), *(value for given, value in WRONG if given == name)]
        for value in wrong:
            net.set_params(**{name: value})
            for train in (net.partial_fit, net.fit):
                with pytest.raises(ValueError, match=name):
                    train(*DATA_OF[type(net)])
        assert pickle.dumps(net.set_params(**{name: valid})) == before

    def test_a_check_that_is_switched_off(self):
        X, y = sums()
        with config_context(skip_parameter_validation=True):
            net = RNNRegressor(4, power_t=-1, random_state=0).partial_fit(X, y).partial_fit(X, y)
        assert net.n_iter_ == 2

    def test_warm_start_with_other_targets_is_an_error(self):
        X, y = sums()
        net = RNNRegressor(4, max_iter=2, warm_start=True, random_state=0).fit(X, y)
        with pytest.raises(ValueError, match=r"y has shape \(60, 2\), expected \(60,\) as in the first fit"):
            net.fit(X, np.column_stack([y, y]))


def test_lbfgs_keeps_what_it_had_when_a_step_goes_too_far(monkeypatch):
    X, y = sums()
    calls = []
    call = Objective.__call__

    def exploding(self, theta, batch):
        calls.append(1)
        loss, penalty, gradient, weight = call(self, theta, batch)
        return (np.inf if len(calls) > 12 else loss), penalty, gradient, weight

    monkeypatch.setattr(Objective, "__call__", exploding)
    with pytest.warns(ConvergenceWarning, match="lbfgs stopped early: Training diverged in epoch"):
        net = RNNRegressor(4, solver="lbfgs", random_state=0).fit(X, y)
    assert net.loss_ < net.loss_curve_[0]
    assert np.isfinite(net.predict(X)).all()


@quiet
class TestStretches:
    """truncated_bptt_steps."""

    def test_every_stretch_is_an_update_from_the_states_before(self):
        """Plain gradient descent, written out with calls of fit on the stretches alone."""
        rng = np.random.default_rng(0)
        X = [rng.normal(size=(T, 2)) for T in (7, 4, 9)]
        y = [x.sum(axis=1) for x in X]
        parameters = {
            "solver": "sgd", "momentum": 0, "learning_rate_init": 0.1, "alpha": 0, "return_sequences": True,
            "batch_size": 3, "shuffle": False, "random_state": 0, "max_iter": 1, "standardize": False,
        }
        net = RNNRegressor(3, truncated_bptt_steps=4, **parameters).fit(X, y)
        plain = RNNRegressor(3, **parameters)
        plain.fit(X, y)
        theta = plain._fitted.model.network.initialize(np.random.RandomState(0), np.float64)
        states = plain._fitted.model.network.zero_state(3, np.float64)
        for begin in (0, 4, 8):
            some = [i for i in range(3) if len(X[i]) > begin]
            steps = plain._fitted.reading.read(plain, [X[i][begin : begin + 4] for i in some])
            targets = np.concatenate([y[i][begin : begin + 4] for i in some])[:, np.newaxis]
            final = np.empty_like(states[some])
            scores = plain._fitted.model.network.forward(theta, steps, np.arange(len(some)), states[some], final)
            gradients = plain._fitted.model.network.backward(
                theta, steps, np.arange(len(some)), (scores - targets) / len(targets), initial=states[some]
            )
            theta -= 0.1 * gradients.theta
            states[some] = final
        np.testing.assert_allclose(net._fitted.model.theta, theta, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_one_target_a_sequence(self, pooling):
        X, y = sums(60, 12)
        net = RNNRegressor(
            8, cell="gru", truncated_bptt_steps=5, pooling=pooling, learning_rate_init=0.02, batch_size=20,
            random_state=0,
        ).fit(X, y)
        assert net.score(X, y) > 0.3

    def test_stretches_that_are_longer_than_the_sequences_change_nothing(self):
        X, y = sums()
        a, b = (
            RNNRegressor(4, truncated_bptt_steps=steps, max_iter=3, random_state=0).fit(X, y) for steps in (None, 8)
        )
        assert a._fitted.model.theta.tobytes() == b._fitted.model.theta.tobytes()

    def test_long_sequences_are_learned(self):
        rng = np.random.default_rng(0)
        X = [rng.normal(size=T).astype(np.float32) for T in (3000, 2500, 10, 2000)]
        y = [np.concatenate([np.zeros(3, np.float32), x[:-3]]) for x in X]
        net = RNNRegressor(
            24, cell="gru", truncated_bptt_steps=50, return_sequences=True, learning_rate_init=0.01, max_iter=20,
            random_state=0,
        ).fit(X, y)
        assert net.score(X, y) > 0.95

    def test_steps_without_weight(self):
        rng = np.random.default_rng(0)
        X = [rng.normal(size=(T, 2)) for T in (9, 8)]
        y = [x[:, 0].copy() for x in X]
        for target in y:
            target[3:6] = np.nan
        net = RNNRegressor(
            4, truncated_bptt_steps=3, return_sequences=True, learning_rate_init=0.02, random_state=0
        ).fit(X, y)
        assert len(net.grad_norm_curve_) == net.n_iter_
        assert net.score(X, y) > 0.5

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    @pytest.mark.parametrize("rates", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
    def test_stretches_without_a_target_have_dropout_as_well(self, rates):
        """A sequence's masks do not depend on whether others of the batch end in the same stretch."""
        rng = np.random.default_rng(0)
        X = [rng.normal(size=(10, 2)), rng.normal(size=(5, 2))]
        net = RNNRegressor(
            (8, 8), truncated_bptt_steps=5, max_iter=1, shuffle=False, alpha=0, learning_rate_init=1e-12,
            random_state=0, **rates,
        )
        losses = [net.fit(X, [1.0, 1.0], [1, weight]).loss_ for weight in (1e-13, 0)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-9)

    def test_both_directions_are_an_error(self):
        with pytest.raises(ValueError, match="truncated_bptt_steps needs the states"):
            RNNRegressor(4, truncated_bptt_steps=3, bidirectional=True).fit(*sums())
