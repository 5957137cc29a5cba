from typing import Any, Literal

from skrnn import RNNClassifier, RNNRegressor, RNNSurvival

__all__ = ["register_skl2onnx", "to_c", "to_onnx"]

def register_skl2onnx() -> None: ...
def to_c(
    net: RNNClassifier | RNNRegressor | RNNSurvival, *, name: str = "net",
    dtype: Literal["float32", "float64"] | None = None,
) -> str: ...
# An onnx.ModelProto
def to_onnx(estimator: Any, *, opset: int = 17, states: bool = False) -> Any: ...
