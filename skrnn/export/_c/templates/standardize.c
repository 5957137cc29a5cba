/* to (n) = (from - center) * inverse, the inverse of the scale */
static void net_standardize(
    int n, const net_real *from, const net_real *center, const net_real *inverse, net_real *to)
{
    int j;
    for (j = 0; j < n; j++)
        to[j] = (from[j] - center[j]) * inverse[j];
}
