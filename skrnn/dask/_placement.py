"""Which worker has which shards, and how workers are joined in a tree."""

from statistics import median


def placed(numbers, n_threads, held, taken):
    """The worker of each shard: as many for each thread, in runs of neighbors, where their partitions are.

    Gradients of neighbors are put together where they are, and travel as one.

    Parameters
    ----------
    numbers : list of int
        The shards to place, in order.
    n_threads : dict of str to int
        The threads of each worker.
    held : dict of str to list of int
        The shards whose partitions a worker has in memory.
    taken : dict of str to int
        How many shards a worker has already.

    Returns
    -------
    workers : dict of int to str
    """
    counts, free = dict.fromkeys(n_threads, 0), iter(numbers)
    held = {worker: set(numbers).intersection(held.get(worker, ())) for worker in n_threads}
    for _ in numbers:
        counts[min(n_threads, key=lambda w: ((taken.get(w, 0) + counts[w] + 1) / n_threads[w], -len(held[w]), w))] += 1
    middles = {worker: median(held[worker] or [numbers[-1] + 1]) for worker in n_threads}
    order = sorted(n_threads, key=lambda w: (middles[w], w))
    return {next(free): worker for worker in order for _ in range(counts[worker])}


def below(node, last):
    """The children of a node that has the nodes from its own number to `last`, in a binomial tree.

    Returns
    -------
    children : list of (int, int)
        The number of each child, and the end of the nodes below it.
    """
    children = []
    while last - node > 1:
        middle = (node + last + 1) // 2
        children.append((middle, last))
        last = middle
    return children
