/* to (n) = x */
static void net_set(int n, net_real x, net_real *to)
{
    int j;
    for (j = 0; j < n; j++)
        to[j] = x;
}
