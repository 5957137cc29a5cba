/* maxima (n) = max(maxima, y) */
static void net_keep_maxima(int n, const net_real *y, net_real *maxima)
{
    int j;
    for (j = 0; j < n; j++)
        if (y[j] > maxima[j])
            maxima[j] = y[j];
}
