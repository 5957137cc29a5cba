"""Recurrent neural networks as scikit-learn estimators."""

from importlib.util import find_spec

__version__ = "0.1.0"

if find_spec("skrnn._machine") is None:
    raise ImportError(
        "skrnn's compiled modules were not found. In a source checkout build them first, with 'pip install -e .', or "
        "run Python from another folder to use an installed skrnn."
    )

from skrnn._ragged import RaggedArray
from skrnn.classifier import RNNClassifier
from skrnn.language_model import RNNLanguageModel
from skrnn.metrics import make_sequence_scorer
from skrnn.regressor import RNNRegressor

__all__ = ["RNNClassifier", "RNNLanguageModel", "RNNRegressor", "RaggedArray", "__version__", "make_sequence_scorer"]
