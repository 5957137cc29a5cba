"""The same net and job in skrnn, PyTorch, skorch and Keras, and the job by MiniRocket and the MLP: what each can.

    python benchmarks/same_job.py [--epochs 30] [--only NAME ...]

The Japanese vowels, on their published split: a GRU of 32 units, a linear head on its last state, Adam with a constant
rate of 0.003, 30 epochs of batches of 32; MiniRocket and the MLP with their own defaults on padded sequences. For each:
seconds of the processor on one thread for `fit` (after a first one), accuracy, and whether it passes what the columns
say. A process for each contender and number of threads. Libraries that are not there are left out.
"""

import argparse
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import time
import warnings
from hashlib import sha256

import numpy as np
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels

N_STEPS, UNITS, RATE, BATCH = 29, 32, 0.003, 32


def padded(X, at_end=True):
    """(n, 29, 12) in float32, with zeros; lengths."""
    rows = np.zeros((len(X), N_STEPS, 12), dtype=np.float32)
    for row, x in zip(rows, X, strict=True):
        row[slice(len(x)) if at_end else slice(N_STEPS - len(x), None)] = x
    return rows, np.array([len(x) for x in X])


def as_list(X):
    """Sequences as they are."""
    return X


def skrnn(epochs):
    """The estimator, and how it takes sequences."""
    net = RNNClassifier(
        UNITS, pooling="last", max_iter=epochs, learning_rate="constant", learning_rate_init=RATE, alpha=0.0,
        batch_size=BATCH, random_state=0,
    )
    return net, as_list


def mlp(epochs):
    """On steps side by side."""
    return (
        make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
        lambda X: padded(X, at_end=False)[0].reshape(len(X), -1),
    )


def minirocket(epochs):
    """aeon's, on channels first."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    return MiniRocketClassifier(random_state=0), lambda X: padded(X, at_end=False)[0].transpose(0, 2, 1)


def skorch_(epochs):
    """skorch's, around a module that packs."""
    import torch
    from same_job_torch import Reader
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    net = NeuralNetClassifier(
        Reader, criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=RATE, max_epochs=epochs,
        batch_size=BATCH, iterator_train__shuffle=True, train_split=None, verbose=0,
    )
    return net, lambda X: dict(zip(("x", "lengths"), padded(X), strict=True))


def pytorch(epochs):
    """A loop by hand."""
    from same_job_torch import Loop

    return Loop(epochs, RATE, BATCH), padded


def keras_(epochs):
    """Keras 3 on PyTorch."""
    from same_job_keras import Model

    return Model(epochs, UNITS, RATE, BATCH), lambda X: padded(X)[0]


# name: the contender of a number of epochs, and the library that it needs
CONTENDERS = {
    "skrnn": (skrnn, "skrnn"), "PyTorch, a loop": (pytorch, "torch"), "skorch": (skorch_, "skorch"),
    "Keras on PyTorch": (keras_, "keras"), "aeon, MiniRocket": (minirocket, "aeon"),
    "scikit-learn, MLP": (mlp, "sklearn"),
}


def succeeds(job):
    """Whether it does the job; these are the errors of libraries that are given what they do not take."""
    try:
        job()
    except (AttributeError, TypeError, ValueError, RuntimeError, pickle.PicklingError):
        return False
    return True


def standardized():
    """The vowels: X, y, X_test, y_test."""
    X, y = load_japanese_vowels(subset="train", return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    scaler = StandardScaler().fit(np.concatenate(X))
    X, X_test = ([scaler.transform(x).astype(np.float32) for x in part] for part in (X, X_test))
    return X, y, X_test, y_test


def measure(name, epochs):
    """What a process finds out about a contender."""
    X, y, X_test, y_test = standardized()
    make = CONTENDERS[name][0]
    warm, form = make(1)
    warm.fit(form(X), y)
    model, form = make(epochs)
    start = time.process_time()
    model.fit(form(X), y)
    seconds = time.process_time() - start
    predicted = np.asarray(model.predict(form(X_test)))
    p = np.asarray(model.predict_proba(form(X_test)))
    return {
        "seconds": round(seconds, 2), "accuracy": round(float(np.mean(predicted == y_test)), 3),
        "bits": sha256(p.tobytes()).hexdigest(), "clone": succeeds(lambda: clone(model)),
        "pickle": succeeds(lambda: pickle.loads(pickle.dumps(model)).predict(form(X_test))),
        "list": succeeds(lambda: make(1)[0].fit(X, y)),
        "alone": all(np.array_equal(model.predict_proba(form(X_test[i : i + 1]))[0], p[i]) for i in range(5)),
    }


def in_process(name, epochs, n_threads):
    """The record of a contender on a number of threads."""
    environment = os.environ | {
        "OMP_NUM_THREADS": str(n_threads), "OPENBLAS_NUM_THREADS": str(n_threads), "NUMBA_NUM_THREADS": str(n_threads),
        "KERAS_BACKEND": "torch", "OMP_WAIT_POLICY": "passive",
    }
    command = [sys.executable, __file__, "--record", name, "--epochs", str(epochs)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout.splitlines()[-1])


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--record", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        print(json.dumps(measure(options.record, options.epochs)))
        return
    header = ("", "fit, s", "accuracy", "a list of sequences", "clone", "pickle", "same bits on 1 and 2 threads",
              "same bits alone and among others")
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for name in options.only:
        if importlib.util.find_spec(CONTENDERS[name][1]) is None:
            print(f"left out: {name}")
            continue
        one, two = (in_process(name, options.epochs, n_threads) for n_threads in (1, 2))
        said = [one["list"], one["clone"], one["pickle"], one["bits"] == two["bits"], one["alone"]]
        answers = ["yes" if answer else "no" for answer in said]
        print(f"| {name} | {one['seconds']} | {one['accuracy']} | " + " | ".join(answers) + " |", flush=True)


if __name__ == "__main__":
    main()
