"""The client of a call: what the user gave, that of the process, or that of the worker whose task it is."""

from concurrent.futures import CancelledError
from contextlib import contextmanager

from distributed import Client, get_client, get_worker, worker_client


@contextmanager
def client_for(client):
    """The client on whose cluster to compute, or None where there is none and Dask computes in this process.

    In a task the worker may begin other tasks meanwhile, since those that are waited for may be among them.

    Parameters
    ----------
    client : Client, or None
        The parameter of an estimator.
    """
    if client is not None and not isinstance(client, Client):
        raise TypeError(f"client is a {type(client).__name__}, expected a distributed.Client or None")
    if _in_task():
        with worker_client() as own:
            yield own if client is None else client
    else:
        yield _default() if client is None else client


def has_client(client):
    """Whether there is a client: this one, unless it is None, or that of the process or the task."""
    return client is not None or _in_task() or _default() is not None


def check_wanted():
    """Raise a CancelledError in a task that was cancelled, which Dask lets run to its end."""
    if _in_task():
        worker = get_worker()
        task = worker.state.tasks.get(worker.get_current_task())
        if task is not None and task.state == "cancelled":
            raise CancelledError(f"{task.key} was cancelled")


def _in_task():
    try:
        get_worker()
    except ValueError:
        return False
    return True


def _default():
    try:
        return get_client()
    except ValueError:
        return None
