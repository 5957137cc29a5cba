"""ONNX Runtime on a graph of three nodes: the recurrent operator, its last state, the head."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from threads import n_threads

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
# Places of ONNX's gates among PyTorch's: i o f c among i f g o, z r h among r z n.
GATE_ORDER = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2], "rnn": [0]}


def model(problem):
    """The serialized graph, from X (T, N, D) to logits (N, classes)."""
    size, weights = problem.size, problem.weights
    b, b_rec = weights["b"] if len(weights["b"]) == 2 else (weights["b"][0], np.zeros_like(weights["b"][0]))

    def gates(values):
        """The last axis in ONNX's order, then first."""
        blocks = np.split(values, len(GATE_ORDER[problem.cell]), axis=-1)
        return np.concatenate([blocks[gate] for gate in GATE_ORDER[problem.cell]], axis=-1).T

    constants = {
        "W": gates(weights["W"])[np.newaxis],
        "R": gates(weights["U"])[np.newaxis],
        "B": np.concatenate([gates(b), gates(b_rec)])[np.newaxis],
        "direction": np.array([0]),
        "V": weights["V"],
        "c": weights["c"],
    }
    attributes = {"hidden_size": size.K} | ({"linear_before_reset": 1} if problem.cell == "gru" else {})
    nodes = [
        helper.make_node(OPERATORS[problem.cell], ["X", "W", "R", "B"], ["", "Y_h"], **attributes),
        helper.make_node("Squeeze", ["Y_h", "direction"], ["h"]),
        helper.make_node("Gemm", ["h", "V", "c"], ["logits"]),
    ]
    T, n, D = problem.time_major.shape
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, (T, n, D))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (n, len(weights["c"])))],
        [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


class Inference:
    """A session's run."""

    def __init__(self, problem):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads()
        self.session = onnxruntime.InferenceSession(model(problem), options, ["CPUExecutionProvider"])
        self.inputs = {"X": problem.time_major}

    def step(self):
        (self.scores,) = self.session.run(None, self.inputs)

    def logits(self):
        self.step()
        return self.scores
