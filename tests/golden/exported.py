"""Golden configurations in ONNX: what onnxruntime says in the place of estimators."""

from collections import defaultdict

import numpy as np
from recorded import calls_of
from sklearn.pipeline import Pipeline

from skrnn import RNNLanguageModel, RNNOutlierDetector
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn.export import to_onnx
from skrnn.export._onnx.pipeline import is_table
from skrnn.preprocessing import SequenceImputer, SequenceScaler

# What stands for a missing category, and for one that no fit has seen
MISSING = {str: "", int: np.iinfo(np.int64).min}
UNSEEN = {str: "never seen", int: 987_654_321}


def session(model):
    """A model in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def outputs_of(running, feeds):
    """What a model computes, by the names of its outputs."""
    names = [output.name for output in running.get_outputs()]
    wanted = {each.name for each in running.get_inputs()}
    assert wanted == set(feeds), f"inputs are {sorted(wanted)}, feeds {sorted(feeds)}"
    return dict(zip(names, running.run(None, feeds), strict=True))


# Answers

def differences(name, padding=np.nan, opset=17):
    """What the models of a golden configuration say in the place of its estimators, a difference by output.

    It is the largest difference of numbers, as a share of the largest of these that the configuration asks for; of
    labels the share of those that are not equal.
    """
    models, largest, errors = {}, defaultdict(float), defaultdict(float)
    for call in calls_of(name):
        if call.method == "initial_state":
            continue
        key = id(net_of(call.estimator)._fitted), in_streams(call)
        if key not in models:       # with the estimator, so that the key stays its own
            models[key] = call.estimator, session(to_onnx(call.estimator, opset=opset, states=in_streams(call)))
        feeds = feeds_of_stream(call) if in_streams(call) else feeds_of(call.estimator, call.arguments[0], padding)
        found = outputs_of(models[key][1], feeds)
        for output, expected in asked(call).items():
            values = found[output]
            if isinstance(call.estimator, RNNLanguageModel):
                values = values[:, -1]
            if call.method.endswith("_step"):       # of one stream, or of one step of each
                values = values.reshape(np.shape(expected))
            error, size = difference(values, expected)
            errors[output], largest[output] = max(errors[output], error), max(largest[output], size)
    return {output: errors[output] / (largest[output] or 1) for output in errors}


def in_streams(call):
    """Whether a call continues from states, or returns them."""
    return call.method.endswith("_step") or bool(call.options.keys() & {"initial_state", "return_state"})


def net_of(estimator):
    """The net at the end of a Pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def asked(call):
    """What a call was answered, by the names of the outputs of a model."""
    method, answer, net = call.method, call.answer, net_of(call.estimator)
    if method == "predict_cumulative_hazard_function":
        return {"cumulative_hazard": np.array([function.y for function in answer])}
    if call.options.get("return_std"):
        return {"prediction": answer[0], "std": answer[1]}
    of_predict = "label" if hasattr(net, "classes_") or isinstance(net, RNNOutlierDetector) else "prediction"
    names = {"predict_proba": "probabilities", "predict": of_predict, "predict_step": of_predict}
    names["score_step"] = "score_steps"
    name = names.get(method, method)
    if in_streams(call):
        return {name: answer[0], "state_out": answer[1]}
    if not isinstance(getattr(net, "_fitted", (None,))[-1], SeveralClassTargets):
        return {name: answer}
    if method == "predict":
        answer = [column_of(answer, q) for q in range(len(net.classes_))]
    return {f"{name}_{q}": part for q, part in enumerate(answer)}


def column_of(rows, q):
    """A column of labels, (n, k) or of steps, in the dtype of its own."""
    if rows.ndim > 1:
        return np.array(rows[..., q].tolist())
    out = np.empty(len(rows), object)
    out[:] = [column_of(each, q) for each in rows]
    return out


def difference(found, expected):
    """The largest difference of numbers, and the largest of these; of labels the share that is not equal, and 1."""
    expected = np.asarray(expected)
    if expected.dtype == object and isinstance(expected[0], np.ndarray):      # steps of sequences
        found = np.concatenate([rows[: len(x)] for rows, x in zip(found, expected, strict=True)])
        expected = np.concatenate(list(expected))
    assert found.shape == expected.shape, (found.shape, expected.shape)
    if expected.dtype.kind != "f":
        return float((found != expected).mean()), 1.0
    finite = np.isfinite(expected)      # maxima of no steps are not
    assert (found[~finite] == expected[~finite]).all()
    found, expected = found[finite], expected[finite]
    assert np.isfinite(found).all()     # NaN is not more than any bound
    return float(np.abs(found - expected).max(initial=0)), float(np.abs(expected).max(initial=0))


# X as a model takes it

def feeds_of(estimator, X, padding):
    """The inputs of a model for X; `padding` stands behind the ends of sequences."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(first, RNNLanguageModel):
        return of_texts(first, X)
    if isinstance(first, SequenceScaler | SequenceImputer):
        reading = first._fitted.reading
        return of_sequences(reading, reading.check(first, first._fitted.numbers(first, X)), padding)
    if first is not estimator:
        return {"X": np.asarray(X, np.float32)}
    fitted = first.forecaster_._fitted if isinstance(first, RNNOutlierDetector) else first._fitted
    return of_sequences(fitted.reading, fitted.reading.check(first, X, dtype=fitted.model.dtype), padding)


def feeds_of_stream(call):
    """The inputs of a model for steps that continue others."""
    detector = call.estimator.forecaster_ if isinstance(call.estimator, RNNOutlierDetector) else call.estimator
    model, reading, _ = detector._fitted
    X, width = call.arguments[0], np.shape(call.answer[1])[1]
    if call.method.endswith("_step"):
        x = np.atleast_2d(X).astype(np.float32)
        feeds = {"X": x[:, np.newaxis], "lengths": np.ones(len(x), np.int32)}
        if reading.n_static:        # which the states have
            feeds |= of_static(reading, np.zeros((len(x), reading.n_static)))
        state = call.arguments[1]
    else:
        sequences = reading.check(detector, X, dtype=model.dtype, leave_out_padding=False)
        feeds = of_sequences(reading, sequences, 1e3)
        state = call.options.get("initial_state")
    state = np.full((len(feeds["X"]), width), np.nan) if state is None else state
    return feeds | {"state": np.asarray(state, np.float32)}


def of_texts(model, texts):
    """The inputs of a language model for texts."""
    corpus = model._fitted.reading.corpus(texts)
    return {"ids": padded(corpus, corpus.inputs.astype(np.int64), 0), "lengths": corpus.lengths.astype(np.int32)}


def of_sequences(reading, sequences, padding):
    """The inputs of a model for sequences with missing values as they are.

    Where the padding of an array has been left out, the model finds it: lengths are 0.
    """
    encodings, lengths = reading.step_encodings, sequences.lengths.astype(np.int32)
    n_numbers = sequences.n_features - len(encodings)
    numbers, codes = sequences.values[:, :n_numbers], sequences.values[:, n_numbers:].astype(int)
    if is_table(reading):
        feeds = {"X": numbers.reshape(len(sequences), -1).astype(np.float32)}
    else:
        feeds = {"lengths": lengths if sequences.n_padded is None else np.zeros_like(lengths)}
    if reading.n_categories:
        missing = np.isnan(numbers[:, 0])
        feeds["X"] = padded(sequences, np.where(missing, -1, numbers[:, 0]).astype(np.int64), -1)
    elif n_numbers and "X" not in feeds:
        feeds["X"] = padded(sequences, numbers.astype(np.float32), padding if sequences.n_padded is None else np.nan)
    for encoding, column in zip(encodings, codes.T, strict=True):
        labels = labels_of(encoding)
        feeds[encoding.name] = padded(sequences, labels[column], missing_of(labels))
    return feeds if sequences.static is None else feeds | of_static(reading, sequences.static)


def of_static(reading, static):
    """The inputs of a model for static features, numbers and then codes."""
    n_numbers = reading.n_static - len(reading.static_encodings)
    feeds = {"static": static[:, :n_numbers].astype(np.float32)} if n_numbers else {}
    for encoding, column in zip(reading.static_encodings, static[:, n_numbers:].astype(int).T, strict=True):
        feeds[encoding.name] = labels_of(encoding)[column]
    return feeds


def labels_of(encoding):
    """What stands for each code of a categorical feature."""
    kind = str if encoding.is_of_text else int
    labels = [*encoding.categories, *[MISSING[kind]] * encoding.with_missing, UNSEEN[kind]]
    return np.array(labels, object if kind is str else np.int64)


def missing_of(labels):
    """What stands for a missing category among labels of this type."""
    return MISSING[str if labels.dtype == object else int]


def padded(sequences, rows, padding):
    """Rows (total, ...) of sequences as (n, T, ...)."""
    n_steps = getattr(sequences, "n_padded", None) or sequences.lengths.max()
    out = np.full((len(sequences.lengths), n_steps, *rows.shape[1:]), padding, rows.dtype)
    for row, start, length in zip(out, sequences.starts, sequences.lengths, strict=True):
        row[:length] = rows[start : start + length]
    return out
