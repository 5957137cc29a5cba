"""What transformers of sequences return: what they were given, in its form."""

import numpy as np

from skrnn._ragged import RaggedArray
from skrnn._sequences import LazySequences


def in_form_of(X, sequences):
    """Transformed sequences in the form of X.

    A 2-D or 3-D array is one again, a RaggedArray one of the same steps, a list or tuple of sequences a list, an object
    array or a column of lists an object array. Sequences (steps,) in these stay (steps,) unless they have got features.
    What is read in parts is transformed when it is read.
    """
    if isinstance(sequences, LazySequences):
        return sequences
    values = sequences.values
    if sequences.kind == "table":
        return values.reshape(len(sequences), -1)
    if isinstance(X, RaggedArray):
        flat = X.values.ndim == 1 and values.shape[1] == 1
        names = X.feature_names if X.values[:1].size == values.shape[1] else None
        return RaggedArray(values[:, 0] if flat else values, sequences.lengths, sequences.starts, names)
    out = sequences.split(values)
    if sequences.kind != "ragged":
        return out
    if isinstance(X, list | tuple | np.ndarray) and values.shape[1] == 1:
        for i, x in enumerate(X):
            if np.ndim(x) == 1:
                out[i] = out[i][:, 0]
    return list(out) if isinstance(X, list | tuple) else out
