"""Installs a wheel in fresh environments outside of the tree, and runs the tests against it.

    [PYTHONS="python3.11 …"] python .ci/test_wheel.py dist/skrnn-….whl [options of pytest]

Without PYTHONS these are the oldest and the newest CPython at hand, on the path or among pyenv's, that skrnn is for.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLDEST = (3, 11)
# What tests read besides; tests of the source tree itself are left out.
COPIED = ("tests", "docs/guide", "pyproject.toml")
LEFT_OUT = (
    "tests/test_architecture.py", "tests/docs/test_check_links.py", "tests/docs/test_docs.py",
    "tests/docs/test_examples.py",
)
VERSION = "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


def version_of(python):
    """(major, minor) of a Python with the GIL; None for others and for what does not run."""
    done = subprocess.run([python, "-c", VERSION], capture_output=True, text=True)
    major, minor, without_gil = map(int, done.stdout.split()) if done.returncode == 0 else (0, 0, 1)
    return None if without_gil else (major, minor)


def pythons_at_hand():
    """{version: path} of the Pythons on the path and of pyenv that skrnn is for."""
    folders = [*map(Path, os.get_exec_path()), *Path.home().glob(".pyenv/versions/*/bin")]
    paths = chain.from_iterable(folder.glob("python3.*") for folder in folders if folder.is_dir())
    named = [path for path in paths if re.fullmatch(r"python3\.\d+", path.name)]
    found = {version_of(path): path for path in reversed(named)}
    return {version: path for version, path in found.items() if version and version >= OLDEST}


def test(wheel, python, options):
    """Whether the tests pass with this Python."""
    with tempfile.TemporaryDirectory(prefix="skrnn-wheel-") as folder:
        folder = Path(folder)
        subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
        inside = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        install = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        subprocess.run([*install, f"{wheel.resolve()}[test]"], check=True)
        for name in COPIED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        code = "import sys, skrnn; print(f'skrnn {skrnn.__version__}, Python {sys.version}: {skrnn.__file__}')"
        subprocess.run([inside, "-c", code], cwd=folder, check=True)
        ignored = [f"--ignore={name}" for name in LEFT_OUT]
        return subprocess.run([inside, "-m", "pytest", *ignored, *options], cwd=folder).returncode == 0


def main():
    wheel, *options = sys.argv[1:]
    pythons = os.environ.get("PYTHONS", "").split()
    if not pythons:
        found = pythons_at_hand()
        pythons = [found[version] for version in sorted({min(found), max(found)})]
    failed = [str(python) for python in pythons if not test(Path(wheel), python, options)]
    sys.exit(f"the tests fail with {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
