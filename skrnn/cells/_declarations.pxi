# What the files of the kernels share: the C functions of simd/, and the records that pass between them.
#
# (a) `real` is float or double and `vec` a vector of VL of them: the same source is built for both, and for every
#     instruction set (setup.py). To Cython both are numbers, so equations on vectors read like equations on numbers.
#     Loops over K units take VL at a time; `load` may read past the end of a row, `store` writes no more lanes than asked.
# (b) Packing. A group is up to GROUP_ROWS sequences in order of decreasing length. `active[t]` of them, always the
#     first, take step t; there is no padding. Step t occupies active[t] rows of every packed array, from row offset[t];
#     N sequences and S steps in all groups together.
# (c) States have N + S rows: for each group its initial states, then its packed steps. The row of a sequence in the
#     state before step t is therefore a view: in the block of step t - 1, or of the initial states. A sequence that has
#     ended takes no further step, and its final state is its row in the block of its own last step.
# (d) Tiles. A tile is a range of a group's sequences. One thread takes it through all layers and steps, forward, loss
#     and backward, without a barrier. Rows never influence each other, so tiles may be cut as the threads need.

cdef extern from "simd/vector.h" nogil:
    ctypedef double real
    ctypedef double vec
    const Py_ssize_t VL
    vec splat(real a)
    vec load(const real* p)
    vec load_lanes(const real* p, Py_ssize_t n)
    void store(real* p, vec v, Py_ssize_t n)
    real lane_of(vec v, int lane)
    vec maximum(vec a, vec b)
    vec square_root(vec a)
    vec where_less(vec x, vec y, vec a, vec b)
    vec exponential(vec x)
    vec exponential_2(vec x)
    vec logistic(vec x)
    vec hyperbolic_tangent(vec x)
    unsigned long long flush_denormals()
    void restore_mode(unsigned long long mode)

cdef extern from "simd/product.h" nogil:
    ctypedef struct Factor:
        const real* rows
        Py_ssize_t n
        Py_ssize_t stride
    ctypedef struct Segment:
        Py_ssize_t a_row
        Py_ssize_t g_row
        Py_ssize_t m
    int FROM_BIAS
    int FROM_C
    Py_ssize_t pieces(Py_ssize_t n, Py_ssize_t most)
    Py_ssize_t piece(Py_ssize_t i, Py_ssize_t n, Py_ssize_t count)
    const Py_ssize_t MOST_VECTORS
    Py_ssize_t packed_size(Py_ssize_t n, Py_ssize_t p)
    void pack_rows(real* packed, Py_ssize_t n, Py_ssize_t p, Py_ssize_t first, Py_ssize_t m,
                   const real* source, Py_ssize_t row, Py_ssize_t column)
    void product(Py_ssize_t m, Py_ssize_t p, Factor a1, Factor a2, const real* packed, real* C, Py_ssize_t ldc, int start)
    void add_outer(Py_ssize_t n, Py_ssize_t p, Py_ssize_t n_segments, const Segment* segments,
                   const real* A, Py_ssize_t lda, const real* G, Py_ssize_t ldg, real* to, Py_ssize_t ld)
    void add_sums(Py_ssize_t p, Py_ssize_t n_segments, const Segment* segments,
                  const real* G, Py_ssize_t ldg, real* to)

cdef enum:
    GROUP_ROWS = 64         # sequences in a group; changing it changes the order in which gradients are summed
    CHUNK_ROWS = 256        # rows (steps times sequences) whose outer products are summed in registers; likewise
    MOST_TERMS = 6          # of a cell


cdef struct Step:
    # One time step of m rows, of a cell with K units over D inputs.
    int variant
    Py_ssize_t m
    Py_ssize_t D
    Py_ssize_t K
    const real* X               # (m, D)
    const real* before          # h₋ (m, K), and the other states one plane further each
    real* after                 # h (m, K), likewise
    Py_ssize_t plane
    real* saved                 # (m, n_saved·K): what the gradient needs
    real* dstate                # dL/dh, which becomes dL/dh₋ (m, K); the other states one dplane further each
    Py_ssize_t dplane
    real* dX                    # (m, D), or NULL when not needed


cdef enum:
    # What a term of the weight gradient multiplies: the inputs, h₋, a block of `saved`, or 1
    INPUT
    STATE
    SAVED
    ONE

cdef enum:
    # and which parameter it belongs to
    TO_W
    TO_U
    TO_B


cdef struct Term:
    # M[row : row + n, column : column + width] += Σ Aᵀ G over all steps, M one of dW, dU, db
    int source
    Py_ssize_t block            # first column of A in `saved`, for SAVED
    Py_ssize_t n                # columns of A
    int to
    Py_ssize_t row
    Py_ssize_t column
    Py_ssize_t width
    Py_ssize_t gradient         # first column of G in `saved`


cdef struct Cell:
    int n_gates
    int n_states
    int n_saved                 # K-wide blocks that `step` leaves for `step_gradient`
    int n_biases
    Py_ssize_t (*packed_size)(const Layer* layer) noexcept nogil
    void (*pack)(const Layer* layer, const real* W, const real* U, const real* b, real* packed) noexcept nogil
    void (*step)(const Step* s, const real* packed) noexcept nogil
    void (*step_gradient)(const Step* s, const real* packed) noexcept nogil
    int (*terms)(const Layer* layer, Term* terms) noexcept nogil


cdef struct Layer:
    Cell cell
    int variant
    Py_ssize_t D
    Py_ssize_t K
    int n_directions
    Py_ssize_t P                # n_directions · K, the columns of its output
    Py_ssize_t[2] W             # where the parameters of each direction begin in theta
    Py_ssize_t[2] U
    Py_ssize_t[2] b
    Py_ssize_t[2] packed        # and where their packed form begins
    int n_terms
    Term[MOST_TERMS] terms
