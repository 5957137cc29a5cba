"""Columns of lists in pandas, as lists of Arrow: Dask leaves them as they are, and Parquet holds them."""

import numpy as np
import pandas as pd
import pyarrow as pa


def list_column(steps, lengths, dtype=None):
    """A column with a list for each sequence.

    Parameters
    ----------
    steps : (total,) array
        The values of all steps, sequence after sequence. NaN and None are missing ones.
    lengths : (n,) int array
    dtype : type of Arrow, optional
        Of the values.
    """
    values = pa.array(steps, from_pandas=True)
    values = values if dtype is None or values.type == dtype else values.cast(dtype)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), pa.int64())
    return pd.arrays.ArrowExtensionArray(pa.LargeListArray.from_arrays(offsets, values))
