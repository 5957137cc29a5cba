# What the files of the kernels share: the C functions of simd/, and the records that pass between them.
#
# (a) `real` is float or double and `vec` a vector of VL of them: the same source is built for both, and for every
#     instruction set (setup.py). To Cython both are numbers, so equations on vectors read like equations on numbers.
#     Loops over K units take VL at a time; `load` may read past the end of a row
#     (also what another thread is writing: those lanes are never used), `store` writes only what is asked.
# (b) Packing. A group is some sequences in order of decreasing length. `active[t]` of them, always the first, take step
#     t; there is no padding. Step t occupies active[t] rows of every packed array, from row offset[t] on; N sequences
#     and S steps in all.
# (c) States have N + S rows: first the N initial states, then the packed steps. The row of a sequence in the state
#     before step t is therefore a view: in the block of step t - 1, or of the initial states. A sequence that has ended
#     takes no further step, and its final state is its row in the block of its own last step.
# (d) A sequence's states to and from the caller are a row: those of each layer, direction and state, K each, then with
#     pooling what is pooled so far, P, and for the mean the number of steps.
# (e) Threads. A thread takes a whole group through all layers and steps, forward, loss and backward, and adds up the
#     group's gradient, without a barrier. Where there are fewer groups than threads, the threads share one: each takes
#     a tile of it, a range of its sequences, and then a part of the parameters. Rows never influence each other, so
#     tiles and parts may be cut as the threads need.

cdef extern from "simd/vector.h" nogil:
    ctypedef double real
    ctypedef double vec
    const Py_ssize_t VL
    vec splat(real a)
    vec load(const real* p)
    vec load_lanes(const real* p, Py_ssize_t n)
    void store(real* p, vec v, Py_ssize_t n)
    vec maximum(vec a, vec b)
    vec square_root(vec a)
    vec where_less(vec x, vec y, vec a, vec b)
    vec exponential(vec x)
    vec exponential_2(vec x)
    vec logistic(vec x)
    vec hyperbolic_tangent(vec x)
    unsigned long long flush_denormals()
    void restore_mode(unsigned long long mode)

cdef extern from "simd/dropout.h" nogil:
    void drop(unsigned long long seed, Py_ssize_t place, Py_ssize_t row, double rate, Py_ssize_t n,
              const real* x, real* y)

cdef extern from "simd/product.h" nogil:
    ctypedef struct Factor:
        const real* rows
        Py_ssize_t n
        Py_ssize_t stride
    ctypedef struct RowRange:
        Py_ssize_t a_row
        Py_ssize_t g_row
        Py_ssize_t m
    int FROM_BIAS
    int FROM_C
    Py_ssize_t ceil_div(Py_ssize_t n, Py_ssize_t most)
    Py_ssize_t split_start(Py_ssize_t i, Py_ssize_t n, Py_ssize_t count)
    const Py_ssize_t MAX_VECTORS
    Py_ssize_t packed_size(Py_ssize_t n, Py_ssize_t p)
    void pack_rows(real* packed, Py_ssize_t n, Py_ssize_t p, Py_ssize_t first, Py_ssize_t m,
                   const real* source, Py_ssize_t row, Py_ssize_t column)
    void product(Py_ssize_t m, Py_ssize_t p, Factor a1, Factor a2, const real* packed, real* C, Py_ssize_t ldc,
                 int start)
    void add_outer(Py_ssize_t n, Py_ssize_t p, Py_ssize_t n_ranges, const RowRange* ranges,
                   const real* A, Py_ssize_t lda, const real* G, Py_ssize_t ldg, real* to, Py_ssize_t ld)
    void add_sums(Py_ssize_t p, Py_ssize_t n_ranges, const RowRange* ranges,
                  const real* G, Py_ssize_t ldg, real* to)

cdef enum:
    # Changing these changes the order in which gradients are summed, and so the last bits.
    GROUP_ROWS = 16         # sequences in a group
    LARGE_GROUP_ROWS = 32   # of a network with weights of more than
    LARGE = 262144          # bytes, which are then read less often
    MAX_GROUP_ROWS = 64    # of sequences so short that a group would otherwise have less than
    GROUP_STEPS = 512       # rows (steps times sequences): its gradient has to be worth adding up
    CHUNK_ROWS = 256        # rows whose outer products are summed in registers

cdef enum:
    MAX_TERMS = 6          # of a cell


cdef struct Step:
    # One time step of m rows, of a cell with K units over D inputs.
    int variant
    Py_ssize_t m
    Py_ssize_t D
    Py_ssize_t K
    const real* X               # (m, D)
    const real* before          # h₋ (m, K), and the other states one plane further each
    const real* recurrent       # (m, K) what U multiplies: h₋, or h₋ ⊙ mask
    const real* mask            # (m, K) of recurrent dropout, or NULL
    real* after                 # h (m, K), likewise
    Py_ssize_t plane
    real* saved                 # (m, n_saved·K): what the gradient needs
    real* dstate                # dL/dh, which becomes dL/dh₋ (m, K); the other states one dplane further each
    Py_ssize_t dplane
    real* dX                    # (m, D), or NULL when not needed
    real* scratch               # (m, K), where there is a mask


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
    void (*pack)(
        const Layer* layer, const real* W, const real* U, const real* b, real* packed, bint backward
    ) noexcept nogil
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
    Term[MAX_TERMS] terms


cdef enum:
    # poolings
    LAST
    MEAN
    MAXIMUM


cdef struct Net:
    Layer* layers
    int n_layers
    Py_ssize_t D                # inputs
    Py_ssize_t P                # columns of the top layer's output
    Py_ssize_t Q                # outputs
    bint per_step               # the head reads every step, or else a vector of every sequence:
    int pooling                 # the last output, the mean of all, or the greatest of each unit
    Py_ssize_t V                # where the head's parameters begin in theta
    Py_ssize_t c
    Py_ssize_t packed           # and where their packed form begins: [c; V] (1 + P, Q), then [0; Vᵀ] (1 + Q, P)
    Py_ssize_t size             # parameters, without the embedding
    Py_ssize_t n_categories            # rows of the embedding (n_ids, D), which is behind them; or 0 for numbers as inputs
    Py_ssize_t packed_size      # of everything packed


cdef struct Group:
    # Sequences that are packed together, or a segment of their steps, see (b)
    Py_ssize_t n                # sequences
    Py_ssize_t ending           # sequences ending .. n - 1 end in it; the first ones go on in the next segment
    Py_ssize_t chunk            # steps whose weight gradients are summed together
    const Py_ssize_t* active    # (T,) sequences that take step t
    const Py_ssize_t* offset    # (T + 1,) packed row at which step t begins
    const Py_ssize_t* length    # (n,) steps of each sequence
    const Py_ssize_t* source    # (n,) row in `values` of its first step
    const Py_ssize_t* sample    # (n,) its number among all sequences
    const Py_ssize_t* place     # (n,) its place among the batch's sequences, as the caller gave them
    const Py_ssize_t* out       # (n,) row of its first step in arrays with a row a step, in the caller's order


cdef struct DirectionBuffers:
    # What one direction of one layer needs for a group
    real* X                     # (S, D) inputs in the order of its steps; NULL where the layer below has them so
    real* states                # (n_states, N + S, K); (n_states, 2 N, K) without history
    real* saved                 # (S, n_saved·K); (N, n_saved·K) without history
    real* dstate                # (n_states, N, K)
    real* mask                  # (N, K) of recurrent dropout, or NULL
    real* recurrent             # (S, K) h₋ ⊙ mask of each step, or NULL
    Py_ssize_t plane            # from one state to the next
    Py_ssize_t dplane
    bint history                # whether all steps are kept
    bint keep                   # and what the gradient needs of them


cdef struct LayerBuffers:
    DirectionBuffers[2] direction
    real* Y                     # (S, P) outputs of a bidirectional layer
    real* dY                    # (S, P), or NULL where nothing is sent to every step


cdef struct Buffers:
    # All arrays of a group; R = S steps, or N sequences
    LayerBuffers* layers
    real* features              # (N, P) what the head reads unless it reads every step
    real* dfeatures             # (N, P)
    real* dropped               # (S, P) what it reads of every step where that is not all; or NULL
    real* pool                  # (N, P) sums or greatest outputs so far; NULL for the last output
    real* dpool                 # (N, P)
    real* count                 # (N,) steps so far
    Py_ssize_t* peak            # (N, P) step of the greatest output, −1 where it came before this segment
    real* scores                # (R, Q)
    real* dscores               # (R, Q)
    double* losses              # (R,)
    real* dX                    # (S, D), or NULL
    real* scratch               # (N, scratch_width), the most inputs or units of a layer
    Py_ssize_t scratch_width


cdef struct BufferNeeds:
    # What there has to be room for
    bint gradient
    bint dX
    bint dropout
    bint recurrent_dropout


ctypedef double (*RowLoss)(
    Py_ssize_t Q, const real* scores, const void* target, double weight, double parameter, real* gradient
) noexcept nogil


cdef struct Loss:
    RowLoss of_row              # NULL for none
    bint of_classes             # whether targets are class numbers, or else Q real numbers
    Py_ssize_t min_outputs      # the numbers of outputs that it can be of
    Py_ssize_t max_outputs
    double parameter
    bint logistic               # whether it is of σ(score)


cdef struct Job:
    # What is to be done
    const Net* net
    const real* packed
    const real* values          # (total, D) all steps of all sequences; with ids the embedding (n_ids, D)
    const Py_ssize_t* categories       # (total,) its rows, or NULL
    Loss loss                   # none where dscores are given
    const char* targets         # target_size bytes for each sequence, or for each of `values`
    Py_ssize_t target_size
    const double* weights       # one for each target, or NULL for 1
    double total_weight
    double dropout              # rates
    double recurrent_dropout
    unsigned long long seed
    const Py_ssize_t* mask_offset    # (n,) what is added to the row of a step for its masks, or NULL for 0
    const Py_ssize_t* mask_number   # (n,) the number of a sequence for its recurrent masks, or NULL for its place
    const real* initial         # (N, width) states before the first steps in the caller's order, or NULL for none
    real* final                 # likewise after the last steps, or NULL
    const real* dscores         # in the caller's order, where there is no loss
    real* dstate                # (N, width) dL/d(final states) becomes dL/d(initial states), or NULL for zeros
    real* dX                    # in the caller's order, or NULL


cdef struct Part:
    # Rows k .. k + n - 1 and columns j .. j + width - 1 of a term
    int depth                   # the layer, or -1 for the head
    int d
    int term
    Py_ssize_t k
    Py_ssize_t n
    Py_ssize_t j
    Py_ssize_t width


cdef struct SegmentTables:
    # Room for a segment of a group, and for the states between segments
    Py_ssize_t* offset
    Py_ssize_t* length
    Py_ssize_t* source
    Py_ssize_t* out
    real* states
