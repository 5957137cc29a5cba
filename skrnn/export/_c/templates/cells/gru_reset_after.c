/* The GRU cell: r, z = logistic(x W + h U + b + b_rec), n = tanh(x W_n + b_n + r * (h U_n + b_rec,n)),
   h = (1 - z) * n + z * h. b is (2, 3 K): b, then b_rec; a (4, K) */
static void net_gru_reset_after(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *a)
{
    int p = 3 * K, k;
    const net_real *b_rec = b + p;
    net_copy(p, b, a);
    net_add(2 * K, b_rec, a);
    net_copy(K, b_rec + 2 * K, a + p);
    net_product(D, p, p, x, W, a);
    net_product(K, 2 * K, p, h, U, a);
    net_product(K, K, p, h, U + 2 * K, a + p);
    for (k = 0; k < K; k++) {
        net_real r = net_logistic(a[k]), z = net_logistic(a[K + k]);
        net_real n = net_tanh(a[2 * K + k] + r * a[p + k]);
        h[k] = (1 - z) * n + z * h[k];
    }
}
