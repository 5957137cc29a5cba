"""Predictions of X in partitions: those of one process, in the form of X."""

from functools import partial

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from same import assert_same
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNRegressor, metrics
from skrnn.dask import DaskRNNClassifier, DaskRNNRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning"),
]
RNG = np.random.default_rng(0)
CUBE = RNG.normal(size=(12, 5, 2))
INDEX = pd.Index(list("qwertzuiopas"), name="unit")
FRAME = pd.DataFrame({"a": list(CUBE[:, :, 0]), "b": list(CUBE[:, :, 1])}, index=INDEX)
LABELS = np.array(["up", "down", "up", "flat"] * 3, dtype=object)
STEPS = np.where(CUBE[:, :, 0] > 0, "up", "down").astype(object)
SMALL = {"hidden_size": 2, "max_iter": 1, "random_state": 0}
TARGETS = {
    "two classes": (RNNClassifier, {}, LABELS == "up"),
    "three classes": (RNNClassifier, {}, LABELS),
    "labels": (RNNClassifier, {}, np.arange(36).reshape(12, 3) % 2),
    "columns of classes": (RNNClassifier, {}, np.stack([np.arange(12) % 3, np.arange(12) % 2], axis=1)),
    "labels of steps": (RNNClassifier, {"return_sequences": True}, STEPS),
    "columns of steps": (
        RNNClassifier, {"return_sequences": True}, np.stack([STEPS, CUBE[:, :, 1] > 0], axis=2).astype(object),
    ),
    "numbers": (RNNRegressor, {}, CUBE[:, 0, 0]),
    "several numbers": (RNNRegressor, {"loss": "huber"}, CUBE[:, 0]),
    "quantiles": (RNNRegressor, {"loss": "quantile", "quantile": [0.1, 0.9]}, CUBE[:, 0]),
    "gaussian": (RNNRegressor, {"loss": "gaussian"}, CUBE[:, 0, 0]),
    "own units": (RNNRegressor, {"loss": "gaussian", "standardize": "sequence"}, CUBE[:, 0]),
    "numbers of steps": (RNNRegressor, {"return_sequences": True}, CUBE[:, :, 0]),
    "gaussian of steps": (RNNRegressor, {"return_sequences": True, "loss": "gaussian"}, CUBE),
}


def in_dask(net):
    """The estimator of Dask that has learned what this one has."""
    made = (DaskRNNClassifier if isinstance(net, RNNClassifier) else DaskRNNRegressor)(**net.get_params())
    vars(made).update(vars(net))
    return made


def lazy_frame(frame, npartitions=3):
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_pandas(frame, npartitions=npartitions, sort=False)


FORMS = {
    "array": (CUBE, lambda: da.from_array(CUBE, chunks=(5, 3, 1))),
    "frame": (FRAME, lambda: lazy_frame(FRAME, 2)),
    "list": (CUBE, lambda: [dask.delayed(CUBE[:5]), dask.delayed(CUBE[5:5]), dask.delayed(list(CUBE[5:]))]),
}


@pytest.fixture(scope="module")
def nets():
    """The estimator of one process for the name of targets and the form of X, each fitted when it is asked for."""

    class Nets(dict):
        def __missing__(self, key):
            (cls, parameters, y), X = TARGETS[key[0]], FRAME if key[1] == "frame" else CUBE
            return self.setdefault(key, cls(**SMALL, **parameters).fit(X, y))

    return Nets()


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


def methods_of(net):
    """(method, arguments) of what there is."""
    yield from (("predict", {}), ("transform", {}))
    if isinstance(net, RNNClassifier):
        yield from (("predict_proba", {}), ("predict_log_proba", {}))
    elif net.loss in ("gaussian", "quantile"):
        yield from (("predict_quantile", {"q": 0.2}), ("predict_quantile", {"q": [0.3, 0.5, 0.7]}))
    if getattr(net, "loss", "") == "gaussian":
        yield "predict", {"return_std": True}


def pieces_of(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def check_array(lazy, expected):
    assert isinstance(lazy, da.Array)
    found = lazy.compute()
    assert (lazy.shape, lazy.dtype) == (found.shape, found.dtype)
    assert_same(found, np.asarray(expected))


def check_list(lazy, expected):
    first, nothing, last = dask.compute(*lazy)
    assert nothing.shape == (0, *expected.shape[1:]) or nothing.shape == (0,)
    assert_same([*first, *last], list(expected))


def check_frame(lazy, expected):
    """The meta data are true, the index is that of X, and the values are those of one process."""
    found = lazy.compute()
    assert found.index.tolist() == INDEX.tolist()
    assert type(found) is type(lazy._meta)
    columns = found.to_frame() if isinstance(found, pd.Series) else found
    meta = lazy._meta.to_frame() if isinstance(found, pd.Series) else lazy._meta
    assert columns.dtypes.equals(meta.dtypes)
    if isinstance(columns.dtypes.iloc[0], pd.ArrowDtype):       # lists of the values of steps
        lists = [
            np.stack([np.asarray(column.iloc[i], dtype=object) for _, column in columns.items()], axis=1)
            for i in range(len(columns))
        ]
        values = np.stack(lists) if isinstance(found, pd.DataFrame) else np.stack(lists)[..., 0]
    else:
        values = found.to_numpy()
    assert np.array_equal(values.reshape(np.shape(expected_rows(expected))), expected_rows(expected))


def expected_rows(expected):
    return np.stack(list(expected)) if expected.dtype == object and isinstance(expected[0], np.ndarray) else expected


CHECKS = {"array": check_array, "frame": check_frame, "list": check_list}


FRAMED = [
    "two classes", "three classes", "columns of classes", "columns of steps", "quantiles", "own units",
    "gaussian of steps",
]
PAIRS = [
    *(("array", name) for name in TARGETS), *(("frame", name) for name in FRAMED),
    *(("list", name) for name in ("three classes", "columns of classes", "gaussian of steps")),
]


@pytest.mark.parametrize(("form", "name"), PAIRS)
def test_predictions_are_those_of_one_process(nets, name, form):
    in_memory, make = FORMS[form]
    local = nets[name, "frame" if form == "frame" else "array"]
    net, X = in_dask(local), make()
    for method, arguments in methods_of(local):
        lazy, expected = (getattr(each, method)(of, **arguments) for each, of in ((net, X), (local, in_memory)))
        several = isinstance(expected, list | tuple)
        assert not several or type(lazy) is type(expected)
        lazy = list(lazy) if several else [lazy]
        for piece, of_piece in zip(lazy, pieces_of(expected), strict=True):
            CHECKS[form](piece, of_piece)


@pytest.mark.parametrize(("form", "name"), PAIRS)
def test_scores_are_those_of_one_process(nets, name, form):
    in_memory, make = FORMS[form]
    local, y = nets[name, "frame" if form == "frame" else "array"], TARGETS[name][2]
    net, X = in_dask(local), make()
    weights = np.arange(1.0, 13)
    assert net.score(X, y) == local.score(in_memory, y)
    assert net.score(X, [dask.delayed(y[:4]), dask.delayed(y[4:])], da.from_array(weights, chunks=7)) == local.score(
        in_memory, y, weights
    )
    assert net.score(in_memory, y) == local.score(in_memory, y)
    if getattr(local, "loss", "") == "gaussian":
        assert metrics.mean_log_likelihood(net, X, y) == metrics.mean_log_likelihood(local, in_memory, y)
        assert metrics.mean_log_likelihood(net, in_memory, y) == metrics.mean_log_likelihood(local, in_memory, y)


def test_columns_have_the_names_of_what_they_are(nets):
    X = FORMS["frame"][1]()
    net = in_dask(nets["three classes", "frame"])
    assert net.predict(X).name == "prediction"
    assert net.predict_proba(X).columns.tolist() == ["down", "flat", "up"]
    assert net.transform(X).columns.tolist() == net.get_feature_names_out().tolist()
    net = in_dask(nets["columns of classes", "frame"])
    assert [p.columns.tolist() for p in net.predict_proba(X)] == [[0, 1, 2], [0, 1]]
    assert net.predict(X).columns.tolist() == ["prediction_0", "prediction_1"]
    net = in_dask(nets["quantiles", "frame"])
    assert net.predict(X).columns.tolist() == [f"prediction_{j}_{q}" for j in range(2) for q in range(2)]
    mean, std = in_dask(nets["gaussian of steps", "frame"]).predict(X, return_std=True)
    assert mean.columns.tolist() == ["prediction_0", "prediction_1"]
    assert std.columns.tolist() == ["std_0", "std_1"]


def test_predictions_stand_beside_the_columns_of_x_and_in_parquet(nets, tmp_path):
    X = FORMS["frame"][1]()
    net = in_dask(nets["labels of steps", "frame"])
    table = X.assign(label=net.predict(X), up=net.predict_proba(X)["up"])[["label", "up"]]
    table.to_parquet(tmp_path / "predictions")
    found = pd.read_parquet(tmp_path / "predictions", dtype_backend="pyarrow")
    expected = nets["labels of steps", "frame"].predict(FRAME)
    assert found["label"].tolist() == [steps.tolist() for steps in expected]


def test_partitions_without_rows_are_predicted(nets):
    """As filters leave them."""
    X = lazy_frame(FRAME.assign(n=range(12)), npartitions=4)
    X = X[X["n"] > 4][["a", "b"]]
    for name in ("three classes", "numbers of steps"):
        local = nets[name, "frame"]
        found = in_dask(local).predict(X).compute()
        assert list(map(np.ndarray.tolist, map(np.asarray, found))) == [
            np.asarray(row).tolist() for row in local.predict(FRAME.iloc[5:])
        ]
        y = TARGETS[name][2][5:]
        assert in_dask(local).score(X, y) == local.score(FRAME.iloc[5:], y)


def test_a_table_is_predicted_step_by_step():
    table = CUBE.reshape(12, 10)
    local = RNNRegressor(**SMALL, return_sequences=True, n_steps=5).fit(table, CUBE[:, :, 0])
    check_array(in_dask(local).predict(da.from_array(table, chunks=(5, 4))), local.predict(table))
    columns = pd.DataFrame(table, columns=list("abcdefghij"), index=INDEX)
    local = RNNClassifier(**SMALL).fit(columns, LABELS)
    check_frame(in_dask(local).predict_proba(dd.from_pandas(columns, npartitions=3, sort=False)),
                local.predict_proba(columns))


def test_chunks_may_have_unknown_sizes(nets):
    X = da.from_array(CUBE, chunks=(5, 5, 2))
    X = X[da.from_array(np.arange(12) > 2, chunks=5)]
    local = nets["numbers", "array"]
    assert np.isnan(X.shape[0])
    assert np.array_equal(in_dask(local).predict(X).compute(), local.predict(CUBE[3:]))


def test_sequences_of_an_array_of_objects(nets):
    X = np.empty(4, dtype=object)
    X[:] = [CUBE[i, : 2 + i] for i in range(4)]
    local = nets["numbers of steps", "array"]
    lazy = in_dask(local).predict(da.from_array(X, chunks=3))
    assert_same(lazy.compute(), local.predict(X))


@pytest.mark.parametrize("form", FORMS)
def test_samples_of_partitions_are_drawn_apart(nets, form):
    local = nets["gaussian", "frame" if form == "frame" else "array"]
    net = in_dask(local)
    X = {"array": lambda: da.from_array(np.repeat(CUBE[:1], 12, axis=0), chunks=(6, 5, 2)),
         "frame": lambda: lazy_frame(FRAME.iloc[[0] * 12].set_axis(INDEX), 2),
         "list": lambda: [dask.delayed(CUBE[:1].repeat(6, axis=0))] * 2}[form]()
    drawn = net.sample(X, 3, random_state=0)
    first = np.concatenate(dask.compute(*drawn)) if form == "list" else np.asarray(drawn.compute())
    again = net.sample(X, 3, random_state=0)
    again = np.concatenate(dask.compute(*again)) if form == "list" else np.asarray(again.compute())
    assert first.shape == (12, 3)
    assert np.array_equal(first, again)
    assert len(np.unique(first)) == 36
    in_memory = FORMS[form][0]
    assert net.sample(in_memory, 2, random_state=0).tolist() == local.sample(in_memory, 2, random_state=0).tolist()
    with pytest.raises(ValueError, match="n_samples=0: expected a positive int"):
        net.sample(X, 0)


def test_set_output_is_for_what_is_in_memory(nets):
    net = in_dask(nets["numbers", "frame"]).set_output(transform="pandas")
    lazy = net.transform(FORMS["frame"][1]())
    assert isinstance(lazy, dd.DataFrame)
    assert np.array_equal(lazy.compute(), net.transform(FRAME))
    assert isinstance(net.transform(FRAME), pd.DataFrame)


def test_states_are_for_what_is_in_memory(nets):
    local = nets["numbers", "array"]
    net, X = in_dask(local), FORMS["array"][1]()
    for states in ({"return_state": True}, {"initial_state": local.initial_state(12)}):
        with pytest.raises(ValueError, match="initial_state and return_state are for X in memory"):
            net.predict(X, **states)
        assert_same(net.predict(CUBE, **states), local.predict(CUBE, **states))


def test_errors_name_the_sequence(nets):
    net = in_dask(nets["numbers", "array"])
    bad = CUBE.copy()
    bad[7, 2, 1] = np.nan
    X = da.from_array(bad, chunks=(5, 5, 2))
    for compute in (net.predict(X).compute, net.transform(X).compute, partial(net.score, X, np.zeros(12))):
        with pytest.raises(ValueError, match=r"In partition 1 of X: .*sequence 2, step 2, feature 1"):
            compute()
    with pytest.raises(ValueError, match=r"In partition 1 of X: X\[1\] in the column 'a' holds 'text'"):
        in_dask(nets["two classes", "frame"]).predict(
            lazy_frame(FRAME.assign(a=[*FRAME["a"][:7], ["text"] * 5, *FRAME["a"][8:]]), 2)
        ).compute()
    with pytest.raises(ValueError, match=r"partition ([02]) of X has [57] sequences, and partition \1 of y [48]"):
        net.score(FORMS["list"][1](), [dask.delayed(np.zeros(n)) for n in (4, 0, 8)])
    with pytest.raises(ValueError, match="y does not go with the 12 sequences of X"):
        net.score(FORMS["array"][1](), np.zeros(11))
    with pytest.raises(ValueError, match="X has no sequences in any of its partitions"):
        net.score([dask.delayed(CUBE[:0])], [])


@pytest.mark.parametrize("call", [
    lambda net, X: net.predict(X), lambda net, X: net.transform(X), lambda net, X: net.score(X, LABELS),
], ids=["predict", "transform", "score"])
def test_nets_that_are_not_fitted_say_so_at_once(call):
    with pytest.raises(NotFittedError, match="This DaskRNNClassifier instance is not fitted yet"):
        call(DaskRNNClassifier(), FORMS["array"][1]())


@pytest.mark.parametrize("form", ["array", "list"])
def test_some_partitions_may_be_padded(form):
    X = CUBE.copy()
    X[9, 3:] = np.nan
    y = np.where(np.isnan(X[:, :, 0]), np.nan, CUBE[:, :, 1])
    local = RNNRegressor(**SMALL, return_sequences=True, missing="ffill").fit(X, y)
    net, in_parts = in_dask(local), da.from_array(X, chunks=(5, 5, 2))
    lazy = in_parts if form == "array" else in_parts.to_delayed().ravel().tolist()
    assert net.score(lazy, y) == local.score(X, y)
    found = net.predict(lazy)
    found = found.compute() if form == "array" else np.concatenate(dask.compute(*found))
    assert np.array_equal(found, local.predict(X), equal_nan=True)


def test_arrays_of_unknown_numbers_of_steps_have_predictions_of_sequences_alone(nets):
    X = da.from_array(CUBE, chunks=(5, 5, 2))
    X = X[:, da.from_array(np.arange(5) > 1, chunks=5)]
    local = nets["numbers", "array"]
    assert np.array_equal(in_dask(local).predict(X).compute(), local.predict(CUBE[:, 2:]))
    with pytest.raises(ValueError, match=r"X has chunks of unknown sizes along axis 1: .*compute_chunk_sizes\(\)"):
        in_dask(nets["numbers of steps", "array"]).predict(X)
