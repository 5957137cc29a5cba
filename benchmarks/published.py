"""Figures beside published ones, by nets with parameters of their own. See docs/study.md.

    python benchmarks/published.py [--seeds 3] [--jobs 2] [--only TASK ...]

What is not named is as the defaults were before they were chosen on the open suite, `BEFORE`.
"""

import argparse
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tasks
from defaults import BEFORE
from joblib import Parallel, delayed
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn.preprocessing import SequenceScaler

TUNED = ("vowels", "digits")
TASKS = (*TUNED, "promoters, leave one out", "adding, 200 steps", "chorales")


def tuned(task, seed):
    """The best of a small grid, by three folds of the training data."""
    X, y, X_test, y_test = tasks.load(task, seed)
    net = make_pipeline(SequenceScaler(), RNNClassifier(random_state=seed, **BEFORE))
    grid = {"cell": ["lstm", "gru"], "hidden_size": [32, 64], "bidirectional": [False, True]}
    grid |= {"pooling": ["last", "max"]}
    grid = {f"rnnclassifier__{name}": values for name, values in grid.items()}
    return GridSearchCV(net, grid, cv=3).fit(X, y).score(X_test, y_test)


def promoters_left_out(seed):
    """Errors of 106, each predicted by five nets together that the others have trained; a step is 19 bases."""
    X, y = tasks.bases()
    nets = [
        RNNClassifier(
            32, bidirectional=True, n_steps=3, random_state=5 * seed + i,
            **BEFORE | {"cell": "rnn", "alpha": 3.0, "max_iter": 100},
        )
        for i in range(5)
    ]
    together = VotingClassifier([(str(i), net) for i, net in enumerate(nets)], voting="soft")
    predicted = cross_val_predict(together, X.reshape(len(X), -1).astype(np.float32), y, cv=LeaveOneOut())
    return int(np.sum(predicted != y))


def long_adding(seed, cell):
    """Mean squared error of the adding problem over 200 steps; the constant answer has 0.167."""
    X, y, X_test, y_test = (part.astype(np.float32) for part in tasks.adding(200, 10_000, 1000, seed))
    net = RNNRegressor(
        32, max_grad_norm=1.0, random_state=seed, **BEFORE | {"cell": cell, "learning_rate_init": 0.003, "max_iter": 30}
    ).fit(X, y)
    return np.mean((net.predict(X_test) - y_test) ** 2)


def chorales(seed):
    """Test negative log-likelihood per frame, the next frame from the past, where the validation's is least."""
    train, validation, test = (tasks.chorales(part) for part in range(3))
    net = RNNClassifier(
        200, return_sequences=True, dropout=0.3, batch_size=8, random_state=seed,
        **BEFORE | {"learning_rate_init": 0.003},
    )
    best = (np.inf, np.inf)
    for epoch in range(1, 101):
        net.partial_fit(*train, classes=np.arange(88))
        if epoch % 5 == 0:
            best = min(best, (surprise(net, *validation), surprise(net, *test)))
    return best[1]


def surprise(net, X, y):
    """Mean negative log-likelihood per frame, the sum over its keys, in nats."""
    p = np.clip(np.concatenate(list(net.predict_proba(X))).astype(np.float64), 1e-7, 1 - 1e-7)
    y = np.concatenate(y)
    return -np.mean(np.sum(np.log(np.where(y == 1, p, 1 - p)), axis=1))


def quietly(function, *arguments):
    """The function's result without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def several(options, function, *arguments):
    """Mean and standard deviation over seeds, as text."""
    work = (delayed(quietly)(function, *(seed if a is None else a for a in arguments)) for seed in range(options.seeds))
    results = Parallel(n_jobs=options.jobs)(work)
    return f"{np.mean(results):.4g} ± {np.std(results):.2g}"


def main():
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    options = parser.parse_args()
    for task in TUNED:
        if task in options.only:
            print(f"{task}, accuracy:", several(options, tuned, task, None), flush=True)
    if "promoters, leave one out" in options.only:
        print("promoters, errors of 106:", several(options, promoters_left_out, None), flush=True)
    if "adding, 200 steps" in options.only:
        for cell in ("lstm", "gru"):
            print(f"adding, 200 steps, {cell}, squared error:", several(options, long_adding, None, cell), flush=True)
    if "chorales" in options.only and tasks.CHORALES.exists():
        print("chorales, nats per frame:", several(options, chorales, None), flush=True)


if __name__ == "__main__":
    main()
