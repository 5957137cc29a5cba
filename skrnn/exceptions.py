"""Warnings of what a fit can read but hardly meant, and errors, by name: filters can tell them apart."""

from sklearn.exceptions import ConvergenceWarning

from skrnn._public import set_public_home

__all__ = [
    "ClusterError", "ConstantFeatureWarning", "ConstantTargetWarning", "ExportError", "ModelFileError",
    "NothingLearnedWarning", "PrecisionWarning",
]


class ClusterError(RuntimeError):
    """The cluster that an estimator of `skrnn.dask` is trained on is gone, or too much of it.

    Examples
    --------
    >>> from skrnn.exceptions import ClusterError
    >>> issubclass(ClusterError, RuntimeError)
    True
    """


class ConstantFeatureWarning(UserWarning):
    """Some features have the same value in every step of every sequence, or none: nothing can be learned from them.

    Examples
    --------
    >>> import warnings
    >>> from skrnn.exceptions import ConstantFeatureWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ConstantFeatureWarning)     # of a column of ones that is meant
    """


class ConstantTargetWarning(UserWarning):
    """The targets, or those of some outputs, are all the same: there is nothing but this number or class to learn.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> with warnings.catch_warnings(record=True) as found:
    ...     warnings.simplefilter("always")
    ...     _ = RNNRegressor(2, tol=1e-2).fit(np.random.default_rng(0).normal(size=(9, 4, 1)), np.full(9, 2.5))
    >>> [warning.category.__name__ for warning in found]
    ['ConstantTargetWarning']
    """


class ExportError(ValueError):
    """A fitted estimator, or a step of a Pipeline, cannot be said in the format that it is exported to.

    The message names the parameter or the step, and says what to do instead.

    Examples
    --------
    >>> from skrnn.exceptions import ExportError
    >>> issubclass(ExportError, ValueError)
    True
    """


class ModelFileError(ValueError):
    """A model file is damaged, cut off or none at all, or holds what no estimator can be made of.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrnn
    >>> from skrnn.exceptions import ModelFileError
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "net.skrnn"
    ...     skrnn.save(skrnn.RNNRegressor(4), path)
    ...     _ = path.write_bytes(path.read_bytes()[:-1])
    ...     try:
    ...         skrnn.load(path)
    ...     except ModelFileError as error:
    ...         print(type(error).__name__)
    ModelFileError
    """


class NothingLearnedWarning(ConvergenceWarning):
    """The loss of a net after `fit` is hardly less than that of the best constant prediction, or not at all.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 4, 1))
    >>> with warnings.catch_warnings(record=True) as found:
    ...     warnings.simplefilter("always")
    ...     _ = RNNRegressor(2, learning_rate_init=1e-9, tol=1e-2).fit(X, X[:, -1, 0])
    >>> [warning.category.__name__ for warning in found]
    ['NothingLearnedWarning']
    """


class PrecisionWarning(UserWarning):
    """Numbers vary so little around their mean that float32, or whatever the net computes in, loses their digits.

    Examples
    --------
    >>> import numpy as np
    >>> seconds = 1.7e9 + np.arange(3.0)        # a time stamp each second
    >>> np.diff(seconds.astype(np.float32))     # in float32, before anything is learned
    array([0., 0.], dtype=float32)
    """


set_public_home(globals())
