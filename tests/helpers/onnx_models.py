"""ONNX models run by ONNX Runtime."""

import numpy as np
import onnxruntime

NUMBER_TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


def session_of(model):
    """A session of a ModelProto that computes on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model, **inputs):
    """The outputs of a model by name; inputs are converted to the types that it has."""
    session = model if isinstance(model, onnxruntime.InferenceSession) else session_of(model)
    types = {value.name: NUMBER_TYPES.get(value.type, object) for value in session.get_inputs()}
    inputs = {name: np.asarray(value, types[name]) for name, value in inputs.items()}
    return dict(zip([value.name for value in session.get_outputs()], session.run(None, inputs), strict=True))


def padded(rows, lengths, n_steps=None, fill=np.nan):
    """Rows of sequences after each other, (S, ...), as (n, n_steps, ...) with `fill` after the end of each."""
    out = np.full((len(lengths), n_steps or max(lengths), *rows.shape[1:]), fill, rows.dtype)
    for i, part in enumerate(np.split(rows, np.cumsum(lengths)[:-1])):
        out[i, : len(part)] = part
    return out
