/* y (n) = exp(a) */
static void net_exp_all(int n, const net_real *a, net_real *y)
{
    int j;
    for (j = 0; j < n; j++)
        y[j] = net_exp(a[j]);
}
