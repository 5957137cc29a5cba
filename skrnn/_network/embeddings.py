"""Categories that a network reads as vectors that are learned."""

from typing import NamedTuple


class Embedding(NamedTuple):
    """A table with a vector for each category of a feature; its parameter is (n_categories, dim)."""

    name: str                   # of the feature; the parameter is "embedding.NAME.E", of a static one "static.NAME.E"
    n_categories: int           # with the last one, which stands for all that fit did not see
    dim: int
