"""Recurrent neural networks as scikit-learn estimators."""

from importlib import import_module
from importlib.util import find_spec

from skrnn._public import set_public_home
from skrnn._version import __version__

if find_spec("skrnn._runtime.machine") is None:
    raise ImportError(
        "skrnn's compiled modules were not found. In a source checkout build them first, with 'pip install -e .', or "
        "run Python from another folder to use an installed skrnn."
    )

from skrnn._data.ragged import RaggedArray
from skrnn._data.with_static import WithStatic
from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.outlier_detector import RNNOutlierDetector
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.survival import RNNSurvival
from skrnn._language.language_model import RNNLanguageModel
from skrnn._storage.model_file import load, save
from skrnn.metrics import concatenate_steps, make_sequence_scorer, split_steps

__all__ = [
    "RNNClassifier", "RNNLanguageModel", "RNNOutlierDetector", "RNNRegressor", "RNNSurvival", "RaggedArray",
    "WithStatic", "__version__", "concatenate_steps", "load", "make_sequence_scorer", "save", "split_steps",
]
SUBMODULES = (
    "convert", "dask", "datasets", "exceptions", "export", "forecasting", "inspection", "metrics", "preprocessing",
)

set_public_home(globals(), SUBMODULES)


def __getattr__(name):
    """A public submodule, imported when it is first used."""
    if name in SUBMODULES:
        try:
            return import_module(f"skrnn.{name}")
        except ImportError as error:        # `help` and `getattr` with a default pass over what lacks a package
            raise AttributeError(str(error)) from error
    raise AttributeError(f"module 'skrnn' has no attribute {name!r}")
