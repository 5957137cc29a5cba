# What the files of the kernels share: the C functions of simd/, and the records that pass between them.
#
# (a) `real` is float or double and `vec` a vector of VL of them: the same source is built for both, and for every
#     instruction set (setup.py). To Cython both are numbers, so equations on vectors read like equations on numbers.
#     Loops over K units take VL at a time; `load` may read past the end of a row
#     (also what another thread is writing: those lanes are never used), `store` writes only as many as it is told.
# (b) Packing. A group is some sequences in the order of decreasing length. `active[t]` of them, always the first, take
#     step t; there is no padding. Step t occupies active[t] rows of every packed array, from row offset[t] on. There
#     are N sequences and S steps in all.
# (c) States have N + S rows: first the N initial states, then the packed steps. The row of a sequence in the state
#     before step t is therefore a view: in the block of step t - 1, or of the initial states. A sequence that has ended
#     takes no further step, and its final state is its row in the block of its own last step.
# (d) The states of a sequence go to and from the caller as a row of `width` numbers: K for each layer, direction and
#     state, then with pooling the sums and the maxima so far, P each, then the Z static features, which stay as they
#     are, and for the mean the number of steps.
# (e) Threads. A thread takes a whole group through all layers and steps, forward, loss and backward, and adds up the
#     gradient of the group, without a barrier. Where there are fewer groups than threads, the threads share one: each
#     takes a tile of it, a range of its sequences, and then a part of the parameters. Rows never influence each other,
#     so tiles and parts may be cut as the threads need.
# (f) Segments. Where the activations of a group do not fit into memory, its steps are cut into ranges, each of which is
#     computed as a group.
# (g) Patches. A network may read `patch_size` steps of a sequence side by side, every `patch_stride` steps. Then a step
#     of the network is a patch: what is said of steps here is said of patches, but for the rows of the caller's arrays.
# (h) Categories. A step of the caller ends with the categories of some features, as numbers; the network reads the
#     vectors of an embedding in their place. Or each step is one category.

cdef extern from "simd/vector.h" nogil:
    ctypedef double real
    ctypedef double vec
    const Py_ssize_t VL
    const int MANTISSA_BITS
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
    void drop(unsigned long long seed, Py_ssize_t site, Py_ssize_t row, double rate, Py_ssize_t n,
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
    Py_ssize_t ceil_div(Py_ssize_t n, Py_ssize_t size)
    Py_ssize_t split_start(Py_ssize_t i, Py_ssize_t n, Py_ssize_t count)
    const Py_ssize_t MAX_VECTORS
    const Py_ssize_t ROW_PANELS
    Py_ssize_t packed_size(Py_ssize_t n, Py_ssize_t p)
    void pack_rows(real* packed, Py_ssize_t n, Py_ssize_t p, Py_ssize_t first, Py_ssize_t m,
                   const real* source, Py_ssize_t row, Py_ssize_t column)
    ctypedef struct Weights:
        const real* packed
        Py_ssize_t n
        Py_ssize_t p
        Py_ssize_t first
        Py_ssize_t begin
        Py_ssize_t end
        bint descending
    void product_columns(Py_ssize_t m, Factor a1, Factor a2, const Weights* weights, const real* start, Py_ssize_t lds,
                         real* C, Py_ssize_t ldc)
    void product(Py_ssize_t m, Py_ssize_t p, Factor a1, Factor a2, const real* packed, real* C, Py_ssize_t ldc,
                 int start)
    void add_outer(Py_ssize_t n, Py_ssize_t p, Py_ssize_t n_ranges, const RowRange* ranges,
                   const real* A, Py_ssize_t lda, const real* G, Py_ssize_t ldg, real* to, Py_ssize_t ld)
    void add_sums(Py_ssize_t p, Py_ssize_t n_ranges, const RowRange* ranges,
                  const real* G, Py_ssize_t ldg, real* to)

cdef enum:
    # Changing these changes the order in which gradients are summed, and so the last bits.
    GROUP_ROWS = 16             # sequences in a group,
    LARGE_GROUP_ROWS = 32       # in a group of a network with more than LARGE_BYTES of weights: fewer reads of them
    LARGE_BYTES = 262144
    MAX_GROUP_ROWS = 64         # in a group of sequences so short that it would have less than MIN_GROUP_STEPS
    MIN_GROUP_STEPS = 512       # packed rows, for which its gradient is worth adding up
    CHUNK_ROWS = 256            # packed rows whose outer products are summed in registers

cdef enum:
    PROJECTED_STEPS = 12        # of a single sequence whose x W + b is computed at once: full blocks of rows

cdef enum:
    MAX_TERMS = 6               # of a cell
    DECAY_TERMS = 2             # of the decay of its states


cdef enum:
    # What of a step is computed: all of it, or, where its units read a gated state of all others, up to that, or the
    # rest
    WHOLE
    TO_GATED
    AFTER_GATED


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
    real* scratch               # (m, max(D, K)) of the gradient; filled by dX where the layer reads backwards
    # Of a forward step alone:
    Py_ssize_t begin            # vectors of units begin .. end - 1 are computed: 0 and ceil(K / VL) for all of them
    Py_ssize_t end
    const real* projected       # x W + b (1, G·K) of a single row, which are then not computed, or NULL
    bint descending             # whether products begin with the last panel, see product.h
    int part


cdef enum:
    # What a term of the weight gradient multiplies: the inputs, h₋, a block of `saved`, or 1
    INPUT
    STATE
    SAVED
    ONE
    SINCE                       # or δ of a decay

cdef enum:
    # and which parameter it belongs to
    TO_W
    TO_U
    TO_B
    TO_DECAY_W
    TO_DECAY_B


cdef struct Term:
    # M[row : row + n, column : column + width] += Σ Aᵀ G over all steps, M one of dW, dU, db, or of a decay
    int source
    Py_ssize_t block            # first column of A in `saved`, for SAVED
    Py_ssize_t n                # columns of A
    int to
    Py_ssize_t row
    Py_ssize_t column
    Py_ssize_t width
    Py_ssize_t gradient         # first column of G in `saved`, or for a decay in `gamma`


cdef struct Cell:
    int n_gates                 # of the description, set by cells/registry.pxi
    int n_states                # likewise
    int n_saved                 # K-wide blocks that `step` leaves for `step_gradient`
    int n_biases                # rows of b
    int gated                   # the block of `saved` with a gated state of which a unit reads all; 0 for none
    Py_ssize_t (*packed_size)(const Layer* layer) noexcept nogil
    void (*pack)(
        const Layer* layer, const real* W, const real* U, const real* b, real* packed, bint backward
    ) noexcept nogil
    void (*project)(const Layer* layer, const Step* s, const real* packed, real* projected) noexcept nogil
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
    Py_ssize_t[2] W             # index in theta where the parameters of each direction begin
    Py_ssize_t[2] U
    Py_ssize_t[2] b
    Py_ssize_t[2] packed        # and of their packed form among all packed weights
    int n_terms
    Term[MAX_TERMS + DECAY_TERMS] terms


cdef enum:
    # what the head reads of a sequence, a sum of these; named in pooling.pxi
    LAST = 1
    MEAN = 2
    MAXIMUM = 4


cdef struct Decay:
    # Of what is missing and of the states of the first layer, see decay.pxi
    Py_ssize_t n                # features that decay, the first ones of a step; 0 for none
    Py_ssize_t indicators       # column of the first of their indicators
    Py_ssize_t w                # index in theta where w (n,) and b (n,) of the inputs begin,
    Py_ssize_t[2] W             # and W (n, K) of each direction's states,
    Py_ssize_t[2] b             # and b (K,)
    Py_ssize_t packed           # and of their packed form among all packed weights
    Py_ssize_t[2] packed_states


cdef struct Embedding:
    # A vector for each category of a feature, (n_categories, dim); its gradient is summed by itself, after the groups
    Py_ssize_t start            # index in theta where it begins
    Py_ssize_t n_categories
    Py_ssize_t dim


cdef struct Net:
    Layer* layers
    int n_layers
    Py_ssize_t F                # features of a step of the caller, see (h):
    Py_ssize_t n_numbers        # the first ones are numbers,
    int n_embeddings            # each of the others is a category with an embedding
    const Embedding* embeddings
    bint of_categories          # whether each step is one category, an integer
    Py_ssize_t width            # what the network reads of a step: its numbers, then the vectors of its categories
    Py_ssize_t patch_size       # steps that the network reads at a time,
    Py_ssize_t patch_stride     # and from the first of one such patch to that of the next; 1 and 1 for single steps
    Py_ssize_t D                # inputs, patch_size · width
    Decay decay                 # of the first numbers, with δ between the numbers and the categories of a step
    const real* center          # (D,) the units of the inputs: the first layer reads (x − center) · inverse, with 0 and
    const real* inverse         # (D,) 1 for vectors of embeddings; NULL where all are read as they are
    Py_ssize_t P                # columns of the top layer's output
    Py_ssize_t Z                # static features of a sequence, which the head reads beside it
    Py_ssize_t H                # of what the head reads: P + Z, or of a sequence a multiple of P, and Z
    Py_ssize_t Q                # outputs
    bint per_step               # the head reads every step, or else one vector of every sequence:
    int pooling                 # of the last output, the mean of all and the maximum of each unit those that it reads
    Py_ssize_t V                # index in theta where the parameters of the head begin
    Py_ssize_t c
    Py_ssize_t packed           # and of their packed form: [c; V] (1 + H, Q), then [0; Vᵀ] (1 + Q, H)
    Py_ssize_t size             # number of parameters, without those that follow them: the embeddings and others
    Py_ssize_t packed_size      # number of all packed weights


cdef struct Group:
    # Sequences that are packed together, or a segment of their steps, see (b) and (f)
    Py_ssize_t n                # number of sequences
    Py_ssize_t ending           # sequences ending .. n - 1 end in it; the first ones continue in the next segment
    Py_ssize_t begin            # the step of the sequences that is its first, 0 but for a segment
    Py_ssize_t chunk            # number of steps whose weight gradients are summed together
    const Py_ssize_t* active    # (T,) number of sequences that take step t
    const Py_ssize_t* offset    # (T + 1,) packed row at which step t begins
    const Py_ssize_t* length    # (n,) steps of each sequence; in a segment from `begin` on
    const Py_ssize_t* rows      # (n,) number of the caller's steps of each sequence
    const Py_ssize_t* source    # (n,) row of its first step in the caller's steps
    const Py_ssize_t* sample    # (n,) its number among all sequences of the caller
    const Py_ssize_t* position  # (n,) its position in the batch, in the caller's order
    const Py_ssize_t* out       # (n,) row of its first step in arrays (S, …) in the caller's order


cdef struct DirectionBuffers:
    # The arrays of one direction of one layer for a group, of all its steps or without history of two at a time
    real* X                     # (S, D) inputs in the order of its steps; NULL where the layer below has them so
    real* states                # (n_states, N + S, K); (n_states, 2 N, K) without history
    real* before                # what steps read as the states before them: `states`, or of the same form γ ⊙ states
    real* since                 # (S, n) δ of a decay, or NULL
    real* gamma                 # (S, K) γ of a decay; (N, K) without history; or NULL
    real* saved                 # (S, n_saved·K); (N, n_saved·K) without history
    real* dstate                # (n_states, N, K)
    real* mask                  # (N, K) of recurrent dropout, or NULL
    real* recurrent             # (S, K) h₋ ⊙ mask of each step, or NULL
    real* projected             # (PROJECTED_STEPS, G·K) x W + b of the next steps of a single sequence, or NULL
    Py_ssize_t plane            # distance from one state to the next in `states`
    Py_ssize_t dplane           # and in `dstate`
    bint history                # whether the states of all steps are kept
    bint keep                   # whether `saved` of all steps is kept, for the gradient


cdef struct LayerBuffers:
    DirectionBuffers[2] direction
    real* Y                     # (S, P) outputs of a bidirectional layer
    real* dY                    # (S, P) gradient in its output; NULL where only the last states get one


cdef struct Buffers:
    # All arrays of a group; R = S steps, or N sequences
    LayerBuffers* layers
    real* features              # (R, H) what the head reads; NULL where that is the output of every step as it is
    real* dfeatures             # (N, H); NULL where the head reads the output of every step alone
    real* pool                  # (N, n_pooled) sums and maxima of the outputs so far, static features; NULL for none
    real* dpool                 # (N, n_pooled)
    real* count                 # (N,) number of steps so far
    Py_ssize_t* peak            # (N, P) step of the maximum, −1 where it came before this segment; NULL for no pooling
    real* scores                # (R, Q)
    real* dscores               # (R, Q)
    double* losses              # (R,)
    real* dX                    # (S, D), or NULL where it is not needed; with embeddings outside of the other arrays
    real* d_decay               # (S, 2 n) gradients of w and b of a decay, or NULL
    real* scratch               # (N, scratch_width)
    Py_ssize_t scratch_width    # maximum number of inputs or units of a layer


cdef struct BufferNeeds:
    # What buffers need room for, beside the forward pass
    bint gradient
    bint trace
    bint dX
    bint dropout
    bint recurrent_dropout


ctypedef double (*RowLoss)(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil


cdef struct Loss:
    RowLoss of_row              # NULL for none
    bint of_classes             # whether targets are class numbers, or else real numbers
    bint mean                   # whether it is the mean over targets, or else the sum
    Py_ssize_t min_outputs      # the numbers of scores, Q, that it can be of
    Py_ssize_t max_outputs
    Py_ssize_t width            # scores of each real target
    Py_ssize_t n_targets        # real numbers or classes in a row of targets
    const double* parameters    # (n_parameters,)
    Py_ssize_t n_parameters
    bint logistic               # whether it is of σ(score)


cdef struct Watch:
    # Whether a call is to be left because a handler of a signal raised, see interrupts.pxi
    unsigned long caller        # thread of Python that called
    unsigned long long mode     # of its floating-point arithmetic, outside the kernels
    double next_look            # when it looks for signals next, in seconds; 0 before it first reads the clock
    long stopped                # shared by all threads: not 0 where they are to leave
    PyObject* error             # what the handler raised


cdef struct Tasks:
    # Tasks 0 .. n - 1 that threads take in turn
    Py_ssize_t n
    long taken                  # shared by all threads: how many
    long done
    bint begun                  # whether the thread that called has taken its first one, 0
    double start                # when the threads began, in seconds


cdef struct Member:
    # A thread of a team
    long done                   # shared: how many parts of steps it has computed
    char[64] distance           # keeps it out of the cache lines of the others
    DirectionBuffers own        # what it computes in, where it is not the thread that called


cdef struct Team:
    # Threads that share the units of a single sequence, see sharing.pxi
    int n
    Member* members             # (n,); the thread that called is number 0
    long scans                  # shared: how many have begun
    long ended                  # shared: not 0 when the others are to leave
    bint abandoned              # whether the thread that called waited for them in vain
    double start                # when the call began, in seconds
    double waited               # seconds that the thread that called has waited
    # the scan that began last:
    const Layer* layer
    const DirectionBuffers* direction
    const Group* g
    const real* X
    const real* packed


cdef struct Job:
    # What the threads compute of a batch; they only read it
    Watch* watch
    Team* team                  # that shares the units of the sequence, or NULL
    const Net* net
    const real* packed          # the packed weights
    const real* theta           # (P,)
    const real* values          # (total, F) the caller's steps, or NULL for
    const Py_ssize_t* categories    # (total,) steps that are categories
    Loss loss                   # none where dscores are given
    const char* targets         # target_size bytes for each sequence of the caller, or for each of its steps
    Py_ssize_t target_size
    const double* weights       # one for each target, or NULL where all are 1
    const double* known         # of each row of targets the fraction that is not missing, or NULL for 1
    double total_weight         # Σ weight · known
    double dropout              # rates
    double recurrent_dropout
    unsigned long long seed
    const Py_ssize_t* mask_offset   # (n,) what is added to the row of a step for its masks, or NULL for 0
    const Py_ssize_t* mask_number   # (n,) the number of a sequence for its recurrent masks, or NULL for its own
    # in the caller's order, R = S steps or N sequences:
    const real* initial         # (N, width) states before the first steps, or NULL for zeros
    real* final                 # (N, width) states after the last steps, or NULL
    const real* dscores         # (R, Q), where there is no loss
    real* dstate                # (N, width) dL/d(final states) becomes dL/d(initial states), or NULL for zeros
    real* dX                    # (S, F), or NULL; zeros at the beginning where the network reads patches
    # (S, n_layer_states) of every step, or NULL; of patches a sequence has as many rows as steps, and fills the first:
    real* trace                 # states after it
    real* dstates               # and the gradient in them, through that step's output and all later steps


cdef enum:
    # What is no layer, but has parts
    OF_HEAD = -1
    OF_DECAY = -2               # of the inputs


cdef struct Part:
    # Rows k .. k + n - 1 and columns j .. j + width - 1 of a term, see (e)
    int depth                   # the layer, or OF_HEAD or OF_DECAY
    int d                       # the direction
    int term
    Py_ssize_t k
    Py_ssize_t n
    Py_ssize_t j
    Py_ssize_t width


cdef struct SegmentTables:
    # The tables of a segment, as in Group, and the states before each segment (n_segments, n, width)
    Py_ssize_t* offset
    Py_ssize_t* length
    real* states
