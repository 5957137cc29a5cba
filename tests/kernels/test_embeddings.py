"""Networks that read categories among the numbers of a step, against the reference."""

import pickle
from itertools import product

import numpy as np
import pytest
import reference
from networks import FORMS, Case
from numerical import assert_gradient, central_differences
from pairwise import pairwise

from skrnn._data.examples import Examples
from skrnn._data.lazy import LazySequences
from skrnn._data.sequences import Sequences
from skrnn._network.embeddings import Embedding, unseen_rows
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training.losses import LOSSES
from skrnn.kernels import kernels_for

pytestmark = pytest.mark.usefixtures("simd")

GRU = ("gru", "tanh", True)
WARD, DRUG, DAY = Embedding("ward", 4, 2), Embedding("drug.E", 9, 5), Embedding("day", 2, 1)
# embeddings, and how many numbers stand before them
FEATURES = [((WARD, DRUG), 2), ((DRUG,), 1), ((DAY, WARD, DRUG), 0), ((WARD,), 3)]
# hidden_size, bidirectional, pooling and whether the head reads every step
ARRANGEMENTS = [
    ((5,), False, "last", False), ((3, 5), False, "max", False), ((3, 4), True, "last_mean_max", False),
    ((4,), True, "last", True), ((5, 3), False, "last", True),
]
PATCHES = [None, (4, 2), (3, 3), (2, 1)]
RAGGED = (4, 1, 5, 2, 11, 8, 3)


def embedded_case(form=GRU, arrangement=ARRANGEMENTS[0], features=FEATURES[0], patch=None, units=False, **case):
    hidden_size, bidirectional, pooling, per_step = arrangement
    embeddings, n_numbers = features
    center, scale, C = np.array([500.0, -3.0, 0.0]), np.array([100.0, 0.01, 1.0]), len(embeddings)
    units = (np.r_[center[:n_numbers], [0] * C], np.r_[scale[:n_numbers], [1] * C]) if units else None
    case = Case(form, hidden_size, bidirectional, per_step, **{"lengths": RAGGED} | case, pooling=pooling,
                n_inputs=n_numbers + len(embeddings), embeddings=embeddings, units=units,
                patch=None if per_step else patch)
    if units is not None:
        case.X[:] = case.X * units[1] + units[0]
    return case


def n_numbers_of(case):
    return case.net.n_inputs - len(case.net.embeddings)


def inputs_of(case, i):
    """What the first layer reads of sequence i."""
    X = case.X[case.steps(i)].astype(float)
    if case.net.units is not None:
        X = (X - case.net.units[0]) / case.net.units[1]
    X = reference.embedded(X, [case.parameters[table].astype(float) for table in case.net.tables])
    return X if case.net.patch is None else reference.patches(X, *case.net.patch)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "arrangement", "features", "patch", "units", "dtype"),
    pairwise(FORMS, ARRANGEMENTS, FEATURES, PATCHES, [False, True], [np.float64, np.float32]), ids=str,
)
def test_outputs_and_states_equal_the_reference(form, arrangement, features, patch, units, dtype):
    case = embedded_case(form, arrangement, features, patch, units, dtype=dtype)
    scores, final = case.forward()
    rtol = 1e-11 if dtype == np.float64 else 1e-3
    cell, activation, reset_after = form
    for i in case.index:
        expected, states, pool = reference.network(
            case.net.layout.views(case.theta.astype(float)), inputs_of(case, i),
            case.states(case.initial.astype(float), i), cell, len(case.net.layers), arrangement[1],
            case.net.per_step, case.net.pooling, case.pool(case.initial, i), activation=activation,
            reset_after=reset_after,
        )
        rows = case.steps(i) if case.net.per_step else i
        np.testing.assert_allclose(scores[rows], expected, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(case.pool(final, i), pool, rtol=rtol, atol=rtol)
        for actual_layer, layer in zip(case.states(final, i), states, strict=True):
            np.testing.assert_allclose(actual_layer, layer, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    ("form", "arrangement", "features", "patch", "units"),
    pairwise(FORMS, ARRANGEMENTS, FEATURES, PATCHES, [False, True]), ids=str,
)
def test_gradients_equal_central_differences(form, arrangement, features, patch, units):
    """Of theta, of the numbers in their units, and of the initial states; categories have none."""
    case = embedded_case(form, arrangement, features, patch, units)
    dtheta, dX, dinitial = case.gradients()
    step = 1e-6 if form[1] == "relu" else 1e-4
    numerical = central_differences(case.value, case.theta, step)
    for part in case.net.layout.slices.values():
        assert_gradient(dtheta[part], numerical[part])
    for feature in range(n_numbers_of(case)):
        scale = case.net.units[1][feature] if units else 1
        along = central_differences(case.value, case.X[:, feature], step * scale)
        assert_gradient(dX[:, feature], along, rtol=1e-6)
    np.testing.assert_array_equal(dX[:, n_numbers_of(case) :], 0)
    expected = central_differences(case.value, case.initial, step)
    for name, place in case.net.state_layout.items():
        if name != "steps":
            assert_gradient(dinitial[:, place], expected[:, place])


@pytest.mark.parametrize(("patch", "arrangement"), list(product([None, (4, 2), (3, 3)], ARRANGEMENTS[:3])), ids=str)
def test_bits_are_those_of_vectors_that_are_put_together_by_hand(patch, arrangement):
    """A network that reads the same numbers; an embedding has the sum over the steps that hold its category."""
    case = embedded_case(arrangement=arrangement, patch=patch, lengths=(*RAGGED, *range(1, 40)))
    tables = [case.parameters[table] for table in case.net.tables]
    hidden_size, bidirectional, pooling, _ = arrangement
    plain = Case(GRU, hidden_size, bidirectional, lengths=case.sequences.lengths, n_inputs=9, pooling=pooling,
                 patch=patch)
    plain.X[:] = reference.embedded(case.X, tables)
    plain.theta[:] = case.theta[: len(plain.theta)]
    for name in ("initial", "dscores", "dfinal"):
        setattr(plain, name, getattr(case, name))
    for actual, expected in zip(case.forward(), plain.forward(), strict=True):
        assert actual.tobytes() == expected.tobytes()
    dtheta, dX, dinitial = case.gradients()
    dtheta_plain, dX_plain, dinitial_plain = plain.gradients()
    assert dtheta[: len(plain.theta)].tobytes() == dtheta_plain.tobytes()
    assert dinitial.tobytes() == dinitial_plain.tobytes()
    assert dX[:, :2].tobytes() == dX_plain[:, :2].tobytes()
    parts = np.split(dX_plain, [2, 4], axis=1)[1:]
    for table, categories, rows in zip(case.net.tables, case.X[:, 2:].T, parts, strict=True):
        expected = np.zeros(case.net.layout.shapes[table])
        np.add.at(expected, categories.astype(int), rows)
        actual = case.net.layout.views(dtheta)[table]
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("patch", [None, (5, 2)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_threads_and_memory_change_no_bit(patch, bidirectional, monkeypatch):
    """Groups, tiles, and segments whose patches overlap; the masks of dropout of each."""
    case = embedded_case(
        ("lstm", "tanh", True), ((4, 3), bidirectional, "max", False), patch=patch, units=True,
        lengths=(700, 1, 320, 600, 2, 500),
    )
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


@pytest.mark.parametrize("patch", [None, (4, 2)])
def test_sequences_that_share_rows(patch):
    """Windows in any order, the last of which ends with the array; beside a copy of each."""
    case = embedded_case(patch=patch, units=True, lengths=(12,))
    starts, lengths = np.array([9, 0, 3, 11, 4]), np.array([3, 12, 6, 1, 8])
    rows = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])
    both = Sequences(case.X, lengths, "ragged", starts=starts), Sequences(case.X[rows], lengths, "ragged")
    index, dscores = np.arange(5), np.random.default_rng(0).normal(size=(5, 2))
    gradients = [
        case.net.backward(
            case.theta, sequences, index, dscores, need_dX=True, training=True, seed=5,
            engine=case.net.engine(np.float64, dropout=0.4, recurrent_dropout=0.3),
        ) for sequences in both
    ]
    assert gradients[0].theta.tobytes() == gradients[1].theta.tobytes()
    assert gradients[0].X.tobytes() == gradients[1].X.tobytes()


@pytest.mark.parametrize("rates", [{"dropout": 0.4}, {"recurrent_dropout": 0.4}])
@pytest.mark.parametrize("per_step", [False, True])
def test_gradients_under_dropout(rates, per_step):
    """Against central differences, with the same masks in every call."""
    case = embedded_case(("lstm", "tanh", True), ((3, 4), True, "mean", per_step), patch=(4, 2), units=True)
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
    assert_gradient(gradients.X[:, 0], central_differences(value, case.X[:, 0], 1e-2), rtol=1e-6)


def test_every_subset_and_lazily_read_sequences_have_the_same_bits():
    case = embedded_case(arrangement=ARRANGEMENTS[1], lengths=RAGGED * 6)
    scores, _ = case.forward()
    parts = [case.X[case.steps(i)] for i in case.index]
    lazy = LazySequences(
        lambda index: Sequences(
            np.concatenate([parts[i] for i in index]), np.array([len(parts[i]) for i in index]), "ragged", numbers=index
        ), case.sequences.lengths, "ragged", 4, case.X.dtype,
    )
    for subset in (np.arange(40), np.array([7]), np.array([40, 3, 11]), np.arange(1, 40, 3)):
        initial = np.ascontiguousarray(case.initial[subset])
        for sequences, index in ((case.sequences, subset), lazy.load(subset)):
            assert case.net.forward(case.theta, sequences, index, initial).tobytes() == scores[subset].tobytes()


@pytest.mark.parametrize("patch", [None, (4, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_step_at_a_time(patch, dtype):
    """`step` takes a step or a full patch; the bits are those of the whole."""
    size, stride = patch or (1, 1)
    n, T = 5, 14
    case = embedded_case(
        arrangement=((4, 3), False, "last_mean_max", False), patch=patch, units=True, lengths=(T,) * n, dtype=dtype
    )
    scores, final = case.forward()
    engine, state = case.net.engine(dtype), case.initial
    for first in range(0, T - size + 1, stride):
        steps = case.X.reshape(n, T, -1)[:, first : first + size].reshape(n, -1)
        output, state, finite = case.net.step(engine, case.theta, np.ascontiguousarray(steps), state)
        assert finite
    assert output.tobytes() == scores.tobytes()
    assert state.tobytes() == final.tobytes()


class TestObjective:
    def objective(self, case, **parameters):
        targets = np.random.default_rng(0).normal(size=(len(case.dscores), 2))
        examples = Examples(case.sequences, targets, None, case.net.per_step)
        return Objective(case.net, examples, LOSSES["squared_error"](), len(case.index), **parameters)

    def test_gradient(self):
        case = embedded_case(units=True)
        objective = self.objective(case, alpha=0.1)
        gradient = objective(case.theta, case.index)[2].copy()
        numerical = central_differences(lambda: sum(objective(case.theta, case.index)[:2]), case.theta)
        for part in case.net.layout.slices.values():
            assert_gradient(gradient[part], numerical[part])

    @pytest.mark.parametrize("patch", [None, (2, 2)])
    def test_one_batch_after_another(self, patch):
        """Rows of embeddings that only the first has are zero in the second, and in no range."""
        case = embedded_case(patch=patch, lengths=(1, 2, 3))
        case.X[:, 2], case.X[:, 3] = [0, 1, 2, 1, 1, 3], [0, 1, 2, 8, 7, 7]
        objective = self.objective(case)
        objective(case.theta, np.array([0, 1]))
        again = objective(case.theta, np.array([2]))[2]
        np.testing.assert_array_equal(again, self.objective(case)(case.theta, np.array([2]))[2])
        ward, drug = (case.net.layout.slices[table].start for table in case.net.tables)
        assert objective.ranges.tolist() == [
            [0, ward], [ward + 2, ward + 4], [ward + 6, ward + 8], [drug + 35, drug + 40], [drug + 40, drug + 45],
        ]
        outside = np.ones(len(again), bool)
        for first, last in objective.ranges:
            outside[first:last] = False
        assert not again[outside].any()

    @pytest.mark.parametrize("max_steps", [2, 3])
    @pytest.mark.parametrize("arrangement", [ARRANGEMENTS[0], ARRANGEMENTS[4]], ids=str)
    def test_stretches(self, max_steps, arrangement):
        """The losses add up to that of whole sequences, and each gradient has the rows of its stretch."""
        case = embedded_case(arrangement=arrangement)
        whole, _, _, weight = self.objective(case)(case.theta, case.index)
        total, begin = 0, 0
        for loss, _, gradient, part in self.objective(case, max_steps=max_steps).gradients(case.theta, case.index):
            total += loss * part
            rows = [r for i in case.index for r in range(*case.steps(i).indices(10**9))[begin : begin + max_steps]]
            if case.net.per_step:
                E = case.net.layout.views(gradient)["embedding.drug.E.E"]
                assert set(np.flatnonzero(E.any(axis=1))) == set(case.X[rows, 3].astype(int))
                begin += max_steps
        assert total == pytest.approx(whole * weight, rel=1e-12)


class TestCategories:
    @pytest.mark.parametrize("bad", [-1, 9, 0.5, np.nan, np.inf, -np.inf, 1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_kernels_refuse_what_is_none(self, bad, dtype):
        case = embedded_case(dtype=dtype)
        case.X[10, 3] = bad
        for call in (case.forward, case.gradients):
            with pytest.raises(ValueError, match=r"steps\[10, 3\]=.* must be a category from 0 to 8"):
                call()
        with pytest.raises(ValueError, match=r"steps\[1, 3\]=.* must be a category from 0 to 8"):
            case.net.step(case.net.engine(dtype), case.theta, case.X[9:12], case.initial[:3])

    def test_those_of_other_sequences_are_not_read(self):
        case = embedded_case(patch=(4, 2))
        expected = case.net.forward(case.theta, case.sequences, np.array([0, 2]))
        case.X[case.steps(1)] = case.X[case.steps(3)] = np.nan
        assert case.net.forward(case.theta, case.sequences, np.array([0, 2])).tobytes() == expected.tobytes()

    def test_unseen_rows(self):
        case = embedded_case(lengths=(1, 2, 1))
        case.X[:, 2], case.X[:, 3] = [0, 1, 1, 3], [8, 5, 4, 4]
        unseen = unseen_rows(case.net, case.sequences, np.array([0, 1]))
        assert [rows.tolist() for rows in unseen.values()] == [
            [False, False, True, True], [True, True, True, True, False, False, True, True, False],
        ]
        assert list(unseen) == ["embedding.ward.E", "embedding.drug.E.E"]


class TestNetwork:
    def test_parameters_and_initial_values(self):
        case = embedded_case()
        assert {name: case.net.layout.shapes[name] for name in ("layer0.W", *case.net.tables)} == {
            "layer0.W": (9, 15), "embedding.ward.E": (4, 2), "embedding.drug.E.E": (9, 5),
        }
        net = RecurrentNetwork(3, (4,), 1, *GRU, False, False, embeddings=(Embedding("a", 3000, 4), DAY))
        E = net.layout.views(net.initialize(np.random.RandomState(0), np.float64))["embedding.a.E"]
        np.testing.assert_allclose((E.mean(axis=0), E.std(axis=0)), ([0] * 4, [1] * 4), atol=0.05)
        assert not any(net.layout.is_weight(table) for table in net.tables)

    def test_pickles(self):
        case = embedded_case(patch=(4, 2), units=True)
        scores = case.forward()[0]
        case.net = pickle.loads(pickle.dumps(case.net))
        assert case.forward()[0].tobytes() == scores.tobytes()
        assert case.net.embeddings == (WARD, DRUG)

    @pytest.mark.parametrize(
        ("embeddings", "match"),
        [
            ((WARD, WARD), r"embeddings of \['ward', 'ward'\] must be of different features"),
            ((WARD, DRUG, DAY), "must be of different features, of the 2 of a step"),
            ((Embedding("a", 0, 2),), "the embedding of a must have categories and columns"),
            ((Embedding("a", 2, 0),), "the embedding of a must have categories and columns"),
        ],
    )
    def test_embeddings_are_checked(self, embeddings, match):
        with pytest.raises(ValueError, match=match):
            RecurrentNetwork(2, (4,), 1, *GRU, False, False, embeddings=embeddings)

    @pytest.mark.parametrize(
        ("changed", "match"),
        [
            ({"embeddings": [(0, 4, 2), (300, 9, 5)]}, "must lie between the .* other parameters and the end of theta"),
            ({"n_parameters": 304}, "must lie between the .* other parameters and the end of theta"),
            ({"n_parameters": 100, "embeddings": []}, "theta must have at least 252 numbers, not 100"),
            ({"embeddings": [(300, 4, 10)], "n_parameters": 400}, "must be among its 9 inputs"),
            ({"embeddings": [(300, 2**60, 2)]}, "there cannot be"),
            ({"embeddings": [(300, 0, 2)]}, "there cannot be 0"),
            ({"embeddings": [(300, 2**24 + 1, 2)], "n_parameters": 2**30}, "there cannot be 16777217"),
            ({"n_categories": 3}, "n_categories or embeddings, not both"),
        ],
    )
    def test_the_engine_checks_where_they_lie(self, changed, match):
        with pytest.raises(ValueError, match=match):
            kernels_for(np.float32).Engine(**embedded_case().net._description | changed)
