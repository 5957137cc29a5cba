/* The LSTM with a skip: i, f, g, o, s = logistic(x W + h U + b), c = f * c + i * g, h = o * tanh(c) + s * h;
   a (5, K) */
static void net_skip_lstm(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *c,
    net_real *a)
{
    int k;
    net_affine(D, K, 5 * K, W, U, b, x, h, a);
    for (k = 0; k < K; k++) {
        net_real i = net_logistic(a[k]), f = net_logistic(a[K + k]), g = net_logistic(a[2 * K + k]);
        net_real o = net_logistic(a[3 * K + k]), skip = net_logistic(a[4 * K + k]);
        c[k] = f * c[k] + i * g;
        h[k] = o * net_tanh(c[k]) + skip * h[k];
    }
}
