/* to (n) = from (n) */
static void net_copy(int n, const net_real *from, net_real *to)
{
    memcpy(to, from, (size_t)n * sizeof(net_real));
}
