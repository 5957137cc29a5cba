/* The minimal gated unit: f = logistic(x W_f + h U_f + b_f), n = tanh(x W_n + (f * h) U_n + b_n),
   h = (1 - f) * h + f * n; a (3, K) */
static void net_mgu(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *a)
{
    int k;
    net_candidate(D, K, 2, W, U, b, x, h, a);
    for (k = 0; k < K; k++) {
        net_real f = a[k], n = net_tanh(a[K + k]);
        h[k] = (1 - f) * h[k] + f * n;
    }
}
