"""Writes the model files of this version that are kept, with what the estimators make of their X.

    python tests/storage/keep_files.py

Files of a version that was released stay as they are: later versions have to read them.
"""

from pathlib import Path

import numpy as np
from stored_models import MODELS, made, numbers_of

import skrnn

FOLDER = Path(__file__).with_name("files")


def main():
    folder, expected = FOLDER / skrnn.__version__, {}
    folder.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        estimator, X = made(name)
        skrnn.save(estimator, folder / f"{name}.skrnn")
        expected |= {f"{name}/{key}": numbers for key, numbers in numbers_of(estimator, X).items()}
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
