"""Weights of nets that were trained in other libraries, and back."""

from skrnn._public import set_public_home
from skrnn.convert._keras import from_keras
from skrnn.convert._torch import from_torch, to_torch

__all__ = ["from_keras", "from_torch", "to_torch"]

set_public_home(globals())
