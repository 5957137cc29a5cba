"""What this machine offers: threads, as many as OpenMP would use now, and instruction sets."""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #else
    static int omp_get_max_threads(void) { return 1; }
    #endif

    #if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
    static int has_avx2(void) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    static int has_avx512(void) {
        return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    }
    #else
    static int has_avx2(void) { return 0; }
    static int has_avx512(void) { return 0; }
    #endif
    """
    int omp_get_max_threads() noexcept nogil
    int has_avx2() noexcept nogil
    int has_avx512() noexcept nogil


# Threads that a kernel takes at most: the runtime may end the process when it is asked for too many.
MAX_THREADS = 1024


def max_threads():
    """Threads that OpenMP would use now; 1 in a build without OpenMP."""
    return omp_get_max_threads()


def instruction_sets():
    """Names of the instruction sets that skrnn is built for and this processor has, the widest last."""
    return ["baseline"] + ["avx2"] * has_avx2() + ["avx512"] * has_avx512()
