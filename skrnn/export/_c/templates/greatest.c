/* Which of p (n) is the greatest, the first of equal ones */
static int net_greatest(int n, const net_real *p)
{
    int j, best = 0;
    for (j = 1; j < n; j++)
        if (p[j] > p[best])
            best = j;
    return best;
}
