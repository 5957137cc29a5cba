/* y (n + 1) = the risk, and the survival at the end of each of n intervals, of the log odds of their hazards */
static void net_survival(int n, const net_real *a, net_real *y)
{
    net_real hazard = 0, risk = 0;
    int j;
    for (j = 0; j < n; j++) {
        hazard += net_softplus(a[j]);
        risk += hazard;
        y[j + 1] = net_exp(-hazard);
    }
    y[0] = risk;
}
