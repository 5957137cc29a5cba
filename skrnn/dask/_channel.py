"""Messages between a thread and another process, over a comm of Dask that an event loop reads and writes."""

import asyncio
import pickle
from collections import deque
from functools import partial

import numpy as np
from distributed.protocol import pickle as dask_pickle
from distributed.protocol import to_serialize

# What a channel receives last
CLOSED = {"do": "closed"}
# Bytes of an array from which on copying it twice takes longer than what Dask does for each array that is not copied
LARGE = 2**17


class Channel:
    """A comm, made and used in an event loop, of which any thread can send.

    A message is a dict; what is `packed` in it stands under "load". It must not change until it has been answered:
    arrays are not copied before they are written.

    Parameters
    ----------
    comm : distributed.comm.Comm
    receive : callable
        ``receive(channel, message)`` is called in the event loop with each message, and at last with `CLOSED`.
    """

    def __init__(self, comm, receive):
        self.comm, self.receive = comm, receive
        self.loop = asyncio.get_running_loop()
        self.unwritten, self.writer, self.listening = deque(), None, None

    def send(self, message):
        """Send a message, soon, from any thread."""
        self.loop.call_soon_threadsafe(self.post, message)

    def post(self, message):
        """Send a message, from the thread of the event loop."""
        self.unwritten.append(message)
        if self.writer is None or self.writer.done():
            self.writer = self.loop.create_task(self._write())

    async def _write(self):
        try:
            while self.unwritten:
                await self.comm.write(_written(self.unwritten.popleft()))
        except OSError:
            self.comm.abort()       # and whoever reads is told

    async def listen(self):
        """Receive until one of both ends closes the comm."""
        try:
            while True:
                self.receive(self, _read(await self.comm.read()))
        except OSError:
            pass
        finally:
            self.comm.abort()
            self.receive(self, CLOSED)

    def start(self):
        """Listen, in a task of its own."""
        self.listening = self.loop.create_task(self.listen())

    def close(self):
        """Close the comm, from any thread; what was sent before and is not written yet is lost."""
        self.loop.call_soon_threadsafe(self.comm.abort)


def _written(message):
    """A message with a load, as a flat list: Dask takes more time for the parts of a dict than for bytes in a list."""
    if "load" not in message:
        return message
    return [pickle.dumps({key: value for key, value in message.items() if key != "load"}), *message["load"]]


def _read(written):
    """The message that was written."""
    if isinstance(written, dict):
        return written
    return {**pickle.loads(written[0]), "load": written[1:]}


def packed(thing, dumps=pickle.dumps):
    """Any object as the load of a message: pickled, with the memory of its arrays beside it.

    Only `unpacked` looks into it, so that whatever cannot be read is an error of the thread that reads it, and not of
    the comm.

    Parameters
    ----------
    thing : object
    dumps : callable
        `packed_by_dask` has that of Dask, which is slower and takes what a notebook has defined, too.

    Returns
    -------
    load : list
    """
    buffers = []
    data = dumps(thing, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    return [data, *(_part(buffer.raw()) for buffer in buffers)]


packed_by_dask = partial(packed, dumps=dask_pickle.dumps)


def _part(memory):
    """The memory of an array as part of a message."""
    return memory if memory.nbytes < LARGE else to_serialize(np.asarray(memory))


def unpacked(load):
    """The object that was packed, whose arrays can be written."""
    data, *buffers = load
    return pickle.loads(data, buffers=[bytearray(part) if isinstance(part, bytes) else part for part in buffers])


def packed_again(load):
    """What was packed, has been received, and is to be sent on."""
    return [part if isinstance(part, bytes) else _part(memoryview(part)) for part in load]
