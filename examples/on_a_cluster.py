"""
Training and prediction on a cluster
====================================

A data set of Parquet files that no process reads as a whole: two workers train on what each of them has read, and
predict into files of Parquet again. One process gives the same bits. A cluster of many machines takes the place of
LocalCluster, and nothing else changes. The task is the adding problem, as in parquet_in_batches.py. Needs the extra
skrnn[dask].
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dask.dataframe
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dask.distributed import Client, LocalCluster

from skrnn.dask import DaskRNNRegressor
from skrnn.datasets import make_adding

N_FILES, N_ROWS, STEPS = 4, 1000, 15
FEATURES = ["value", "marked"]


def write(folder, seeds):
    """A file for each seed: sequences in columns of lists, and their targets."""
    folder.mkdir()
    for seed in seeds:
        X, y = make_adding(N_ROWS, STEPS, random_state=seed)
        table = pa.table({name: list(X[:, :, j]) for j, name in enumerate(FEATURES)} | {"target": y})
        pq.write_table(table, folder / f"{seed}.parquet")


def read(folder):
    """A Dask DataFrame: a partition for each file, which is read where it is needed."""
    return dask.dataframe.read_parquet(folder, dtype_backend="pyarrow")


def train(df, client):
    """The net, trained by the workers of a cluster, or in this process where there is none."""
    start = perf_counter()
    net = DaskRNNRegressor(max_iter=15, batch_size=128, random_state=0, client=client).fit(df[FEATURES], df["target"])
    print(f"Loss {net.loss_curve_[-1]:.5f} after {perf_counter() - start:.1f} s")
    return net


def predict(net, df, folder):
    """Files of targets and predictions, each by the worker that reads its sequences."""
    df.assign(prediction=net.predict(df[FEATURES]))[["target", "prediction"]].to_parquet(folder)


def main():
    """Write, train by two workers and by none, predict into files."""
    with TemporaryDirectory() as folder:
        known, new, predicted = (Path(folder, name) for name in ("known", "new", "predicted"))
        write(known, range(N_FILES))
        write(new, range(N_FILES, N_FILES + 2))
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            net = train(read(known), client)
            predict(net, read(new), predicted)
        result = dask.dataframe.read_parquet(predicted).compute()
        alone = train(read(known), None)
    print(f"The same bits without a cluster: {net.loss_curve_ == alone.loss_curve_}")
    error = np.mean((result["prediction"] - result["target"]) ** 2)
    print(f"Mean squared error on {len(result)} new sequences: {error:.4f}")
    print("    to compare: 0.1667, the mean for all")


if __name__ == "__main__":
    main()
