"""X_val and y_val: transformed in a Pipeline that is told to, refused where they cannot have been."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X, X_VAL = (100 * RNG.normal(size=(n, 4, 2)) + 3 for n in (20, 8))
Y, Y_VAL = (x[:, :, 0].sum(axis=1) / 100 for x in (X, X_VAL))
NET = RNNRegressor(2, max_iter=3, early_stopping=True, random_state=0)


def cube(x):
    return x


def gaps(x):
    return np.where(x > 150, np.nan, x)


def ragged(x):
    lengths = np.arange(len(x)) % 3 + 2
    steps = np.concatenate([s[:k] for s, k in zip(x, lengths, strict=True)])
    return RaggedArray(steps, lengths, feature_names=["a", "b"])


def sequences(x):
    return list(ragged(x))


def table(x):
    return x[:, 0]


def frame(x):
    return pd.DataFrame(table(x), columns=["a", "b"])


def lists(x):
    return pd.DataFrame({"a": [list(s) for s in x[:, :, 0]], "b": [list(s) for s in x[:, :, 1]]})


def texts(x):
    return [" ".join("abcd"[int(v) % 4] for v in s[:, 0]) for s in x]


WINDOW = SlidingWindow(3)
STEPS = {
    "scaler, array": ([SequenceScaler()], cube),
    "scaler, RaggedArray": ([SequenceScaler()], ragged),
    "scaler, list": ([SequenceScaler("minmax")], sequences),
    "scaler, columns of lists": ([SequenceScaler("robust")], lists),
    "scaler, frame": ([SequenceScaler().set_output(transform="pandas")], frame),
    "imputer": ([SequenceImputer(add_indicator=True), SequenceScaler()], gaps),
    "windows": ([StandardScaler(), WINDOW], table),
    "windows of a frame": ([WINDOW, SequenceScaler()], frame),
    "windows of a polars frame": ([WINDOW], lambda x: pl.DataFrame({"a": x[:, 0, 0], "b": x[:, 0, 1]})),
    "windows, context": ([SequenceScaler(n_steps=1), SlidingWindow(3, context=True)], table),
    "vectorizer": ([SequenceVectorizer()], texts),
}


@pytest.mark.parametrize("name", STEPS)
def test_transform_input_is_transforming_by_hand(name):
    transformers, form = STEPS[name]
    net = clone(NET).set_params(embedding_dim=2 if name == "vectorizer" else None)
    with sklearn.config_context(enable_metadata_routing=True):
        steps = [(str(k), clone(transformer)) for k, transformer in enumerate(transformers)]
        last = clone(net).set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([*steps, ("net", last)], transform_input=["X_val"])
        pipe.fit(form(X), Y, X_val=form(X_VAL), y_val=Y_VAL)
    before = Pipeline([(str(k), clone(transformer)) for k, transformer in enumerate(transformers)])
    by_hand = net.fit(before.fit_transform(form(X)), Y, X_val=before.transform(form(X_VAL)), y_val=Y_VAL)
    assert pipe[-1].validation_scores_ == by_hand.validation_scores_
    assert len(by_hand.validation_scores_) == 3


@pytest.mark.parametrize("estimator", [NET, RNNClassifier(2, max_iter=2, early_stopping=True, random_state=0)])
@pytest.mark.parametrize(("steps", "form", "message"), [
    ([WINDOW], lambda x: table(x)[:, :1], r"X_val is a table, \(n, columns\), but X in fit is sequences by themselves"),
    ([WINDOW], table, "as sequences of 1 features per step, but .* was fitted on 2 features"),
    ([WINDOW], frame, "as sequences of 1 features per step"),
    ([SequenceImputer(add_indicator=True)], gaps, "Input X contains NaN|X has 2 features"),
    ([SequenceVectorizer()], texts, "expected a number"),
])
def test_what_a_pipeline_did_not_transform(steps, form, message, estimator):
    net = clone(estimator).set_params(embedding_dim=2 if form is texts else None)
    pipe = Pipeline([*((str(k), clone(step)) for k, step in enumerate(steps)), ("net", net)])
    y, y_val = (Y, Y_VAL) if isinstance(net, RNNRegressor) else (Y > 0, Y_VAL > 0)
    with pytest.raises((TypeError, ValueError), match=rf"In X_val and y_val: .*({message})") as error:
        pipe.fit(form(X), y, net__X_val=form(X_VAL), net__y_val=y_val)
    assert "transform_input=['X_val']" in str(error.value)
    assert not hasattr(net, "n_iter_")


@pytest.mark.parametrize(("of_fit", "of_validation", "message"), [
    (lambda x: x[:, :, 0], lambda x: x[:, :, :1], "X_val is sequences by .* X in fit is a table"),
    (lambda x: x[:, :, :1], lambda x: x[:, :, 0], "X_val is a table"),
    (lambda x: x[:, :, :1], lambda x: x[:, :, 0].tolist(), "X_val is a table"),
    (lambda x: list(x[:, :, :1]), lambda x: pd.DataFrame(x[:, :, 0]), "X_val is a table"),
    (cube, lambda x: x[:, :, :1], "X has 1 features, but RNNRegressor is expecting 2"),
    (table, lambda x: x[:, 0, :1], "X has 1 columns, expected 2 as in fit"),
    (frame, lambda x: frame(x).rename(columns={"b": "c"}), "feature names should match"),
    (frame, lambda x: frame(x)[["b", "a"]], "feature names must be in the same order|should match"),
    (lists, lambda x: lists(x).rename(columns={"b": "c"}), "feature names should match"),
    (ragged, lambda x: RaggedArray(x.reshape(-1, 2), np.full(len(x), 4), feature_names=["b", "a"]), "should match"),
])
def test_another_kind_than_x(of_fit, of_validation, message):
    with pytest.raises(ValueError, match=f"(?s)In X_val and y_val: .*({message})"):
        clone(NET).fit(of_fit(X), Y, X_val=of_validation(X_VAL), y_val=Y_VAL)


@pytest.mark.parametrize(("of_fit", "of_validation", "message"), [
    (table, frame, "X_val has feature names, but X in fit has no feature names"),
    (frame, table, "X_val has no feature names, but X in fit has feature names"),
    (cube, lists, "X_val has feature names, but X in fit has no"),
    (sequences, ragged, "X_val has feature names, but X in fit has no"),
])
def test_names_on_one_side(of_fit, of_validation, message):
    """As a DataFrame that no StandardScaler has made an array."""
    with pytest.warns(UserWarning, match=rf"{message}.*transform_input=\['X_val'\]") as seen:
        net = clone(NET).fit(of_fit(X), Y, X_val=of_validation(X_VAL), y_val=Y_VAL)
    assert [warning.filename for warning in seen if "X_val" in str(warning.message)] == [__file__]
    assert len(net.validation_scores_) == 3


@pytest.mark.parametrize(("of_fit", "of_validation"), [
    (cube, cube), (cube, list), (list, cube), (ragged, cube), (ragged, sequences), (ragged, ragged), (frame, frame),
    (table, lambda x: table(x).tolist()), (lists, sequences),
])
def test_other_forms_of_the_same_kind(of_fit, of_validation):
    assert len(clone(NET).fit(of_fit(X), Y, X_val=of_validation(X_VAL), y_val=Y_VAL).validation_scores_) == 3


class OnDisk:
    """Sequences of which one cannot be read, with an error whose class takes more than a message."""

    def __len__(self):
        return len(X_VAL)

    def __getitem__(self, i):
        if i == 3:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        return X_VAL[i]


def test_errors_of_any_class():
    with pytest.raises(ValueError, match=r"In X_val and y_val: .*invalid start byte.*transform_input") as error:
        clone(NET).fit(X, Y, X_val=OnDisk(), y_val=Y_VAL)
    assert isinstance(error.value.__cause__, UnicodeDecodeError)


def test_a_signal_while_lengths_are_compared(monkeypatch):
    """A handler may raise anything."""
    def interrupted(*arrays):
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "late")

    monkeypatch.setattr("skrnn._data.target_checks.check_consistent_length", interrupted)
    with pytest.raises(ValueError, match=r"y does not go with the 20 sequences of X.*late"):
        clone(NET).fit(X, Y)
