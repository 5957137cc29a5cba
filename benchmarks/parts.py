"""The parts of the benchmark. Each yields (what is measured, cell, size, timings by contender)."""

import numpy as np
from contenders import load
from grid import Search
from measure import Contest
from roofline import MatrixProduct
from scipy.special import log_softmax
from sizes import PEER_CELLS, SIZES, Problem, Size
from threads import n_threads

RAGGED = Size("ragged", 64, 100, 16, 64)
SHORTEST = 10
FIT_SIZES = ("small", "medium", "large", "long", "wide")
FIT_BATCHES, FIT_EPOCHS = 8, 20


def training(options):
    """A training step, beside the roofline."""
    for cell in options.cells:
        for size in options.sizes:
            yield "training", cell, size, race_training(cell, size, options.seconds)
        yield "ragged", cell, RAGGED.name, race_ragged(cell, options.seconds)
        yield "denormals", cell, RAGGED.name, race_denormals(cell, options.seconds)


def race_training(cell, name, seconds):
    """skrnn in both dtypes, its peers and matrix products."""
    size = SIZES[name]
    contest, problem = Contest(seconds, size.rounds), Problem(cell, size)
    contest.enter("skrnn", load, "skrnn", "Training", problem)
    if cell in PEER_CELLS:
        contest.enter("torch", load, "torch", "Training", problem)
        contest.enter("jax", load, "jax", "Training", problem)
    contest.enter("skrnn float64", load, "skrnn", "Training", Problem(cell, size, "float64"))
    for instruction_set in ("avx2", "baseline"):
        contest.enter(f"skrnn {instruction_set}", load, "skrnn", "TrainingWith", problem, instruction_set)
    contest.compare(first_losses)
    contest.enter("roofline", MatrixProduct, np.float32)
    contest.enter("roofline float64", MatrixProduct, np.float64)
    return contest.run()


def first_losses(contender):
    """Before the first update, which checks the forward pass, and after it, which checks the gradient and Adam."""
    losses = []
    for _ in range(2):
        contender.step()
        losses.append(contender.loss())
    return losses


def race_ragged(cell, seconds):
    """Lengths of 10 to 100 steps against 100 steps for all."""
    contest, problem = Contest(seconds, RAGGED.rounds), Problem(cell, RAGGED)
    lengths = np.random.default_rng(0).integers(SHORTEST, RAGGED.T, RAGGED.B, endpoint=True)
    contest.enter("full", load, "skrnn", "Training", problem)
    contest.enter("ragged", load, "skrnn", "Training", problem, lengths)
    timings = contest.run()
    timings["ragged"]["steps"] = float(lengths.mean() / RAGGED.T)
    return timings


def race_denormals(cell, seconds):
    """Inputs that are denormal numbers, and states with them, against the same that are normal."""
    contest = Contest(seconds, RAGGED.rounds)
    for name, factor in (("normal", 1.0), ("denormal", 1e-40)):
        problem = Problem(cell, RAGGED)
        problem.weights["b"][:] = 0
        problem.X *= np.float32(factor)
        contest.enter(name, load, "skrnn", "Training", problem)
    return contest.run()


def inference(options):
    """1024 sequences at once, and one."""
    for part, n_sequences in (("inference", 1024), ("single", 1)):
        for cell in options.cells:
            for size in options.sizes:
                yield part, cell, size, race_inference(cell, size, n_sequences, options.seconds)


def race_inference(cell, name, n_sequences, seconds):
    """skrnn's kernels, its whole predict, and its peers."""
    size = SIZES[name]
    contest, problem = Contest(seconds, size.rounds), Problem(cell, size, n_sequences=n_sequences)
    contest.enter("skrnn", load, "skrnn", "Inference", problem)
    contest.enter("predict", load, "skrnn", "Prediction", problem)
    if cell in PEER_CELLS:
        contest.enter("torch", load, "torch", "Inference", problem)
        contest.enter("onnx", load, "onnx", "Inference", problem)
    contest.compare(lambda contender: log_softmax(contender.logits(), axis=1))
    return contest.run()


def estimator(options):
    """A whole fit, and the kernels of one of its training steps alone."""
    for cell in options.cells:
        for name in options.sizes:
            if name in FIT_SIZES:
                yield "estimator", cell, name, race_fit(cell, SIZES[name], options.seconds)


def race_fit(cell, size, seconds):
    """Fit of a few batches, and the kernels of one."""
    contest = Contest(seconds, size.rounds)
    problem = Problem(cell, size, n_sequences=FIT_BATCHES * size.B)
    contest.enter("fit", load, "skrnn", "Fit", problem, FIT_EPOCHS)
    contest.enter("step", load, "skrnn", "Kernels", Problem(cell, size))
    timings = contest.run()
    timings["fit"]["steps"] = FIT_BATCHES * FIT_EPOCHS
    return timings


def grid(options):
    """A grid search, each package with one process of all threads and with a process for each."""
    contest = Contest(seconds=0, rounds=1 if options.quick else 3)
    workload = (400, 2) if options.quick else (2000, 10)
    for package in ("skrnn", "skorch"):
        for n_jobs in sorted({1, n_threads()}):
            contest.enter(f"{package}, n_jobs={n_jobs}", Search, package, n_jobs, *workload)
    timings = contest.run()
    for name, search in contest.contenders.items():
        timings[name]["accuracy"] = search.accuracy()
    yield "grid", "lstm", "grid", timings


PARTS = {"training": training, "inference": inference, "estimator": estimator, "grid": grid}
