"""DaskRNNLanguageModel: texts in partitions, as one process has them, in this process and on workers."""

import pickle

import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from clusters import local_cluster
from distributed import get_worker
from distributed.utils import sync
from same import assert_same
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skrnn
from skrnn import RNNLanguageModel
from skrnn._language.shard import TextShard
from skrnn.dask import DaskRNNLanguageModel

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TEXTS = ["anna", "", "hanna", "nathan", "a", "than", "hannah", "nana hath", "anthem", "nan", "tan man", "ahem"] * 3
INDEX = pd.Index(np.arange(len(TEXTS)) * 2, name="letter")
SMALL = {
    "hidden_size": 4, "embedding_dim": 3, "n_streams": 7, "truncated_bptt_steps": 4, "max_iter": 2, "random_state": 0,
}
FORMS = {
    "bag": lambda: db.from_sequence(TEXTS, npartitions=4),
    "filtered bag": lambda: db.from_sequence(["#", *TEXTS], npartitions=37).filter(lambda text: text != "#"),
    "series": lambda: dd.from_pandas(pd.Series(TEXTS, INDEX, name="text"), npartitions=4),
    "column": lambda: dd.from_pandas(pd.DataFrame({"text": TEXTS}, INDEX), npartitions=4)["text"],
    "array": lambda: da.from_array(np.array(TEXTS, dtype=object), chunks=10),
    "delayed": lambda: [dask.delayed(TEXTS[:9]), dask.delayed([]), dask.delayed(pd.Series)(TEXTS[9:])],
}


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


@pytest.fixture(scope="module")
def local():
    return RNNLanguageModel(**SMALL).fit(TEXTS)


@pytest.fixture(scope="module")
def model():
    with dask.config.set(scheduler="sync"):
        return DaskRNNLanguageModel(**SMALL, n_shards=1).fit(FORMS["bag"]())


def theta(model):
    return model._fitted.model.theta.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_one_shard_is_one_process(form, local):
    model = DaskRNNLanguageModel(**SMALL, n_shards=1).fit(FORMS[form]())
    assert theta(model) == theta(local)
    assert model.loss_curve_ == local.loss_curve_
    assert model.vocabulary_ == local.vocabulary_
    assert model.generate(9, random_state=0) == local.generate(9, random_state=0)


@pytest.mark.parametrize(
    "lazy", [lambda X: X, lambda X: db.from_sequence(X, npartitions=2), lambda X: [dask.delayed(X)]],
    ids=["list", "bag", "delayed"],
)
def test_validation_texts_and_warm_start(lazy):
    settings = SMALL | {"early_stopping": True, "warm_start": True}
    model, local = DaskRNNLanguageModel(**settings, n_shards=1), RNNLanguageModel(**settings)
    for _ in range(2):
        model.fit(FORMS["series"](), X_val=lazy(["nathan", "hat"]))
        local.fit(TEXTS, X_val=["nathan", "hat"])
    assert theta(model) == theta(local)
    assert model.validation_scores_ == local.validation_scores_


def test_partial_fit():
    model, local = DaskRNNLanguageModel(**SMALL, n_shards=1), RNNLanguageModel(**SMALL)
    for X in (TEXTS, TEXTS[:5]):
        model.partial_fit(db.from_sequence(X, npartitions=3), symbols="ahnt", ends=False)
        local.partial_fit(X, symbols="ahnt", ends=False)
    assert theta(model.partial_fit(TEXTS)) == theta(local.partial_fit(TEXTS))
    with pytest.raises(ValueError, match="symbols are others than in the first call"):
        model.partial_fit(FORMS["bag"](), symbols="ab")


def test_shards_decide_and_not_their_form():
    models = [
        DaskRNNLanguageModel(**SMALL, n_shards=n).fit(FORMS[form]()) for n, form in ((4, "bag"), ("auto", "series"))
    ]
    assert theta(models[0]) == theta(models[1])
    several = DaskRNNLanguageModel(**SMALL, n_shards=2).fit(FORMS["bag"]())
    assert theta(several) != theta(models[0])
    assert several.score(TEXTS) == pytest.approx(models[0].score(TEXTS), abs=0.05)


@pytest.mark.parametrize("form", FORMS)
def test_scores_are_those_of_one_process(form, model, local):
    X = FORMS[form]()
    for name in ("score", "perplexity", "bits_per_token"):
        assert getattr(model, name)(X) == pytest.approx(getattr(local, name)(TEXTS), rel=1e-14)
    expected = {"score_samples": local.score_samples(TEXTS), "predict_proba": local.predict_proba(TEXTS)}
    for name, values in expected.items():
        lazy = getattr(model, name)(X)
        if isinstance(lazy, list):
            found = np.concatenate(dask.compute(*lazy))
        else:
            found = lazy.compute()
            assert found.shape == lazy.shape if form == "array" else (found.index == INDEX).all()
        np.testing.assert_array_equal(found, values)
        assert_same(getattr(model, name)(TEXTS), values)


def test_columns_of_frames(model):
    series = FORMS["series"]()
    assert model.score_samples(series).name == "log_likelihood"
    assert model.predict_proba(series).columns.tolist() == model.symbols_.tolist()


def test_what_belongs_to_a_client_is_no_part_of_a_model(model, tmp_path):
    again = pickle.loads(pickle.dumps(model))
    assert theta(again) == theta(model)
    assert again.n_shards == 1
    assert clone(model).get_params() == model.get_params()
    assert model.get_params().keys() == RNNLanguageModel().get_params().keys() | {"n_shards"}
    skrnn.save(model.to_local(), tmp_path / "model.skrnn")
    assert theta(skrnn.load(tmp_path / "model.skrnn")) == theta(model)
    assert type(model.to_local()) is RNNLanguageModel


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (TEXTS, TypeError, r"X is a list, expected texts in partitions: a Dask Bag, .*or pass dask.bag.from_sequence"),
        ("anna", TypeError, "X is a str, expected texts in partitions"),
        (dd.from_pandas(pd.DataFrame({"text": TEXTS}), npartitions=2), ValueError, r"pass one column, X\['...'\]"),
        (da.ones((4, 2)), ValueError, r"X is a Dask Array with 2 dimensions, expected texts \(n,\)"),
        (dask.delayed(TEXTS), TypeError, r"pass the list \[X\]"),
        (db.from_sequence([[], []], npartitions=2).flatten(), ValueError, "X is empty, expected at least one text"),
    ],
    ids=["list", "str", "frame", "cube", "delayed", "empty"],
)
def test_what_is_no_texts_in_partitions(X, error, message, model):
    with pytest.raises(error, match=message):
        clone(model).fit(X)
    if not isinstance(X, list | str):
        with pytest.raises(error, match=message):
            model.score(X)


def test_errors_name_the_partition_and_the_text(model):
    before, bad = theta(model), [dask.delayed(TEXTS), dask.delayed(["a", 3])]
    message = r"In partition 1 of X: X\[1\] is int 3, expected a str or a sequence of symbols"
    for call in (model.fit, model.score, lambda X: dask.compute(*model.score_samples(X))):
        with pytest.raises(TypeError, match=message):
            call(bad)
    with pytest.raises(ValueError, match="n_shards=5, but X has 2 partitions"):
        clone(model).set_params(n_shards=5).fit(bad)
    with pytest.raises(ValueError, match="X_val is what early_stopping=True validates on"):
        model.fit(bad, X_val=TEXTS)
    assert theta(model) == before


class Leaving(TextShard):
    """A shard whose worker closes once, in the middle of an epoch."""

    n_left = 0

    def next_gradient(self):
        Leaving.n_left -= 1
        if not Leaving.n_left:
            worker = get_worker()
            sync(worker.loop, worker.close, executor_wait=False)
        return super().next_gradient()


def test_models_that_are_not_fitted_say_so_at_once():
    for name in ("score", "perplexity", "score_samples", "predict_proba"):
        with pytest.raises(NotFittedError, match="This DaskRNNLanguageModel instance is not fitted yet"):
            getattr(DaskRNNLanguageModel(), name)(FORMS["bag"]())


@pytest.mark.slow
def test_the_same_bits_on_workers_that_may_leave(monkeypatch):
    """States are carried from window to window where a shard is: an epoch begins again with those of its beginning."""
    settings = SMALL | {"early_stopping": True, "dropout": 0.2, "max_iter": 3}
    here = DaskRNNLanguageModel(**settings).fit(FORMS["bag"]())
    monkeypatch.setattr("skrnn.dask._language.TextShard", Leaving)
    with local_cluster(2) as client:
        for n_left in (0, 31):
            Leaving.n_left = n_left
            model = DaskRNNLanguageModel(**settings).fit(FORMS["bag"]())
            assert theta(model) == theta(here)
            assert model.validation_scores_ == here.validation_scores_
        assert Leaving.n_left < 0
        assert [event["epoch"] for _, event in client.get_events("skrnn")].count(3) == 2
        assert model.score(FORMS["series"]()) == here.score(FORMS["series"]())
