"""Fitted estimators as ONNX models. onnx is imported when a model is made."""
