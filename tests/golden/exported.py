"""Golden configurations in ONNX: what onnxruntime says in the place of estimators."""

from functools import partial

import numpy as np
from recorded import calls_of
from sklearn.pipeline import Pipeline

from skrnn import RNNLanguageModel, RNNOutlierDetector, WithStatic
from skrnn.export import to_onnx
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer

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


# X as a model takes it

def feeds_of(estimator, X, padding):
    """The inputs of a model for X; `padding` stands behind the ends of sequences."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(first, SequenceScaler | SequenceImputer):
        numbers = first._fitted.numbers(first, X)
        return of_sequences(first._fitted.reading, first._fitted.reading.check(first, numbers), padding)
    if first is not estimator:
        return {"X": np.asarray(X, np.float32)}
    fitted = first.forecaster_._fitted if isinstance(first, RNNOutlierDetector) else first._fitted
    return of_sequences(fitted.reading, fitted.reading.check(first, X, dtype=fitted.model.dtype), padding)


def of_sequences(reading, sequences, padding):
    """The inputs of a model for sequences with missing values as they are."""
    n, encodings = len(sequences), reading.step_encodings
    lengths = sequences.lengths.astype(np.int32)
    feeds = {}
    if reading.from_table and not encodings and not reading.n_categories:
        feeds["X"] = sequences.values.reshape(n, -1).astype(np.float32)
    else:
        feeds["lengths"] = lengths
        columns = sequences.values[:, : sequences.n_features - len(encodings)]
        if reading.n_categories:
            ids = np.where(np.isnan(columns[:, 0]), -1, columns[:, 0]).astype(np.int64)
            feeds["X"] = padded(sequences, ids, 0)
        elif columns.shape[1]:
            feeds["X"] = padded(sequences, columns.astype(np.float32), padding)
        codes = sequences.values[:, sequences.n_features - len(encodings) :].astype(int)
        for encoding, column in zip(encodings, codes.T, strict=True):
            labels = labels_of(encoding)
            feeds[encoding.name] = padded(sequences, labels[column], labels[-1])
    if reading.n_static:
        n_numbers = reading.n_static - len(reading.static_encodings)
        if n_numbers:
            feeds["static"] = sequences.static[:, :n_numbers].astype(np.float32)
        codes = sequences.static[:, n_numbers:].astype(int)
        for encoding, column in zip(reading.static_encodings, codes.T, strict=True):
            feeds[encoding.name] = labels_of(encoding)[column]
    return feeds


def labels_of(encoding):
    """What stands for each code of a categorical feature."""
    kind = str if not encoding.categories or isinstance(encoding.categories[0], str) else int
    labels = [*encoding.categories, *[MISSING[kind]] * encoding.with_missing, UNSEEN[kind]]
    return np.array(labels, object if kind is str else np.int64)


def padded(sequences, rows, padding):
    """Rows (total, ...) of sequences as (n, T, ...)."""
    out = np.full((len(sequences), sequences.lengths.max(), *rows.shape[1:]), padding, rows.dtype)
    for row, start, length in zip(out, sequences.starts, sequences.lengths, strict=True):
        row[:length] = rows[start : start + length]
    return out
