"""Public homes of classes and functions."""


def set_public_home(namespace, submodules=()):
    """Make the classes and functions of ``__all__`` name the module that exports them as theirs, and `dir` list these.

    Pickles and documentation then hold the public path, whichever private module the code lives in; what the module
    imports for itself is not in the way of completion.
    """
    names = namespace["__all__"]
    for name in names:
        if callable(namespace[name]):
            namespace[name].__module__ = namespace["__name__"]
    namespace["__dir__"] = lambda: sorted({*names, *submodules})
