"""What nets do, to look at: displays of training, searches and predictions, and explanations of what they predict."""

from skrnn._public import set_public_home
from skrnn.inspection._gradients import input_gradients

__all__ = ["input_gradients"]

set_public_home(globals())
