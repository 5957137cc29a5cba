"""Warnings that name the line of the user's code; calls without NumPy's warnings."""

import sys
import warnings
from contextvars import copy_context

import numpy as np

# Whose frames lie between a user's call and ours: also those that run the tasks of threads and of other processes
BETWEEN = {"skrnn", "sklearn", "joblib", "concurrent", "multiprocessing", "threading", "runpy"}
TOLD = "__skrnn_told__"


def warn_user(message, category=UserWarning, once=None):
    """Warn at the line outside of skrnn and scikit-learn that led here, once in the call that this line made.

    The call may be a search, which fits many times. Python's own rule, once for each text and line, does not hold
    there: the numbers in the text differ, and scikit-learn resets what has been shown. So what has been said is noted
    among the local variables of the function that the line called, and ends with it. A thread or process of a pool does
    not know that line: there the warning names the line that called skrnn, and is issued once while the worker lives.

    Parameters
    ----------
    message : str
    category : type
    once : hashable, optional
        What the warning is about, where other words, such as other numbers, would not make it another one.
    """
    level, called = _users_call()
    said, told = (category, message if once is None else once), called.f_locals.get(TOLD, ())
    if said not in told:
        warnings.warn(message, category, stacklevel=level)
        called.f_locals[TOLD] = {*told, said}


def _users_call():
    """The level, for the caller's stack, of the user's line, and the frame that it called; or those of a worker."""
    called = sys._getframe(1)
    level = level_outside = 1
    while called.f_back is not None and _package(called.f_back) in BETWEEN:
        called, level = called.f_back, level + 1
        if level_outside == level - 1 and _package(called) == "skrnn":
            level_outside = level
    return (level_outside if called.f_back is None else level) + 1, called


def _package(frame):
    """The package of a frame's module, also where the module runs as a program."""
    names = frame.f_globals
    return (names.get("__package__") or names.get("__name__") or "").partition(".")[0]


def without_warnings(function, *arguments):
    """What a function returns, without NumPy's warnings of overflow and of invalid values.

    NumPy's handling of errors is that of the context, so that no interrupt leaves it changed, as it may with
    ``np.errstate``.
    """
    return copy_context().run(_without_warnings, function, arguments)


def _without_warnings(function, arguments):
    np.seterr(over="ignore", invalid="ignore")
    return function(*arguments)
