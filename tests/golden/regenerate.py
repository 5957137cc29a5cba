"""Compute golden.npz anew: `python tests/golden/regenerate.py`, after a decision to change bits.

With `--new` only the configurations that the file lacks are computed, and all of its other arrays stay as they are.
"""

import argparse
from pathlib import Path

import numpy as np
from bits import has_fma
from configurations import CONFIGURATIONS, results

from skrnn import kernels

GOLDEN = Path(__file__).with_name("golden.npz")


def kept():
    """The arrays of the file whose configurations there still are."""
    with np.load(GOLDEN, allow_pickle=False) as file:
        return {key: array for key, array in file.items() if key.partition("/")[0] in CONFIGURATIONS}


def main():
    """Write the file, on a processor with fma."""
    parser = argparse.ArgumentParser(description="Compute golden.npz anew.")
    parser.add_argument("--new", action="store_true", help="compute only the configurations that the file lacks")
    only_new = parser.parse_args().new
    if not has_fma(kernels.instruction_set):
        raise SystemExit(
            "The golden bits are those of kernels with fma: AVX2 or wider, or 64-bit Arm. These here are without it."
        )
    arrays = kept() if only_new else {}
    known = {key.partition("/")[0] for key in arrays}
    for name in CONFIGURATIONS:
        if name not in known:
            arrays |= results(name)
    np.savez_compressed(GOLDEN, **arrays)
    print(f"{len(CONFIGURATIONS)} configurations, {len(arrays)} arrays, {GOLDEN.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
