/* exp(-max(0, a)) */
static net_real net_decay(net_real a)
{
    return a > 0 ? net_exp(-a) : 1;
}
