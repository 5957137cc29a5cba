"""Estimators of Dask: the nets of one process, and what belongs to a client."""

import pickle
from copy import deepcopy

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from same import assert_same
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn.dask import DaskRNNClassifier, DaskRNNRegressor
from skrnn.exceptions import ClusterError

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning"),
]
RNG = np.random.default_rng(0)
CUBE = RNG.normal(size=(24, 4, 2))
Y = np.array(["up", "down"])[(CUBE[:, 0, 0] > 0).astype(int)]
SMALL = {"hidden_size": 2, "max_iter": 2, "random_state": 0}
CHUNKS = [slice(7), slice(7, 7), slice(7, 16), slice(16, 24)]


def delayed(values):
    return [dask.delayed(values[chunk]) for chunk in CHUNKS]


def array():
    return da.from_array(CUBE, chunks=((7, 0, 9, 8), 4, 1))


FRAME = pd.DataFrame({
    "a": list(CUBE[:, :, 0]), "b": list(CUBE[:, :, 1]), "age": np.arange(24), "place": list("xy" * 12),
})


def lazy_frame(frame, npartitions):
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_pandas(frame, npartitions=npartitions)


RAGGED = [x[: 2 + i % 3] for i, x in enumerate(CUBE)]
FORMS = {
    "array": (CUBE, array()),
    "delayed arrays": (CUBE, delayed(CUBE)),
    "ragged": (RAGGED, [
        dask.delayed(RaggedArray)(np.concatenate([*RAGGED[chunk], CUBE[0][:0]]), list(map(len, RAGGED[chunk])))
        for chunk in CHUNKS
    ]),
    "static": (WithStatic(RAGGED, np.arange(24)), [
        dask.delayed(WithStatic)(RAGGED[chunk], np.arange(24)[chunk]) for chunk in CHUNKS if chunk.start != chunk.stop
    ]),
    "table": (CUBE.reshape(24, 8), da.from_array(CUBE.reshape(24, 8), chunks=9)),
}


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


def theta(net):
    return net._fitted.model.theta


@pytest.mark.parametrize("form", FORMS)
def test_one_shard_is_one_process(form):
    in_memory, X = FORMS[form]
    net = DaskRNNClassifier(**SMALL, n_shards=1).fit(X, Y)
    local = RNNClassifier(**SMALL).fit(in_memory, Y)
    assert np.array_equal(theta(net), theta(local))
    assert net.loss_curve_ == local.loss_curve_
    assert np.array_equal(net.to_local().predict_proba(in_memory), local.predict_proba(in_memory))
    assert type(net.to_local()) is RNNClassifier


def test_a_frame_is_read_by_its_columns():
    y = CUBE[:, 0, 0]
    net = DaskRNNRegressor(**SMALL, n_shards=1).fit(lazy_frame(FRAME, 2), y)
    local = RNNRegressor(**SMALL).fit(FRAME, y)
    assert np.array_equal(theta(net), theta(local))
    assert net.feature_names_in_.tolist() == ["a", "b", "age", "place"]
    assert net.predict(lazy_frame(FRAME, 3)).compute().tolist() == local.predict(FRAME).tolist()


def test_what_partitions_have_in_common_is_computed_once():
    calls = []

    def table():
        calls.append(1)
        return CUBE

    common = dask.delayed(table)()
    net = DaskRNNClassifier(**SMALL).fit([common[chunk] for chunk in CHUNKS], Y)
    assert len(calls) == 1
    assert np.array_equal(theta(net), theta(DaskRNNClassifier(**SMALL).fit(array(), Y)))


def test_shards_decide_and_not_where_they_are():
    """The same bits from other containers with the same shards; 'auto' takes each partition."""
    nets = [
        DaskRNNClassifier(**SMALL, n_shards=n).fit(X, Y)
        for n, X in ((4, array()), ("auto", delayed(CUBE)), (4, delayed(list(CUBE))), (2, array()))
    ]
    assert all(np.array_equal(theta(net), theta(nets[0])) for net in nets[1:3])
    assert not np.array_equal(theta(nets[3]), theta(nets[0]))
    assert np.allclose(theta(nets[3]), theta(nets[0]), atol=0.05)


@pytest.mark.parametrize("lazy", [
    lambda values: da.from_array(values, chunks=5), lambda values: dd.from_pandas(pd.Series(values), npartitions=2),
    delayed,
], ids=["array", "series", "delayed"])
def test_what_goes_with_x_is_gathered(lazy):
    weights, groups = np.arange(24) + 1.0, np.arange(24) // 2
    parameters = SMALL | {"early_stopping": True, "validation_fraction": 0.3}
    net = DaskRNNClassifier(**parameters, n_shards=1).fit(array(), lazy(Y), lazy(weights), groups=lazy(groups))
    local = RNNClassifier(**parameters).fit(CUBE, Y, weights, groups=groups)
    assert np.array_equal(theta(net), theta(local))
    assert net.validation_scores_ == local.validation_scores_


@pytest.mark.parametrize("scoring", ["loss", "accuracy", lambda net, X, y: net.score(X, y)])
def test_validation_data_are_gathered(scoring):
    parameters = SMALL | {"early_stopping": True, "scoring": scoring}
    net = DaskRNNClassifier(**parameters, n_shards=1).fit(array(), Y, X_val=array(), y_val=delayed(Y))
    local = RNNClassifier(**parameters).fit(CUBE, Y, X_val=CUBE, y_val=Y)
    assert net.validation_scores_ == local.validation_scores_


def test_validation_data_that_dask_has_made_text_are_named():
    X_val = dd.from_pandas(FRAME[["a", "b"]], npartitions=2)
    with pytest.raises(ValueError, match=r"X_val in the column 'a' holds text, and no column of X_val holds.*convert-"):
        DaskRNNClassifier(early_stopping=True).fit(lazy_frame(FRAME[["a", "b"]], 2), Y, X_val=X_val, y_val=Y)


def test_callbacks_are_told_of_x_as_it_was_given():
    callback = pytest.importorskip("sklearn.callback")
    monitor, X = callback.ScoringMonitor(scoring="accuracy"), array()
    net = DaskRNNClassifier(**SMALL).set_callbacks(monitor).fit(X, Y)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 2
    assert scores[-1] == net.score(X, Y)


@pytest.mark.parametrize("n_shards", ["auto", 1])
def test_partitions_with_something_in_common_are_computed_once(n_shards):
    """Without a cluster, too, and within a shard: a shuffle would be done again for each partition."""
    n_calls = []

    def table():
        n_calls.append(1)
        return CUBE

    common = dask.delayed(table)()
    net = DaskRNNClassifier(**SMALL, n_shards=n_shards).fit([common[chunk] for chunk in CHUNKS], Y)
    assert len(n_calls) == 1
    assert np.array_equal(theta(net), theta(DaskRNNClassifier(**SMALL, n_shards=n_shards).fit(array(), Y)))


@pytest.mark.parametrize(("parameters", "X", "y", "error", "message"), [
    ({}, CUBE, Y, TypeError, "X is a ndarray, expected a Dask .*fit the estimator of one process"),
    ({}, array(), Y[:20], ValueError, "y does not go with the 24 sequences of X"),
    ({}, array(), delayed(Y)[:2], ValueError, "y does not go with the 24 sequences of X"),
    ({}, delayed(CUBE), [dask.delayed(Y[:6]), *delayed(Y)[1:3], dask.delayed(Y[15:])], ValueError,
     "partition 0 of X has 7 sequences, and partition 0 of y 6"),
    ({"n_shards": 5}, array(), Y, ValueError, "n_shards=5, but X has 4 partitions"),
    ({"n_shards": 0}, array(), Y, ValueError, "'n_shards' parameter of DaskRNNClassifier must be"),
    ({"client": "tcp://x"}, array(), Y, TypeError, "client is a str, expected a distributed.Client or None"),
    ({}, da.zeros((0, 4, 2)), [], ValueError, "0 sample"),
    ({}, da.from_array(np.where(np.arange(24)[:, None, None] == 17, np.nan, CUBE), chunks=(8, 4, 2)), Y, ValueError,
     "partition 2 of X.*NaN"),
    ({"return_sequences": True}, array(), dd.from_pandas(pd.Series([["a", "b"]] * 24), npartitions=2), ValueError,
     "y holds text, and no column of y holds lists.*convert-string"),
    ({"return_sequences": True}, array(), dd.from_pandas(pd.DataFrame({"u": list(CUBE[:, 0])}), npartitions=2),
     ValueError, r"partition \d of y holds the text '\[.*in the column 'u': .*convert-string"),
], ids=["in memory", "fewer", "fewer partitions", "other lengths", "too many shards", "no shards", "client", "no rows",
        "NaN", "lists", "columns of lists"])
def test_errors_leave_the_estimator_as_it_was(parameters, X, y, error, message):
    net = DaskRNNClassifier(**SMALL).fit(array(), Y)
    before = vars(net).copy()
    net.set_params(**parameters)
    with pytest.raises(error, match=message):
        net.fit(X, y)
    net.set_params(n_shards="auto", client=None, return_sequences=False)
    assert vars(net) == before


def test_parameters_are_those_of_one_process_and_of_clusters():
    for cls, local in ((DaskRNNClassifier, RNNClassifier), (DaskRNNRegressor, RNNRegressor)):
        assert cls().get_params() == local().get_params() | {"n_shards": "auto"}
        assert repr(cls(3, n_shards=2)) == f"{cls.__name__}(hidden_size=3, n_shards=2)"
        assert set(cls._parameter_constraints) == {*local._parameter_constraints, "client", "n_shards"}
    with pytest.raises(ValueError, match="Invalid parameter 'shards'"):
        DaskRNNClassifier().set_params(shards=3)


def test_to_local_goes_on_by_itself():
    with config_context(enable_metadata_routing=True):
        net = DaskRNNClassifier(**SMALL).fit(array(), Y).set_output(transform="pandas").set_fit_request(groups=True)
        local = net.to_local().set_output(transform="default").set_fit_request(groups=False)
        assert net.get_metadata_routing().fit.requests["groups"] is True
    assert isinstance(net.transform(CUBE), pd.DataFrame)
    before = theta(net).copy()
    local.partial_fit(CUBE, Y)
    assert np.array_equal(theta(net), before)
    assert DaskRNNClassifier(3).to_local().get_params() == RNNClassifier(3).get_params()


@pytest.mark.parametrize("way", [lambda net: pickle.loads(pickle.dumps(net)), deepcopy], ids=["pickle", "deepcopy"])
def test_copies_predict_the_same(way):
    net = DaskRNNClassifier(**SMALL).fit(array(), Y)
    made = way(net)
    assert made.client is None
    assert_same(made.predict_proba(CUBE), net.predict_proba(CUBE))
    assert np.array_equal(theta(made.fit(array(), Y)), theta(net))


def test_files_are_for_the_estimator_of_one_process(tmp_path):
    net = DaskRNNClassifier(**SMALL).fit(array(), Y)
    for estimator in (net, make_pipeline(net)):
        with pytest.raises(TypeError, match=r"is a DaskRNNClassifier, which has a client: save its to_local\(\)"):
            skrnn.save(estimator, tmp_path / "net.skrnn")
    skrnn.save(net.to_local(), tmp_path / "net.skrnn")
    assert_same(skrnn.load(tmp_path / "net.skrnn").predict(CUBE), net.predict(CUBE))


def test_partial_fit_is_for_the_estimator_of_one_process():
    net = DaskRNNClassifier(**SMALL)
    assert not hasattr(net, "partial_fit")
    with pytest.raises(AttributeError, match=r"to_local\(\).partial_fit"):
        net.partial_fit(CUBE, Y)
    assert net.to_local().partial_fit(CUBE, Y, classes=["down", "up"]).n_iter_ == 1


@pytest.mark.slow
class TestOnACluster:
    def test_the_bits_are_those_of_this_process(self, client):
        net = DaskRNNClassifier(**SMALL, client=client).fit(client.persist(array()), client.scatter(
            [Y[chunk] for chunk in CHUNKS]
        ))
        assert np.array_equal(theta(net), theta(DaskRNNClassifier(**SMALL).fit(array(), Y)))
        assert net.score(array(), Y) == net.to_local().score(CUBE, Y)
        assert client.compute(net.predict(array()), sync=True).tolist() == net.predict(CUBE).tolist()

    def test_parts_may_be_futures(self, client):
        X = client.scatter([CUBE[chunk] for chunk in CHUNKS])
        net = DaskRNNClassifier(**SMALL, client=client).fit(X, Y)
        assert np.array_equal(theta(net), theta(DaskRNNClassifier(**SMALL).fit(array(), Y)))
        assert np.concatenate(client.gather(client.compute(net.predict(X)))).tolist() == net.predict(CUBE).tolist()

    def test_fit_in_a_task(self, client):
        """The client of its worker is found, and the task leaves room for others."""
        net = client.submit(lambda net, y: net.fit(array(), y), DaskRNNClassifier(**SMALL), Y).result(300)
        assert np.array_equal(theta(net), theta(DaskRNNClassifier(**SMALL).fit(array(), Y)))

    def test_a_cluster_without_workers_leaves_the_estimator_as_it_was(self):
        net = DaskRNNClassifier(**SMALL).fit(array(), Y)
        before = vars(net).copy()
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "0.3s"}),
            LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
            Client(cluster, set_as_default=False) as client, pytest.raises(ClusterError, match="has no workers"),
        ):
            net.set_params(client=client).fit(array(), Y)
        assert vars(net.set_params(client=None)) == before

    def test_long_tables(self, client):
        rows = pd.DataFrame({"unit": np.repeat(np.arange(24), 4), "t": np.tile(np.arange(4), 24)})
        rows = rows.assign(a=CUBE[:, :, 0].ravel(), b=CUBE[:, :, 1].ravel(), y=np.repeat(CUBE[:, 0, 0], 4))
        rows = dd.from_pandas(rows.sample(frac=1, random_state=0), npartitions=3, sort=False)
        X, y, _ = skrnn.dask.sequences_from_long(rows, "unit", "t", "y")
        nets = [DaskRNNRegressor(**SMALL, client=of).fit(X, y) for of in (client, None)]
        assert np.array_equal(theta(nets[0]), theta(nets[1]))

    def test_the_client_stays_where_it_is(self, client):
        net = DaskRNNClassifier(client=client)
        assert clone(net).client is client
        assert deepcopy(net).client is client
        assert clone(make_pipeline(net))[0].client is client
        assert pickle.loads(pickle.dumps(net)).client is None
        assert "client" not in net.get_params()
        assert repr(net) == "DaskRNNClassifier()"
        assert not hasattr(net.to_local(), "client")
