"""Ways in which parameters may go to workers and the sum of their vectors come back: a round of each.

A worker returns the parameters as they came; the sum over W workers is W times the parameters.
"""

import multiprocessing
import socket
import struct
from contextlib import ExitStack
from functools import partial, reduce

import numpy as np
from contenders.skrnn_ import Echo, on_cluster

# The number of bytes before a vector
LENGTH = struct.Struct("q")


class SkrnnRound:
    """As `skrnn.dask` trains: one task on each worker, messages between the servers of the workers, in a tree."""

    def __init__(self, vector, client, n_workers):
        self.vector, self.stack = vector, ExitStack()
        self.shards = self.stack.enter_context(on_cluster(Echo, range(n_workers), client))

    def step(self):
        (part,) = self.shards.gradients(self.vector, [range(1)] * self.shards.n_shards, 0)
        self.sum = part.values * self.shards.n_shards       # the gradient of all shards is their mean

    def close(self):
        self.stack.close()


class Futures:
    """A Dask task on each worker, with the parameters among its arguments."""

    def __init__(self, vector, client, n_workers):
        self.vector, self.client = vector, client
        self.workers = sorted(client.scheduler_info(n_workers=-1)["workers"])[:n_workers]

    def step(self):
        futures = [
            self.client.submit(np.copy, self.vector, workers=[worker], pure=False) for worker in self.workers
        ]
        self.sum = sum(self.client.gather(futures))


class Actor:
    """What an actor has to do."""

    def gradient(self, vector):
        return vector


class DaskActors:
    """An actor of Dask on each worker."""

    def __init__(self, vector, client, n_workers):
        self.vector = vector
        workers = sorted(client.scheduler_info(n_workers=-1)["workers"])[:n_workers]
        made = [client.submit(Actor, actor=True, workers=[worker], pure=False) for worker in workers]
        self.actors = client.gather(made)

    def step(self):
        self.sum = sum(answer.result() for answer in [actor.gradient(self.vector) for actor in self.actors])


class RayActors:
    """An actor of Ray in each of so many processes."""

    def __init__(self, vector, n_workers):
        import ray

        ray.init(num_cpus=n_workers, include_dashboard=False, logging_level="error")
        self.ray, self.vector = ray, vector
        self.actors = [ray.remote(Actor).remote() for _ in range(n_workers)]

    def step(self):
        vector = self.ray.put(self.vector)
        self.sum = sum(self.ray.get([actor.gradient.remote(vector) for actor in self.actors]))

    def close(self):
        self.ray.shutdown()


class Processes:
    """Processes of this machine that are sent the parameters one after the other, and answer."""

    def __init__(self, serve, vector, n_workers):
        self.vector, self.ends, self.processes = vector, [], []
        for _ in range(n_workers):
            process, end = serve()
            self.processes.append(process)
            self.ends.append(end)

    def step(self):
        for send, _ in self.ends:
            send(self.vector)
        self.sum = reduce(np.add, [receive() for _, receive in self.ends])

    def close(self):
        for process in self.processes:
            process.terminate()


def serve_queues():
    """A process that answers by queues of multiprocessing: the process, and (send, receive) of this one."""
    context = multiprocessing.get_context("spawn")
    there, back = context.Queue(), context.Queue()
    process = context.Process(target=_answer, args=(there, back), daemon=True)
    process.start()
    return process, (there.put, back.get)


def _answer(there, back):
    while True:
        back.put(there.get())


def serve_sockets():
    """The same by a TCP socket, without Nagle's delay."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("spawn").Process(target=_echo, args=(listener.getsockname(),), daemon=True)
    process.start()
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return process, (partial(_send, connection), partial(_receive, connection))


def _echo(address):
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        _send(connection, _receive(connection))


def _send(connection, vector):
    connection.sendall(LENGTH.pack(vector.nbytes))
    connection.sendall(vector.data)


def _receive(connection):
    (n_bytes,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    return np.frombuffer(_exactly(connection, n_bytes), np.float32)


def _exactly(connection, n_bytes):
    buffer = bytearray(n_bytes)
    view = memoryview(buffer)
    while view:
        view = view[connection.recv_into(view) :]
    return buffer


def enter_skrnn(contest, vector, client, n_workers):
    """The way of `skrnn.dask`, alone: its tasks occupy the workers."""
    contest.enter("skrnn.dask", SkrnnRound, vector, client, n_workers)


def enter_others(contest, vector, client, n_workers):
    """Every other way."""
    contest.enter("sockets", Processes, serve_sockets, vector, n_workers)
    contest.enter("queues", Processes, serve_queues, vector, n_workers)
    contest.enter("Ray actors", RayActors, vector, n_workers)
    contest.enter("Dask actors", DaskActors, vector, client, n_workers)
    contest.enter("Dask futures", Futures, vector, client, n_workers)
