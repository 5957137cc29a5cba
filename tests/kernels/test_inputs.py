"""Networks that read patches of steps, and steps in units of their own, against the reference."""

import pickle

import numpy as np
import pytest
import reference
from networks import FORMS, Case
from numerical import assert_gradient, central_differences
from pairwise import pairwise

from skrnn._data.examples import Examples
from skrnn._data.lazy import LazySequences
from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training.losses import LOSSES
from skrnn.kernels import kernels_for
from skrnn.kernels.inputs import Inputs

pytestmark = pytest.mark.usefixtures("simd")

GRU = ("gru", "tanh", True)
UNITS = (np.array([500.0, -3.0, 0.0]), np.array([100.0, 0.01, 1.0]))
PATCHES = [(4, 2), (4, 4), (4, 1), (5, 3), (2, 1), (1, 1), (3, 2), None]
# hidden_size, bidirectional and pooling
ARRANGEMENTS = [
    ((5,), False, "last"), ((3, 5), False, "max"), ((3, 4), True, "mean"), ((4,), True, "last"), ((5,), False, "mean"),
]
# shorter than a patch, as long as one, a step longer, and more
RAGGED = (4, 1, 5, 2, 11, 8, 3)


def patch_case(form=GRU, hidden_size=(5,), bidirectional=False, pooling="last", patch=(4, 2), units=UNITS, **case):
    """A case whose steps are in the units."""
    case = {"lengths": RAGGED, "pooling": pooling, "patch": patch, "units": units} | case
    case = Case(form, hidden_size, bidirectional, **case)
    if units is not None:
        case.X[:] = case.X * units[1] + units[0]
    return case


def inputs_of(case, X):
    """What the first layer reads of a sequence, standardised and in patches."""
    if case.net.units is not None:
        X = (X - case.net.units[0]) / case.net.units[1]
    return X if case.net.patch is None else reference.patches(X, *case.net.patch)


def assert_scores_and_states(case, scores, final, rtol=1e-11):
    cell, activation, reset_after = case.form
    parameters = case.net.layout.views(case.theta.astype(float))
    bidirectional = len(case.net.layers[0].directions) == 2
    for i in case.index:
        expected, states, pool = reference.network(
            parameters, inputs_of(case, case.X[case.steps(i)].astype(float)),
            case.states(case.initial.astype(float), i), cell, len(case.net.layers), bidirectional, False,
            case.net.pooling, case.pool(case.initial, i), activation=activation, reset_after=reset_after,
        )
        np.testing.assert_allclose(scores[i], expected, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(case.pool(final, i), pool, rtol=rtol, atol=rtol)
        for actual_layer, layer in zip(case.states(final, i), states, strict=True):
            np.testing.assert_allclose(actual_layer, layer, rtol=rtol, atol=rtol)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "arrangement", "patch", "units", "dtype"),
    pairwise(FORMS, ARRANGEMENTS, PATCHES, [UNITS, None], [np.float64, np.float32]), ids=str,
)
def test_outputs_and_states_equal_the_reference(form, arrangement, patch, units, dtype):
    case = patch_case(form, *arrangement, patch=patch, units=units, dtype=dtype)
    assert_scores_and_states(case, *case.forward(), rtol=1e-11 if dtype == np.float64 else 1e-3)


@pytest.mark.parametrize(
    ("form", "arrangement", "patch", "units"), pairwise(FORMS, ARRANGEMENTS, PATCHES, [UNITS, None]), ids=str
)
def test_gradients_equal_central_differences(form, arrangement, patch, units):
    """Of theta, of the steps in their units, which several patches may hold, and of the initial states."""
    case = patch_case(form, *arrangement, patch=patch, units=units)
    dtheta, dX, dinitial = case.gradients()
    step = 1e-6 if form[1] == "relu" else 1e-4
    numerical = central_differences(case.value, case.theta, step)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])
    assert dX.shape == case.X.shape
    for feature in range(3):
        scale = 1 if units is None else units[1][feature]
        along = central_differences(case.value, case.X[:, feature], step * scale)
        assert_gradient(dX[:, feature], along, rtol=1e-6)
    expected = central_differences(case.value, case.initial, step)
    for name, place in case.net.state_layout.items():
        if name != "steps":
            assert_gradient(dinitial[:, place], expected[:, place])


@pytest.mark.parametrize("patch", [(4, 2), (3, 3), (5, 2)])
def test_bits_are_those_of_patches_that_are_put_together_by_hand(patch):
    """A network that reads the same patches as single steps."""
    case = patch_case(patch=patch, units=None, lengths=(*RAGGED, *range(1, 40)))
    parts = [reference.patches(case.X[case.steps(i)], *patch) for i in case.index]
    plain = Case(GRU, lengths=[len(part) for part in parts], n_inputs=parts[0].shape[1])
    for name in ("theta", "initial", "dscores", "dfinal"):
        setattr(plain, name, getattr(case, name))
    plain.X[:] = np.concatenate(parts)
    for actual, expected in zip(case.forward(), plain.forward(), strict=True):
        assert actual.tobytes() == expected.tobytes()
    dtheta, dX, dinitial = case.gradients()
    dtheta_plain, dX_plain, dinitial_plain = plain.gradients()
    assert dtheta.tobytes() == dtheta_plain.tobytes()
    assert dinitial.tobytes() == dinitial_plain.tobytes()
    size, stride = patch
    expected = np.zeros_like(dX)
    for i in case.index:
        first = case.sequences.starts[i]
        for k, patch_gradient in reversed(list(enumerate(dX_plain[plain.steps(i)]))):
            for step, gradient in enumerate(patch_gradient.reshape(size, -1)):
                expected[first + min(k * stride + step, case.sequences.lengths[i] - 1)] += gradient
    np.testing.assert_array_equal(dX, expected)


@pytest.mark.parametrize("patch", [(5, 2), (3, 3), None])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_threads_and_memory_change_no_bit(patch, bidirectional, monkeypatch):
    """Groups, tiles, and segments whose patches overlap; the masks of dropout of each."""
    lengths = (700, 1, 320, 600, 2, 500)
    case = patch_case(("lstm", "tanh", True), (4, 3), bidirectional, "max", patch, lengths=lengths)
    engine = case.net.engine(np.float64, dropout=0.3, recurrent_dropout=0.2)
    results = []
    for max_bytes, n_threads in ((2**40, 1), (2**40, 3), (2**17, 4), (1, 1), (1, 3)):
        if bidirectional and max_bytes == 1:
            continue        # has to keep all steps
        monkeypatch.setattr(memory, "max_bytes", lambda max_bytes=max_bytes: max_bytes)
        monkeypatch.setattr(threads, "threads_for", lambda work, n_threads=n_threads: n_threads)
        dstate, final = case.dfinal.copy(), np.empty_like(case.initial)
        gradients = case.net.backward(
            case.theta, case.sequences, case.index, case.dscores, dstate, case.initial, need_dX=True, final=final,
            engine=engine, training=True, seed=3,
        )
        results.append([array.tobytes() for array in (*case.forward(), final, dstate, *gradients[:2])])
    assert all(result == results[0] for result in results)


def windows_of(case, starts, lengths):
    """Sequences that share rows of the case's steps, in any order."""
    return Sequences(case.X, np.array(lengths), "ragged", starts=np.array(starts))


def test_a_patch_reads_no_row_of_another_sequence():
    """Windows that share rows, the last of which ends with the array; beside a copy of each."""
    case = patch_case(lengths=(12,))
    starts, lengths = [9, 0, 3, 11, 4], [3, 12, 6, 1, 8]
    shared = windows_of(case, starts, lengths)
    index = np.arange(5)
    rows = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])
    copies = Sequences(case.X[rows], np.array(lengths), "ragged")
    scores, outputs = case.net.forward(case.theta, shared, index), case.net.forward(case.theta, copies, index)
    assert scores.tobytes() == outputs.tobytes()
    dscores = np.random.default_rng(0).normal(size=scores.shape)
    for training in (False, True):
        gradients = [
            case.net.backward(
                case.theta, sequences, index, dscores, need_dX=True, training=training, seed=5,
                engine=case.net.engine(np.float64, dropout=0.4, recurrent_dropout=0.3),
            ) for sequences in (shared, copies)
        ]
        assert gradients[0].theta.tobytes() == gradients[1].theta.tobytes()
        assert gradients[0].X.tobytes() == gradients[1].X.tobytes()


@pytest.mark.parametrize("rates", [{"dropout": 0.4}, {"recurrent_dropout": 0.4}])
def test_gradients_under_dropout(rates):
    """Against central differences, with the same masks in every call."""
    case = patch_case(("lstm", "tanh", True), (3, 4), True, "mean")
    engine = case.net.engine(np.float64, **rates)

    def value():
        scores = case.net.forward(case.theta, case.sequences, case.index, case.initial, engine=engine, training=True,
                                  seed=9)
        return np.sum(case.dscores * scores)

    gradients = case.net.backward(
        case.theta, case.sequences, case.index, case.dscores, initial=case.initial, need_dX=True, engine=engine,
        training=True, seed=9,
    )
    assert_gradient(gradients.theta, central_differences(value, case.theta))
    assert_gradient(gradients.X[:, 2], central_differences(value, case.X[:, 2]))


def test_every_subset_and_lazily_read_sequences_have_the_same_bits():
    case = patch_case(pooling="max", lengths=RAGGED * 6)
    scores, _ = case.forward()
    parts = [case.X[case.steps(i)] for i in case.index]
    lazy = LazySequences(
        lambda index: Sequences(
            np.concatenate([parts[i] for i in index]), np.array([len(parts[i]) for i in index]), "ragged", numbers=index
        ), case.sequences.lengths, "ragged", 3, case.X.dtype,
    )
    for subset in (np.arange(40), np.array([7]), np.array([40, 3, 11]), np.arange(1, 40, 3)):
        expected = scores[subset].tobytes()
        initial = np.ascontiguousarray(case.initial[subset])
        assert case.net.forward(case.theta, case.sequences, subset, initial).tobytes() == expected
        loaded, index = lazy.load(subset)
        assert case.net.forward(case.theta, loaded, index, initial).tobytes() == expected


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_full_patches_one_at_a_time(pooling, dtype):
    """`step` takes a patch put together, in the units of the steps; the bits are those of the whole."""
    size, stride, n, T = 4, 2, 5, 14
    case = patch_case(pooling=pooling, lengths=(T,) * n, dtype=dtype)
    scores, final = case.forward()
    engine, state = case.net.engine(dtype), case.initial
    for first in range(0, T - size + 1, stride):
        patch = case.X.reshape(n, T, -1)[:, first : first + size].reshape(n, -1)
        output, state, finite = case.net.step(engine, case.theta, np.ascontiguousarray(patch), state)
        assert finite
    assert output.tobytes() == scores.tobytes()
    assert state.tobytes() == final.tobytes()


@pytest.mark.parametrize(("max_steps", "patch"), [(1, (4, 2)), (2, (5, 3)), (3, (4, 4)), (100, (4, 2)), (2, None)])
def test_stretches_count_patches(max_steps, patch):
    """Stretches without a target pass their states on; the loss of the last ones is that of the whole sequences."""
    case = patch_case(pooling="mean", patch=patch)
    n = len(RAGGED)
    targets = np.random.default_rng(0).normal(size=(n, 2))
    examples = Examples(case.sequences, targets, None, False)
    rates = {"dropout": 0.3, "recurrent_dropout": 0.2, "random_state": np.random.RandomState(0)}
    whole, _, _, weight = Objective(case.net, examples, LOSSES["squared_error"](), n, **rates)(case.theta, np.arange(n))
    rates["random_state"] = np.random.RandomState(0)
    objective = Objective(case.net, examples, LOSSES["squared_error"](), n, max_steps=max_steps, **rates)
    stretches = [
        (loss, part) for loss, _, _, part in objective.gradients(case.theta, np.arange(n))
    ]
    assert sum(part for _, part in stretches) == weight
    assert sum(loss * part for loss, part in stretches) == pytest.approx(whole * weight, rel=1e-12)
    n_patches = [len(inputs_of(case, case.X[case.steps(i)])) for i in case.index]
    ending = {-(-count // max_steps) for count in n_patches}
    assert len(stretches) == len(ending)


def test_number_of_patches():
    net = RecurrentNetwork(1, (2,), 1, *GRU, False, False, patch=(4, 3))
    lengths = np.arange(1, 40)
    expected = [len(reference.patches(np.zeros((T, 1)), 4, 3)) for T in lengths]
    np.testing.assert_array_equal(net.n_patches(lengths), expected)


def test_a_memory_mapped_array_is_read_in_place(tmp_path):
    case = patch_case()
    np.save(tmp_path / "X.npy", case.X)
    mapped = Sequences(np.load(tmp_path / "X.npy", mmap_mode="r"), case.sequences.lengths, "ragged")
    assert isinstance(mapped.values, np.memmap)
    final = np.empty_like(case.initial)
    scores = case.net.forward(case.theta, mapped, case.index, case.initial, final)
    assert (scores.tobytes(), final.tobytes()) == tuple(array.tobytes() for array in case.forward())


def test_pickles_hold_units_and_patches():
    case = patch_case()
    scores = case.forward()[0]
    case.net = pickle.loads(pickle.dumps(case.net))
    assert case.forward()[0].tobytes() == scores.tobytes()
    assert case.net.patch == (4, 2)


class TestArguments:
    @pytest.mark.parametrize("patch", [(4, 5), (4, 0), (0, 0), (4, -1), (5, 2)])
    def test_a_patch_has_a_size_that_divides_the_inputs_and_a_stride(self, patch):
        description = patch_case().net._description
        with pytest.raises(ValueError, match=r"must be a size, of which the 12 inputs are a multiple"):
            kernels_for(np.float64).Engine(**description | {"patch": patch})

    @pytest.mark.parametrize("other", [{"per_step": True}, {"n_categories": 3}])
    def test_patches_are_of_numbers_with_one_output_per_sequence(self, other):
        description = patch_case(units=None).net._description
        with pytest.raises(ValueError, match="one output per sequence, and inputs that are numbers"):
            kernels_for(np.float64).Engine(**description | other)

    @pytest.mark.parametrize(
        ("center", "scale", "dtype", "match"),
        [
            ([0, 0], [1, 1], np.float64, r"center has shape \(2,\), expected \(3,\)"),
            ([0, 0, 0], [1, 1], np.float64, r"scale has shape \(2,\), expected \(3,\)"),
            ([0, np.nan, 0], [1, 1, 1], np.float64, "feature 1 has the center nan"),
            ([0, 0, 0], [1, 1, 0], np.float64, "feature 2 has the center 0.0 and the scale 0.0"),
            ([0, 0, 0], [-1, 1, 1], np.float64, "feature 0 .* scale -1.0"),
            ([0, 0, 0], [np.inf, 1, 1], np.float64, "feature 0 .* scale inf"),
            ([1e39, 0, 0], [1, 1, 1], np.float32, "feature 0 .*dtype of the engine"),
            ([0, 0, 0], [1, 1e-40, 1], np.float32, "feature 1 .*dtype of the engine"),
        ],
    )
    def test_units_are_finite_and_positive(self, center, scale, dtype, match):
        case = patch_case(units=None)
        case.net.units = (np.array(center, float), np.array(scale, float))
        case.net.__dict__.pop("_description", None)
        with pytest.raises(ValueError, match=match):
            case.net.engine(dtype)

    def test_rows_of_steps_have_the_features_of_a_step(self):
        case = patch_case()
        engine, scores = case.net.engine(np.float64), np.empty((7, 2))
        inputs = Inputs(np.zeros((40, 12)), case.sequences.starts, case.sequences.lengths, case.index)
        with pytest.raises(ValueError, match=r"steps has shape \(40, 12\), expected \(40, 3\)"):
            engine.forward(case.theta, inputs, scores, max_bytes=2**30, n_threads=1)
        with pytest.raises(ValueError, match=r"steps has shape \(7, 3\), expected \(7, 12\)"):
            engine.step(case.theta, np.zeros((7, 3)), case.initial, scores, case.initial.copy())

    def test_sequences_lie_within_the_rows(self):
        case = patch_case()
        inputs = Inputs(case.X[:-1], case.sequences.starts, case.sequences.lengths, case.index)
        with pytest.raises(ValueError, match="sequence 6 has 3 steps from row 31 on, of 33 rows in all"):
            case.net.engine(np.float64).forward(
                case.theta, inputs, np.empty((7, 2)), max_bytes=2**30, n_threads=1
            )
