/* to (n) *= by (n) */
static void net_multiply(int n, const net_real *by, net_real *to)
{
    int j;
    for (j = 0; j < n; j++)
        to[j] *= by[j];
}
