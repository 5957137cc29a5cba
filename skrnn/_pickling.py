"""How estimators are stored: what is kept of them, and pickles of plain data that say which skrnn wrote them."""

import warnings
from copy import deepcopy

from sklearn.exceptions import InconsistentVersionWarning

from skrnn._plain import from_plain, plain, to_plain
from skrnn._sklearn import set_settings, settings_of
from skrnn._version import __version__


class InconsistentSkrnnVersionWarning(InconsistentVersionWarning):
    """An estimator is unpickled that another version of skrnn pickled.

    Parameters
    ----------
    estimator_name : str
    current_version : str
    original_version : str or None
        None if the pickle does not have it.
    """

    def __init__(self, *, estimator_name, current_version, original_version):
        self.estimator_name, self.current_version = estimator_name, current_version
        self.original_version = original_version

    def __str__(self):
        known = self.original_version is not None
        writer = f"skrnn {self.original_version}" if known else "an unknown version of skrnn"
        return (
            f"{self.estimator_name} was pickled by {writer} and is read by skrnn {self.current_version}, which may "
            "fail or give other results: fit it again, or read it with the version that wrote it"
        )


class StoredMixin:
    """An estimator that can be stored; a base class before `BaseEstimator`.

    Pickles hold plain data alone, and of other packages what they are given as parameters. They say which skrnn wrote
    them, and warn when another one reads them. A subclass has ``_set_fitted(fitted)``, which sets ``_fitted``, what
    `fit` has learned, with the public attributes that it has of this.
    """

    def __getstate__(self):
        state = {name: to_plain(value, name) for name, value in super().__getstate__().items()}
        return {**state, "_skrnn_version": __version__}

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
        super().__setstate__({name: from_plain(part, name) for name, part in state.items()})

    def __copy__(self):
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __deepcopy__(self, memo):
        memo[id(self)] = made = object.__new__(type(self))
        vars(made).update(deepcopy(vars(self), memo))
        return made


def stored_estimator(cls):
    """Register the class of an estimator, a `StoredMixin`, so that its objects can be stored."""
    return plain(cls, take=kept_of, make=estimator_of, parameters=dict, fitted=object, settings=dict)


def kept_of(estimator):
    """What is kept of an estimator, by name: its parameters, what `fit` has learned, and scikit-learn's settings."""
    parameters, settings = estimator.get_params(deep=False), settings_of(estimator)
    for name in vars(estimator).keys() - parameters.keys() - settings.keys() - {"_fitted"}:
        if not name.endswith("_"):
            raise TypeError(
                f"{type(estimator).__name__} has the attribute {name!r}, which is none of its own and would be lost: "
                "delete it first"
            )
    return {"parameters": parameters, "fitted": vars(estimator).get("_fitted"), "settings": settings}


def estimator_of(cls, parameters, fitted, settings):
    """The estimator of which this was kept."""
    estimator = cls(**parameters)
    set_settings(estimator, settings)
    if fitted is not None:
        estimator._set_fitted(fitted)
    return estimator
