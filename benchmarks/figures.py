"""The two figures of docs/performance.md, from what `bench.py --json` has measured.

    python benchmarks/figures.py docs/measurements/performance.json docs/figures
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, PercentFormatter
from results import TRAINING_PEERS, Results
from sizes import GATES, PEER_CELLS, SIZES

COLORS = dict(zip(GATES, ("#4f9d69", "#e08a2e", "#8c6d4f", "#3b6fb6", "#9a6fb0", "#7f7f7f"), strict=False))


def draw(results, folder):
    """Write those that there are results for."""
    cases = results.cases("training")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(results.best_ratio("training", case, TRAINING_PEERS) for case in cases):
        draw_ratios(results, folder / "speed_ratio.png")
    if any(results.share(case) for case in cases):
        draw_shares(results, folder / "speed_roofline.png")


def draw_ratios(results, path):
    """skrnn against the faster of its peers."""

    def ratio(case):
        value = results.best_ratio("training", case, TRAINING_PEERS)
        return np.nan if value is None else value

    figure, panels = bars(results, PEER_CELLS, ratio, baseline=1, form=two_digits)
    for axes in panels:
        axes.set_yscale("log", base=2)
        axes.set_ylabel("times faster")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    finish(figure, "Training step: skrnn against the faster of PyTorch and JAX, float32", path)


def draw_shares(results, path):
    """What skrnn makes of the processor."""

    def share(case):
        value = results.share(case)
        return np.nan if value is None else value

    figure, panels = bars(results, tuple(GATES), share, baseline=0, form=lambda value: f"{100 * value:.0f}")
    for axes in panels:
        axes.set_ylabel("share of roofline")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    finish(figure, "Training step: share of the speed of a large matrix product, float32", path)


def two_digits(value):
    return f"{value:#.2g}".rstrip(".") if value < 99 else f"{value:.0f}"


def bars(results, cells, value, baseline, form):
    """A panel for each number of threads, a group for each size, a bar for each cell; value(case) may be NaN."""
    cases = results.cases("training")
    threads = sorted({case[0] for case in cases})
    sizes = [size for size in SIZES if any(case[2] == size for case in cases)]
    cells = [cell for cell in cells if any(case[1] == cell for case in cases)]
    figure, grid = plt.subplots(
        len(threads), 1, figsize=(max(6, 1.6 + 0.9 * len(sizes)), 1 + 2.6 * len(threads)), sharex=True, sharey=True,
        squeeze=False, layout="constrained",
    )
    width = 0.84 / max(1, len(cells))
    for n, axes in zip(threads, grid[:, 0], strict=True):
        for i, cell in enumerate(cells):
            heights = np.array([value((n, cell, size)) for size in sizes])
            places = np.arange(len(sizes)) + (i - (len(cells) - 1) / 2) * width
            drawn = axes.bar(places, heights - baseline, width, baseline, color=COLORS[cell], label=cell, zorder=2)
            texts = ["" if np.isnan(height) else form(height) for height in heights]
            on_white = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            axes.bar_label(drawn, texts, fontsize=6.5, padding=2, bbox=on_white, zorder=3)
        axes.axhline(1, color="black", linewidth=1, zorder=1.5)
        axes.set_title(f"{n} thread" + ("s" if n > 1 else ""), loc="left", fontsize=10)
        axes.grid(axis="y", alpha=0.3, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01, y=0.12)
    labels = ["{}\nB={} T={}\nD={} K={}".format(*SIZES[size]) for size in sizes]
    grid[-1, 0].set_xticks(np.arange(len(sizes)), labels, fontsize=8)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(cells), frameon=False)
    return figure, grid[:, 0]


def finish(figure, title, path):
    """Title and file."""
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    measured = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    draw(Results(measured["results"]), sys.argv[2])
