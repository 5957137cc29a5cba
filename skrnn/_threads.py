"""How many threads the kernels may use."""

import os

from joblib import cpu_count

from skrnn._machine import max_threads

# Multiply-adds below which a kernel runs on one thread, some milliseconds. Two threads would save half of it at most,
# but on a machine that is busy otherwise a kernel waits for its second thread for some milliseconds each time.
SERIAL_WORK = 2**24

_forked = False


def _note_fork():
    global _forked
    _forked = True


# The OpenMP runtime of gcc hangs in a child that was forked after a parallel region of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def threads_for(work):
    """Threads for a kernel of so many multiply-adds. The result has the same bits whatever their number."""
    return 1 if work < SERIAL_WORK else effective_n_threads()


def effective_n_threads():
    """Threads that kernels may use.

    OpenMP's own number (OMP_NUM_THREADS, threadpoolctl, the caps that joblib sets in its workers); where
    OMP_NUM_THREADS does not say, no more than the processors this process may use (affinity, cgroup quota,
    LOKY_MAX_CPU_COUNT). One in a forked child.
    """
    if _forked:
        return 1
    if os.environ.get("OMP_NUM_THREADS"):
        return max_threads()
    return min(max_threads(), cpu_count())
