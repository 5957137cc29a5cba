"""Training steps of PyTorch's DistributedDataParallel over gloo, in processes of one thread each on this machine."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from threads import environment

SECONDS, MIN_ROUNDS = 0.5, 5


def measured(cell, sizes, n_workers):
    """Seconds of a step of a batch that n processes share, of each size."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, folder, cell, json.dumps(sizes), str(n_workers)]
        processes = [
            subprocess.Popen([*command, str(rank)], env=environment(1), stderr=subprocess.PIPE, text=True)
            for rank in range(n_workers)
        ]
        errors = [process.communicate()[1] for process in processes]
        if any(process.returncode for process in processes):
            raise RuntimeError(errors[0])
        return json.loads(Path(folder, "seconds").read_text())


def work(folder, cell, sizes, n_workers, rank):
    """One of the processes; the first one writes the seconds."""
    import torch
    from sizes import Problem, Size

    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=n_workers
    )
    seconds = [median_of_steps(Problem(cell, Size(*size)).part(rank, n_workers)) for size in sizes]
    if rank == 0:
        Path(folder, "seconds").write_text(json.dumps(seconds))
    torch.distributed.destroy_process_group()


def median_of_steps(problem):
    """Seconds of a step of this process' part of a batch."""
    import torch
    from contenders import torch_
    from torch.nn.parallel import DistributedDataParallel

    training = torch_.Training(problem)
    training.net = DistributedDataParallel(training.net)
    seconds = [seconds_of(training) for _ in range(MIN_ROUNDS)]
    calls = torch.tensor(max(MIN_ROUNDS, int(SECONDS / median(seconds))))
    torch.distributed.broadcast(calls, 0)       # all do the same
    return median(seconds_of(training) for _ in range(int(calls)))


def seconds_of(training):
    """Seconds of a step; each process waits for the gradients of all."""
    start = perf_counter()
    training.step()
    return perf_counter() - start


if __name__ == "__main__":
    folder, cell, sizes, n_workers, rank = sys.argv[1:]
    work(folder, cell, json.loads(sizes), int(n_workers), int(rank))
