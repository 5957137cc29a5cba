"""OpenVINO on the graph of `onnx_`, in float32, compiled for the least time of one call."""

import openvino
from threads import n_threads

from contenders.onnx_ import model


class Inference:
    """An inference of a compiled model, whose arrays are not copied."""

    def __init__(self, problem):
        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": n_threads(), "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
        }
        self.request = core.compile_model(core.read_model(model(problem)), "CPU", settings).create_infer_request()
        self.inputs = [problem.time_major]

    def step(self):
        self.scores = self.request.infer(self.inputs, share_inputs=True, share_outputs=True)[0]

    def logits(self):
        self.step()
        return self.scores.copy()
