"""Transformers of sequences, and of tables and texts to sequences."""

from skrnn._public import set_public_home
from skrnn.preprocessing._imputer import SequenceImputer
from skrnn.preprocessing._long import predictions_to_long, sequences_from_long
from skrnn.preprocessing._scaler import SequenceScaler
from skrnn.preprocessing._vectorizer import SequenceVectorizer
from skrnn.preprocessing._windows import SlidingWindow

__all__ = [
    "SequenceImputer", "SequenceScaler", "SequenceVectorizer", "SlidingWindow", "predictions_to_long",
    "sequences_from_long",
]

set_public_home(globals())
