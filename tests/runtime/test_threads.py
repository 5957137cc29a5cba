"""How many threads the kernels use."""

import pytest
from joblib import Parallel, cpu_count, delayed

from skrnn._runtime import threads as _threads
from skrnn._runtime.threads import LONG_SECONDS, TRIAL_CALLS, TRIAL_INTERVAL, ThreadTuner


def simulate(thread_tuner, seconds, total):
    """Calls that take seconds[n_threads], for so long; returns the threads of each."""
    used, spent = [], 0.0
    while spent < total:
        n_threads = thread_tuner.threads()
        thread_tuner.note(n_threads, seconds[n_threads])
        used.append(n_threads)
        spent += seconds[n_threads]
    return used


@pytest.mark.parametrize(
    ("seconds", "faster"), [({1: 2e-4, 4: 1e-4}, 4), ({1: 1e-4, 4: 1e-2}, 1)], ids=["idle", "busy"]
)
def test_the_faster_number_is_used_and_the_other_one_tried_from_time_to_time(seconds, faster):
    used = simulate(ThreadTuner(4), seconds, 2.0)
    assert used[: 2 * TRIAL_CALLS] == [4] * TRIAL_CALLS + [1] * TRIAL_CALLS
    slow_share = sum(seconds[n] for n in used if n != faster) / 2.0
    assert 0.5 / TRIAL_INTERVAL < slow_share < 1.5 / TRIAL_INTERVAL + 2 * TRIAL_CALLS * max(seconds.values()) / 2.0


def test_it_changes_when_the_machine_becomes_busy_and_idle_again():
    thread_tuner = ThreadTuner(2)
    simulate(thread_tuner, {1: 2e-4, 2: 1e-4}, 0.1)
    used = simulate(thread_tuner, {1: 2e-4, 2: 1e-2}, 0.5)
    assert used[-10:] == [1] * 10
    assert used.count(2) <= 2 * TRIAL_CALLS
    used = simulate(thread_tuner, {1: 2e-4, 2: 1e-4}, 5.0)
    assert used[-10:] == [2] * 10


def test_one_slow_call_changes_nothing():
    thread_tuner = ThreadTuner(2)
    simulate(thread_tuner, {1: 2e-4, 2: 1e-4}, 0.01)
    thread_tuner.note(2, 1e-2)
    assert thread_tuner.threads() == 2


def test_one_thread_is_tried_once_where_that_takes_long():
    used = simulate(ThreadTuner(2), {1: 4 * LONG_SECONDS, 2: 2 * LONG_SECONDS}, 100 * LONG_SECONDS)
    assert used == [2] * TRIAL_CALLS + [1] + [2] * (len(used) - TRIAL_CALLS - 1)


def test_calls_that_wait_long_for_their_threads():
    used = simulate(ThreadTuner(4), {1: 1e-4, 4: 3 * LONG_SECONDS}, 100 * LONG_SECONDS)
    assert used.count(4) <= 3 * TRIAL_CALLS
    thread_tuner = ThreadTuner(2)
    simulate(thread_tuner, {1: 5e-3, 2: 3e-3}, 0.2)
    simulate(thread_tuner, {1: 5e-3, 2: 2 * LONG_SECONDS}, 20.0)
    assert simulate(thread_tuner, {1: 5e-3, 2: 3e-3}, 60.0)[-10:] == [2] * 10


def test_nothing_is_timed_with_one_thread():
    thread_tuner = ThreadTuner(1)
    assert thread_tuner.run(lambda n_threads: n_threads) == 1
    assert not any(thread_tuner.seconds.values())


def test_small_work_runs_on_one_thread(monkeypatch):
    monkeypatch.setattr(_threads, "effective_n_threads", lambda: 5)
    assert (_threads.threads_for(_threads.SERIAL_WORK - 1), _threads.threads_for(_threads.SERIAL_WORK)) == (1, 5)


def test_threads_follow_threadpoolctl():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    for limit in (1, 2, 3):
        with threadpoolctl.threadpool_limits(limit, user_api="openmp"):
            assert _threads.max_threads() == limit
            assert _threads.effective_n_threads() == min(limit, cpu_count())


@pytest.mark.slow
def test_threads_follow_the_caps_of_joblib():
    """Its workers share the processors."""
    found = Parallel(n_jobs=2)(delayed(_threads.effective_n_threads)() for _ in range(4))
    assert set(found) == {max(1, cpu_count() // 2)}


@pytest.mark.parametrize("setting", [None, ""])
def test_no_more_threads_than_processors_that_may_be_used(monkeypatch, setting):
    monkeypatch.setattr(_threads, "max_threads", lambda: 64)
    monkeypatch.setattr(_threads, "cpu_count", lambda: 3)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if setting is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", setting)
    assert _threads.effective_n_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert _threads.effective_n_threads() == 64
    monkeypatch.setattr(_threads, "max_threads", lambda: 9999)
    assert _threads.effective_n_threads() == _threads.MAX_THREADS
