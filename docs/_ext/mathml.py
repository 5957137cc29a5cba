"""Formulas as MathML, which browsers show without a script; the font for systems without one is matplotlib's STIX."""

import re
import shutil
from pathlib import Path

import matplotlib
from docutils import nodes
from latex2mathml.converter import convert

FONTS = Path(matplotlib.get_data_path(), "fonts/ttf")


def formula(node, display="inline"):
    """The formula of a node, with names of functions as names, not as operators with room around."""
    return re.sub(r"<mo>(\w{2,})</mo>", r"<mi>\1</mi>", convert(node.astext(), display=display))


def visit_math(translator, node):
    translator.body.append(formula(node))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    translator.body.append(f'<div class="math-block">{formula(node, "block")}</div>')
    raise nodes.SkipNode


def copy_font(app, _):
    """The font and its licence beside the style that names it."""
    if app.builder.format == "html":
        for name in ("STIXGeneral.ttf", "LICENSE_STIX"):
            shutil.copy(FONTS / name, Path(app.outdir, "_static"))


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("build-finished", copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
