"""The results of `dask_.py` as plain-text tables."""

from dask_search import search_rows
from report import number, percent, print_failures, print_machine, print_table

WAYS = ("skrnn.dask", "sockets", "queues", "Ray actors", "Dask actors", "Dask futures")


def print_report(machine, results):
    """Rounds of gradients, training steps, whole fits, searches, and what could not be measured."""
    print_machine(machine)
    print_table("Parameters to all workers and the sum of their gradients back, ms", round_rows(results))
    print_table("The same of 100 kB, by way, ms", way_rows(results))
    print_table(
        "A training step, ms. shard: a worker's part of the batch alone, on one thread; rate: of the workers over "
        "that of as many threads of one process; sums: the share of the time in which no worker computes",
        training_rows(results),
    )
    print_table("A whole fit, s; rate: of the workers over that of as many threads of one process", fit_rows(results))
    print_table("A search of 12 fits over 10 MB of sequences, s", search_rows(results))
    print_failures(results)


def ms(results, part, case, contender):
    seconds = results.seconds(part, case, contender)
    return number(None if seconds is None else 1e3 * seconds)


def round_rows(results):
    """A row for each number of bytes, a column for each number of workers."""
    cases = [case for case in results.cases("rounds") if results.seconds("rounds", case, "skrnn.dask")]
    workers = sorted({n for n, _, _ in cases})
    return [
        {"size": size} | {f"{n} workers": ms(results, "rounds", (n, "", size), "skrnn.dask") for n in workers}
        for size in dict.fromkeys(size for _, _, size in cases)
    ]


def way_rows(results):
    """A row for each way that was measured."""
    rows = []
    for case in results.cases("rounds"):
        if results.seconds("rounds", case, "sockets"):
            for way in WAYS:
                record = results.record("rounds", case, way)
                if "median" in record:
                    quartiles = f"{number(1e3 * record['q1'])} - {number(1e3 * record['q3'])}"
                    rows.append({"cell": way, "ms": number(1e3 * record["median"]), "quartiles": quartiles})
    return rows


def training_rows(results):
    """A row for each number of workers and size."""
    rows = []
    for case in sorted(results.cases("training"), key=lambda case: case[0]):
        n, _, size = case
        if results.seconds("training", case, "skrnn.dask") is None:
            continue
        alone = results.ratio("training", case, "shard", "skrnn.dask")
        row = {"workers": str(n), "size": size}
        row |= {name: ms(results, "training", case, name) for name in ("shard", "threads", "skrnn.dask", "DDP")}
        rows.append(row | {
            "rate": number(results.ratio("training", case, "threads", "skrnn.dask")),
            "sums": percent(None if alone is None else 1 - alone),
            "DDP/skrnn": number(results.ratio("training", case, "DDP", "skrnn.dask")),
        })
    return rows


def fit_rows(results):
    """A row for each number of workers and size."""
    return [
        {
            "workers": str(case[0]), "size": case[2],
            "threads": number(results.seconds("fit", case, "threads")),
            "skrnn.dask": number(results.seconds("fit", case, "skrnn.dask")),
            "rate": number(results.ratio("fit", case, "threads", "skrnn.dask")),
        }
        for case in sorted(results.cases("fit"), key=lambda case: case[0])
    ]
