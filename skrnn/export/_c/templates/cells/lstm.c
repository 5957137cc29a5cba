/* The LSTM cell: i, f, o = logistic(x W + h U + b), g = tanh(x W_g + h U_g + b_g), c = f * c + i * g,
   h = o * tanh(c); a (4, K) */
static void net_lstm(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *c,
    net_real *a)
{
    int k;
    net_affine(D, K, 4 * K, W, U, b, x, h, a);
    for (k = 0; k < K; k++) {
        net_real i = net_logistic(a[k]), f = net_logistic(a[K + k]);
        net_real g = net_tanh(a[2 * K + k]), o = net_logistic(a[3 * K + k]);
        c[k] = f * c[k] + i * g;
        h[k] = o * net_tanh(c[k]);
    }
}
