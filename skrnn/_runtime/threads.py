"""How many threads the kernels may use, and how many are fastest. No bit of any result depends on it."""

import math
import os
from collections import deque
from functools import lru_cache
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
    """
    if _forked:
        return 1
    threads = min(max_threads(), MAX_THREADS)
    return threads if threads == 1 or os.environ.get("OMP_NUM_THREADS") else min(threads, _n_processors())


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
