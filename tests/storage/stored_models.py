"""Small fitted estimators of every kind that a model file holds, each with the X that it reads."""

import warnings

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from skrnn import RaggedArray, RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival
from skrnn.forecasting import ConformalForecaster, SeasonalNaive, WindowTable
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

N = 12
STOPPING = {"early_stopping": True, "validation_fraction": 0.3}
SMALL = {"hidden_size": 2, "max_iter": 1, "random_state": 0}
# (12, 5, 2), no two values the same
X = (np.arange(N * 5 * 2) * 37 % 121).reshape(N, 5, 2) / 16
GAPS = np.where(X > 6, np.nan, X)
NUMBERS, LABELS, STEPS = X[:, -1, 0], np.arange(N) % 2, np.arange(N * 5).reshape(N, 5) % 2
RAGGED = [x[: 1 + i % 5] for i, x in enumerate(X)]
TEXTS = ["a b a", "b c", "a", "c c b a"]
FRAME = pd.DataFrame({
    "pulse": [[70.0, 72.5], [81.0, 80.0, 79.5], [65.0], [60.5, 60.0]] * 3,
    "drug": [["none", "a"], ["b", "none", "none"], ["a"], ["none", "b"]] * 3,
    "age": np.arange(N) * 1.5, "sex": ["m", "f", "f"] * 4,
})
TABLE = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.5] * 3, "b": ["x", "y", "x", "z"] * 3, "c": [3, 1, 2, 2] * 3})


def columns():
    """A ColumnTransformer of scikit-learn's transformers."""
    return make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["a"]),
        (OneHotEncoder(drop="if_binary", max_categories=3, handle_unknown="ignore", sparse_output=False), ["b"]),
        (OrdinalEncoder(), ["b"]), (MinMaxScaler(), ["c"]), remainder="drop",
    )


MODELS = {
    "classifier": lambda: (RNNClassifier(**SMALL).fit(X, LABELS), X),
    "classifier-strings": lambda: (
        RNNClassifier(**SMALL, cell="gru", class_weight={"a": 2, "b": 1.0}).fit(RAGGED, np.array(["a", "b"])[LABELS]),
        RAGGED,
    ),
    "classifier-mixed": lambda: (
        RNNClassifier(**SMALL, **STOPPING, missing="ffill").fit(FRAME, ["u", "v"] * 6), FRAME
    ),
    "classifier-columns": lambda: (RNNClassifier(**SMALL).fit(X, np.column_stack([LABELS * 2, np.arange(N) % 3])), X),
    "classifier-steps": lambda: (
        RNNClassifier(**SMALL, return_sequences=True, cell="rnn", activation="relu").fit(X, STEPS), X
    ),
    "regressor-decay": lambda: (
        RNNRegressor(**SMALL, missing="decay", bidirectional=True, solver="adamw").fit(GAPS, NUMBERS), GAPS
    ),
    "regressor-quantiles": lambda: (
        RNNRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.9], pooling="mean", solver="sgd").fit(X, NUMBERS), X
    ),
    "regressor-gaussian": lambda: (
        RNNRegressor(**SMALL, loss="gaussian", times=1, standardize="sequence").fit(X.cumsum(axis=1), NUMBERS),
        X.cumsum(axis=1),
    ),
    "regressor-table": lambda: (
        RNNRegressor(**SMALL, n_steps=2, solver="nadam", patch_size=2).fit(X[:, :2, 0], NUMBERS), X[:, :2, 0]
    ),
    "regressor-lbfgs": lambda: (
        RNNRegressor(**SMALL, solver="lbfgs", cell="mgu").fit(X.astype(np.float32), NUMBERS), X
    ),
    "regressor-not-fitted": lambda: (RNNRegressor((3, 2), learning_rate_init=np.float32(0.1), random_state=None), None),
    "survival": lambda: (RNNSurvival(**SMALL).fit(X, np.column_stack([LABELS, NUMBERS])), X),
    "outliers": lambda: (RNNOutlierDetector(**SMALL).fit(X), X),
    "language": lambda: (RNNLanguageModel(**SMALL).fit(TEXTS), TEXTS),
    "language-words": lambda: (RNNLanguageModel(**SMALL, analyzer="word").fit([["a", 1], [(2, "b"), "a"]]), [["a", 1]]),
    "scaler": lambda: (SequenceScaler("robust").set_output(transform="pandas").fit(X[:, :, 0]), X[:, :, 0]),
    "scaler-columns": lambda: (SequenceScaler("minmax").fit(FRAME[["pulse", "age"]]), FRAME[["pulse", "age"]]),
    "imputer": lambda: (SequenceImputer("interpolate", add_indicator=True).fit(GAPS), GAPS),
    "vectorizer": lambda: (SequenceVectorizer(max_features=2, stop_words=["c"]).fit(TEXTS), TEXTS),
    "windows": lambda: (SlidingWindow(2, group="b", context=True).fit(TABLE), TABLE),
    "pipeline": lambda: (make_pipeline(SequenceScaler(), RNNClassifier(**SMALL)).fit(RAGGED, LABELS), RAGGED),
    "pipeline-table": lambda: (
        make_pipeline(columns(), FunctionTransformer(), "passthrough", RNNRegressor(**SMALL)).fit(TABLE, NUMBERS), TABLE
    ),
    "forecaster": lambda: (
        ConformalForecaster(RNNRegressor(**SMALL, return_sequences=False), [0.1, 0.9]).fit(X, X[:, :2, 0]), X
    ),
    "naive": lambda: (make_pipeline(WindowTable(), StandardScaler()).fit(windows()), windows()),
    "seasonal": lambda: (SeasonalNaive(2).fit(windows(), X[:, :2, 0]), windows()),
}


def windows():
    """Windows of three steps and two to forecast, as `ForecastWindows` makes them."""
    ahead = np.repeat([[0.0, 0, 0, 1, 1]], N, axis=0)
    return np.dstack([X, ahead])


def made(name):
    """An estimator, and its X."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        return MODELS[name]()


def outputs(estimator, X):
    """What an estimator makes of X: arrays by name, or nothing before a fit."""
    if X is None:
        return {}
    found = {}
    for method in ("predict", "predict_proba", "score_samples", "transform", "predict_quantiles"):
        if hasattr(estimator, method):
            found[method] = result = getattr(estimator, method)(X)
            if isinstance(result, pd.DataFrame):
                found[method] = {column: result[column].tolist() for column in result}
    return found


def numbers_of(estimator, X):
    """What `outputs` returns as arrays of numbers or strings."""
    return {name: flat(value) for name, value in outputs(estimator, X).items()}


def flat(value):
    """The numbers or strings in nested collections, one after the other."""
    if isinstance(value, RaggedArray):
        value = np.asarray(value.values)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.ravel()
    if isinstance(value, dict):
        value = list(value.values())
    return np.concatenate(list(map(flat, value))) if isinstance(value, list | np.ndarray) else np.array([value])
