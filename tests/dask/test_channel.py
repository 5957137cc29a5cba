"""Messages arrive as they were sent, arrays of any size with them, and what cannot be read waits for its reader."""

import asyncio
import pickle

import numpy as np
import pytest
from distributed.comm import connect, listen

from skrnn.dask._channel import CLOSED, LARGE, Channel, packed, packed_again, packed_by_dask, unpacked


async def passed_on(address, *messages):
    """What arrives of messages to a listener that sends them on, and at last that both ends are closed."""
    received, arrived = [], asyncio.Event()

    def receive(_, message):
        received.append(message)
        arrived.set()

    def send_on(channel, message):
        if message is not CLOSED:
            channel.post({**message, "load": packed_again(message["load"])} if "load" in message else message)

    async def handle(comm):
        await Channel(comm, send_on).listen()

    async with listen(address, handle) as listener:
        channel = Channel(await connect(listener.contact_address), receive)
        channel.start()
        for message in messages:
            arrived.clear()
            channel.send(message)
            await arrived.wait()
        channel.close()
        await channel.listening
    return received


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "inproc://"])
@pytest.mark.parametrize("pack", [packed, packed_by_dask])
def test_arrays_arrive_as_they_were_and_can_be_written(address, pack):
    sizes = [0, 1, LARGE // 8 - 1, LARGE // 8, 2 * LARGE]
    arrays = [np.random.default_rng(n).normal(size=n) for n in sizes]
    messages = [{"do": "it", "load": pack({"a": array})} for array in arrays]
    *received, closed = asyncio.run(passed_on(address, *messages))
    assert closed is CLOSED
    for array, message in zip(arrays, received, strict=True):
        arrived = unpacked(message["load"])["a"]
        assert message["do"] == "it"
        assert arrived.tobytes() == array.tobytes()
        arrived += 1


def test_messages_without_a_load_stay_as_they_are():
    messages = {"do": "turn", "turn": 3}, {"do": "failed", "status": "error", "exception": b"e"}
    assert asyncio.run(passed_on("tcp://127.0.0.1:0", *messages)) == [*messages, CLOSED]


class Unreadable:
    def __reduce__(self):
        return pickle.loads, (b"nothing",)


def test_what_cannot_be_read_is_an_error_where_it_is_unpacked():
    received, closed = asyncio.run(passed_on("tcp://127.0.0.1:0", {"do": "it", "load": packed(Unreadable())}))
    assert (received["do"], closed) == ("it", CLOSED)
    with pytest.raises(pickle.UnpicklingError):
        unpacked(received["load"])


def test_what_is_defined_in_a_notebook_is_packed_by_dask():
    assert unpacked(packed_by_dask(lambda x: x + 1))(2) == 3
