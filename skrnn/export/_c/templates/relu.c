static net_real net_relu(net_real a)
{
    return a > 0 ? a : 0;
}
