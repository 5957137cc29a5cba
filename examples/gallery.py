"""Runs examples and writes the figures that they show as pictures, since no window opens here.

    python examples/gallery.py plot_quickstart plot_windows     # into the folder of the examples
    python examples/gallery.py --into docs/figures              # all that draw: make figures

An example's first figure becomes NAME.png, its next ones NAME_2.png, NAME_3.png and so on.
"""

import argparse
import os
import runpy
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

EXAMPLES = Path(__file__).resolve().parent
DPI = 100


def run(name):
    """The variables of an example after it has run; its figures are still open."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def write(figure, path):
    """The figure as a picture of 256 colors, a third of the size of one with all of them, and the same to the eye."""
    figure.set_dpi(DPI)
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def write_open_figures(name, folder):
    """The paths of the pictures of all open figures, which are closed."""
    paths = []
    for position, number in enumerate(plt.get_fignums(), start=1):
        paths.append(folder / (f"{name}.png" if position == 1 else f"{name}_{position}.png"))
        write(plt.figure(number), paths[-1])
    plt.close("all")
    return paths


def main():
    """Run each example and say what it drew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="examples without .py; all plot_*.py if none is named")
    parser.add_argument("--into", type=Path, default=EXAMPLES, metavar="FOLDER", help="where the pictures go")
    options = parser.parse_args()
    names = options.names or sorted(path.stem for path in EXAMPLES.glob("plot_*.py"))
    if unknown := [name for name in names if not (EXAMPLES / f"{name}.py").exists()]:
        parser.error(f"there is no example {unknown[0]!r} in {EXAMPLES}")
    options.into.mkdir(parents=True, exist_ok=True)
    for name in names:
        run(name)
        for path in write_open_figures(name, options.into):
            print(f"Picture: {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
