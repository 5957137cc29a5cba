/* The GRU cell: r, z = logistic(x W + h U + b), n = tanh(x W_n + (r * h) U_n + b_n), h = (1 - z) * n + z * h;
   a (4, K) */
static void net_gru_reset_before(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *a)
{
    int k;
    net_candidate(D, K, 3, W, U, b, x, h, a);
    for (k = 0; k < K; k++) {
        net_real z = a[K + k], n = net_tanh(a[2 * K + k]);
        h[k] = (1 - z) * n + z * h[k];
    }
}
