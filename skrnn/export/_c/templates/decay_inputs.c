/* x (n) *= exp(-max(0, w * since + b)) where indicators are 1 */
static void net_decay_inputs(
    int n, const net_real *since, const net_real *w, const net_real *b, const net_real *indicators, net_real *x)
{
    int j;
    for (j = 0; j < n; j++)
        if (indicators[j] > 0)
            x[j] *= net_decay(w[j] * since[j] + b[j]);
}
