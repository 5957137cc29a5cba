"""The results as plain-text tables."""

import numpy as np
import roofline
from results import INFERENCE_PEERS, TRAINING_PEERS
from sizes import SIZES
from targets import fit_share, targets

WORDS = {"cell", "size", "search", "target", "met"}     # columns of text


def print_report(machine, results):
    """Everything that was measured, then what it means."""
    print_machine(machine)
    print_table("Roofline: matrix product, GFLOP/s over the run; where it drifts something disturbed it",
                roofline_rows(results))
    print_table("Training step, ms; ratios over skrnn: above 1 skrnn is faster", training_rows(results))
    print_table("Training step on lengths of 10 to 100 steps, ms", ragged_rows(results))
    print_table("Training step on denormal inputs, ms", denormal_rows(results))
    print_table("Training step with narrower instruction sets, ms", instruction_set_rows(results))
    print_table("Inference of 1024 sequences, ms", inference_rows("inference", results))
    print_table("Inference of one sequence, ms", inference_rows("single", results))
    print_table("Fit of an estimator, ms", estimator_rows(results))
    print_table("Grid search, s", grid_rows(results))
    print_slower(results)
    print_targets(results)
    print_failures(results)


def print_machine(machine):
    """A line each."""
    for name, value in machine.items():
        if isinstance(value, dict):
            value = ", ".join(f"{package} {version}" for package, version in value.items() if version)
        if value is not None:
            print(f"{name}: {value}")


def print_table(title, rows):
    """Rows are dicts of text by column; text stands on the left, numbers on the right."""
    if not rows:
        return
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) for column in rows[0]}
    print(f"\n{title}")
    for row in [{column: column for column in widths}, *rows]:
        texts = (
            row[column].ljust(width) if column in WORDS else row[column].rjust(width)
            for column, width in widths.items()
        )
        print("  " + "  ".join(texts).rstrip())


def number(value):
    """Three digits; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def percent(share):
    return "-" if share is None else f"{100 * share:.0f} %"


def ms(results, part, case, contender):
    """Milliseconds, a dash where it was not entered."""
    record = results.record(part, case, contender)
    return "failed" if "failed" in record else number(1e3 * record["median"] if record else None)


def case_columns(case):
    """The first columns of every table."""
    threads, cell, size = case
    return {"thr.": str(threads), "cell": cell, "size": size}


def roofline_rows(results):
    """Median over the races, and how far it drifted."""
    rows = []
    for threads in sorted({case[0] for case in results.cases("training")}):
        for contender in ("roofline", "roofline float64"):
            seconds = [results.seconds("training", case, contender) for case in results.cases("training")
                       if case[0] == threads]
            rates = [1e-9 * roofline.FLOPS / s for s in seconds if s is not None]
            if rates:
                row = {"thr.": str(threads), "dtype": "float64" if "64" in contender else "float32"}
                for column, statistic in (("median", np.median), ("lowest", np.min), ("highest", np.max)):
                    row[column] = number(statistic(rates))
                rows.append(row)
    return rows


def training_rows(results):
    """A row for each case."""
    rows = []
    for case in results.cases("training"):
        size = SIZES[case[2]]
        row = case_columns(case) | {name: str(getattr(size, name)) for name in "BTDK"}
        row |= {name: ms(results, "training", case, name) for name in ("skrnn", *TRAINING_PEERS)}
        for peer in TRAINING_PEERS:
            row[f"{peer}/skrnn"] = number(results.ratio("training", case, peer, "skrnn"))
        seconds = results.seconds("training", case, "roofline")
        row["roofline"] = number(None if seconds is None else 1e-9 * roofline.FLOPS / seconds)
        row["share"] = percent(results.share(case))
        row["float64"] = ms(results, "training", case, "skrnn float64")
        row["its rate"] = percent(results.ratio("training", case, "skrnn", "skrnn float64"))
        rows.append(row)
    return rows


def ragged_rows(results):
    """A row for each cell."""
    rows = []
    for case in results.cases("ragged"):
        row = case_columns(case) | {name: ms(results, "ragged", case, name) for name in ("full", "ragged")}
        row["time"] = percent(results.ratio("ragged", case, "ragged", "full"))
        row["steps"] = percent(results.record("ragged", case, "ragged")["steps"])
        rows.append(row)
    return rows


def denormal_rows(results):
    """A row for each cell."""
    rows = []
    for case in results.cases("denormals"):
        row = case_columns(case) | {name: ms(results, "denormals", case, name) for name in ("normal", "denormal")}
        row["time"] = percent(results.ratio("denormals", case, "denormal", "normal"))
        rows.append(row)
    return rows


def instruction_set_rows(results):
    """A row for each size."""
    rows = []
    for case in results.cases("training"):
        row = case_columns(case) | {"widest": ms(results, "training", case, "skrnn")}
        for name in ("avx2", "baseline"):
            row[name] = ms(results, "training", case, f"skrnn {name}")
            row[f"{name}'s rate"] = percent(results.ratio("training", case, "skrnn", f"skrnn {name}"))
        rows.append(row)
    return rows


def inference_rows(part, results):
    """A row for each case."""
    rows = []
    for case in results.cases(part):
        row = case_columns(case)
        row |= {name: ms(results, part, case, name) for name in ("skrnn", "predict", *INFERENCE_PEERS)}
        for peer in INFERENCE_PEERS:
            row[f"{peer}/skrnn"] = number(results.ratio(part, case, peer, "skrnn"))
        rows.append(row)
    return rows


def estimator_rows(results):
    """A row for each case."""
    rows = []
    for case in results.cases("estimator"):
        row = case_columns(case) | {name: ms(results, "estimator", case, name) for name in ("fit", "step")}
        row["steps"] = str(results.record("estimator", case, "fit")["steps"])
        row["share of kernels"] = percent(fit_share(results, case))
        rows.append(row)
    return rows


def grid_rows(results):
    """A row for each search."""
    return [
        {
            "thr.": str(record["threads"]), "search": record["contender"],
            "s": "failed" if "failed" in record else number(record["median"]),
            "accuracy": number(record.get("accuracy")),
        }
        for record in results.records if record["part"] == "grid"
    ]


def print_slower(results):
    """Where a peer wins."""
    for part, peers in (("training", TRAINING_PEERS), ("inference", INFERENCE_PEERS), ("single", INFERENCE_PEERS)):
        ratios = [(case, peer, results.ratio(part, case, peer, "skrnn")) for case in results.cases(part)
                  for peer in peers]
        ratios = [found for found in ratios if found[2] is not None]
        if ratios:
            slower = [found for found in ratios if found[2] <= 1]
            print(f"\n{part}: skrnn is faster in {len(ratios) - len(slower)} of {len(ratios)} comparisons")
            for (threads, cell, size), peer, ratio in slower:
                print(f"  slower than {peer}: {cell}, {size}, {threads} thr.: {number(ratio)}")


def print_targets(results):
    """Those that were measured."""
    found = targets(results)
    rows = [
        {"target": target.claim, "required": target.required, "measured": target.measured,
         "met": "met" if target.met else "MISSED"}
        for target in found if target.met is not None
    ]
    print_table("Targets", rows)
    if rows:
        met = sum(row["met"] == "met" for row in rows)
        print(f"  {met} met, {len(rows) - met} missed, {len(found) - len(rows)} not measured in this run")


def print_failures(results):
    """Contenders without a time, and why; what has the same reason in a line."""
    failures = {}
    for record in results.failures():
        line = "  {threads} thr. {part} {cell}: {contender}: {failed}".format(**record)
        failures.setdefault(line, []).append(record["size"])
    if failures:
        print("\nFailed")
    for line, sizes in failures.items():
        print(f"{line} ({', '.join(sizes)})")
