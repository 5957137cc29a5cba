"""
Classifying texts by the order of their symbols
===============================================

Texts and DNA are sequences of symbols: SequenceVectorizer numbers them, and RNNClassifier embeds the numbers and reads
them in order. First a task in which nothing but the order tells: two of some dozen letters matter, and the class is in
which order they come (the temporal order problem of Hochreiter and Schmidhuber). Counting letters cannot solve it. Then
the promoters: does a gene begin after these 57 bases?
"""

import warnings
from time import perf_counter

from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.datasets import load_promoters, make_temporal_order
from skrnn.preprocessing import SequenceVectorizer

SYMBOLS = "EBabcdXY"


def net(**parameters):
    """Letters to numbers to a class."""
    classifier = RNNClassifier(embedding_dim=4, random_state=0, **parameters)
    return make_pipeline(SequenceVectorizer(analyzer="char", lowercase=False), classifier)


def counts():
    """The same by how often each letter comes."""
    letters = CountVectorizer(analyzer="char", lowercase=False)
    return make_pipeline(letters, LogisticRegression(max_iter=1000))


def compare(name, texts, classes, recurrent, n_folds):
    """Accuracies by cross-validation."""
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    print(f"{name}: {len(texts)} texts, the first is {texts[0]}")
    for what, model in (("recurrent net", recurrent), ("counts of letters", counts())):
        scores = cross_val_score(model, texts, classes, cv=folds)
        print(f"    {what:<18} {scores.mean():.3f} ± {scores.std():.3f}")


def main():
    """Both tasks."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # a fixed number of epochs
    start = perf_counter()
    X, y = make_temporal_order(1000, (25, 30), random_state=0)
    texts = ["".join(SYMBOLS[i] for i in x) for x in X]
    compare("Temporal order", texts, y, net(max_iter=20), n_folds=3)
    dna, promoter = load_promoters(return_X_y=True)
    compare("Promoters", dna, promoter, net(max_iter=200), n_folds=5)
    print(f"Took {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
