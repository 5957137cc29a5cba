"""Files of named arrays and texts in the layout of safetensors, with a checksum, checked before anything is made.

    8 bytes     length H of the header, little-endian
    H bytes     JSON: {"__metadata__": {"sha256": …, further texts}, name: {"dtype", "shape", "data_offsets"}, …}
    the rest    the arrays one after the other, little-endian, in C order, without gaps

The checksum stands first, at a place that is known, and is that of the file with zeros in its place: it is compared
before the header is read. https://huggingface.co/docs/safetensors
"""

import hashlib
import json
import math
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import numpy as np

from skrnn.exceptions import ModelFileError

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U64": "<u8",
    "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1",
}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
METADATA = "__metadata__"
# What a file begins with after the length of its header, up to the checksum, and the rest of the begin
BEGIN, N_DIGITS, AFTER = b'{"__metadata__":{"sha256":"', 64, b'"'
LENGTH = 8
# As of safetensors
MAX_HEADER = 100_000_000
ALIGNMENT = 8
MAX_DIMENSIONS = 32


def is_storable(dtype):
    """Whether arrays of a dtype can be in a file."""
    return np.dtype(dtype).newbyteorder("<") in NAMES


def write(path, arrays, texts):
    """Write a file: all of it, or what was there stays.

    Parameters
    ----------
    path : str or path
    arrays : dict of str to array
    texts : dict of str to str
    """
    arrays = {name: _as_stored(array) for name, array in arrays.items()}
    # Wide numbers first: all are then aligned
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))
    header = _header(arrays, texts)
    replace_file(path, [len(header).to_bytes(LENGTH, "little"), header, *map(memoryview, map(_bytes, arrays.values()))])


def _as_stored(array):
    """An array as its bytes are in a file."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _bytes(array):
    return array.reshape(-1).view(np.uint8)


def _header(arrays, texts):
    """The header with its checksum."""
    entries, first = {METADATA: {"sha256": "0" * N_DIGITS, **texts}}, 0
    for name, array in arrays.items():
        end = first + array.nbytes
        entries[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [first, end]}
        first = end
    header = json.dumps(entries, separators=(",", ":"), allow_nan=False).encode("ascii")
    header += b" " * (-len(header) % ALIGNMENT)
    if len(header) > MAX_HEADER:
        raise ModelFileError(f"a header of {len(header)} bytes is longer than model files have, {MAX_HEADER}")
    checksum = hashlib.sha256(len(header).to_bytes(LENGTH, "little") + header)
    for array in arrays.values():
        checksum.update(_bytes(array))
    return header.replace(b"0" * N_DIGITS, checksum.hexdigest().encode("ascii"), 1)


def replace_file(path, parts):
    """Write the bytes of parts to a file, by a temporary file in its folder that takes its place at the end."""
    target = Path(os.path.realpath(os.fsdecode(path)))      # of a link the file that it leads to
    mode = None
    if target.exists():
        if not target.is_file():
            raise FileExistsError(f"{target} is no file that could be replaced, but a folder or a device")
        mode = stat.S_IMODE(target.stat().st_mode)
    temporary = target.with_name(f".{secrets.token_hex(8)}.skrnn.tmp")
    try:
        with open(temporary, "xb") as file:
            if os.name == "posix" and mode not in (None, stat.S_IMODE(os.fstat(file.fileno()).st_mode)):
                os.fchmod(file.fileno(), mode)      # who may read the file that it replaces may read it
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":              # that the new name lasts, too
        with suppress(OSError):         # of folders that cannot be read, and file systems that know no fsync of one
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def read(path):
    """The arrays and texts of a file, two dicts by name. The arrays share one memory of the file's size.

    Raises
    ------
    ModelFileError
        For whatever is wrong with the file.
    OSError
        If it cannot be read.
    """
    with open(os.fsdecode(path), "rb", opener=_opened) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(f"{path} is no file with an end, expected one that skrnn.save has written")
        header, data = _read_checked(file, status.st_size, path)
    entries = strict_json(header, f"{path}: the header")
    try:
        texts = _texts_of(entries)
        arrays = _arrays_of(entries, data)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    return arrays, texts


def _opened(path, flags):
    """A descriptor; that of a pipe at once, without a wait for whoever writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_checked(file, size, path):
    """The header and the data, bytes and a uint8 array, of a file whose checksum is right."""
    start = file.read(LENGTH)
    n_header = int.from_bytes(start, "little")
    n_data = size - LENGTH - n_header
    at_least = len(BEGIN) + N_DIGITS + len(AFTER)
    if len(start) < LENGTH or not at_least <= n_header <= MAX_HEADER or n_data < 0:
        raise ModelFileError(f"{path} is no model file of skrnn, or only the begin of one")
    header, data = bytearray(file.read(n_header)), np.empty(n_data, np.uint8)
    n_read = file.readinto(memoryview(data)) if n_data else 0
    if len(header) < n_header or n_read < n_data or file.read(1):
        raise ModelFileError(f"{path} changed while it was read")
    digits = slice(len(BEGIN), len(BEGIN) + N_DIGITS)
    if not header.startswith(BEGIN) or not header.startswith(AFTER, digits.stop):
        raise ModelFileError(f"{path} is no model file of skrnn: its header does not begin with a checksum")
    found, header[digits] = bytes(header[digits]), b"0" * N_DIGITS
    checksum = hashlib.sha256(start + header)
    checksum.update(data)
    if found != checksum.hexdigest().encode("ascii"):
        raise ModelFileError(f"{path} is damaged: its checksum is not that of its content")
    return bytes(header), data


def strict_json(text, where):
    """What a JSON text says: a ModelFileError for what is none, for a key that repeats, NaN and infinities."""
    def finite(digits):
        number = float(digits)
        return number if math.isfinite(number) else constant(digits)

    def pairs(items):
        found = dict(items)
        if len(found) < len(items):
            raise ModelFileError(f"{where} has an object with a key that repeats")
        return found

    def constant(name):
        raise ModelFileError(f"{where} has the number {name[:40]}, which is none of float64 that is finite")

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=finite)
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{where} is not JSON that can be read: {error}") from error


def _texts_of(entries):
    """The texts of a header."""
    texts = entries.pop(METADATA)
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ModelFileError("the metadata are not texts")
    return texts


def _arrays_of(entries, data):
    """The arrays that a header names, as views of the data (n,) uint8, which they are all of."""
    arrays, end = {}, 0
    placed = {name: _checked_entry(name, entry) for name, entry in entries.items()}
    for name, (dtype, shape, first, last) in sorted(placed.items(), key=lambda item: item[1][2:]):
        if first != end or last - first != math.prod(shape) * dtype.itemsize or last > len(data):
            raise ModelFileError(
                f"the array {name!r} of {dtype}, shape {tuple(shape)}, has the bytes {first} to {last} after {end}, "
                f"of {len(data)}: expected arrays without gaps between them"
            )
        arrays[name], end = _array(name, data[first:last], dtype, shape), last
    if end != len(data):
        raise ModelFileError(f"the arrays end at {end} of {len(data)} bytes")
    return arrays


def _checked_entry(name, entry):
    """The dtype, shape and bytes of an array."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"the array {name!r} needs a dtype, a shape and data_offsets, and nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileError(f"the array {name!r} is of {dtype!r}, expected one of {', '.join(DTYPES)}")
    for numbers, longest in ((shape, MAX_DIMENSIONS), (offsets, 2)):
        if not isinstance(numbers, list) or len(numbers) > longest or not all(map(_is_size, numbers)):
            raise ModelFileError(f"the array {name!r} has {numbers!r}, expected up to {longest} sizes")
    if len(offsets) != 2 or offsets[1] < offsets[0]:
        raise ModelFileError(f"the array {name!r} has the bytes {offsets}, expected the first and the last + 1")
    return np.dtype(DTYPES[dtype]), shape, *offsets


def _is_size(number):
    return type(number) is int and 0 <= number < 2**63


def _array(name, data, dtype, shape):
    """An array of its bytes."""
    if dtype.kind == "b" and data.max(initial=0) > 1:
        raise ModelFileError(f"the array {name!r} has bytes that are no bools")
    if data.size and data.ctypes.data % dtype.alignment:
        data = data.copy()
    try:
        return data.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:         # an empty one whose other extents have a product that overflows
        raise ModelFileError(f"the array {name!r} has the shape {tuple(shape)}: {error}") from error
