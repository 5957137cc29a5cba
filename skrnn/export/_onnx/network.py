"""What a network computes, in an ONNX graph."""

import numpy as np

from skrnn._network.embeddings import table_of
from skrnn._network.static import INITIAL_STATE, static_table_of
from skrnn.export._onnx.layers import Time, layer_outputs
from skrnn.export._onnx.single_precision import as_float32, centered


def scores(g, network, parameters, steps, initial=None):
    """What ``RecurrentNetwork.forward`` computes, in float32.

    Parameters
    ----------
    g : Graph
    network : RecurrentNetwork
    parameters : mapping
        Its parameters by name, arrays.
    steps : Steps
    initial : str, optional
        States before the first steps, (n, width) in the layout of ``network.state_layout``; those of `begin` when None.

    Returns
    -------
    scores : str
        (n, Q), or per step (n, T, Q) with anything after the end of a sequence.
    final : str
        The states after the last step of each sequence, (n, width).

    Raises
    ------
    ExportError
        When a parameter is beyond float32, or ONNX cannot say the cell.
    """
    parameters = {name: as_float32(name, values) for name, values in parameters.items()}
    if initial is None and network.static is not None:
        initial = begin(g, network, parameters, steps)
    before = None if initial is None else _state_columns(g, network, initial)
    x, time, since = _inputs(g, network, parameters, steps)
    after = {}
    for depth, layer in enumerate(network.layers):
        keys = [[(depth, d, name) for name in layer.cell.states] for d in range(len(layer.directions))]
        gamma = _state_decays(g, layer, parameters, since) if depth == 0 and network.decay is not None else None
        x, states = layer_outputs(
            g, layer, parameters, x, time, before and [[before[key] for key in of] for of in keys], gamma
        )
        after |= {key: state for of, values in zip(keys, states, strict=True)
                  for key, state in zip(of, values, strict=True)}
    after |= _pool(g, network, x, time, before)
    final = g.concat([after[key] for key in network.state_layout], axis=-1)
    return _head(g, network, parameters, x, after), final


def begin(g, network, parameters, steps):
    """The states before the first steps, (n, width), of a network with static features; as in ``initial_state``."""
    static, z = network.static, static_inputs(g, network.static, parameters, steps.static)
    n = g.shape(steps.lengths, 0)
    if INITIAL_STATE in static.to:
        a = g.add(g.matmul(z, g.floats(parameters["static.W"])), g.floats(parameters["static.b"]))
        states = g.op("Tanh", a)
    else:
        states = _filled(g, 0.0, n, network.n_states)
    parts = {"static": z}
    of_top = network.layers[-1].n_outputs
    for name, value, width in (("sums", 0.0, of_top), ("maxima", -np.inf, of_top), ("steps", 0.0, 1)):
        if name in network.state_layout:
            parts[name] = _filled(g, value, n, width)
    return g.concat([states, *(parts[key] for key in network.state_layout if key in parts)], axis=-1)


def static_inputs(g, static, parameters, values):
    """z (n, Z) of static features (n, S): numbers in their units, then the embeddings of categories."""
    numbers, parts = static.n_numbers, []
    if numbers:
        parts.append(_in_units(g, g.columns(values, 0, numbers), static.units, "static features"))
    for c, embedding in enumerate(static.embeddings, start=numbers):
        codes = g.cast(g.squeeze(g.columns(values, c, c + 1), 1), np.int64)
        parts.append(g.gather(g.floats(parameters[static_table_of(embedding)]), codes))
    return g.concat(parts, axis=-1)


def _filled(g, value, n, width):
    """(n, width) of one number."""
    return g.op("Expand", value, g.concat([n, g.ints(width)], axis=0))


def _state_columns(g, network, state):
    """The parts of states (n, width) by their keys in the layout."""
    return {key: g.columns(state, part.start, part.stop) for key, part in network.state_layout.items()}


def _inputs(g, network, parameters, steps):
    """What the first layer reads, (T, n, D), which steps there are, and the times since features were seen."""
    values = steps.categories if network.n_categories else steps.values
    time = Time.of(g, steps.lengths, g.shape(values, 1))
    values = g.transpose(values, 1, 0) if network.n_categories else g.transpose(values, 1, 0, 2)
    if network.n_categories:
        codes = g.where(g.squeeze(time.active, 2), values, 0)
        return g.gather(g.floats(parameters[table_of()]), codes), time, None
    n_times = 0 if network.decay is None else network.decay.n_times(len(network.layers[0].directions))
    n_numbers = network.n_inputs - len(network.embeddings) - n_times
    since = _since(g, network, values, n_numbers)
    x = _numbers(g, network, parameters, values, n_numbers, since)
    parts = [x] if n_numbers else []
    for c, embedding in enumerate(network.embeddings, start=n_numbers + n_times):
        codes = g.squeeze(g.where(time.active, g.columns(values, c, c + 1), 0.0), 2)
        parts.append(g.gather(g.floats(parameters[table_of(embedding)]), g.cast(codes, np.int64)))
    x = g.concat(parts, axis=-1)
    if network.patch is not None:
        x, time = _patches(g, network.patch, x, time)
    return x, time, since


def _since(g, network, values, n_numbers):
    """For each direction the times since features were last seen, (T, n, n_features); none without a decay."""
    if network.decay is None:
        return []
    n = network.decay.n_features
    return [
        g.columns(values, n_numbers + d * n, n_numbers + (d + 1) * n) for d in range(len(network.layers[0].directions))
    ]


def _numbers(g, network, parameters, values, n_numbers, since):
    """The numbers of steps in their units, decayed where they are missing."""
    x = values if n_numbers == network.n_inputs else g.columns(values, 0, n_numbers)
    if network.units is not None:
        x = _in_units(g, x, [part[:n_numbers] for part in network.units], "features")
    if network.decay is None:
        return x
    n, first = network.decay.n_features, network.decay.indicators
    a = g.add(g.mul(since[0], g.floats(parameters["decay.W"])), g.floats(parameters["decay.b"]))
    missing = g.op("Less", 0.5, g.columns(x, first, first + n))
    own = g.columns(x, 0, n)
    return g.concat([g.where(missing, g.mul(own, _decay_of(g, a)), own), g.columns(x, n, n_numbers)], axis=-1)


def _in_units(g, x, units, what):
    """(x − center) · (1 / scale)."""
    if units is None:
        return x
    center, scale = units
    inverse = as_float32(f"1 / scale of {what}", 1 / scale)
    return g.mul(centered(g, x, center, f"center of {what}"), g.constant(inverse))


def _decay_of(g, a):
    """exp(−max(0, a))."""
    return g.op("Exp", g.op("Neg", g.op("Relu", a)))


def _state_decays(g, layer, parameters, since):
    """γ = exp(−max(0, δ W + b)) of each direction, (T, n, K)."""
    return [
        _decay_of(g, g.add(
            g.matmul(delta, g.floats(parameters[f"{name}.decay.W"])), g.floats(parameters[f"{name}.decay.b"])
        ))
        for name, delta in zip(layer.directions, since, strict=True)
    ]


def _patches(g, patch, x, time):
    """Steps x (T, n, D) side by side, (P, n, size · D); the last step stands for those that the last patch lacks."""
    size, stride = patch
    n_patches = _n_patches(g, patch, g.shape(x, 0))
    n, first = g.shape(x, 1), g.mul(g.range(n_patches), stride)
    # steps (P, n, size) ≤ length − 1, and their rows among all steps of all sequences, (T·n, D)
    step = g.op("Add", g.unsqueeze(first, 1, 2), g.constant(np.arange(size)))
    step = g.op("Min", step, g.unsqueeze(g.sub(time.lengths, 1), 0, 2))
    row = g.add(g.mul(step, n), g.unsqueeze(g.range(n), 0, 2))
    rows = g.op("Reshape", x, g.concat([g.ints(-1), g.shape(x, 2)], axis=0))
    x = g.op("Reshape", g.gather(rows, row), g.concat([g.ints(0, 0), g.mul(g.shape(x, 2), size)], axis=0))
    return x, Time.of(g, _n_patches(g, patch, time.lengths), n_patches)


def _n_patches(g, patch, lengths):
    """1 + ⌈max(length − size, 0) / stride⌉."""
    size, stride = patch
    return g.add(g.div(g.add(g.op("Max", g.sub(lengths, size), 0), stride - 1), stride), 1)


def _pool(g, network, y, time, before):
    """What is pooled of the outputs y (T, n, P) by its keys in the layout of states, with static inputs of the head."""
    pooled = {"static": before["static"]} if network.n_static else {}
    if "mean" in network.pooled_parts:
        pooled["sums"] = g.reduce("ReduceSum", g.where(time.active, y, 0.0), 0)
        pooled["steps"] = g.unsqueeze(g.cast(time.lengths, np.float32), 1)
        if before is not None:
            pooled |= {key: g.add(before[key], pooled[key]) for key in ("sums", "steps")}
    if "max" in network.pooled_parts:
        pooled["maxima"] = g.reduce("ReduceMax", g.where(time.active, y, -np.inf), 0)
        if before is not None:
            pooled["maxima"] = g.op("Max", before["maxima"], pooled["maxima"])
    return pooled


def _head(g, network, parameters, y, after):
    """The scores of each sequence, (n, Q), of the states after it; or those of the outputs y (T, n, P), (n, T, Q)."""
    V, c = parameters["head.V"], g.floats(parameters["head.c"])
    if network.per_step:
        P = network.layers[-1].n_outputs
        if network.n_static:
            c = g.add(g.matmul(after["static"], g.floats(V[P:])), c)
        return g.transpose(g.add(g.matmul(y, g.floats(V[:P])), c), 1, 0, 2)
    top = len(network.layers) - 1
    parts = {
        "last": [after[top, d, "h"] for d in range(len(network.layers[-1].directions))],
        "mean": [g.div(after["sums"], after["steps"])] if "sums" in after else [],
        "max": [after.get("maxima")],
    }
    features = [feature for part in network.pooled_parts for feature in parts[part]]
    features += [after["static"]] if network.n_static else []
    return g.add(g.matmul(g.concat(features, axis=-1), g.floats(V)), c)
