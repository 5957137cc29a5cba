"""Long tables to sequences and back: a million shuffled rows of six features in ten thousand groups.

    python benchmarks/long_tables.py
"""

import timeit
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from skrnn.preprocessing import predictions_to_long, sequences_from_long

ROWS, GROUPS, FEATURES, ROUNDS = 1_000_000, 10_000, 6, 7


def columns():
    """A string for the group and a time to the second, as logs have them."""
    rng = np.random.default_rng(0)
    second = rng.permutation(ROWS)
    return {
        "unit": np.char.mod("unit-%05d", rng.integers(GROUPS, size=ROWS)).astype(object),
        "time": np.datetime64("2024-01-01", "us") + second.astype("timedelta64[s]"),
        **{f"x{j}": rng.normal(size=ROWS) for j in range(FEATURES)},
        "y": rng.normal(size=ROWS),
    }


def seconds(call):
    """The median over rounds."""
    return np.median(timeit.repeat(call, number=1, repeat=ROUNDS))


def main():
    """Print seconds there and back of each library."""
    data = columns()
    for df in (pd.DataFrame(data), pl.DataFrame(data), pa.table(data)):
        there = partial(sequences_from_long, df, "unit", "time", "y", return_sequences=True)
        X, y, _ = there()
        back = partial(predictions_to_long, y, df, "unit", "time", return_sequences=True)
        library = type(df).__module__.partition(".")[0]
        print(f"{library:8} {len(X)} sequences {seconds(there):.2f} s, predictions back {seconds(back):.2f} s")


if __name__ == "__main__":
    main()
