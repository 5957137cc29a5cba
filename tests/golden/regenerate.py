"""Compute golden.npz anew: `python tests/golden/regenerate.py`, after a decision to change bits."""

from pathlib import Path

import numpy as np
from configurations import CONFIGURATIONS, results

from skrnn import kernels

GOLDEN = Path(__file__).with_name("golden.npz")


def main():
    """Write the file, on a processor with fma."""
    if kernels.instruction_set == "baseline":
        raise SystemExit("The golden bits are those of a processor with fma (AVX2 or wider), and this is the baseline.")
    arrays = {}
    for name in CONFIGURATIONS:
        arrays |= results(name)
    np.savez_compressed(GOLDEN, **arrays)
    print(f"{len(CONFIGURATIONS)} configurations, {len(arrays)} arrays, {GOLDEN.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
