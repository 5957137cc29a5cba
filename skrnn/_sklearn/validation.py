"""Checks of parameters, of columns, and of whether an estimator is fitted."""

from contextvars import copy_context
from copy import copy
from functools import wraps

import numpy as np
from sklearn import get_config, set_config
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

FEATURES = ("n_features_in_", "feature_names_in_")


def checks_parameters(method):
    """A method that fits or goes on: it validates the parameters of its estimator first, also of one that is fitted.

    The functions of scikit-learn that it calls then validate nothing. The configuration, which all estimators share,
    and NumPy's handling of errors, which is that of the context, are as before at the end, wherever Ctrl-C strikes: the
    end of a with statement, as in scikit-learn's own decorator, may be interrupted itself.
    """

    @wraps(method)
    def checked(estimator, *arguments, **keywords):
        before = get_config()
        if before["skip_parameter_validation"]:
            return copy_context().run(method, estimator, *arguments, **keywords)
        estimator._validate_params()
        try:
            set_config(skip_parameter_validation=True)
            result = copy_context().run(method, estimator, *arguments, **keywords)
            set_config(**before)
        except BaseException:
            set_config(**before)
            raise
        return result

    return checked


def estimator_named(name):
    """An estimator of this name and of nothing else, for the checks of columns where the estimator itself is not."""
    return type(name, (BaseEstimator,), {})()


def learn_columns(estimator, columns):
    """``n_features_in_`` and, if there are names, ``feature_names_in_`` of an estimator that is fitted to a table."""
    fitted = copy(estimator)
    validate_data(fitted, columns, skip_check_array=True, reset=True)
    return {name: value for name, value in vars(fitted).items() if name in FEATURES}


def check_columns(estimator, columns, attributes):
    """Raise a ValueError, or warn, as scikit-learn does, if a table has other columns than in fit.

    `attributes` are those that `learn_columns` returned; those of the estimator are ignored.
    """
    if type(columns) is np.ndarray and columns.shape[1:] == (attributes["n_features_in_"],) and len(attributes) == 1:
        return      # an array has no names
    fitted = copy(estimator)
    for name in FEATURES:
        vars(fitted).pop(name, None)
    vars(fitted).update(attributes)
    validate_data(fitted, columns, skip_check_array=True, reset=False)


def fitted_of(estimator):
    """What `fit` has learned, which all of skrnn's estimators hold as ``_fitted``; a NotFittedError before.

    It is read once in each call, and handed down. scikit-learn's check takes longer than a prediction.
    """
    try:
        return estimator._fitted
    except AttributeError:
        check_is_fitted(estimator)
        return estimator._fitted        # of a fit in another thread since then
