"""SequenceVectorizer beside CountVectorizer, which counts the same tokens, and as a part of scikit-learn."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from skrnn import RaggedArray, RNNClassifier
from skrnn.preprocessing import SequenceVectorizer

TEXTS = ["The cat sat.", "A dog sat on the cat.", "Is it a dog?"]
WORDS = ["the", "The", "a", "I", "café", "Ünder", "naïve", "dog's", "cat", "x1", "no", "NO", "über", "it", "日本"]


def random_texts(seed, n=40):
    """Words, blanks and marks, in texts of up to thirty words."""
    rng = np.random.default_rng(seed)
    chance = np.arange(len(WORDS), 0, -1) / np.arange(1, len(WORDS) + 1).sum()
    marks = [" ", "  ", ", ", "-", "\n"]
    words = [rng.choice(WORDS, rng.integers(30), p=chance) for _ in range(n)]
    return ["".join(word + rng.choice(marks) for word in text) for text in words]


def triplets(text):
    return [text[i : i + 3] for i in range(len(text) - 2)]


def counts(X, n):
    """How often each category occurs in each sequence, (sequences, n)."""
    return np.array([np.bincount(x, minlength=n)[:n] for x in X])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"token_pattern": r"(?u)\b\w\w+\b"},
        {"token_pattern": r"(\w)\w*"},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii", "min_df": 2},
        {"preprocessor": str.swapcase},
        {"tokenizer": str.split, "token_pattern": None},
        {"stop_words": "english"},
        {"stop_words": ["the", "dog"], "max_df": 0.8},
        {"min_df": 0.2, "max_df": 20},
        {"max_features": 4},
        {"max_features": 3, "min_df": 3, "analyzer": "char"},
        {"analyzer": "char", "lowercase": False},
        {"analyzer": triplets},
        {"vocabulary": ["it", "the", "nowhere"]},
        {"vocabulary": {"it": 1, "the": 0}, "min_df": 1000},
        {"vocabulary": {"it", "the"}},
        {"vocabulary": "tac ", "analyzer": "char"},
    ],
    ids=lambda parameters: ",".join(parameters),
)
def test_ids_are_those_that_CountVectorizer_counts(parameters, seed):
    texts, others = random_texts(seed), random_texts(seed + 100)
    analyzer = parameters.get("analyzer", "word")
    pattern = {"token_pattern": r"(?u)\b\w+\b"} if analyzer == "word" else {}
    reference = CountVectorizer(**pattern | parameters)
    expected = reference.fit_transform(texts).toarray()
    vectorizer = SequenceVectorizer(**parameters)
    X = vectorizer.fit_transform(texts)
    assert vectorizer.vocabulary_ == reference.vocabulary_
    assert vectorizer.unknown_category_ == len(reference.vocabulary_)
    np.testing.assert_array_equal(vectorizer.get_feature_names_out(), reference.get_feature_names_out())
    np.testing.assert_array_equal(counts(X, vectorizer.unknown_category_), expected)
    new = vectorizer.transform(others)
    np.testing.assert_array_equal(counts(new, vectorizer.unknown_category_), reference.transform(others).toarray())
    analyze = reference.build_analyzer()
    for text, x in zip(others, new, strict=True):
        known = [token if token in reference.vocabulary_ else None for token in analyze(text)]
        assert vectorizer.inverse_transform([x]) == [known or [None]]


@pytest.mark.parametrize("parameters", [{}, {"analyzer": "char"}, {"min_df": 3}, {"vocabulary": ["it", "the"]}])
def test_fit_transform_is_fit_and_transform(parameters):
    texts = random_texts(0)
    X = SequenceVectorizer(**parameters).fit_transform(texts)
    other = SequenceVectorizer(**parameters).fit(texts).transform(texts)
    np.testing.assert_array_equal(X.values, other.values)
    np.testing.assert_array_equal(X.lengths, other.lengths)


def test_order_and_repetition_are_kept():
    vectorizer = SequenceVectorizer()
    X = vectorizer.fit_transform(TEXTS)
    assert isinstance(X, RaggedArray)
    assert X.values.dtype == np.intp
    assert X.values.ndim == 1
    assert vectorizer.get_feature_names_out().tolist() == ["a", "cat", "dog", "is", "it", "on", "sat", "the"]
    assert [x.tolist() for x in X] == [[7, 1, 6], [0, 2, 6, 5, 7, 1], [3, 4, 0, 2]]
    assert vectorizer.inverse_transform(X) == [
        ["the", "cat", "sat"], ["a", "dog", "sat", "on", "the", "cat"], ["is", "it", "a", "dog"]
    ]
    assert vectorizer.transform(["a cat, a cat; a"])[0].tolist() == [0, 1, 0, 1, 0]


def test_unknown_tokens_and_texts_without_a_token():
    vectorizer = SequenceVectorizer().fit(TEXTS)
    X = vectorizer.transform(["the bird sat", "", " ... ", "bird"])
    assert [x.tolist() for x in X] == [[7, 8, 6], [8], [8], [8]]
    assert vectorizer.inverse_transform(X) == [["the", None, "sat"], [None], [None], [None]]
    X = SequenceVectorizer(min_df=2, stop_words=["is", "it"]).fit_transform([*TEXTS, "is it", ""])
    assert [x.tolist() for x in X] == [[4, 1, 3], [0, 2, 3, 5, 4, 1], [0, 2], [5], [5]]


def test_every_text_is_read_once_in_fit_transform():
    seen = []

    def analyze(text):
        seen.append(text)
        return (letter for letter in text)

    vectorizer = SequenceVectorizer(analyzer=analyze)
    assert [x.tolist() for x in vectorizer.fit_transform(["ba", "c"])] == [[1, 0], [2]]
    assert seen == ["ba", "c"]
    assert vectorizer.transform(["cab"])[0].tolist() == [2, 0, 1]
    assert seen == ["ba", "c", "cab"]


@pytest.mark.parametrize(
    "container",
    [
        list, tuple, np.array, lambda texts: np.array(texts, dtype=object), iter,
        lambda texts: pd.Series(texts, index=[3, 3, 1]), lambda texts: pd.Series(texts, dtype="category"), pd.Index,
        lambda texts: pd.Series(texts, dtype="string"), pl.Series, lambda texts: pl.Series(texts, dtype=pl.Categorical),
        pa.array, lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pa.array(texts).dictionary_encode(),
    ],
)
def test_containers(container):
    vectorizer = SequenceVectorizer()
    X = vectorizer.fit_transform(container(TEXTS))
    np.testing.assert_array_equal(X.values, SequenceVectorizer().fit_transform(TEXTS).values)
    np.testing.assert_array_equal(vectorizer.transform(container(TEXTS)).values, X.values)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("the cat", TypeError, r"X is a str, expected a list or column of texts; for one text pass \[X\]"),
        (b"the cat", TypeError, "X is a bytes, expected a list"),
        ({"a": 1}, TypeError, "X is a dict, expected a list"),
        ({"a", "b"}, TypeError, "X is a set, expected a list"),
        (None, TypeError, "X is a NoneType, expected a list"),
        (3, TypeError, "X is a int, expected a list"),
        ([], ValueError, "X is empty, expected at least one text"),
        (np.array([], dtype=object), ValueError, "X is empty, expected at least one text"),
        (np.array("the cat"), ValueError, r"X has shape \(\), expected texts \(n,\)"),
        (np.array([["a", "b"]]), ValueError, r"X has shape \(1, 2\), expected .* of a table pass one column"),
        (pd.DataFrame({"text": TEXTS}), ValueError, r"X has shape \(3, 1\), expected texts"),
        (pl.DataFrame({"text": TEXTS}), ValueError, r"X has shape \(3, 1\), expected texts"),
        (pa.table({"text": TEXTS}), ValueError, r"X has shape \(3, 1\), expected texts"),
        (csr_array(np.eye(2)), ValueError, r"X has shape \(2, 2\), expected texts"),
        (["a", None], TypeError, r"X\[1\] is NoneType None, expected a str; leave it out, or pass ''"),
        (["a", float("nan")], TypeError, r"X\[1\] is float nan, expected a str; leave it out, or pass ''"),
        (pd.Series(["a", None], dtype="string"), TypeError, r"X\[1\] is .*, expected a str; leave it out, or pass ''"),
        (pl.Series(["a", None]), TypeError, r"X\[1\] is NoneType None, expected a str; leave it out, or pass ''"),
        (pa.array(["a", None]), TypeError, r"X\[1\] is NoneType None, expected a str; leave it out, or pass ''"),
        (["a", "b", b"c"], TypeError, r"X\[2\] is bytes b'c', expected a str; decode it first"),
        ([1.5, "a"], TypeError, r"X\[0\] is float 1.5, expected a str; convert it first"),
        ([["the", "cat"]], TypeError, r"X\[0\] is list \['the', 'cat'\], expected a str; join tokens first"),
    ],
)
def test_bad_input(X, error, message):
    with pytest.raises(error, match=message):
        SequenceVectorizer().fit(X)
    vectorizer = SequenceVectorizer().fit(TEXTS)
    with pytest.raises(error, match=message):
        vectorizer.transform(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"stop_words": ["the", "cat"]}, "empty vocabulary"),
        ({"max_df": 1}, "no terms remain"),
        ({"min_df": 2, "max_df": 1}, "max_df corresponds to < documents than min_df"),
        ({"vocabulary": []}, "empty vocabulary passed to fit"),
        ({"vocabulary": ["a", "a"]}, "Duplicate term"),
        ({"vocabulary": {"a": 0, "b": 2}}, "doesn't contain index 1"),
        ({"analyzer": "char_wb"}, "'analyzer' parameter of SequenceVectorizer must be"),
        ({"max_features": 0}, "'max_features' parameter of SequenceVectorizer must be"),
        ({"max_df": 1.5}, "'max_df' parameter of SequenceVectorizer must be"),
        ({"lowercase": "yes"}, "'lowercase' parameter of SequenceVectorizer must be"),
    ],
)
@pytest.mark.parametrize("fitted", [False, True])
def test_failed_fit_leaves_the_vectorizer_as_it_was(parameters, message, fitted):
    vectorizer = SequenceVectorizer()
    if fitted:
        vectorizer.fit(TEXTS)
    vectorizer.set_params(**parameters)
    before = vars(vectorizer).copy()
    with pytest.raises(ValueError, match=message):
        vectorizer.fit(["the cat", "cat, the"])
    assert vars(vectorizer).keys() == before.keys()
    assert all(vars(vectorizer)[name] is before[name] for name in before)
    if fitted:
        assert vectorizer.transform(["a cat"])[0].tolist() == [0, 1]


def test_failing_analyzer():
    def analyze(text):
        raise ZeroDivisionError

    vectorizer = SequenceVectorizer().fit(TEXTS).set_params(analyzer=analyze)
    with pytest.raises(ZeroDivisionError):
        vectorizer.fit(TEXTS)
    assert vectorizer.transform(["a cat"])[0].tolist() == [0, 1]


def test_parameters_set_after_fit_wait_for_the_next():
    vectorizer = SequenceVectorizer().fit(TEXTS).set_params(lowercase=False)
    assert vectorizer.transform(["A CAT"])[0].tolist() == [0, 1]
    assert vectorizer.fit(TEXTS).transform(["A CAT"])[0].tolist() == [0, 10]
    assert vectorizer.unknown_category_ == 10


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"analyzer": "char", "stop_words": ["the"]}, "'stop_words' will not be used"),
        ({"analyzer": "char", "tokenizer": str.split}, "'tokenizer' will not be used"),
        ({"analyzer": "char", "token_pattern": "c."}, "'token_pattern' will not be used"),
        ({"tokenizer": str.split, "token_pattern": "c."}, "'token_pattern' will not be used"),
        ({"analyzer": triplets, "preprocessor": str.lower}, "'preprocessor' will not be used"),
        ({"vocabulary": ["The", "cat"]}, "Upper case characters found in vocabulary"),
        ({"stop_words": ["dog's"]}, "stop_words may be inconsistent"),
    ],
)
def test_warnings_about_parameters_without_use(parameters, message):
    vectorizer = SequenceVectorizer(**parameters)
    with pytest.warns(UserWarning, match=message) as caught:
        vectorizer.fit(TEXTS)
    assert len(caught) == 1
    vectorizer.transform(TEXTS)    # without another


@pytest.mark.parametrize(
    "parameters",
    [
        {"analyzer": "char"}, {"analyzer": triplets}, {"tokenizer": str.split},
        {"analyzer": triplets, "vocabulary": ["The", "sat"]}, {"preprocessor": str.upper, "vocabulary": ["THE", "CAT"]},
    ],
)
def test_no_warning_about_defaults_without_use(parameters):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SequenceVectorizer(**parameters).fit(TEXTS)
    assert not caught


def test_tokens_that_are_no_strings():
    vectorizer = SequenceVectorizer(analyzer=lambda text: [int(number) for number in text.split()])
    X = vectorizer.fit_transform(["30 4", "5 30 30"])
    assert [x.tolist() for x in X] == [[2, 0], [1, 2, 2]]
    assert vectorizer.inverse_transform(X) == [[30, 4], [5, 30, 30]]


class TestInverse:
    def test_collections(self):
        vectorizer = SequenceVectorizer().fit(TEXTS)
        expected = [["cat", "a"], [None]]
        for X in (
            [[1, 0], [8]], [np.array([1, 0]), np.array([8])], [np.array([[1.0], [0.0]]), np.array([[8.0]])],
            RaggedArray([1, 0, 8], [2, 1]), RaggedArray([[1.0], [0.0], [8.0]], [2, 1]),
        ):
            assert vectorizer.inverse_transform(X) == expected
        assert vectorizer.inverse_transform(np.array([[1, 0]])) == [["cat", "a"]]

    @pytest.mark.parametrize(
        ("X", "error", "message"),
        [
            ([[0, 9]], ValueError, r"X\[0\]\[1\] is 9.0, expected a category: 0, 1, ... up to 8"),
            ([[0], [-1]], ValueError, r"X\[1\]\[0\] is -1.0, expected a category"),
            ([[0.5]], ValueError, r"X\[0\]\[0\] is 0.5, expected a category"),
            ([[np.nan]], ValueError, r"X\[0\]\[0\] is nan, expected a category"),
            (
                [1, 2], ValueError,
                r"X\[0\] has shape \(\), expected categories \(tokens,\); for one sequence pass \[X\]",
            ),
            (np.ones((2, 3, 2)), ValueError, r"X\[0\] has shape \(3, 2\), expected categories"),
            ([["a"]], ValueError, r"X\[0\]\[0\] is 'a', expected a number"),
            (3, TypeError, "X is a int, expected a collection"),
        ],
    )
    def test_bad_input(self, X, error, message):
        with pytest.raises(error, match=message):
            SequenceVectorizer().fit(TEXTS).inverse_transform(X)


def test_not_fitted():
    for vectorizer in (SequenceVectorizer(), SequenceVectorizer(vocabulary=["a"])):
        for call in (vectorizer.transform, vectorizer.inverse_transform, vectorizer.get_feature_names_out):
            with pytest.raises(NotFittedError):
                call(TEXTS)


@pytest.mark.parametrize("parameters", [{}, {"analyzer": triplets}, {"vocabulary": {"cat": 1, "a": 0}, "min_df": 2}])
def test_clone_and_pickle(parameters):
    vectorizer = SequenceVectorizer(**parameters).fit(TEXTS)
    copy = clone(vectorizer)
    assert copy.get_params() == vectorizer.get_params()
    assert not hasattr(copy, "vocabulary_")
    again = pickle.loads(pickle.dumps(vectorizer))
    new = ["a bird, a cat"]
    np.testing.assert_array_equal(again.transform(new).values, vectorizer.transform(new).values)
    assert again.vocabulary_ == vectorizer.vocabulary_


def test_fit_keeps_no_texts():
    """What the estimator holds grows with the vocabulary, not with the texts."""
    sizes = [len(pickle.dumps(SequenceVectorizer().fit(TEXTS * n))) for n in (1, 1000)]
    assert sizes[0] == sizes[1]


def test_given_vocabulary_is_not_changed():
    vocabulary = {"cat": 1, "a": 0}
    vectorizer = SequenceVectorizer(vocabulary=vocabulary).fit(TEXTS)
    vectorizer.vocabulary_["dog"] = 2
    assert vocabulary == {"cat": 1, "a": 0}


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_output_stays_ragged(container):
    pipeline = make_pipeline(SequenceVectorizer(), FunctionTransformer()).set_output(transform=container)
    assert isinstance(pipeline[0].fit_transform(TEXTS), RaggedArray)
    assert isinstance(pipeline[0].transform(TEXTS), RaggedArray)
    with sklearn.config_context(transform_output=container):
        assert isinstance(SequenceVectorizer().fit_transform(TEXTS), RaggedArray)
        assert isinstance(SequenceVectorizer().fit(TEXTS).transform(TEXTS), RaggedArray)


def test_in_a_pipeline():
    lengths = FunctionTransformer(lambda X: X.lengths[:, np.newaxis])
    pipeline = Pipeline([("tokens", SequenceVectorizer()), ("lengths", lengths)])
    assert pipeline.fit_transform(TEXTS).ravel().tolist() == [3, 6, 4]
    pipeline.set_params(tokens__analyzer="char")
    assert pipeline.fit_transform(TEXTS).ravel().tolist() == [len(text) for text in TEXTS]


def test_tags():
    tags = SequenceVectorizer().__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.requires_fit


@pytest.mark.filterwarnings("ignore:Can't test estimator SequenceVectorizer")
def test_estimator_checks():
    """scikit-learn makes no texts for its checks: it skips most of those of estimators that need them."""
    estimator_checks.check_estimator(SequenceVectorizer())


@pytest.mark.parametrize(
    "name",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_param_validation",
    ],
)
def test_estimator_checks_that_need_no_numbers(name):
    getattr(estimator_checks, name)("SequenceVectorizer", SequenceVectorizer())


def test_parameters_are_those_of_CountVectorizer():
    ours, theirs = SequenceVectorizer().get_params(), CountVectorizer().get_params()
    assert {name: ours[name] for name in ours.keys() - {"token_pattern"}}.items() <= theirs.items()
    assert re.fullmatch(ours["token_pattern"], "a")
    assert not re.fullmatch(theirs["token_pattern"], "a")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_search_over_what_a_net_reads():
    """Words tell these texts apart, letters do not; what was not in the training texts has its place in the net."""
    texts, y = ["on no", "no on", "so on", "no so", "os so", "so os"] * 6, np.array([1, 0, 1, 0, 0, 0] * 6)
    net = RNNClassifier(4, embedding_dim=3, learning_rate_init=0.05, batch_size=9, max_iter=60, random_state=0)
    pipeline = make_pipeline(SequenceVectorizer(), net)
    search = GridSearchCV(pipeline, {"sequencevectorizer__min_df": [1, 13]}, cv=3, error_score="raise").fit(texts, y)
    assert search.best_params_ == {"sequencevectorizer__min_df": 1}
    assert search.best_score_ == 1
    p = search.predict_proba(["never before", "seen so", ""])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(p[0], search.predict_proba(["other words"])[0])
