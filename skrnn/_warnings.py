"""Warnings that name the line of the user's code."""

import sys
import warnings

# Whose frames lie between a user's call and ours
BETWEEN = {"skrnn", "sklearn", "joblib"}


def warn_user(message):
    """Issue a UserWarning at the line outside of skrnn and scikit-learn that led here."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
