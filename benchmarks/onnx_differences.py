"""How far ONNX models in onnxruntime are from the estimators that they were made of, in all golden configurations.

    python benchmarks/onnx_differences.py [--opset 17]

A row for each kind of configuration, a column for each kind of output: the largest difference in float32 as a share of
the largest value, in millionths; of labels whether they are equal. Sequences are padded with NaN, and again with 1000.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "golden"))
import configurations
from exported import differences

from skrnn.exceptions import ExportError

SECTIONS = {
    "cells, layers, directions, pooling": "cells", "dropout in training": "dropout",
    "embeddings of steps": "embeddings", "losses": "losses", "targets of regressors": "regression",
    "targets of classifiers": "classification", "solvers and schedules": "training",
    "training that goes on": "going_on", "missing values": "missing_values", "forms of X": "forms_of_X",
    "Pipelines": "pipelines", "states": "states", "language models": "language",
    "units and patches": "units_and_patches", "distributions": "distributions", "static features": "static_features",
    "categorical features": "categories", "several columns of classes": "columns_of_classes",
    "uneven times, decays": "times", "survival and outliers": "survival_and_outliers",
}
COLUMNS = {
    "predictions": ("prediction", "std", "cumulative_hazard", "score_samples", "score_steps"),
    "probabilities": ("probabilities",), "states": ("state_out",), "labels": ("label",),
}


def main():
    """Print the table, and what has no form in ONNX."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opset", type=int, default=17)
    opset = parser.parse_args().opset
    print(f"| configurations | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
    refused = {}
    for title, section in SECTIONS.items():
        names = [name for name, _ in getattr(configurations, section)()]
        worst, exported = defaultdict(float), 0
        for name in names:
            try:
                found = [differences(name, padding, opset) for padding in (np.nan, 1e3)]
            except ExportError as error:
                refused[name] = error
                continue
            exported += 1
            for output, difference in (pair for each in found for pair in each.items()):
                worst[column_of(output)] = max(worst[column_of(output)], difference)
        cells = [shown(column, worst[column]) if column in worst else "" for column in COLUMNS]
        print(f"| {title}: {exported} | {' | '.join(cells)} |", flush=True)
    for name, error in refused.items():
        print(f"\n{name}: {error}")


def column_of(output):
    """The column of an output, such as ``probabilities_1``."""
    return next(column for column, outputs in COLUMNS.items() if output.startswith(outputs))


def shown(column, difference):
    """A cell: millionths, or whether labels are equal."""
    if column != "labels":
        return f"{difference * 1e6:.2f}"
    return f"{difference:.1%} differ" if difference else "equal"


if __name__ == "__main__":
    main()
