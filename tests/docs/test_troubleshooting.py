"""The errors of docs/guide/troubleshooting.md have the words that stand there, and there is a case for each of them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNClassifier, RNNRegressor
from skrnn.preprocessing import SlidingWindow, sequences_from_long

PAGE = Path(__file__).parents[2] / "docs/guide/troubleshooting.md"
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(12, 5, 2)), np.arange(12) % 2
ROWS = pd.DataFrame({"unit": [0, 0, 1, 1], "hour": [0, 1, 0, 1], "heat": [1.0, 2.0, 3.0, 4.0], "failed": [0, 0, 1, 1]})
SMALL = {"max_iter": 1, "tol": 1e9, "random_state": 0}


def classify(X, y=Y, **parameters):
    return RNNClassifier(2, **SMALL, **parameters).fit(X, y)


def with_cell(value):
    changed = X.copy()
    changed[3, 2, 1] = value
    return changed


def convert(**columns):
    return sequences_from_long(ROWS.assign(**columns), "unit", "hour", "failed")


def earlier_rows():
    model = make_pipeline(SlidingWindow(3, context=True), RNNRegressor(2, **SMALL)).fit(X[0], X[0, :, 0])
    model.predict(X[1])
    model.predict(X[2])


# What raises the errors of the table, by the first words of each that no other one has
CASES = {
    "Input X contains NaN": lambda: classify(with_cell(np.nan)),
    "Input X contains infinity": lambda: classify(with_cell(np.inf)),
    "Input y contains NaN": lambda: RNNRegressor(2, **SMALL).fit(X, [np.nan, *Y[1:]]),
    "X[…] in the column … is …, expected a number; encode": lambda: classify(pd.DataFrame({"a": ["x"] * 12})),
    "X[…] in the column … is …, expected a number; a CSV": lambda: classify(pd.DataFrame({"a": ["[1, 2]"] * 12})),
    "df[…] has dtype String": lambda: convert(kind="new"),
    "df[…] has dtype Datetime": lambda: convert(day=pd.Timestamp("2026-01-01")),
    "df has the time": lambda: convert(hour=0),
    "df[…] is … in row": lambda: convert(failed=[0, 1, 1, 1]),
    "X[…] has … features per step": lambda: classify([np.zeros((3, 2)), np.zeros((3, 1))], [0, 1]),
    "X[…] holds lists": lambda: classify(pd.DataFrame({"a": [[1, 2]] * 12, "b": [[1]] * 12})),
    "X[…] has … numbers": lambda: classify([[1, 2], [3]], [0, 1]),
    "X[…] is …, expected a number; Seq": lambda: classify(["ab"] * 12),
    "X has … features, but": lambda: classify(X).predict(X[:, :, :1]),
    "X has shape": lambda: classify(X).predict(X[0]),
    "y does not go with": lambda: classify(X, Y[:-1]),
    "y[…] has shape": lambda: classify(X, return_sequences=True),
    "y[…] has … steps": lambda: classify(X, np.zeros((12, 4)), return_sequences=True),
    "y[…] is …, expected a number": lambda: RNNRegressor(2, **SMALL).fit(X, ["a"] * 12),
    "Unknown label type": lambda: classify(X, Y + 0.5),
    "a classifier needs at least 2 classes": lambda: classify(X, 0 * Y),
    "times=…": lambda: classify(X, times=0),
    "patch_size=…": lambda: classify(X, np.tile(Y[:, None], 5), patch_size=2, return_sequences=True),
    "X_val and y_val": lambda: RNNClassifier(2, **SMALL).fit(X, Y, X_val=X, y_val=Y),
    "scoring=…": lambda: RNNRegressor(2, early_stopping=True, scoring="roc_auc", **SMALL).fit(X, Y),
    "state has shape": lambda: classify(X).predict_step(X[0, 0], np.zeros(3)),
    "initial_state needs": lambda: classify(X, bidirectional=True).initial_state(),
    "row 0 of X": earlier_rows,
    "This … instance is not fitted": lambda: RNNClassifier().predict(X),
    "… is no model file": lambda: skrnn.load(PAGE),
}


def errors_of_the_page():
    section = PAGE.read_text(encoding="utf-8").split("## Errors by their first words\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)


def test_every_error_has_a_case():
    errors = errors_of_the_page()
    assert len(errors) == len(CASES)
    assert [words for words in CASES if sum(error.startswith(words) for error in errors) != 1] == []


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("words", CASES)
def test_the_error_has_the_words_of_the_page(words):
    error = next(error for error in errors_of_the_page() if error.startswith(words))
    pattern = ".*?".join(map(re.escape, error.split("…")))
    with pytest.raises((ValueError, TypeError), match=rf"(?s)^{pattern}"):
        CASES[words]()
