"""What nets do, to look at: displays of training, searches and predictions, and explanations of what they predict."""

from skrnn._public import set_public_home
from skrnn.inspection._gradient_flow import GradientFlowDisplay, gradient_flow
from skrnn.inspection._hidden_states import HiddenStateDisplay, hidden_states
from skrnn.inspection._search import SearchDisplay
from skrnn.inspection._sequence_prediction import SequencePredictionDisplay
from skrnn.inspection._training import TrainingDisplay

__all__ = [
    "GradientFlowDisplay", "HiddenStateDisplay", "SearchDisplay", "SequencePredictionDisplay", "TrainingDisplay",
    "gradient_flow", "hidden_states",
]

set_public_home(globals())
