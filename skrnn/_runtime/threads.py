"""How many threads the kernels may use, and how many are fastest. No bit of any result depends on it."""

import math
import os
import sys
from collections import deque
from functools import lru_cache
from threading import get_ident
from time import perf_counter

from joblib import cpu_count

from skrnn._runtime.machine import MAX_THREADS, max_threads

# Multiply-adds from which on two threads are faster than one on an idle machine, some ten microseconds;
# benchmarks/break_even.py measures it.
SERIAL_WORK = 2**20
# A trial is the median of so many calls; with one thread a single call if it takes longer than LONG_SECONDS.
TRIAL_CALLS, LONG_SECONDS = 5, 0.02
# The next trial comes after so many times the seconds that the last one took.
TRIAL_INTERVAL = 50
# OMP_NUM_THREADS where it says nothing of a Dask worker: Dask's nannies set 1
SETTINGS_OF_DASK = (None, "", "1")

_forked = False


def _note_fork():
    global _forked
    _forked = True


# The OpenMP runtime of gcc hangs in a child that was forked after a parallel region of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def threads_for(work):
    """The number of threads for a kernel of `work` multiply-adds."""
    return 1 if work < SERIAL_WORK else effective_n_threads()


def effective_n_threads():
    """The number of threads that kernels may use.

    It is OpenMP's own number (OMP_NUM_THREADS, threadpoolctl, the limits that joblib sets in its workers). Without
    OMP_NUM_THREADS it is at most the number of processors that this process may use (affinity, cgroup quota,
    LOKY_MAX_CPU_COUNT). In a forked child it is one.

    In a task of a Dask worker it is the task's share of the worker's threads, if OMP_NUM_THREADS is not set or 1, which
    Dask sets in all its workers, however many threads they have; and at most what threadpoolctl allows.
    """
    if _forked:
        return 1
    threads, setting = min(max_threads(), MAX_THREADS), os.environ.get("OMP_NUM_THREADS")
    if setting in SETTINGS_OF_DASK and (worker := _dask_worker()) is not None:
        share = _share_of_threads(worker)
        threads, setting = share if setting == "1" and threads == 1 else min(threads, share), None
    return threads if threads == 1 or setting else min(threads, _n_processors())


def _dask_worker():
    """The Dask worker that runs the task of this thread, or None. It is there only if somebody has imported Dask."""
    module = sys.modules.get("distributed.worker")
    if module is None:
        return None
    try:
        return module.get_worker()
    except ValueError:
        return None


def _share_of_threads(worker):
    """The threads of a Dask worker for each of the tasks that it runs now.

    A task that waits for tasks of its own has left the worker's threads, and counts as soon as it computes itself.
    """
    state = worker.state
    has_left = state.tasks.get(worker.active_threads.get(get_ident())) in state.long_running
    return max(1, state.nthreads // max(1, state.executing_count + has_left))


def _n_processors():
    """What joblib counts, which reads files: counted anew where the process may use others, or is told so."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return _counted(cpu_count, affinity, os.environ.get("LOKY_MAX_CPU_COUNT"))


@lru_cache(maxsize=16)
def _counted(count, affinity, limit):
    return count()


class ThreadTuner:
    """Finds out, while a kernel is called again and again, whether one thread or all of them are faster.

    On a busy machine a parallel region waits for its last thread, some milliseconds each time, and a small kernel is
    many times slower with two threads than with one. Both numbers are tried, the faster one is used, and the other one
    is tried again from time to time.

    Parameters
    ----------
    max_threads : int
        All the threads there are.
    """

    def __init__(self, max_threads):
        self.max_threads = max_threads
        self.seconds = {n: deque(maxlen=TRIAL_CALLS) for n in (max_threads, 1)}     # of the last calls
        self.trial, self.calls_left = max_threads, TRIAL_CALLS
        self.trial_seconds = 0.0
        self.seconds_to_trial = math.inf

    def threads(self):
        """The number of threads for the next call."""
        return self.trial if self.calls_left else min(self.seconds, key=self._median)

    def _median(self, n_threads):
        times = sorted(self.seconds[n_threads])
        return times[len(times) // 2] if times else math.inf

    def note(self, n_threads, seconds):
        """Take into account how long a call took."""
        self.seconds[n_threads].append(seconds)
        if self.calls_left:
            self.calls_left -= 1
            self.trial_seconds += seconds
            if n_threads == 1 and seconds > LONG_SECONDS:
                self.calls_left = 0
            if self.calls_left == 0:
                self._end_trial()
        else:
            self.seconds_to_trial -= seconds
            if self.seconds_to_trial < 0:
                self.trial, self.calls_left, self.trial_seconds = max(self.seconds, key=self._median), TRIAL_CALLS, 0.0

    def _end_trial(self):
        if not self.seconds[1]:
            self.trial, self.calls_left = 1, TRIAL_CALLS
        self.seconds_to_trial = TRIAL_INTERVAL * self.trial_seconds

    def run(self, function):
        """function(n_threads), timed where there is a choice."""
        if self.max_threads == 1:
            return function(1)
        n_threads = self.threads()
        start = perf_counter()
        result = function(n_threads)
        self.note(n_threads, perf_counter() - start)
        return result


class SharedThreadTuner:
    """A :class:`ThreadTuner` for each number of threads that a task of a Dask worker is left by other tasks."""

    def __init__(self):
        self._tuners = {}

    @property
    def max_threads(self):
        """All the threads there are now."""
        return effective_n_threads()

    def run(self, function):
        """function(n_threads), timed where there is a choice."""
        max_threads = self.max_threads
        if max_threads not in self._tuners:
            self._tuners[max_threads] = ThreadTuner(max_threads)
        return self._tuners[max_threads].run(function)


def thread_tuner_for(work):
    """What finds out with how many threads a kernel of `work` multiply-adds is fastest."""
    if work >= SERIAL_WORK and _dask_worker() is not None:
        return SharedThreadTuner()
    return ThreadTuner(threads_for(work))
