"""The mean of the parameters over the last epochs."""

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._network.objective import Objective
from skrnn._training.averaging import Average

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(30, 5, 2)), RNG.normal(size=(20, 5, 2))
Y, Y_VAL = X[:, :, 0].sum(axis=1), X_VAL[:, :, 0].sum(axis=1)
NET = {
    "hidden_size": 3, "batch_size": 10, "learning_rate": "constant", "learning_rate_init": 0.05, "max_iter": 6,
    "n_iter_no_change": 99, "random_state": 0,
}
FITS = {
    "adam": lambda **changed: RNNRegressor(**NET | changed).fit(X, Y),
    "sgd, float32": lambda **changed: RNNRegressor(**NET | {"solver": "sgd"} | changed).fit(X.astype(np.float32), Y),
    "dropout": lambda **changed: RNNRegressor(**NET | {"dropout": 0.3} | changed).fit(X, Y),
    "labels": lambda **changed: RNNClassifier(**NET | changed).fit(X, Y > 0),
    "texts": lambda **changed: RNNLanguageModel(
        2, embedding_dim=2, n_streams=2, truncated_bptt_steps=4, learning_rate="constant", random_state=0,
        **{"max_iter": 6} | changed
    ).fit(["abcab", "bca", "cabca"]),
}


def theta_of(net):
    return net._fitted.model.theta


def after_epochs(fit, numbers, **changed):
    """The parameters without an average after these numbers of epochs, at a constant rate."""
    return [theta_of(fit(max_iter=n, **changed)).astype(np.float64) for n in numbers]


@pytest.mark.parametrize(
    ("average", "numbers"), [(0.0, [6]), (0.01, [6]), (1 / 3, [5, 6]), (0.5, [4, 5, 6]), (True, range(1, 7))]
)
@pytest.mark.parametrize("name", FITS)
def test_the_net_has_the_mean_of_the_last_epochs(name, average, numbers):
    net = FITS[name](average=average)
    expected = np.mean(after_epochs(FITS[name], numbers), axis=0)
    np.testing.assert_allclose(theta_of(net), expected, rtol=1e-6 if theta_of(net).dtype == np.float32 else 1e-14)
    assert net.loss_curve_ == FITS[name]().loss_curve_


def test_an_epoch_counts_once():
    average, theta = Average(3), np.array([1.0, 2.0], np.float32)
    for number in (1, 2):
        average.add(number, theta)
        assert average.of(theta) is theta
    for number, factor in ((3, 1), (3, 5), (4, 3), (4, 9)):
        average.add(number, factor * theta)
    assert average.of(theta).tolist() == [2.0, 4.0]
    assert average.of(theta).dtype == np.float32


def test_a_warm_start_averages_its_own_epochs():
    net = RNNRegressor(**NET | {"max_iter": 4}, warm_start=True).fit(X, Y)
    single = clone(net).fit(X, Y)
    net.set_params(average=0.5).fit(X, Y)
    assert net.n_iter_ == 8
    parts = []
    for n in (3, 4):
        again = RNNRegressor(**NET | {"max_iter": 4}, warm_start=True).fit(X, Y)
        parts.append(theta_of(again.set_params(max_iter=n).fit(X, Y)))
    np.testing.assert_allclose(theta_of(net), np.mean(parts, axis=0), rtol=1e-14)
    assert (theta_of(net) != theta_of(single)).any()


class TestEarlyStopping:
    def fit(self, **changed):
        net = RNNRegressor(**NET | {"early_stopping": True, "scoring": None} | changed)
        return net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)

    def test_the_average_is_validated(self):
        net, plain = self.fit(average=0.5), RNNRegressor(**NET).fit(X, Y)
        thetas = after_epochs(FITS["adam"], range(1, 7))
        scores = []
        for n in range(1, 7):
            theta = thetas[n - 1] if n < 4 else np.mean(thetas[3:n], axis=0)
            plain.set_parameters(plain._fitted.model.network.layout.views(theta))
            scores.append(plain.score(X_VAL, Y_VAL))
        np.testing.assert_allclose(net.validation_scores_, scores, rtol=1e-12)
        assert net.best_validation_score_ == max(net.validation_scores_)
        assert net.score(X_VAL, Y_VAL) == pytest.approx(net.best_validation_score_, rel=1e-12)

    def test_a_training_that_stops_before_has_no_average(self):
        net = self.fit(average=0.2, tol=1e9, n_iter_no_change=1)
        assert net.n_iter_ == 3
        assert net.predict(X).tobytes() == self.fit(tol=1e9, n_iter_no_change=1).predict(X).tobytes()


def test_partial_fit_averages_nothing():
    nets = [RNNRegressor(**NET, average=average) for average in (0.0, 1.0)]
    for _ in range(3):
        a, b = (net.partial_fit(X, Y).predict(X).tobytes() for net in nets)
    assert a == b


def test_categories_without_data_stay_zero():
    data = RNG.integers(3, size=(20, 4)) * 2
    net = RNNRegressor(2, embedding_dim=2, max_iter=3, average=1.0, random_state=0).fit(data, np.arange(20.0))
    embedded = net.parameters_["embedding.E"]
    assert (embedded[[1, 3]] == 0).all()
    assert (embedded[[0, 2, 4]] != 0).all()


@pytest.mark.parametrize(("at", "numbers"), [(10, [3]), (13, [4]), (16, [4, 5]), (18, [4, 5])])
def test_an_interrupt_leaves_the_mean_of_the_epochs_that_came_to_their_end(monkeypatch, at, numbers):
    """Three updates are an epoch; the average begins with the fourth."""
    expected = np.mean(after_epochs(FITS["adam"], numbers), axis=0)
    net, calls, gradients = RNNRegressor(**NET, average=0.5), [], Objective.gradients

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return gradients(*arguments)

    monkeypatch.setattr(Objective, "gradients", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y)
    np.testing.assert_allclose(theta_of(net), expected, rtol=1e-14)
