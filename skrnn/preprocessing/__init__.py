"""Transformers of sequences, and of tables to sequences."""

from skrnn.preprocessing._imputer import SequenceImputer
from skrnn.preprocessing._scaler import SequenceScaler
from skrnn.preprocessing._windows import SlidingWindow

__all__ = ["SequenceImputer", "SequenceScaler", "SlidingWindow"]
