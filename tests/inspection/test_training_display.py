"""The training of nets, as it is drawn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, make_scorer
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival
from skrnn.inspection import TrainingDisplay
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4, 2))
y, labels = X[:, -1, 0], (X[:, -1, 0] > 0).astype(int)


def classifier(**parameters):
    return RNNClassifier(2, **{"max_iter": 3, "random_state": 0} | parameters)


@pytest.fixture(scope="module")
def clipped():
    """A net with validation, a score of its own and clipping."""
    return classifier(early_stopping=True, scoring=None, max_grad_norm=0.4, max_iter=4, batch_size=10).fit(X, labels)


def label_of(display, panel):
    return display.axes_[display.panels_.index(panel)].get_ylabel().replace("\n", " ")


class TestData:
    def test_are_those_of_the_net(self, clipped):
        display = TrainingDisplay.from_estimator(clipped)
        assert display.panels_ == ("loss", "score", "grad_norm", "clipped")
        epochs = np.arange(1, 5)
        for name, curve in {
            "loss": clipped.loss_curve_, "validation_loss": clipped.validation_loss_curve_,
            "validation_score": clipped.validation_scores_, "grad_norm": clipped.grad_norm_curve_,
        }.items():
            np.testing.assert_array_equal(display.lines_[name].get_xdata(), epochs)
            np.testing.assert_array_equal(display.lines_[name].get_ydata(), curve)
        assert list(display.lines_["max_grad_norm"].get_ydata()) == [0.4, 0.4]
        assert [line.get_xdata()[0] for line in display.best_] == [clipped.best_iter_] * 4
        assert display.best_epoch == clipped.best_iter_

    def test_share_of_clipped_updates(self, clipped):
        display = TrainingDisplay.from_estimator(clipped)
        assert (display.n_updates == 5).all()               # 45 of 50 sequences, in batches of 10
        assert display.n_clipped.sum() == clipped.n_clipped_ > 0
        np.testing.assert_array_equal(display.lines_["clipped"].get_ydata(), display.n_clipped / 5)

    def test_number_of_clipped_updates_where_a_batch_is_several(self):
        net = classifier(max_grad_norm=0.01, truncated_bptt_steps=2).fit(X, labels)
        display = TrainingDisplay.from_estimator(net)
        assert display.n_updates is None
        np.testing.assert_array_equal(display.lines_["clipped"].get_ydata(), display.n_clipped)

    def test_penalty_is_drawn_where_it_is_asked_for(self, clipped):
        assert "objective" not in TrainingDisplay.from_estimator(clipped).lines_
        display = TrainingDisplay.from_estimator(clipped, include_penalty=True)
        expected = np.add(clipped.loss_curve_, clipped.penalty_curve_)
        np.testing.assert_array_equal(display.lines_["objective"].get_ydata(), expected)

    def test_nothing_held_out(self):
        display = TrainingDisplay.from_estimator(classifier().fit(X, labels))
        assert display.panels_ == ("loss", "grad_norm")
        assert display.validation_loss is None
        assert not display.best_

    def test_all_calls_are_one_training(self, tmp_path):
        net = classifier().partial_fit(X, labels, classes=[0, 1]).partial_fit(X[:20], labels[:20])
        display = TrainingDisplay.from_estimator(net)
        np.testing.assert_array_equal(display.lines_["loss"].get_ydata(), net.loss_curve_)
        assert display.n_updates.tolist() == [2, 1]
        net.set_params(warm_start=True, early_stopping=True).fit(X, labels)
        display = TrainingDisplay.from_estimator(net)
        assert np.isnan(display.validation_loss[:2]).all()  # nothing was held out then
        assert np.isfinite(display.validation_loss[2:]).all()
        skrnn.save(net, tmp_path / "net.skrnn")
        again = TrainingDisplay.from_estimator(skrnn.load(tmp_path / "net.skrnn"))
        np.testing.assert_array_equal(again.loss, display.loss)
        assert again.best_epoch == display.best_epoch

    def test_iterations_of_lbfgs(self):
        net = RNNRegressor(2, solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
        display = TrainingDisplay.from_estimator(net)
        assert display.unit == display.axes_[-1].get_xlabel() == "iteration"
        np.testing.assert_array_equal(display.lines_["loss"].get_ydata(), net.loss_curve_)


def survival():
    target = np.array([(True, 1 + abs(value)) for value in y], dtype=[("event", bool), ("time", float)])
    return RNNSurvival(2, max_iter=2, random_state=0).fit(X, target)


@pytest.mark.parametrize(("make", "n_epochs"), [
    (survival, 2),
    (lambda: make_pipeline(SequenceScaler(), classifier()).fit(X, labels), 3),
    (lambda: RNNOutlierDetector(2, max_iter=2, random_state=0).fit(X), 2),
    (lambda: RNNLanguageModel(2, max_iter=2, early_stopping=True, random_state=0).fit(["abab", "baba"] * 8), 2),
], ids=["survival", "Pipeline", "detector", "language model"])
def test_every_estimator(make, n_epochs):
    display = TrainingDisplay.from_estimator(make())
    assert len(display.lines_["loss"].get_ydata()) == n_epochs
    assert display.panels_ == ("loss", "grad_norm")


class TestLabels:
    @pytest.mark.parametrize(("parameters", "expected"), [
        ({}, "squared error (y standardized)"),
        ({"standardize": False}, "squared error"),
        ({"loss": "quantile"}, "quantile loss (y standardized)"),
        ({"loss": "gaussian"}, "negative log-likelihood (gaussian)"),
    ])
    def test_of_losses(self, parameters, expected):
        net = RNNRegressor(2, max_iter=1, random_state=0, **parameters).fit(X, y)
        assert label_of(TrainingDisplay.from_estimator(net), "loss") == expected

    @pytest.mark.parametrize(("scoring", "expected"), [
        (None, "accuracy"), ("neg_log_loss", "negative log loss"), (make_scorer(f1_score), "f1 score"),
    ])
    def test_of_scores(self, scoring, expected):
        net = classifier(early_stopping=True, scoring=scoring, max_iter=1).fit(X, labels)
        display = TrainingDisplay.from_estimator(net)
        assert label_of(display, "loss") == "log loss (nats)"
        assert label_of(display, "score") == f"validation {expected}"

    @pytest.mark.parametrize(("loss", "expected"), [("squared_error", "R²"), ("absolute_error", "D²")])
    def test_of_the_scores_of_numbers(self, loss, expected):
        net = RNNRegressor(2, loss=loss, early_stopping=True, scoring=None, max_iter=1, random_state=0).fit(X, y)
        assert label_of(TrainingDisplay.from_estimator(net), "score") == f"validation {expected}"

    def test_two_trainings_in_one_figure(self, clipped):
        display = TrainingDisplay.from_estimator(clipped, name="first")
        second = TrainingDisplay.from_estimator(clipped, ax=display.axes_, name="second", line_kw={"c": "C2"})
        texts = [text.get_text() for text in second.axes_[0].get_legend().get_texts()]
        assert "first: training" in texts
        assert "second: training" in texts
        assert second.lines_["loss"].get_color() == "C2"
        assert second.lines_["validation_loss"].get_color() == "C1"

    @pytest.mark.parametrize(("loss", "scale"), [
        ([2.0, 1.0, 0.9], "linear"), ([2.0, 0.1, 0.001], "log"), ([2.0, 0.001, -1.0], "linear"),
    ])
    def test_logarithms_are_for_losses_over_decades(self, loss, scale):
        assert TrainingDisplay(loss=np.array(loss)).plot().axes_[0].get_yscale() == scale


class TestPanels:
    def test_are_chosen(self, clipped):
        display = TrainingDisplay.from_estimator(clipped, panels=["score", "loss"])
        assert display.panels_ == ("score", "loss")
        assert set(display.lines_) == {"validation_score", "loss", "validation_loss"}

    @pytest.mark.parametrize("panels", [["clipped"], ["loss", "time"], [], "loss", 3])
    def test_others_are_refused(self, panels):
        with pytest.raises(ValueError, match=r"panels=.*: expected a list of what there is to draw, of \['loss'\]"):
            TrainingDisplay(loss=np.array([1.0])).plot(panels=panels)

    def test_a_net_that_was_not_trained(self):
        net = RNNRegressor(2, max_iter=1, random_state=0).fit(X, y)
        given = RNNRegressor(2).set_parameters(dict(net.parameters_))
        with pytest.raises(ValueError, match="RNNRegressor has parameters that were set, and no epochs of training"):
            TrainingDisplay.from_estimator(given)
