"""Contenders timed in turn, in many short rounds, so that what disturbs the machine disturbs all of them."""

import gc
import random
from contextlib import contextmanager
from time import perf_counter, process_time, sleep

import numpy as np
from threads import limited

# A round calls a contender for at least this long.
LEAST_SECONDS = 0.02
# Before each turn the process waits for its threads to be idle, but no longer than this.
LONGEST_PAUSE = 0.5
# Of losses and logits.
TOLERANCE = 1e-4


class Contest:
    """Contenders for the same work; a `step` of each is timed, until `wait` returns where a contender has that.

    Parameters
    ----------
    seconds : float
        Time to be spent on a contender, on average.
    rounds : int
        Minimum number of rounds.
    """

    def __init__(self, seconds, rounds):
        self.seconds, self.rounds = seconds, rounds
        self.contenders, self.failed = {}, {}

    def enter(self, name, make, *args):
        """Add what make(*args) returns, or else why it failed."""
        with self._failures_of(name):
            self.contenders[name] = make(*args)

    def compare(self, outcome, tolerances=None):
        """Let those fail whose outcome(contender), an array, differs from that of the first.

        By more than `TOLERANCE`, or what the dict `tolerances` has for a name.
        """
        first = expected = None
        for name, contender in list(self.contenders.items()):
            with self._failures_of(name):
                values = np.asarray(outcome(contender), np.float64)
                if first is None:
                    first, expected = name, values
                difference = np.abs(values - expected).max()
                tolerance = (tolerances or {}).get(name, TOLERANCE)
                if not difference <= tolerance * max(1, np.abs(expected).max()):
                    raise ArithmeticError(f"its results differ from those of {first} by {difference:.1e}")

    def run(self):
        """Seconds a call by contender: a dict of median, quartiles q1 and q3, rounds and calls a round, or failed."""
        times = {name: [] for name in self.contenders}
        calls = {}
        order = random.Random(0)
        with limited(), collection_paused():
            for name in list(self.contenders):
                with self._failures_of(name):
                    calls[name] = calls_needed(self.contenders[name])
            while self.contenders and not self._enough(times, calls):
                for name in order.sample(list(self.contenders), len(self.contenders)):
                    with self._failures_of(name):
                        times[name].append(timed(self.contenders[name], calls[name]))
        timings = {name: summary(times[name]) | {"calls": calls[name]} for name in self.contenders}
        return timings | {name: {"failed": why} for name, why in self.failed.items()}

    def _enough(self, times, calls):
        rounds = min(len(times[name]) for name in self.contenders)
        spent = sum(sum(times[name]) * calls[name] for name in self.contenders)
        return rounds >= self.rounds and spent >= self.seconds * len(self.contenders)

    @contextmanager
    def _failures_of(self, name):
        """An exception in the block takes the contender out, with its reason."""
        try:
            yield
        except Exception as error:
            self.contenders.pop(name, None)
            self.failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]


@contextmanager
def collection_paused():
    """No garbage collection in the block."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def calls_needed(contender):
    """Calls that take `LEAST_SECONDS`, a power of two; warms up."""
    calls = 1
    while seconds_of(contender, calls) < LEAST_SECONDS:
        calls *= 2
    return calls


def seconds_of(contender, calls):
    """Seconds of so many steps, with what of them goes on elsewhere, on a GPU."""
    wait = getattr(contender, "wait", None)
    start = perf_counter()
    for _ in range(calls):
        contender.step()
    if wait:
        wait()
    return perf_counter() - start


def settle():
    """Wait until all threads are idle: those of the contender before spin after their work, up to 40 ms."""
    start = perf_counter()
    while perf_counter() - start < LONGEST_PAUSE:
        used = process_time()
        sleep(0.01)     # the system counts a running thread at its ticks only
        if process_time() - used < 0.001:
            return


def timed(contender, calls):
    """Seconds a call. Before short ones stands an untimed call, for the caches and to wake the contender's threads."""
    settle()
    if calls > 1:
        seconds_of(contender, 1)
    return seconds_of(contender, calls) / calls


def summary(seconds):
    """Median, quartiles and number of the rounds."""
    q1, median, q3 = map(float, np.quantile(seconds, [0.25, 0.5, 0.75]))
    return {"median": median, "q1": q1, "q3": q3, "rounds": len(seconds)}
