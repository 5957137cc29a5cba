"""One number of threads for everything in a process.

JAX cannot change its number, so a process is started for each; its environment and its processors say how many.
"""

import os
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


def environment(n):
    """Environment of a process whose libraries use n threads each."""
    several = "false" if n == 1 else "true"
    return os.environ | {
        "OMP_NUM_THREADS": str(n),
        "OPENBLAS_NUM_THREADS": str(n),
        "OPENBLAS_THREAD_TIMEOUT": "4",     # its idle threads would spin through the next contender's turn
        "MKL_NUM_THREADS": str(n),
        "NPROC": str(n),
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={several} intra_op_parallelism_threads={n}",
        "JAX_PLATFORMS": "cpu",
    }


def n_threads():
    """Threads of this process, from its environment."""
    return int(os.environ["OMP_NUM_THREADS"])


def available():
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@contextmanager
def on_first_processors(n):
    """Processes started in the block run on the first n processors, where the system can say so (Linux)."""
    if n >= available() or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def limited():
    """Context in which the OpenMP and BLAS libraries loaded so far use `n_threads`."""
    return threadpool_limits(n_threads())
