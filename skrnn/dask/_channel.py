"""Messages between a thread and another process, over a comm of Dask that an event loop reads and writes."""

import asyncio
from collections import deque

import numpy as np
from distributed.protocol import pickle, to_serialize

# What a channel receives last
CLOSED = {"do": "closed"}


class Channel:
    """A comm, made and used in an event loop, of which any thread can send.

    What is sent must not change until it has been answered: arrays are not copied before they are written.

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
                await self.comm.write(self.unwritten.popleft())
        except OSError:
            self.comm.abort()       # and whoever reads is told

    async def listen(self):
        """Receive until one of both ends closes the comm."""
        try:
            while True:
                self.receive(self, await self.comm.read())
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


def packed(thing):
    """Any object as part of a message: pickled, with the memory of its arrays beside it, which is not copied.

    Only `unpacked` looks into it, so that whatever cannot be read is an error of the thread that reads it, and not of
    the comm.
    """
    buffers = []
    data = pickle.dumps(thing, buffer_callback=buffers.append)
    return {"data": data, "buffers": [to_serialize(np.asarray(buffer.raw())) for buffer in buffers]}


def unpacked(message):
    """The object that `packed` was given."""
    return pickle.loads(message["data"], buffers=message["buffers"])


def packed_again(message):
    """What was `packed`, has been received, and is to be sent on."""
    return {**message, "buffers": [to_serialize(buffer) for buffer in message["buffers"]]}
