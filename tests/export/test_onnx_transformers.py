"""Steps of Pipelines in ONNX, against their own `transform`."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skrnn.exceptions import ExportError
from skrnn.export._onnx.graph import Graph
from skrnn.export._onnx.transformers import Numbers, transform
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

onnxruntime = pytest.importorskip("onnxruntime")


def graph_of(transformer, n_features, table, opset, in_streams=False):
    """A graph whose output is what a transformer makes of its inputs."""
    g = Graph(opset)
    X = g.input("X", np.float32, ("n", n_features) if table else ("n", "steps", n_features))
    lengths = None if table else g.cast(g.input("lengths", np.int32, ("n",)), np.int64)
    out = transform(g, "step", transformer, Numbers(X, lengths, n_features, in_streams))
    g.output("out", out.values, np.float32, ("n", out.n_features) if out.is_table else ("n", "T", out.n_features))
    if table and out.lengths:
        g.output("out_lengths", out.lengths, np.int64, ("n",))
    return g, out


def run(g, **inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(g.model().SerializeToString(), options).run(None, inputs)


@pytest.fixture(scope="module")
def sequences():
    """Ragged float32 sequences with gaps, also whole steps at the beginning, and features far from zero."""
    rng = np.random.default_rng(0)
    X = [rng.normal([1, -50, 3e4], [1, 2, 0.5], size=(length, 3)).astype(np.float32) for length in (1, 4, 9, 6, 2)]
    for x in X:
        x[rng.uniform(size=x.shape) < 0.3] = np.nan
    X[2][:2], X[3][:, 1] = np.nan, np.nan
    return X


def padded(sequences, padding):
    out = np.full((len(sequences), max(map(len, sequences)), sequences[0].shape[1]), padding, np.float32)
    for row, x in zip(out, sequences, strict=True):
        row[: len(x)] = x
    return out, np.array([len(x) for x in sequences], np.int32)


OF_SEQUENCES = [
    *map(SequenceScaler, ("standard", "minmax", "robust")),
    *map(SequenceImputer, ("mean", "median", "constant", "ffill", "interpolate")),
    SequenceImputer("interpolate", add_indicator=True), SequenceImputer("ffill", add_indicator=True),
]


@pytest.mark.parametrize("transformer", OF_SEQUENCES, ids=str)
@pytest.mark.parametrize(("padding", "opset"), [(np.nan, 14), (1e3, 17), (np.nan, 21)])
def test_sequences(transformer, padding, opset, sequences):
    """What stands behind the ends is of no matter."""
    expected = transformer.fit(sequences).transform(sequences)
    X, lengths = padded(sequences, padding)
    g, out = graph_of(transformer, 3, table=False, opset=opset)
    [found] = run(g, X=X, lengths=lengths)
    assert out.n_features == expected[0].shape[1]
    for of_sequence, x in zip(found, expected, strict=True):
        np.testing.assert_allclose(of_sequence[: len(x)], x, rtol=3e-7, atol=3e-6)


OF_TABLES = [
    StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False), RobustScaler(),
    RobustScaler(with_centering=False, with_scaling=False), MinMaxScaler((-2, 1), clip=True), MinMaxScaler(),
    MaxAbsScaler(), SimpleImputer(strategy="median"), SimpleImputer(strategy="constant", fill_value=2),
    SequenceScaler(), SequenceScaler("minmax", n_steps=3), SequenceImputer("interpolate"),
    SequenceImputer("ffill", n_steps=2), SequenceImputer("mean", n_steps=3, add_indicator=True),
]


@pytest.mark.parametrize("transformer", OF_TABLES, ids=str)
def test_tables(transformer):
    rng = np.random.default_rng(1)
    X = rng.normal([1, -50, 3e4, 0, 7, 8], [1, 2, 0.5, 3, 1, 1], size=(9, 6)).astype(np.float32)
    X[rng.uniform(size=X.shape) < 0.2] = np.nan
    new = X + rng.normal(size=X.shape).astype(np.float32)
    g, out = graph_of(transformer.fit(X.astype(np.float64)), 6, table=True, opset=17)
    [found] = run(g, X=new)
    expected = transformer.transform(new.astype(np.float64))
    assert found.shape == expected.shape == (9, out.n_features)
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-6)


@pytest.mark.parametrize("n", [2, 7])
def test_windows(n):
    """Also of fewer rows than a window has."""
    X = np.random.default_rng(2).normal(size=(n, 3)).astype(np.float32)
    windows = SlidingWindow(4).fit(X)
    g, _ = graph_of(windows, 3, table=True, opset=17)
    found, lengths = run(g, X=X)
    for of_row, length, expected in zip(found, lengths, windows.transform(X), strict=True):
        assert (of_row[:length] == expected).all()


def test_what_has_no_form_is_named():
    X = np.random.default_rng(3).normal(size=(6, 4))
    for transformer, text in [
        (PCA(2), "'step' of the Pipeline, PCA, has no form in ONNX: expected one of MaxAbsScaler, MinMax"),
        (FunctionTransformer(np.abs), "FunctionTransformer, calls a function of Python"),
        (SlidingWindow(2, group=0), "SlidingWindow, has no form in ONNX with group=0"),
        (SlidingWindow(2, context=True), "with context=True"),
        (SimpleImputer(add_indicator=True), "add_indicator=False alone"),
        (SimpleImputer(missing_values=0), "missing_values=np.nan"),
    ]:
        with pytest.raises(ExportError, match=text):
            graph_of(transformer.fit(X), 4, table=True, opset=17)
    with pytest.raises(ExportError, match=r"SequenceVectorizer, reads texts.*pipeline\[1:\]"):
        graph_of(SequenceVectorizer().fit(["a b"]), 1, table=True, opset=17)
    with pytest.raises(ExportError, match="reads a table, but X holds sequences"):
        graph_of(StandardScaler().fit(X), 4, table=False, opset=17)
    for strategy in ("ffill", "interpolate"):
        with pytest.raises(ExportError, match=f"strategy='{strategy}', which a stream does not have"):
            graph_of(SequenceImputer(strategy).fit([X]), 4, table=False, opset=17, in_streams=True)


@pytest.mark.parametrize(("transformer", "text"), [
    (StandardScaler(), r"StandardScaler, cannot be exported: its scale\[0\] is .*e-51, beyond float32"),
    (SequenceScaler(n_steps=2), r"SequenceScaler, cannot be exported: its scale\[0\]"),
    (SimpleImputer(), None),
])
def test_numbers_beyond_float32_are_named(transformer, text):
    X = np.random.default_rng(4).normal(size=(6, 4)) * 1e-50
    if text is None:
        X, text = X * 1e100, r"SimpleImputer, cannot be exported: its statistics_\[0\]"
    with pytest.raises(ExportError, match=text):
        graph_of(transformer.fit(X), 4, table=True, opset=17)
