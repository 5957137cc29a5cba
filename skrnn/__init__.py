"""Recurrent neural networks as scikit-learn estimators."""

__version__ = "0.1.0"

from skrnn.classifier import RNNClassifier
from skrnn.regressor import RNNRegressor

__all__ = ["RNNClassifier", "RNNRegressor", "__version__"]
