"""Fitted estimators in formats that are run without skrnn."""

from skrnn._public import set_public_home
from skrnn.export._c.export import to_c

__all__ = ["to_c"]

set_public_home(globals())
