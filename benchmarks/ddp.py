"""A training step of PyTorch's DistributedDataParallel over gloo, in processes of one thread each on this machine."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from threads import environment

SECONDS, MIN_ROUNDS = 0.5, 5


def measured(cell, size, n_workers):
    """Seconds of a step of a batch of this size that n processes share; waits for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, folder, cell, json.dumps(size), str(n_workers)]
        processes = [
            subprocess.Popen([*command, str(rank)], env=environment(1), stderr=subprocess.PIPE, text=True)
            for rank in range(n_workers)
        ]
        errors = [process.communicate()[1] for process in processes]
        if any(process.returncode for process in processes):
            raise RuntimeError(errors[0])
        return float(Path(folder, "seconds").read_text())


def work(folder, cell, size, n_workers, rank):
    """One of the processes; the first one writes the median over the rounds."""
    import torch
    from contenders import torch_
    from sizes import Problem, Size
    from torch.nn.parallel import DistributedDataParallel

    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=n_workers
    )
    training = torch_.Training(Problem(cell, Size(*size)).part(rank, n_workers))
    training.net = DistributedDataParallel(training.net)
    seconds = [seconds_of(training) for _ in range(MIN_ROUNDS)]
    calls = torch.tensor(max(MIN_ROUNDS, int(SECONDS / median(seconds))))
    torch.distributed.broadcast(calls, 0)       # all do the same
    seconds = [seconds_of(training) for _ in range(int(calls))]
    if rank == 0:
        Path(folder, "seconds").write_text(str(median(seconds)))
    torch.distributed.destroy_process_group()


def seconds_of(training):
    """Seconds of a step; each process waits for the gradients of all."""
    start = perf_counter()
    training.step()
    return perf_counter() - start


if __name__ == "__main__":
    folder, cell, size, n_workers, rank = sys.argv[1:]
    work(folder, cell, json.loads(size), int(n_workers), int(rank))
