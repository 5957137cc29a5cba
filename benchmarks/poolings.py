"""What the head should read of a sequence: ways of pooling, over sets and seeds. See docs/study.md.

    python benchmarks/poolings.py [--seeds 0 1 2] [--jobs 2] [--cell gru] [--bidirectional] [--json FILE]

The recurrent layer is skrnn's; the poolings and the head are here in NumPy, so that one may be tried that is not in
the kernels. A figure is accuracy, or R² where that is positive, on held-out data; the mean over seeds. All poolings of
a seed begin with the same recurrent weights and take the same batches.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tasks
from joblib import Parallel, delayed

from skrnn._data.sequences import Sequences
from skrnn._network.initial_values import glorot_uniform
from skrnn._network.layout import ParameterLayout
from skrnn._network.network import RecurrentNetwork
from skrnn._training.optimizers import Adam
from skrnn.datasets import load_co2, load_sunspots

N_UNITS, N_UPDATES, BATCH, RATE = 32, 2000, 32, 0.003
# "attention 16" scores each step by v · tanh(h A) with A (P, 16), Bahdanau et al. 2015
POOLINGS = ("last", "mean", "max", "last mean max", "mean max", "attention 32", "last max")


def archive(name):
    """A set of archive_open.npz with its own split."""
    with np.load(tasks.SHARED / "archive_open.npz") as file:
        X = np.split(file[f"{name}/x"], np.cumsum(file[f"{name}/lengths"])[:-1])
        y, part = file[f"{name}/y"], file[f"{name}/split"]
    return *of_part(X, y, part == 0), *of_part(X, y, part == 1)


def of_part(X, y, chosen):
    """The sequences and targets that are chosen."""
    return [x for x, take in zip(X, chosen, strict=True) if take], y[chosen]


def windows(series, width):
    """Windows (width, 1) of a series and the value after each, the last three tenths held out."""
    X, y = np.lib.stride_tricks.sliding_window_view(series[:-1], width)[..., np.newaxis], series[width:]
    n = round(0.7 * len(y))
    return X[:n], y[:n], X[n:], y[n:]


def passengers():
    """Passengers of airlines: changes of the logarithm from month to month."""
    values = np.loadtxt(tasks.SHARED / "air_passengers.csv", delimiter=",", skiprows=1, usecols=1)
    return np.diff(np.log(values))


def carbon_dioxide():
    """Carbon dioxide: changes from week to week, without the empty weeks."""
    values = load_co2().co2
    return np.diff(values[np.isfinite(values)])


# in the order in which they fall into two halves, one here and one there
SETS = {
    "ItalyPowerDemand": lambda seed: archive("ItalyPowerDemand"),
    "GunPoint": lambda seed: archive("GunPoint"),
    "OSULeaf": lambda seed: archive("OSULeaf"),
    "ACSF1": lambda seed: archive("ACSF1"),
    "Coffee": lambda seed: archive("Coffee"),
    "CardanoSentiment": lambda seed: archive("CardanoSentiment"),
    "vowels": tasks.vowels,
    "promoters": tasks.promoters,
    "digits": tasks.digits,
    "sunspots": lambda seed: windows(load_sunspots().activity, 24),
    "passengers": lambda seed: windows(passengers(), 24),
    "adding, 50 steps": lambda seed: tasks.adding(50, 1000, 500, seed),
    "CO2": lambda seed: windows(carbon_dioxide(), 52),
}


def patched(x, size, stride):
    """Overlapping blocks of `size` steps side by side; the last one repeats the last step."""
    n = 1 if len(x) <= size else -(-(len(x) - size) // stride) + 1
    rows = np.minimum(np.arange(size) + stride * np.arange(n)[:, np.newaxis], len(x) - 1)
    return x[rows].reshape(n, -1)


def patch_size(T):
    """Steps of a patch by the mean length of the sequences; they overlap by half."""
    return 16 if T >= 100 else 8 if T >= 50 else 4 if T >= 25 else 2


def prepared(X, y, X_test, y_test, patches):
    """Standardised patches of all sequences as `Sequences`, targets as classes or standardised, and which are which."""
    X = [np.asarray(x, np.float32) for part in (X, X_test) for x in part]
    n, steps = len(y), np.concatenate(X[: len(y)])
    center, scale = steps.mean(axis=0), steps.std(axis=0)
    X = [(x - center) / np.where(scale > 0, scale, 1) for x in X]
    if patches:
        size = patch_size(np.mean([len(x) for x in X]))
        X = [patched(x, size, size // 2) for x in X]
    y = np.concatenate([y, y_test])
    if y.dtype.kind == "f":
        y = ((y - y[:n].mean()) / y[:n].std()).astype(np.float32)
    else:
        y = np.unique(y, return_inverse=True)[1]
    sequences = Sequences(np.concatenate(X), np.array([len(x) for x in X]), "ragged")
    return sequences, y, np.arange(n), np.arange(n, len(y))


class Head:
    """What one pooling reads of the outputs of all steps, and a linear layer that begins as the best constant."""

    def __init__(self, pooling, P, constant, seed):
        kind, *width = pooling.split() if pooling.startswith("attention") else (pooling,)
        self.kinds = [kind] if width else pooling.split()
        shapes = {"V": (P * len(self.kinds), len(constant)), "c": (len(constant),)}
        if width:
            shapes |= {"A": (P, int(width[0])), "v": (int(width[0]),)}
        self.layout = ParameterLayout(shapes)
        self.theta = np.zeros(self.layout.size, np.float32)
        self.parameters = self.layout.views(self.theta)
        self.parameters["c"][:] = constant
        if width:
            shape = shapes["A"]
            self.parameters["A"][:] = glorot_uniform(*shape, shape, np.random.RandomState(seed))
        self.optimizer = Adam(self.theta, RATE)

    def forward(self, H, there):
        """Scores (N, Q) from outputs H (N, T, P) of the steps that are there (N, T), and what the gradient needs."""
        n_steps, features, saved = there.sum(axis=1), [], {}
        for kind in self.kinds:
            if kind == "last":
                features.append(H[np.arange(len(H)), n_steps - 1])
            elif kind == "mean":
                features.append(np.einsum("ntp,nt->np", H, there.astype(H.dtype)) / n_steps[:, np.newaxis])
            elif kind == "max":
                peak = np.where(there[:, :, np.newaxis], H, -np.inf).argmax(axis=1)
                saved["peak"] = peak
                features.append(np.take_along_axis(H, peak[:, np.newaxis], axis=1)[:, 0])
            else:
                E = np.tanh(H @ self.parameters["A"])
                e = np.where(there, E @ self.parameters["v"], -np.inf)
                w = np.exp(e - e.max(axis=1, keepdims=True))
                w /= w.sum(axis=1, keepdims=True)
                saved |= {"E": E, "w": w}
                features.append(np.einsum("ntp,nt->np", H, w))
        Z = np.hstack(features).astype(H.dtype, copy=False)
        return Z @ self.parameters["V"] + self.parameters["c"], saved | {"Z": Z}

    def backward(self, H, there, saved, dscores):
        """The gradient in the outputs (N, T, P), and that of the head's parameters as a vector."""
        gradient, dH = np.zeros_like(self.theta), np.zeros_like(H)
        to = self.layout.views(gradient)
        to["V"][:], to["c"][:] = saved["Z"].T @ dscores, dscores.sum(axis=0)
        n_steps, rows = there.sum(axis=1), np.arange(len(H))
        dZ = dscores @ self.parameters["V"].T
        for kind, dfeatures in zip(self.kinds, np.split(dZ, len(self.kinds), axis=1), strict=True):
            if kind == "last":
                dH[rows, n_steps - 1] += dfeatures
            elif kind == "mean":
                share = (there / n_steps[:, np.newaxis]).astype(H.dtype)
                dH += share[:, :, np.newaxis] * dfeatures[:, np.newaxis]
            elif kind == "max":
                dH[rows[:, np.newaxis], saved["peak"], np.arange(H.shape[2])] += dfeatures
            else:
                E, w = saved["E"], saved["w"]
                dw = np.einsum("ntp,np->nt", H, dfeatures)
                de = w * (dw - (w * dw).sum(axis=1, keepdims=True))
                to["v"][:] = np.einsum("ntk,nt->k", E, de)
                da = de[:, :, np.newaxis] * self.parameters["v"] * (1 - E**2)
                to["A"][:] = H.reshape(-1, H.shape[2]).T @ da.reshape(-1, da.shape[2])
                dH += w[:, :, np.newaxis] * dfeatures[:, np.newaxis] + da @ self.parameters["A"].T
        return dH, gradient

    def update(self, gradient, rate):
        """One update of the head's parameters."""
        self.optimizer.learning_rate = rate
        self.optimizer.update(self.theta, gradient)


class Net:
    """A recurrent layer of skrnn whose outputs of all steps a head of PyTorch reads."""

    def __init__(self, sequences, cell, bidirectional, seed):
        P = N_UNITS * (1 + bidirectional)
        self.sequences, self.layer = sequences, RecurrentNetwork(
            sequences.n_features, (N_UNITS,), P, cell, "tanh", True, bidirectional, per_step=True
        )
        self.theta = self.layer.initialize(np.random.RandomState(seed), np.float32)
        parameters = self.layer.layout.views(self.theta)
        parameters["head.V"][:] = np.eye(P)         # the scores of a step are its outputs
        parameters["head.c"][:] = 0
        self.recurrent = self.layer.layout.slices["head.V"].start
        self.engine, self.optimizer = self.layer.engine(np.float32), Adam(self.theta, RATE)

    def outputs(self, index):
        """The outputs of sequences (N, T, P), and which steps of them are there (N, T)."""
        lengths = self.sequences.lengths[index]
        there = np.arange(lengths.max()) < lengths[:, np.newaxis]
        H = np.zeros((*there.shape, self.layer.n_outputs), np.float32)
        H[there] = self.layer.forward(self.theta, self.sequences, index, engine=self.engine)
        return H, there

    def update(self, index, dsteps, rate):
        """One update of the recurrent weights from the gradient in the outputs (S, P)."""
        gradient = self.layer.backward(self.theta, self.sequences, index, dsteps, engine=self.engine).theta
        gradient[self.recurrent :] = 0
        self.optimizer.learning_rate = rate
        self.optimizer.update(self.theta, gradient)


def loss_gradient(scores, y):
    """The gradient of half the mean squared error, or of the mean log loss."""
    if y.dtype.kind == "f":
        return (scores - y[:, np.newaxis]) / len(y)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def fit(net, head, y, train, seed):
    """A fixed number of updates with a rate that falls along a cosine."""
    random_state = np.random.RandomState(seed)
    batches = []
    for update in range(N_UPDATES):
        if not batches:
            order = random_state.permutation(train)
            batches = np.array_split(order, max(1, round(len(order) / BATCH)))
        index = batches.pop()
        rate = RATE * 0.5 * (1 + np.cos(np.pi * update / N_UPDATES))
        H, there = net.outputs(index)
        scores, saved = head.forward(H, there)
        dH, gradient = head.backward(H, there, saved, loss_gradient(scores, y[index]).astype(np.float32))
        head.update(gradient, rate)
        net.update(index, dH[there], rate)


def run(name, pooling, seed, options):
    """Score on held-out data, and seconds."""
    sequences, y, train, test = prepared(*SETS[name](seed), options.patches)
    regression = y.dtype.kind == "f"
    constant = np.zeros(1) if regression else np.log(np.bincount(y[train], minlength=y.max() + 1) / len(train))
    net = Net(sequences, options.cell, options.bidirectional, seed)
    head = Head(pooling, net.layer.n_outputs, constant, seed)
    start = time.perf_counter()
    fit(net, head, y, train, seed)
    seconds = time.perf_counter() - start
    scores, _ = head.forward(*net.outputs(test))
    if regression:
        score = max(0.0, 1 - np.mean((scores[:, 0] - y[test]) ** 2) / np.var(y[test]))
    else:
        score = np.mean(scores.argmax(axis=1) == y[test])
    return {"set": name, "pooling": pooling, "seed": seed, "score": float(score), "seconds": seconds}


def table(records):
    """Markdown: a row a pooling, a column a set; the means of both halves, of all, and their standard error by seed."""
    names = [name for name in SETS if any(record["set"] == name for record in records)]
    lines = ["| | " + " | ".join(names) + " | first half | second half | all | by seed |",
             "|---" * (len(names) + 5) + "|"]
    seeds = sorted({record["seed"] for record in records})
    for pooling in POOLINGS:
        of = {(r["set"], r["seed"]): r["score"] for r in records if r["pooling"] == pooling}
        if len(of) < len(names) * len(seeds):
            continue
        scores = np.array([[of[name, seed] for name in names] for seed in seeds])
        means = scores.mean(axis=0)
        cells = [f"{mean:.3f}" for mean in means]
        cells += [f"{means[0::2].mean():.3f}", f"{means[1::2].mean():.3f}", f"**{means.mean():.3f}**"]
        cells += [" ".join(f"{score:.3f}" for score in scores.mean(axis=1))]
        lines.append(f"| {pooling} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--no-patches", dest="patches", action="store_false")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--poolings", nargs="+", default=list(POOLINGS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    work = [
        (name, pooling, seed) for seed in options.seeds for name in options.sets for pooling in options.poolings
    ]
    records = []
    for record in Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        delayed(run)(*item, options) for item in work
    ):
        records.append(record)
        if options.json:
            options.json.write_text(json.dumps(records, indent=1) + "\n")
    print(table(records))


if __name__ == "__main__":
    main()
