"""The one question for OpenMP: how many threads it would use now. 1 in a build without OpenMP."""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #else
    static int omp_get_max_threads(void) { return 1; }
    #endif
    """
    int omp_get_max_threads() noexcept nogil


def max_threads():
    return omp_get_max_threads()
