static net_real net_logistic(net_real a)
{
    return 1 / (1 + net_exp(-a));
}
