import numpy as np
from numpy.typing import NDArray

def householder_product(normals: NDArray[np.float64], n: int) -> NDArray[np.float64]: ...
