"""The shards of X, on the workers of a cluster or in this process."""

from contextlib import contextmanager, nullcontext

import dask
import numpy as np
import pyarrow as pa

from skrnn._estimators.shard import Later, Shard
from skrnn._training.sharding import LocalShards
from skrnn.dask._clients import has_client
from skrnn.dask._cluster import ClusterShards
from skrnn.dask._sources import Computed, Recipe, sources


class ShardMaker:
    """Makes shards of partitions; it is sent to workers.

    Parameters
    ----------
    counts : list of int
        How many partitions each shard has.
    make : callable
        ``make(parts, first)`` returns a shard of a list of partitions, the first of which has a number among all.
    """

    def __init__(self, counts, make):
        self.firsts, self.make = (np.cumsum(counts) - counts).tolist(), make

    def __call__(self, number, parts):
        release_memory()
        return self.make(parts.later() if isinstance(parts, Recipe) else list(parts), self.firsts[number])


class ShardOfPartitions(Shard):
    """A shard that lets the system have the memory that Arrow needed for its partitions: Dask counts it, too."""

    def _take(self, number, again):
        release_memory()        # of the partition before
        return super()._take(number, again)

    def join(self, dtype, first):
        release_memory()
        super().join(dtype, first)


def release_memory():
    """Give back what Arrow holds for what it may read next."""
    pa.default_memory_pool().release_unused()


def parts_here(partitions):
    """The parts of each shard for this process: those with something in common computed at once, the others later."""
    found = sources(partitions)
    computed = iter(dask.compute([source.parts for source in found if isinstance(source, Computed)])[0])
    return [
        next(computed) if isinstance(source, Computed) else [Later(part.compute) for part in parts]
        for source, parts in zip(found, partitions, strict=True)
    ]


@contextmanager
def shards_of(partitions, client, make=ShardOfPartitions):
    """The `Shards` of X; at the end the workers are free.

    Parameters
    ----------
    partitions : list of list of Delayed
        Those of each shard.
    client : Client, or None
        Without one, and outside of a task, they are made in this process.
    make : callable
        As in `ShardMaker`.
    """
    make = ShardMaker([len(parts) for parts in partitions], make)
    if not has_client(client):
        yield LocalShards([make(number, parts) for number, parts in enumerate(parts_here(partitions))])
        return
    # Dask looks for the one that is current in some places
    with client.as_current() if client else nullcontext(), ClusterShards(make, partitions, client) as shards:
        yield shards
