"""Which defaults of RNNLanguageModel predict best: one factor changed at a time, on two halves.

See docs/guide/language.md.

    python benchmarks/language_defaults.py [--seeds 1] [--records FILE] [--only LABEL ...] [--tasks TASK ...]

A figure is nats per symbol on held-out text after the last epoch, the mean over seeds: less is better. A and B are the
means of the two halves. All nets have 64 units and 30 epochs, unless their configuration says otherwise.
What is in the records already is not done again.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from records import Records
from tasks import SHARED

from skrnn import RNNLanguageModel

TO_THE_END = 10**6          # a patience that ends no training


def names():
    """Of 10,000 names every tenth, from the eight before the ninth."""
    lines = SHARED.joinpath("names.txt").read_text().split()
    lines = [lines[i] for i in np.sort(np.random.default_rng(0).permutation(len(lines))[:10_000])]
    return [name for i, name in enumerate(lines, 1) if 1 <= i % 10 <= 8], lines[9::10]


def characters(file, n):
    """A loader of the tenth after the first nine tenths of a text's first n characters."""

    def load():
        text = SHARED.joinpath(file).read_text()[:n]
        cut = int(0.9 * len(text))
        return [text[:cut]], [text[cut:]]

    return load


# name: file, half, loader of texts to train on and of texts to predict, parameters that they need
TASKS = {
    "names": ("names.txt", "A", names, {}),
    "Shakespeare": ("tiny_shakespeare.txt", "A", characters("tiny_shakespeare.txt", 60_000), {}),
    "Alice": ("alice.txt", "B", characters("alice.txt", 50_000), {}),
    "a chapter": ("alice.txt", "A", characters("alice.txt", 11_000), {}),
    "Alice, words": ("alice.txt", "B", characters("alice.txt", 50_000), {"analyzer": "word", "min_frequency": 3}),
}


# What the estimator did untouched before its defaults were chosen here
BEFORE = {
    "hidden_size": 64, "cell": "lstm", "initial_bias": "zero", "learning_rate": "constant", "learning_rate_init": 2e-3,
    "truncated_bptt_steps": 64, "n_streams": 32, "alpha": 1e-4, "epsilon": 1e-8, "dropout": 0.0, "average": 0.0,
    "max_grad_norm": None, "max_iter": 30,
}
BASE = BEFORE | {
    "initial_bias": "frequencies", "learning_rate": "cosine", "learning_rate_init": 4e-3, "truncated_bptt_steps": 32,
}
# label: parameters changed
CONFIGURATIONS = {
    "base": {},
    "before": BEFORE,
    "biases 0": {"initial_bias": "zero"},
    "constant, rate 0.004": {"learning_rate": "constant"},
    "warm-up, then cosine": {"learning_rate": "warmup_cosine"},
    "one cycle": {"learning_rate": "one_cycle"},
    "one cycle, rate 0.008": {"learning_rate": "one_cycle", "learning_rate_init": 8e-3},
    "rate 0.001": {"learning_rate_init": 1e-3},
    "rate 0.002": {"learning_rate_init": 2e-3},
    "rate 0.008": {"learning_rate_init": 8e-3},
    "15 epochs": {"max_iter": 15},
    "20 epochs": {"max_iter": 20},
    "50 epochs": {"max_iter": 50},
    "100 epochs": {"max_iter": 100},
    "16 streams": {"n_streams": 16},
    "64 steps": {"truncated_bptt_steps": 64},
    "64 steps, 16 streams": {"truncated_bptt_steps": 64, "n_streams": 16},
    "16 steps": {"truncated_bptt_steps": 16},
    "gru": {"cell": "gru"},
    "alpha 0": {"alpha": 0.0},
    "alpha 0.001": {"alpha": 1e-3},
    "alpha 0.01": {"alpha": 1e-2},
    "epsilon 1e-6": {"epsilon": 1e-6},
    "epsilon 1e-4": {"epsilon": 1e-4},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.2": {"dropout": 0.2},
    "clip 1": {"max_grad_norm": 1.0},
    "mean of the last quarter": {"average": 0.25},
    "128 units": {"hidden_size": 128},
    "before, 128 units": BEFORE | {"hidden_size": 128},
}


def measure(task, label, seed):
    """Nats per symbol of the held-out texts after the last epoch and at its least, and seconds of the processor."""
    _, _, load, needed = TASKS[task]
    train, held_out = load()
    model = RNNLanguageModel(
        tol=0, n_iter_no_change=TO_THE_END, early_stopping=True, random_state=seed, **needed,
        **BASE | CONFIGURATIONS[label],
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train, X_val=held_out)
    curve = model.validation_loss_curve_
    return {
        "task": task, "label": label, "seed": seed, "nats": curve[-1], "least": min(curve), "curve": curve,
        "train": model.loss_curve_, "seconds": round(time.process_time() - start, 1),
    }


def table(records, labels, names, seeds):
    """Markdown: a row a configuration, a column a text and each half; the mean over seeds."""
    halves = np.array([TASKS[name][1] for name in names])
    lines = ["| | " + " | ".join(names) + " | A | B | mean |", "|---" * (len(names) + 4) + "|"]
    for label in labels:
        known = [[records.get(name, label, seed) for seed in seeds] for name in names]
        if not all(all(of_task) for of_task in known):
            continue
        means = np.array([np.mean([record["nats"] for record in of_task]) for of_task in known])
        cells = [f"{mean:.3f}" for mean in means]
        cells += [f"{means[halves == half].mean():.3f}" for half in sorted(set(halves))] + [f"**{means.mean():.3f}**"]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    """Fit what is not in the records, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--records", type=Path)
    parser.add_argument("--only", nargs="+", default=list(CONFIGURATIONS), choices=list(CONFIGURATIONS))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    options = parser.parse_args()
    records = Records(options.records, ("task", "label", "seed"))
    names = [name for name in options.tasks if SHARED.joinpath(TASKS[name][0]).exists()]
    seeds = range(options.seeds)
    for label in options.only:
        for name in names:
            for seed in seeds:
                if records.get(name, label, seed) is None:
                    records.add(measure(name, label, seed))
                    record = records.get(name, label, seed)
                    print({key: record[key] for key in ("task", "label", "nats", "least", "seconds")}, flush=True)
    print(table(records, options.only, names, seeds))


if __name__ == "__main__":
    main()
