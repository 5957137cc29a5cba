"""The cells in ONNX: its own operators, and the equations of a step for a loop over steps."""

from typing import NamedTuple

from skrnn.exceptions import ExportError

ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid", "identity": "Affine"}


class Operator(NamedTuple):
    """An operator that reads whole sequences."""

    op_type: str
    gates: tuple            # the blocks of its parameters, in its order, by the names of gates; "-" negates one

    def attributes(self, form, n_directions):
        """What says which form of a cell it is."""
        if "reset_after" in form:
            return {"linear_before_reset": int(form["reset_after"])}
        if "activation" not in form:
            return {}
        attributes = {"activations": [ACTIVATIONS[form["activation"]]] * n_directions}
        if form["activation"] == "identity":    # 1 a + 0
            attributes |= {"activation_alpha": [1.0] * n_directions, "activation_beta": [0.0] * n_directions}
        return attributes


OPERATORS = {
    "rnn": Operator("RNN", ("h",)), "gru": Operator("GRU", ("z", "r", "n")),
    # a GRU with r = f and z = 1 − f = σ(−a_f)
    "mgu": Operator("GRU", ("-f", "f", "n")),
    "lstm": Operator("LSTM", ("i", "o", "f", "g")),
}


def blocks(g, a, U):
    """The K-wide blocks of a (n, G·K), one for each gate."""
    K, width = U.shape
    n = width // K
    return g.op("Split", a, g.ints(*[K] * n), n_outputs=n, axis=-1) if n > 1 else (a,)


def logistic(g, a):
    return g.op("Sigmoid", a)


def tanh(g, a):
    return g.op("Tanh", a)


def blend(g, gate, a, b):
    """(1 − gate) ⊙ a + gate ⊙ b."""
    return g.add(g.mul(g.sub(1.0, gate), a), g.mul(gate, b))


# Each takes the graph, the form of the cell, U (K, G·K), b (n_biases, G·K) and the names of x W + b[0] (n, G·K) and of
# the states (n, K) before the step, and returns the states after it.


def elman_step(g, form, U, b, x, h):
    a = g.add(x, g.matmul(h, g.floats(U)))
    return [a if form["activation"] == "identity" else g.op(ACTIVATIONS[form["activation"]], a)]


def gru_step(g, form, U, b, x, h):
    if not form["reset_after"]:
        (r, z), a, U_n = gated(g, U, x, h)
        n = tanh(g, g.add(a, g.matmul(g.mul(r, h), U_n)))
        return [blend(g, z, n, h)]
    x_r, x_z, x_n = blocks(g, x, U)
    q_r, q_z, q_n = blocks(g, g.add(g.matmul(h, g.floats(U)), g.floats(b[1])), U)
    r, z = logistic(g, g.add(x_r, q_r)), logistic(g, g.add(x_z, q_z))
    n = tanh(g, g.add(x_n, g.mul(r, q_n)))
    return [blend(g, z, n, h)]


def mgu_step(g, form, U, b, x, h):
    (f,), a, U_n = gated(g, U, x, h)
    n = tanh(g, g.add(a, g.matmul(g.mul(f, h), U_n)))
    return [blend(g, f, h, n)]


def gated(g, U, x, h):
    """The gates σ(x W + h U + b) but for the candidate, which is the last; its x W_n + b_n and its U_n."""
    K = len(U)
    a = g.add(g.columns(x, 0, U.shape[1] - K), g.matmul(h, g.floats(U[:, :-K])))
    return blocks(g, logistic(g, a), U[:, :-K]), g.columns(x, U.shape[1] - K, U.shape[1]), g.floats(U[:, -K:])


def lstm_step(g, form, U, b, x, h, c):
    i, f, candidate, o = blocks(g, g.add(x, g.matmul(h, g.floats(U))), U)
    c = g.add(g.mul(logistic(g, f), c), g.mul(logistic(g, i), tanh(g, candidate)))
    return [g.mul(logistic(g, o), tanh(g, c)), c]


def skip_lstm_step(g, form, U, b, x, h, c):
    i, f, candidate, o, s = blocks(g, logistic(g, g.add(x, g.matmul(h, g.floats(U)))), U)
    c = g.add(g.mul(f, c), g.mul(i, candidate))
    return [g.add(g.mul(o, tanh(g, c)), g.mul(s, h)), c]


STEPS = {"rnn": elman_step, "gru": gru_step, "mgu": mgu_step, "lstm": lstm_step, "skip_lstm": skip_lstm_step}


def step_of(cell):
    """The step of a cell.

    Raises
    ------
    ExportError
        When the cell has none here.
    """
    if cell not in STEPS:
        raise ExportError(f"cell={cell!r} cannot be exported to ONNX; fit with one of {', '.join(STEPS)}")
    return STEPS[cell]
