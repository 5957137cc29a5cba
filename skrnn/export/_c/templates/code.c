/* The code x, from 0 to n - 1; the last one in the place of any other number, that of missing ones for NaN */
static int net_code(net_real x, int n, int missing)
{
    if (isnan(x))
        return missing;
    return x >= 0 && x < (net_real)n ? (int)x : n - 1;
}
