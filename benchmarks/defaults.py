"""Which defaults do best untouched: one factor changed at a time, over tasks and seeds. See docs/study.md.

    python benchmarks/defaults.py [--seeds 3] [--jobs 2] [--json FILE]

A figure is the score on held-out data (accuracy or R²), the mean over seeds and their standard deviation.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tasks
from contenders.skrnn_ import initialization
from joblib import Parallel, delayed

BASE = {"max_iter": 200}
# label: parameters of the estimator; those that begin with _ are of `initialization`
CONFIGURATIONS = {
    "defaults": {},
    "batch min(200, n)": {"batch_size": 200},
    "batch 16": {"batch_size": 16},
    "batch 64": {"batch_size": 64},
    "rate 0.0003": {"learning_rate_init": 0.0003},
    "rate 0.003": {"learning_rate_init": 0.003},
    "rate 0.01": {"learning_rate_init": 0.01},
    "clip 1": {"max_grad_norm": 1.0},
    "clip 5": {"max_grad_norm": 5.0},
    "rate 0.003, clip 1": {"learning_rate_init": 0.003, "max_grad_norm": 1.0},
    "rate 0.003, cosine": {"learning_rate_init": 0.003, "learning_rate": "cosine"},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
    "skip_lstm": {"cell": "skip_lstm"},
    "skip_lstm, clip 1": {"cell": "skip_lstm", "max_grad_norm": 1.0},
    "Glorot U": {"_recurrent": "glorot"},
    "forget bias 0": {"_forget": 0.0},
    "forget bias 2": {"_forget": 2.0},
    "mean pooling": {"pooling": "mean"},
    "relu, identity U": {"cell": "rnn", "activation": "relu"},
    "relu, orthogonal U": {"cell": "rnn", "activation": "relu", "_identity": False},
    "adamw, alpha 0.01": {"solver": "adamw", "alpha": 0.01},
    "rmsprop": {"solver": "rmsprop"},
    "early stopping": {"early_stopping": True},
}


def run(task, label, seed):
    """Score on held-out data, epochs, seconds; a score of 0 where training diverges."""
    changed = CONFIGURATIONS[label]
    _, estimator, needed = tasks.TASKS[task]
    parameters = BASE | needed | {name: value for name, value in changed.items() if not name.startswith("_")}
    initial = {name[1:]: value for name, value in changed.items() if name.startswith("_")}
    if needed.get("return_sequences"):
        parameters.pop("pooling", None)
    X, y, X_test, y_test = tasks.load(task, seed)
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(), initialization(**initial):
            warnings.simplefilter("ignore")
            net = estimator(random_state=seed, **parameters).fit(X, y)
            score, epochs = max(0.0, float(net.score(X_test, y_test))), net.n_iter_
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        score, epochs = 0.0, 0
    return {
        "task": task, "label": label, "seed": seed, "score": score, "epochs": epochs,
        "seconds": time.perf_counter() - start,
    }


def table(records, names):
    """Markdown: a row a configuration, a column a task; the mean and the standard deviation over seeds."""
    lines = ["| | " + " | ".join(names) + " | mean |", "|---" * (len(names) + 2) + "|"]
    for label in CONFIGURATIONS:
        cells, means = [], []
        for name in names:
            scores = [r["score"] for r in records if r["task"] == name and r["label"] == label]
            means.append(np.mean(scores))
            cells.append(f"{np.mean(scores):.3f} ± {np.std(scores):.3f}")
        lines.append(f"| {label} | " + " | ".join(cells) + f" | {np.mean(means):.3f} |")
    return "\n".join(lines)


def main():
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = list(tasks.TASKS)
    work = [(task, label, seed) for seed in range(options.seeds) for label in CONFIGURATIONS for task in names]
    records = Parallel(n_jobs=options.jobs, verbose=1)(delayed(run)(*item) for item in work)
    print(table(records, names))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
