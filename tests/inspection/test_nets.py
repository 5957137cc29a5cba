"""The net inside of an estimator, and what it reads."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor
from skrnn._estimators.base import BaseRNN
from skrnn.forecasting import ConformalForecaster
from skrnn.inspection._nets import net_and_inputs, net_of
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(24, 5, 2))
y = X[:, -1, 0]
NET = RNNRegressor(2, max_iter=1, random_state=0)
LABELS = RNNClassifier(2, max_iter=1, random_state=0)


def search_of(estimator, **parameters):
    return GridSearchCV(estimator, {}, cv=2, **parameters)


AROUND = {
    "a net": (lambda: clone(NET), lambda model: model),
    "a Pipeline": (lambda: make_pipeline(SequenceScaler(), NET), lambda model: model[-1]),
    "a Pipeline in a search": (
        lambda: search_of(make_pipeline(SequenceScaler(), NET)), lambda model: model.best_estimator_[-1],
    ),
    "a search in a Pipeline in a Pipeline": (
        lambda: make_pipeline(SequenceScaler(), make_pipeline("passthrough", search_of(NET))),
        lambda model: model[-1][-1].best_estimator_,
    ),
    "transformed targets": (lambda: TransformedTargetRegressor(NET), lambda model: model.regressor_),
    "a threshold": (lambda: FixedThresholdClassifier(LABELS), lambda model: model.estimator_),
    "a frozen net": (lambda: FrozenEstimator(NET), lambda model: model.estimator),
    "a detector": (lambda: RNNOutlierDetector(2, max_iter=1, random_state=0), lambda model: model.forecaster_),
    "a forecaster": (lambda: ConformalForecaster(NET), lambda model: model.estimator_),
}


@pytest.mark.parametrize("name", AROUND)
def test_net_inside(name):
    make, inside = AROUND[name]
    model = make()
    targets = (y > 0) * 1 if name == "a threshold" else np.column_stack([y, y]) if name == "a forecaster" else y
    model.fit(X, targets)
    assert net_of(model) is inside(model)


def test_inputs_go_through_the_steps_of_all_pipelines():
    model = make_pipeline(SequenceScaler(), search_of(make_pipeline(SequenceScaler(), None, NET))).fit(X, y)
    net, inputs = net_and_inputs(model, X)
    inner = model[-1].best_estimator_
    assert net is inner[-1]
    np.testing.assert_array_equal(inputs, inner[0].transform(model[0].transform(X)))
    assert net_and_inputs(net, X)[1] is X


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: 3, TypeError, "estimator is int, expected a fitted net of skrnn"),
    (lambda: Ridge(), TypeError, "estimator is Ridge, expected"),
    (lambda: make_pipeline(SequenceScaler()).fit(X), TypeError, "estimator is SequenceScaler within Pipeline"),
    (lambda: make_pipeline("passthrough"), TypeError, "estimator is NoneType within Pipeline"),
    (lambda: search_of(NET, refit=False).fit(X, y), ValueError, "GridSearchCV has no best_estimator_: .* refit=False"),
    (lambda: search_of(NET), NotFittedError, "GridSearchCV"),
    (lambda: clone(NET), NotFittedError, "RNNRegressor"),
    (lambda: make_pipeline(SequenceScaler(), clone(NET)), NotFittedError, "SequenceScaler"),
    (lambda: RNNOutlierDetector(), NotFittedError, "RNNOutlierDetector"),
    (lambda: ConformalForecaster(NET), NotFittedError, "ConformalForecaster"),
    (lambda: BaggingRegressor(NET, 2).fit(X[:, 0], y), ValueError, "several estimators: pass one of its estimators_"),
    (
        lambda: CalibratedClassifierCV(LABELS, cv=2).fit(X, y > 0), ValueError,
        "several estimators: pass the estimator of one of its calibrated_classifiers_",
    ),
    (lambda: RNNLanguageModel(2, max_iter=1).fit(["ab", "ba"]), TypeError, "of sequences and not a language model"),
])
def test_errors_say_what_was_expected(make, error, message):
    with pytest.raises(error, match=message):
        net_of(make())


def test_kinds_of_nets():
    model = RNNLanguageModel(2, max_iter=1, random_state=0).fit(["ab", "ba"])
    assert net_of(model, (BaseRNN, RNNLanguageModel)) is model
    with pytest.raises(TypeError, match="estimator is RNNLanguageModel"):
        net_of(model)
