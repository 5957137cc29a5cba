"""What more workers than were measured would give: arithmetic from the measurements of `dask_.py`, not a measurement.

    python benchmarks/arithmetic.py DASK.json

A round, parameters to W workers and the sum of their gradients back, goes through ceil(log2(W + 1)) levels of a tree.
A level takes a + b n for n bytes, which is fitted to the rounds that were measured on one machine; a network adds its
latency and n over its bandwidth, there and back. A step takes the slowest worker's part of the batch, and a round. That
all workers are equally fast is assumed, and that nobody else uses the network.
"""

import json
import sys
from pathlib import Path

import numpy as np
from report import number, percent, print_table
from results import Results

WORKERS = (2, 8, 64, 512)
N_BYTES = (100_000, 1_000_000, 10_000_000)
# Latency in seconds and bits a second
NETWORKS = {"none": (0.0, np.inf), "10 Gbit/s": (50e-6, 10e9), "1 Gbit/s": (100e-6, 1e9)}
PART_MS = (1, 10, 100, 1000)            # a worker's part of a batch
BATCH_MS = (100, 1000, 10_000)          # a whole batch on one worker


def levels(n_workers):
    """The depth of the tree of the process that trains and its workers."""
    return int(n_workers).bit_length()


def measured_rounds(results):
    """(workers, bytes, seconds) of the rounds that skrnn.dask took."""
    return np.array([
        (n, 1000 * int(size.split()[0]), results.seconds("rounds", (n, cell, size), "skrnn.dask"))
        for n, cell, size in results.cases("rounds") if results.seconds("rounds", (n, cell, size), "skrnn.dask")
    ])


def fitted(rounds):
    """a and b, in seconds and seconds per byte, of least squares of the relative errors."""
    workers, n_bytes, seconds = rounds.T
    depth = np.array([levels(n) for n in workers])
    A = np.stack([depth, depth * n_bytes], axis=1) / seconds[:, np.newaxis]
    return np.linalg.lstsq(A, np.ones(len(seconds)), rcond=None)[0]


def round_seconds(n_workers, n_bytes, level, network="none"):
    """Of parameters to all workers and the sum back."""
    latency, bits = NETWORKS[network]
    a, b = level
    return levels(n_workers) * (a + b * n_bytes + 2 * (latency + 8 * n_bytes / bits))


def fit_rows(rounds, level):
    """What was measured beside what the formula says."""
    return [
        {"workers": f"{n:.0f}", "bytes": f"{n_bytes:.0f}", "measured, ms": number(1e3 * seconds),
         "formula, ms": number(1e3 * round_seconds(n, n_bytes, level))}
        for n, n_bytes, seconds in rounds
    ]


def round_rows(level):
    """The round of more workers."""
    return [
        {"network": network, "bytes": str(n_bytes)}
        | {f"{n} workers": number(1e3 * round_seconds(n, n_bytes, level, network)) for n in WORKERS}
        for network in NETWORKS for n_bytes in N_BYTES
    ]


def weak_rows(level, network):
    """The share of its time in which a worker computes, by its part of the batch, which does not depend on W."""
    return [
        {"bytes": str(n_bytes), "part, ms": str(ms)}
        | {f"{n} workers": percent(ms / (ms + 1e3 * round_seconds(n, n_bytes, level, network))) for n in WORKERS}
        for n_bytes in N_BYTES for ms in PART_MS
    ]


def strong_rows(level, network):
    """How many times faster than one worker, by the time that a batch takes on one, and the best number up to 512."""
    rows = []
    for n_bytes in N_BYTES:
        for ms in BATCH_MS:
            times = {
                n: 1e-3 * ms / n + round_seconds(n, n_bytes, level, network) for n in [2**k for k in range(1, 10)]
            }
            best = min(times, key=times.get)
            rows.append(
                {"bytes": str(n_bytes), "batch, ms": str(ms)}
                | {f"{n} workers": number(1e-3 * ms / times[n]) for n in WORKERS}
                | {"fastest with": str(best), "times": number(1e-3 * ms / times[best])}
            )
    return rows


def main():
    """Print the tables."""
    rounds = measured_rounds(Results(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["results"]))
    level = fitted(rounds)
    print(f"A level of the tree takes {1e3 * level[0]:.3f} ms + {1e9 * level[1]:.2f} ns a byte")
    print_table("The formula beside what it was fitted to", fit_rows(rounds, level))
    print_table("ARITHMETIC: a round, ms", round_rows(level))
    for network in ("none", "10 Gbit/s"):
        print_table(f"ARITHMETIC: share of the time in which workers compute, network: {network}",
                    weak_rows(level, network))
        print_table(f"ARITHMETIC: times faster than one worker, the same batch spread over all, network: {network}",
                    strong_rows(level, network))


if __name__ == "__main__":
    main()
