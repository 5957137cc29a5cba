/* mean (n) and std (n) of Student's t, of three scores each */
static void net_student_t(
    int n, net_real min_scale, net_real min_freedom, const net_real *a, net_real *mean, net_real *std)
{
    int i;
    for (i = 0; i < n; i++, a += 3) {
        net_real freedom = min_freedom + net_softplus(a[2]);
        mean[i] = a[0];
        std[i] = (min_scale + net_softplus(a[1])) * net_sqrt(freedom / (freedom - 2));
    }
}
