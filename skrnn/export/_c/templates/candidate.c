/* What cells share whose candidate n, the last of their G gates, reads a gated state, r the first of the others:
   a (G + 1, K) = the gates, but n = x W_n + (r * h) U_n + b_n before its tanh; then r * h */
static void net_candidate(
    int D, int K, int G, const net_real *W, const net_real *U, const net_real *b, const net_real *x, const net_real *h,
    net_real *a)
{
    int p = G * K, n = p - K, k;
    net_copy(p, b, a);
    net_product(D, p, p, x, W, a);
    net_product(K, n, p, h, U, a);
    for (k = 0; k < n; k++)
        a[k] = net_logistic(a[k]);
    for (k = 0; k < K; k++)
        a[p + k] = a[k] * h[k];
    net_product(K, K, p, a + p, U + n, a + n);
}
