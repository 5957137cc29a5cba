"""Default against default: what a user gets who types `Model().fit(X, y)`, set by set. See docs/study.md.

    python benchmarks/untouched.py [--seeds 3] [--tasks NAME ...] [--contenders NAME ...] [--again NAME ...]
                                   [--records FILE] [--print]

Data are in their own units. A score is accuracy or R² on held-out data, below 0 counted as 0 ("chorales": the part of
the surprise that is explained); the mean over seeds. Seconds are those of the processor for a fit, on one thread.
Contenders that need a vector get the steps of a sequence side by side; shorter sequences begin with zeros, categories
are one-hot. PyTorch trains for as many updates as skrnn. Finished records are kept in a file: the same command goes on;
`--again skrnn` measures a contender once more, and PyTorch where the number of updates has changed.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import suite
from defaults import BEFORE
from records import Records
from rivals import RIVALS

# Accuracies on the archive's own splits: InceptionTime (Ismail Fawaz et al. 2020), WEASEL 2.0 (Schäfer & Leser 2023)
PUBLISHED = {
    "ItalyPowerDemand": (0.966, 0.953), "GunPoint": (1.0, 1.0), "OSULeaf": (0.921, 0.975), "ACSF1": (0.91, 0.93),
    "Coffee": (1.0, 1.0),
}
FIELDS = ("task", "contender", "seed")

# Contenders that take some sets, and for their means what they are on the others
VARIANTS = {"skrnn, own units": "skrnn", "PyTorch, standardized": "PyTorch"}


def own_units(task, seed, _):
    """Each window in its own units, as the guide advises for series with a trend; None for other tasks."""
    return task.estimator(standardize="sequence", random_state=seed) if task.kind == "forecast" else None


# name: the estimator of a task, a seed and the number of skrnn's updates; None where it does not take the task
CONTENDERS = {
    "skrnn": lambda task, seed, _: task.estimator(random_state=seed, **task.needed),
    "skrnn, own units": own_units,
    "skrnn before": lambda task, seed, _: task.estimator(random_state=seed, **BEFORE | task.needed),
} | RIVALS


def run(name, contender, seed, n_updates):
    """The record of a fit; None where the contender does not take the task."""
    task = suite.TASKS[name]
    model = CONTENDERS[contender](task, seed, n_updates)
    if model is None:
        return None
    X, y, X_test, y_test = task.load(seed)
    start = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - start
    if contender == "skrnn":
        n_updates = model.n_iter_ * -(-len(X) // 32)
    return {
        "task": name, "contender": contender, "seed": seed, "score": float(task.score(model, X_test, y_test)),
        "seconds": round(seconds, 3), "n_updates": n_updates,
    }


def measure(records, names, contenders, seed):
    """Add the records of a seed that are missing; skrnn's say how many updates PyTorch gets."""
    for name in names:
        for contender in contenders:
            known, budget = records.get(name, contender, seed), records.get(name, "skrnn", seed)
            n_updates = budget and budget["n_updates"]
            if known and not (contender.startswith("PyTorch") and known["n_updates"] != n_updates):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                record = run(name, contender, seed, n_updates)
            if record is not None:
                records.add(record)
                print(name, contender, seed, round(record["score"], 3), record["seconds"], flush=True)


def means(records, field, name, contender):
    """Mean over the seeds, scores below 0 as 0; None without records."""
    values = [max(0.0, r[field]) for r in records if r["task"] == name and r["contender"] == contender]
    return np.mean(values) if values else None


def rows(records, field, names, contenders):
    """Rows of the sets of both halves and of their means; with None where a contender does not take a set."""
    table = {name: [means(records, field, name, contender) for contender in contenders] for name in names}
    everybody = [name for name in names if suite.TASKS[name].kind != "steps"]
    for label, chosen in {
        "mean of half A": [n for n in everybody if suite.TASKS[n].half == "A"],
        "mean of half B": [n for n in everybody if suite.TASKS[n].half == "B"],
        "mean, one target a sequence": everybody, "mean of all": names,
    }.items():
        columns = [[table[name][i] for name in chosen] for i in range(len(contenders))]
        columns = [_completed(columns, contenders, i) for i in range(len(contenders))]
        table[label] = [np.mean(c) if c and None not in c else None for c in columns]
    return table


def _completed(columns, contenders, i):
    """A column; where a variant does not take a set, what it is a variant of stands for it."""
    of = VARIANTS.get(contenders[i])
    if of not in contenders:
        return columns[i]
    return [b if a is None else a for a, b in zip(columns[i], columns[contenders.index(of)], strict=True)]


def markdown(table, header, digits, best=False):
    """A table; the best of a row is bold."""
    lines = ["| | " + " | ".join(header) + " |", "|---" * (len(header) + 1) + "|"]
    for label, values in table.items():
        texts = ["–" if value is None else f"{value:.{digits}f}" for value in values]
        greatest = max((value for value in values if value is not None), default=None)
        if best:
            texts = [
                f"**{text}**" if value is not None and round(value, digits) == round(greatest, digits) else text
                for text, value in zip(texts, values, strict=True)
            ]
        lines.append(f"| {label} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def show(records, names, contenders):
    """Scores and seconds."""
    halves = {name: f"{name} ({suite.TASKS[name].half})" for name in names}
    for field, digits, best in (("score", 3, True), ("seconds", 2, False)):
        table = rows(records, field, names, contenders)
        table = {halves.get(label, label): values for label, values in table.items()}
        print(f"{field}\n\n{markdown(table, contenders, digits, best)}\n")
    published = {name: PUBLISHED[name] for name in names if name in PUBLISHED}
    print(f"published\n\n{markdown(published, ['InceptionTime', 'WEASEL 2.0'], 3)}\n")


def main():
    """Measure what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    there = suite.available()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", choices=there, default=list(there), metavar="NAME")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--again", nargs="+", choices=CONTENDERS, default=[], metavar="NAME")
    parser.add_argument("--records", type=Path, default=Path("untouched.jsonl"))
    parser.add_argument("--print", action="store_true", help="measure nothing")
    options = parser.parse_args()
    records = Records(options.records, FIELDS)
    if options.again:
        records.drop(lambda record: record["contender"] in options.again)
    for seed in range(0 if options.print else options.seeds):
        measure(records, options.tasks, options.contenders, seed)
    missing = [name for name in suite.TASKS if name not in there]
    if missing:
        print(f"left out, for want of their files: {', '.join(missing)}\n")
    show([r for r in records if r["seed"] < options.seeds], options.tasks, options.contenders)


if __name__ == "__main__":
    main()
