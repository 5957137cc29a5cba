# Ctrl-C during a call: all threads leave it soon after a handler of a signal has raised.
#
# Python runs the handlers of signals in its main thread, when that asks. So the thread that called the kernels asks now
# and then, with the GIL for a moment, also while it waits for the others. What a handler raises is kept, all threads
# leave their loops at the next point where they look, and the call raises it at its end: only what it should have
# filled is then undefined. Loops over steps compare two numbers in each step, and read the clock once in `look_work`.

cdef extern from *:
    """
    #ifdef _WIN32
    #ifndef WIN32_LEAN_AND_MEAN
    #define WIN32_LEAN_AND_MEAN
    #endif
    #ifndef NOMINMAX
    #define NOMINMAX
    #endif
    #include <windows.h>
    static double seconds_now(void) { return GetTickCount64() * 1e-3; }
    static void sleep_for(double seconds) { Sleep((DWORD)(seconds * 1e3) + 1); }
    #else
    #include <time.h>
    static double seconds_now(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    }
    static void sleep_for(double seconds) {
        struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&time, NULL);     /* a signal ends it */
    }
    #endif

    #ifdef _MSC_VER
    #include <intrin.h>
    static long read_shared(volatile long *value) { return _InterlockedOr(value, 0); }
    static long add_shared(volatile long *value, long n) { return _InterlockedExchangeAdd(value, n); }
    #else
    static long read_shared(volatile long *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
    static long add_shared(volatile long *value, long n) { return __atomic_fetch_add(value, n, __ATOMIC_ACQ_REL); }
    #endif
    """
    double seconds_now() noexcept nogil
    void sleep_for(double seconds) noexcept nogil
    long read_shared(long* value) noexcept nogil                # of what several threads change
    long add_shared(long* value, long n) noexcept nogil         # returns the value before

cdef extern from "Python.h":
    unsigned long PyThread_get_thread_ident() noexcept nogil

# Seconds between two looks for signals; multiply-adds, a millisecond or less, between two readings of the clock.
cdef double look_seconds = 0.1
cdef double look_work = 2**22
cdef object look_hook = None        # of tests: is called at each look

cdef enum:
    STEP_WORK = 64                  # what a step costs beside its multiply-adds, in these


cdef void start_watch(Watch* watch) noexcept:
    """Begin a call, in the thread that calls."""
    watch.caller = PyThread_get_thread_ident()
    watch.mode = flush_denormals()
    restore_mode(watch.mode)
    watch.next_look = 0
    watch.stopped = 0
    watch.error = NULL


cdef int raise_interrupt(Watch* watch) except -1:
    """Raise what a handler of a signal raised since `start_watch`."""
    if read_shared(&watch.stopped):
        error = <object> watch.error
        Py_DECREF(error)
        watch.error = NULL
        raise error
    return 0


cdef int leave_if_interrupted(Watch* watch) except -1:
    """Look for signals, if the last look was long ago, and raise what a handler raised."""
    interrupted(watch)
    return raise_interrupt(watch)


cdef inline Py_ssize_t look_mask(Py_ssize_t n, double work) noexcept nogil:
    """The bits of t that are all set where a loop over t = 0 … n − 1 should look; of `work` multiply-adds a turn."""
    cdef Py_ssize_t mask = 0
    if n * work < look_work:
        return -1           # all bits of no t
    while (mask + 1) * work < look_work:
        mask = 2 * mask + 1
    return mask


cdef inline bint interrupted(Watch* watch) noexcept nogil:
    """Whether the call is to be left. The thread that called looks for signals, if its last look was long ago."""
    if watch.caller == PyThread_get_thread_ident() and not read_shared(&watch.stopped):
        look_if_due(watch, seconds_now())
    return read_shared(&watch.stopped) != 0


cdef void look_if_due(Watch* watch, double now) noexcept nogil:
    cdef unsigned long long mode
    if watch.next_look == 0:
        watch.next_look = now + look_seconds
    if now >= watch.next_look:
        mode = flush_denormals()
        restore_mode(watch.mode)        # a handler is Python's own
        look(watch)
        restore_mode(mode)


cdef void look(Watch* watch) noexcept with gil:
    """Run the handlers of signals that have come, and keep what one raises."""
    try:
        if look_hook is not None:
            look_hook()
        PyErr_CheckSignals()
        # other threads than the main one never get a signal
        watch.next_look = seconds_now() + look_seconds if get_ident() == main_thread().ident else INFINITY
    except BaseException as error:
        Py_INCREF(error)
        watch.error = <PyObject*> error
        add_shared(&watch.stopped, 1)


# Tasks that threads take in turn, the first ones the longest.


cdef inline Tasks tasks_of(Py_ssize_t n, int n_threads) noexcept nogil:
    """n tasks for so many threads."""
    return Tasks(n=n, taken=1, done=0, begun=False, start=seconds_now() if n_threads > 1 else 0)


cdef Py_ssize_t next_task(Watch* watch, Tasks* tasks, Py_ssize_t done) noexcept nogil:
    """Take the next task, after one that is done or −1; −1 where none is left or the call is to be left.

    The thread that called takes the first one and leaves last: at the barrier after the tasks it could not look for
    signals. Only where its own tasks took less than `look_seconds` it goes there at once, as no other takes longer.
    """
    cdef bint calling = watch.caller == PyThread_get_thread_ident()
    cdef Py_ssize_t i
    cdef double elapsed
    if done >= 0:
        add_shared(&tasks.done, 1)
        if done + 1 < tasks.n and interrupted(watch):
            return -1
    if calling and not tasks.begun:
        tasks.begun, i = True, 0
    else:
        i = add_shared(&tasks.taken, 1)
    if i < tasks.n:
        return -1 if read_shared(&watch.stopped) else i
    if calling and read_shared(&tasks.done) < tasks.n:
        elapsed = seconds_now() - tasks.start
        while elapsed >= look_seconds and read_shared(&tasks.done) < tasks.n and not interrupted(watch):
            sleep_for(min(0.01, elapsed / 512))
    return -1
