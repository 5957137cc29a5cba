"""JAX: a jitted scan. The input's product stands inside it, which is faster on a CPU than one product for all steps."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.nn import log_softmax, sigmoid
from jax.tree_util import tree_map


def lstm(p, state, x):
    """One step."""
    h, c = state
    i, f, g, o = jnp.split(x @ p["W"] + h @ p["U"] + p["b"][0], 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def gru(p, state, x):
    """One step, the reset gate after the product."""
    (h,) = state
    x_r, x_z, x_n = jnp.split(x @ p["W"] + p["b"][0], 3, axis=1)
    h_r, h_z, h_n = jnp.split(h @ p["U"] + p["b"][1], 3, axis=1)
    z = sigmoid(x_z + h_z)
    return ((1 - z) * jnp.tanh(x_n + sigmoid(x_r + h_r) * h_n) + z * h,)


def rnn(p, state, x):
    """One step."""
    (h,) = state
    return (jnp.tanh(x @ p["W"] + h @ p["U"] + p["b"][0]),)


CELLS = {"lstm": (lstm, 2), "gru": (gru, 1), "rnn": (rnn, 1)}


def log_loss(p, X, y, cell):
    """Mean over the sequences of X (T, N, D)."""
    step, n_states = CELLS[cell]
    zero = jnp.zeros((X.shape[1], p["U"].shape[0]), X.dtype)
    (h, *_), _ = jax.lax.scan(lambda state, x: (step(p, state, x), None), (zero,) * n_states, X)
    return -log_softmax(h @ p["V"] + p["c"])[jnp.arange(len(y)), y].mean()


@partial(jax.jit, static_argnames="cell", donate_argnums=0)
def update(state, X, y, cell, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """One step of Adam: the new parameters and moments, and the loss."""
    p, mean, square, t = state
    loss, gradient = jax.value_and_grad(log_loss)(p, X, y, cell)
    t += 1
    mean = tree_map(lambda m, g: beta_1 * m + (1 - beta_1) * g, mean, gradient)
    square = tree_map(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, square, gradient)
    rate, scale = learning_rate / (1 - beta_1**t), 1 / (1 - beta_2**t)
    p = tree_map(lambda p, m, v: p - rate * m / (jnp.sqrt(scale * v) + epsilon), p, mean, square)
    return (p, mean, square, t), loss


class Training:
    """Loss, gradient and Adam, compiled as one."""

    def __init__(self, problem):
        self.cell = problem.cell
        self.X, self.y = jnp.array(problem.time_major), jnp.array(problem.y)
        p = tree_map(jnp.array, problem.weights)
        self.state = p, tree_map(jnp.zeros_like, p), tree_map(jnp.zeros_like, p), jnp.float32(0)

    def step(self):
        self.state, self.value = update(self.state, self.X, self.y, self.cell)
        jax.block_until_ready(self.state)

    def loss(self):
        return float(self.value)
