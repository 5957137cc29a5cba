"""Warnings that name the line of the user's code; calls without NumPy's warnings."""

import sys
import warnings
from contextvars import copy_context

import numpy as np

# Whose frames lie between a user's call and ours
BETWEEN = {"skrnn", "sklearn", "joblib"}


def warn_user(message, category=UserWarning):
    """Issue a warning at the line outside of skrnn and scikit-learn that led here."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def without_warnings(function, *arguments):
    """What a function returns, without NumPy's warnings of overflow and of invalid values.

    NumPy's handling of errors is that of the context, so that no interrupt leaves it changed, as it may with
    ``np.errstate``.
    """
    return copy_context().run(_without_warnings, function, arguments)


def _without_warnings(function, arguments):
    np.seterr(over="ignore", invalid="ignore")
    return function(*arguments)
