"""Fitted estimators in formats that are run without skrnn."""

from skrnn._public import set_public_home
from skrnn.export._c.export import to_c
from skrnn.export._onnx.bridge import register_skl2onnx
from skrnn.export._onnx.export import to_onnx

__all__ = ["register_skl2onnx", "to_c", "to_onnx"]

set_public_home(globals())
