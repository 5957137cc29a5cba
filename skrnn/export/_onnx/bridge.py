"""Nets and transformers of this package for skl2onnx, as steps of what it converts."""

import numpy as np

from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.regressor import RNNRegressor
from skrnn.exceptions import ExportError
from skrnn.export._onnx.export import to_onnx
from skrnn.export._onnx.graph import NEWEST_OPSET, Graph
from skrnn.export._onnx.transformers import Numbers, n_step_features_of, reads_tables, transform
from skrnn.preprocessing import SequenceImputer, SequenceScaler

REGISTERED = (RNNClassifier, RNNRegressor, SequenceScaler, SequenceImputer)


def register_skl2onnx():
    """Make skl2onnx convert what holds nets of this package: ensembles, calibration, Pipelines with other steps.

    It then knows RNNClassifier, RNNRegressor, SequenceScaler and SequenceImputer. There X is the only input, and
    sequences of different lengths are padded with NaN, for nets with `missing`. `to_onnx` needs no skl2onnx, and its
    models take lengths, static features and categories.

    Raises
    ------
    ImportError
        When skl2onnx is not installed.

    Examples
    --------
    A net behind a step that only skl2onnx knows:

    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn import RNNRegressor
    >>> from skrnn.export import register_skl2onnx
    >>> X = np.random.default_rng(0).normal(size=(50, 12)).astype(np.float32)
    >>> model = make_pipeline(PCA(6), RNNRegressor(4, n_steps=6, random_state=0)).fit(X, X[:, 0])
    >>> register_skl2onnx()                                                 # doctest: +SKIP
    >>> onnx_model = skl2onnx.to_onnx(model, X[:1], target_opset=17)        # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError("register_skl2onnx needs the package skl2onnx: pip install skl2onnx") from error
    for kind in REGISTERED:
        options = {"zipmap": [True, False, "columns"]} if kind is RNNClassifier else None
        update_registered_converter(kind, f"Skrnn{kind.__name__}", _set_types, _convert, options=options)


def _model(operator, opset):
    """The model of what skl2onnx calls an operator: a net or a transformer of this package."""
    estimator = operator.raw_operator
    if isinstance(estimator, SequenceScaler | SequenceImputer):
        return _model_of_transformer(estimator, opset)
    model = to_onnx(estimator, opset=opset)
    others = [value.name for value in model.graph.input if value.name not in ("X", "lengths")]
    if others:
        raise ExportError(
            f"the net has the inputs {others} beside X, which skl2onnx does not connect: use skrnn.export.to_onnx"
        )
    return model


def _model_of_transformer(transformer, opset):
    """Sequences, of which all steps count, or a table, transformed."""
    g, table = Graph(opset), reads_tables(transformer)
    n = transformer.n_features_in_ if table else n_step_features_of(transformer)
    X = g.input("X", np.float32, ("n", n) if table else ("n", "steps", n))
    lengths = None if table else g.op("Expand", g.shape(X, 1), g.shape(X, 0))
    out = transform(g, type(transformer).__name__.lower(), transformer, Numbers(X, lengths, n))
    g.output("transformed", out.values, np.float32, ("n", out.n_features) if table else ("n", "steps", out.n_features))
    return g.model()


def _set_types(operator):
    """Tell skl2onnx the types of outputs."""
    from skl2onnx.common import data_types

    outputs = _model(operator, NEWEST_OPSET).graph.output
    if len(outputs) != len(operator.outputs):
        raise ExportError(
            f"the net has the outputs {[output.name for output in outputs]}, of which skl2onnx connects "
            f"{len(operator.outputs)}: use skrnn.export.to_onnx"
        )
    for variable, output in zip(operator.outputs, outputs, strict=True):
        type_of = output.type.tensor_type
        shape = [size.dim_value or None for size in type_of.shape.dim]
        variable.type = data_types._guess_type_proto(type_of.elem_type, shape)


def _convert(scope, operator, container):
    """Add the graph of a model to that of skl2onnx."""
    ...
