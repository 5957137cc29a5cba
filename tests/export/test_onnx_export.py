"""`to_onnx`: nets of tables, Pipelines, streams through Pipelines, detectors and language models, and what it refuses.

All configurations of the golden set are compared in tests/golden/test_exported.py.
"""

import json
import re
import subprocess
import sys
from builtins import __import__ as import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, WithStatic
from skrnn.exceptions import ExportError
from skrnn.export import to_onnx
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SlidingWindow

onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run(model, **feeds):
    """Outputs by name."""
    running = session(model)
    return dict(zip([each.name for each in running.get_outputs()], running.run(None, feeds), strict=True))


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def sequences():
    """Ragged, with gaps, also a whole step at an end."""
    rng = np.random.default_rng(0)
    X = [rng.normal([5, -3], [1, 2], size=(length, 2)).astype(np.float32) for length in (3, 7, 1, 4, 6, 5)]
    for x in X[1::2]:
        x[rng.uniform(size=x.shape) < 0.3] = np.nan
    X[4][-1] = np.nan
    return X


def padded(X, padding=np.nan):
    out = np.full((len(X), max(map(len, X)), X[0].shape[1]), padding, np.float32)
    for row, x in zip(out, X, strict=True):
        row[: len(x)] = x
    return out


def lengths_of(X):
    return np.array([len(x) for x in X], np.int32)


LABELS = np.array(["no", "yes"] * 3)


@pytest.fixture(scope="module")
def pipeline(sequences):
    net = RNNClassifier(missing="indicator", patch_size=None, **SMALL)
    return make_pipeline(SequenceScaler(), SequenceImputer("mean"), net).fit(sequences, LABELS)


class TestPipelines:
    @pytest.mark.parametrize("opset", [14, 21])
    @pytest.mark.parametrize("padding", [np.nan, 1e3])
    def test_of_ragged_sequences(self, opset, padding, pipeline, sequences):
        found = run(to_onnx(pipeline, opset=opset), X=padded(sequences, padding), lengths=lengths_of(sequences))
        assert found["label"].tolist() == pipeline.predict(sequences).tolist()
        assert_close(found["probabilities"], pipeline.predict_proba(sequences))

    @pytest.mark.parametrize("padding", ["keep", "fill"])
    def test_of_padded_arrays_find_the_ends_where_lengths_are_0(self, padding, sequences):
        """Unless the imputer makes steps of padding."""
        X, net = padded(sequences), RNNRegressor(missing="ffill", patch_size=None, **SMALL)
        model = make_pipeline(SequenceImputer("interpolate", padding=padding), SequenceScaler(), net)
        expected = model.fit(X, np.arange(6)).predict(X)
        found = run(to_onnx(model), X=X, lengths=np.zeros(6, np.int32))["prediction"]
        assert_close(found, expected)
        some = run(to_onnx(model), X=X[2:3], lengths=np.ones(1, np.int32))["prediction"]
        assert np.isclose(some, found[2:3], rtol=1e-5) == (padding == "keep")

    def test_of_tables(self):
        """With what scikit-learn has for them, and static features beside."""
        rng = np.random.default_rng(1)
        X, static = rng.normal(size=(9, 6)).astype(np.float32), rng.normal(size=(9, 1)).astype(np.float32)
        net = RNNRegressor(n_steps=3, **SMALL)
        model = make_pipeline(StandardScaler(), SequenceScaler(n_steps=3), "passthrough", net).fit(X, X[:, 0])
        assert_close(run(to_onnx(model), X=X)["prediction"], model.predict(X))
        model = make_pipeline(SequenceScaler(n_steps=3), net).fit(WithStatic(X, static), X[:, 0])
        assert_close(run(to_onnx(model), X=X, static=static)["prediction"], model.predict(WithStatic(X, static)))

    def test_of_windows(self):
        X = np.random.default_rng(2).normal(size=(8, 2)).astype(np.float32)
        model = make_pipeline(StandardScaler(), SlidingWindow(3), RNNRegressor(**SMALL)).fit(X, X[:, 0])
        assert_close(run(to_onnx(model), X=X)["prediction"], model.predict(X))

    def test_of_pipelines(self, pipeline, sequences):
        nested = make_pipeline(pipeline[:2], make_pipeline("passthrough", pipeline[2]))
        found = run(to_onnx(nested), X=padded(sequences), lengths=lengths_of(sequences))
        assert_close(found["probabilities"], pipeline.predict_proba(sequences))

    @pytest.mark.parametrize("states", [False, True])
    def test_behind_functions_that_change_nothing(self, states, sequences):
        """Which do not say whether X holds sequences or is a table."""
        net = RNNRegressor(missing="ffill", patch_size=None, **SMALL)
        model = make_pipeline(FunctionTransformer(), "passthrough", FunctionTransformer(), net)
        model.fit(sequences, np.arange(6))
        bare, found = to_onnx(model[-1], states=states), to_onnx(model, states=states)
        assert found.SerializeToString() == bare.SerializeToString()
        with pytest.raises(ExportError, match="'functiontransformer' of the Pipeline, FunctionTransformer, calls"):
            to_onnx(make_pipeline(FunctionTransformer(list), model[-1]).fit(sequences, np.arange(6)), states=states)

    def test_in_streams(self, pipeline, sequences):
        """As the net with what the steps make of a step; rows of NaN begin."""
        model, x = to_onnx(pipeline, states=True), padded(sequences)[:, :2]
        running, net, state = session(model), pipeline[-1], None
        width = net.initial_state().shape[1]
        of_runtime = np.full((len(x), width), np.nan, np.float32)
        for t in range(2):
            step = pipeline[:-1].transform([row[t : t + 1] for row in x])
            expected, state = net.predict_proba_step(np.concatenate(step), state)
            feeds = {"X": x[:, t : t + 1], "lengths": np.ones(len(x), np.int32), "state": of_runtime}
            _, found, of_runtime = running.run(None, feeds)
            assert_close(found, expected)
            assert_close(of_runtime, state)


@pytest.mark.parametrize("reduction", ["mean", "max"])
def test_detectors_behind_a_scaler(reduction, sequences):
    X = [np.nan_to_num(x, nan=4.0) for x in sequences]
    detector = RNNOutlierDetector(contamination=0.3, reduction=reduction, **SMALL)
    model = make_pipeline(SequenceScaler(), detector).fit(X)
    found = run(to_onnx(model), X=padded(X), lengths=lengths_of(X))
    assert found["label"].tolist() == model.predict(X).tolist()
    assert_close(found["score_samples"], model.score_samples(X))
    running = session(to_onnx(model, states=True))
    state = np.full((6, model[-1].initial_state().shape[1]), np.nan, np.float32)
    pieces = [(x[: len(x) // 2 + 1], x[len(x) // 2 + 1 :]) for x in X if len(x) > 2]
    state, found = state[: len(pieces)], []
    for piece in zip(*pieces, strict=True):
        scores, state = running.run(None, {"X": padded(piece, 9.0), "lengths": lengths_of(piece), "state": state})
        found.append(scores)
    scaled = model[0].transform([x for x in X if len(x) > 2])
    for of_pieces, pair, expected in zip(zip(*found, strict=True), pieces, model[1].score_steps(scaled), strict=True):
        assert_close(np.concatenate([row[: len(x)] for row, x in zip(of_pieces, pair, strict=True)]), expected)


def test_language_models():
    """Whole texts, and symbol by symbol: from the id of the begin, which is that of the end, on."""
    model = RNNLanguageModel(**SMALL).fit(["anna", "hanna", "nan"] * 5)
    onnx_model = to_onnx(model)
    [symbols] = [json.loads(each.value) for each in onnx_model.metadata_props if each.key == "symbols"]
    assert symbols == model.symbols_.tolist() == ["a", "h", "n", "<unknown>", "<end>"]
    texts, begin = ["han", "a", ""], symbols.index("<end>")
    ids = np.zeros((3, 4), np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text) + 1] = [begin, *map(symbols.index, text)]
    lengths = np.array([4, 2, 1], np.int32)
    expected = model.predict_proba(texts)
    assert_close(run(onnx_model, ids=ids, lengths=lengths)["probabilities"][:, -1], expected)
    of_all = run(onnx_model, ids=ids[:1], lengths=np.zeros(1, np.int32))["probabilities"][:, -1]
    assert_close(of_all, expected[:1])
    running = session(to_onnx(model, states=True))
    state = np.full((3, model._fitted.model.network.state_width), np.nan, np.float32)
    for t in range(4):
        found, state = running.run(None, {"ids": ids[:, t], "state": state})
        assert_close(found[lengths == t + 1], expected[lengths == t + 1])


def test_symbols_that_no_file_can_name():
    model = RNNLanguageModel(**SMALL).fit([[("a", 1), ("b", 2)]] * 4)
    assert not to_onnx(model, states=True).metadata_props
    with pytest.raises(ExportError, match="the step 'functiontransformer' of the Pipeline changes texts"):
        to_onnx(make_pipeline(FunctionTransformer(list), model))


class TestErrors:
    @pytest.mark.parametrize(("arguments", "text"), [
        ({"opset": 13}, "'opset' parameter of to_onnx"), ({"opset": 22}, "'opset' parameter"),
        ({"opset": "17"}, "'opset' parameter"), ({"states": 1.5}, "'states' parameter"),
    ])
    def test_name_a_parameter(self, arguments, text, pipeline):
        with pytest.raises(ValueError, match=text):
            to_onnx(pipeline, **arguments)

    def test_name_what_is_no_net(self, pipeline):
        search = GridSearchCV(RNNRegressor(), {"alpha": [1]})
        search.best_estimator_ = None
        with pytest.raises(ExportError, match="GridSearchCV has no form in ONNX: pass its best_estimator_"):
            to_onnx(search)
        with pytest.raises(ExportError, match="TransformedTargetRegressor has no form in ONNX, expected a fitted net"):
            to_onnx(TransformedTargetRegressor(RNNRegressor()))
        calibrated = CalibratedClassifierCV(RNNClassifier())
        calibrated.calibrated_classifiers_ = []
        with pytest.raises(ExportError, match=r"CalibratedClassifierCV .*; skl2onnx converts ensembles and"):
            to_onnx(calibrated)
        with pytest.raises(ExportError, match="SequenceImputer has no form in ONNX"):
            to_onnx(pipeline[:2])
        for other, kind in ((np.zeros(3), "ndarray"), (RNNRegressor, "class RNNRegressor"), (None, "Pipeline")):
            with pytest.raises(ExportError, match=f"{kind} has no form in ONNX, expected a fitted net"):
                to_onnx(make_pipeline("passthrough") if other is None else other)

    def test_come_before_fit(self):
        for estimator in (RNNClassifier(), RNNOutlierDetector(), RNNLanguageModel(), make_pipeline(RNNRegressor())):
            with pytest.raises(NotFittedError):
                to_onnx(estimator)

    @pytest.mark.parametrize(("settings", "text"), [
        ({"bidirectional": True}, "states=True needs a net that reads forwards"),
        ({"standardize": "sequence"}, "standardize='sequence' takes the mean of all steps"),
    ])
    def test_name_what_does_not_go_on(self, settings, text, sequences):
        X = [np.nan_to_num(x) for x in sequences]
        net = RNNRegressor(**SMALL | settings).fit(X, np.arange(6))
        with pytest.raises(ExportError, match=text):
            to_onnx(net, states=True)

    def test_name_steps_that_do_not_go_on(self):
        X = np.random.default_rng(3).normal(size=(8, 2))
        model = make_pipeline(StandardScaler(), RNNRegressor(**SMALL)).fit(X, X[:, 0])
        with pytest.raises(ExportError, match="'standardscaler' of the Pipeline, StandardScaler, reads a table"):
            to_onnx(model, states=True)

    def test_name_categories_that_a_step_scales(self, sequences):
        X = [np.column_stack([np.nan_to_num(x), np.arange(len(x)) % 2]) for x in sequences]
        net = RNNRegressor(categorical_features=[2], patch_size=None, **SMALL)
        model = make_pipeline(SequenceScaler(), net).fit(X, np.arange(6))
        with pytest.raises(ExportError, match="change 3 features as numbers, of which some are categories"):
            to_onnx(model)

    def test_names_the_extra_where_onnx_is_not_installed(self, pipeline, monkeypatch):
        def without(name, *arguments):
            if name == "onnx":
                raise ImportError
            return import_module(name, *arguments)

        monkeypatch.setattr("builtins.__import__", without)
        with pytest.raises(ImportError, match=r"pip install 'skrnn\[onnx\]'"):
            to_onnx(pipeline)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_no_sequences_are_an_error(cell, sequences):
    """In whose place ONNX Runtime 1.32 crashes."""
    X = [np.nan_to_num(x) for x in sequences]
    model = to_onnx(RNNRegressor(cell=cell, **SMALL).fit(X, np.arange(6)))
    with pytest.raises(Exception, match="Reshape"):
        run(model, X=np.zeros((0, 4, 2), np.float32), lengths=np.zeros(0, np.int32))


@pytest.mark.parametrize(("texts", "expected"), [
    (["é\ud800"], ["é", "\ud800"]), ([[np.int64(3), np.float32(0.5)]], [0.5, 3]), ([["a", 1, True]], ["a", 1]),
    ([[(1, 2)]], None),
])
def test_symbols_that_json_has(texts, expected):
    model = to_onnx(RNNLanguageModel(**SMALL).fit(texts * 3))
    symbols = [json.loads(each.value) for each in model.metadata_props]
    assert [sorted(each[:-2], key=str) for each in symbols] == ([] if expected is None else [sorted(expected, key=str)])


@pytest.mark.parametrize("of", ["a label", "a category", "a feature"])
def test_text_that_is_no_unicode_is_named(of, sequences):
    X, lone = [np.nan_to_num(x) for x in sequences], "\ud800"
    names = {"a feature": lone}.get(of, "ward")
    words = pd.Series([lone if of == "a category" else "b"] * 6, dtype=object)      # strings of Arrow cannot hold it
    X = pd.DataFrame({"x": [x[:, 0].tolist() for x in X], "words": words})
    X.columns = pd.Index(["x", names], dtype=object)
    labels = np.where(LABELS == "no", lone, "b") if of == "a label" else LABELS
    net = RNNClassifier(categorical_features=[names], **SMALL).fit(X, labels)
    with pytest.raises(ExportError, match=r"'\\ud800' has a character that is none of Unicode"):
        to_onnx(net)


def test_onnx_is_imported_when_a_model_is_made():
    """No module has it from the beginning."""
    modules = [module for name, module in sys.modules.items() if name.startswith("skrnn.")]
    libraries = {"onnx", "onnxruntime", "skl2onnx"}
    for module in modules:
        assert not libraries & {value.__name__ for value in vars(module).values() if isinstance(value, ModuleType)}


@pytest.mark.slow
def test_the_other_process_of_the_documentation_has_no_skrnn(tmp_path):
    """The block of docs/guide/onnx.md that predicts, where neither skrnn nor scikit-learn can be imported."""
    page = (Path(__file__).parents[2] / "docs" / "guide" / "onnx.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if "def predict" in block]
    rng = np.random.default_rng(5)
    X = [rng.normal(size=(length, 12)) for length in (3, 9, 1, 6, 4, 5, 8, 2)]
    model = make_pipeline(SequenceScaler(), RNNClassifier(**SMALL)).fit(X, np.resize(LABELS, 8))
    (tmp_path / "model.onnx").write_bytes(to_onnx(model).SerializeToString())
    np.savez(tmp_path / "X.npz", *X)
    code = (
        "import sys\nfor name in ('skrnn', 'sklearn', 'onnx'):\n    sys.modules[name] = None\n"
        f"path = 'model.onnx'\n{block}\nwith np.load('X.npz') as file:\n    labels, p = predict(list(file.values()))\n"
        "np.savez('found.npz', labels=labels.astype(str), p=p)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    with np.load(tmp_path / "found.npz") as found:
        assert (found["labels"] == model.predict(X)).all()
        assert_close(found["p"], model.predict_proba(X))
