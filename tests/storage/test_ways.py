"""What docs/guide/deploying.md says of joblib, pickle, skops and model files, over all of them."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pytest
from same import assert_same
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from stored_models import LABELS, RAGGED, SMALL, X, made, outputs

import skrnn
from skrnn import RNNClassifier, kernels
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def by_pickle(estimator, path):
    path.write_bytes(pickle.dumps(estimator))
    return pickle.loads(path.read_bytes())


def by_joblib(estimator, path):
    joblib.dump(estimator, path)
    return joblib.load(path)


def by_joblib_mapped(estimator, path):
    joblib.dump(estimator, path)
    return joblib.load(path, mmap_mode="r")


def by_joblib_compressed(estimator, path):
    joblib.dump(estimator, path, compress=3)
    return joblib.load(path)


def by_skops(estimator, path):
    skops = pytest.importorskip("skops.io")
    skops.dump(estimator, path)
    return skops.load(path, trusted=skops.get_untrusted_types(file=path))


def by_save(estimator, path):
    skrnn.save(estimator, path)
    return skrnn.load(path)


OF_ANY = [by_pickle, by_joblib, pytest.param(by_skops, marks=pytest.mark.slow)]


@pytest.mark.parametrize("way", [*OF_ANY, by_joblib_mapped, by_joblib_compressed, by_save])
def test_predictions_and_training_go_on_with_the_same_bits(way, tmp_path):
    pipeline = make_pipeline(SequenceScaler(), RNNClassifier(**SMALL, dropout=0.2)).fit(RAGGED, LABELS)
    pipeline[-1].set_params(random_state=np.random.RandomState(3)).partial_fit(RAGGED, LABELS)
    loaded, stays = way(pipeline, tmp_path / "model"), deepcopy(pipeline)
    assert_same(outputs(loaded, RAGGED), outputs(stays, RAGGED))
    for each in (loaded, stays):
        each[0].partial_fit(RAGGED[:5])
        each[-1].partial_fit(each[0].transform(RAGGED), LABELS)
    assert_same(outputs(loaded, RAGGED), outputs(stays, RAGGED))


@pytest.mark.parametrize("meta", [
    lambda net: GridSearchCV(net, {"hidden_size": [1, 2]}, cv=2), lambda net: CalibratedClassifierCV(net, cv=2),
    lambda net: BaggingClassifier(net, n_estimators=2, random_state=0),
], ids=["search", "calibration", "ensemble"])
@pytest.mark.parametrize("way", OF_ANY)
def test_what_is_around_nets(way, meta, tmp_path):
    table = X[:, :, 0]
    estimator = meta(RNNClassifier(**SMALL)).fit(table, LABELS)
    assert_same(outputs(way(estimator, tmp_path / "model"), table), outputs(estimator, table))


@pytest.mark.every_simd
def test_files_move_between_processors(simd, tmp_path, monkeypatch):
    """The bits are those of every processor with fused multiply-add, and close to those of one without."""
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "_kernels", kernels.load(kernels.available()[-1]))
        estimator, X = made("classifier")
        expected = estimator.predict_proba(X)
        skrnn.save(estimator, tmp_path / "net.skrnn")
    p = skrnn.load(tmp_path / "net.skrnn").predict_proba(X)
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    assert simd == "baseline" or (p == expected).all()
