"""Public homes of classes and functions."""


def set_public_home(namespace):
    """Make the classes and functions of ``__all__`` name the package that exports them as their module.

    Pickles and documentation then hold the public path, whichever private module the code lives in.
    """
    for name in namespace["__all__"]:
        if callable(namespace[name]):
            namespace[name].__module__ = namespace["__name__"]
