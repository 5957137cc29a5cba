"""scikit-learn's private functions, what differs between its versions, and what its own estimators alone have.

No other file imports from scikit-learn's private modules.
"""

import warnings
from copy import copy

from sklearn.base import _fit_context as fit_context
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import validate_data

from skrnn._version import __version__

__all__ = [
    "HasMethods", "Interval", "RealNotInt", "StrOptions", "VersionedPickleMixin", "check_feature_names_in",
    "check_features", "features_of", "fit_context", "validate_parameter_constraints",
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


class InconsistentSkrnnVersionWarning(InconsistentVersionWarning):
    """An estimator is unpickled that another version of skrnn pickled.

    Parameters
    ----------
    estimator_name : str
    current_version : str
    original_version : str or None
        None when the pickle does not tell.
    """

    def __init__(self, *, estimator_name, current_version, original_version):
        self.estimator_name, self.current_version = estimator_name, current_version
        self.original_version = original_version

    def __str__(self):
        return (
            f"{self.estimator_name} was pickled by skrnn {self.original_version or 'of unknown version'} and is read "
            f"by skrnn {self.current_version}, which may fail or give other results: fit it again, or read it with the "
            "version that wrote it"
        )


class VersionedPickleMixin:
    """Pickles say which skrnn wrote them, and warn when another one reads them; a base class before `BaseEstimator`."""

    def __getstate__(self):
        return {**super().__getstate__(), "_skrnn_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skrnn_version", None)
        if version != __version__:
            warnings.warn(
                InconsistentSkrnnVersionWarning(
                    estimator_name=type(self).__name__, current_version=__version__, original_version=version
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
