/* a (p) = x (D) W + h (K) U + b */
static void net_affine(
    int D, int K, int p, const net_real *W, const net_real *U, const net_real *b, const net_real *x, const net_real *h,
    net_real *a)
{
    net_copy(p, b, a);
    net_product(D, p, p, x, W, a);
    net_product(K, p, p, h, U, a);
}
