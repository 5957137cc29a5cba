# Negative log-likelihoods: losses whose scores are the parameters of a distribution of the target, several for each.
#
# What the scores are stands in _training/distributions.py, too, with the same bounds. They are registered there, here
# by the line after each.

cdef double MIN_SCALE = 1e-3            # of deviations, in the unit of the targets
cdef double MIN_FREEDOM = 2.01          # degrees of freedom, of which more than 2 have a variance
cdef double MIN_DISPERSION = 1e-6
cdef double MAX_LOG_DISPERSION = 50
cdef double LOG_2_PI = 1.8378770664093453


cdef double gaussian_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """½ z² + log σ + ½ log 2π, z = (target − μ) / σ, the mean over targets (Q / 2,).

    Scores are μ and s of each target, σ = MIN_SCALE + softplus(s).
    """
    cdef const real* y = <const real*> target
    cdef double z, sigma, slope, of_target = weight / (Q // 2), total = 0
    cdef Py_ssize_t m
    for m in range(Q // 2):
        sigma = MIN_SCALE + softplus(scores[2 * m + 1], &slope)
        z = (<double> y[m] - scores[2 * m]) / sigma
        total += 0.5 * z * z + log(sigma) + 0.5 * LOG_2_PI
        gradient[2 * m] = <real> (-of_target * z / sigma)
        gradient[2 * m + 1] = <real> (of_target * (1 - z * z) / sigma * slope)
    return of_target * total


register_loss("gaussian", gaussian_loss, mean=True, n_parameters=0, width=2)


cdef double student_t_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """½ (ν + 1) log(1 + z² / ν) + log σ + ½ log πν − log Γ(½ ν + ½) / Γ(½ ν), the mean over targets (Q / 3,).

    z = (target − μ) / σ. Scores are μ, s and n of each target; σ = MIN_SCALE + softplus(s),
    ν = MIN_FREEDOM + softplus(n).
    """
    cdef const real* y = <const real*> target
    cdef double z, sigma, nu, of_sigma, of_nu, slope, pull, of_target = weight / (Q // 3), total = 0
    cdef Py_ssize_t m
    for m in range(Q // 3):
        sigma = MIN_SCALE + softplus(scores[3 * m + 1], &of_sigma)
        nu = MIN_FREEDOM + softplus(scores[3 * m + 2], &of_nu)
        z = (<double> y[m] - scores[3 * m]) / sigma
        pull = (nu + 1) * z / (nu + z * z)
        total += 0.5 * (nu + 1) * log1p(z * z / nu) + log(sigma) + 0.5 * (LOG_2_PI + log(0.5 * nu))
        total -= log_rising(0.5 * nu, 0.5, &slope)
        gradient[3 * m] = <real> (-of_target * pull / sigma)
        gradient[3 * m + 1] = <real> (of_target * (1 - z * pull) / sigma * of_sigma)
        # d/dν, where ½ (ν + 1) z² / (ν (ν + z²)) comes of the logarithm
        slope = 0.5 * (log1p(z * z / nu) - z * pull / nu + 1 / nu - slope)
        gradient[3 * m + 2] = <real> (of_target * slope * of_nu)
    return of_target * total


register_loss("student_t", student_t_loss, mean=True, n_parameters=0, width=3)


cdef double negative_binomial_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """(y + r) log(1 + α μ) − y log(α μ) − log Γ(y + r) / Γ(r) + log y!, r = 1 / α, the mean over targets y (Q / 2,).

    Scores are log μ and a of each target, α = MIN_DISPERSION + exp(a). The variance is μ + α μ².
    """
    cdef const real* y = <const real*> target
    cdef double alpha, growth, r, t, log_term, p, rising, of_mean, slope, of_target = weight / (Q // 2), total = 0
    cdef Py_ssize_t m
    for m in range(Q // 2):
        growth = exp(min(<double> scores[2 * m + 1], MAX_LOG_DISPERSION))       # dα/da
        alpha = MIN_DISPERSION + growth
        r = 1 / alpha
        t = scores[2 * m] + log(alpha)                                          # log(α μ)
        log_term = softplus(t, &p)                                              # p = α μ / (1 + α μ)
        rising = log_rising(r, y[m], &slope)
        total += (y[m] + r) * log_term - y[m] * t - rising
        total += log_rising(1, y[m], &of_mean)
        of_mean = (y[m] + r) * p - y[m]
        gradient[2 * m] = <real> (of_target * of_mean)
        if scores[2 * m + 1] > MAX_LOG_DISPERSION:
            growth = 0
        gradient[2 * m + 1] = <real> (of_target * r * (of_mean - r * (log_term - slope)) * growth)
    return of_target * total


register_loss("negative_binomial", negative_binomial_loss, mean=True, n_parameters=0, width=2)


cdef double log_rising(double x, double a, double* slope) noexcept nogil:
    """log Γ(x + a) / Γ(x) for x > 0 and a ≥ 0; its slope in x is ψ(x + a) − ψ(x), ψ the digamma function.

    Both arguments are raised to where Stirling's series is exact to rounding; the difference of the series is taken
    term by term, so that nothing is lost where x is large.
    """
    cdef double value = 0, derivative = 0, z
    while x < 12:
        value -= log1p(a / x)
        derivative += a / (x * (x + a))
        x += 1
    z = x + a
    slope[0] = derivative + log1p(a / x) + digamma_series(z) - digamma_series(x)
    return value + (x - 0.5) * log1p(a / x) + a * (log(z) - 1) + stirling_series(z) - stirling_series(x)


cdef inline double stirling_series(double z) noexcept nogil:
    """log Γ(z) − ((z − ½) log z − z + ½ log 2π)."""
    cdef double u = 1 / (z * z)
    return (1 / 12.0 - u * (1 / 360.0 - u * (1 / 1260.0 - u * (1 / 1680.0 - u / 1188)))) / z


cdef inline double digamma_series(double z) noexcept nogil:
    """ψ(z) − log z."""
    cdef double u = 1 / (z * z)
    return -0.5 / z - u * (1 / 12.0 - u * (1 / 120.0 - u * (1 / 252.0 - u * (1 / 240.0 - u / 132))))
