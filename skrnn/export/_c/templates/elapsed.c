/* The time from the last step to this one at `now`, 0 at the first one */
static net_real net_elapsed(net_real now, net_real last, net_real begun)
{
    return begun > 0 ? now - last : 0;
}
