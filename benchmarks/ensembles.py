"""Nets together against single ones on the sets of the open suite with one target per sequence.

See docs/guide/ensembles.md.

    python benchmarks/ensembles.py [--seeds 3] [--tasks NAME ...] [--settings NAME ...] [--records FILE]
                                   [--print]

Ten nets with random states of their own are one VotingClassifier(voting="soft") or VotingRegressor; "one" is the mean
of their ten scores, "five" has the first five of them. Scores below 0 count as 0. Seconds are those of the processor
for the fit, on one thread. Finished records are kept in a file: the same command goes on.
"""

import argparse
import copy
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import suite
from records import Records
from rivals import is_classifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from untouched import markdown

N_NETS = 10
# The size of patches from so many steps on, also of sequences that are shorter than those the default reads in patches
SIZES = {100: 16, 48: 8, 24: 4, 0: 2}


def patches(task, X):
    """The size of patches for sequences of their length; nothing for categories."""
    n_steps = np.median([len(x) for x in X])
    if "embedding_dim" in task.needed:
        return {}
    return {"patch_size": next(size for least, size in SIZES.items() if n_steps >= least)}


# name: what the nets of a task are given
SETTINGS = {
    "untouched": lambda task, X: {},
    "patches, both ways": lambda task, X: patches(task, X) | {"bidirectional": True},
}


def vote(task, seed, settings):
    """Ten nets, not fitted."""
    nets = [
        (str(i), task.estimator(random_state=N_NETS * seed + i, **task.needed, **settings)) for i in range(N_NETS)
    ]
    return VotingClassifier(nets, voting="soft") if is_classifier(task) else VotingRegressor(nets)


def some(voting, first, last):
    """The fitted vote of some of its nets."""
    fewer = copy.copy(voting)
    fewer.estimators, fewer.estimators_ = voting.estimators[first:last], voting.estimators_[first:last]
    return fewer


def run(name, setting, seed):
    """The record of ten nets."""
    task = suite.TASKS[name]
    X, y, X_test, y_test = task.load(seed)
    voting = vote(task, seed, SETTINGS[setting](task, X))
    start = time.process_time()
    voting.fit(X, y)
    seconds = time.process_time() - start

    def score(first, last):
        return max(0.0, float(task.score(some(voting, first, last), X_test, y_test)))

    return {
        "task": name, "setting": setting, "seed": seed, "one": np.mean([score(i, i + 1) for i in range(N_NETS)]),
        "five": score(0, 5), "ten": score(0, N_NETS), "seconds": round(seconds, 3),
    }


def show(records, names):
    """A row a set: scores of one, five and ten nets, and seconds of a net."""
    table = {}
    for name in names:
        table[f"{name} ({suite.TASKS[name].half})"] = row = []
        for setting in SETTINGS:
            known = [r for r in records if r["task"] == name and r["setting"] == setting]
            row += [np.mean([r[n] for r in known]) if known else None for n in ("one", "five", "ten")]
            row.append(np.mean([r["seconds"] for r in known]) / N_NETS if known else None)
    for label, half in {"mean of half A": "A", "mean of half B": "B", "mean": "AB"}.items():
        chosen = [table[f"{n} ({suite.TASKS[n].half})"] for n in names if suite.TASKS[n].half in half]
        table[label] = [np.mean(c) if c and None not in c else None for c in zip(*chosen, strict=True)]
    header = [f"{setting}: {n}" for setting in SETTINGS for n in ("one", "five", "ten", "seconds of one")]
    print(markdown(table, header, 3))


def main():
    """Measure what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    there = [name for name, task in suite.available().items() if task.kind != "steps"]
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", choices=there, default=there, metavar="NAME")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="NAME")
    parser.add_argument("--records", type=Path, default=Path("ensembles.jsonl"))
    parser.add_argument("--print", action="store_true", help="measure nothing")
    options = parser.parse_args()
    records = Records(options.records, ("task", "setting", "seed"))
    for seed in range(0 if options.print else options.seeds):
        for setting in options.settings:
            for name in options.tasks:
                if records.get(name, setting, seed) is None:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        records.add(run(name, setting, seed))
    show([r for r in records if r["seed"] < options.seeds], options.tasks)


if __name__ == "__main__":
    main()
