/* log(1 + exp(a)), without overflow */
static net_real net_softplus(net_real a)
{
    return (a > 0 ? a : 0) + net_log1p(net_exp(-net_fabs(a)));
}
