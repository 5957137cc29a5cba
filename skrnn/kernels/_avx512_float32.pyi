from skrnn.kernels._kernels import *  # noqa: F403
