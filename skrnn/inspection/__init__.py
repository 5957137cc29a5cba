"""What nets do, to look at: displays of training, searches and predictions, and explanations of what they predict."""

from skrnn._public import set_public_home
from skrnn.inspection._attribution_display import AttributionDisplay
from skrnn.inspection._confusion_display import StepConfusionDisplay
from skrnn.inspection._gradient_flow import gradient_flow
from skrnn.inspection._gradient_flow_display import GradientFlowDisplay
from skrnn.inspection._gradients import input_gradients
from skrnn.inspection._hidden_state_display import HiddenStateDisplay
from skrnn.inspection._hidden_states import hidden_states
from skrnn.inspection._integrated import integrated_gradients
from skrnn.inspection._occlusion import occlusion
from skrnn.inspection._permutation import permutation_importance
from skrnn.inspection._search_display import SearchDisplay
from skrnn.inspection._sequence_prediction_display import SequencePredictionDisplay
from skrnn.inspection._training_display import TrainingDisplay

__all__ = [
    "AttributionDisplay", "GradientFlowDisplay", "HiddenStateDisplay", "SearchDisplay", "SequencePredictionDisplay",
    "StepConfusionDisplay", "TrainingDisplay", "gradient_flow", "hidden_states", "input_gradients",
    "integrated_gradients", "occlusion", "permutation_importance",
]

set_public_home(globals())
