"""The form of what transformers return: that of X."""

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.columns import columns_of
from skrnn._data.lazy import LazySequences
from skrnn._data.ragged import RaggedArray
from skrnn._sklearn import output_container, set_output_container


class TableOutput:
    """`set_output` for transformers whose output is a table if X is one."""

    def __init_subclass__(cls, **kwargs):
        # scikit-learn would convert any output to a table
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """Choose the container of tables that `transform` returns; other forms of X keep theirs.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            A NumPy array, a pandas or a polars DataFrame. None changes nothing.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `transform` is not one of these.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceScaler
        >>> scaler = SequenceScaler("minmax").set_output(transform="pandas")
        >>> out = scaler.fit_transform([[1.0, 2.0], [5.0, 3.0]])
        >>> type(out).__name__, out.columns.tolist(), out.to_numpy().tolist()
        ('DataFrame', ['x0', 'x1'], [[0.0, 0.25], [1.0, 0.5]])
        """
        set_output_container(self, transform)
        return self

    def _contained(self, X, out, names):
        """An output, in the chosen container if it is a table with columns of these names."""
        library = output_container(self)
        if library == "default" or not (isinstance(out, np.ndarray) and out.ndim == 2):
            return out
        frame = nw.from_numpy(out, schema=[str(name) for name in names], backend=library).to_native()
        if library == "pandas" and hasattr(X, "iloc"):      # lists have a method `index`
            frame.index = X.index
        return frame


class RaggedOutput:
    """`set_output` for transformers whose output is never a table."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """Do nothing: the output is not a table but a RaggedArray in any case.

        For ``Pipeline.set_output``, which calls it on every step.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            The container of tables.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `transform` is not one of these.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SlidingWindow
        >>> type(SlidingWindow().set_output(transform="pandas").fit_transform(np.ones((3, 2)))).__name__
        'RaggedArray'
        """
        set_output_container(self, transform)
        return self


def in_form_of(X, sequences, *, indicators=False):
    """Transformed sequences in the form of X.

    A 2-D or 3-D array gives an array of its dimension, a list or tuple of sequences a list, and an object array an
    object array; a RaggedArray, columns of lists and awkward arrays give a RaggedArray. Sequences (steps,) stay
    (steps,) unless they have gained features. Sequences that are read on demand are transformed when they are read.

    Parameters
    ----------
    X : as the transformer got it
    sequences : Sequences or LazySequences
    indicators : bool
        Whether an indicator of each feature was added after the features.
    """
    if isinstance(sequences, LazySequences):
        return sequences
    values = sequences.values
    if sequences.kind == "table":
        return values.reshape(len(sequences), -1)
    if sequences.kind == "array":
        return sequences.split(values)
    if not isinstance(X, list | tuple | np.ndarray):
        flat = isinstance(X, RaggedArray) and X.values.ndim == 1 and values.shape[1] == 1
        names = _names(X)
        if indicators and names is not None:
            names = [*names, *(f"missingindicator_{name}" for name in names)]
        return RaggedArray(values[:, 0] if flat else values, sequences.lengths, sequences.starts, names)
    out = sequences.split(values)
    if values.shape[1] == 1:
        for i, x in enumerate(X):
            if np.ndim(x) == 1:
                out[i] = out[i][:, 0]
    return list(out) if isinstance(X, list | tuple) else out


def _names(X):
    """Names of the features of sequences, or None."""
    if isinstance(X, RaggedArray):
        return X.feature_names
    columns = list(columns_of(X))
    return columns if len(columns) > 1 and all(isinstance(name, str) for name in columns) else None
