"""The results of `scaling.py` as plain-text tables."""

import roofline
from report import number, print_failures, print_machine, print_table

GPU_PARTS = {"gpu training": ("cuda", "cuda float32"), "gpu graph": ("graph",), "gpu prediction": ("cuda",)}


def print_report(machine, results):
    """Threads, whole fits, the GPU, and what could not be measured."""
    print_machine(machine)
    print_table("Matrix product of the same threads, GFLOP/s", roofline_rows(results))
    for part, title in (("training", "A training step"), ("prediction", "Prediction of all sequences")):
        print_table(f"{title}, the same work on all threads: ms, how many times faster than on one thread",
                    strong_rows(part, results))
        print_table(f"{title}, the same work for each thread: ms, the share of the rate of one thread that is kept",
                    weak_rows(f"weak {part}", results))
    print_table("A whole fit: s, what of it the steps above are, millions of sequences x steps an hour",
                fit_rows(results))
    for part, contenders in GPU_PARTS.items():
        print_table(f"{part}: ms; time of all threads over the GPU's, above 1 the GPU is faster",
                    gpu_rows(part, contenders, results))
    print_table("Units from which on the GPU is faster", break_even_rows(results))
    print_failures(results)


def threads_of(part, results):
    """By (cell, size) the numbers of threads, ascending."""
    cases = {}
    for n, cell, size in results.cases(part):
        cases.setdefault((cell, size), []).append(n)
    return {case: sorted(numbers) for case, numbers in cases.items()}


def roofline_rows(results):
    """The best of each number of threads."""
    rates = {}
    for case in results.cases("training") + results.cases("weak training"):
        for part in ("training", "weak training"):
            seconds = results.seconds(part, case, "roofline")
            if seconds:
                rates[case[0]] = max(rates.get(case[0], 0), 1e-9 * roofline.FLOPS / seconds)
    return [
        {"thr.": str(n), "GFLOP/s": number(rates[n]), "times": number(rates[n] / rates[min(rates)])}
        for n in sorted(rates)
    ]


def strong_rows(part, results):
    """A row for each size and number of threads."""
    rows = []
    for (cell, size), numbers in threads_of(part, results).items():
        for n in numbers:
            row, case = {"cell": cell, "size": size, "thr.": str(n)}, (n, cell, size)
            for contender in ("skrnn", "torch"):
                seconds = results.seconds(part, case, contender)
                alone = results.seconds(part, (numbers[0], cell, size), contender)
                row[contender] = ms(seconds)
                row[f"{contender} times"] = number(alone / seconds if alone and seconds else None)
            rows.append(row | {"torch/skrnn": number(results.ratio(part, case, "torch", "skrnn"))})
    return rows


def weak_rows(part, results):
    """A row for each number of threads; its size grows with them."""
    first, rows = {}, []
    for case in sorted(results.cases(part), key=lambda case: (case[1], case[0])):
        n, cell, size = case
        row = {"cell": cell, "size": size, "thr.": str(n)}
        for contender in ("skrnn", "torch"):
            seconds = results.seconds(part, case, contender)
            alone = first.setdefault((cell, contender), seconds)
            row[contender] = ms(seconds)
            row[f"{contender} kept"] = number(alone / seconds if alone and seconds else None)
        rows.append(row | {"torch/skrnn": number(results.ratio(part, case, "torch", "skrnn"))})
    return rows


def fit_rows(results):
    """A row for each cell and number of threads."""
    rows = []
    for (cell, size), numbers in threads_of("fit", results).items():
        for n in numbers:
            case = (n, cell, size)
            fit, step = results.record("fit", case, "skrnn"), results.seconds("training", case, "skrnn")
            alone = results.seconds("fit", (numbers[0], cell, size), "skrnn")
            if "median" not in fit:
                continue
            seconds = fit["median"]
            rows.append({
                "cell": cell, "size": size, "thr.": str(n), "s": number(seconds),
                "times": number(alone and alone / seconds),
                "steps' share": number(step and fit["steps"] * step / seconds),
                "M/h": number(1e-6 * fit["steps"] * fit["B"] * fit["T"] / seconds * 3600),
            })
    return rows


def gpu_rows(part, contenders, results):
    """A row for each size."""
    rows = []
    for case in results.cases(part):
        _, cell, size = case
        seconds = results.seconds(part, case, "skrnn")
        if seconds is None:
            continue
        row = {"cell": cell, "size": size, "skrnn": ms(seconds)}
        row |= {name: ms(results.seconds(part, case, name)) for name in contenders}
        row |= {f"skrnn/{name}": number(results.ratio(part, case, "skrnn", name)) for name in contenders}
        rows.append(row)
    return rows


def break_even_rows(results):
    """For each batch the fewest units from which on, up to the most, the GPU takes less time."""
    by_batch = {}
    for part, contenders in GPU_PARTS.items():
        for case in results.cases(part):
            record = results.record(part, case, "skrnn")
            if "median" not in record:
                continue
            row = by_batch.setdefault((part, case[1], record["B"]), {})
            for name in contenders:
                ratio = results.ratio(part, case, "skrnn", name)
                if ratio is not None:
                    row.setdefault(name, []).append((record["K"], ratio))
    return [
        {"part": part, "cell": cell, "size": f"B={B}"}
        | {name: faster_from(row.get(name, [])) for name in ("cuda", "cuda float32", "graph")}
        for (part, cell, B), row in by_batch.items()
    ]


def faster_from(ratios):
    """The smallest K from which on every ratio is above 1."""
    units = "never"
    for K, ratio in sorted(ratios, reverse=True):
        if ratio <= 1:
            break
        units = str(K)
    return units if ratios else "-"


def ms(seconds):
    return number(None if seconds is None else 1e3 * seconds)
