"""Nets in what skl2onnx converts.

It is no dependency: without it these tests are skipped, unless SKRNN_REQUIRE_PEERS is set, as in continuous
integration.
"""

import importlib
import os

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor, WithStatic
from skrnn.exceptions import ExportError
from skrnn.export import register_skl2onnx
from skrnn.preprocessing import SequenceImputer, SequenceScaler

onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]     # also of skl2onnx
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
TABLE = np.random.default_rng(0).normal(size=(40, 12)).astype(np.float32)
LABELS = np.where(TABLE[:, 0] > 0, "high", "low")


@pytest.fixture(scope="module", autouse=True)
def _library():
    """Imported here, for it takes long."""
    global skl2onnx
    required = os.environ.get("SKRNN_REQUIRE_PEERS")
    skl2onnx = importlib.import_module("skl2onnx") if required else pytest.importorskip("skl2onnx")
    register_skl2onnx()


def run(model, X):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("opset", [14, 17, None])
@pytest.mark.parametrize("cell", ["gru", "skip_lstm"])      # of an operator, and of a loop
def test_behind_a_step_that_it_knows(cell, opset):
    net = RNNRegressor(n_steps=6, cell=cell, **SMALL)
    model = make_pipeline(PCA(6), SequenceScaler(n_steps=6), net).fit(TABLE, TABLE[:, 0])
    [found] = run(skl2onnx.to_onnx(model, TABLE[:1], target_opset=opset), TABLE)
    assert_close(found.ravel(), model.predict(TABLE))


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("strategy", ["mean", "interpolate"])
def test_padded_sequences(strategy, zipmap):
    X = TABLE.reshape(40, 6, 2).copy()
    X[3, 4:], X[5, 2, 1], X[8, 1:] = np.nan, np.nan, np.nan
    net = RNNClassifier(missing="indicator", patch_size=None, **SMALL)
    model = make_pipeline(SequenceScaler(), SequenceImputer(strategy), net).fit(X, LABELS)
    types = [("X", skl2onnx.common.data_types.FloatTensorType([None, None, 2]))]
    labels, p = run(skl2onnx.convert_sklearn(model, initial_types=types, options={id(model): {"zipmap": zipmap}}), X)
    p = np.array([[row["high"], row["low"]] for row in p]) if zipmap else p
    assert (labels == model.predict(X)).all()
    assert_close(p, model.predict_proba(X))


@pytest.mark.parametrize("meta", [
    BaggingClassifier(RNNClassifier(**SMALL), n_estimators=2, random_state=0),
    CalibratedClassifierCV(RNNClassifier(**SMALL), cv=2),
], ids=lambda meta: type(meta).__name__)
def test_in_meta_estimators(meta):
    meta.fit(TABLE, LABELS)
    labels, p = run(skl2onnx.to_onnx(meta, TABLE[:1], options={"zipmap": False}), TABLE)
    assert (labels == meta.predict(TABLE)).all()
    assert_close(p, meta.predict_proba(TABLE))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, float])
def test_types_of_labels(dtype):
    y = (TABLE[:, 0] > 0).astype(dtype)
    net = RNNClassifier(**SMALL).fit(TABLE, y)
    labels, _ = run(skl2onnx.to_onnx(net, TABLE[:1], options={"zipmap": False}), TABLE)
    assert labels.dtype == net.classes_.dtype
    assert (labels == net.predict(TABLE)).all()


def test_what_it_does_not_connect_is_named():
    net = RNNRegressor(**SMALL).fit(WithStatic(TABLE, TABLE[:, :1]), TABLE[:, 0])
    with pytest.raises(ExportError, match=r"inputs \['static'\] beside X"):
        skl2onnx.to_onnx(net, TABLE[:1])
    net = RNNRegressor(loss="gaussian", **SMALL).fit(TABLE, TABLE[:, 0])
    with pytest.raises(ExportError, match=r"outputs \['prediction', 'std'\], of which skl2onnx connects 1"):
        skl2onnx.to_onnx(net, TABLE[:1])
