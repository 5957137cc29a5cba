"""How long fit and predict take where X is an array of another library, beside NumPy's.

    python benchmarks/containers.py [--sequences 10000] [--per-chunk 300] [--on-demand]

--on-demand reads X as if it did not fit into memory. Rounds are interleaved; every figure is a median over them.
"""

import argparse
import importlib
import tempfile
import time
import warnings
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier
from skrnn._data import on_demand

STEPS, FEATURES, ROUNDS = 20, 3, 7


def containers(X, per_chunk, folder, stack):
    """The same numbers in each container; where its package is missing the reason in its place."""
    chunk = (per_chunk, STEPS, FEATURES)
    np.save(folder / "X.npy", X)
    np.save(folder / "integers.npy", (1000 * X).astype(np.int16))
    found = {
        "NumPy": X, "memmap": np.load(folder / "X.npy", mmap_mode="r"),
        "memmap of int16": np.load(folder / "integers.npy", mmap_mode="r"),
    }

    def zarr_array(zarr):
        array = zarr.create_array(str(folder / "X.zarr"), shape=X.shape, chunks=chunk, dtype=X.dtype)
        array[:] = X
        return array

    def data_set(h5py, name, chunks):
        return stack.enter_context(h5py.File(folder / name, "w")).create_dataset("X", data=X, chunks=chunks)

    makers = {
        "h5py": ("h5py", partial(data_set, name="chunks.h5", chunks=chunk)),
        "h5py, one piece": ("h5py", partial(data_set, name="one.h5", chunks=None)),
        "zarr": ("zarr", zarr_array),
        "dask": ("dask.array", lambda dask: dask.from_array(X, chunks=chunk)),
        "xarray": ("xarray", lambda xarray: xarray.DataArray(X)),
    }
    for name, (module, make) in makers.items():
        try:
            library = importlib.import_module(module)
        except ImportError as error:
            found[name] = f"left out: {error}"
        else:
            found[name] = make(library)
    return found


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main():
    """Print seconds and their ratios to NumPy's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--per-chunk", type=int, default=300)
    parser.add_argument("--on-demand", action="store_true")
    arguments = parser.parse_args()
    if arguments.on_demand:
        on_demand.FRACTION_READ_AT_ONCE = 0
    warnings.simplefilter("ignore", ConvergenceWarning)
    n = arguments.sequences
    X, y = np.random.default_rng(0).normal(size=(n, STEPS, FEATURES)), np.arange(n) % 2
    net = RNNClassifier(8, max_iter=2, random_state=0)
    fitted = RNNClassifier(8, max_iter=2, random_state=0).fit(X, y)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found = containers(X, arguments.per_chunk, Path(folder), stack)
        usable = {name: data for name, data in found.items() if not isinstance(data, str)}
        times = {name: [] for name in usable}
        for _ in range(ROUNDS):
            for name, data in usable.items():
                times[name].append((seconds(partial(net.fit, data, y)), seconds(partial(fitted.predict, data))))
        medians = {name: np.median(rounds, axis=0) for name, rounds in times.items()}
        print(f"{n} sequences of {STEPS} steps, chunks of {arguments.per_chunk}; two epochs")
        print(f"{'':16}     fit        predict")
        for name, data in found.items():
            if name not in medians:
                print(f"{name:16} {data}")
                continue
            (fit, predict), (fit_ratio, predict_ratio) = medians[name], medians[name] / medians["NumPy"]
            print(f"{name:16} {fit:.3f} s {fit_ratio:4.1f}   {predict:.4f} s {predict_ratio:4.1f}")


if __name__ == "__main__":
    main()
