"""Records of long runs, a line of JSON each: a run that is begun again goes on where it ended."""

import json
import os
from pathlib import Path


class Records:
    """What was measured, by key, in memory and in a file.

    Parameters
    ----------
    path : Path or None
        Of the file, which need not exist; None keeps them in memory.
    fields : tuple of str
        The fields of a record that are its key.
    """

    def __init__(self, path, fields):
        self.path, self.fields = path, fields
        lines = path.read_text().splitlines() if path and path.exists() else []
        self._by_key = {self._key(record): record for record in map(json.loads, lines)}

    def _key(self, record):
        return tuple(record[field] for field in self.fields)

    def __iter__(self):
        return iter(self._by_key.values())

    def get(self, *key):
        """The record of a key, or None."""
        return self._by_key.get(key)

    def add(self, record):
        """Keep a record, in the place of one with the same key."""
        self._by_key[self._key(record)] = record
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")

    def drop(self, wanted):
        """Forget the records that `wanted` is true of."""
        self._by_key = {key: record for key, record in self._by_key.items() if not wanted(record)}
        if self.path:
            new = Path(f"{self.path}.new")
            new.write_text("".join(json.dumps(record) + "\n" for record in self))
            os.replace(new, self.path)
