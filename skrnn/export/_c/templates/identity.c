static net_real net_identity(net_real a)
{
    return a;
}
