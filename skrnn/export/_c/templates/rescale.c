/* y (n, m) = y * scale + center, of n targets with m numbers each */
static void net_rescale(int n, int m, const net_real *center, const net_real *scale, net_real *y)
{
    int i, j;
    for (i = 0; i < n; i++)
        for (j = 0; j < m; j++, y++)
            *y = *y * scale[i] + center[i];
}
