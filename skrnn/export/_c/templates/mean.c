/* mean (n) = sums / n_steps */
static void net_mean(int n, const net_real *sums, net_real n_steps, net_real *mean)
{
    int j;
    for (j = 0; j < n; j++)
        mean[j] = sums[j] / n_steps;
}
