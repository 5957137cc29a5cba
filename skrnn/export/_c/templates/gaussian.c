/* mean (n) and std (n) of normal distributions, of two scores each */
static void net_gaussian(int n, net_real min_scale, const net_real *a, net_real *mean, net_real *std)
{
    int i;
    for (i = 0; i < n; i++, a += 2) {
        mean[i] = a[0];
        std[i] = min_scale + net_softplus(a[1]);
    }
}
