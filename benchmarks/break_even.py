"""From how much work on do all threads gain over one? Training steps of growing size, each in turn with both."""

from statistics import median
from time import perf_counter

from contenders.skrnn_ import SERIAL_WORK, Training, n_threads
from sizes import Problem, Size

# Calls in a turn; the first ones start the threads.
ROUNDS, CALLS, WARM_UP = 21, 20, 5
SIZES = [Size("", B, T, D, K) for B, T, D, K in (
    (8, 4, 2, 8), (16, 4, 4, 8), (16, 8, 4, 8), (16, 8, 4, 16), (32, 8, 4, 16), (32, 12, 4, 16), (32, 24, 4, 16),
    (32, 24, 8, 32), (32, 50, 8, 32),
)]


def timed(step):
    """Seconds of the calls of a turn."""
    seconds = []
    for _ in range(CALLS):
        start = perf_counter()
        step()
        seconds.append(perf_counter() - start)
    return seconds[WARM_UP:]


def steps(size, threads):
    """A training step that always uses that many threads."""
    training = Training(Problem("lstm", size))
    training.use_threads(threads)
    return training.step


def main():
    """A line for each size."""
    n = n_threads()
    print(f"multiply-adds   1 thread   {n} threads   gain     (SERIAL_WORK is {SERIAL_WORK:,})")
    for size in SIZES:
        contenders = {threads: steps(size, threads) for threads in (1, n)}
        times = {threads: [] for threads in contenders}
        for _ in range(ROUNDS):
            for threads, step in contenders.items():
                times[threads] += timed(step)
        work = 3 * size.B * size.T * (size.D + size.K) * 4 * size.K
        one, all_ = (1e6 * median(times[threads]) for threads in (1, n))
        print(f"{work:13,d}   {one:5.0f} µs   {all_:6.0f} µs   {one / all_:4.2f}×")


if __name__ == "__main__":
    main()
