"""Nets and transformers of this package for skl2onnx, as steps of what it converts."""

import numpy as np

from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.regressor import RNNRegressor
from skrnn.exceptions import ExportError
from skrnn.export._onnx.export import to_onnx
from skrnn.export._onnx.functions import is_step
from skrnn.export._onnx.graph import NEWEST_OPSET, Graph, import_onnx
from skrnn.export._onnx.pipeline import lengths_before
from skrnn.export._onnx.reading import Inputs
from skrnn.export._onnx.transformers import Numbers, n_step_features_of, reads_tables, transform
from skrnn.preprocessing import SequenceImputer, SequenceScaler

# The options that skl2onnx has for classifiers, which it looks at itself
OF_CLASSIFIERS = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
# What it calls NumPy's types
TYPES = {"float32": "Float", "float64": "Double", "bool": "Boolean", "object": "String"}
TYPES |= {name.lower(): name for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")}
REGISTERED = (RNNClassifier, RNNRegressor, SequenceScaler, SequenceImputer)


def register_skl2onnx():
    """Make skl2onnx convert what holds nets of this package: ensembles, calibration, Pipelines with other steps.

    It then knows RNNClassifier, RNNRegressor, SequenceScaler and SequenceImputer. There X is the only input, and
    sequences of different lengths are padded with NaN, for nets with `missing`. `to_onnx` needs no skl2onnx, and its
    models take lengths, static features and categories.

    Returns
    -------
    None

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

    With skl2onnx it is then ::

        register_skl2onnx()
        onnx_model = skl2onnx.to_onnx(model, X[:1], target_opset=17)
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError("register_skl2onnx needs the package skl2onnx: pip install skl2onnx") from error
    for kind in REGISTERED:
        options = OF_CLASSIFIERS if kind is RNNClassifier else None
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
    """A table, or sequences, transformed: padding stays NaN where the transformer keeps it."""
    g, table = Graph(opset), reads_tables(transformer)
    n = transformer.n_features_in_ if table else n_step_features_of(transformer)
    X = g.input("X", np.float32, ("n", n) if table else ("n", "steps", n))
    lengths = None
    if not table:
        zeros = g.op("Expand", 0, g.shape(X, 0))
        lengths = lengths_before(g, transformer._fitted.reading, Inputs(zeros, X), [transformer])
    out = transform(g, type(transformer).__name__.lower(), transformer, Numbers(X, lengths, n))
    values = out.values if table else g.where(
        g.unsqueeze(is_step(g, lengths, g.shape(X, 1)), 2), out.values, float("nan")
    )
    g.output("transformed", values, np.float32, ("n", out.n_features) if table else ("n", "steps", out.n_features))
    return g.model()


def _set_types(operator):
    """Tell skl2onnx the types of outputs."""
    from skl2onnx.common import data_types

    model = _model(operator, NEWEST_OPSET)
    outputs = model.graph.output
    if len(outputs) != len(operator.outputs):
        raise ExportError(
            f"the net has the outputs {[output.name for output in outputs]}, of which skl2onnx connects "
            f"{len(operator.outputs)}: use skrnn.export.to_onnx"
        )
    for variable, output in zip(operator.outputs, outputs, strict=True):
        of_output = output.type.tensor_type
        dtype = import_onnx().helper.tensor_dtype_to_np_dtype(of_output.elem_type)
        kind = getattr(data_types, f"{TYPES[dtype.name]}TensorType")
        variable.type = kind([size.dim_value or None for size in of_output.shape.dim])


def _convert(scope, operator, container):
    """Add the graph of a model to that of skl2onnx."""
    helper = import_onnx().helper
    model = _model(operator, min(container.target_opset_any_domain(""), NEWEST_OPSET))
    graph, X = model.graph, operator.inputs[0].full_name
    prefix = scope.get_unique_operator_name("skrnn") + "_"
    _rename(graph, prefix)
    nodes = [helper.make_node("Identity", [X], [f"{prefix}X"], f"{prefix}X")]
    if any(value.name == f"{prefix}lengths" for value in graph.input):
        nodes += _zero_lengths(container, X, prefix)
    nodes += graph.node
    for output, variable in zip(graph.output, operator.outputs, strict=True):
        nodes.append(helper.make_node("Identity", [output.name], [variable.full_name], f"{output.name}_out"))
    for node in nodes:
        while node.input and not node.input[-1]:        # optional and left out, but skl2onnx looks for it
            del node.input[-1]
    container.nodes.extend(nodes)
    container.initializers.extend(graph.initializer)
    container.node_domain_version_pair_sets.update((opset.domain, opset.version) for opset in model.opset_import)


def _rename(graph, prefix):
    """Begin all names of a graph, and of those within it, with a prefix."""
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = prefix + value.name
    for node in graph.node:
        node.name = prefix + node.name
        for names in (node.input, node.output):
            names[:] = [name and prefix + name for name in names]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, prefix)


def _zero_lengths(container, X, prefix):
    """The nodes of lengths of 0, with which a net finds the ends of sequences itself."""
    onnx = import_onnx()
    constants = {"zero": np.zeros(1, np.int32), "first": np.zeros(1, np.int64)}
    container.initializers.extend(
        onnx.numpy_helper.from_array(array, prefix + name) for name, array in constants.items()
    )
    return [
        onnx.helper.make_node(kind, inputs, [prefix + output], prefix + output)
        for kind, inputs, output in (
            ("Shape", [X], "shape"), ("Gather", [f"{prefix}shape", f"{prefix}first"], "n"),
            ("Expand", [f"{prefix}zero", f"{prefix}n"], "lengths"),
        )
    ]
