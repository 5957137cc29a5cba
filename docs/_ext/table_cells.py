"""Classes of the cells of tables, by which the style gives sentences room and keeps numbers on one line."""

import re

from docutils import nodes

LONG = 30           # characters of a cell that is a sentence, not a word
NUMBERS = re.compile(r"[^A-Za-z]{1,24}\w{0,3}")      # with a unit, perhaps


def mark_cells(app, doctree):
    for cell in doctree.findall(nodes.entry):
        text = cell.astext()
        if any(cell.findall(nodes.math)):
            continue
        if len(text) > LONG:
            cell["classes"].append("long")
        elif NUMBERS.fullmatch(text):
            cell["classes"].append("numbers")


def setup(app):
    app.connect("doctree-read", mark_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
