/* values (n), where they are NaN, = those seen last, which they become */
static void net_fill_forward(int n, net_real *values, net_real *seen)
{
    int j;
    for (j = 0; j < n; j++)
        values[j] = seen[j] = isnan(values[j]) ? seen[j] : values[j];
}
