"""Training on a Parquet data set that is larger than the memory that each worker may take. See docs/guide/scale.md.

    python benchmarks/larger_than_a_worker.py [--megabytes 1250] [--limit 1200MB] [--workers 2] [--epochs 3]

The files are written first, to a temporary folder. The same net is then trained on workers of one thread with this
limit, in this process, where as many shards give the same bits, and on one such worker alone, which is too small.
For Linux, which tells the peak of a process; two minutes, and 3 GB of memory and of disk.
"""

import argparse
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, time

import dask
import dask.dataframe
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dask.distributed import Client, LocalCluster

from skrnn.dask import DaskRNNClassifier
from skrnn.exceptions import ClusterError

FEATURES = [f"x{j}" for j in range(32)]
N_ROWS = 500                                        # of a file
# So many workers may be lost before fit gives up; so long may one need to start again on a busy machine
PATIENCE = {"distributed.scheduler.allowed-failures": 1, "distributed.deploy.lost-worker-timeout": "2m"}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1250, help="of sequences in memory")
    parser.add_argument("--limit", default="1200MB", help="of each worker")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    return parser.parse_args()


def table(seed):
    """Sequences of 100 to 300 steps in columns of lists, an age, and a label, which shifts all columns a little."""
    rng = np.random.default_rng(seed)
    length, ill = rng.integers(100, 301, N_ROWS), rng.integers(0, 2, N_ROWS)
    offsets = pa.array(np.append(0, np.cumsum(length)), pa.int32())
    shift = np.repeat(np.float32(0.05) * ill, length)
    columns = {
        name: pa.ListArray.from_arrays(offsets, pa.array(rng.standard_normal(len(shift), np.float32) + shift))
        for name in FEATURES
    }
    return pa.table(columns | {"age": rng.normal(50, 10, N_ROWS), "ill": np.where(ill, "ill", "well")})


def write(folder, megabytes):
    """The files; how many bytes they are in memory, and how many steps."""
    n_bytes = n_steps = n_files = 0
    while n_bytes < 1e6 * megabytes:
        part = table(n_files)
        pq.write_table(part, folder / f"{n_files:04d}.parquet", compression="none", use_dictionary=False)
        n_bytes += part.nbytes
        n_steps += len(part[FEATURES[0]].combine_chunks().flatten())
        n_files += 1
    return n_bytes, n_steps, n_files


def peak():
    """The most memory that this process has had so far, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024e-6 * int(status.split("VmHWM:")[1].split()[0])


def bits(net, X):
    """A few digits that change with any bit of the losses and of predictions."""
    probabilities = net.to_local().predict_proba(X.partitions[0].compute())
    return hashlib.sha256(np.array(net.loss_curve_).tobytes() + probabilities.tobytes()).hexdigest()[:12]


def train(folder, epochs, n_shards, client=None):
    """A net, or why there is none, and seconds."""
    df = dask.dataframe.read_parquet(folder, dtype_backend="pyarrow")
    net = DaskRNNClassifier(
        16, batch_size=1024, max_iter=epochs, tol=0, random_state=0, n_shards=n_shards, client=client,
    )
    began = perf_counter()
    try:
        net.fit(df[[*FEATURES, "age"]], df["ill"])
    except ClusterError as error:
        return str(error), perf_counter() - began
    return net, perf_counter() - began


def on_workers(n, options, n_shards):
    """Train on workers, and print what they needed."""
    with (
        LocalCluster(n_workers=n, threads_per_worker=1, memory_limit=options.limit, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        before = client.run(peak).values()
        print(f"{n} workers of {options.limit}; each has {max(before):.0f} MB before it has begun")
        began = time()
        net, seconds = train(options.folder, options.epochs, n_shards, client)
        if isinstance(net, str):
            print(f"    failed after {seconds:.0f} s: {net}")
            return
        events = [moment - began for moment, _ in client.get_events("skrnn")]
        print(f"    {describe(net, seconds, options)}; the first epoch had ended after {events[0]:.1f} s")
        print(f"    at most {', '.join(f'{megabytes:.0f}' for megabytes in client.run(peak).values())} MB")
        logs = client.get_worker_logs().values()
        print(f"    paused {sum('Pausing' in line for log in logs for _, line in log)} times")


def describe(net, seconds, options):
    """Time, rate and bits of a fit."""
    X = dask.dataframe.read_parquet(options.folder, dtype_backend="pyarrow")[[*FEATURES, "age"]]
    rate = options.n_steps * options.epochs / seconds * 3600 / 1e6
    return f"{seconds:.1f} s, {rate:.0f} million sequences × steps an hour with reading, bits {bits(net, X)}"


def main():
    """Write, train here and there."""
    options = arguments()
    with TemporaryDirectory() as folder, dask.config.set(PATIENCE):
        options.folder = Path(folder)
        n_bytes, options.n_steps, n_files = write(options.folder, options.megabytes)
        print(f"{n_files * N_ROWS} sequences in {n_files} files: {n_bytes / 1e6:.0f} MB in memory")
        n_shards = 2 * options.workers
        on_workers(options.workers, options, n_shards)
        print(f"the process that trained: at most {peak():.0f} MB")
        net, seconds = train(options.folder, options.epochs, n_shards)
        print(f"one process: {describe(net, seconds, options)}")
        print(f"    at most {peak():.0f} MB")
        on_workers(1, options, n_shards)


if __name__ == "__main__":
    main()
