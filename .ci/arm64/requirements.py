"""Prints what tests under qemu need of other packages, as requirements for pip with the bounds of pyproject.toml."""

import re
import tomllib
from pathlib import Path

# Of the extra `test`
TESTS = {"pytest", "pytest-xdist", "pandas", "polars"}
TABLE = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(requirement):
    return re.match(r"[\w-]+", requirement)[0]


if __name__ == "__main__":
    tests = [text for text in TABLE["project"]["optional-dependencies"]["test"] if name_of(text) in TESTS]
    if {name_of(text) for text in tests} != TESTS:
        raise SystemExit(f"the extra `test` of pyproject.toml does not list all of {', '.join(sorted(TESTS))}")
    print(*TABLE["build-system"]["requires"], *TABLE["project"]["dependencies"], *tests, sep="\n")
