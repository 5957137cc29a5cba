/* s (K) = tanh(z (Z) W + b) */
static void net_first_state(
    int Z, int K, const net_real *z, const net_real *W, const net_real *b, net_real *s)
{
    int k;
    net_copy(K, b, s);
    net_product(Z, K, K, z, W, s);
    for (k = 0; k < K; k++)
        s[k] = net_tanh(s[k]);
}
