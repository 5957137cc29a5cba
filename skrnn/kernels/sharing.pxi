# Threads that share the units of a single sequence.
#
# A sequence alone leaves the other threads nothing but its units: each thread of a team computes a range of them, from
# step to step, and then reads what the others have computed. All have the states of all units in memory of their own
# and copy the others' from theirs, so no thread ever writes what another one needs: a thread overwrites a state two
# steps later, when all others have published the step between. A number of parts done, in a cache line of its own, says
# how far a thread is.
#
# The thread that called computes in the buffers of the group, as if it were alone. It waits for the others only so
# long: where they have no processor of their own, it computes the step again, all units, and goes on alone, with the
# same bits. They leave when they next look. The next calls do without them for a while.

cdef extern from *:
    """
    #ifdef _WIN32
    static void yield_thread(void) { SwitchToThread(); }
    #else
    #include <sched.h>
    static void yield_thread(void) { sched_yield(); }
    #endif

    /* Tells the processor that a loop waits. */
    #if defined(_MSC_VER)
    static void relax(void) { YieldProcessor(); }
    #elif defined(__x86_64__) || defined(__i386__)
    static void relax(void) { __builtin_ia32_pause(); }
    #elif defined(__aarch64__)
    static void relax(void) { __asm__ volatile("yield"); }
    #else
    static void relax(void) { }
    #endif
    """
    void yield_thread() noexcept nogil
    void relax() noexcept nogil

cdef enum:
    SPINS = 64                      # before a waiting thread reads the clock
    SHARED_INTERVAL = 50            # calls that took as long are left to one thread after one in which others failed

# Multiply-adds of a step for each thread that shares it, from which on it gains; seconds that the thread that called
# waits for the others in any call, in a longer one up to a quarter of it.
cdef double shared_work = 16384
cdef double max_wait = 2e-4
cdef long max_parts = LONG_MAX      # of tests: after so many parts of steps the others leave


cdef inline Py_ssize_t n_panels(Py_ssize_t K) noexcept nogil:
    """How many panels of vectors, which no two threads share, K units have."""
    return ceil_div(ceil_div(K, VL), MAX_VECTORS)


cdef inline double max_sharing(const Layer* layer) noexcept nogil:
    """How many threads may share a layer's units."""
    return min(<double> n_panels(layer.K), step_work(layer, 1) / shared_work)


cdef int team_size(const Net* net, const Group* g, int n_threads) noexcept nogil:
    """How many threads share the units of a group; 1 where it is not worth it."""
    cdef double n = 1
    cdef int depth
    if g.n > 1 or g.length[0] == 1:
        return 1
    for depth in range(net.n_layers):
        n = max(n, max_sharing(&net.layers[depth]))
    return <int> min(<double> n_threads, n)


cdef Py_ssize_t lay_out_team(Team* team, const Net* net, int n, char* base) noexcept nogil:
    """Fill a team of n threads, from `base` on, and return its bytes; with a base of NULL they are only counted."""
    cdef Arena arena = Arena(base=base, used=0)
    cdef Py_ssize_t states = 0, saved = 0, gates = 0
    cdef const Layer* layer
    cdef DirectionBuffers* own
    cdef real* arrays
    cdef int depth, i
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        states = max(states, layer.cell.n_states * layer.K)
        saved = max(saved, layer.cell.n_saved * layer.K)
        gates = max(gates, layer.cell.n_gates * layer.K)
    memset(team, 0, sizeof(Team))
    team.n = n
    team.members = <Member*> arena_alloc(&arena, n, 1, sizeof(Member))
    if base != NULL:
        memset(team.members, 0, n * sizeof(Member))
    for i in range(1, n):
        arrays = <real*> arena_alloc(&arena, 2 * states + saved + PROJECTED_STEPS * gates, 1, sizeof(real))
        if base != NULL:
            own = &team.members[i].own
            own.states = own.before = arrays
            own.saved = arrays + 2 * states
            own.projected = own.saved + saved
    return arena.used


cdef inline void take_units(const Team* team, int me, Step* s) noexcept nogil:
    """Let a step be of the units of a thread: whole panels of vectors, none where there are too few."""
    cdef Py_ssize_t vectors = ceil_div(s.K, VL), panels = n_panels(s.K)
    s.begin = min(vectors, split_start(me, panels, team.n) * MAX_VECTORS)
    s.end = min(vectors, split_start(me + 1, panels, team.n) * MAX_VECTORS)


cdef bint begin_shared_scan(
    const Job* job,
    const Layer* layer,
    const DirectionBuffers* direction,
    const Group* g,
    const real* X,
    const real* packed,
) noexcept nogil:
    """Whether the team takes part in a scan, which then begins for the others."""
    cdef Team* team = job.team
    if team == NULL or team.abandoned or direction.gamma != NULL or direction.mask != NULL:
        return False
    if max_sharing(layer) < 2:
        return False
    team.layer, team.direction, team.g, team.X, team.packed = layer, direction, g, X, packed
    add_shared(&team.scans, 1)
    return True


cdef void help_scans(const Job* job, int me) noexcept nogil:
    """What a thread of the team does beside the one that called."""
    cdef unsigned long long mode = flush_denormals()
    cdef long scans = 0
    while wait_for(job, me, &job.team.scans, scans + 1):
        scans += 1
        help_scan(job, me)
    restore_mode(mode)


cdef void help_scan(const Job* job, int me) noexcept nogil:
    """A thread's units of all steps of a scan."""
    cdef Team* team = job.team
    cdef const Layer* layer = team.layer
    cdef const DirectionBuffers* of_caller = team.direction
    cdef DirectionBuffers* own = &team.members[me].own
    cdef const Group* g = team.g
    cdef const real* X = team.X
    cdef const real* packed = team.packed
    cdef Step s
    cdef Py_ssize_t t, p
    own.plane = 2 * layer.K
    s = step_of(layer, own)
    for p in range(layer.cell.n_states):
        memcpy(own.states + p * own.plane, of_caller.states + p * of_caller.plane, layer.K * sizeof(real))
    take_units(team, me, &s)
    for t in range(g.length[0]):
        set_step(layer, own, g, t, 0, 1, X, &s)
        project_steps(layer, own, g, t, packed, &s)
        if not shared_step(job, me, t, &s):
            return


cdef bint shared_step(const Job* job, int me, Py_ssize_t t, Step* s) noexcept nogil:
    """A thread's units of step t, and a copy of the others'; False where it does not get them.

    After the last part of the last step only the thread that called copies, and may begin another scan at once.
    """
    cdef Team* team = job.team
    cdef const Layer* layer = team.layer
    cdef Member* own = &team.members[me]
    cdef bint last = me > 0 and t + 1 == team.g.length[0]
    cdef int i
    s.part = TO_GATED if layer.cell.gated > 0 else WHOLE
    while True:
        if me > 0 and own.done >= max_parts:
            return False
        if s.begin < s.end:
            layer.cell.step(s, team.packed)
        add_shared(&own.done, 1)
        if last and s.part != TO_GATED:
            return True
        for i in range(team.n):
            if i == me:
                continue
            if not wait_for(job, me, &team.members[i].done, own.done):
                return False
            copy_units(team, i, t, s)
        if s.part != TO_GATED:
            return True
        s.part = AFTER_GATED


cdef inline void copy_units(const Team* team, int other, Py_ssize_t t, Step* s) noexcept nogil:
    """Copy what another thread has computed of a part of step t."""
    cdef const DirectionBuffers* direction = team.direction if other == 0 else &team.members[other].own
    cdef const Layer* layer = team.layer
    cdef Step theirs
    cdef Py_ssize_t p, k, n, K = s.K
    theirs.K = K
    take_units(team, other, &theirs)
    k = theirs.begin * VL
    n = min(K, theirs.end * VL) - k
    if n <= 0:
        return
    if s.part == TO_GATED:
        k += layer.cell.gated * K
        memcpy(s.saved + k, direction.saved + k, n * sizeof(real))
        return
    for p in range(layer.cell.n_states):
        memcpy(
            s.after + p * s.plane + k,
            direction.states + p * direction.plane + state_after(direction, team.g, t) * K + k, n * sizeof(real),
        )


cdef void take_all_units(
    const Layer* layer,
    const DirectionBuffers* direction,
    const Group* g,
    Py_ssize_t t,
    const real* X,
    const real* packed,
    Step* s,
) noexcept nogil:
    """Let step t, and those after it, be of all units."""
    cdef Py_ssize_t begun = t // PROJECTED_STEPS * PROJECTED_STEPS
    s.begin, s.end, s.part = 0, ceil_div(s.K, VL), WHOLE
    s.X = X + g.offset[begun] * layer.D
    project_steps(layer, direction, g, begun, packed, s)
    s.X = X + g.offset[t] * layer.D
    project_steps(layer, direction, g, t, packed, s)


cdef bint wait_for(const Job* job, int me, long* shared, long value) noexcept nogil:
    """Wait until a shared number is at least `value`; False where that is not going to be."""
    cdef Team* team = job.team
    cdef int i
    cdef double start, now, waited
    for i in range(SPINS):
        if read_shared(shared) >= value:
            return True
        relax()
    start, waited = seconds_now(), team.waited if me == 0 else 0
    while read_shared(shared) < value:
        if read_shared(&job.watch.stopped) or read_shared(&team.ended):
            return False
        now = seconds_now()
        if me == 0:
            team.waited = waited + now - start
            if team.waited > max_wait and 4 * team.waited > now - team.start:
                team.abandoned = True
                add_shared(&team.ended, 1)
                return False
        if now - start > 5e-5:
            yield_thread()
        else:
            relax()
    return True


cdef void share_group(
    const Job* job, const Buffers* buffers, const Group* g, int me, real* scores
) noexcept nogil:
    """`forward_group` by a thread of the team."""
    if me > 0:
        help_scans(job, me)
        return
    forward_group(job, buffers, g, scores)
    add_shared(&job.team.ended, 1)
