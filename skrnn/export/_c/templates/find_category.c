/* The code of the number x: where it is among n categories, else the last one; that of missing ones for NaN */
static int net_find_category(net_real x, const net_real *categories, int n, int missing, int last)
{
    int code;
    if (isnan(x))
        return missing;
    for (code = 0; code < n; code++)
        if (categories[code] == x)
            return code;
    return last;
}
