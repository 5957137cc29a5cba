"""What `pip install` brings: megabytes and packages of skrnn and of its peers, and the time of a first import.

    python benchmarks/install_sizes.py [--skrnn dist/skrnn-0.1.0-cp311-abi3-manylinux_2_28_x86_64.whl]
                                       [--torch torch==2.13.0+cpu] [--only NAME ...]

Each is installed with all that it needs into an empty folder, without compiled bytecode. `--skrnn .`, the default,
builds the kernels, which takes minutes. `--torch torch`, the default, is the build that the registry has for the
system, which for Linux is one with CUDA, of gigabytes; one for processors alone is much smaller, where pip is told of
its index.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

# name: what is asked for, and the code of a first import
CONTENDERS = {
    "skrnn": (["."], "from skrnn import RNNClassifier"),
    "scikit-learn (MLP)": (["scikit-learn"], "from sklearn.neural_network import MLPClassifier"),
    "PyTorch": (["torch"], "import torch"),
    "skorch": (["skorch", "torch"], "import skorch"),
    "Keras on PyTorch": (["keras", "torch"], "import keras"),
    "aeon": (["aeon"], "from aeon.classification.convolution_based import MiniRocketClassifier"),
    "hmmlearn": (["hmmlearn"], "import hmmlearn.hmm"),
    "sklearn-crfsuite": (["sklearn-crfsuite"], "import sklearn_crfsuite"),
}


def install(requirements, folder):
    """Install into a folder, with all dependencies."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder, *requirements]
    subprocess.run(command, check=True)


def megabytes(folder):
    """Of all files."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def import_seconds(code, folder):
    """The least of three imports, each in a process of its own, once the bytecode is there."""
    environment = os.environ | {"PYTHONPATH": folder, "KERAS_BACKEND": "torch"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    seconds = []
    for _ in range(4):
        start = perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=folder, capture_output=True)
        seconds.append(perf_counter() - start)
    return min(seconds[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skrnn", default=".", metavar="REQUIREMENT", help="the tree, or a wheel")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--torch", default="torch", metavar="REQUIREMENT", help="which build of PyTorch")
    options = parser.parse_args()
    chosen = {".": options.skrnn, "torch": options.torch}
    print("| | MB | packages | first import, s |\n|---|---|---|---|")
    for name in options.only:
        requirements, code = CONTENDERS[name]
        with tempfile.TemporaryDirectory() as folder:
            install([chosen.get(item, item) for item in requirements], folder)
            size, n_packages = megabytes(folder), len(list(Path(folder).glob("*.dist-info")))
            print(f"| {name} | {size:.0f} | {n_packages} | {import_seconds(code, folder):.1f} |", flush=True)


if __name__ == "__main__":
    main()
