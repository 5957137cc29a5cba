/* values (n), where they are NaN, = others */
static void net_fill(int n, const net_real *others, net_real *values)
{
    int j;
    for (j = 0; j < n; j++)
        if (isnan(values[j]))
            values[j] = others[j];
}
