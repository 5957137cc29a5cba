"""Transformers of sequences."""

from skrnn.preprocessing._scaler import SequenceScaler

__all__ = ["SequenceScaler"]
