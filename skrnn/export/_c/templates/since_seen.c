/* since (n) = the time since each feature was seen, before this step at `now`, relative to its mean; of values (n) that
   are not NaN `seen` becomes now. What was not seen counts from the first step on */
static void net_since_seen(
    int n, const net_real *values, net_real now, net_real begun, const net_real *means, net_real *seen, net_real *since)
{
    int j;
    for (j = 0; j < n; j++) {
        net_real before = begun > 0 ? seen[j] : now;
        since[j] = (now - before) / means[j];
        seen[j] = isnan(values[j]) ? before : now;
    }
}
