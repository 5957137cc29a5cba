"""Training, prediction and long tables on a Dask cluster."""

from skrnn._public import set_public_home

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError("skrnn.dask needs the packages dask and distributed: pip install 'skrnn[dask]'") from error

from skrnn.dask._estimators import DaskRNNClassifier, DaskRNNRegressor
from skrnn.dask._language import DaskRNNLanguageModel
from skrnn.dask._long import sequences_from_long

__all__ = ["DaskRNNClassifier", "DaskRNNLanguageModel", "DaskRNNRegressor", "sequences_from_long"]

set_public_home(globals())
