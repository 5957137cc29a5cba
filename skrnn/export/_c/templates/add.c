/* to (n) += from (n) */
static void net_add(int n, const net_real *from, net_real *to)
{
    int j;
    for (j = 0; j < n; j++)
        to[j] += from[j];
}
