"""A single sequence: its inputs multiplied ahead, its units shared among threads, with the bits of any other way."""

import numpy as np
import pytest
from networks import FORMS, Case
from pairwise import pairwise

from skrnn._data.sequences import Sequences
from skrnn.kernels import kernels_for
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

# Too few units to share; enough for two threads at least, whatever the instruction set; some for fewer than three
HIDDEN_SIZES = [(3,), (70,), (33, 70), (17, 136)]
# bidirectional, per step, pooling
ARRANGEMENTS = [
    (False, False, "last"), (True, False, "last_mean_max"), (False, True, "last"), (True, True, "last"),
]
PATIENT, IMPATIENT = 1e9, 0.0       # seconds


class Single:
    """The first of two sequences of T steps, by an engine of its own."""

    def __init__(self, form, hidden_size, arrangement=(False, False, "last"), T=30, dtype=np.float32):
        bidirectional, per_step, pooling = arrangement
        self.case = Case(form, hidden_size, bidirectional, per_step, (T, T), pooling=pooling, dtype=dtype)
        self.engine = self.case.net.engine(dtype)
        self.n_rows = T if per_step else 1

    def outputs(self, n_threads, n=1, max_bytes=2**40):
        """The bytes of its scores and final states, where the first n sequences are computed."""
        case, index = self.case, np.arange(n)
        scores = np.empty((n * self.n_rows, case.net.n_outputs), case.X.dtype)
        final = np.empty((n, case.net.state_width), case.X.dtype)
        sequences = case.sequences
        inputs = Inputs(sequences.steps, sequences.starts, sequences.lengths, index, case.initial[:n])
        self.engine.forward(case.theta, inputs, scores, final=final, max_bytes=max_bytes, n_threads=n_threads)
        return scores[: self.n_rows].tobytes(), final[0].tobytes()


@pytest.fixture
def sharing():
    """A function that sets, for both dtypes, when threads share the units of a sequence."""
    def set_sharing(**settings):
        for dtype in (np.float32, np.float64):
            kernels_for(dtype).set_sharing(**settings)

    yield set_sharing
    set_sharing()


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "hidden_size", "arrangement", "T", "dtype"),
    pairwise(FORMS, HIDDEN_SIZES, ARRANGEMENTS, [2, 12, 14], [np.float32, np.float64]), ids=str,
)
def test_shared_units_change_no_bit(form, hidden_size, arrangement, T, dtype, sharing):
    """Alone, beside another sequence, and with its units shared by any number of threads."""
    single = Single(form, hidden_size, arrangement, T, dtype)
    expected = single.outputs(1, n=2)
    assert single.outputs(1) == expected
    assert single.engine.sharing() == (0, 0)
    sharing(work=1, wait=PATIENT)
    for n_threads in (2, 3):
        assert single.outputs(n_threads) == expected
    assert single.engine.sharing() == (2 if hidden_size[-1] > 64 else 0, 0)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_threads_that_are_lost_change_no_bit(form, sharing):
    """The thread that called goes on alone, from whatever part of whatever step on."""
    single = Single(form, (66, 70), (False, True, "last"), T=15)
    expected, n_parts = single.outputs(1), 2 * 2 * 15
    for parts in (0, 1, 2, 5, 6, 14, 15, 24, 25, 29, 30, 37, 58):
        sharing(work=1, wait=IMPATIENT, parts=parts)
        single.engine = single.case.net.engine(np.float32)
        assert single.outputs(3) == expected
        if parts < n_parts / 2:
            assert single.engine.sharing() == (1, 1)


def test_after_threads_were_lost_one_computes_alone_for_a_while(sharing):
    single = Single(FORMS[0], (70,))
    sharing(work=1, wait=0.05, parts=3)
    for _ in range(3):
        single.outputs(2)
    assert single.engine.sharing() == (1, 1)
    sharing(work=1, wait=PATIENT)
    single.engine = single.case.net.engine(np.float32)
    single.outputs(2)
    assert single.engine.sharing() == (1, 0)


def test_more_threads_than_processors(sharing):
    single = Single(("lstm", "tanh", True), (70,), T=50)
    expected = single.outputs(1)
    sharing(work=1)
    for _ in range(5):
        single.engine = single.case.net.engine(np.float32)
        assert single.outputs(8) == expected


@pytest.mark.parametrize(
    ("n", "T", "K", "settings"),
    [(2, 30, 70, {"work": 1}), (1, 1, 70, {"work": 1}), (1, 30, 4, {"work": 1}), (1, 30, 70, {})],
)
def test_what_is_not_shared(n, T, K, settings, sharing):
    """Several sequences, a single step, units of which only one thread has any, and steps of little work."""
    sharing(**settings)
    single = Single(("rnn", "tanh", True), (K,), T=T)
    single.outputs(2, n)
    assert single.engine.sharing() == (0, 0)


def test_long_steps_are_shared():
    """Without settings of the test: steps of enough work for two threads."""
    single = Single(("lstm", "tanh", True), (128,), T=5)
    expected = single.outputs(1)
    assert single.outputs(2) == expected
    assert single.engine.sharing()[0] == 1


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_gradient_of_a_single_sequence(form):
    """The forward pass of training multiplies the inputs ahead, too: as a part of a batch it has the same bits."""
    case = Case(form, (20,), lengths=(14, 14))
    dscores, dstate = np.array(case.dscores), np.array(case.dfinal)
    dscores[1], dstate[1] = 0, 0
    both = case.net.backward(case.theta, case.sequences, case.index, dscores, dstate, case.initial, need_dX=True)
    first = Sequences(case.X[:14], np.array([14]), "ragged")
    alone = case.net.backward(
        case.theta, first, np.arange(1), case.dscores[:1], np.array(case.dfinal[:1]), case.initial[:1], need_dX=True
    )
    assert alone.X.tobytes() == both.X[:14].tobytes()
