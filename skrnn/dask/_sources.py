"""Where the partitions of a shard come from: computed where the shard is made, or by Dask before."""

from collections import Counter
from functools import partial
from itertools import chain

import dask
from distributed import futures_of

from skrnn._estimators.shard import Later


def sources(partitions):
    """The source of each shard.

    Partitions that have nothing in common with others are computed where they are read, one after the other, and are
    never in the memory of Dask beside what was read. What is in that memory, or is shared, as after a shuffle, is left
    to Dask.

    Parameters
    ----------
    partitions : list of list of Delayed

    Returns
    -------
    sources : list of Recipe or Computed
    """
    recipes = [Recipe(parts) for parts in partitions]
    counts = Counter(chain.from_iterable(chain.from_iterable(recipe.graphs for recipe in recipes)))
    return [
        recipe if recipe.is_private(counts) and not futures_of(parts) else Computed(parts)
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
        self.graphs = [part.dask.cull([part.key]).to_dict() for part in parts]

    def __iter__(self):
        """The partitions, each computed when it is its turn."""
        return (later.compute() for later in self.later())

    def later(self):
        """The partitions, to be computed when they are read."""
        return [Later(partial(dask.get, graph, key)) for graph, key in zip(self.graphs, self.keys, strict=True)]

    def is_private(self, counts):
        """Whether no other partition needs a key, given how many need each."""
        return max(map(counts.__getitem__, chain.from_iterable(self.graphs))) == 1

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
