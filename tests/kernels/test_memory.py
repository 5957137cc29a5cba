"""What a batch keeps, what happens when that is too much, and that nothing else changes then."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import ALL_LOSSES, FORMS, Case, make_loss, make_optimizer, outputs_of, targets_for
from pairwise import pairwise

from skrnn._data.examples import Examples
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.kernels import kernels_for

pytestmark = pytest.mark.usefixtures("simd")


def gradients(case, monkeypatch, max_bytes, n_threads=1):
    monkeypatch.setattr(memory, "max_bytes", lambda: max_bytes)
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    return [array.tobytes() for array in case.gradients()]


@pytest.mark.parametrize(
    ("form", "per_step", "lengths"), pairwise(FORMS, [False, True], [(300,) * 5, (301, 1, 17, 256, 300, 40)]), ids=str
)
def test_recomputed_segments_change_no_bit(form, per_step, lengths, monkeypatch):
    """Gradients of theta, inputs and initial states, when nothing fits but √T steps at a time."""
    case = Case(form, (4, 3), per_step=per_step, lengths=lengths)
    whole = gradients(case, monkeypatch, 2**40)
    assert gradients(case, monkeypatch, 1) == whole
    assert gradients(case, monkeypatch, 1, n_threads=3) == whole


@pytest.mark.parametrize("bidirectional", [False, True])
def test_little_memory_changes_no_bit(bidirectional, monkeypatch):
    """Fewer groups at a time, down to one that the threads share."""
    case = Case(("lstm", "tanh", True), (9,), bidirectional, lengths=np.resize([20, 33, 5, 40], 200))
    whole = gradients(case, monkeypatch, 2**40)
    for max_bytes in (2**22, 2**20, 2**18):
        assert gradients(case, monkeypatch, max_bytes, n_threads=4) == whole


def test_segments_by_several_threads_change_no_bit(monkeypatch):
    case = Case(("lstm", "tanh", True), (9,), lengths=np.resize([300, 270, 200], 40))
    whole = gradients(case, monkeypatch, 2**40)
    group = 14 * 300 * (3 + 9 * 7) * 8
    assert gradients(case, monkeypatch, group - 1, n_threads=3) == whole


def test_what_cannot_be_taken_in_pieces_is_an_error(monkeypatch):
    """A layer that reads backwards has to keep all its steps."""
    case = Case(("lstm", "tanh", True), (9,), True, lengths=(50_000, 40_000))
    with pytest.raises(MemoryError, match="2 sequences of up to 50000 steps take more than the memory"):
        gradients(case, monkeypatch, 1)


def test_sequences_of_very_different_lengths_need_no_room_for_the_longest_each():
    """Tables of the steps of each group, not of as many for every group."""
    case = Case(("rnn", "tanh", True), (2,), lengths=(30_000, *[1] * 20_000), n_inputs=1, n_outputs=1)
    dtheta, _, _ = case.gradients()
    assert np.isfinite(dtheta).all()


@pytest.mark.parametrize("loss", ALL_LOSSES)
@pytest.mark.parametrize("per_step", [False, True])
def test_loss_in_segments_has_the_same_bits(loss, per_step, monkeypatch):
    case = Case(("gru", "tanh", True), (4,), per_step=per_step, lengths=(200, 170, 3), n_outputs=outputs_of(loss))
    targets = targets_for(loss, len(case.X) if per_step else 3, np.random.default_rng(0))
    examples = Examples(case.sequences, targets, None, per_step)
    results = []
    for max_bytes in (2**40, 1):
        monkeypatch.setattr(memory, "max_bytes", lambda max_bytes=max_bytes: max_bytes)
        value, _, gradient, _ = Objective(case.net, examples, make_loss(loss), 3, 0.1)(case.theta, case.index)
        results.append((value, gradient.tobytes()))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("form", "n_layers", "n_directions", "per_step", "dtype"),
    pairwise(FORMS, [1, 2], [1, 2], [False, True], [np.float32, np.float64]), ids=str,
)
def test_memory_of_a_thread_is_what_the_documentation_says(form, n_layers, n_directions, per_step, dtype):
    """docs/performance.md, Memory."""
    K, D, Q, T, itemsize = 40, 7, 30, 200, np.dtype(dtype).itemsize
    case = Case(
        form, (K,) * n_layers, n_directions == 2, per_step, lengths=(T,) * 16, n_inputs=D, n_outputs=Q, dtype=dtype
    )
    engine = case.net.engine(dtype)
    case.net.backward(case.theta, case.sequences, case.index, case.dscores, engine=engine)
    cell = case.net.layers[0].cell
    states, saved = len(cell.states), cell.n_saved[case.net.layers[0].variant]
    R, P = 16 * T, K * n_directions
    formula = R * n_layers * n_directions * K * (states + saved) * itemsize
    formula += R * (D * n_directions + (n_layers - 1) * P * (n_directions - 1)) * itemsize
    formula += R * P * (n_layers - 1 + per_step + (n_directions - 1) * n_layers) * itemsize
    formula += R * (2 * Q * itemsize + 8) if per_step else 0
    assert formula <= engine.memory() <= 1.05 * formula


LIMITED = """
import resource, sys
import numpy as np
from networks import Case
from skrnn._runtime import memory
case = Case(("lstm", "tanh", True), (64,), lengths=(400_000,), n_inputs=1, dtype=np.float32)
memory.usable_memory = lambda: int(sys.argv[1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1))
dtheta, _, _ = case.gradients()
assert np.isfinite(dtheta).all() and dtheta.any()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize(("usable", "succeeds"), [(2**34, False), (2**28, True)])
def test_long_sequences_in_little_memory(usable, succeeds):
    """A sequence whose activations take 0.7 GB, with 0.25 GB to be had."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIMITED, str(usable)], cwd=Path(__file__).parents[1] / "helpers",
        capture_output=True, text=True,
    )
    assert (done.returncode == 0) == succeeds, done.stderr
    assert succeeds or "MemoryError" in done.stderr


def test_a_share_of_what_the_container_allows(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    for text, expected in (("4096000\n", 4096000), ("max\n", None)):
        limit.write_text(text)
        monkeypatch.setattr(memory, "CGROUP_LIMITS", [str(limit), str(tmp_path / "none")])
        memory.usable_memory.cache_clear()
        usable = memory.usable_memory()
        assert usable == expected if expected else usable > 2**20
        assert memory.max_bytes() == int(memory.MEMORY_FRACTION * usable)
    memory.usable_memory.cache_clear()


@pytest.mark.every_simd
class TestDenormals:
    """They count as 0 in the kernels, and nowhere else."""

    def test_the_mode_is_restored_in_every_thread(self, monkeypatch):
        """A product that is denormal, before and after; in the threads of OpenMP the kernels themselves run again."""
        case = Case(("lstm", "tanh", True), (40,), lengths=(20,) * 64)
        monkeypatch.setattr(threads, "threads_for", lambda work: 2)
        tiny = np.array([np.finfo(np.float64).tiny])
        assert (tiny / 4)[0] > 0
        case.gradients()
        case.forward()
        assert (tiny / 4)[0] > 0
        assert kernels_for(np.float64).denormals(2) == [True, True]

    def test_denormal_inputs_count_as_nothing(self, monkeypatch):
        case = Case(("rnn", "identity", True), lengths=(3,) * 40)
        case.initial[:] = 0
        case.parameters["layer0.b"][:] = 0
        case.X[:] = np.finfo(np.float64).tiny / 1000
        assert (case.X[:3] @ case.parameters["layer0.W"]).all()
        np.testing.assert_array_equal(case.forward()[1], 0)
        monkeypatch.setattr(threads, "threads_for", lambda work: 3)
        for max_bytes in (2**40, 2**10):      # a group to each thread, and one that is shared
            monkeypatch.setattr(memory, "max_bytes", lambda max_bytes=max_bytes: max_bytes)
            np.testing.assert_array_equal(case.net.layout.views(case.gradients()[0])["layer0.W"], 0)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizers_let_no_denormals_stay(self, name):
        theta = np.zeros(3, np.float32)
        optimizer = make_optimizer(name, theta)
        optimizer.update(theta, np.ones(3, np.float32))
        for _ in range(3000):
            optimizer.update(theta, np.zeros(3, np.float32))
        memories = [value for value in vars(optimizer).values() if getattr(value, "dtype", None) == theta.dtype]
        assert memories
        tiny = np.finfo(np.float32).tiny
        assert all(((memory == 0) | (np.abs(memory) >= tiny)).all() for memory in memories)
