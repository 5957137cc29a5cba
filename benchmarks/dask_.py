"""Training, search and gradients on the workers of a Dask cluster of this machine. See README.md.

    python benchmarks/dask_.py [--workers 2 4 8] [--only rounds training search] [--minutes 20] [--json FILE]

A process for each number of workers, which have one thread each. Everything is timed in turn, medians over rounds.
"""

import argparse
import json
import sys
import time
import warnings
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import dask_report
import ddp
import numpy as np
from contenders import load
from contenders.skrnn_ import ClusterTraining, Shard, Training, on_cluster
from dask_search import search
from machine import describe
from measure import Contest
from parts import first_losses
from results import Results
from rounds import enter_others, enter_skrnn
from sizes import Problem, Size
from subprocesses import LEFT_OUT, append, measured
from threads import available, n_threads

CELL, T, D, K = "lstm", 100, 16, 64
N_BYTES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
EACH_WAY = 100_000
# Sequences of a shard and their steps: batches of about 0.3, 1, 3, 10 and 30 ms on one thread
SHARDS = ((16, 15), (16, 50), (32, 80), (96, 80), (224, 110))
SHARD_MS = (0.3, 1, 3, 10, 30)
ROUNDS, SECONDS = 7, 0.3
FIT_BATCHES, FIT_EPOCHS, FIT_ROUNDS = 8, 20, 3


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    workers = [2**k for k in range(1, max(2, available()).bit_length())]
    parser.add_argument("--workers", nargs="+", type=int, default=workers, metavar="N")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    return parser.parse_args()


@contextmanager
def cluster():
    """A client of as many workers of one thread as this process has threads."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_threads(), threads_per_worker=1, dashboard_address=":0", worker_dashboard_address=None,
        ) as local,
        Client(local) as client,
    ):
        yield client


def rounds(client):
    """Parameters to all workers and the sum of their vectors back: by skrnn in many sizes, and one size each way."""
    n = n_threads()
    for n_bytes in N_BYTES:
        vector = np.random.default_rng(0).normal(size=n_bytes // 4).astype(np.float32)
        timings = race_rounds(partial(enter_skrnn, vector=vector, client=client, n_workers=n))
        if n_bytes == EACH_WAY and n == 2:
            timings |= race_rounds(partial(enter_others, vector=vector, client=client, n_workers=n))
        yield "rounds", "", Size(f"{n_bytes // 1000} kB", n, 0, 0, 0), timings


def race_rounds(enter):
    """Of the contenders that a function enters; those that have processes are closed."""
    contest = Contest(SECONDS, ROUNDS)
    enter(contest)
    contest.compare(round_sum)
    timings = contest.run()
    for contender in contest.contenders.values():
        getattr(contender, "close", lambda: None)()
    return timings


def round_sum(contender):
    contender.step()
    return contender.sum


def training(client):
    """A training step, the same batch on as many threads of one process, on one worker a thread, and by PyTorch."""
    n = n_threads()
    sizes = [Size(f"{ms} ms", n * shard, steps, D, K) for (shard, steps), ms in zip(SHARDS, SHARD_MS, strict=True)]
    for size in sizes:
        problem = Problem(CELL, size)
        contest = Contest(SECONDS, ROUNDS)
        with ExitStack() as stack:
            shards = stack.enter_context(on_cluster(Shard, [problem.part(s, n) for s in range(n)], client))
            contest.enter("threads", on_threads, problem, n)
            contest.enter("skrnn.dask", ClusterTraining, problem, shards)
            contest.compare(first_losses)
            contest.enter("shard", on_threads, problem.part(0, n), 1)
            timings = contest.run()
        yield "training", CELL, size, timings
    for size, timing in zip(sizes, with_ddp(sizes, n), strict=True):
        yield "training", CELL, size, {"DDP": timing}


def on_threads(problem, n):
    """A training step in this process."""
    training = Training(problem)
    training.use_threads(n)
    return training


def with_ddp(sizes, n):
    """PyTorch's step of each size, or why there is none."""
    try:
        return [{"median": seconds} for seconds in ddp.measured(CELL, sizes, n)]
    except (RuntimeError, ImportError) as error:
        return [{"failed": str(error).splitlines()[-1][:200]}] * len(sizes)


def fits(client):
    """A whole fit of a net on sequences in memory, by as many threads of one process and by the workers."""
    n = n_threads()
    for (shard, steps), ms in zip(SHARDS, SHARD_MS, strict=True):
        size = Size(f"{ms} ms", n * shard, steps, D, K)
        problem = Problem(CELL, size, n_sequences=FIT_BATCHES * size.B)
        contest = Contest(0, FIT_ROUNDS)
        contest.enter("threads", load, "skrnn", "Fit", problem, FIT_EPOCHS)
        contest.enter("skrnn.dask", load, "skrnn", "ClusterFit", problem, FIT_EPOCHS, client, n)
        yield "fit", CELL, size, contest.run()


PARTS = {"rounds": rounds, "training": training, "fit": fits, "search": search}


def work(options, path):
    """Append each contender's result to the file."""
    warnings.simplefilter("ignore")
    with cluster() as client:
        for name in options.only:
            for part, cell, size, timings in PARTS[name](client):
                print(n_threads(), part, cell, size.name, file=sys.stderr, flush=True)
                append(path, part, cell, size, timings)
                if time.time() > options.end:
                    append(path, name, cell, Size("the rest", 0, 0, 0, 0), LEFT_OUT)
                    return


def main():
    """Measure, print, write."""
    options, start = arguments(), time.time()
    end = start + 60 * options.minutes
    records = [
        record for n in options.workers
        for record in measured(__file__, n, {"only": options.only, "end": end}, end)
    ]
    machine = describe() | {"seconds": round(time.time() - start)}
    if options.json:
        everything = {"machine": machine, "results": records}
        options.json.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    dask_report.print_report(machine, Results(records))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(SimpleNamespace(**json.loads(sys.argv[2])), sys.argv[3])
    else:
        main()
