"""Clusters of this machine that share it with others: they take no port of theirs, and leave nothing behind."""

import os
from contextlib import contextmanager
from unittest.mock import patch

from distributed import Client, LocalCluster


@contextmanager
def local_cluster(n_workers, *, processes=False, threads_per_worker=1, set_as_default=True, **options):
    """The client of workers in this process, or in processes of their own."""
    with patch.dict(os.environ):        # Dask sets OMP_NUM_THREADS for processes, also for those of others
        cluster = LocalCluster(
            n_workers=n_workers, processes=processes, threads_per_worker=threads_per_worker, dashboard_address=":0",
            worker_dashboard_address=None, silence_logs=50, **options,
        )
    with cluster, Client(cluster, set_as_default=set_as_default) as client:
        yield client
