"""Formulas as MathML, which browsers show without a script or a font from elsewhere."""

from docutils import nodes
from latex2mathml.converter import convert


def visit_math(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    translator.body.append(f'<div class="math-block">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
