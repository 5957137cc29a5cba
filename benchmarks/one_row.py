"""One sequence at a time: the whole `predict` of an LSTM beside ONNX Runtime and OpenVINO, by turns.

    python benchmarks/one_row.py [--threads 1 2] [--sizes tiny small] [--cells lstm] [--seconds S]

A process for each number of threads. All get the same float32 array (1, steps, features) and weights, must return the
same scores, and are timed in turn in short rounds. Medians, in microseconds; "× ONNX" and "× OpenVINO" are their time
over that of `predict`: above 1 `predict` is faster.
"""

import argparse
import subprocess
import sys

from contenders import load
from measure import Contest
from scipy.special import log_softmax
from sizes import PEER_CELLS, SIZES, Problem
from threads import available, environment, n_threads, on_first_processors

ONE_ROW_SIZES = ("tiny", "small", "medium", "large", "xlarge")
PEERS = {"onnx": "ONNX", "openvino": "OpenVINO"}
COLUMNS = ("predict", "kernels", *PEERS, "predict_proba", "list", "pipeline", "predict_step")


def race(cell, name, seconds):
    """Timings of one sequence by contender, and of what else a service calls."""
    contest, problem = Contest(seconds, rounds=15), Problem(cell, SIZES[name], n_sequences=1)
    contest.enter("predict", load, "skrnn", "Prediction", problem)
    contest.enter("kernels", load, "skrnn", "Inference", problem)
    for package in PEERS:
        contest.enter(package, load, package, "Inference", problem)
    contest.compare(lambda contender: log_softmax(contender.logits(), axis=1))
    for name in ("predict_proba", "list", "pipeline", "predict_step"):
        contest.enter(name, load, "skrnn", "Serving", problem, name)
    return contest.run()


def measure(options):
    """Print a line of a table for each cell and size, at the number of threads of this process."""
    print(f"\n{n_threads()} thread{'s' * (n_threads() > 1)}, µs")
    print("| cell | size | " + " | ".join(COLUMNS) + " | " + " | ".join(f"× {peer}" for peer in PEERS.values()) + " |")
    print("|" + "---|" * (2 + len(COLUMNS) + len(PEERS)))
    for cell in options.cells:
        for size in options.sizes:
            timings = race(cell, size, options.seconds)
            medians = {name: timing.get("median", float("nan")) for name, timing in timings.items()}
            cells = [f"{1e6 * medians[name]:.1f}" for name in COLUMNS]
            cells += [f"{medians[peer] / medians['predict']:.2f}" for peer in PEERS]
            print("| " + " | ".join([cell, size, *cells]) + " |", flush=True)
            for contender, timing in timings.items():
                if "failed" in timing:
                    print(f"{contender}: {timing['failed']}", flush=True)


def main():
    """Measure, in a process for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, min(2, available())}), metavar="N")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(ONE_ROW_SIZES), metavar="SIZE")
    parser.add_argument("--cells", nargs="+", choices=PEER_CELLS, default=["lstm"], metavar="CELL")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each contender")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options)
        return
    for n in options.threads:
        with on_first_processors(n):
            subprocess.run([sys.executable, *sys.argv, "--here"], env=environment(n), check=True)


if __name__ == "__main__":
    main()
