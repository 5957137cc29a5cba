"""The form of what transformers return: that of X."""

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.columns import columns_of
from skrnn._data.lazy import LazySequences
from skrnn._data.ragged import RaggedArray
from skrnn._data.schemas import library_of
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
            What a table of numbers, or of sequences in its cells, becomes: an array (with sequences a table of the
            library of X), a pandas or a polars DataFrame. None changes nothing.

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

    def _in_form_of(self, X, sequences, names, *, indicators=False):
        """What `transform` returns: `in_form_of`, a table in the chosen container with names()."""
        library = output_container(self)
        if library == "default":
            return in_form_of(X, sequences, indicators=indicators)
        names = names()
        if _has_sequences_in_columns(X, sequences):
            labels, cells = _columns(X, sequences, indicators)
            names = names if len(labels) == sequences.n_features else labels
            return _table_of_cells([str(name) for name in names], cells, library, X)
        out = in_form_of(X, sequences, indicators=indicators)
        if not (isinstance(out, np.ndarray) and out.ndim == 2):
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
        """Change nothing: the output is a RaggedArray in any case.

        ``Pipeline.set_output`` calls it on every step.

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
    object array; a frame with sequences in its cells one of its library, with a column per feature; a RaggedArray, a
    series of lists and awkward arrays give a RaggedArray. Sequences (steps,) stay (steps,) unless they have gained
    features. Sequences that are read on demand are transformed when they are read.

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
    if _has_sequences_in_columns(X, sequences):
        return _table_of_cells(*_columns(X, sequences, indicators), library_of(X), X)
    if not isinstance(X, list | tuple | np.ndarray):
        ragged = isinstance(X, RaggedArray)
        flat = ragged and X.values.ndim == 1 and values.shape[1] == 1
        names = X.feature_names if ragged else None
        if indicators and names is not None:
            names = with_indicators(names)
        return RaggedArray(values[:, 0] if flat else values, sequences.lengths, sequences.starts, names)
    out = sequences.split(values)
    if values.shape[1] == 1:
        for i, x in enumerate(X):
            if np.ndim(x) == 1:
                out[i] = out[i][:, 0]
    return list(out) if isinstance(X, list | tuple) else out


def with_indicators(names):
    """Names of features, and after them those of the indicators of their missing values."""
    return [*names, *(f"missingindicator_{name}" for name in names)]


def _has_sequences_in_columns(X, sequences):
    """Whether X is a 2-D table, of a library of which one can be made, whose cells are sequences."""
    if isinstance(sequences, LazySequences) or sequences.kind != "ragged":
        return False
    is_frame = library_of(X) in ("pandas", "polars", "pyarrow") and hasattr(X, "columns")
    return is_frame or (isinstance(X, np.ndarray) and X.ndim == 2)


def _columns(X, sequences, indicators):
    """The labels of the columns of X and of indicators, and the cells of each, (n,) object arrays.

    Where a column of X held all features of a sequence it does so again.
    """
    labels = [label for label, _ in columns_of(X)]
    if len(labels) * (1 + indicators) != sequences.n_features:
        return labels, [sequences.split(sequences.values)]
    labels = with_indicators(labels) if indicators else labels
    return labels, [sequences.split(feature) for feature in np.ascontiguousarray(sequences.values.T)]


def _table_of_cells(labels, columns, library, X):
    """A table with sequences in its cells: of pandas, with the index of X, polars or Arrow, else a 2-D object array."""
    if library == "pandas":
        import pandas as pd

        frame = pd.DataFrame(dict(enumerate(columns)), index=X.index if hasattr(X, "iloc") else None)
        frame.columns = labels
        return frame
    if library == "polars":
        import polars as pl

        number = pl.Float32 if columns[0][0].dtype == np.float32 else pl.Float64
        dtype = pl.List(number) if columns[0][0].ndim == 1 else pl.List(pl.List(number))
        return pl.DataFrame(dict(zip(labels, map(_lists, columns), strict=True)), schema=dict.fromkeys(labels, dtype))
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table([pa.array(_lists(cells)) for cells in columns], names=labels)
    out = np.empty((len(columns[0]), len(columns)), dtype=object)
    for j, cells in enumerate(columns):
        out[:, j] = cells
    return out


def _lists(cells):
    """Cells (T,) or (T, D) as lists of what polars and Arrow keep the dtype of."""
    return [list(cell) if cell.ndim == 2 else cell for cell in cells]
