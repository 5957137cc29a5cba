"""The sdist builds with a compiler that has neither OpenMP nor vectors: serial, for the baseline, with the same bits,
whatever the environment's CFLAGS relax.

Unbuilt it says what to do.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import numpy as np
import pytest
from networks import FORMS, Case

import skrnn
from skrnn import kernels
from skrnn._runtime.machine import instruction_sets

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow, pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the source tree"),
]
COMPILER = """#!/bin/sh
vectors=-DSKRNN_PORTABLE
for argument in "$@"; do
    case "$argument" in
        -fopenmp|-mavx*) echo "no $argument here" >&2; exit 1;;
        -DSKRNN_DOUBLE*) vectors=-DSKRNN_SCALAR;;
    esac
done
exec {} $vectors "$@" -O0
"""
RUN = """
import sys
import skrnn
from networks import FORMS, Case
from skrnn import kernels
from skrnn._runtime.machine import max_threads
assert kernels.available() == ["baseline"]
assert skrnn.__file__.startswith(sys.argv[1]), skrnn.__file__
assert max_threads() == 1
assert float("5e-324") * 2 > 0, "denormal numbers count as 0"
for dtype in ("float32", "float64"):
    for form in FORMS:
        print(Case(form, bidirectional=True, lengths=range(1, 20), dtype=dtype).gradients()[0].tobytes().hex())
"""


def run(command, cwd, **environment):
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def copy_sources(tree):
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "skrnn", tree / "skrnn", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return tree


@pytest.fixture
def sdist(tmp_path):
    """The folder of an unpacked sdist."""
    others = shutil.ignore_patterns(".git", ".venv*", ".arm64", "build", "dist", "*.egg-info", "__pycache__")
    tree = shutil.copytree(ROOT, tmp_path / "tree", ignore=others)
    run([sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(tmp_path)], tree)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    return next(tmp_path.glob("skrnn-*/"))


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def check_files(sdist):
    """It has all sources and tests, and nothing that was generated from them: no figure, measurement or module."""
    there = files_in(sdist)
    generated = re.compile(r"\.(so|pyd|pyc|png|json)$|^docs/.*\.txt$|^skrnn(/(?!export/_c/templates/).*)?\.c$")
    metadata = re.compile(r"(PKG-INFO|setup\.cfg|\.egg-info/.*)$")
    assert not [name for name in there if generated.search(name) and not metadata.search(name)]
    built = re.compile(r"\.(so|pyd|pyc)$")
    for folder in ("skrnn", "tests"):
        assert {name for name in files_in(ROOT / folder) if not built.search(name)} == files_in(sdist / folder)
    assert {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"} <= there
    assert next(sdist.parent.glob("*.tar.gz")).stat().st_size < 4e6


def check_description(sdist):
    """What PyPI shows: README.md with links to files of the repository as they are in this version, and its picture."""
    text = (sdist / "PKG-INFO").read_text(encoding="utf-8")
    assert "\nDescription-Content-Type: text/markdown\n" in text
    relative = re.findall(r"\]\(([^):#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    pages, pictures = "github.com/skrnn/skrnn/blob", "raw.githubusercontent.com/skrnn/skrnn"
    expected = [f"{pictures if path.endswith('.png') else pages}/v{skrnn.__version__}/{path}" for path in relative]
    made = re.findall(rf"\]\(https://((?:{pages}|{pictures})/[^)]+)\)", text)
    assert made == expected
    assert any(address.startswith(pictures) for address in made)
    assert not re.findall(r"\]\((?!https:)", text)


def serial_build(tree):
    """The source tree built in place by a compiler with little: what the build said."""
    compiler = (sysconfig.get_config_var("CC") or "").split()
    if not compiler or shutil.which(compiler[0]) is None:
        pytest.skip("needs the C compiler that Python was built with")
    wrapper = tree / "cc"
    wrapper.write_text(COMPILER.format(" ".join(compiler)))
    wrapper.chmod(0o755)
    build = [sys.executable, "setup.py", "build_ext", "--inplace"]
    relaxed = "-ffast-math -funsafe-math-optimizations"
    return run(build, tree, CC=str(wrapper), LDSHARED=f"{wrapper} -shared", CFLAGS=relaxed)


def compile_what_is_left_out(tree):
    """The kernels of instruction sets that builds in a tree leave out, since this processor does not have them."""
    setup = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    sets = next(
        ast.literal_eval(node.value) for node in setup.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "INSTRUCTION_SETS"
    )
    assert tuple(sets) == kernels.KNOWN
    compiler = sysconfig.get_config_var("CC").split()
    source = next((tree / "build").rglob("_kernels.c"))
    folders = ["-I", tree / "skrnn" / "kernels", "-I", sysconfig.get_path("include")]
    for name in set(sets) - set(instruction_sets()):
        flags, vector_bytes = sets[name]
        if subprocess.run([*compiler, *flags, "-E", "-x", "c", os.devnull], capture_output=True).returncode:
            continue    # not for this family of processors
        for double in ([], ["-DSKRNN_DOUBLE"]):
            command = [*compiler, *flags, *double, f"-DVECTOR_BYTES={vector_bytes}", "-O0", *folders]
            run([*command, "-c", source, "-o", tree / "kernels.o"], tree)


def test_a_build_without_openmp_and_vectors(monkeypatch, sdist):
    """It says that it is serial, and computes the same bits as the baseline, which has no fma either.

    The compiler has no OpenMP and no wider instruction set, and does not optimize. float64 gets no vectors, float32
    those that GNU C has for any processor: neither changes a bit.
    """
    check_files(sdist)
    check_description(sdist)
    said = serial_build(sdist)
    assert "skrnn is built serial" in said
    assert re.search(
        r"skrnn compiles 4 modules, \d+ at a time: 2 small ones and 2 of the kernels, for float32 and float64 with the "
        r"instruction sets baseline\. Each of these 2 takes about a minute", said
    )
    # Cython tells of a function without noexcept, which would ask for the interpreter's lock after every call.
    assert "Cythonizing skrnn/kernels/_kernels.pyx" in said
    assert "performance hint" not in said
    assert "will always require the GIL" not in said
    # Nothing is generated beside the sources, of which some are C
    assert {path.parent.name for path in (sdist / "skrnn").rglob("*.c")} == {"templates", "cells"}
    assert not list((sdist / "skrnn" / "kernels").rglob("*.c"))

    compile_what_is_left_out(sdist)

    monkeypatch.delenv("SKRNN_SIMD", raising=False)
    monkeypatch.setattr(kernels, "_kernels", kernels.load("baseline"))
    path = os.pathsep.join([str(sdist), str(ROOT / "tests" / "helpers")])
    said = run([sys.executable, "-c", RUN, str(sdist)], sdist, PYTHONPATH=path)
    cases = [(dtype, form) for dtype in (np.float32, np.float64) for form in FORMS]
    for line, (dtype, form) in zip(said.splitlines(), cases, strict=True):
        expected = Case(form, bidirectional=True, lengths=range(1, 20), dtype=dtype).gradients()[0]
        np.testing.assert_array_equal(np.frombuffer(bytes.fromhex(line), dtype), expected)


@pytest.mark.parametrize("name", ["CITATION.cff", ".ci/conda/recipe.yaml"])
def test_files_for_others_have_the_version(name):
    said = re.search(r"^ *version: (.*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert said.strip('"') == skrnn.__version__


def test_sources_that_were_not_built_say_what_to_do(tmp_path):
    # Without the finder of an editable install, which would lend the built modules of another tree.
    code = "import sys; sys.meta_path = [f for f in sys.meta_path if 'Editable' not in repr(f)]; import skrnn"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy_sources(tmp_path), capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: skrnn's compiled modules were not found" in done.stderr
    assert "pip install -e ." in done.stderr
