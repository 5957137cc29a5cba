"""Recurrent layers in an ONNX graph. Sequences lie in order of time here, (T, n, D)."""

from typing import NamedTuple

import numpy as np

from skrnn.export._onnx.cells import OPERATORS, step_of


class Time(NamedTuple):
    """Which steps the sequences have."""

    lengths: str            # (n,) int64
    active: str             # (T, n, 1) bool

    @classmethod
    def of(cls, g, lengths, n_steps):
        """Of sequences that are padded to `n_steps`, (1,)."""
        active = g.op("Less", g.unsqueeze(g.range(n_steps), 1), lengths)
        return cls(lengths, g.unsqueeze(active, 2))

    def reverse(self, g, x):
        """x (T, n, D) with each sequence from its own last step to its first one."""
        return g.op("ReverseSequence", x, self.lengths, batch_axis=1, time_axis=0)


def layer_outputs(g, layer, parameters, x, time, initial=None, gamma=None):
    """What a layer makes of its inputs.

    Parameters
    ----------
    g : Graph
    layer : RecurrentLayer
    parameters : mapping
    x : str
        (T, n, D).
    time : Time
    initial : list of list of str, optional
        For each direction the states before its first step, (n, K) each; None for zeros.
    gamma : list of str, optional
        For each direction what its states are multiplied by before each step, (T, n, K), in the order of the steps.

    Returns
    -------
    y : str
        h after each step, of all directions side by side, (T, n, P); anything after the end of a sequence.
    final : list of list of str
        For each direction the states after its last step.
    """
    if gamma is None and layer.cell_name in OPERATORS:
        return _by_operator(g, layer, parameters, x, time, initial)
    outputs, final = [], []
    for d, name in enumerate(layer.directions):
        y, states = _by_loop(
            g, layer, {kind: parameters[f"{name}.{kind}"] for kind in "WUb"}, x, time, d == 1,
            None if initial is None else initial[d], None if gamma is None else gamma[d],
        )
        outputs.append(y)
        final.append(states)
    return g.concat(outputs, axis=-1), final


def _by_operator(g, layer, parameters, x, time, initial):
    operator, K, n_directions = OPERATORS[layer.cell_name], layer.n_units, len(layer.directions)
    arranged = [_arranged(operator, layer, parameters, name) for name in layer.directions]
    W, R, B = (g.floats(np.stack(arrays)) for arrays in zip(*arranged, strict=True))
    # (directions, n, K) of each state
    before = [] if initial is None else [
        g.concat([g.unsqueeze(state, 0) for state in states], axis=0) for states in zip(*initial, strict=True)
    ]
    x = g.reshape(x, -1, 0, layer.n_inputs)     # an error where there are no sequences, of which onnxruntime crashes
    y, *after = g.op(
        operator.op_type, x, W, R, B, g.cast(time.lengths, np.int32), *before, n_outputs=1 + len(layer.cell.states),
        hidden_size=K, direction="forward" if n_directions == 1 else "bidirectional",
        **operator.attributes(layer.form, n_directions),
    )
    # y (T, directions, n, K)
    y = g.squeeze(y, 1) if n_directions == 1 else g.reshape(g.transpose(y, 0, 2, 1, 3), 0, 0, n_directions * K)
    return y, [[g.gather(states, d) for states in after] for d in range(n_directions)]


def _arranged(operator, layer, parameters, name):
    """W (G·K, D), R (G·K, K) and both biases (2·G·K) of a direction, with the gates in the order of the operator."""
    gates, K = layer.cell.gates, layer.n_units
    order = np.concatenate([np.arange(K) + K * gates.index(gate.lstrip("-")) for gate in operator.gates])
    sign = np.repeat([-1 if gate.startswith("-") else 1 for gate in operator.gates], K)
    W, U, b = (parameters[f"{name}.{kind}"][:, order] * sign for kind in "WUb")
    b = b if len(b) == 2 else np.concatenate([b, np.zeros_like(b)])
    return W.T, U.T, b.ravel()


def _by_loop(g, layer, weights, x, time, backwards, initial, gamma):
    form, step, (W, U, b) = layer.form, step_of(layer.cell_name), weights.values()
    if initial is None:
        zeros = g.op("Expand", 0.0, g.concat([g.shape(x, 1), g.ints(layer.n_units)], axis=0))
        initial = [zeros] * len(layer.cell.states)
    a = g.add(g.matmul(x, g.floats(W)), g.floats(b[0]))
    sequences = [a] if gamma is None else [a, gamma]
    if backwards:
        sequences = [time.reverse(g, sequence) for sequence in sequences]

    def body(g, *values):
        before, active, a = values[: len(initial)], *values[len(initial) :][:2]
        decayed = before if gamma is None else [g.mul(values[-1], state) for state in before]
        after = [g.where(active, new, old) for new, old in zip(step(g, form, U, b, a, *decayed), before, strict=True)]
        return after, after[:1]

    final, (y,) = g.scan(body, initial, [time.active, *sequences])
    return time.reverse(g, y) if backwards else y, list(final)
