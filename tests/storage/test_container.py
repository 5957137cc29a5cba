"""Files of arrays and texts: what is written is read, and nothing that is wrong gets far."""

import hashlib
import json
import os

import numpy as np
import pytest
from same import assert_same

from skrnn._storage import container
from skrnn.exceptions import ModelFileError

TEXTS = {"format": "skrnn", "model": 'quotes " and ü €'}
ARRAYS = {
    "f8": np.array([[1.5, -0.0, np.nan], [np.inf, 1e-310, 3.0]]), "f4": np.float32([1.5, 2]), "f2": np.float16([0.5]),
    "i1": np.int8([[-3]]), "i8": np.arange(5), "u4": np.uint32([7]), "none": np.empty((0, 3)),
    "bools": np.array([True, False]), "scalar": np.array(2.5),
}


def written(path, arrays=ARRAYS, texts=TEXTS):
    container.write(path, arrays, texts)
    return path.read_bytes()


def file_of(header, data=b"", n_header=None):
    """The bytes of a file with any header and the checksum that goes with it."""
    if not isinstance(header, bytes):
        header = json.dumps({"__metadata__": {"sha256": "0" * 64}} | header, separators=(",", ":")).encode()
    start = (len(header) if n_header is None else n_header).to_bytes(8, "little")
    digits = hashlib.sha256(start + header + data).hexdigest().encode()
    return start + header.replace(b"0" * 64, digits, 1) + data


def test_what_is_written_is_read(tmp_path):
    written(tmp_path / "file")
    arrays, texts = container.read(tmp_path / "file")
    assert {name: text for name, text in texts.items() if name != "sha256"} == TEXTS
    assert_same(dict(sorted(arrays.items())), dict(sorted(ARRAYS.items())))
    assert all(array.flags.writeable and array.flags.aligned for array in arrays.values())


def test_arrays_in_any_order_of_bytes_and_memory(tmp_path):
    array = np.arange(6.0).reshape(2, 3)
    columns = np.asfortranarray(array)
    written(tmp_path / "file", {"big": array.astype(">f8"), "columns": columns, "every": array[:, ::2]})
    read, _ = container.read(tmp_path / "file")
    assert_same(read["big"], array)
    assert_same(read["columns"], array)
    assert_same(read["every"], array[:, ::2].copy())


def test_safetensors_reads_it_and_is_read(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    content = written(tmp_path / "file")
    assert_same(dict(sorted(numpy.load(content).items())), dict(sorted(ARRAYS.items())))


def test_a_file_of_others_in_this_layout_is_none_of_ours(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"a": np.ones(3)}, tmp_path / "file", {"format": "pt"})
    with pytest.raises(ModelFileError, match="no model file of skrnn"):
        container.read(tmp_path / "file")


def entry(dtype="F64", shape=(2,), data_offsets=(0, 16), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(data_offsets), **more}


@pytest.mark.parametrize(("header", "data", "message"), [
    # values and types
    ({"a": entry(dtype="F65")}, 16, "'F65', expected one of"),
    ({"a": entry(dtype=["F64"])}, 16, "expected one of"),
    ({"a": entry(shape=[-2])}, 16, r"has \[-2\], expected up to 32 sizes"),
    ({"a": entry(shape=[2.0])}, 16, "sizes"),
    ({"a": entry(shape=[True])}, 16, "sizes"),
    ({"a": entry(shape=[2**63])}, 16, "sizes"),
    ({"a": entry(shape=[1] * 33)}, 16, "sizes"),
    ({"a": entry(shape=[2**32, 2**32])}, 16, "without gaps"),       # whose product overflows 64 bits
    ({"a": entry(shape=[0, 2**62, 4], data_offsets=[0, 0])}, 0, "too big"),
    ({"a": entry(data_offsets=[0])}, 16, "the first and the last"),
    ({"a": entry(data_offsets=[16, 0])}, 16, "the first and the last"),
    ({"a": entry(data_offsets=[0, 2**40])}, 16, "without gaps"),
    ({"a": entry(more=1)}, 16, "and nothing else"),
    ({"a": 1}, 16, "and nothing else"),
    # places
    ({"a": entry(), "b": entry()}, 16, "without gaps"),
    ({"a": entry(data_offsets=[8, 24])}, 24, "without gaps"),
    ({"a": entry()}, 24, "end at 16 of 24 bytes"),
    ({}, 8, "end at 0 of 8 bytes"),
    ({"a": entry("BOOL", [1], [0, 1])}, b"\2", "no bools"),
    # JSON
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},"a":NaN}', b"", "the number NaN"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},"a":1e999}', b"", "the number 1e999"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},"a":1,"a":1}', b"", "a key that repeats"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'","x":1}}', b"", "are not texts"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"}', b"", "not JSON"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},"a":' + b"[" * 10**5, b"", "not JSON"),
    (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'"},"\xff":1}', b"", "not JSON"),
])
def test_a_header_that_is_wrong_though_its_checksum_is_right(header, data, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(file_of(header, bytes(data) if isinstance(data, int) else data))
    with pytest.raises(ModelFileError, match=message):
        container.read(path)


@pytest.mark.parametrize("content", [
    b"", b"1234567", (2**63).to_bytes(8, "little"), (10).to_bytes(8, "little") + b"{}", bytes(200),
    file_of({}, n_header=2**40), file_of(b"{}" + b" " * 100),
])
def test_what_is_no_file_of_ours(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ModelFileError, match="no model file"):
        container.read(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="no such device")
def test_a_file_without_an_end():
    with pytest.raises(ModelFileError, match="no file with an end"):
        container.read("/dev/zero")


def test_a_view_of_memory_that_is_not_aligned(tmp_path):
    header = {"b": entry("BOOL", [1], [0, 1]), "a": entry(data_offsets=[1, 17])}
    (tmp_path / "file").write_bytes(file_of(header, b"\1" + np.array([1.5, 2.5]).tobytes()))
    arrays, _ = container.read(tmp_path / "file")
    assert arrays["a"].tolist() == [1.5, 2.5]
    assert arrays["a"].flags.aligned


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_that_nobody_writes_to(tmp_path):
    """Is not waited for, and is not replaced by a file."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="no file with an end"):
        container.read(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="a folder or a device"):
        written(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("path", ["", ".", "folder"])
def test_a_folder(path, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileExistsError, match="a folder or a device"):
        container.write(path, ARRAYS, TEXTS)
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("path", [0, True, None, 1.5])
def test_what_is_no_path(path):
    """A number is none, though `open` takes it for an open file, which it would close."""
    for call in (container.read, lambda path: container.write(path, ARRAYS, TEXTS)):
        with pytest.raises(TypeError, match="PathLike"):
            call(path)


def test_bytes_and_long_names_are_paths(tmp_path):
    path = tmp_path / ("n" * 250)
    container.write(os.fsencode(path), ARRAYS, TEXTS)
    arrays, _ = container.read(os.fsencode(path))
    assert_same(dict(sorted(arrays.items())), dict(sorted(ARRAYS.items())))


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    written(tmp_path / "file")
    (tmp_path / "file").chmod(0o600)
    written(tmp_path / "file", {"a": np.ones(2)})
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
