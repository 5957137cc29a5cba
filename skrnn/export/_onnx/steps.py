"""Sequences in an ONNX graph."""

from typing import NamedTuple


class Steps(NamedTuple):
    """Names of what a network reads of n sequences of up to T steps, in the layout of ``Sequences``.

    What stands after the end of a sequence has no effect, whatever it is, also NaN.
    """

    values: str | None          # (n, T, F) float32: numbers, what `Reading` adds to them, codes; None where steps are
    lengths: str                # (n,) int64, from 1 to T
    static: str | None = None   # (n, S) float32: numbers, then codes
    categories: str | None = None   # (n, T) int64, where each step is a category and nothing else
    own: tuple | None = None        # where sequences are in their own units, as in `TargetUnits`: (n, D) float32 twice
