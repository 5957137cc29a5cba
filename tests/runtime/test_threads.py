"""How many threads the kernels use."""

import sys
from threading import get_ident
from types import SimpleNamespace

import pytest
from joblib import Parallel, cpu_count, delayed

from skrnn._runtime import threads as _threads
from skrnn._runtime.threads import LONG_SECONDS, TRIAL_CALLS, TRIAL_INTERVAL, SharedThreadTuner, ThreadTuner


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


@pytest.fixture
def dask_worker(monkeypatch):
    """A worker of Dask as far as it is asked, of four threads, of which this thread runs the only task."""
    task = object()
    state = SimpleNamespace(nthreads=4, executing_count=1, long_running=set(), tasks={"task": task})
    worker = SimpleNamespace(state=state, active_threads={get_ident(): "task"}, task=task)
    monkeypatch.setitem(sys.modules, "distributed.worker", SimpleNamespace(get_worker=lambda: worker))
    monkeypatch.setattr(_threads, "_n_processors", lambda: 16)
    return worker


class TestDaskWorkers:
    @pytest.mark.parametrize(("setting", "of_openmp", "processors", "expected"), [
        ("1", 1, 16, 4),            # as Dask sets it
        ("1", 1, 3, 3),
        ("1", 2, 16, 2),            # by threadpoolctl
        ("1", 16, 16, 4),           # set after OpenMP was loaded, in the process of a client
        (None, 16, 16, 4),          # without a nanny
        ("", 16, 16, 4),
        (None, 1, 16, 1),           # by threadpoolctl
        ("8", 8, 16, 8),            # by the user, for workers of one thread
        ("2", 2, 16, 2),
        ("2", 1, 16, 1),
    ])
    def test_threads_of_a_task_alone(self, monkeypatch, dask_worker, setting, of_openmp, processors, expected):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if setting is not None:
            monkeypatch.setenv("OMP_NUM_THREADS", setting)
        monkeypatch.setattr(_threads, "max_threads", lambda: of_openmp)
        monkeypatch.setattr(_threads, "_n_processors", lambda: processors)
        assert _threads.effective_n_threads() == expected

    @pytest.mark.parametrize(("executing", "has_left", "expected"), [
        (1, False, 4), (2, False, 2), (3, False, 1), (4, False, 1), (9, False, 1),
        (0, True, 4), (1, True, 2), (3, True, 1), (0, False, 4),
    ])
    def test_tasks_share(self, monkeypatch, dask_worker, executing, has_left, expected):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(_threads, "max_threads", lambda: 1)
        dask_worker.state.executing_count = executing
        dask_worker.state.long_running = {object(), *[dask_worker.task] * has_left}
        assert _threads.effective_n_threads() == expected

    def test_a_thread_of_no_task_has_what_openmp_says(self, monkeypatch, dask_worker):
        def get_worker():
            raise ValueError("No worker found")

        monkeypatch.setitem(sys.modules, "distributed.worker", SimpleNamespace(get_worker=get_worker))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(_threads, "max_threads", lambda: 1)
        assert _threads.effective_n_threads() == 1
        assert isinstance(_threads.thread_tuner_for(_threads.SERIAL_WORK), ThreadTuner)

    def test_what_is_left_is_tried_and_used(self, monkeypatch, dask_worker):
        """One thread where it is faster, and otherwise as many as there are at each call."""
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(_threads, "max_threads", lambda: 1)
        clock, used = [0.0], []
        monkeypatch.setattr(_threads, "perf_counter", lambda: clock[0])

        def kernel(n_threads):
            used.append(n_threads)
            clock[0] += {1: 4e-4, 2: 1e-2, 4: 1e-4}[n_threads]

        tuner = _threads.thread_tuner_for(_threads.SERIAL_WORK)
        assert isinstance(tuner, SharedThreadTuner)
        for executing, expected in ((1, 4), (2, 1), (4, 1), (1, 4)):
            dask_worker.state.executing_count = executing
            assert tuner.max_threads == 4 // executing
            for _ in range(4 * TRIAL_CALLS):
                tuner.run(kernel)
            assert used[-1] == expected
            assert max(used[-4 * TRIAL_CALLS :]) == 4 // executing

    def test_small_work_runs_on_one_thread(self, dask_worker):
        assert _threads.thread_tuner_for(_threads.SERIAL_WORK - 1).max_threads == 1
