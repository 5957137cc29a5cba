"""The workers that take part in a training run, as the process that trains sees them.

Dask finds out who is gone and shows users what runs. Parameters and gradients travel between the servers of the workers
themselves, in a tree, while one task on each worker computes.
"""

import asyncio
import pickle
import random
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from uuid import uuid4

import dask
from dask.utils import parse_timedelta
from distributed.comm import connect
from distributed.core import clean_exception

from skrnn.dask._channel import CLOSED, Channel
from skrnn.dask._placement import below
from skrnn.dask._session import HANDLER, install, paused, serve
from skrnn.exceptions import ClusterError

# How long nothing may come before the scheduler is asked who is still there; how long tasks that have begun wait for
# those of other workers, before they give way to whatever it is that may wait for them
CHECK_SECONDS, YIELD_SECONDS = 5, 2
# What a shard was told that is still to be made
LOADING = -1
# Of the tasks that serve, among those that wait for the same worker
PRIORITY = 100


@dataclass(eq=False)
class Member:
    """A worker that takes part, or is asked to."""

    address: str
    n_threads: int
    channel: Channel | None = None
    shards: dict = field(default_factory=dict)      # by number: how much each was told, LOADING at first
    state: str = ""                                 # "begun", "busy" with another training, or "refused"
    opening: asyncio.Task | None = None
    error: Exception | None = None                  # why it was not reached, or cannot take part
    serving: int = 0                                # the turn of its last task that has begun
    tree: int = 0                                   # the last tree in which it is connected with those below

    def leave(self):
        """Take part no more; in the event loop."""
        self.opening.cancel()
        if self.channel is not None:
            self.channel.comm.abort()


class Members:
    """The workers of a session, and messages to and from them.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client):
        self.client, self.name, self.inbox = client, uuid4().hex, SimpleQueue()
        self.by_address, self.lost = {}, set()
        self.top = {}                   # those below this process in the tree, with their range in what is sent
        self.turn = self.tree = 0
        self.tasks = []
        self.n_changes = 0              # how many members have ever been lost
        self.n_lost = 0                 # of these, in this epoch, or before the first one
        self.n_at_most = 0
        self.needs_tasks = False        # whether tasks have to begin before anything else can
        self.paused_since = None

    def __iter__(self):
        return iter(list(self.by_address.values()))

    def holders(self):
        """Those that have shards, in the order of these."""
        return sorted((member for member in self if member.shards), key=lambda member: min(member.shards))

    def told(self, n_shards):
        """How much each shard was told; None if it is on no worker."""
        told = {s: n for member in self for s, n in member.shards.items()}
        return [told.get(s) for s in range(n_shards)]

    def receive(self, timeout=CHECK_SECONDS):
        """The next message, and the member that sent it, or None for one of this process.

        The last one of a member is `CLOSED`; it is a member no more then.

        Raises
        ------
        Empty
            When none came in a timeout that is shorter than usual.
        ClusterError
            When there are too many losses, or the scheduler is not there any more.
        """
        while True:
            try:
                member, message = self.inbox.get(timeout=timeout)
            except Empty:
                if timeout < CHECK_SECONDS:
                    raise
                self._close_unknown()
                self._raise_if_paused()
                continue
            if member is None:
                return None, message
            if message["do"] == "unreachable":      # for the one above it in the tree
                member, message = self.by_address.get(message["address"]), CLOSED
            if member is not None and self.by_address.get(member.address) is member:
                self._note(member, message)
                return member, message

    def look(self, task):
        """Let `receive` return: a task has ended."""
        self.inbox.put((None, {"do": "look"}))

    def _note(self, member, message):
        """Note what a message says of the state of a member."""
        do = message["do"]
        if do == "closed":
            self._lose(member)
        elif do in ("begun", "busy", "refused"):
            member.state, member.error = do, message.get("error")
        elif do == "serving":
            member.serving = message["turn"]
        elif do == "connected":
            member.tree = message["tree"]

    def _close_unknown(self):
        """Count those as gone that the scheduler does not know any more, such as machines that hang."""
        known = self.known()
        for member in self:
            if member.address not in known:
                self.inbox.put((member, CLOSED))

    def _raise_if_paused(self):
        """Wait for tasks only so long on workers where none begin."""
        waiting = self.ask_scheduler(self.client.run_on_scheduler, paused) & self.by_address.keys()
        if not (self.needs_tasks and waiting):
            self.paused_since = None
            return
        seconds = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
        self.paused_since = self.paused_since or monotonic()
        if monotonic() - self.paused_since > seconds:
            raise ClusterError(
                f"Dask has paused {', '.join(sorted(waiting))} for more than {seconds:g} s "
                "(distributed.comm.timeouts.connect), because of the memory in use there: the shards need more. "
                "Take more workers, or workers with more memory. The estimator is as it was before"
            )

    def _lose(self, member):
        self._forget(member)
        self.lost.add(member.address)
        self.n_changes += 1
        self.n_lost += 1
        if self.n_lost > max(dask.config.get("distributed.scheduler.allowed-failures"), self.n_at_most):
            raise ClusterError(
                f"{self.n_lost} workers were lost, one after the other, within an epoch or before the first one, at "
                f"last {member.address}. Look into the logs of the workers: most often the shards need more memory "
                "than they have. The estimator is as it was before"
            )

    def _forget(self, member):
        del self.by_address[member.address]
        self.client.loop.add_callback(member.leave)

    def known(self):
        """The threads of the workers that the scheduler knows, by address, without those that were lost.

        It may be told later than this process that one of these is gone; one that cannot be reached may be there.
        """
        n_threads = self.ask_scheduler(self.client.nthreads)
        return {address: n for address, n in n_threads.items() if address not in self.lost}

    def ask_scheduler(self, question, *arguments, **options):
        """What a call of a method of the client returns.

        Raises
        ------
        ClusterError
            When the scheduler is not there any more.
        """
        try:
            return question(*arguments, **options)
        except OSError as error:
            raise ClusterError(
                f"The scheduler of Dask at {self.client.scheduler.address} does not answer any more: {error}. "
                "The estimator is as it was before: fit it again with a client of another one"
            ) from error

    def invite(self, n_threads):
        """Make workers members that are none, where they can be reached and take part in no other training.

        When there are no members, wait until other trainings are over. Workers are asked in the order of their
        addresses, one after the other, so that no two trainings wait for each other.

        Parameters
        ----------
        n_threads : dict of str to int
            By address.
        """
        addresses = sorted(n_threads.keys() - self.by_address.keys())
        must_wait, unreached = not self.by_address, {}
        for address in addresses:
            # A member before it is asked, which an interrupt does not forget
            member = self.by_address[address] = Member(address, n_threads[address])
            self.client.loop.add_callback(self._open, member, must_wait)
            while self.by_address.get(address) is member and not member.state:
                self.receive()
            if member.state in ("busy", "refused"):
                self._forget(member)
            if isinstance(member.error, OSError):
                unreached[address] = member.error
            elif member.error is not None:
                raise member.error
        if not self.by_address and (addresses := sorted(unreached.keys() & self.known().keys())):
            error = unreached[addresses[0]]
            raise ClusterError(
                f"This process cannot reach the workers at {', '.join(addresses)}. Call fit where they can be reached, "
                f"in a task: client.submit(net.fit, X, y).result(). {error}"
            ) from error
        self.n_at_most = max(self.n_at_most, len(self.by_address))

    def _open(self, member, wait):
        member.opening = asyncio.create_task(self._begin(member, wait))

    async def _begin(self, member, wait):
        """Connect with a worker, and ask it to take part."""
        try:
            comm = await connect(member.address, **self.client.security.get_connection_args("client"))
            member.channel = Channel(comm, lambda channel, message: self.inbox.put((member, message)))
            await comm.write({"op": "run", "function": pickle.dumps(install)})
            answer = await comm.read()
            if answer["status"] != "OK":
                raise clean_exception(**answer)[1]
            await comm.write({"op": HANDLER, "session": self.name, "leads": True, "wait": wait})
        except Exception as error:
            self.inbox.put((member, {"do": "refused", "error": error}))
        else:
            member.channel.start()

    def pause(self):
        """Let the tasks return that serve: others can run on the workers then."""
        self.needs_tasks = True
        self.turn += 1
        self._announce_turn()

    def _announce_turn(self):
        for member in self:
            member.channel.send({"do": "turn", "turn": self.turn})

    def submit_tasks(self, name):
        """Submit the task of each member that serves next, and let those return that serve now.

        Parameters
        ----------
        name : tuple
            A word and a number, which the dashboard shows.
        """
        self.turn += 1
        self.tasks = [
            self.client.submit(
                serve, self.name, self.turn, workers=[member.address], allow_other_workers=False, pure=False,
                priority=PRIORITY, key=(f"{name[0]}-{self.name}", name[1], self.turn, min(member.shards)),
            )
            for member in self.holders()
        ]
        for task in self.tasks:
            task.add_done_callback(self.look)
        self._announce_turn()

    def start_serving(self, name):
        """Return when a task serves on each member that has shards, or one of these is gone.

        Where some have begun and others are waited for, there may be others that wait for the former, as two trainings
        by other libraries would: now and then the tasks give way.
        """
        holders = self.holders()
        while True:
            self.submit_tasks(name)
            began = None
            while any(member.serving < self.turn for member in holders):
                if began is None and any(member.serving == self.turn for member in holders):
                    began = monotonic()
                self._raise_error_of_task()
                try:
                    _, message = self.receive(min(CHECK_SECONDS, YIELD_SECONDS / 4) if began else CHECK_SECONDS)
                    if message is CLOSED:
                        return
                except Empty:
                    pass
                if began is not None and monotonic() - began > YIELD_SECONDS * (1 + random.random()):
                    break
            else:
                return
            self._raise_if_paused()
            self.client.cancel(self.tasks)
            self.pause()
            sleep(YIELD_SECONDS * random.random())

    def _raise_error_of_task(self):
        for task in self.tasks:
            if task.status == "error":
                raise task.exception()

    def join(self, n_shards):
        """Join the members that have shards in a new tree; return when it stands, or one of them is gone."""
        self.needs_tasks = False
        self.tree += 1
        holders = self.holders()
        nodes = [(0, len(holders) + 1)]         # this process, and one after the other those below it
        for node, last in nodes:
            children = below(node, last)
            nodes += children
            if node == 0:
                self.top = {holders[child - 1].channel: (child, end) for child, end in children}
                continue
            holders[node - 1].channel.send({
                "do": "connect", "session": self.name, "tree": self.tree, "n_shards": n_shards,
                "below": [(holders[child - 1].address, child - node, end - node) for child, end in children],
            })
        while any(member.tree < self.tree for member in holders):
            _, message = self.receive()
            if message is CLOSED:
                return

    def close(self):
        """End the session: the workers are free."""
        for member in self:
            self._forget(member)
        self.tasks = []
