/* to (n) = log(1 + to) */
static void net_log1p_all(int n, net_real *to)
{
    int j;
    for (j = 0; j < n; j++)
        to[j] = net_log1p(to[j]);
}
