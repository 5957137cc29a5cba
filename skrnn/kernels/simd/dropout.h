/* Masks of dropout, which are computed wherever they are needed, and not kept. */

#ifndef SKRNN_DROPOUT_H
#define SKRNN_DROPOUT_H

#include "vector.h"

INLINE uint64_t mix_64(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

INLINE uint32_t mix_32(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

/* y = x ⊙ mask, of which an element is 0 with probability `rate` and else 1 / (1 − rate).

   The mask is a hash of the seed, of its site (which layer or head reads it, or which recurrence) and of the row: the
   same for every thread and each time that it is computed. Mixers: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators; the 32-bit one has
   the constants of the `lowbias32` of C. Wellons' hash prospector. */
static void drop(uint64_t seed, ptrdiff_t site, ptrdiff_t row, double rate, ptrdiff_t n, const real *x, real *y) {
    uint64_t key = mix_64(mix_64(seed + 0x9e3779b97f4a7c15u * (uint64_t)(site + 1)) + (uint64_t)row);
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32), threshold = (uint32_t)(rate * 4294967296.0);
    real scale = (real)(1 / (1 - rate));
    for (ptrdiff_t j = 0; j < n; j++)
        y[j] = mix_32(mix_32((uint32_t)j + low) ^ high) < threshold ? 0 : x[j] * scale;
}

#endif
