"""How far the kernels' gradients are from central differences and, where it is installed, from PyTorch's.

    python benchmarks/gradient_errors.py

Every cell in every form, of one and two layers, in one and both directions, over equal and ragged lengths, with a
target for each sequence and each step, in float64: of the parameters array by array, of the inputs and of the initial
states.
A row for each cell, with the largest relative error ‖kernels − other‖ / ‖other‖.
"""

import importlib.util
import sys
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kernels"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from networks import FORMS, RAGGED, Case
from numerical import central_differences

ARRANGEMENTS = [*product([(5,), (3, 5)], [False, True], [False, True], [(5, 5), RAGGED])]
N_PEERS = 100       # random shapes


def relative_error(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def errors_of_differences(case):
    """Of each array, that in central differences."""
    dtheta, dX, dinitial = case.gradients()
    step = 1e-6 if case.form[1] == "relu" else 1e-4         # a longer one would cross the kink
    expected = central_differences(case.value, case.theta, step)
    for part in case.net.layout.slices.values():
        yield relative_error(dtheta[part], expected[part])
    yield relative_error(dX, central_differences(case.value, case.X, step))
    yield relative_error(dinitial, central_differences(case.value, case.initial, step))


def errors_of_pytorch(seed):
    """Of weights and inputs, that in the gradients of PyTorch, of a random shape; and its cell."""
    import test_peers
    import torch

    test_peers.torch = torch
    case = test_peers.random_case(seed, np.float64)
    peer = test_peers.Peer(case)
    peer.forward()
    peer.backward()
    dtheta, dX, _ = case.gradients()
    ours = case.net.layout.views(dtheta)
    pairs = [(ours["head.V"], peer.V.grad), (ours["head.c"], peer.c.grad)]
    for depth, layer in enumerate(case.net.layers):
        for direction, suffix in zip(layer.directions, ("", "_reverse"), strict=False):
            for kind, name in (("W", "weight_ih"), ("U", "weight_hh")):
                theirs = getattr(peer.recurrent, f"{name}_l{depth}{suffix}").grad.T
                pairs.append((ours[f"{direction}.{kind}"], theirs))
    pairs += [(dX[case.steps(i)], peer.sequences[i].grad) for i in case.index]
    return " ".join(map(str, case.form)), [relative_error(a, b.numpy()) for a, b in pairs if b.any()]


def main():
    rows = defaultdict(lambda: [0, 0.0, 0, 0.0])
    for form, (hidden_size, bidirectional, per_step, lengths) in product(FORMS, ARRANGEMENTS):
        row = rows[" ".join(map(str, form))]
        row[0], row[1] = row[0] + 1, max(row[1], *errors_of_differences(
            Case(form, hidden_size, bidirectional, per_step, lengths)
        ))
    if importlib.util.find_spec("torch"):
        for seed in range(N_PEERS):
            name, errors = errors_of_pytorch(seed)
            rows[name][2], rows[name][3] = rows[name][2] + 1, max(rows[name][3], *errors)
    print("cell, activation, reset_after   nets   central differences   nets   PyTorch")
    for name, (n, error, n_peers, of_peer) in rows.items():
        print(f"{name:30} {n:5} {error:21.1e} {n_peers:6} {f'{of_peer:9.1e}' if n_peers else ''}")


if __name__ == "__main__":
    main()
