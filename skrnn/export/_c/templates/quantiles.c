/* y (n, m) = the quantiles of n targets: the lowest, and softplus of each other score for the next */
static void net_quantiles(int n, int m, const net_real *a, net_real *y)
{
    int i, j;
    for (i = 0; i < n; i++, a += m, y += m) {
        y[0] = a[0];
        for (j = 1; j < m; j++)
            y[j] = y[j - 1] + net_softplus(a[j]);
    }
}
