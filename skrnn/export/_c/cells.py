"""The cells in C: a new one is a template with its step, and a line here."""

from typing import NamedTuple

from skrnn.exceptions import ExportError


class CellSource(NamedTuple):
    """The step of a cell in one of its forms."""

    function: str           # the template
    n_blocks: int           # numbers that it computes with, in units K
    arguments: tuple = ()   # that it is given after all others


CELLS = {
    "rnn": {
        name: CellSource("rnn", 1, (f"net_{name}",)) for name in ("tanh", "relu", "logistic", "identity")
    },
    "gru": {True: CellSource("gru_reset_after", 4), False: CellSource("gru_reset_before", 4)},
    "mgu": {None: CellSource("mgu", 3)},
    "lstm": {None: CellSource("lstm", 4)},
    "skip_lstm": {None: CellSource("skip_lstm", 5)},
}


def cell_source(layer):
    """The `CellSource` of a `RecurrentLayer`."""
    form = next(iter(layer.form.values()), None)
    try:
        return CELLS[layer.cell_name][form]
    except KeyError:
        raise ExportError(f"cell={layer.cell_name!r} is not there in C; expected one of {list(CELLS)}") from None
