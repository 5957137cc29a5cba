"""Scorers and their names."""

from sklearn.metrics._scorer import _BaseScorer as BaseScorer


def name_of_scorer(scoring):
    """What a score is called that a parameter `scoring` names, in words: "negative log loss"; "score" for no name."""
    if isinstance(scoring, BaseScorer):
        negative = "neg_" * (scoring._sign < 0)
        scoring = scoring._score_func
    else:
        negative = ""
    name = negative + (scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score"))
    return (f"negative {name[4:]}" if name.startswith("neg_") else name).replace("_", " ")
