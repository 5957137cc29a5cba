/* rates (K) = exp(-max(0, since (n) W + b)) */
static void net_decay_rates(
    int n, int K, const net_real *since, const net_real *W, const net_real *b, net_real *rates)
{
    int k;
    net_copy(K, b, rates);
    net_product(n, K, K, since, W, rates);
    for (k = 0; k < K; k++)
        rates[k] = net_decay(rates[k]);
}
