"""Shards on the workers of a Dask cluster: where they are, what they are told, and that lost ones are made anew."""

import pickle
from collections import defaultdict
from contextlib import ExitStack, suppress
from itertools import chain
from time import monotonic, sleep

import dask
from dask.utils import parse_timedelta
from distributed import wait
from distributed.core import clean_exception

from skrnn._training.loop import GradientsLost, History
from skrnn._training.partial_gradients import Nodes
from skrnn._training.sharding import Shards
from skrnn.dask._channel import CLOSED, packed, packed_by_dask, unpacked
from skrnn.dask._clients import check_wanted, client_for
from skrnn.dask._members import LOADING, Members
from skrnn.dask._placement import placed
from skrnn.dask._session import load
from skrnn.dask._sources import compute, sources
from skrnn.exceptions import ClusterError

# An epoch is a task of its own on each worker, and an event, if so much time has gone by since the last one
EPOCH_SECONDS = 0.5
# Of the events that are logged, one for each epoch
TOPIC = "skrnn"


class ClusterShards(Shards):
    """Shards on the workers of a cluster. A context manager, at whose end the workers are free.

    Parameters
    ----------
    make_shard : callable
        ``make_shard(number, parts)`` returns the `TrainingShard` of some partitions. It is sent to the workers.
    partitions : list of list of Delayed
        Those of each shard.
    client : distributed.Client, optional
        None is that of the task that calls, or the last one that was made.
    """

    def __init__(self, make_shard, partitions, client=None):
        self.make_shard, self.client, self.stack = make_shard, client, ExitStack()
        self.sources, self.n_shards = sources(partitions), len(partitions)
        self.members = None
        self.told = []              # method and arguments
        self.loading = {}           # the future of the task that makes a shard, by number
        self.n_sent = 0
        self.settled = None         # the number of losses of members after which everything was in its place
        self.task, self.task_began, self.history = ("skrnn-prepare", 0), monotonic(), History()

    def __enter__(self):
        # A task leaves its place on the worker to those of the session
        self.client = self.stack.enter_context(client_for(self.client))
        if self.client is None or self.client.asynchronous:
            self.stack.close()
            raise ValueError(
                f"client={self.client!r}: expected one that blocks, Client(..., asynchronous=False), or None where "
                "there is one in this process"
            )
        self.members = Members(self.client)
        return self

    def __exit__(self, *error):
        try:
            if error[0] is None:
                with suppress(ClusterError):        # trained, though nobody may be there any more who looks at it
                    self._log_epoch()
        finally:
            self.members.close()
            self.loading, self.settled = {}, None
            self.stack.close()
        if isinstance(error[1], Exception) and self.client.status in ("closing", "closed"):
            raise ClusterError(
                "The client of Dask was closed before the training was over. The estimator is as it was before"
            ) from error[1]

    def tell(self, method, *arguments):
        told, results, n_before = (method, self._of_shards(arguments)), {}, len(self.told)
        self._settle()
        while numbers := [s for s, n in enumerate(self.members.told(self.n_shards)) if n == n_before]:
            results.update(self._tell(*told, numbers))
            self._settle()
        self.told.append(told)
        return [results[s] for s in range(self.n_shards)]

    def ask(self, method, *arguments):
        arguments, results = self._of_shards(arguments), {}
        while numbers := [s for s in range(self.n_shards) if s not in results]:
            self._settle()
            results.update(self._call(method, arguments, numbers))
        return [results[s] for s in range(self.n_shards)]

    def gradients(self, theta, parts, seed):
        self._settle()
        part, n_stretches = self._round(theta, parts, seed)
        for n_left in reversed(range(n_stretches)):
            yield part
            if n_left:
                part, _ = self._round(theta, None, seed)

    def begin_epoch(self, history):
        check_wanted()
        self.history, self.members.n_lost = history, 0
        self.task = "skrnn-epoch", history.n_epochs + 1
        if self.is_settled and monotonic() - self.task_began > EPOCH_SECONDS:
            self.task_began = monotonic()
            self._log_epoch()
            self.members.submit_tasks(self.task)

    def _log_epoch(self):
        """Log an event of the epoch that has ended last."""
        if self.history.n_epochs:
            last = self.history.last
            event = {"epoch": self.history.n_epochs, "loss": last.loss, "score": last.score}
            self.members.ask_scheduler(self.client.log_event, TOPIC, event)

    # Messages

    def _of_shards(self, arguments):
        """The arguments of each shard, of lists that have one for each."""
        return list(zip(*arguments, strict=True)) if arguments else [()] * self.n_shards

    def _tell(self, method, arguments, numbers):
        """Call a method that changes shards, some of them; the results by number, of those that are not lost."""
        results = self._call(method, arguments, numbers)
        for member in self.members:
            for s in results.keys() & member.shards.keys():
                member.shards[s] += 1
        return results

    def _call(self, method, arguments, numbers):
        """Call a method of some shards; the results by number, of those that are not lost.

        Raises
        ------
        Exception
            That of the first shard that has raised one.
        """
        self.n_sent += 1
        waiting, results, failures = {}, {}, {}
        for member in self.members.holders():
            if shards := [s for s in numbers if s in member.shards]:
                waiting[member] = shards
                member.channel.send({
                    "do": "call", "call": self.n_sent, "method": method, "shards": shards,
                    "load": packed_by_dask([arguments[s] for s in shards]),
                })
        while waiting:
            member, received = self.members.receive()
            if received is CLOSED:
                waiting.pop(member, None)
            elif received.get("call") == self.n_sent:
                shards = waiting.pop(member)
                if received["do"] == "failed":
                    failures[received["shard"]] = received
                else:
                    results.update(zip(shards, unpacked(received["load"]), strict=True))
        if failures:
            raise_received(failures[min(failures)])
        return results

    def _round(self, theta, parts, seed):
        """The gradient of the next stretch of a batch, and how many it has; the first one has parts, the rows."""
        self.n_sent += 1
        rows = [None]       # by place in the tree
        if parts is not None:
            rows += [pickle.dumps({s: parts[s] for s in member.shards}) for member in self.members.holders()]
        message = {
            "do": "differentiate", "round": self.n_sent, "seed": seed, "begins": parts is not None,
            "load": packed(theta),
        }
        for channel, (first, last) in self.members.top.items():
            channel.send({**message, "rows": rows[first:last]})
        nodes, waiting, n_stretches = Nodes(self.n_shards), set(self.members.top), 0
        while waiting:
            member, received = self.members.receive()
            if received is CLOSED:
                raise GradientsLost(f"the worker {member.address} is gone")
            if received.get("call") == self.n_sent:
                raise_received(received)
            if received.get("round") == self.n_sent:
                waiting.discard(member.channel)
                n_stretches = max(n_stretches, received["n_stretches"])
                nodes.add(unpacked(received["load"]))
        return nodes.root, n_stretches

    # What has to be in its place before

    @property
    def is_settled(self):
        """Whether all shards are on workers, know all that they were told, and are served."""
        return self.settled == self.members.n_changes

    def _settle(self):
        """Bring everything into its place, at first and after members were lost."""
        while not self.is_settled:
            n_changes = self.members.n_changes
            for step in (self._recruit, self._place, self._load, self._serve, self._join, self._tell_again):
                step()
                if self.members.n_changes != n_changes or not self.members.by_address:
                    break
            else:
                self.settled = n_changes

    def _recruit(self):
        """Have as many members as there are workers and shards for them; other tasks can run on them."""
        self.members.pause()
        n_threads = self._workers()
        processing = self.members.ask_scheduler(self.client.processing)
        others = n_threads.keys() - self.members.by_address.keys()
        idle_first = sorted(others, key=lambda worker: (len(processing.get(worker, ())), worker))
        wanted = idle_first[: self.n_shards - len(self.members.by_address)]
        self.members.invite({worker: n_threads[worker] for worker in wanted})

    def _workers(self):
        """The workers of the cluster and their threads, as soon as there are any."""
        seconds = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
        began, waker = monotonic(), None
        while not (n_threads := self.members.known()):
            if monotonic() - began > seconds:
                raise ClusterError(
                    f"The Dask cluster at {self.client.scheduler.address} has no workers, and had none for "
                    f"{seconds:g} s (distributed.comm.timeouts.connect). Start some: cluster.scale(2)"
                )
            waker = waker or self.client.submit(int, pure=False, key=f"skrnn-wake-{self.members.name}")   # if adaptive
            sleep(0.1)
        return n_threads

    def _place(self):
        """Choose the worker of each shard that is on none, as soon as Dask has computed what is its to compute."""
        numbers = [s for s, n in enumerate(self.members.told(self.n_shards)) if n is None]
        compute([self.sources[s] for s in numbers], self.client)
        futures = {s: self.sources[s].futures for s in numbers}
        self.members.ask_scheduler(wait, list(chain(*futures.values())))
        places = placed(
            numbers, {member.address: member.n_threads for member in self.members}, self._held(futures),
            {member.address: len(member.shards) for member in self.members},
        )
        for s, address in places.items():
            self.members.by_address[address].shards[s] = LOADING
            self.loading.pop(s, None)

    def _held(self, futures):
        """By worker, of which shards it has partitions in memory."""
        held = defaultdict(list)
        for s, of_shard in futures.items():
            if of_shard:
                for worker in set(chain(*self.members.ask_scheduler(self.client.who_has, of_shard).values())):
                    held[worker].append(s)
        return held

    def _load(self):
        """Make the shards that are still to be made, on their workers."""
        n_changes = self.members.n_changes
        while self.members.n_changes == n_changes:
            for member in self.members:
                for s, told in member.shards.items():
                    if told == LOADING and s not in self.loading:
                        self.loading[s] = self._submit_load(member, s)
            self._take_loaded()
            if not self.loading:
                break
            self.members.receive()

    def _submit_load(self, member, s):
        task = self.client.submit(
            load, self.members.name, s, self.make_shard, self.sources[s].sent(), workers=[member.address],
            allow_other_workers=False, pure=False, key=(f"skrnn-load-{self.members.name}", s, self.members.n_changes),
        )
        task.add_done_callback(self.members.look)
        return task

    def _take_loaded(self):
        """Note which shards have been made."""
        for member in self.members:
            for s in member.shards.keys() & self.loading.keys():
                status = self.loading[s].status
                if status == "error":
                    raise self.loading[s].exception()
                if status != "pending":
                    del self.loading[s]
                if status == "finished":
                    member.shards[s] = 0
                    self.sources[s].forget()

    def _serve(self):
        self.task_began = monotonic()
        self.members.start_serving(self.task)

    def _join(self):
        self.members.join(self.n_shards)

    def _tell_again(self):
        """Tell shards that were made anew what the others were told before."""
        for n, told in enumerate(self.told):
            numbers = [s for s, n_told in enumerate(self.members.told(self.n_shards)) if n_told == n]
            if numbers:
                self._tell(*told, numbers)


def raise_received(message):
    """Raise the error that a shard has sent."""
    _, error, traceback = clean_exception(**message)
    raise error.with_traceback(traceback)
