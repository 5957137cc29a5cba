"""The contenders, a file each.

`Training` and `Inference` are made from a ``sizes.Problem``. `step` does the work that is timed; `Training.loss` is
that of the latest step's forward pass, `Inference.logits` are those of all sequences.
"""

from importlib import import_module


def load(package, kind, *args):
    """What the class or function `kind` of a contender's file returns; a package is imported when it is asked for."""
    return getattr(import_module(f"contenders.{package}_"), kind)(*args)
