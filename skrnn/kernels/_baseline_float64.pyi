from skrnn.kernels._baseline_float32 import *  # noqa: F403
