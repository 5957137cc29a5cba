"""Files that were changed: the named error, whatever it was; `benchmarks/fuzz_files.py` tries all of them."""

import hashlib
import json
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from stored_models import made, outputs

import skrnn
from skrnn.exceptions import ModelFileError

# The most memory that a call takes, as a multiple of the size of the file, and in bytes
MAX_MEMORY = 40, 2**20
VALUES = [None, True, 0, -1, 3, 10**9, 2**70, 0.5, "", "lstm", [], {}, [[[]]], {"class": "Units"}, {"class": []}]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A path, the content of a small file, X and what the net predicts of it."""
    path = tmp_path_factory.mktemp("fuzz") / "net.skrnn"
    net, X = made("regressor-decay")
    skrnn.save(net, path)
    return path, path.read_bytes(), X, outputs(net, X)["predict"]


def assert_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        skrnn.load(path)


def test_flipped_bits(file):
    path, content, _, _ = file
    for bit in [*range(0, 1200, 7), *range(1200, 8 * len(content), 997)]:
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        assert_refused(path, changed)


def test_truncations(file):
    path, content, _, _ = file
    for n in [*range(0, 150, 3), *range(150, len(content), 211), len(content) - 1]:
        assert_refused(path, content[:n])


def test_splices(file):
    path, content, _, _ = file
    rng = np.random.default_rng(0)
    for _ in range(100):
        first, source = rng.integers(len(content), size=2)
        n_old, n_new = rng.geometric(0.1, size=2)
        changed = content[:first] + content[source : source + n_new] + content[first + n_old :]
        if changed != content:
            assert_refused(path, changed)


def places_in(tree):
    """Each value in a tree of JSON, as what it is in and its key."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places_in(value)


def changed(content, change):
    """A file, with its checksum, in which a function has changed the entries of arrays and the model; it may return
    the text of another model.
    """
    n_header = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + n_header])
    texts = entries.pop("__metadata__")
    model = json.loads(texts["model"])
    text = change(entries, model) or json.dumps(model)
    entries = {"__metadata__": texts | {"model": text, "sha256": "0" * 64}, **entries}
    header = json.dumps(entries, separators=(",", ":")).encode()
    made = len(header).to_bytes(8, "little") + header + content[8 + n_header :]
    return made.replace(b"0" * 64, hashlib.sha256(made).hexdigest().encode(), 1)


def with_other_value(content, rng):
    """A file, with its checksum, one of whose values is another."""
    def change(entries, model):
        places = [*places_in([model, entries])][2:]
        parent, key = places[rng.integers(len(places))]
        parent[key] = VALUES[rng.integers(len(VALUES))]

    return changed(content, change)


def test_other_values_behind_the_checksum(file):
    """The named error, or a model that predicts or says why not."""
    path, content, X, _ = file
    rng, n_refused = np.random.default_rng(0), 0
    for _ in range(100):
        path.write_bytes(with_other_value(content, rng))
        try:
            net = skrnn.load(path)
        except ModelFileError:
            n_refused += 1
        else:
            with suppress(ValueError, TypeError):
                assert len(net.predict(X)) == len(X)
    assert n_refused > 50


def objects(shape):
    return json.dumps({"class": "objects", "shape": shape, "items": []})


def of_shape(*shape):
    return lambda entries, model: entries["fitted.model.parameters.head.V"].update(shape=shape)


@pytest.mark.parametrize("change", [
    of_shape(2**61), of_shape(2**31, 2**31), of_shape(10**9), lambda *_: objects([10**9]),
    lambda *_: objects([2**40, 2**40]), lambda *_: "[" * 5000 + "]" * 5000, lambda *_: json.dumps([{}] * 2000),
])
def test_memory_is_bounded_by_the_size_of_the_file(change, file):
    """Also where a file asks for more."""
    path, content, _, _ = file
    asking = changed(content, change)
    path.write_bytes(asking)
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        skrnn.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_MEMORY[0] * len(asking) + MAX_MEMORY[1]


@pytest.mark.parametrize(("name", "value"), [
    ("patch", {"class": "tuple", "items": [10**14, 1]}), ("n_inputs", 10**14), ("n_outputs", 10**14),
    ("hidden_size", {"class": "tuple", "items": [10**14]}), ("n_categories", 10**14),
])
def test_a_network_that_is_larger_than_its_parameters(name, value, tmp_path):
    """The kernels get its sizes, and take memory, after these are known to go together."""
    path = tmp_path / "net.skrnn"
    skrnn.save(made("classifier")[0], path)
    path.write_bytes(
        changed(path.read_bytes(), lambda entries, model: model["fitted"]["model"]["network"].update({name: value}))
    )
    with pytest.raises(ModelFileError, match=r"parameters have the shapes|does not fit into memory"):
        skrnn.load(path)


def test_the_content_itself_is_read(file):
    path, content, X, expected = file
    path.write_bytes(content)
    np.testing.assert_array_equal(skrnn.load(path).predict(X), expected)
