"""Small real data sets that come with the package."""

from skrnn.datasets._loaders import load_japanese_vowels, load_sunspots

__all__ = ["load_japanese_vowels", "load_sunspots"]
