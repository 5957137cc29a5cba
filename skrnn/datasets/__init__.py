"""Small real data sets that come with the package, and generators of tasks that need memory."""

from skrnn._public import set_public_home
from skrnn.datasets._generators import make_adding, make_copy_memory, make_delayed_echo, make_temporal_order
from skrnn.datasets._loaders import load_co2, load_japanese_vowels, load_promoters, load_sunspots
from skrnn.datasets._patients import make_patients

__all__ = [
    "load_co2",
    "load_japanese_vowels",
    "load_promoters",
    "load_sunspots",
    "make_adding",
    "make_copy_memory",
    "make_delayed_echo",
    "make_patients",
    "make_temporal_order",
]

set_public_home(globals())
