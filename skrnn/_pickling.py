"""How estimators are stored: what is kept of them, and pickles of plain data that say which skrnn wrote them."""

import warnings
from copy import deepcopy
from functools import partial

from sklearn.exceptions import InconsistentVersionWarning

from skrnn._plain import from_plain, has_stand_in, plain, to_plain
from skrnn._sklearn import set_settings, settings_of, without_callbacks
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
        state = {
            name: value if has_stand_in(value) else to_plain(value, name)
            for name, value in super().__getstate__().items()
        }
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


def stored_estimator(cls=None, /, *, fitted=object):
    """Register the class of an estimator, a `StoredMixin`, so that its objects can be stored.

    `fitted` is the type of what it learns.
    """
    if cls is None:
        return partial(stored_estimator, fitted=fitted)
    return plain(cls, take=_kept_of_fitted, make=_estimator_of, parameters=dict, fitted=fitted | None, settings=dict)


def stored_with(*attributes):
    """Register the class of an estimator by the names of what its `fit` sets."""
    return partial(
        plain, take=partial(_kept_of_attributes, attributes), make=partial(_estimator_with, attributes),
        parameters=dict, attributes=dict, settings=dict,
    )


def _kept_of_fitted(estimator):
    """What is kept of an estimator: its parameters, what `fit` has learned, and scikit-learn's settings."""
    attributes = {name for name in vars(estimator) if name.endswith("_")}
    return _kept_of(estimator, {"_fitted", *attributes}) | {"fitted": vars(estimator).get("_fitted")}


def _kept_of_attributes(names, estimator):
    return _kept_of(estimator, names) | {
        "attributes": {name: vars(estimator)[name] for name in names if name in vars(estimator)}
    }


def _kept_of(estimator, attributes):
    """Parameters and settings of an estimator; a TypeError if it has more than these, some attributes and callbacks."""
    parameters, settings = estimator.get_params(deep=False), settings_of(estimator)
    others = without_callbacks(vars(estimator)).keys() - parameters.keys() - settings.keys() - set(attributes)
    if others:
        raise TypeError(
            f"{type(estimator).__name__} has the attributes {sorted(others)}, which are none of its own and would be "
            "lost: delete them first"
        )
    return {"parameters": parameters, "settings": settings}


def _estimator_of(cls, parameters, fitted, settings):
    """The estimator of which this was kept."""
    estimator = _unfitted(cls, parameters, settings)
    if fitted is not None:
        estimator._set_fitted(fitted)
    return estimator


def _estimator_with(names, cls, parameters, attributes, settings):
    if not attributes.keys() <= set(names):
        raise ValueError(f"it has the attributes {sorted(attributes)}, expected some of {sorted(names)}")
    estimator = _unfitted(cls, parameters, settings)
    vars(estimator).update(attributes)
    return estimator


def _unfitted(cls, parameters, settings):
    estimator = cls(**parameters)
    set_settings(estimator, settings)
    return estimator
