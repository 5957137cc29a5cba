"""Times to an event whose hazard depends on how a sequence fluctuates: RNNSurvival and models of summaries.

    python benchmarks/survival.py

Prints the concordance index and the integrated Brier score (weighted by the inverse probability of censoring, over the
time in which 5 to 90 in a hundred of the events come) on new sequences, and the calibration of the net.
"""

import numpy as np

from skrnn import RNNSurvival
from skrnn._estimators.concordance import concordance_index
from skrnn.datasets import make_survival


def kaplan_meier(event, time, at):
    """The survival function at times, as Kaplan and Meier estimate it."""
    times, counts = np.unique(time[event], return_counts=True)
    at_risk = (time >= times[:, np.newaxis]).sum(axis=1)
    steps = np.cumprod(1 - counts / at_risk)
    return np.concatenate([[1.0], steps])[np.searchsorted(times, at, side="right")]


def integrated_brier_score(y, survival, times):
    """The mean over times of the Brier score of survival (n, times), weighted by who is not censored (Graf et al.)."""
    uncensored = np.maximum(kaplan_meier(~y["event"], y["time"], y["time"] - 1e-9), 1e-3)
    at_times = kaplan_meier(~y["event"], y["time"], times)
    later = y["time"][:, np.newaxis] > times
    had_event = ~later & y["event"][:, np.newaxis]
    return np.mean(
        np.where(had_event, survival**2 / uncensored[:, np.newaxis], np.where(later, (1 - survival) ** 2 / at_times, 0))
    )


def summaries(X):
    """Mean, deviation, last value and extremes of each sequence."""
    return np.array([[x.mean(), x.std(), x[-1, 0], x.min(), x.max()] for x in X])


def cox(Z, y):
    """Coefficients of Cox's model, and times and heights of the steps of Breslow's cumulative baseline hazard."""
    order = np.argsort(-y["time"], kind="stable")
    Z, event, time, beta = Z[order], y["event"][order], y["time"][order], np.zeros(Z.shape[1])
    for _ in range(20):
        w = np.exp(Z @ beta)
        s0, s1 = np.cumsum(w)[:, np.newaxis], np.cumsum(w[:, np.newaxis] * Z, axis=0)
        s2 = np.cumsum(w[:, np.newaxis, np.newaxis] * Z[:, :, np.newaxis] * Z[:, np.newaxis, :], axis=0)
        mean = s1 / s0
        hessian = (s2 / s0[:, :, np.newaxis] - mean[:, :, np.newaxis] * mean[:, np.newaxis, :])[event].sum(axis=0)
        beta = beta + np.linalg.solve(hessian + 1e-6 * np.eye(len(beta)), (Z - mean)[event].sum(axis=0))
    return beta, time[event][::-1], np.cumsum((1 / s0[:, 0])[event][::-1])


def true_survival(n, random_state, times):
    """Of the sequences of `make_survival` with 30 steps, from its draws: the true distribution."""
    from scipy.special import ndtri

    draws = np.random.RandomState(random_state).uniform(size=(n, 35))
    log_risk = 0.7 * ndtri(draws[:, 1]) + 2 * (1.8 * draws[:, 2] - 0.9)
    return log_risk, np.exp(-((np.exp(log_risk)[:, np.newaxis] * times / 100) ** 1.5))


def main():
    (X, y), (X_new, y_new) = make_survival(1000, 30, random_state=0), make_survival(1000, 30, random_state=1)
    times = np.linspace(*np.quantile(y["time"][y["event"]], [0.05, 0.9]), 50)
    risks, survivals = {"Kaplan-Meier": np.zeros(1000)}, {}
    survivals["Kaplan-Meier"] = np.tile(kaplan_meier(y["event"], y["time"], times), (1000, 1))
    Z, Z_new = summaries(X), summaries(X_new)
    mean, deviation = Z.mean(axis=0), Z.std(axis=0)
    beta, steps, hazard = cox((Z - mean) / deviation, y)
    risks["Cox"] = (Z_new - mean) / deviation @ beta
    baseline = np.concatenate([[0.0], hazard])[np.searchsorted(steps, times, side="right")]
    survivals["Cox"] = np.exp(-np.exp(risks["Cox"])[:, np.newaxis] * baseline)
    for name, parameters in {"net": {}, "net, early stopping": {"early_stopping": True}}.items():
        net = RNNSurvival(random_state=0, **parameters).fit(X, y)
        risks[name] = net.predict(X_new)
        survivals[name] = np.array([function(times) for function in net.predict_survival_function(X_new)])
    risks["true"], survivals["true"] = true_survival(1000, 1, times)
    for name, survival in survivals.items():
        concordance = concordance_index(y_new, risks[name])
        print(f"{name}: concordance {concordance:.3f}, Brier {integrated_brier_score(y_new, survival, times):.4f}")
    for k in (12, 25, 37):
        for group in np.array_split(np.argsort(survivals["net"][:, k]), 5):
            observed = kaplan_meier(y_new["event"][group], y_new["time"][group], times[k])
            print(f"at {times[k]:.0f}: predicted {survivals['net'][group, k].mean():.3f}, observed {observed:.3f}")


if __name__ == "__main__":
    main()
