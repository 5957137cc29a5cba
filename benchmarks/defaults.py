"""Which defaults do best untouched: one factor changed at a time, over the open suite and seeds. See docs/study.md.

    python benchmarks/defaults.py [--seeds 3] [--jobs 2] [--records FILE] [--only LABEL ...]

A figure is a score on held-out data (accuracy, R², or the part of the surprise that is explained; below 0 it is 0), the
mean over seeds. A and B are the means of the two halves of the suite. What is in the records already is not done again.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import suite
from contenders.skrnn_ import initialization
from joblib import Parallel, delayed
from records import Records

# What the estimators did untouched before their defaults were chosen here
BEFORE = {
    "standardize": False, "patch_size": None, "cell": "lstm", "pooling": "last", "learning_rate": "constant",
    "learning_rate_init": 0.001, "max_iter": 200, "n_iter_no_change": 10, "tol": 1e-4, "alpha": 1e-4, "epsilon": 1e-8,
}
# label: parameters of the estimators; those that begin with _ are of `initialization`
CONFIGURATIONS = {
    "defaults": {},
    "before": BEFORE,
    "in the users' units": {"standardize": False},
    "each sequence in its own units": {"standardize": "sequence"},
    "no patches": {"patch_size": None},
    "patches of 8": {"patch_size": 8},
    "patches of 32": {"patch_size": 32},
    "lstm": {"cell": "lstm"},
    "mgu": {"cell": "mgu"},
    "rnn": {"cell": "rnn"},
    "last": {"pooling": "last"},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
    "both directions": {"bidirectional": True},
    "constant rate": {"learning_rate": "constant"},
    "rate 0.001": {"learning_rate_init": 0.001},
    "rate 0.005": {"learning_rate_init": 0.005},
    "rate 0.01": {"learning_rate_init": 0.01},
    "clip 1": {"max_grad_norm": 1.0},
    "warm-up, rate 0.005": {"learning_rate": "warmup_cosine", "learning_rate_init": 0.005},
    "one cycle, rate 0.01": {"learning_rate": "one_cycle", "learning_rate_init": 0.01},
    "mean of the last quarter": {"average": 0.25},
    "100 epochs": {"max_iter": 100},
    "200 epochs": {"max_iter": 200},
    "500 epochs": {"max_iter": 500},
    "batch 16": {"batch_size": 16},
    "batch 64": {"batch_size": 64},
    "16 units": {"hidden_size": 16},
    "64 units": {"hidden_size": 64},
    "two layers": {"hidden_size": (32, 32)},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.3": {"dropout": 0.3},
    "alpha 0.0001": {"alpha": 1e-4},
    "alpha 0.1": {"alpha": 0.1},
    "epsilon 1e-8": {"epsilon": 1e-8},
    "early stopping": {"early_stopping": True},
    "chrono initialization": {"_chrono": True},
    "Glorot U": {"_recurrent": "glorot"},
    "Glorot V": {"_head": "glorot"},
}
# what a task does not take that needs a parameter
NOT_WITH = {"return_sequences": ("pooling", "patch_size"), "embedding_dim": ("patch_size", "standardize")}


def parameters_of(task, label):
    """The parameters of a configuration that a task takes; None where it takes none of them."""
    changed, needed = CONFIGURATIONS[label], suite.TASKS[task].needed
    refused = [name for needs in needed for name in NOT_WITH[needs]]
    kept = {name: value for name, value in changed.items() if name not in refused}
    return None if changed and not kept else needed | kept


def run(task, label, seed):
    """Score on held-out data, epochs, seconds of the processor; a score of 0 where training diverges."""
    of = suite.TASKS[task]
    X, y, X_test, y_test = of.load(seed)
    epochs, start = 0, time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parameters = parameters_of(task, label)
            initial = {name[1:]: parameters.pop(name) for name in list(parameters) if name.startswith("_")}
            if "chrono" in initial:
                initial["chrono"] = n_steps_read(X)
            with initialization(**initial):
                net = of.estimator(random_state=seed, **parameters).fit(X, y)
            epochs = net.n_iter_
            score = max(0.0, float(of.score(net, X_test, y_test)))
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        score = 0.0
    seconds = time.process_time() - start
    return {"task": task, "label": label, "seed": seed, "score": score, "epochs": epochs, "seconds": round(seconds, 2)}


def n_steps_read(X):
    """The mean number of steps of the sequences, or of patches where the defaults read these."""
    n_steps = np.mean([len(x) for x in X])
    return int(n_steps / 8 if n_steps >= 100 else n_steps)


def scores_of(records, task, label, seeds):
    """Those of some seeds; the defaults' where a configuration changes nothing."""
    label = label if parameters_of(task, label) is not None else "defaults"
    known = [records.get(task, label, seed) for seed in seeds]
    return [record["score"] for record in known if record is not None]


def table(records, labels, names, seeds):
    """Markdown: a row a configuration, a column a task and each half; the mean over seeds, ± their deviation."""
    halves = np.array([suite.TASKS[name].half for name in names])
    lines = ["| | " + " | ".join(names) + " | A | B | mean |", "|---" * (len(names) + 4) + "|"]
    for label in labels:
        scores = [scores_of(records, name, label, seeds) for name in names]
        if not all(scores):
            continue
        means = np.array([np.mean(of_task) for of_task in scores])
        cells = [f"{np.mean(of_task):.3f} ± {np.std(of_task):.3f}" for of_task in scores]
        cells += [f"{means[halves == half].mean():.3f}" for half in "AB"] + [f"**{means.mean():.3f}**"]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def chosen(records, labels, names, seeds):
    """For each half the configuration that is best on it, and what it has on the other half beside the defaults."""
    lines = []
    for half, other in ("AB", "BA"):
        means = {}
        for label in labels:
            scores = {name: scores_of(records, name, label, seeds) for name in names}
            if all(scores.values()):
                means[label] = {
                    part: np.mean([np.mean(scores[name]) for name in names if suite.TASKS[name].half == part])
                    for part in "AB"
                }
        best = max(means, key=lambda label, means=means, half=half: means[label][half])
        lines.append(
            f"best on {half}: {best}, {means[best][half]:.3f} (defaults {means['defaults'][half]:.3f}); on {other} it "
            f"has {means[best][other]:.3f} (defaults {means['defaults'][other]:.3f})"
        )
    return "\n".join(lines)


def main():
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--records", type=Path)
    parser.add_argument("--only", nargs="+", default=list(CONFIGURATIONS), choices=list(CONFIGURATIONS))
    options = parser.parse_args()
    names, seeds = list(suite.available()), range(options.seeds)
    records = Records(options.records, ("task", "label", "seed"))
    work = [
        (name, label, seed) for label in options.only for seed in seeds for name in names
        if parameters_of(name, label) is not None and records.get(name, label, seed) is None
    ]
    for record in Parallel(n_jobs=options.jobs, return_as="generator_unordered")(delayed(run)(*of) for of in work):
        records.add(record)
    print(table(records, options.only, names, seeds))
    if "defaults" in options.only:
        print(chosen(records, options.only, names, seeds))


if __name__ == "__main__":
    main()
