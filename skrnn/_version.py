"""The version of skrnn."""

__version__ = "0.1.0"
