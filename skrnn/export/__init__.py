"""Fitted estimators in formats that are run without skrnn."""

from skrnn._public import set_public_home
from skrnn.export._onnx.export import to_onnx

__all__ = ["to_onnx"]

set_public_home(globals())
