"""Changed model files: what `skrnn.load` says of every flipped bit, every truncation and 100,000 random splices.

A third of the splices gets the checksum that goes with them, as no accident would, and a third is made of the values
that the file holds, so that what lies behind the checksum is tried, too; a model that is loaded then also predicts.
Prints how often what came of it, and the most memory that a call took.

    python benchmarks/fuzz_files.py [--splices 100000] [--seed 0]
"""

import argparse
import copy
import hashlib
import json
import tempfile
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path
from time import perf_counter

import numpy as np

import skrnn
from skrnn.exceptions import ModelFileError

N_DIGITS = 64


def small_file(path):
    """The bytes of a small net's file, and what the net predicts of what."""
    X = np.random.default_rng(0).normal(size=(12, 5, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = skrnn.RNNRegressor(2, cell="gru", max_iter=2, random_state=0).fit(X, X[:, 0, 0])
    skrnn.save(net, path)
    return path.read_bytes(), X, net.predict(X)


def flips(content):
    """The content with each of its bits the other way round in turn."""
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def truncations(content):
    """Every begin of the content."""
    return (content[:n] for n in range(len(content)))


def splices(content, n, rng):
    """n times the content with one to three stretches that are replaced by others, of it or random."""
    for _ in range(n):
        changed = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            first, source = rng.integers(len(changed), size=2)
            n_old, n_new = rng.geometric(0.1, size=2) - 1
            new = changed[source : source + n_new] if rng.random() < 0.7 else rng.bytes(n_new)
            changed[first : first + n_old] = new
        yield bytes(changed)


def with_checksum(content):
    """The content with the checksum that goes with it, if there is a place for one."""
    place = content.find(b'"sha256":"') + len(b'"sha256":"')
    content = content[:place] + b"0" * N_DIGITS + content[place + N_DIGITS :]
    digits = hashlib.sha256(content).hexdigest().encode("ascii")
    return content[:place] + digits + content[place + N_DIGITS :]


def with_other_values(content, n, rng):
    """n times the content with one to three values of its model, or entries of its arrays, that are others."""
    for _ in range(n):
        entries = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        texts = entries["__metadata__"]
        model, arrays = json.loads(texts["model"]), {name: entries[name] for name in entries if name != "__metadata__"}
        for _ in range(rng.integers(1, 4)):
            change_value(model if rng.random() < 0.8 else arrays, rng)
        header = json.dumps({"__metadata__": texts | {"model": json.dumps(model)}} | arrays, separators=(",", ":"))
        data = content[8 + int.from_bytes(content[:8], "little") :]
        yield with_checksum(len(header).to_bytes(8, "little") + header.encode() + data)


def change_value(tree, rng):
    """Put another value, or one from elsewhere in it, in the place of one in a tree of JSON, or leave it out."""
    places = [*places_in(tree)]
    parent, key = places[rng.integers(len(places))]
    if isinstance(parent, dict) and rng.random() < 0.1:
        del parent[key]
        return
    elsewhere, other_key = places[rng.integers(len(places))]
    others = [
        None, True, 0, -1, 1, 2, 7, 10**9, 2**70, 0.5, -1e300, "", "lstm", "../x", [], {}, [[]], {"class": "Units"},
        *[copy.deepcopy(elsewhere[other_key])] * 10,
    ]
    parent[key] = others[rng.integers(len(others))]


def places_in(tree):
    """Each value in a tree of JSON, as what it is in and its key."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places_in(value)


def outcome(path, content, X, expected):
    """What comes of a changed file, in words, and the most memory that it took, in bytes."""
    path.write_bytes(content)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        net = skrnn.load(path)
    except ModelFileError:
        return "the named error", tracemalloc.get_traced_memory()[1] - before
    peak = tracemalloc.get_traced_memory()[1] - before
    try:
        predicted = net.predict(X)
    except Exception as error:
        return f"a model that cannot predict ({type(error).__name__})", peak
    same = predicted.shape == expected.shape and np.array_equal(predicted, expected)
    return "the same predictions" if same else "other predictions", peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splices", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.skrnn"
        content, X, expected = small_file(path)
        skrnn.load(path)        # imports what it needs
        print(f"a file of {len(content)} bytes")
        third = arguments.splices // 3
        kinds = {
            "bit flips": flips(content), "truncations": truncations(content), "splices": splices(content, third, rng),
            "splices with their checksum": map(with_checksum, splices(content, third, rng)),
            "other values with their checksum": with_other_values(content, third, rng),
        }
        tracemalloc.start()
        for kind, changed in kinds.items():
            start, counts, most, longest = perf_counter(), Counter(), 0, 0
            for each in changed:
                what, peak = outcome(path, each, X, expected)
                if each != content:
                    counts[what] += 1
                most, longest = max(most, peak / len(content)), max(longest, peak)
            found = ", ".join(f"{what} {n}" for what, n in counts.most_common())
            print(f"{kind}: {found}; {longest} bytes of memory at most, {most:.1f} times the file's; "
                  f"{perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
