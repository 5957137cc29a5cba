"""The net inside of an estimator, and what it reads of the estimator's X."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.base import BaseRNN
from skrnn._estimators.outlier_detector import RNNOutlierDetector
from skrnn._language.language_model import RNNLanguageModel
from skrnn._messages import kind_of
from skrnn.forecasting import ConformalForecaster

# Estimators around one other that reads their X as it is, and the attribute that is the fitted one
WRAPPERS = {
    ConformalForecaster: "estimator_", FixedThresholdClassifier: "estimator_", FrozenEstimator: "estimator",
    RNNOutlierDetector: "forecaster_", TransformedTargetRegressor: "regressor_",
    TunedThresholdClassifierCV: "estimator_",
}
EXPECTED = "a fitted net of skrnn, a Pipeline that ends with one, or a search, detector or forecaster around one"


def net_of(estimator, kinds=(BaseRNN,)):
    """The fitted net inside of an estimator.

    That of a search is its best one, of a Pipeline the last step; of an RNNOutlierDetector the net that predicts the
    next step; of a ConformalForecaster, and of scikit-learn's estimators around one that set a threshold or transform
    targets, the one that is fitted to all data. They may stand within each other.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    kinds : tuple of classes, default=(BaseRNN,)
        What counts as a net.

    Returns
    -------
    net : estimator

    Raises
    ------
    TypeError
        When there is no net in it.
    ValueError
        When there are several, or a search has not fitted the best one.
    NotFittedError
        Before `fit`.
    """
    return _divided(estimator, kinds)[1]


def net_and_inputs(estimator, X, kinds=(BaseRNN,)):
    """The fitted net inside of an estimator, and X as it reads it: after the steps of the Pipelines before it.

    Parameters
    ----------
    estimator, kinds
        As in `net_of`.
    X : as the estimator's

    Returns
    -------
    net : estimator
    X : as the net's
    """
    transformers, net = _divided(estimator, kinds)
    for transformer in transformers:
        X = transformer.transform(X)
    return net, X


def innermost(estimator):
    """What predicts within searches and Pipelines, whatever it is, fitted or not."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline) and estimator.steps[-1][1] not in (None, "passthrough"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def _divided(estimator, kinds):
    """The transformers before a net, and the net; all are fitted."""
    transformers, inner = [], estimator
    while not isinstance(inner, kinds):
        if isinstance(inner, Pipeline):
            steps = [step for _, step in inner.steps if step not in (None, "passthrough")]
            *before, inner = steps or [None]
            transformers += before
        else:
            inner = _inside(inner, estimator)
    for each in (*transformers, inner):
        check_is_fitted(each)
    return transformers, inner


def _inside(wrapper, estimator):
    """The fitted estimator inside of one that is none of Pipelines and nets; `estimator` is the outermost one."""
    if hasattr(wrapper, "best_estimator_"):
        return wrapper.best_estimator_
    if hasattr(wrapper, "refit"):
        check_is_fitted(wrapper, "cv_results_")
        raise ValueError(f"{kind_of(wrapper)} has no best_estimator_: it was fitted with refit={wrapper.refit!r}")
    for kind, attribute in WRAPPERS.items():
        if isinstance(wrapper, kind):
            check_is_fitted(wrapper)
            return getattr(wrapper, attribute)
    if hasattr(wrapper, "estimators_"):
        raise ValueError(f"{kind_of(wrapper)} is made of several estimators: pass one of its estimators_")
    if hasattr(wrapper, "calibrated_classifiers_"):
        raise ValueError(
            f"{kind_of(wrapper)} is made of several estimators: pass the estimator of one of its "
            "calibrated_classifiers_, whose probabilities are not calibrated"
        )
    within = "" if wrapper is estimator else f" within {kind_of(estimator)}"
    of_texts = ", of sequences and not a language model" if isinstance(wrapper, RNNLanguageModel) else ""
    raise TypeError(f"estimator is {kind_of(wrapper)}{within}, expected {EXPECTED}{of_texts}")
