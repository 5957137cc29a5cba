"""Training, prediction and long tables on a Dask cluster."""

from skrnn._public import set_public_home

try:
    import dask.dataframe  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError("skrnn.dask needs the packages dask and distributed: pip install 'skrnn[dask]'") from error

__all__ = []

set_public_home(globals())
