"""Pickles that say which skrnn wrote them."""

import warnings

from sklearn.exceptions import InconsistentVersionWarning

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
