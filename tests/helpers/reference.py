"""The equations of docs/maths.md in plain NumPy, forward only, one sequence and one step at a time: the oracle."""

import numpy as np


def logistic(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "logistic": logistic, "identity": lambda a: a}


def rnn(x, state, W, U, b, mask=1, activation="tanh", reset_after=True):
    (h,) = state
    return (ACTIVATIONS[activation](x @ W + (mask * h) @ U + b[0]),)


def gru(x, state, W, U, b, mask=1, activation="tanh", reset_after=True):
    (h,) = state
    W_r, W_z, W_n = np.split(W, 3, axis=1)
    U_r, U_z, U_n = np.split(U, 3, axis=1)
    b_r, b_z, b_n = np.split(b[0], 3)
    c_r, c_z, c_n = np.split(b[1], 3) if reset_after else np.zeros((3, len(h)))
    k = mask * h
    r = logistic(x @ W_r + k @ U_r + b_r + c_r)
    z = logistic(x @ W_z + k @ U_z + b_z + c_z)
    recurrent = r * (k @ U_n + c_n) if reset_after else (r * k) @ U_n
    n = np.tanh(x @ W_n + b_n + recurrent)
    return ((1 - z) * n + z * h,)


def mgu(x, state, W, U, b, mask=1, activation="tanh", reset_after=True):
    (h,) = state
    W_f, W_n = np.split(W, 2, axis=1)
    U_f, U_n = np.split(U, 2, axis=1)
    b_f, b_n = np.split(b[0], 2)
    k = mask * h
    f = logistic(x @ W_f + k @ U_f + b_f)
    n = np.tanh(x @ W_n + (f * k) @ U_n + b_n)
    return ((1 - f) * h + f * n,)


def lstm(x, state, W, U, b, mask=1, activation="tanh", reset_after=True):
    h, c = state
    i, f, g, o = np.split(x @ W + (mask * h) @ U + b[0], 4)
    c = logistic(f) * c + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def skip_lstm(x, state, W, U, b, mask=1, activation="tanh", reset_after=True):
    h, c = state
    i, f, g, o, s = np.split(x @ W + (mask * h) @ U + b[0], 5)
    c = logistic(f) * c + logistic(i) * logistic(g)
    return logistic(o) * np.tanh(c) + logistic(s) * h, c


STEPS = {"rnn": rnn, "gru": gru, "mgu": mgu, "lstm": lstm, "skip_lstm": skip_lstm}


def gamma(a):
    return np.exp(-np.maximum(0, a))


def decayed(parameters, X, decay, bidirectional):
    """What the first layer reads of steps X (T, F), in units, and γ (T, K) of the states of each direction.

    The last numbers of a step are δ (n,) of each direction. The mean is 0 in units.
    """
    n, T = decay.n_features, len(X)
    X, since = np.split(X, [X.shape[1] - decay.n_times(1 + bidirectional)], axis=1)
    since = since.reshape(T, 1 + bidirectional, n).transpose(1, 0, 2)
    m = 1 - X[:, decay.indicators : decay.indicators + n]
    g = gamma(parameters["decay.W"] * since[0] + parameters["decay.b"])
    X = np.concatenate([m * X[:, :n] + (1 - m) * (g * X[:, :n] + (1 - g) * 0), X[:, n:]], axis=1)
    names = ["layer0", "layer0.reverse"]
    gammas = [
        gamma(delta @ parameters[f"{name}.decay.W"] + parameters[f"{name}.decay.b"])
        for name, delta in zip(names, since, strict=False)
    ]
    return X, gammas


def scan(cell, X, state, W, U, b, gammas=None, added=None, **form):
    """The states after every step (T, states, K), to which `added` of the same shape has been added."""
    states = []
    for t, x in enumerate(X):
        if gammas is not None:
            state = tuple(gammas[t] * s for s in state)
        state = STEPS[cell](x, state, W, U, b, **form)
        if added is not None:
            state = tuple(s + more for s, more in zip(state, added[t], strict=True))
        states.append(state)
    return np.array(states)


def embedded(X, tables):
    """What is read of steps X (T, F): numbers, then of the last features, which are categories, rows of `tables`."""
    numbers, categories = np.split(X, [X.shape[1] - len(tables)], axis=1)
    rows = [E[category.astype(int)] for E, category in zip(tables, categories.T, strict=True)]
    return np.concatenate([numbers, *rows], axis=1)


def patches(X, size, stride):
    """The patches of a sequence X (T, F), (n, size·F); the last one repeats the last step for those that it lacks."""
    starts = [0]
    while starts[-1] + size < len(X):
        starts.append(starts[-1] + stride)
    return np.array([[X[min(start + i, len(X) - 1)] for i in range(size)] for start in starts]).reshape(len(starts), -1)


def pooled(Y, last, pooling, before):
    """What is read of the outputs Y (T, P), and the pool after them: sums, maxima and for the mean the number of steps.

    `last` (P,) are the last outputs of each direction.
    """
    P = Y.shape[1]
    if pooling == "last":
        return last, before
    if pooling == "max":
        maxima = np.maximum(before, Y.max(axis=0))
        return maxima, maxima
    sums, maxima, steps = before[:P] + Y.sum(axis=0), before[P:-1], before[-1] + len(Y)
    if pooling == "mean":
        return sums / steps, np.append(sums, steps)
    maxima = np.maximum(maxima, Y.max(axis=0))
    return np.concatenate([last, sums / steps, maxima]), np.concatenate([sums, maxima, [steps]])


def static_inputs(parameters, numbers, codes, units):
    """z (Z,) of one sequence: its static numbers in units (center, scale), then the vector of each of its categories.

    `codes` has the category of each feature by name.
    """
    center, scale = units
    vectors = [parameters[f"static.{name}.E"][code] for name, code in codes.items()]
    return np.concatenate([(numbers - center) / scale, *vectors])


def states_of_static(parameters, z):
    """The states (K,) of all layers before the first step, from static inputs z (Z,)."""
    return np.tanh(z @ parameters["static.W"] + parameters["static.b"])


def mean_loss(of_rows, mean, scores, targets, weights):
    """The loss of scores (R, Q · width) over the cells of targets (R, Q) that are known, not NaN.

    `of_rows` is the loss of rows of one output; of several it is their mean, or else their sum. A row of which m of Q
    targets are known counts m / Q of its weight.
    """
    total = norm = 0
    for z, y, w in zip(scores, targets, weights, strict=True):
        known = [q for q in range(len(y)) if not np.isnan(y[q])]
        cells = [of_rows(z.reshape(len(y), -1)[[q]], y[[q]][np.newaxis])[0] for q in known]
        total += w * np.sum(cells) / (len(y) if mean else 1)
        norm += w * len(known) / len(y)
    return total / norm


def network(
    parameters, X, initial, cell, n_layers, bidirectional, per_step, pooling="last", before=(), masks=None, static=(),
    decay=None, added=None, trace=None, **form,
):
    """Scores (T, Q) or (Q,) of one sequence X (T, D), the final states [layer][direction] (states, K), and the pool.

    Dropout has masks: "inputs" [layer] (T, D), "recurrent" [layer][direction] (K,), and "head" (T, P), or (H,)
    of the H numbers that the head reads of the outputs of a sequence. Beside them it reads `static` (Z,).

    To the states after every step `added` [layer][direction] (T, states, K) is added, in the order of X; `trace`, a list,
    gets these states in the same form.
    """
    gammas = None
    if decay is not None:
        X, gammas = decayed(parameters, X, decay, bidirectional)
    Y, final = X, []
    for depth in range(n_layers):
        outputs, states, of_steps = [], [], []
        if masks:
            Y = Y * masks["inputs"][depth]
        for direction, name in enumerate([f"layer{depth}", f"layer{depth}.reverse"][: 1 + bidirectional]):
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            order = slice(None, None, -1 if direction == 1 else 1)
            mask = masks["recurrent"][depth][direction] if masks else 1
            after = scan(
                cell, Y[order], tuple(initial[depth][direction]), W, U, b,
                gammas[direction][order] if gammas is not None and depth == 0 else None,
                added[depth][direction][order] if added is not None else None, mask=mask, **form,
            )
            outputs.append(after[order, 0])
            states.append(after[-1])
            of_steps.append(after[order])
        Y = np.concatenate(outputs, axis=1)
        if trace is not None:
            trace.append(of_steps)
        final.append(states)
    if per_step:
        features, pool = Y, before
    else:
        features, pool = pooled(Y, np.concatenate([state[0] for state in final[-1]]), pooling, before)
    if masks:
        features = features * masks["head"]
    features = np.concatenate([features, np.broadcast_to(static, (*features.shape[:-1], len(static)))], axis=-1)
    return features @ parameters["head.V"] + parameters["head.c"], final, pool
