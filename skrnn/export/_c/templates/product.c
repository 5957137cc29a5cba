/* a (p) += x (n) W, W the first p of the ld columns of a matrix of n rows */
static void net_product(int n, int p, int ld, const net_real *x, const net_real *W, net_real *a)
{
    int i, j;
    for (i = 0; i < n; i++, W += ld) {
        net_real factor = x[i];
        for (j = 0; j < p; j++)
            a[j] += factor * W[j];
    }
}
