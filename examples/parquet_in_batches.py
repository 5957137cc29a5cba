"""
Training on a file, a batch at a time
=====================================

A Parquet file of sequences that need not fit in memory: each row holds a sequence in columns of lists, a column a
feature, and its target. The file is read in batches of rows; partial_fit takes an Arrow batch as it comes, and the
first one tells the units. The task is the adding problem: remember the two numbers that are marked, and give their sum.
Needs pyarrow.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skrnn import RNNRegressor
from skrnn.datasets import make_adding

N_BATCHES, BATCH, EPOCHS = 20, 500, 5
FEATURES = ["value", "marked"]


def table(seed):
    """Sequences in columns of lists, and their targets, in the units of whoever wrote the file."""
    X, y = make_adding(BATCH, 30, random_state=seed)
    X *= [1000, 1]
    return pa.table({name: list(X[:, :, j]) for j, name in enumerate(FEATURES)} | {"target": y})


def write(path):
    """The file, batch by batch."""
    with pq.ParquetWriter(path, table(0).schema) as writer:
        for seed in range(N_BATCHES):
            writer.write_table(table(seed))


def batches(path):
    """Sequences and targets, some rows of the file at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            yield batch.select(FEATURES), batch["target"]


def train(path):
    """The net in several passes over the file; the loss of each, half the squared error in deviations of the target."""
    net = RNNRegressor(random_state=0)
    for epoch in range(1, EPOCHS + 1):
        for X, y in batches(path):
            net.partial_fit(X, y)
        print(f"epoch {epoch}: loss {np.mean(net.loss_curve_[-N_BATCHES:]):.4f}")
    return net


def main():
    """Write, train, test."""
    start = perf_counter()
    with TemporaryDirectory() as folder:
        path = Path(folder, "adding.parquet")
        write(path)
        print(f"{N_BATCHES * BATCH} sequences of 30 steps in a file of {path.stat().st_size / 1e6:.1f} MB")
        net = train(path)
    new = table(N_BATCHES)
    error = net.predict(new.select(FEATURES)) - new["target"].to_numpy()
    print(f"Mean squared error on {len(new)} new sequences: {np.mean(error**2):.4f}")
    print("    to compare: 0.1667, the mean for all")
    print(f"Took {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
