"""Where the partitions of a shard come from: computed where the shard is made, or by Dask before."""

from collections import Counter
from functools import partial
from itertools import chain

import dask
from distributed import futures_of

from skrnn._estimators.shard import Later


def sources(partitions):
    """The source of each shard.

    Partitions that have nothing in common with those of other shards are computed by the task that makes the shard, one
    after the other, and are never in the memory of Dask beside it. What is in that memory, or is shared, as after a
    shuffle, is left to Dask.

    Parameters
    ----------
    partitions : list of list of Delayed

    Returns
    -------
    sources : list of Recipe or Computed
    """
    recipes = [Recipe(parts) for parts in partitions]
    counts = Counter(key for recipe in recipes for key in recipe.graph)
    return [
        recipe if max(map(counts.__getitem__, recipe.graph)) == 1 and not futures_of(parts) else Computed(parts)
        for recipe, parts in zip(recipes, partitions, strict=True)
    ]


def compute(sources, client):
    """Have Dask compute what is its to compute, at once, so that what shards have in common is computed once."""
    waiting = [source for source in sources if isinstance(source, Computed) and not source.futures]
    futures = iter(client.compute(list(chain(*(source.parts for source in waiting)))))
    for source in waiting:
        source.futures = [next(futures) for _ in source.parts]


class Recipe:
    """How partitions are computed.

    Parameters
    ----------
    parts : list of Delayed
    """

    futures = ()

    def __init__(self, parts):
        self.keys = [part.key for part in parts]
        self.graph = {}
        for part in parts:
            self.graph.update(part.dask.cull([part.key]).to_dict())

    def __len__(self):
        return len(self.keys)

    def __iter__(self):
        """The partitions, each computed when it is its turn."""
        return (later.compute() for later in self.later())

    def later(self):
        """The partitions, to be computed when they are read."""
        return [Later(partial(dask.get, self.graph, key)) for key in self.keys]

    def sent(self):
        """What the task that makes the shard is given."""
        return self

    def forget(self):
        """Nothing is in the memory of Dask."""


class Computed:
    """Partitions that Dask computes.

    Parameters
    ----------
    parts : list of Delayed
    """

    def __init__(self, parts):
        self.parts, self.futures = parts, []

    def sent(self):
        """What the task that makes the shard is given."""
        return self.futures

    def forget(self):
        """Let Dask have the memory for others."""
        self.futures = []
