"""How long training is: numbers of epochs that are counted in updates, and what is said at the last of them."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._training import epochs, loop
from skrnn._training.convergence import unrest
from skrnn._training.loop import START
from skrnn._training.schedules import SCHEDULES
from skrnn.preprocessing import SequenceScaler

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 2))
Y = X[:, :, 0].sum(axis=1)
RAGGED = [RNG.normal(size=(length, 2)) for length in RNG.integers(1, 12, size=30)]
ENDING = [name for name, schedule in SCHEDULES.items() if schedule.ends]


@pytest.fixture
def lengths(monkeypatch):
    """The tests' own numbers of updates and epochs, in the place of those that are best by measurement."""
    for name, number in (
        ("UPDATES", 2000), ("MIN_EPOCHS", 20), ("MAX_EPOCHS", 600), ("MAX_EPOCHS_OF_LABELS", 1000),
        ("PATIENCE_UPDATES", 400), ("MIN_PATIENCE_EPOCHS", 10),
    ):
        monkeypatch.setattr(epochs, name, number)


@pytest.mark.usefixtures("lengths")
@pytest.mark.parametrize(
    ("n_updates", "numbers", "labels"),
    [(1, 600, 600), (2, 600, 1000), (3, 600, 667), (4, 500, 500), (99, 21, 21), (100, 20, 20), (5000, 20, 20)],
)
def test_epochs_of_enough_updates(n_updates, numbers, labels):
    assert epochs.max_epochs("auto", n_updates, of_labels=False) == numbers
    assert epochs.max_epochs("auto", n_updates, of_labels=True) == labels
    assert epochs.max_epochs(7, n_updates, of_labels=True) == 7


@pytest.mark.usefixtures("lengths")
@pytest.mark.parametrize(("n_updates", "expected"), [(1, 400), (3, 134), (40, 10), (5000, 10)])
def test_patience_in_updates(n_updates, expected):
    assert epochs.patience("auto", n_updates, to_the_end=False) == expected
    assert epochs.patience("auto", n_updates, to_the_end=True) == np.inf
    assert epochs.patience(7, n_updates, to_the_end=True) == 7


def steps_of(sequences):
    return [x[:, 0] for x in sequences]


UPDATES = {
    "batches": (lambda: RNNRegressor(2, batch_size=25), X, Y),
    "one batch": (lambda: RNNRegressor(2, batch_size="auto"), X[:20], Y[:20]),
    "stretches, a target a sequence": (lambda: RNNRegressor(2, batch_size=25, truncated_bptt_steps=4), X, Y),
    "stretches, a target a step": (
        lambda: RNNRegressor(2, batch_size=25, truncated_bptt_steps=4, return_sequences=True), X, X[:, :, 0]
    ),
    "ragged stretches, a target a sequence": (
        lambda: RNNRegressor(2, batch_size=7, truncated_bptt_steps=4), RAGGED, np.arange(30.0)
    ),
    "ragged stretches, a target a step": (
        lambda: RNNRegressor(2, batch_size=7, truncated_bptt_steps=4, return_sequences=True), RAGGED, steps_of(RAGGED)
    ),
    "ragged stretches of patches": (
        lambda: RNNRegressor(2, batch_size=7, truncated_bptt_steps=2, patch_size=3, patch_stride=2), RAGGED,
        np.arange(30.0),
    ),
    "labels": (lambda: RNNClassifier(2, batch_size=7), X, Y > 0),
    "texts": (lambda: RNNLanguageModel(2, n_streams=3, truncated_bptt_steps=4), ["abab", "bab"] * 9, None),
    "one text": (lambda: RNNLanguageModel(2, n_streams=3, truncated_bptt_steps=4), ["ab"], None),
}


@quiet
@pytest.mark.parametrize("name", UPDATES)
def test_the_updates_of_an_epoch_are_known_before(name, monkeypatch):
    make, data, target = UPDATES[name]
    net, update, n_updates, asked = make().set_params(shuffle=False, max_iter=1), loop._update, [], []
    monkeypatch.setattr(loop, "_update", lambda *arguments: n_updates.append(1) or update(*arguments))
    max_epochs = epochs.max_epochs
    monkeypatch.setattr(epochs, "max_epochs", lambda *given: asked.append(given) or min(1, max_epochs(*given)))
    net.set_params(max_iter="auto").fit(data, target)
    assert asked == [("auto", len(n_updates), net.out_activation_ != "identity")]


@quiet
@pytest.mark.parametrize("name", ["one batch", "labels", "ragged stretches, a target a sequence", "one text"])
def test_auto_is_a_number(name):
    make, data, target = UPDATES[name]
    net = make().set_params(max_iter="auto", n_iter_no_change=10**6, random_state=0).fit(data, target)
    assert epochs.MIN_EPOCHS <= net.n_iter_ == net.max_iter_ <= epochs.MAX_EPOCHS_OF_LABELS
    again = clone(net).set_params(max_iter=net.max_iter_).fit(data, target)
    assert again.max_iter_ == net.max_iter_
    assert again._fitted.model.theta.tobytes() == net._fitted.model.theta.tobytes()


@quiet
@pytest.mark.usefixtures("lengths")
def test_the_updates_are_those_of_what_is_trained_on():
    net = RNNRegressor(2, batch_size=5, max_iter="auto", n_iter_no_change=1, tol=1e9, random_state=0)
    assert net.fit(X, Y).max_iter_ == 167                   # 12 updates
    assert net.set_params(early_stopping=True, validation_fraction=0.5).fit(X, Y).max_iter_ == 334
    weights = np.repeat([0.0, 1.0], [50, 10])
    assert net.set_params(early_stopping=False).fit(X, Y, weights).max_iter_ == 600   # at most


def test_lbfgs_has_a_number_of_its_own():
    net = RNNRegressor(2, solver="lbfgs", max_iter="auto", tol=0.1, random_state=0).fit(X, Y)
    assert net.max_iter_ == epochs.LBFGS_ITERATIONS
    assert net.n_iter_ < 200
    assert net.set_params(max_iter=199).fit(X, Y).max_iter_ == 199


@quiet
@pytest.mark.usefixtures("lengths")
@pytest.mark.parametrize("name", SCHEDULES)
def test_where_the_rate_comes_to_an_end_the_training_loss_does_not_stop(name):
    """No epoch improves by so much as tol: that is patience alone."""
    net = RNNRegressor(2, learning_rate=name, n_iter_no_change="auto", max_iter=150, tol=1e9, random_state=0)
    net.set_params(batch_size=10, learning_rate_init=1e-6)          # too low for "adaptive" to lower
    patience = 67                                                   # 400 updates, 6 an epoch
    assert net.fit(X, Y).n_iter_ == (150 if name in ENDING else 1 + patience + 1)
    assert net.set_params(n_iter_no_change=5).fit(X, Y).n_iter_ == 7
    net.set_params(n_iter_no_change="auto", early_stopping=True)
    assert net.fit(X, Y, X_val=X, y_val=Y).n_iter_ == 1 + patience + 1


@quiet
@pytest.mark.usefixtures("lengths")
def test_adaptive_plateaus_have_the_same_patience():
    net = RNNRegressor(2, learning_rate="adaptive", n_iter_no_change="auto", max_iter=60, tol=1e9, random_state=0)
    net.set_params(batch_size=1, learning_rate_init=0.01).fit(X, Y)     # 60 updates: the least number of epochs
    assert net._fitted.model.history.last.n_plateaus == 5
    for _ in range(12):
        net.partial_fit(X, Y)
    assert net._fitted.model.history.last.n_plateaus == 6


@pytest.mark.usefixtures("lengths")
def test_the_schedule_of_partial_fit_has_the_length_that_fit_would_have():
    net = RNNRegressor(2, learning_rate="cosine", max_iter="auto", batch_size=1, random_state=0).partial_fit(X, Y)
    assert net.max_iter_ == net._fitted.model.schedule.max_iter == 34
    net.partial_fit(X[:5], Y[:5])
    assert net.max_iter_ == net._fitted.model.schedule.max_iter == 34


@pytest.mark.parametrize("estimator", [RNNRegressor, RNNClassifier, RNNLanguageModel])
@pytest.mark.parametrize("name", ["max_iter", "n_iter_no_change"])
def test_only_auto_is_a_word(estimator, name):
    with pytest.raises(ValueError, match=f"{name}.*'auto'"):
        estimator(2, **{name: "automatic"}).fit(["ab"] if estimator is RNNLanguageModel else X, Y > 0)


class TestConvergence:
    def records(self, losses, scores=None):
        scores = [None] * len(losses) if scores is None else scores
        return [START._replace(loss=loss, score=score) for loss, score in zip(losses, scores, strict=True)]

    def test_the_means_of_the_last_tenths(self):
        losses = np.concatenate([np.linspace(5, 2, 16), [1.0, 2.0, 0.5, 0.7]])
        assert unrest(self.records(losses), 0.1) == (
            "and the loss still fell by 0.9, from 1.5 to 0.6 (means of 2 epochs each)"
        )
        assert unrest(self.records(losses), 0.9) is None
        assert unrest(self.records(losses[::-1]), 0.0) is None

    def test_less_than_a_hundredth_of_all_counts_as_nothing(self):
        falling = [10.0, *[1.0] * 18, 0.92]
        assert unrest(self.records(falling), 0.0) is None
        falling[-1] = 0.8
        assert "fell by 0.1" in unrest(self.records(falling), 0.0)

    def test_a_score_that_is_validated_rises(self):
        scores = [0.1, 0.2, 0.3, 0.35]
        assert unrest(self.records([1.0] * 4, scores), 0.01) == (
            "and the validation score still rose by 0.05, from 0.3 to 0.35 (in the last of them)"
        )
        assert unrest(self.records([4.0, 3.0, 2.0, 1.0], [0.2] * 4), 0.0) is None

    def test_one_epoch_tells_nothing(self):
        assert unrest(self.records([1.0]), 0.0) == "too early to see whether the loss still fell"
        assert unrest([], 0.0, "iterations") == "too early to see whether the loss still fell"

    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    @pytest.mark.parametrize("through", [lambda net: net, lambda net: make_pipeline(SequenceScaler(), net)])
    def test_it_is_said_once_where_fit_was_called(self, solver, through):
        model = through(RNNRegressor(4, solver=solver, max_iter=3, random_state=0))
        with pytest.warns(ConvergenceWarning, match="the loss still fell by .*Increase max_iter") as seen:
            model.fit(X, Y)
        assert [warning.filename for warning in seen] == [__file__]

    def test_of_texts(self):
        with pytest.warns(ConvergenceWarning, match="epochs, 2, and the loss still fell") as seen:
            RNNLanguageModel(4, max_iter=2, random_state=0).fit(["abab"] * 9)
        assert [warning.filename for warning in seen] == [__file__]

    @pytest.mark.parametrize("name", ENDING)
    def test_a_schedule_that_came_to_its_end_is_silent(self, name):
        net = RNNRegressor(
            4, cell="gru", learning_rate=name, learning_rate_init=0.02, max_iter=100, n_iter_no_change="auto",
            batch_size=10, random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert net.fit(X, Y).n_iter_ == 100
            net.partial_fit(X, Y)
        assert net.score(X, Y) > 0.99

    def test_a_warm_start_looks_at_its_own_epochs(self):
        net = RNNRegressor(4, max_iter=2, learning_rate_init=0.01, warm_start=True, random_state=0)
        with pytest.warns(ConvergenceWarning, match="epochs, 2, and the loss still fell"):
            net.fit(X, Y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            net.set_params(learning_rate_init=1e-12).fit(X, Y)
        with pytest.warns(ConvergenceWarning, match="epochs, 1, too early to see"):
            net.set_params(max_iter=1).fit(X, Y)
