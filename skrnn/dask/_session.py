"""What a worker does for a training run: it has some of the shards, and answers the process that trains."""

import asyncio
import math
import pickle
from queue import SimpleQueue
from threading import Lock

from distributed import get_worker
from distributed.comm import connect
from distributed.core import Status, error_message

from skrnn._training.partial_gradients import Nodes
from skrnn._training.sharding import seed_of_shard
from skrnn.dask._channel import CLOSED, Channel, packed, packed_again, packed_by_dask, unpacked

# The name of the handler of a worker's server, and of its sessions among the extensions of the worker
HANDLER = "skrnn_session"


def install(dask_worker):
    """Make a worker's server know what a session is; the name of the argument is Dask's."""
    if HANDLER not in dask_worker.extensions:
        dask_worker.extensions[HANDLER] = Sessions(dask_worker)


def paused(dask_scheduler):
    """The addresses of the workers that Dask has paused, for their memory; the name of the argument is Dask's."""
    return {address for address, state in dask_scheduler.workers.items() if state.status == Status.paused}


class Sessions:
    """The training runs that a worker takes part in: one at a time, others wait.

    Parameters
    ----------
    worker : distributed.Worker
    """

    def __init__(self, worker):
        self.worker, self.by_name, self.free = worker, {}, asyncio.Lock()
        worker.handlers[HANDLER] = self.join

    async def join(self, comm, session, leads, wait=True):
        """Serve a comm until it is closed.

        Parameters
        ----------
        comm : distributed.comm.Comm
            Closed at once where there is no session of this name.
        session : str
        leads : bool
            Whether the comm is that of the process that trains, which begins the session, and ends it; otherwise it is
            that of the worker above this one in the tree.
        wait : bool
            Whether to wait for the end of another session, or to say that there is one.
        """
        if leads:
            await self._lead(comm, session, wait)
        elif session in self.by_name:
            await Channel(comm, self.by_name[session].receive).listen()
        comm.abort()
        return Status.dont_reply

    async def _lead(self, comm, name, wait):
        session = Session(self.worker)
        session.leader = Channel(comm, session.receive)
        listening = asyncio.create_task(session.leader.listen())
        if self.free.locked() and not wait:
            session.leader.post({"do": "busy"})
            await listening
            return
        claiming = asyncio.create_task(self.free.acquire())
        await asyncio.wait([listening, claiming], return_when=asyncio.FIRST_COMPLETED)
        if not claiming.done():
            claiming.cancel()
            return
        self.by_name[name] = session
        try:
            session.leader.post({"do": "begun"})
            await listening
        finally:
            session.end()
            del self.by_name[name]
            self.free.release()


def session_here(name):
    """The session of the worker that runs this task; None where it has ended."""
    sessions = get_worker().extensions.get(HANDLER)
    return sessions and sessions.by_name.get(name)


def load(name, number, make_shard, parts):
    """Make a shard on the worker that runs this task, unless the session has ended.

    Parameters
    ----------
    name : str
        Of the session.
    number : int
    make_shard : callable
        ``make_shard(number, parts)`` returns the shard.
    parts : list or Recipe
        The partitions of X that it consists of, or how they are computed.
    """
    session = session_here(name)
    if session is not None:
        session.shards[number] = make_shard(number, parts)


def serve(name, turn):
    """Compute what the process that trains asks for, until it is the turn of the next task or the session ends."""
    session = session_here(name)
    if session is not None:
        with session.one_task:
            session.serve(turn)


class Session:
    """A worker's part in a training run: messages come and go in the event loop, a task of Dask computes.

    Parameters
    ----------
    worker : distributed.Worker
    """

    def __init__(self, worker):
        self.worker, self.shards, self.inbox, self.one_task = worker, {}, SimpleQueue(), Lock()
        self.turn = 0           # of the task that may serve
        self.leader = None      # the channel to the process that trains
        self.below = {}         # the channels to workers, with the range of theirs among the rows that are sent
        self.n_shards = 0       # of all workers
        self.theta = None
        self.connecting = None

    def receive(self, channel, message):
        """Take a message, in the event loop. Parameters are passed on at once to the workers below."""
        do = message["do"]
        if do == "connect":
            self.connecting = asyncio.create_task(self._connect(**message))
            return
        if do == "turn":
            # A worker that Dask has paused begins no tasks: the one that serves goes on
            if self.worker.status != Status.paused:
                self.turn = message["turn"]
        elif do == "differentiate":
            for child, (first, last) in self.below.items():
                child.post({**message, "rows": message["rows"][first:last], "load": packed_again(message["load"])})
        self.inbox.put((channel, message))

    async def _connect(self, do, session, tree, n_shards, below):
        """Connect with the workers below this one in the tree of all, in the place of those of before."""
        self._disconnect()
        self.n_shards = n_shards
        for address, first, last in below:
            try:
                comm = await connect(address, **self.worker.security.get_connection_args("worker"))
                await comm.write({"op": HANDLER, "session": session, "leads": False})
            except OSError:
                self.leader.post({"do": "unreachable", "address": address})
                return
            child = Channel(comm, self.receive)
            child.address = address
            child.start()
            self.below[child] = first, last
        self.leader.post({"do": "connected", "tree": tree})

    def _disconnect(self):
        below, self.below = self.below, {}
        for child in below:
            child.comm.abort()

    def end(self):
        """Let the task that serves return; in the event loop."""
        if self.connecting is not None:
            self.connecting.cancel()
        self._disconnect()
        self.turn = math.inf
        self.inbox.put((self.leader, CLOSED))

    def serve(self, turn):
        """Answer messages, in the thread that calls this, for as long as it is its turn."""
        self.leader.send({"do": "serving", "turn": turn})
        following = None
        while turn >= self.turn:
            channel, message = following or self.inbox.get()
            following = None
            if message["do"] == "call":
                self._call(message)
            elif message["do"] == "differentiate":
                following = self._differentiate(channel, message)

    def _call(self, message):
        """Call a method of shards, for each with its arguments, and send the results or the first error."""
        results, number = [], message["call"]
        try:
            arguments = unpacked(message["load"])
            for number_of_shard, of_shard in zip(message["shards"], arguments, strict=True):
                results.append(getattr(self.shards[number_of_shard], message["method"])(*of_shard))
            answer = {"do": "answer", "call": number, "load": packed_by_dask(results)}
        except Exception as error:
            shard = message["shards"][min(len(results), len(message["shards"]) - 1)]
            answer = {"do": "failed", "call": number, "shard": shard, **error_message(error)}
        self.leader.send(answer)

    def _differentiate(self, channel, message):
        """Send the gradients of the shards here and of the workers below, put together, to whom the message came from.

        Returns
        -------
        message : tuple or None
            A message that came meanwhile and is not of this round, which has been given up for it.
        """
        number = message["round"]
        try:
            n_stretches, leaves = self._own_gradients(message)
        except Exception as error:
            self.leader.send({"do": "failed", "call": number, "shard": min(self.shards), **error_message(error)})
            return None
        nodes, waiting = Nodes(self.n_shards, leaves), set(self.below)
        while waiting:
            sender, received = self.inbox.get()
            if received["do"] == "gradient":
                if received["round"] == number:
                    waiting.discard(sender)
                    n_stretches = max(n_stretches, received["n_stretches"])
                    nodes.add(unpacked(received["load"]))
            elif received["do"] != "closed" or sender is self.leader:
                return sender, received
            elif sender in waiting:
                self.leader.send({"do": "unreachable", "address": sender.address})
                return None
        channel.send({"do": "gradient", "round": number, "n_stretches": n_stretches, "load": packed(nodes.parts)})
        return None

    def _own_gradients(self, message):
        """The number of stretches of a batch, and the gradients of the next one, of the shards here, as leaves."""
        theta, n_stretches = unpacked(message["load"]), 0
        if message["begins"]:
            self.theta, seed = theta.copy(), message["seed"]
            for number, rows in pickle.loads(message["rows"][0]).items():
                begun = self.shards[number].begin_batch(self.theta, rows, seed_of_shard(seed, number))
                n_stretches = max(n_stretches, begun)
        else:
            self.theta[:] = theta
        return n_stretches, {(number, number + 1): shard.next_gradient() for number, shard in self.shards.items()}
