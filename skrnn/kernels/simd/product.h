/* Matrix products in register blocks.

   C = [A1 A2] B for a B that was packed into panels, and M += A' G summed over many rows.

   Register blocks. A block of C or M, up to MAX_ROWS(NV) rows by NV vectors, stays in registers while the inner index
   runs: for each value of it NV vectors of B are loaded, and of each row of A one number, spread over a vector, which
   NV fused multiply-adds take. That is one load per several multiply-adds, and rows × NV sums that do not wait for each
   other: with 16 registers 6 × 2 sums, 2 vectors of B and one number of A take 15 of them, with 32 registers 6 × 4. A
   multiply-add takes 4 cycles and two begin in each, so 8 sums at least keep the arithmetic units busy; narrower blocks
   have more rows. The numbers of rows and vectors are constants of the compiler: `DISPATCH` has a case for each that
   can occur, and the loops over them are unrolled. Then `sum` is no array in memory, but registers. Taking the address
   of a sum, or storing it other than at the end of a block, makes compilers spill all of them.

   Bits. An element is the sum of its products in the order of the inner index, one fma each, in a register of its own:
   neither the number of rows nor how they are cut into blocks changes it. */

#ifndef SKRNN_PRODUCT_H
#define SKRNN_PRODUCT_H

#include "vector.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(GNU_C)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif

#if VECTOR_BYTES == 64 || defined(__aarch64__)      /* 32 vector registers */
enum { MAX_VECTORS = 4 };
#define MAX_ROWS(nv) ((nv) == 4 ? 6 : (nv) == 3 ? 8 : 12)
#else                                               /* 16 */
enum { MAX_VECTORS = 2 };
#define MAX_ROWS(nv) ((nv) == 2 ? 6 : 10)
#endif

INLINE ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE ptrdiff_t ceil_div(ptrdiff_t n, ptrdiff_t size) { return n / size + (n % size != 0); }
/* Where part i of n things begins, of `count` parts whose sizes differ by at most 1. */
INLINE ptrdiff_t split_start(ptrdiff_t i, ptrdiff_t n, ptrdiff_t count) {
    /* without a division, which takes as long as many multiply-adds */
    return i == 0 ? 0 : i == count ? n : n / count * i + n % count * i / count;
}

/* Calls BLOCK(rows, vectors) with constants for every block that can occur. */
#define ROWS_TO_6(BLOCK, NV)                                                                                          \
    case 1: BLOCK(1, NV); break; case 2: BLOCK(2, NV); break; case 3: BLOCK(3, NV); break;                            \
    case 4: BLOCK(4, NV); break; case 5: BLOCK(5, NV); break; case 6: BLOCK(6, NV); break;
#define ROWS_TO_8(BLOCK, NV) ROWS_TO_6(BLOCK, NV) case 7: BLOCK(7, NV); break; case 8: BLOCK(8, NV); break;
#define ROWS_TO_10(BLOCK, NV) ROWS_TO_8(BLOCK, NV) case 9: BLOCK(9, NV); break; case 10: BLOCK(10, NV); break;
#define ROWS_TO_12(BLOCK, NV) ROWS_TO_10(BLOCK, NV) case 11: BLOCK(11, NV); break; case 12: BLOCK(12, NV); break;
#if VECTOR_BYTES == 64 || defined(__aarch64__)
#define DISPATCH(BLOCK, rows, vectors)                                                                                \
    switch (vectors) {                                                                                                \
    case 4: switch (rows) { ROWS_TO_6(BLOCK, 4) } break;                                                              \
    case 3: switch (rows) { ROWS_TO_8(BLOCK, 3) } break;                                                              \
    case 2: switch (rows) { ROWS_TO_12(BLOCK, 2) } break;                                                             \
    case 1: switch (rows) { ROWS_TO_12(BLOCK, 1) } break;                                                             \
    }
#else
#define DISPATCH(BLOCK, rows, vectors)                                                                                \
    switch (vectors) {                                                                                                \
    case 2: switch (rows) { ROWS_TO_6(BLOCK, 2) } break;                                                              \
    case 1: switch (rows) { ROWS_TO_10(BLOCK, 1) } break;                                                             \
    }
#endif

/* ---- Packing ----

   A packed (n, p) matrix is a row of panels, each MAX_VECTORS vectors wide or a little less; a panel holds its n rows
   one after the other. The last vector is filled up with zeros. */

INLINE ptrdiff_t packed_size(ptrdiff_t n, ptrdiff_t p) { return n * ceil_div(p, VL) * VL; }

/* Rows first .. first + m - 1 of the packed (n, p) matrix: element (i, j) comes from source[i row + j column]. */
SINGLE void pack_rows(real *packed, ptrdiff_t n, ptrdiff_t p, ptrdiff_t first, ptrdiff_t m, const real *source,
                      ptrdiff_t row, ptrdiff_t column) {
    ptrdiff_t vectors = ceil_div(p, VL), panels = ceil_div(vectors, MAX_VECTORS);
    for (ptrdiff_t q = 0; q < panels; q++) {
        ptrdiff_t begin = split_start(q, vectors, panels) * VL, end = split_start(q + 1, vectors, panels) * VL;
        ptrdiff_t width = end - begin, last = smaller(end, p) - begin;
        const real *from = source + begin * column;
        real *to = packed + n * begin + first * width;
        if (column == 1 && last == MAX_VECTORS * VL) {  /* most of the time: of a size that the compiler knows */
            for (ptrdiff_t i = 0; i < m; i++)
                memcpy(to + i * MAX_VECTORS * VL, from + i * row, MAX_VECTORS * VL * sizeof(real));
            continue;
        }
        for (ptrdiff_t i = 0; i < m; i++, to += width, from += row) {
            for (ptrdiff_t j = 0; j < last; j++)
                to[j] = from[j * column];
            for (ptrdiff_t j = last; j < width; j++)
                to[j] = 0;
        }
    }
}

/* ---- C = [A1 A2] B ---- */

typedef struct {
    const real *rows;       /* (m, n) */
    ptrdiff_t n;
    ptrdiff_t stride;       /* from row to row */
} Factor;

enum { FROM_BIAS, FROM_C };

/* sum += A B, B the rows of a panel that go with the factor. */
INLINE void add_factor(const int M, const int NV, Factor a, const real *panel, vec sum[12][4]) {
    vec b[4];
    for (ptrdiff_t k = 0; k < a.n; k++, panel += NV * VL) {
        UNROLL
        for (int v = 0; v < NV; v++)
            b[v] = load(panel + v * VL);
        UNROLL
        for (int i = 0; i < M; i++) {
            vec x = splat(a.rows[i * a.stride + k]);
            UNROLL
            for (int v = 0; v < NV; v++)
                sum[i][v] = fma_(x, b[v], sum[i][v]);
        }
    }
}

/* A packed (n, p) matrix: its first row is the bias, B1 begins at row `first`, and B2 lies below B1. Of the product
   columns begin .. end - 1 are asked for, and all are filled of the panels that hold any of these. */
typedef struct {
    const real *packed;
    ptrdiff_t n, p;
    ptrdiff_t first;
    ptrdiff_t begin, end;
    int descending;         /* whether the last panel comes first */
} Weights;

/* `start` is what the sums begin with: the bias, or rows of C or of another matrix. */
INLINE void product_block(const int M, const int NV, const real *start, ptrdiff_t lds, Factor a1, Factor a2,
                          const real *panel, real *C, ptrdiff_t ldc, ptrdiff_t columns) {
    vec sum[12][4];
    UNROLL
    for (int i = 0; i < M; i++)
        UNROLL
        for (int v = 0; v < NV; v++)
            sum[i][v] = load(start + i * lds + v * VL);
    add_factor(M, NV, a1, panel, sum);
    add_factor(M, NV, a2, panel + a1.n * NV * VL, sum);
    UNROLL
    for (int i = 0; i < M; i++)
        UNROLL
        for (int v = 0; v < NV; v++)
            store(C + i * ldc + v * VL, sum[i][v], columns - v * VL);
}

/* Full panels that a single row takes at once: one has too few sums to keep the arithmetic units busy. */
enum { ROW_PANELS = 8 / MAX_VECTORS };

/* One row of C for NP full panels, `distance` numbers apart; their starts are `start_distance` apart. */
INLINE void product_row(const int NP, const real *start, ptrdiff_t start_distance, Factor a1, Factor a2,
                        const real *panel, ptrdiff_t distance, real *C, ptrdiff_t columns) {
    enum { NV = MAX_VECTORS };
    Factor factors[2] = {a1, a2};
    vec sum[ROW_PANELS][NV];
    UNROLL
    for (int q = 0; q < NP; q++)
        UNROLL
        for (int v = 0; v < NV; v++)
            sum[q][v] = load(start + q * start_distance + v * VL);
    for (int f = 0; f < 2; f++)
        for (ptrdiff_t k = 0; k < factors[f].n; k++, panel += NV * VL) {
            vec a = splat(factors[f].rows[k]);
            UNROLL
            for (int q = 0; q < NP; q++)
                UNROLL
                for (int v = 0; v < NV; v++)
                    sum[q][v] = fma_(a, load(panel + q * distance + v * VL), sum[q][v]);
        }
    UNROLL
    for (int q = 0; q < NP; q++)
        UNROLL
        for (int v = 0; v < NV; v++)
            store(C + (q * NV + v) * VL, sum[q][v], columns - (q * NV + v) * VL);
}

/* The first vector of a panel, and the panel that holds a vector: the last one that does not begin after it. */
INLINE ptrdiff_t panel_start(ptrdiff_t q, ptrdiff_t vectors, ptrdiff_t panels) {
    return vectors == panels * MAX_VECTORS ? q * MAX_VECTORS : split_start(q, vectors, panels);
}
INLINE ptrdiff_t panel_of(ptrdiff_t v, ptrdiff_t vectors, ptrdiff_t panels) {
    return vectors == panels * MAX_VECTORS ? v / MAX_VECTORS : ceil_div((v + 1) * panels, vectors) - 1;
}

/* Columns of C (m, p) = start + A1 B1 + A2 B2, with `start` (m, p), or NULL for the bias in every row. A factor may have
   n = 0. */
SINGLE void product_columns(ptrdiff_t m, Factor a1, Factor a2, const Weights *w, const real *start, ptrdiff_t lds,
                            real *C, ptrdiff_t ldc) {
    ptrdiff_t vectors = ceil_div(w->p, VL), panels = ceil_div(vectors, MAX_VECTORS);
    ptrdiff_t from = w->begin == 0 ? 0 : panel_of(w->begin / VL, vectors, panels);
    ptrdiff_t to = w->end == w->p ? panels : panel_of((w->end - 1) / VL, vectors, panels) + 1;
    for (ptrdiff_t done = 0, count; done < to - from; done += count) {
        ptrdiff_t q = 0, begin = 0, width = 0;
        /* as many panels at once as a row can take, or one */
        for (count = m == 1 ? ROW_PANELS : 1; count > 0; count /= 2) {
            q = w->descending ? to - done - count : from + done;
            if (count > to - from - done)
                continue;
            begin = panel_start(q, vectors, panels), width = panel_start(q + count, vectors, panels) - begin;
            if (count == 1 || width == count * MAX_VECTORS)
                break;
        }
        const real *panel = w->packed + w->n * begin * VL;
        const real *first = start != NULL ? start + begin * VL : panel;
        ptrdiff_t stride = start != NULL ? lds : 0, columns = w->p - begin * VL;
        if (count > 1) {
            const real *rows = panel + w->first * MAX_VECTORS * VL;
            ptrdiff_t distance = w->n * MAX_VECTORS * VL, next = start != NULL ? MAX_VECTORS * VL : distance;
            if (count == ROW_PANELS)
                product_row(ROW_PANELS, first, next, a1, a2, rows, distance, C + begin * VL, columns);
            else
                product_row(2, first, next, a1, a2, rows, distance, C + begin * VL, columns);
            continue;
        }
        panel += w->first * width * VL;
        ptrdiff_t blocks = ceil_div(m, MAX_ROWS(width));
        for (ptrdiff_t block = 0; block < blocks; block++) {
            ptrdiff_t i = split_start(block, m, blocks), rows = split_start(block + 1, m, blocks) - i;
            Factor b1 = {a1.rows + i * a1.stride, a1.n, a1.stride}, b2 = {a2.rows + i * a2.stride, a2.n, a2.stride};
            const real *s = first + i * stride;
            real *c = C + i * ldc + begin * VL;
#define BLOCK(M, NV) product_block(M, NV, s, stride, b1, b2, panel, c, ldc, columns)
            DISPATCH(BLOCK, rows, width)
#undef BLOCK
        }
    }
}

/* C (m, p) = bias + A1 B1 + A2 B2, or C += A1 B1 + A2 B2 with `start` FROM_C.

   packed is (1 + n1 + n2, p): the bias in every row of C, B1 below it, then B2. */
INLINE void product(ptrdiff_t m, ptrdiff_t p, Factor a1, Factor a2, const real *packed, real *C, ptrdiff_t ldc,
                    int start) {
    Weights w = {packed, 1 + a1.n + a2.n, p, 1, 0, p, 0};
    product_columns(m, a1, a2, &w, start == FROM_C ? C : NULL, ldc, C, ldc);
}

/* ---- M += A' G ---- */

/* Rows that belong together: row a_row + i of A and row g_row + i of G, for i < m. */
typedef struct {
    ptrdiff_t a_row, g_row, m;
} RowRange;

INLINE void outer_block(const int M, const int NV, ptrdiff_t n_ranges, const RowRange *ranges, const real *A,
                        ptrdiff_t lda, const real *G, ptrdiff_t ldg, real *to, ptrdiff_t ld, ptrdiff_t columns) {
    vec sum[12][4], g[4];
    UNROLL
    for (int i = 0; i < M; i++)
        UNROLL
        for (int v = 0; v < NV; v++)
            sum[i][v] = splat(0);
    for (ptrdiff_t s = 0; s < n_ranges; s++) {
        const real *a = A + ranges[s].a_row * lda, *row = G + ranges[s].g_row * ldg;
        for (ptrdiff_t r = 0; r < ranges[s].m; r++, a += lda, row += ldg) {
            UNROLL
            for (int v = 0; v < NV; v++)
                g[v] = load(row + v * VL);
            UNROLL
            for (int i = 0; i < M; i++) {
                vec x = splat(a[i]);
                UNROLL
                for (int v = 0; v < NV; v++)
                    sum[i][v] = fma_(x, g[v], sum[i][v]);
            }
        }
    }
    /* By way of memory: the compiler must find no reason to take the sums out of their registers earlier. */
    real sums[12 * 4 * VL];
    UNROLL
    for (int i = 0; i < M; i++)
        UNROLL
        for (int v = 0; v < NV; v++)
            store(sums + (i * NV + v) * VL, sum[i][v], VL);
    for (int i = 0; i < M; i++)
        for (ptrdiff_t j = 0; j < smaller(columns, NV * VL); j++)
            to[i * ld + j] += sums[i * NV * VL + j];
}

/* to (n, p) += the sum over the ranges' rows of A[row]' G[row]. Reads up to a vector beyond the end of G. */
static void add_outer(ptrdiff_t n, ptrdiff_t p, ptrdiff_t n_ranges, const RowRange *ranges, const real *A,
                      ptrdiff_t lda, const real *G, ptrdiff_t ldg, real *to, ptrdiff_t ld) {
    ptrdiff_t vectors = ceil_div(p, VL), panels = ceil_div(vectors, MAX_VECTORS);
    for (ptrdiff_t q = 0; q < panels; q++) {
        ptrdiff_t begin = split_start(q, vectors, panels), width = split_start(q + 1, vectors, panels) - begin;
        ptrdiff_t blocks = ceil_div(n, MAX_ROWS(width));
        for (ptrdiff_t block = 0; block < blocks; block++) {
            ptrdiff_t i = split_start(block, n, blocks), rows = split_start(block + 1, n, blocks) - i;
            const real *a = A + i, *g = G + begin * VL;
            real *c = to + i * ld + begin * VL;
#define BLOCK(M, NV) outer_block(M, NV, n_ranges, ranges, a, lda, g, ldg, c, ld, p - begin * VL)
            DISPATCH(BLOCK, rows, width)
#undef BLOCK
        }
    }
}

/* to (p,) += the sum of the ranges' rows of G. */
static void add_sums(ptrdiff_t p, ptrdiff_t n_ranges, const RowRange *ranges, const real *G, ptrdiff_t ldg,
                     real *to) {
    for (ptrdiff_t j = 0; j < p; j += VL) {
        vec sum = splat(0);
        for (ptrdiff_t s = 0; s < n_ranges; s++) {
            const real *row = G + ranges[s].g_row * ldg + j;
            for (ptrdiff_t r = 0; r < ranges[s].m; r++, row += ldg)
                sum = sum + load(row);
        }
        store(to + j, load_lanes(to + j, p - j) + sum, p - j);
    }
}

#endif
