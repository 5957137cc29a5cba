/* p (n) = logistic(a) */
static void net_logistic_all(int n, const net_real *a, net_real *p)
{
    int j;
    for (j = 0; j < n; j++)
        p[j] = net_logistic(a[j]);
}
