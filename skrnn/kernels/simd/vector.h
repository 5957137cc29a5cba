/* A vector of `real`, and the functions of it that the kernels are made of.

   One source for every instruction set and both dtypes: SKRNN_DOUBLE chooses `real`, VECTOR_BYTES the
   width. VL is the number of lanes. Compilers without vector types get VL = 1, where a vector is a number.

   Bits. Lanes never influence each other, no expression is contracted but where `fma` says so, and nothing here depends
   on alignment: a lane's result is a function of its operands alone.

   Sources: argument reduction of exp from Cody, W. J. and Waite, W. (1980), Software Manual for the Elementary
   Functions; the coefficients are a Chebyshev fit of (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2, computed to 50
   digits. */

#ifndef SKRNN_VECTOR_H
#define SKRNN_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* GNU C: gcc, clang, and clang-cl, which does not call itself so. */
#if defined(__GNUC__) || defined(__clang__)
#define GNU_C
#endif

#ifdef GNU_C
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static __inline
#endif

/* A large function that exists once, neither inlined nor cloned for some of its callers: its speed is to depend on no
   other file. */
#if defined(GNU_C) && !defined(__clang__)
#define SINGLE static __attribute__((noinline, noclone))
#elif defined(GNU_C)
#define SINGLE static __attribute__((noinline))
#else
#define SINGLE static
#endif

#ifdef SKRNN_DOUBLE
typedef double real;
typedef int64_t integer;
#define MANTISSA_BITS 52
#define MAGIC 6755399441055744.0                /* 1.5 2^52: adding it rounds to an integer, in the low bits */
#define HIGHEST 710.0                           /* exp and exp2 of more are inf */
#define HIGHEST_EXP2 1024.5
#define LOG2_E 1.4426950408889634
#define LN2 0.6931471805599453
#define LN2_HIGH 0.6931471803691238             /* 32 bits, so that n LN2_HIGH is exact */
#define LN2_LOW 1.9082149292705877e-10
#else
typedef float real;
typedef int32_t integer;
#define MANTISSA_BITS 23
#define MAGIC 12582912.0f                       /* 1.5 2^23 */
#define HIGHEST 89.0f
#define HIGHEST_EXP2 128.5f
#define LOG2_E 1.4426950408889634f
#define LN2 0.69314718056f
#define LN2_HIGH 0.693145751953125f             /* 15 bits */
#define LN2_LOW 1.4286068203094172e-06f
#endif

/* What the build asks for, whatever more the compiler's flags allow. */
#ifndef VECTOR_BYTES
#define VECTOR_BYTES 16
#endif

/* exp and exp2 of less are 0: where 2^n may be denormal these are, elsewhere what is near it. */
#if VECTOR_BYTES == 64
#define LOWEST ((real)(sizeof(real) == 4 ? -104 : -746))
#define LOWEST_EXP2 ((real)(sizeof(real) == 4 ? -151 : -1076))
#else
#define LOWEST ((real)(sizeof(real) == 4 ? -86 : -707))
#define LOWEST_EXP2 ((real)(sizeof(real) == 4 ? -124 : -1020))
#endif

/* ---- What depends on the compiler and the instruction set ---- */

#if defined(GNU_C) && !defined(SKRNN_SCALAR)

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef integer mask __attribute__((vector_size(VECTOR_BYTES)));
enum { VL = VECTOR_BYTES / sizeof(real) };

INLINE vec splat(real a) { return a - (vec){0}; }

INLINE vec load(const real *p) {
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

#if defined(__SSE2__) && !defined(SKRNN_PORTABLE)

#include <immintrin.h>
#define JOIN3_(a, b, c) a##b##c
#define JOIN3(a, b, c) JOIN3_(a, b, c)
#if VECTOR_BYTES == 64
#define PREFIX _mm512_
#elif VECTOR_BYTES == 32
#define PREFIX _mm256_
#else
#define PREFIX _mm_
#endif
#ifdef SKRNN_DOUBLE
#define SUFFIX _pd
#else
#define SUFFIX _ps
#endif
#define X86(operation) JOIN3(PREFIX, operation, SUFFIX)

/* The second operand where one of them is NaN. */
INLINE vec minimum(vec a, vec b) { return (vec)X86(min)(a, b); }
INLINE vec maximum(vec a, vec b) { return (vec)X86(max)(a, b); }
INLINE vec square_root(vec a) { return (vec)X86(sqrt)(a); }

#else

INLINE vec minimum(vec a, vec b) {
    mask less = a < b;
    return (vec)((less & (mask)a) | (~less & (mask)b));
}

INLINE vec maximum(vec a, vec b) {
    mask greater = a > b;
    return (vec)((greater & (mask)a) | (~greater & (mask)b));
}

INLINE vec square_root(vec a) {
    for (int lane = 0; lane < VL; lane++)
        a[lane] = (real)sqrt(a[lane]);
    return a;
}

#endif

#if VECTOR_BYTES > 16
#define HAS_FMA
INLINE vec fma_(vec a, vec b, vec c) { return (vec)X86(fmadd)(a, b, c); }
#elif defined(__aarch64__)
#include <arm_neon.h>
#define HAS_FMA
INLINE vec fma_(vec a, vec b, vec c) {
#ifdef SKRNN_DOUBLE
    return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#endif
}
#else
INLINE vec fma_(vec a, vec b, vec c) { return c + a * b; }
#endif

#if VECTOR_BYTES == 64 && defined(SKRNN_DOUBLE)
INLINE void store_lanes(real *p, vec v, ptrdiff_t n) { _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), v); }
#elif VECTOR_BYTES == 64
INLINE void store_lanes(real *p, vec v, ptrdiff_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v); }
#else
INLINE void store_lanes(real *p, vec v, ptrdiff_t n) {
    for (ptrdiff_t lane = 0; lane < n; lane++)
        p[lane] = v[lane];
}
#endif

/* The first n lanes. */
INLINE void store(real *p, vec v, ptrdiff_t n) {
    if (n >= VL)
        memcpy(p, &v, sizeof v);
    else
        store_lanes(p, v, n);
}

INLINE vec absolute(vec a) { return (vec)((mask)a & ~(mask)splat((real)-0.0)); }

/* |a| with the sign of b. */
INLINE vec with_sign_of(vec a, vec b) {
    mask sign = (mask)splat((real)-0.0);
    return (vec)(((mask)a & ~sign) | ((mask)b & sign));
}

#if VECTOR_BYTES == 64

/* a where x < y, elsewhere b; b where one of them is NaN. */
INLINE vec where_less(vec x, vec y, vec a, vec b) {
    return (vec)X86(mask_blend)(JOIN3(_mm512_cmp, SUFFIX, _mask)(x, y, _CMP_LT_OQ), b, a);
}

INLINE vec nearest_integer(vec a) { return (vec)X86(roundscale)(a, 8); }
/* a 2^n for an integer n; too large is inf, too small is 0. */
INLINE vec times_power_of_two(vec a, vec n) { return (vec)X86(scalef)(a, n); }
INLINE vec zero_below(vec x, vec lowest, vec y) { (void)x, (void)lowest; return y; }

#else

#if VECTOR_BYTES == 32
INLINE vec where_less(vec x, vec y, vec a, vec b) { return (vec)X86(blendv)(b, a, (vec)(x < y)); }
#else
INLINE vec where_less(vec x, vec y, vec a, vec b) {
    mask less = x < y;
    return (vec)((less & (mask)a) | (~less & (mask)b));
}
#endif

/* 1.5 2^23 or 2^52: adding it leaves the nearest integer in the low bits. */
INLINE vec nearest_integer(vec a) { return (a + splat(MAGIC)) - splat(MAGIC); }

/* For n from the smallest exponent + 1 to the largest + 1: as twice a 2^(n - 1). */
INLINE vec times_power_of_two(vec a, vec n) {
    vec half = (vec)(((mask)(n + splat(MAGIC)) << MANTISSA_BITS) + (mask)splat((real)0.5));
    a = a * half;
    return a + a;
}

/* y, or 0 where x is less than LOWEST, to which it was raised. */
INLINE vec zero_below(vec x, vec lowest, vec y) { return (vec)(~(mask)(x < lowest) & (mask)y); }

#endif

#else   /* no vector types */

typedef real vec;
enum { VL = 1 };

INLINE vec splat(real a) { return a; }
INLINE vec load(const real *p) { return *p; }
INLINE void store(real *p, vec v, ptrdiff_t n) { if (n >= 1) *p = v; }
INLINE vec minimum(vec a, vec b) { return a < b ? a : b; }
INLINE vec maximum(vec a, vec b) { return a > b ? a : b; }
INLINE vec square_root(vec a) { return (real)sqrt(a); }
INLINE vec fma_(vec a, vec b, vec c) { return c + a * b; }
INLINE vec where_less(vec x, vec y, vec a, vec b) { return x < y ? a : b; }
INLINE vec absolute(vec a) { return (real)fabs(a); }
INLINE vec with_sign_of(vec a, vec b) { return (real)copysign(a, b); }
INLINE vec nearest_integer(vec a) { return (real)rint(a); }
INLINE vec times_power_of_two(vec a, vec n) { return n == n ? (real)ldexp(a, (int)n) : n; }
INLINE vec zero_below(vec x, vec lowest, vec y) { return x < lowest ? 0 : y; }

#endif

/* The first n lanes, the others 0: for arrays that may end within the vector. */
INLINE vec load_lanes(const real *p, ptrdiff_t n) {
    real lanes[VL];
    if (n >= VL)
        return load(p);
    for (ptrdiff_t lane = 0; lane < VL; lane++)
        lanes[lane] = lane < n ? p[lane] : 0;
    return load(lanes);
}

/* ---- Functions, in terms of the above ---- */

/* exp(r) - 1 for |r| <= ln(2) / 2. */
INLINE vec expm1_near_zero(vec r) {
#ifdef SKRNN_DOUBLE
    vec p = splat(2.5100424157005066788e-8);
    p = fma_(p, r, splat(2.7620138719733995569e-7));
    p = fma_(p, r, splat(2.7557268378684192873e-6));
    p = fma_(p, r, splat(2.4801521190217727651e-5));
    p = fma_(p, r, splat(1.9841269863105968748e-4));
    p = fma_(p, r, splat(1.3888888917281793308e-3));
    p = fma_(p, r, splat(8.3333333333300513464e-3));
    p = fma_(p, r, splat(4.1666666666623991516e-2));
    p = fma_(p, r, splat(0.16666666666666667456));
    p = fma_(p, r, splat(0.5));
#else
    vec p = splat(1.3926213466332443037e-3f);
    p = fma_(p, r, splat(8.3632029715758549465e-3f));
    p = fma_(p, r, splat(4.1666554437685938899e-2f));
    p = fma_(p, r, splat(0.16666576845993976311f));
    p = fma_(p, r, splat(0.5f));
#endif
    return fma_(p, r * r, r);
}

/* x = n ln(2) + r: returns n, and r. */
INLINE vec reduce(vec x, vec *r) {
    vec n = nearest_integer(x * splat(LOG2_E));
    *r = fma_(n, splat(-LN2_LOW), fma_(n, splat(-LN2_HIGH), x));
    return n;
}

/* exp of x <= HIGHEST. */
INLINE vec exponential_below(vec x) {
    vec r, n = reduce(maximum(splat(LOWEST), x), &r);
    return zero_below(x, splat(LOWEST), times_power_of_two(splat(1) + expm1_near_zero(r), n));
}

INLINE vec exponential(vec x) { return exponential_below(minimum(splat(HIGHEST), x)); }

INLINE vec exponential_2(vec x) {
    vec clamped = minimum(splat(HIGHEST_EXP2), maximum(splat(LOWEST_EXP2), x)), n = nearest_integer(clamped);
    vec y = times_power_of_two(splat(1) + expm1_near_zero((clamped - n) * splat(LN2)), n);
    return zero_below(x, splat(LOWEST_EXP2), y);
}

/* 1 / (1 + exp(-x)), from exp(-|x|) so that nothing overflows and small results keep their digits. */
INLINE vec logistic(vec x) {
    vec one = splat(1), zero = splat(0);
    vec e = exponential_below(zero - absolute(x));
    return where_less(x, zero, e, one) / (one + e);
}

#ifdef SKRNN_DOUBLE

/* (1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x, from expm1 so that small results keep their digits. */
INLINE vec hyperbolic_tangent(vec x) {
    vec one = splat(1), r, a = absolute(x);
    vec n = reduce(maximum(splat(LOWEST), splat(0) - (a + a)), &r);
    vec power = times_power_of_two(one, n);
    vec minus_e = (one - power) - power * expm1_near_zero(r);
    return with_sign_of(minus_e / ((one + one) - minus_e), x);
}

#else

/* x P(x^2) / Q(x^2), a rational fit of least relative error, 2e-8, for |x| <= 9.02; up to a bound at which it is 1, and
   before which it is nowhere more. */
#ifdef HAS_FMA
#define TANH_BOUND 8.0659647f
#else
#define TANH_BOUND 8.01939297f
#endif
INLINE vec hyperbolic_tangent(vec x) {
    vec bound = splat(TANH_BOUND), a = minimum(bound, maximum(splat(0) - bound, x)), s = a * a;
    vec p = splat(1.3318896421665594e-8f), q = splat(7.761946545214849e-7f);
    p = fma_(p, s, splat(2.0583351596545328e-5f));
    q = fma_(q, s, splat(3.2830799131695307e-4f));
    p = fma_(p, s, splat(3.4940266646713764e-3f));
    q = fma_(q, s, splat(2.587104325235281e-2f));
    p = fma_(p, s, splat(0.13379711328428823f));
    q = fma_(q, s, splat(0.4671302657359275f));
    p = fma_(p, s, splat(0.999999979030283f));
    q = fma_(q, s, splat(1.0f));
    return a * (p / q);
}

#endif

/* ---- The floating-point mode ---- */

/* Denormal numbers, operands and results, count as 0 until the mode that this returns is restored. */
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
INLINE uint64_t flush_denormals(void) {
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);
    return mode;
}
INLINE void restore_mode(uint64_t mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__) && defined(GNU_C)
INLINE uint64_t flush_denormals(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (1u << 24)) : "memory");
    return mode;
}
INLINE void restore_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#else
INLINE uint64_t flush_denormals(void) { return 0; }
INLINE void restore_mode(uint64_t mode) { (void)mode; }
#endif

#endif
