"""What nets do, to look at: displays of training, searches and predictions, and explanations of what they predict."""

from skrnn._public import set_public_home
from skrnn.inspection._search import SearchDisplay
from skrnn.inspection._sequence_prediction import SequencePredictionDisplay
from skrnn.inspection._training import TrainingDisplay

__all__ = ["SearchDisplay", "SequencePredictionDisplay", "TrainingDisplay"]

set_public_home(globals())
