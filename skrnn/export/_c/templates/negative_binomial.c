/* mean (n) and std (n) of negative binomial distributions, of two scores each */
static void net_negative_binomial(
    int n, net_real min_dispersion, net_real max_log_dispersion, const net_real *a, net_real *mean, net_real *std)
{
    int i;
    for (i = 0; i < n; i++, a += 2) {
        net_real dispersion = min_dispersion + net_exp(a[1] < max_log_dispersion ? a[1] : max_log_dispersion);
        mean[i] = net_exp(a[0]);
        std[i] = net_sqrt(mean[i]) * net_sqrt(1 + dispersion * mean[i]);
    }
}
