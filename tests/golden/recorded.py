"""What estimators are asked for, and answer, while a golden configuration runs."""

from contextlib import contextmanager
from typing import NamedTuple

from configurations import results
from sklearn.pipeline import Pipeline

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival

ASKED = {
    RNNClassifier: ("predict", "predict_proba", "predict_step", "initial_state"),
    RNNRegressor: ("predict", "predict_step", "initial_state"),
    RNNSurvival: ("predict", "predict_cumulative_hazard_function"),
    RNNOutlierDetector: ("predict", "score_samples", "score_steps", "score_step", "initial_state"),
    RNNLanguageModel: ("predict_proba",),
    Pipeline: ("predict", "predict_proba"),
}


class Call(NamedTuple):
    """A call of a method of an estimator as it was fitted then."""

    estimator: object
    method: str
    arguments: tuple
    options: dict
    answer: object


@contextmanager
def recording():
    """A list that calls are added to, without those that others make."""
    calls, inside = [], [False]

    def recorder(method, name):
        def record(estimator, *arguments, **options):
            if inside[0]:
                return method(estimator, *arguments, **options)
            inside[0] = True
            try:
                answer = method(estimator, *arguments, **options)
            finally:
                inside[0] = False
            then = object.__new__(type(estimator))
            vars(then).update(vars(estimator))
            calls.append(Call(then, name, arguments, options, answer))
            return answer

        return record

    methods = {(cls, name): getattr(cls, name) for cls, names in ASKED.items() for name in names}
    own = {key: vars(key[0])[key[1]] for key in methods if key[1] in vars(key[0])}
    try:
        for (cls, name), method in methods.items():
            setattr(cls, name, recorder(method, name))
        yield calls
    finally:
        for cls, name in methods:
            if (cls, name) in own:
                setattr(cls, name, own[cls, name])
            else:
                delattr(cls, name)


def calls_of(name):
    """The calls that a configuration makes, in order."""
    with recording() as calls:
        results(name)
    return calls
