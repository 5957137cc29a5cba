"""One net on 1, 2, 4, ... all threads, and from which size on a GPU is faster; beside PyTorch on both. See README.md.

    python benchmarks/scaling.py [--threads 1 2 4] [--minutes 5] [--quick] [--json FILE]

It needs skrnn and PyTorch alone. A process for each number of threads, then, where there is a GPU, one that compares it
with all threads. What was not begun within the minutes is listed.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from contenders import load
from machine import describe, gpu
from measure import Contest
from parts import first_losses
from results import Results
from roofline import MatrixProduct
from scaling_report import print_report
from scipy.special import log_softmax
from sizes import Problem, Size
from sklearn.exceptions import ConvergenceWarning
from subprocesses import LEFT_OUT, append, measured
from threads import available, n_threads

T = 100
NETS = {"gru": (32, 64), "lstm": (32, 128)}                     # D and K by cell
BATCHES, SEQUENCES = (64, 256), 1024                            # strong scaling: the same work on all threads
BATCH_PER_THREAD, SEQUENCES_PER_THREAD = 32, 128                # weak scaling: the same work for each thread
FIT_BATCHES, FIT_EPOCHS = 8, 10
GPU_FEATURES, GPU_UNITS, GPU_BATCHES = 32, (32, 64, 128, 256, 512, 1024), (32, 128, 512)
GRAPH_UNITS = (32, 64, 128)                                     # where launches take longer than the work
ROUNDS = {"threads": 5, "gpu": 3}
# TF32 has 11 bits
TF32 = {"cuda": 1e-2, "graph": 1e-2}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", nargs="+", type=int, default=doubling(available()), metavar="N")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--quick", action="store_true", help="a round of each: to see that all of it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    return parser.parse_args()


def doubling(n):
    """1, 2, 4, ... and n."""
    return [2**k for k in range(n.bit_length()) if 2**k < n] + [n]


def named(B, D, K):
    """A size by what differs between those of a part."""
    return Size(f"K={K} B={B}", B, T, D, K)


def thread_races(options):
    """What is measured with the threads of this process: (part, cell, size, function for the timings)."""
    n = n_threads()
    for cell, (D, K) in NETS.items():
        for part, batches in (("training", BATCHES), ("weak training", (BATCH_PER_THREAD * n,))):
            for B in batches:
                yield part, cell, named(B, D, K), race_training
        for part, N in (("prediction", SEQUENCES), ("weak prediction", SEQUENCES_PER_THREAD * n)):
            yield part, cell, named(N, D, K), race_prediction
        yield "fit", cell, named(BATCHES[0], D, K), race_fit


def gpu_races(options):
    """What a GPU and all threads do, the same work both."""
    for cell in NETS:
        for K in GPU_UNITS:
            for B in GPU_BATCHES:
                yield "gpu training", cell, named(B, GPU_FEATURES, K), race_gpu_training
            yield "gpu prediction", cell, named(SEQUENCES, GPU_FEATURES, K), race_gpu_prediction
    for cell in NETS:
        for K in GRAPH_UNITS:
            for B in GPU_BATCHES:
                yield "gpu graph", cell, named(B, GPU_FEATURES, K), race_gpu_graph


def skrnn_training(problem):
    """skrnn on the threads of this process, without trials of one thread."""
    training = load("skrnn", "Training", problem)
    training.use_threads(n_threads())
    return training


def race_training(cell, size, rounds):
    """A training step of one batch, beside what the processor can reach."""
    contest, problem = Contest(0, rounds), Problem(cell, size)
    contest.enter("skrnn", skrnn_training, problem)
    contest.enter("torch", load, "torch", "Training", problem)
    contest.compare(first_losses)
    contest.enter("roofline", MatrixProduct, np.float32)
    return contest.run()


def race_prediction(cell, size, rounds):
    """The whole `predict` of so many sequences, and PyTorch's forward pass."""
    contest, problem = Contest(0, rounds), Problem(cell, size)
    contest.enter("skrnn", load, "skrnn", "Prediction", problem)
    contest.enter("torch", load, "torch", "Inference", problem)
    contest.compare(log_probabilities)
    return contest.run()


def log_probabilities(contender):
    return log_softmax(contender.logits(), axis=1)


def race_fit(cell, size, rounds):
    """A whole `fit`, beside which the kernels of its steps are known from the training."""
    contest, problem = Contest(0, min(rounds, 2)), Problem(cell, size, n_sequences=FIT_BATCHES * size.B)
    contest.enter("skrnn", load, "skrnn", "Fit", problem, FIT_EPOCHS)
    timings = contest.run()
    timings["skrnn"]["steps"] = FIT_BATCHES * FIT_EPOCHS
    return timings


def race_gpu_training(cell, size, rounds):
    """All threads, and the GPU, as PyTorch comes and in full float32."""
    contest, problem = Contest(0, rounds), Problem(cell, size)
    contest.enter("skrnn", skrnn_training, problem)
    contest.enter("cuda", load, "cuda", "Training", problem)
    contest.enter("cuda float32", load, "cuda", "Training", problem, False)
    contest.compare(first_losses, TF32)
    return contest.run()


def race_gpu_graph(cell, size, rounds):
    """All threads, and the GPU with a step recorded as a graph."""
    contest, problem = Contest(0, rounds), Problem(cell, size)
    contest.enter("skrnn", skrnn_training, problem)
    contest.enter("graph", load, "cuda", "Graph", problem)
    contest.compare(first_losses, TF32)
    return contest.run()


def race_gpu_prediction(cell, size, rounds):
    """Sequences that lie in the memory of the processor, and scores that are wanted there."""
    contest, problem = Contest(0, rounds), Problem(cell, size)
    contest.enter("skrnn", load, "skrnn", "Prediction", problem)
    contest.enter("cuda", load, "cuda", "Inference", problem)
    contest.compare(log_probabilities, TF32)
    return contest.run()


def work(options, path):
    """Append each contender's result to the file, a line of JSON each."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # epochs are fixed
    for part, cell, size, race in {"threads": thread_races, "gpu": gpu_races}[options.what](options):
        rounds = 1 if options.quick else ROUNDS[options.what]
        timings = race(cell, size, rounds) if time.time() < options.end else LEFT_OUT
        print(part, n_threads(), cell, size.name, file=sys.stderr, flush=True)
        append(path, part, cell, size, timings)


def main():
    """Measure, print, write."""
    options = arguments()
    start, device = time.time(), gpu()
    end = start + 60 * options.minutes
    threads = sorted(set(options.threads))
    # Time may run out: first one thread and all of them, and the GPU
    runs = [("threads", n) for n in (threads[0], *threads[:0:-1])]
    if device:
        runs.insert(2, ("gpu", available()))
    records = [
        record for what, n in runs
        for record in measured(__file__, n, {"what": what, "quick": options.quick, "end": end}, end)
    ]
    machine = describe() | {"gpu": device, "seconds": round(time.time() - start)}
    if options.json:
        everything = {"machine": machine, "results": records}
        options.json.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print_report(machine, Results(records))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(SimpleNamespace(**json.loads(sys.argv[2])), sys.argv[3])
    else:
        main()
