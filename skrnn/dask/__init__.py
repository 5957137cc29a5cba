"""Training, prediction and long tables on a Dask cluster."""

from skrnn._public import set_public_home

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError("skrnn.dask needs the packages dask and distributed: pip install 'skrnn[dask]'") from error

from skrnn.dask._estimators import DaskRNNClassifier, DaskRNNRegressor

__all__ = ["DaskRNNClassifier", "DaskRNNRegressor"]

set_public_home(globals())
