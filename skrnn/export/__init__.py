"""Fitted estimators in formats that are run without skrnn."""

from skrnn._public import set_public_home

__all__ = []

set_public_home(globals())
