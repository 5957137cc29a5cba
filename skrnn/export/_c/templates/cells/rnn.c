/* The Elman cell: h = phi(x W + h U + b); a (K) */
static void net_rnn(
    int D, int K, const net_real *W, const net_real *U, const net_real *b, const net_real *x, net_real *h, net_real *a,
    net_real (*phi)(net_real))
{
    int k;
    net_affine(D, K, K, W, U, b, x, h, a);
    for (k = 0; k < K; k++)
        h[k] = phi(a[k]);
}
