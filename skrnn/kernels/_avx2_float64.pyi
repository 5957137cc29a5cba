from skrnn.kernels._kernels import *
