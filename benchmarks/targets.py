"""What must hold, and whether it does."""

from typing import NamedTuple

from results import INFERENCE_PEERS, TRAINING_PEERS
from sizes import SIZES


class Target(NamedTuple):
    claim: str
    required: str
    measured: str
    met: bool | None    # None: not measured


LSTM_OVER_TORCH = {
    "tiny": 8, "small": 3, "long": 2.5, "medium": 1.7, "large": 1.7, "wide": 1.7, "xlarge": 1.4, "xxlarge": 1.25,
}
GRU_OVER_TORCH = {"small": 8, "medium": 2.5}


def targets(results):
    """All targets, in the order of the parts."""
    return [
        *roofline_shares(results),
        *faster_than_all("training", results, TRAINING_PEERS),
        *factors_over_torch(results),
        *float64_rates(results),
        *avx2_rates(results),
        *ragged_times(results),
        *denormal_times(results),
        *faster_than_all("inference", results, INFERENCE_PEERS),
        *single_sequences(results),
        *fit_shares(results),
        *searches(results),
    ]


def at_least(claim, required, measured, form):
    """A target for a number, None when it is missing."""
    if measured is None:
        return Target(claim, f"≥ {form(required)}", "", None)
    return Target(claim, f"≥ {form(required)}", form(measured), measured >= required)


def percent(share):
    return f"{100 * share:.0f} %"


def times(ratio):
    return f"{ratio:.3g}×"


def thread_counts(results):
    """Those of the run."""
    return sorted({record["threads"] for record in results.records})


def roofline_shares(results):
    """Of the LSTM's training step."""
    for n in thread_counts(results):
        for name, size in SIZES.items():
            required = 0.9 if size.K >= 128 else 0.8 if 32 <= size.K <= 64 else 0.6 if name == "tiny" else None
            if required:
                share = results.share((n, "lstm", name))
                yield at_least(f"lstm training, {name}, {n} thr.: share of roofline", required, share, percent)


def faster_than_all(part, results, peers):
    """The least advantage over the sizes, for each cell; comparisons with a peer that failed are counted."""
    for n in thread_counts(results):
        for cell in ("lstm", "gru", "rnn"):
            claim = f"{cell} {part}, every size, {n} thr.: faster than {' and '.join(peers)}"
            pairs = [(case, peer) for case in results.cases(part) if case[:2] == (n, cell) for peer in peers]
            ratios = [(results.ratio(part, case, peer, "skrnn"), peer, case[2]) for case, peer in pairs]
            known = [found for found in ratios if found[0] is not None]
            if not known:
                yield Target(claim, "> 1×", "", None)
                continue
            ratio, peer, size = min(known)
            failed = f", {len(ratios) - len(known)} failed" if len(known) < len(ratios) else ""
            yield Target(claim, "> 1×", f"{times(ratio)} ({peer}, {size}){failed}", ratio > 1)


def factors_over_torch(results):
    """On one thread."""
    for cell, factors in (("lstm", LSTM_OVER_TORCH), ("gru", GRU_OVER_TORCH)):
        for size, required in factors.items():
            ratio = results.ratio("training", (1, cell, size), "torch", "skrnn")
            yield at_least(f"{cell} training, {size}, 1 thr.: over torch", required, ratio, times)


def float64_rates(results):
    """The lowest over the sizes."""
    for n in thread_counts(results):
        cases = [case for case in results.cases("training") if case[0] == n]
        rates = [results.ratio("training", case, "skrnn", "skrnn float64") for case in cases]
        rate = min((rate for rate in rates if rate is not None), default=None)
        yield at_least(f"training, every cell and size, {n} thr.: float64 at float32's rate", 0.45, rate, percent)


def avx2_rates(results):
    """The lowest over the sizes."""
    for n in thread_counts(results):
        rates = [results.ratio("training", case, "skrnn", "skrnn avx2")
                 for case in results.cases("training") if case[0] == n]
        rate = min((rate for rate in rates if rate is not None), default=None)
        yield at_least(f"training, every cell and size, {n} thr.: AVX2 at the widest one's rate", 0.65, rate, percent)


def at_most(claim, required, measured, form):
    """A target for a number, None when it is missing."""
    if measured is None:
        return Target(claim, f"≤ {form(required)}", "", None)
    return Target(claim, f"≤ {form(required)}", form(measured), measured <= required)


def ragged_times(results):
    """Lengths of 10 to 100 against 100."""
    for case in results.cases("ragged"):
        ratio = results.ratio("ragged", case, "ragged", "full")
        yield at_most(f"{case[1]} training, ragged, {case[0]} thr.: time of equal lengths", 0.65, ratio, percent)


def denormal_times(results):
    """Denormal inputs against normal ones."""
    for case in results.cases("denormals"):
        ratio = results.ratio("denormals", case, "denormal", "normal")
        yield at_most(f"{case[1]} training, denormal inputs, {case[0]} thr.: time of normal ones", 1.5, ratio, times)


def single_sequences(results):
    """One sequence at a time."""
    for n in thread_counts(results):
        for cell in ("lstm", "gru", "rnn"):
            for name, size in SIZES.items():
                if size.K <= 32:
                    ratio = results.ratio("single", (n, cell, name), "onnx", "skrnn")
                    yield at_least(f"{cell}, one sequence, {name}, {n} thr.: over onnx", 2, ratio, times)
        seconds = results.seconds("single", (n, "lstm", "small"), "predict")
        measured = "" if seconds is None else f"{1e6 * seconds:.0f} µs"
        met = None if seconds is None else seconds < 1e-4
        yield Target(f"lstm, predict of one sequence, small, {n} thr.", "< 100 µs", measured, met)


def fit_shares(results):
    """Training steps in a fit."""
    for case in results.cases("estimator"):
        n, cell, size = case
        yield at_least(f"{cell} fit, {size}, {n} thr.: share of its kernels", 0.9, fit_share(results, case), percent)


def fit_share(results, case):
    """The share of a fit's time that its training steps take alone."""
    ratio = results.ratio("estimator", case, "step", "fit")
    return None if ratio is None else ratio * results.record("estimator", case, "fit")["steps"]


def searches(results):
    """Best against best."""
    for case in results.cases("grid"):
        best = {}
        for record in results.records:
            if record["part"] == "grid" and "median" in record:
                package = record["contender"].partition(",")[0]
                best[package] = min(record["median"], best.get(package, record["median"]))
        ratio = best["skorch"] / best["skrnn"] if len(best) == 2 else None
        yield at_least(f"grid search, {case[0]} thr.: over skorch, best against best", 4, ratio, times)
