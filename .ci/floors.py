"""Prints the oldest versions that pyproject.toml promises, as requirements for pip: those of skrnn and of its tests.

Each lower bound becomes that very version; of two bounds of a package that of the dependencies counts, as it is users'.
"""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What only builds: the tests run the modules that are there.
BUILD = {"setuptools", "Cython"}


def lower_bounds(requirements):
    """{package: its lower bound}; an extra of skrnn itself stands for what it lists."""
    bounds = {}
    for requirement in requirements:
        if extras := re.fullmatch(r"skrnn\[(.+)\]", requirement):
            for extra in extras[1].split(","):
                bounds |= lower_bounds(PROJECT["optional-dependencies"][extra])
        else:
            package, bound = re.fullmatch(r"([\w.\[\],-]+)>=([\d.]+)", requirement).groups()
            bounds[package] = bound
    return bounds


if __name__ == "__main__":
    bounds = lower_bounds(PROJECT["optional-dependencies"]["test"]) | lower_bounds(PROJECT["dependencies"])
    print(*(f"{package}=={bound}" for package, bound in bounds.items() if package not in BUILD), sep="\n")
