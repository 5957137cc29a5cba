/* p (2) = the probabilities of two classes, of the log odds of the second one */
static void net_two_classes(net_real a, net_real *p)
{
    p[1] = net_logistic(a);
    p[0] = 1 - p[1];
}
