"""What the kernels read of a batch."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Inputs:
    """Some of the sequences that lie in arrays of steps, as the methods of ``Engine`` take them.

    Parameters
    ----------
    steps : (total, F) array, or (total,) intp array
        The features of all steps in the engine's dtype, the categories among them whole numbers at the end; or where
        each step is one category, these.
    starts, lengths : (n,) intp array
        The row of the first step of every sequence, and its number of steps. Sequences may share rows.
    index : (N,) intp array
        The sequences of the batch.
    initial : (N, width) array, optional
        Their states before their first steps; None for those that `RecurrentNetwork.zero_state` returns.
    mask_offsets : (2, n) intp array, optional
        Which masks of dropout a sequence has: what is added to the row of a step, and the number of the sequence; see
        `Sequences.mask_offsets`.
    """

    steps: Any
    starts: Any
    lengths: Any
    index: Any
    initial: Any = None
    mask_offsets: Any = None
