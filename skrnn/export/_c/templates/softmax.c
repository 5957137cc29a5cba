/* p (n) = exp(a) / sum of exp(a) */
static void net_softmax(int n, const net_real *a, net_real *p)
{
    net_real greatest = a[0], sum = 0;
    int j;
    for (j = 1; j < n; j++)
        if (a[j] > greatest)
            greatest = a[j];
    for (j = 0; j < n; j++)
        sum += p[j] = net_exp(a[j] - greatest);
    for (j = 0; j < n; j++)
        p[j] /= sum;
}
