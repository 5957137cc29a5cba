"""How many threads the kernels may use, and how many pay. The result has the same bits whatever their number."""

import math
import os
from collections import deque
from time import perf_counter

from joblib import cpu_count

from skrnn._runtime.machine import MAX_THREADS, max_threads

# Multiply-adds from which on two threads gain on an idle machine, some ten microseconds; benchmarks/break_even.py
# measures it.
SERIAL_WORK = 2**20
# A call that takes one thread longer than this, in seconds, is tried once, not WINDOW times.
LONG = 0.02
# Calls of which the middle one counts, and how many times as long as they took the faster way is used then.
TRIAL_CALLS, TRIAL_INTERVAL = 5, 50

_forked = False


def _note_fork():
    global _forked
    _forked = True


# The OpenMP runtime of gcc hangs in a child that was forked after a parallel region of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def threads_for(work):
    """Threads for a kernel of so many multiply-adds."""
    return 1 if work < SERIAL_WORK else effective_n_threads()


def effective_n_threads():
    """Threads that kernels may use.

    OpenMP's own number (OMP_NUM_THREADS, threadpoolctl, the caps that joblib sets in its workers); where
    OMP_NUM_THREADS does not say, no more than the processors this process may use (affinity, cgroup quota,
    LOKY_MAX_CPU_COUNT). One in a forked child.
    """
    if _forked:
        return 1
    threads = min(max_threads(), MAX_THREADS)
    return threads if os.environ.get("OMP_NUM_THREADS") else min(threads, cpu_count())


class ThreadTuner:
    """Finds out, while a kernel is called again and again, whether one thread or all of them are faster.

    On a machine that is busy otherwise a parallel region waits for its last thread, some milliseconds each time, and a
    small kernel is many times slower with two threads than with one. Both ways are tried in turn, the faster one is
    used, and the other one is tried again now and then.

    Parameters
    ----------
    most : int
        All the threads there are.
    """

    def __init__(self, most):
        self.most = most
        self.seconds = {most: deque(maxlen=TRIAL_CALLS), 1: deque(maxlen=TRIAL_CALLS)}     # of the last calls
        self.trial, self.calls_left = most, TRIAL_CALLS
        self.spent = 0.0            # seconds, in the trial
        self.patience = math.inf    # seconds, until the next one

    def threads(self):
        """How many to use for the next call."""
        return self.trial if self.calls_left else min(self.seconds, key=self._middle)

    def _middle(self, n_threads):
        times = sorted(self.seconds[n_threads])
        return times[len(times) // 2] if times else math.inf

    def note(self, n_threads, seconds):
        """Take into account how long a call took."""
        self.seconds[n_threads].append(seconds)
        if self.calls_left:
            self.calls_left -= 1
            self.spent += seconds
            if n_threads == 1 and seconds > LONG:
                self.calls_left = 0
            if self.calls_left == 0:
                self._end_trial()
        else:
            self.patience -= seconds
            if self.patience < 0:
                self.trial, self.calls_left, self.spent = max(self.seconds, key=self._middle), TRIAL_CALLS, 0.0

    def _end_trial(self):
        if not self.seconds[1]:
            self.trial, self.calls_left = 1, TRIAL_CALLS
        self.patience = TRIAL_INTERVAL * self.spent

    def run(self, function):
        """function(n_threads), timed where there is a choice."""
        if self.most == 1:
            return function(1)
        n_threads = self.threads()
        start = perf_counter()
        result = function(n_threads)
        self.note(n_threads, perf_counter() - start)
        return result
