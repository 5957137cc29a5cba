"""Recurrent layers stacked under a linear head: their parameters, and the kernels that compute with them."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._data.sequences import rows_or_none
from skrnn._data.units import Units
from skrnn._network.decay import Decay
from skrnn._network.embeddings import Embedding, check_embeddings, table_of
from skrnn._network.initial_values import glorot_uniform
from skrnn._network.layer import RecurrentLayer
from skrnn._network.layout import ParameterLayout
from skrnn._network.static import HEAD, INITIAL_STATE, StaticInputs
from skrnn._plain import plain
from skrnn._runtime import memory, threads
from skrnn.kernels import ACTIVATIONS, CELLS, POOLINGS, kernels_for
from skrnn.kernels.inputs import Inputs

# The greatest number of steps that a mean over them counts: a number + 1 is the same number beyond
MAX_COUNT = {np.dtype(dtype): 2 ** (np.finfo(dtype).nmant + 1) for dtype in (np.float32, np.float64)}


@plain(
    make="checked", n_inputs=int, hidden_size=tuple[int, ...], n_outputs=int, cell=str, activation=str,
    reset_after=bool, bidirectional=bool, per_step=bool, pooling=str, n_categories=int, units=Units | None,
    patch=tuple[int, int] | None, embeddings=tuple[Embedding, ...], static=StaticInputs | None, decay=Decay | None,
)
class RecurrentNetwork:
    """The layers, the head and the layout of their parameters. It holds no parameters itself.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Features of a step, F, and Q.
    hidden_size : tuple of int
        Units of each stacked layer, from the input upwards.
    cell : str
        A key of ``CELLS``.
    activation : str
        For the cell ``"rnn"``.
    reset_after : bool
        For the cell ``"gru"``.
    bidirectional : bool
        Both directions in every layer.
    per_step : bool
        The head reads every step of the top layer, or else one vector of every sequence.
    pooling : str
        Which vector, one of ``POOLINGS``: the last output, the mean of all, the maximum of each unit, or these side by
        side.
    n_categories : int
        Number of categories, where each step is one, embedded as F inputs; 0 where steps have features.
    units : pair of (F,) float64 arrays, optional
        Center and scale of every feature: the first layer reads (x − center) / scale, of numbers. None: as they are.
    patch : pair of int, optional
        Size and stride: the network reads so many steps side by side, D = size · (inputs of a step), from every
        stride-th step on; the last patch repeats the last step of its sequence for those that it lacks. What is said of
        the steps of layers, states and pooling is then said of patches. None: single steps.
    embeddings : tuple of C Embedding
        Of the last C features of a step, which are categories: whole numbers from 0 on. The inputs of a step are its
        F − C numbers, then the embedding of each category.
    static : StaticInputs, optional
        What it reads beside each sequence, and where.
    decay : Decay, optional
        What is missing and the states of the first layer decay with times that steps have after the numbers that it
        reads.
    """

    def __init__(
        self, n_inputs, hidden_size, n_outputs, cell, activation, reset_after, bidirectional, per_step, pooling="last",
        n_categories=0, units=None, patch=None, embeddings=(), static=None, decay=None,
    ):
        self.n_inputs, self.per_step, self.n_categories = n_inputs, per_step, n_categories
        self.units, self.patch, self.embeddings, self.static = units, patch, tuple(embeddings), static
        self.decay = decay
        check_embeddings(self.embeddings, n_inputs)
        self.pooling = "last" if per_step else str(pooling)
        self.layers = []
        n_inputs += sum(embedding.dim - 1 for embedding in self.embeddings)
        if patch is not None:
            n_inputs *= patch[0]
        if decay is not None:
            n_inputs -= decay.n_times(1 + bidirectional)
        for depth, n_units in enumerate(hidden_size):
            variant = CELLS[cell].variant_of(activation=activation, reset_after=reset_after)
            layer = RecurrentLayer(cell, variant, n_inputs, n_units, bidirectional, f"layer{depth}")
            self.layers.append(layer)
            n_inputs = layer.n_outputs
        self.n_features, self.n_outputs = n_inputs * len(self.pooled_parts) + self.n_static, n_outputs
        shapes = {}
        for layer in self.layers:
            shapes |= layer.shapes()
        if static is not None:
            shapes |= static.shapes(self.n_states)
        if decay is not None:
            shapes |= decay.shapes(self.layers[0])
        shapes |= {"head.V": (self.n_features, n_outputs), "head.c": (n_outputs,)}
        if n_categories:
            shapes |= {table_of(): (n_categories, self.n_inputs)}
        for embedding in self.embeddings:
            shapes |= {table_of(embedding): (embedding.n_categories, embedding.dim)}
        if static is not None:
            shapes |= static.table_shapes()
        self.layout = ParameterLayout(shapes)

    @classmethod
    def checked(cls, *, n_inputs, hidden_size, n_outputs, cell, activation, reset_after, pooling, **others):
        """The network of these arguments; raises a ValueError for one that no network has."""
        if not hidden_size or min(n_inputs, n_outputs, *hidden_size) < 1:
            raise ValueError(f"{n_inputs} inputs, {hidden_size} units and {n_outputs} outputs are no network")
        for name, value, known in (
            ("cell", cell, CELLS), ("activation", activation, ACTIVATIONS), ("pooling", pooling, POOLINGS)
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r}: expected one of {', '.join(known)}")
        return cls(n_inputs, hidden_size, n_outputs, cell, activation, reset_after, pooling=pooling, **others)

    @property
    def hidden_size(self):
        """Units of each layer."""
        return tuple(layer.n_units for layer in self.layers)

    @property
    def cell(self):
        """The key of the cell in ``CELLS``."""
        return self.layers[0].cell_name

    @property
    def activation(self):
        """That of the cell "rnn"."""
        return self.layers[0].form.get("activation", ACTIVATIONS[0])

    @property
    def reset_after(self):
        """That of the cell "gru"."""
        return self.layers[0].form.get("reset_after", True)

    @property
    def bidirectional(self):
        """Whether layers have both directions."""
        return len(self.layers[0].directions) == 2

    @property
    def pooled_parts(self):
        """What the head reads side by side, of "last", "mean" and "max"."""
        return self.pooling.split("_")

    @property
    def n_static(self):
        """How many static inputs the head reads, Z or 0."""
        return self.static.n_inputs if self.static is not None and HEAD in self.static.to else 0

    def dense_range(self):
        """The range of theta without embeddings, (1, 2)."""
        return np.array([[0, self.layout.slices["head.c"].stop]], dtype=np.intp)

    @cached_property
    def tables(self):
        """The names of the parameters that embed categories: of steps, then of static features."""
        of_steps = [table_of()] if self.n_categories else map(table_of, self.embeddings)
        return (*of_steps, *([] if self.static is None else self.static.table_shapes()))

    def codes(self, sequences, index, rows):
        """What each of `tables` is read at, a list of (n,) arrays of whole numbers.

        Those of steps are read at the categories in these rows of the steps of `sequences`, those of static features
        at the categories of the sequences `index`.
        """
        of_steps = sequences.values[rows, self.n_inputs - len(self.embeddings) :].T if self.embeddings else ()
        of_steps = [sequences.categories[rows]] if self.n_categories else of_steps
        return [*of_steps, *([] if self.static is None else self.static.codes(sequences.static[index]))]

    def initialize(self, random_state, dtype):
        """A fresh theta."""
        theta = np.zeros(self.layout.size, dtype)
        parameters = self.layout.views(theta)
        for layer in self.layers:
            layer.initialize(parameters, random_state)
        if self.decay is not None:
            self.decay.initialize(parameters, self.layers[0], random_state)
        shape = (self.n_features, self.n_outputs)
        parameters["head.V"][:] = glorot_uniform(*shape, shape, random_state)
        for table in self.tables:
            parameters[table][:] = random_state.standard_normal(parameters[table].shape)
        return theta

    def __getstate__(self):
        # Without what is only kept to be computed once: pickles do not depend on what has been called.
        return {name: value for name, value in vars(self).items() if name not in self._CACHED}

    @cached_property
    def work(self):
        """Multiply-adds of one step of one sequence, or of one patch, forward."""
        head = self.n_features * self.n_outputs if self.per_step else 0
        return sum(layer.work() for layer in self.layers) + head

    @cached_property
    def _description(self):
        """What ``Engine`` takes."""
        slices = self.layout.slices
        return {
            "layers": [layer.for_kernels(slices) for layer in self.layers], "n_outputs": self.n_outputs,
            "V": slices["head.V"].start, "c": slices["head.c"].start, "size": slices["head.c"].stop,
            "per_step": self.per_step, "pooling": self.pooling, "n_categories": self.n_categories,
            "units": self.units, "patch": self.patch, "n_static": self.n_static, "n_parameters": self.layout.size,
            "embeddings": [
                (slices[table_of(embedding)].start, embedding.n_categories, embedding.dim)
                for embedding in self.embeddings
            ],
            "decay": None if self.decay is None else self.decay.for_kernels(slices, self.layers[0]),
        }

    def engine(self, dtype, **objective):
        """Fresh kernels with memory of their own: no two threads may compute in one.

        With what ``Engine.set_objective`` takes, such as ``dropout``; all weights are decayed.
        """
        engine = kernels_for(dtype).Engine(**self._description)
        if objective:
            engine.set_objective(decayed=self.layout.weight_ranges(), **objective)
        return engine

    @cached_property
    def state_layout(self):
        """The columns of a state, in order: a slice for each (layer, direction, name).

        After the states of the layers come, of what is pooled so far, the slices "sums" and "maxima" of the top layer's
        outputs, as far as the head reads the mean and the maximum, then "static", the static inputs of the head, which
        stay as they are, and with the sums "steps", their number.
        """
        columns, start = {}, 0
        for depth, layer in enumerate(self.layers):
            for direction in range(len(layer.directions)):
                for name in layer.cell.states:
                    columns[depth, direction, name] = slice(start, start + layer.n_units)
                    start += layer.n_units
        for part, name in (("mean", "sums"), ("max", "maxima")):
            if part in self.pooled_parts:
                columns[name] = slice(start, start + self.layers[-1].n_outputs)
                start = columns[name].stop
        if self.n_static:
            columns["static"] = slice(start, start + self.n_static)
            start = columns["static"].stop
        if "mean" in self.pooled_parts:
            columns["steps"] = slice(start, start + 1)
        return columns

    @cached_property
    def state_width(self):
        """Numbers in the state of a sequence."""
        return max(columns.stop for columns in self.state_layout.values())

    @property
    def n_states(self):
        """Numbers in the states of all layers, which come first in the state of a sequence."""
        return sum(len(layer.directions) * len(layer.cell.states) * layer.n_units for layer in self.layers)

    def zero_state(self, n_sequences, dtype):
        """States of sequences before their first step, (N, width), without static features."""
        state = np.zeros((n_sequences, self.state_width), dtype)
        if "maxima" in self.state_layout:
            state[:, self.state_layout["maxima"]] = -np.inf
        return state

    def begin(self, theta, sequences, index):
        """States before the first steps of the sequences `index`, (N, width); without static features None: zeros."""
        if self.static is None:
            return None
        return self.initial_state(theta, rows_or_none(sequences.static, index), len(index))

    def initial_state(self, theta, values, n):
        """States (n, width) before the first steps of sequences that have these static features (n, S)."""
        self.static.check(values, n)
        state, parameters = self.zero_state(n, theta.dtype), self.layout.views(theta)
        z = self.static.read(parameters, values.astype(theta.dtype, copy=False))
        if HEAD in self.static.to:
            state[:, self.state_layout["static"]] = z
        if INITIAL_STATE in self.static.to:
            state[:, : self.n_states] = self.static.states(parameters, z)
        return state

    def carry(self, theta, sequences, index, state):
        """States of the sequences `index` that go on, with the embeddings of static features as they are now."""
        if self.n_static and self.static.embeddings:
            state = state.copy()
            values = sequences.static[index].astype(theta.dtype, copy=False)
            state[:, self.state_layout["static"]] = self.static.read(self.layout.views(theta), values)
        return state

    def add_static_gradient(self, theta, sequences, index, initial, dinitial, gradient, begun=True):
        """Add what the gradient in the initial states of the sequences `index` is in theta.

        Parameters
        ----------
        theta, gradient : (P,) array
        sequences : Sequences
        index : (N,) int array
        initial, dinitial : (N, width) array
            As `begin` returns them, and the gradient in them.
        begun : bool
            Whether `begin` made all of the initial states, or `carry`, only static inputs of the head.
        """
        of_states = slice(0, self.n_states)
        begun = begun and INITIAL_STATE in self.static.to
        dz = dinitial[:, self.state_layout["static"]] if self.n_static else np.zeros(
            (len(index), self.static.n_inputs), theta.dtype
        )
        self.static.add_gradient(
            self.layout.views(theta), sequences.static[index].astype(theta.dtype, copy=False),
            initial[:, of_states] if begun else None, dinitial[:, of_states], dz, self.layout.views(gradient),
        )

    def static_gradient(self, theta, initial, dinitial):
        """The gradient (N, S) in static features, all of them numbers, given that in the initial states.

        Parameters
        ----------
        theta : (P,) array
        initial, dinitial : (N, width) array
            As `begin` returns them, and the gradient in them.
        """
        of_states, begun = slice(0, self.n_states), INITIAL_STATE in self.static.to
        dz = dinitial[:, self.state_layout["static"]] if self.n_static else np.zeros(
            (len(initial), self.static.n_inputs), theta.dtype
        )
        return self.static.input_gradient(
            self.layout.views(theta), initial[:, of_states] if begun else None, dinitial[:, of_states], dz
        )

    def without_embeddings(self):
        """The network with the same parameters but its tables, which reads vectors as numbers where this one embeds.

        In the place of categories at the end of a step their vectors come after the numbers, before the times of
        decays; those of static categories come after the static numbers.
        """
        n_codes, n_vectors = len(self.embeddings), sum(embedding.dim for embedding in self.embeddings)
        n_times = 0 if self.decay is None else self.decay.n_times(1 + self.bidirectional)
        n_numbers, units = self.n_inputs - n_codes - n_times, self.units
        if units is not None and n_codes:
            units = Units(*(
                np.insert(part[: n_numbers + n_times], n_numbers, np.full(n_vectors, value))
                for part, value in zip(units, (0.0, 1.0), strict=True)
            ))
        return RecurrentNetwork(
            self.n_inputs - n_codes + n_vectors, self.hidden_size, self.n_outputs, self.cell, self.activation,
            self.reset_after, self.bidirectional, self.per_step, self.pooling, units=units, patch=self.patch,
            static=self.static and self.static.without_embeddings(), decay=self.decay,
        )

    def hidden_states(self, state):
        """The h of every layer and direction from states (N, width), side by side."""
        return np.hstack([state[:, columns] for name, columns in self.state_layout.items() if name[-1] == "h"])

    def check_counts(self, sequences, index):
        """Raise a ValueError where the mean over the steps of one of the sequences `index` cannot count them.

        It is a sum and a number of steps in the dtype of the computation.
        """
        if "mean" not in self.pooling or sequences.max_length <= MAX_COUNT[sequences.dtype]:
            return
        limit = MAX_COUNT[sequences.dtype]
        lengths = self.n_patches(sequences.lengths[index])
        if lengths.max() > limit:
            longest = lengths.argmax()
            where = sequences.label("X", index[longest], per_step=False)
            what = "steps" if self.patch is None else "patches"
            raise ValueError(
                f"{where} has {lengths[longest]} {what}, and pooling={self.pooling!r} counts at most {limit} in "
                f"{sequences.dtype}: fit with X in float64, choose another pooling or cut the sequence"
            )

    def n_patches(self, lengths):
        """How many patches sequences of these lengths have, an int array; the lengths where it reads single steps."""
        if self.patch is None:
            return lengths
        size, stride = self.patch
        return 1 + (np.maximum(lengths - size, 0) + stride - 1) // stride

    def mean_patches(self, sequences):
        """Mean number of patches per sequence, or of single steps."""
        if self.patch is None:
            return sequences.mean_length
        if len(sequences) == 1:
            size, stride = self.patch
            return float(1 + (max(sequences.max_length - size, 0) + stride - 1) // stride)
        return float(self.n_patches(sequences.lengths).mean())

    def n_rows(self, sequences, index):
        """Rows of scores for the sequences `index`: one per sequence, or one per step."""
        return int(sequences.lengths[index].sum()) if self.per_step else len(index)

    def states_of_steps(self, sequences, index, array):
        """Rows of `array` (S, n), where kernels have left something of every step or patch, that hold one."""
        if self.patch is None:
            return array
        lengths = sequences.lengths[index]
        return array[rows_of(np.cumsum(lengths) - lengths, self.n_patches(lengths))]

    def _batch(self, sequences, index, initial, work):
        """The inputs of sequences, and where and by how many threads `work` times their multiply-adds are computed."""
        inputs = Inputs(
            sequences.steps, sequences.starts, sequences.lengths, index, initial, sequences.mask_offsets
        )
        n_threads = threads.threads_for(work * len(index) * self.mean_patches(sequences) * self.work)
        return inputs, memory.max_bytes(), n_threads

    def forward(self, theta, sequences, index, initial=None, final=None, **options):
        """The scores of `checked_forward` alone."""
        return self.checked_forward(theta, sequences, index, initial, final, **options)[0]

    def checked_forward(
        self, theta, sequences, index, initial=None, final=None, *, engine=None, training=False, seed=0, packed=False,
        trace=None,
    ):
        """Scores of sequences, (N, Q), or per step (S, Q), one sequence after the other, and whether all are finite.

        Parameters
        ----------
        theta : (P,) array
        sequences : Sequences
            Of theta's dtype.
        index : (N,) int array
            Which of them.
        initial : (N, width) array, optional
            States before their first steps; those of `begin` when None.
        final : (N, width) array, optional
            Filled with the states after every sequence's last step.
        engine : Engine, optional
            From `engine`; a fresh one when None.
        training : bool
            With the dropout of the engine's objective.
        seed : int
            Of the masks of dropout.
        packed : bool
            Whether ``engine.pack_weights(theta)`` was called and neither the engine nor theta used otherwise since.
        trace : (S, n_states) array, optional
            Filled with the states of the layers after every step, see `states_of_steps`.
        """
        scores = np.empty((self.n_rows(sequences, index), self.n_outputs), theta.dtype)
        initial = self.begin(theta, sequences, index) if initial is None else initial
        inputs, max_bytes, n_threads = self._batch(sequences, index, initial, 1)
        engine = self.engine(theta.dtype) if engine is None else engine
        finite = engine.forward(
            theta, inputs, scores, final=final, trace=trace, training=training, seed=seed, packed=packed,
            max_bytes=max_bytes, n_threads=n_threads,
        )
        return scores, finite

    def backward(
        self, theta, sequences, index, dscores, dstate=None, initial=None, need_dX=False, *, need_dstates=False,
        final=None, engine=None, penalty=0.0, training=False, seed=0,
    ):
        """Gradients of any function of scores and final states, plus a penalty: what a loss of one's own needs.

        Parameters
        ----------
        theta, sequences, index, initial, final, engine, training, seed
            As in `checked_forward`, with the same dropout for the same seed.
        dscores : array like what `forward` returns
            Gradient of the function in the scores.
        dstate : (N, width) array, optional
            Its gradient in the final states; becomes that in the initial states. The gradient of theta has that of
            static features, if the states before the first steps are those of `begin`.
        need_dX : bool
            Whether to return the gradient in the steps.
        need_dstates : bool
            Whether to return the gradient in the states after every step: through the output of that step and all later
            steps, of each state by itself, as if the others stayed.
        penalty : float
            The penalty is ½ penalty ‖weights‖².

        Returns
        -------
        Gradients
        """
        gradient = np.zeros_like(theta)
        dX = np.empty((int(sequences.lengths[index].sum()), self.n_inputs), theta.dtype) if need_dX else None
        dstates = np.empty((int(sequences.lengths[index].sum()), self.n_states), theta.dtype) if need_dstates else None
        begun = initial is None and self.static is not None
        if begun:
            initial = self.begin(theta, sequences, index)
            dstate = np.zeros_like(initial) if dstate is None else dstate
        inputs, max_bytes, n_threads = self._batch(sequences, index, initial, 3)
        engine = self.engine(theta.dtype) if engine is None else engine
        value = engine.backward(
            theta, inputs, dscores, gradient, dstate=dstate, final=final, dX=dX, dstates=dstates, penalty=penalty,
            training=training, seed=seed, max_bytes=max_bytes, n_threads=n_threads,
        )
        if begun:
            self.add_static_gradient(theta, sequences, index, initial, dstate, gradient)
        if need_dstates:
            dstates = self.states_of_steps(sequences, index, dstates)
        return Gradients(gradient, dX, value, dstates)

    def step(self, engine, theta, steps, state, packed=False):
        """Scores (n, Q) and states (n, width) of n streams after one more step of each, and whether all is finite.

        Of a network that reads patches, a step is a full patch. The bits are those of `forward` over all of them so
        far. What is looked at are the states before the steps and the scores.

        Parameters
        ----------
        engine : Engine
            From `engine`.
        theta : (P,) array
        steps : (n, F) array, or (n,) intp array of categories
            In the units of the user.
        state : (n, width) array
            The states before the steps.
        packed : bool
            Whether ``engine.pack_weights(theta)`` was called and neither the engine nor theta used otherwise since.
        """
        scores, after = np.empty((len(steps), self.n_outputs), theta.dtype), np.empty_like(state)
        n_threads = threads.threads_for(len(steps) * self.work)
        finite = engine.step(theta, steps, state, scores, after, packed=packed, n_threads=n_threads)
        return scores, after, finite


RecurrentNetwork._CACHED = frozenset(
    name for name, value in vars(RecurrentNetwork).items() if isinstance(value, cached_property)
)


class Gradients(NamedTuple):
    """What `RecurrentNetwork.backward` returns."""

    theta: np.ndarray           # (P,)
    X: np.ndarray               # (S, F), or None
    penalty: float              # its value
    states: np.ndarray          # (S, n_states), or None
