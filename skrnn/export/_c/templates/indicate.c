/* indicators (n) = 1 where values are NaN, else 0 */
static void net_indicate(int n, const net_real *values, net_real *indicators)
{
    int j;
    for (j = 0; j < n; j++)
        indicators[j] = (net_real)(isnan(values[j]) != 0);
}
