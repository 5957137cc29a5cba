"""scikit-learn's private functions, and what differs between its versions. No other file imports them."""

from copy import copy

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import validate_data

__all__ = [
    "HasMethods", "Interval", "RealNotInt", "StrOptions", "check_feature_names_in", "check_features", "features_of",
    "fit_context", "validate_parameter_constraints",
]


def features_of(estimator, columns):
    """``n_features_in_`` and ``feature_names_in_`` (or None) of an estimator that is fitted to columns."""
    fitted = copy(estimator)
    validate_data(fitted, columns, skip_check_array=True, reset=True)
    return fitted.n_features_in_, getattr(fitted, "feature_names_in_", None)


def check_features(estimator, columns, attributes):
    """Raise a ValueError, or warn, as scikit-learn does where columns are not those that the estimator was fitted on.

    `attributes` holds ``n_features_in_`` and, if there are names, ``feature_names_in_`` of the fit.
    """
    fitted = copy(estimator)
    vars(fitted).pop("feature_names_in_", None)
    vars(fitted).update(attributes)
    validate_data(fitted, columns, skip_check_array=True, reset=False)
