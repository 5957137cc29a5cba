"""RNNLanguageModel: texts as numbers and in windows, gradients, probabilities, generation, scikit-learn."""

import itertools
import json
import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numerical import assert_gradient, central_differences
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from skrnn import RNNLanguageModel
from skrnn._data.examples import Examples
from skrnn._data.sequences import Sequences
from skrnn._language import scoring, shard
from skrnn._language.corpus import Corpus, Windows
from skrnn._language.sampling import Sampler
from skrnn._language.vocabulary import Vocabulary, words_of
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import StreamObjective
from skrnn._runtime import threads
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.kernels import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TEXTS = ["anna", "", "hanna", "nathan", "a", "than", "hannah"]
SMALL = {
    "hidden_size": 5, "embedding_dim": 3, "n_streams": 3, "truncated_bptt_steps": 4, "learning_rate": "constant",
    "learning_rate_init": 2e-3, "max_iter": 2, "random_state": 0,
}


@pytest.fixture(scope="module")
def model():
    """Fitted well enough for its probabilities to differ."""
    return RNNLanguageModel(**SMALL | {"max_iter": 60, "learning_rate_init": 0.02}).fit(TEXTS)


def numbers(model, text):
    return [model.vocabulary_.get(symbol, len(model.vocabulary_)) for symbol in text]


class TestVocabularyAndCorpus:
    def test_numbers(self):
        vocabulary = Vocabulary.of(Counter("bananacab"), 1)
        assert vocabulary.symbols == ["a", "b", "c", "n"]
        assert (vocabulary.unknown, vocabulary.boundary, len(vocabulary)) == (4, 5, 6)
        assert vocabulary.encode("xnab").tolist() == [4, 3, 0, 1]

    def test_min_frequency(self):
        assert Vocabulary.of(Counter("bananacab"), 2).symbols == ["a", "b", "n"]
        assert Vocabulary.of(Counter([3, "b", 3.0]), 2).symbols == [3]

    def test_a_text_is_read_from_begin_and_predicted_to_end(self):
        vocabulary = Vocabulary("abc")
        corpus = Corpus([list("ab"), [], list("cxa")], vocabulary)
        assert corpus.inputs.tolist() == [4, 0, 1, 4, 4, 2, 3, 0]
        assert corpus.targets.tolist() == [0, 1, 4, 4, 2, 3, 0, 4]
        assert corpus.lengths.tolist() == [3, 1, 4]
        assert corpus.starts.tolist() == [0, 3, 4]


class TestWindows:
    @pytest.mark.parametrize("n_streams", [1, 2, 5, 40])
    @pytest.mark.parametrize("n_steps", [1, 3, 7, 1000])
    @pytest.mark.parametrize("lengths", [[100], [1], [3, 1, 4, 1, 5, 9, 2, 6], [50, 1, 1, 30, 7]], ids=str)
    @pytest.mark.parametrize("shuffled", [False, True])
    def test_every_step_is_in_one_window(self, n_streams, n_steps, lengths, shuffled):
        lengths = np.array(lengths)
        starts = np.cumsum(lengths) - lengths
        windows = Windows(starts, lengths, n_streams, n_steps, np.random.RandomState(0) if shuffled else None)
        assert windows.n_samples == lengths.sum()
        for _ in range(2):
            seen, end, ended = [], {}, set()
            for window in windows:
                room = Counter()
                for start, length, stream, carried in zip(
                    window.starts.tolist(), window.lengths.tolist(), window.stream.tolist(), window.carried.tolist(),
                    strict=True,
                ):
                    room[stream] += length
                    seen += range(start, start + length)
                    assert stream not in ended
                    if carried:     # goes on exactly where the stream has ended
                        assert end[stream] == start
                    end[stream] = start + length
                assert max(room.values()) <= n_steps
                # Only a stream that ends reads less.
                ended |= {stream for stream in end if room[stream] < n_steps}
                assert window.last.sum() == len(room)
                assert window.stream[window.last].tolist() == sorted(room)
            assert sorted(seen) == list(range(lengths.sum()))

    def test_texts_shorter_than_a_stream_stay_whole(self):
        """A step is carried unless it begins a text, or a piece of one that is longer than its stream."""
        lengths = np.array([40, 3, 2, 3])
        begins = []
        for window in Windows(np.cumsum(lengths) - lengths, lengths, 4, 2):
            begins += window.starts[~window.carried].tolist()
        assert sorted(begins) == [0, 12, 24, 36, 40, 43, 45]

    def test_long_texts_are_cut(self):
        """Into pieces of sixteen windows at most, as many for each stream; but into none shorter than a window."""
        assert Windows(np.array([0]), np.array([1000]), 2, 10).lengths.tolist() == [125] * 8
        assert Windows(np.array([0]), np.array([25]), 32, 10).lengths.tolist() == [10, 10, 5]

    def test_streams_are_about_as_long(self):
        lengths = np.random.default_rng(0).integers(1, 30, 1000)
        steps = Counter()
        for window in Windows(np.cumsum(lengths) - lengths, lengths, 8, 16, np.random.RandomState(0)):
            for stream, length in zip(window.stream, window.lengths, strict=True):
                steps[stream] += length
        assert max(steps.values()) - min(steps.values()) <= 30

    def test_another_order_in_each_epoch(self):
        lengths = np.full(50, 5)
        windows = Windows(np.cumsum(lengths) - lengths, lengths, 1, 5, np.random.RandomState(0))
        first, second = ([int(window.starts[0]) for window in windows] for _ in range(2))
        assert first != second
        assert sorted(first) == sorted(second) == list(range(0, 250, 5))


@pytest.mark.usefixtures("simd")
class TestObjective:
    def problem(self, cell="lstm", n_symbols=5, dtype=np.float64, hidden_size=(4, 3)):
        rng = np.random.default_rng(0)
        vocabulary = Vocabulary("abcdefghij"[: n_symbols - 2])
        corpus = Corpus([[str(s) for s in rng.choice(vocabulary.symbols, n)] for n in (9, 3, 0, 5)], vocabulary)
        net = RecurrentNetwork(
            3, hidden_size, n_symbols, cell, "tanh", True, bidirectional=False, per_step=True, n_categories=n_symbols
        )
        theta = (0.5 * rng.normal(size=net.layout.size)).astype(dtype)
        sequences = Sequences(np.empty((0, 1), dtype), corpus.lengths, "ragged", categories=corpus.inputs)
        objective = StreamObjective(
            net, Examples(sequences, corpus.targets, None, True), LOSSES["log_loss"](), 3, 4, alpha=0.1
        )
        return net, theta, objective, list(Windows(corpus.starts, corpus.lengths, 3, 4)), corpus

    @pytest.mark.parametrize("cell", CELLS)
    def test_gradient_through_embedding_and_softmax(self, cell):
        """By central differences, of each window, from the states that the ones before have left."""
        _, theta, objective, windows, _ = self.problem(cell)
        assert len(windows) > 1
        for window in windows:
            before = objective.states.copy()

            def value(before=before, window=window):
                objective.states[:] = before
                loss, penalty, _, _ = next(objective.gradients(theta, window))
                return loss + penalty

            numerical = central_differences(value, theta, 1e-4)
            objective.states[:] = before
            ((_, _, gradient, weight),) = objective.gradients(theta, window)
            assert weight == window.lengths.sum()
            assert_gradient(gradient.copy(), numerical)

    def test_states_are_carried(self):
        """The losses of an epoch are those of the whole texts."""
        net, theta, objective, windows, corpus = self.problem()
        objective.engine.set_objective(loss="log_loss")
        total = sum(loss * weight for window in windows for loss, _, _, weight in objective.gradients(theta, window))
        pieces = Windows(corpus.starts, corpus.lengths, 3, 4)
        # The first text is longer than its stream, and is cut.
        sequences = Sequences(
            np.empty((0, 1)), pieces.lengths, "ragged", categories=corpus.inputs, starts=pieces.starts
        )
        scores = net.forward(theta, sequences, np.arange(len(pieces.lengths)))
        expected = -scoring.target_log_likelihoods(scores, corpus.targets).sum()
        assert total == pytest.approx(expected, rel=1e-12)

    def test_single_precision(self):
        _, theta, objective, windows, _ = self.problem()
        _, _, single, _, _ = self.problem(dtype=np.float32)
        for window in windows:
            ((loss, _, gradient, _),) = objective.gradients(theta, window)
            expected = gradient.copy()
            ((value, _, gradient, _),) = single.gradients(theta.astype(np.float32), window)
            assert value == pytest.approx(loss, rel=1e-5)
            np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-6)


class TestProbabilities:
    def test_without_output_weights_all_symbols_are_equally_likely(self):
        model = RNNLanguageModel(**SMALL).fit(TEXTS)
        model.set_parameters({name: np.zeros_like(model.parameters_[name]) for name in ("head.V", "head.c")})
        V = len(model.symbols_)
        assert V == 4 + 2
        for text in [*TEXTS, "never seen!"]:
            assert (model.symbol_log_likelihoods(text) == -np.log(V)).all()
        assert model.score(TEXTS) == pytest.approx(-np.log(V), rel=1e-15)
        assert model.perplexity(TEXTS) == pytest.approx(V, rel=1e-14)
        assert model.bits_per_token(TEXTS) == pytest.approx(np.log2(V), rel=1e-14)
        np.testing.assert_allclose(model.predict_proba(["", "han"]), 1 / V, rtol=1e-14)

    def test_scores_are_those_of_the_probabilities_of_each_symbol(self, model):
        text = "hanxan"
        likelihoods = []
        for i, symbol in enumerate([*numbers(model, text), len(model.symbols_) - 1]):
            likelihoods.append(np.log(model.predict_proba([text[:i]])[0, symbol]))
        np.testing.assert_allclose(model.symbol_log_likelihoods(text), likelihoods, rtol=1e-12)
        assert model.score_samples([text, ""])[0] == pytest.approx(sum(likelihoods), rel=1e-12)
        assert model.score([text]) == pytest.approx(np.mean(likelihoods), rel=1e-12)
        lengths, each = np.array([len(text) + 1 for text in TEXTS]), model.score_samples(TEXTS)
        assert model.score(TEXTS) == pytest.approx(each.sum() / lengths.sum(), rel=1e-12)

    def test_continuations_of_a_prefix_sum_to_one(self, model):
        for prefix in ("", "h", "than", "xyz"):
            assert model.predict_proba([prefix])[0].sum() == pytest.approx(1, abs=1e-12)
            of_prefix = model.symbol_log_likelihoods(prefix, end=False).sum()
            pairs = itertools.product([*model.vocabulary_, "?"], repeat=2)
            longer = [model.symbol_log_likelihoods([*prefix, *pair], end=False).sum() for pair in pairs]
            ended = [model.symbol_log_likelihoods([*prefix, symbol]).sum() for symbol in [*model.vocabulary_, "?"]]
            ended.append(model.symbol_log_likelihoods(prefix).sum())
            total = np.exp(np.array([*longer, *ended]) - of_prefix).sum()
            assert total == pytest.approx(1, abs=1e-12)

    @pytest.mark.parametrize("cut", [0, 1, 5, 11])
    def test_in_pieces_with_a_carried_state(self, model, cut):
        text = "hannahnathan"
        whole = model.symbol_log_likelihoods(text)
        first, state = model.symbol_log_likelihoods(text[:cut], end=False, return_state=True)
        rest, last = model.symbol_log_likelihoods(text[cut:], initial_state=state, return_state=True)
        assert len(first) == cut
        np.testing.assert_array_equal(np.concatenate([first, rest]), whole)
        np.testing.assert_array_equal(last, model.symbol_log_likelihoods(text, end=False, return_state=True)[1])

    @pytest.mark.parametrize(("scores", "stretch"), [(1, 512), (2**22, 2), (40, 3)])
    def test_how_much_is_scored_at_a_time_changes_no_bit(self, model, scores, stretch, monkeypatch):
        texts = [*TEXTS, "hannah" * 20]
        results = [model.score_samples(texts), model.predict_proba(texts), model.symbol_log_likelihoods("hannah" * 9)]
        generated = model.generate(9, "hannahnathan", random_state=0)
        monkeypatch.setattr(scoring, "MAX_SCORES", scores)
        monkeypatch.setattr(scoring, "MAX_STEPS_PER_READ", stretch)
        again = [model.score_samples(texts), model.predict_proba(texts), model.symbol_log_likelihoods("hannah" * 9)]
        for one, other in zip(results, again, strict=True):
            np.testing.assert_array_equal(one, other)
        assert model.generate(9, "hannahnathan", random_state=0) == generated

    def test_unknown_symbols_have_a_place(self, model):
        np.testing.assert_array_equal(model.score_samples(["haxa"]), model.score_samples(["ha?a"]))
        assert np.isfinite(model.score(["???"]))
        np.testing.assert_array_equal(model.predict_proba(["x"]), model.predict_proba([[object()]]))
        np.testing.assert_array_equal(model.parameters_["embedding.E"][-2], 0)

    def test_rare_symbols_train_the_unknown_one(self):
        model = RNNLanguageModel(min_frequency=2, **SMALL).fit(["abab", "abc", "bad"])
        assert model.vocabulary_ == {"a": 0, "b": 1}
        assert model.symbols_.tolist() == ["a", "b", "<unknown>", "<end>"]
        assert model.parameters_["embedding.E"][2].any()


class TestSampling:
    SCORES = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], np.float32))

    def probabilities(self, temperature=1.0, top_k=None, top_p=None, excluded=()):
        return Sampler(temperature, top_k, top_p, np.random.RandomState(0), list(excluded)).probabilities(self.SCORES)

    def test_probabilities(self):
        p = np.array([0.1, 0.4, 0.05, 0.25, 0.2])
        np.testing.assert_allclose(self.probabilities(), p, rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(0.5), p**2 / (p**2).sum(), rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(0), [0, 1, 0, 0, 0])
        np.testing.assert_allclose(self.probabilities(top_k=2), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(top_k=9), p, rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(top_p=0.66), [0, 8 / 17, 0, 5 / 17, 4 / 17], rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(top_p=1e-9), [0, 1, 0, 0, 0])
        np.testing.assert_allclose(self.probabilities(top_p=1.0), p, rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(excluded=[1]), p * [1, 0, 1, 1, 1] / 0.6, rtol=1e-6)
        np.testing.assert_allclose(self.probabilities(1e-300), [0, 1, 0, 0, 0])
        both = self.probabilities(top_k=2, top_p=0.7)
        np.testing.assert_allclose(both, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], rtol=1e-6)

    def test_draws_have_these_probabilities(self):
        sampler = Sampler(1.3, 4, None, np.random.RandomState(0), [3])
        draws = np.bincount([sampler.draw(self.SCORES) for _ in range(20_000)], minlength=5)
        expected = sampler.probabilities(self.SCORES)
        assert draws[expected == 0].sum() == 0
        assert chisquare(draws[expected > 0], 20_000 * expected[expected > 0]).pvalue > 1e-3

    @pytest.mark.parametrize("number", [0.0, np.nextafter(1, 0)])
    def test_the_ends_of_the_random_numbers(self, number):
        """What has no chance at the ends of the list is not drawn."""
        class Fixed:
            def random_sample(self):
                return number

        assert Sampler(1.0, None, None, Fixed(), [0, 4]).draw(self.SCORES) == (1 if number == 0 else 3)


class TestGenerate:
    def test_is_reproducible(self, model):
        texts = {model.generate(30, random_state=seed) for seed in range(20)}
        assert len(texts) > 3
        assert model.generate(30, random_state=3) == model.generate(30, random_state=3)
        state = np.random.RandomState(3)
        assert model.generate(30, random_state=state) == model.generate(30, random_state=3)

    def test_the_likeliest_symbols(self, model):
        text = ""
        while len(text) < 12:
            symbol = model.symbols_[np.argmax(model.predict_proba([text])[0] * (model.symbols_ != "<unknown>"))]
            if symbol == "<end>":
                break
            text += symbol
        assert text
        assert model.generate(12, temperature=0) == text
        assert model.generate(12, top_k=1) == text
        assert model.generate(12, top_p=1e-6) == text
        assert text[:2] + model.generate(10, text[:2], temperature=0) == text

    def test_symbols_come_by_their_probabilities(self, model):
        random_state = np.random.RandomState(0)
        first = Counter(model.generate(1, "ha", random_state=random_state) for _ in range(4000))
        p = model.predict_proba(["ha"])[0]
        p[-2] = 0
        expected = 4000 * p / p.sum()
        counts = np.array([*(first[symbol] for symbol in model.vocabulary_), 0, first[""]])
        assert counts[expected == 0].sum() == 0
        assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 1e-3

    def test_stream_draws_when_asked(self, model):
        symbols = model.generate(1000, random_state=0, stream=True)
        first = next(symbols)
        assert first + "".join(symbols) == model.generate(1000, random_state=0)
        assert len(model.generate(0)) == 0

    def test_a_stream_goes_on_with_the_model_it_began_with(self, model):
        model = pickle.loads(pickle.dumps(model))
        expected = model.generate(9, "ha", random_state=3)
        symbols = model.generate(9, "ha", random_state=3, stream=True)
        model.fit(["xyz"])
        assert "".join(symbols) == expected

    def test_ends(self):
        model = RNNLanguageModel(**SMALL | {"max_iter": 80, "learning_rate_init": 0.05}).fit(["ab"] * 30)
        assert model.generate(100, temperature=0) == "ab"
        assert model.generate(100, "a", temperature=0) == "b"

    def test_lists_of_symbols(self):
        texts = [["C", "E", 3], ["E", "G"]] * 5
        model = RNNLanguageModel(**SMALL).fit(texts)
        out = model.generate(10, ["C"], random_state=1)
        assert isinstance(out, list)
        assert set(out) <= {"C", "E", "G", 3}
        model = RNNLanguageModel(analyzer=lambda text: [text[i : i + 3] for i in range(0, len(text), 3)], **SMALL)
        assert {len(symbol) for symbol in model.fit(["abcdefabcabc"]).generate(10, "abc", random_state=0)} == {3}

    @pytest.mark.parametrize("taken", [["<end>"], ["<unknown>"], ["<end>", "<<end>>", "<unknown>"], ["<begin>"]])
    def test_symbols_that_are_named_like_the_special_ones(self, taken):
        """They are symbols like any others: each name of symbols_ is one symbol, and no text ends within."""
        texts = [["a", *taken, "b"], [*taken, *taken], ["b", taken[-1]]] * 5
        parameters = SMALL | {"max_iter": 20, "learning_rate_init": 0.05}
        order = sorted({*taken, "a", "b"})
        model = RNNLanguageModel(**parameters).fit(texts)
        names = model.symbols_.tolist()
        assert names[: len(order)] == order
        assert len(set(names)) == len(names)
        assert [name.strip("<>") for name in names[-2:]] == ["unknown", "end"]
        renamed = {symbol: f"s{i}" for i, symbol in enumerate(order)}
        translated = [[renamed[symbol] for symbol in text] for text in texts]
        twin = RNNLanguageModel(**parameters).fit(translated)
        assert model.score(texts) == twin.score(translated)
        assert model.predict_proba([["a", *taken]]).tobytes() == twin.predict_proba([translated[0][:-1]]).tobytes()
        for seed in range(5):
            drawn = model.generate(12, [], random_state=seed)
            assert [renamed[symbol] for symbol in drawn] == twin.generate(12, [], random_state=seed)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Le cafe\u0301 noir.", ["Le", "cafe\u0301", "noir", "."]),
            ("हिन्दी भाषा।", ["हिन्दी", "भाषा", "।"]),
            ("ที่นี่ สวย", ["ที่นี่", "สวย"]),
            ("מִלָּה, כֵּן", ["מִלָּה", ",", "כֵּן"]),
            ("می\u200cخواهم!", ["می\u200cخواهم", "!"]),
            ("I \u2764\ufe0f it", ["I", "\u2764\ufe0f", "it"]),
            ("\U0001f469\u200d\U0001f4bb\U0001f600 x", ["\U0001f469\u200d\U0001f4bb", "\U0001f600", "x"]),
            ("\u0301 a", ["\u0301", "a"]),
            ("naïve – «Größe» 10,5 €", ["naïve", "–", "«", "Größe", "»", "10", ",", "5", "€"]),
            ("don't stop_it -- now", ["don", "'", "t", "stop_it", "-", "-", "now"]),
        ],
    )
    def test_marks_belong_to_their_words(self, text, words):
        assert words_of(text) == words
        model = RNNLanguageModel(**SMALL | {"analyzer": "word"}).fit([text] * 3)
        assert model.symbols_[:-2].tolist() == sorted(set(words))
        assert set(model.generate(20, random_state=0).split()) <= set(words)

    def test_words(self):
        model = RNNLanguageModel(analyzer="word", **SMALL).fit(["The cat sat.", "The dog sat, too!"])
        assert model.symbols_.tolist() == ["!", ",", ".", "The", "cat", "dog", "sat", "too", "<unknown>", "<end>"]
        text = model.generate(30, "The", random_state=0)
        assert set(text.split()) <= set(model.vocabulary_)
        assert model.score_samples(["The cat sat."]) == model.score_samples([["The", "cat", "sat", "."]])

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"n_tokens": -1}, ValueError, "'n_tokens' parameter of generate"),
            ({"n_tokens": 1.5}, ValueError, "'n_tokens' parameter"),
            ({"temperature": -0.1}, ValueError, "'temperature' parameter"),
            ({"temperature": np.nan}, ValueError, "'temperature' parameter"),
            ({"top_k": 0}, ValueError, "'top_k' parameter"),
            ({"top_p": 0.0}, ValueError, "'top_p' parameter"),
            ({"top_p": 1.1}, ValueError, "'top_p' parameter"),
            ({"random_state": "x"}, ValueError, "'random_state' parameter"),
            ({"prefix": b"ab"}, TypeError, "prefix is bytes"),
            ({"prefix": 3}, TypeError, "prefix is int 3, expected a str"),
        ],
    )
    def test_bad_arguments(self, model, arguments, error, message):
        with pytest.raises(error, match=message):
            model.generate(**arguments)


class TestFit:
    @pytest.mark.parametrize("cell", CELLS)
    def test_learns(self, cell):
        """A text that repeats itself is predicted, within a text longer than the window and across windows."""
        model = RNNLanguageModel(
            16, cell=cell, embedding_dim=6, n_streams=4, truncated_bptt_steps=10, learning_rate_init=0.02, max_iter=60,
            max_grad_norm=1.0, random_state=0,
        ).fit(["abcd" * 100])
        assert model.perplexity(["abcd" * 10]) < 1.2
        assert model.generate(9, "abc", temperature=0) == "dabcdabcd"

    @pytest.mark.parametrize("solver", OPTIMIZERS)
    def test_every_solver(self, solver):
        rate = 0.3 if solver == "sgd" else 0.01
        model = RNNLanguageModel(**SMALL | {"solver": solver, "learning_rate_init": rate, "max_iter": 30}).fit(TEXTS)
        assert model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]
        assert model.n_iter_ == len(model.loss_curve_)
        assert model.t_ == model.n_iter_ * sum(len(text) + 1 for text in TEXTS)

    @pytest.mark.parametrize("ends", [True, False])
    @pytest.mark.parametrize("initial_bias", ["frequencies", "zero"])
    def test_it_begins_with_frequencies_or_equal_chances(self, initial_bias, ends):
        model = RNNLanguageModel(**SMALL | {"initial_bias": initial_bias, "learning_rate_init": 1e-9})
        model.partial_fit(TEXTS, symbols="ahntz", ends=ends)
        read = [*"".join(TEXTS), *["<end>"] * (len(TEXTS) * ends)]
        counts = np.array([read.count(symbol) for symbol in model.symbols_])
        usual = np.maximum(counts, counts[counts > 0].min())
        expected = np.log(usual / usual.sum()) if initial_bias == "frequencies" else np.zeros(7)
        np.testing.assert_allclose(model.parameters_["head.c"], expected, atol=1e-6)
        assert model.loss_ == pytest.approx(np.log(np.exp(expected).sum()) - counts @ expected / len(read), abs=0.3)

    def test_it_begins_with_frequencies_only_once(self):
        model = RNNLanguageModel(**SMALL | {"learning_rate_init": 1e-9, "warm_start": True}).fit(TEXTS)
        before = model.parameters_["head.c"].copy()
        for again in (model.partial_fit, model.fit):
            again(["ttttt"])
            np.testing.assert_allclose(model.parameters_["head.c"], before, atol=1e-6)

    @pytest.mark.parametrize("changed", [{}, {"dropout": 0.3, "recurrent_dropout": 0.3}, {"hidden_size": (5, 4)}])
    def test_the_same_bits_by_any_number_of_threads(self, changed, monkeypatch):
        thetas = []
        for n in (1, 2, 5):
            monkeypatch.setattr(threads, "threads_for", lambda work, n=n: n)
            model = RNNLanguageModel(**SMALL | {"n_streams": 40} | changed).fit(TEXTS * 40)
            thetas.append(model._fitted.model.theta.tobytes())
        assert len(set(thetas)) == 1

    def test_pieces_are_read_as_texts(self, monkeypatch):
        """Each begins with the begin of a text, in training only."""
        model, objectives = RNNLanguageModel(**SMALL | {"n_streams": 1}), []

        class Spied(StreamObjective):
            def __init__(self, *arguments, **keywords):
                super().__init__(*arguments, **keywords)
                objectives.append(self)

        monkeypatch.setattr(shard, "StreamObjective", Spied)
        model.fit(["ab" * 100])
        begin, ids = len(model.symbols_) - 1, objectives[0].examples.sequences.categories
        assert np.flatnonzero(ids == begin).tolist() == [0, 51, 102, 153]
        assert np.delete(ids, [0, 51, 102, 153])[:4].tolist() == [0, 1, 0, 1]

    def test_partial_fit_is_an_epoch(self):
        fitted = RNNLanguageModel(**SMALL | {"max_iter": 3}).fit(TEXTS)
        model = RNNLanguageModel(**SMALL)
        for _ in range(3):
            model = pickle.loads(pickle.dumps(model.partial_fit(TEXTS)))
        np.testing.assert_array_equal(model._fitted.model.theta, fitted._fitted.model.theta)
        assert model.loss_curve_ == fitted.loss_curve_

    def test_partial_fit_of_texts_with_other_symbols(self):
        model = RNNLanguageModel(**SMALL).partial_fit(["anna"], symbols="ahnt")
        assert model.symbols_.tolist() == ["a", "h", "n", "t", "<unknown>", "<end>"]
        E = model.parameters_["embedding.E"].copy()
        assert not E[[1, 3, 4]].any()
        model.partial_fit(["h?t"])
        assert (model.parameters_["embedding.E"] != E).any(axis=1).tolist() == [False, True, False, True, True, True]
        with pytest.raises(ValueError, match="symbols are others than in the first call"):
            model.partial_fit(["hat"], symbols="ahntx")

    def test_warm_start(self):
        model = RNNLanguageModel(warm_start=True, **SMALL).fit(TEXTS)
        before = model._fitted.model.theta.copy()
        model.fit(["other texts, hannah"])
        assert (model._fitted.model.theta != before).any()
        assert model.n_iter_ == 4
        assert len(model.symbols_) == 6
        with pytest.raises(ValueError, match="cannot continue with parameters of the shapes"):
            model.set_params(hidden_size=6).fit(TEXTS)

    def test_early_stopping(self):
        texts = TEXTS * 10
        model = RNNLanguageModel(early_stopping=True, **SMALL | {"max_iter": 30}).fit(texts)
        assert len(model.validation_scores_) == model.n_iter_
        assert model.best_validation_score_ == max(model.validation_scores_)
        held_out = ["hanna", "nath"]
        model = RNNLanguageModel(early_stopping=True, **SMALL).fit(texts, X_val=held_out)
        assert model.score(held_out) == model.best_validation_score_
        with pytest.raises(ValueError, match="cannot hold out some of one text"):
            model.fit(["abcabc"])
        with pytest.raises(ValueError, match="X_val is what early_stopping=True"):
            RNNLanguageModel(**SMALL).fit(texts, X_val=held_out)
        with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
            model.partial_fit(texts)

    def test_early_stopping_keeps_the_best_and_trains_on_the_rest(self):
        texts = [f"{i}{i}" for i in "abcdefghij"]
        settings = SMALL | {
            "max_iter": 40, "learning_rate_init": 0.1, "early_stopping": True, "validation_fraction": 0.3
        }
        model = RNNLanguageModel(**settings).fit(texts)
        scores = model.validation_scores_
        assert scores[-1] < max(scores) == model.best_validation_score_
        again = RNNLanguageModel(**settings).fit(texts, X_val=["qq"])
        assert model.t_ / model.n_iter_ == 7 * 3
        assert again.t_ / again.n_iter_ == 10 * 3
        score = again.score(["qq"])
        assert score == again.best_validation_score_
        warm = again.set_params(warm_start=True, max_iter=1, learning_rate_init=10.0, max_grad_norm=1.0)
        assert warm.fit(texts, X_val=["qq"]).score(["qq"]) >= score     # the first to beat

    @pytest.mark.parametrize("changed", [
        {"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"shuffle": False}, {"alpha": 10.0}, {"max_grad_norm": 1e-3},
        {"learning_rate": "cosine"}, {"learning_rate_init": 0.1}, {"truncated_bptt_steps": 2}, {"n_streams": 1},
        {"beta_1": 0.5}, {"initial_bias": "zero"},
        {"beta_2": 0.9}, {"epsilon": 1.0}, {"solver": "adamw", "alpha": 100.0}, {"cell": "gru"}, {"random_state": 1},
    ], ids=str)
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_every_parameter_matters(self, changed, method):
        def theta(**parameters):
            model = RNNLanguageModel(**SMALL | parameters)
            for _ in range(1 if method == "fit" else 2):
                getattr(model, method)(TEXTS)
            return model._fitted.model.theta

        assert theta().tobytes() != theta(**changed).tobytes()
        assert theta(**changed).tobytes() == theta(**changed).tobytes()

    def test_weight_decay_is_no_penalty(self):
        """With adamw the loss is that of the symbols alone."""
        decayed, penalised = (
            RNNLanguageModel(**SMALL | {"solver": solver, "alpha": 50.0, "max_iter": 1}).fit(TEXTS)
            for solver in ("adamw", "adam")
        )
        assert max(decayed.loss_, penalised.loss_) < 2.5
        assert decayed.penalty_curve_ == [0]
        assert penalised.penalty_curve_[0] > 0.1
        with pytest.raises(ValueError, match="expected less than 1"):
            RNNLanguageModel(**SMALL | {"solver": "adamw", "alpha": 1e4}).fit(TEXTS)

    def test_partial_fit_keeps_its_records(self):
        settings = SMALL | {"solver": "sgd", "learning_rate": "adaptive", "tol": 100.0, "n_iter_no_change": 2}
        model = RNNLanguageModel(**settings | {"learning_rate_init": 0.1})
        for _ in range(4):
            model.partial_fit(TEXTS)
        assert model.best_loss_ == min(model.loss_curve_)
        assert model._fitted.model.learning_rate == pytest.approx(0.02)

    def test_pieces_without_ends(self):
        """A text that goes on does not teach that texts end; nor does it read what it is not to predict."""
        pieces = ["abcab", "cabc", "a", "", "bcabcabc"]
        model = RNNLanguageModel(**SMALL | {"learning_rate_init": 0.05, "hidden_size": 12})
        for _ in range(60):
            model.partial_fit(pieces, ends=False)
        assert model.t_ == 60 * 18
        assert model.predict_proba(["abcab"])[0, -1] < 1e-3
        assert model.generate(7, "abc", random_state=0) == "abcabca"
        with pytest.raises(ValueError, match="there is nothing to predict"):
            model.partial_fit(["", ""], ends=False)
        with pytest.raises(ValueError, match="'ends' parameter of partial_fit"):
            model.partial_fit(pieces, ends="no")

    def test_partial_fit_has_the_parameters_of_now(self):
        model = RNNLanguageModel(**SMALL | {"cell": "rnn"}).partial_fit(TEXTS)
        model.set_params(activation="relu").partial_fit(TEXTS)
        assert model._fitted.model.network.layers[0].variant == 1
        with pytest.raises(ValueError, match="The 'shuffle' parameter of RNNLanguageModel must be"):
            model.set_params(shuffle="no").partial_fit(TEXTS)

    def test_bad_parameters_are_errors_before_texts_are_read(self):
        def analyzer(text):
            raise AssertionError("the text was read")

        for changed in ({"hidden_size": (0,)}, {"solver": "adamw", "alpha": 1e9}):
            with pytest.raises(ValueError, match=r"hidden_size|alpha"):
                RNNLanguageModel(**SMALL | {"analyzer": analyzer} | changed).fit(TEXTS)

    def test_a_stream_of_symbols_keeps_the_parameters_that_it_began_with(self):
        model = RNNLanguageModel(**SMALL).fit(TEXTS)
        expected = list(model.generate(20, random_state=0, stream=True))
        symbols = model.generate(20, random_state=0, stream=True)
        drawn = [next(symbols)]
        model.set_parameters({name: 5 * values for name, values in model.parameters_.items()})
        assert drawn + list(symbols) == expected
        assert list(model.generate(20, random_state=0, stream=True)) != expected

    def test_another_analyzer(self):
        model = RNNLanguageModel(warm_start=True, **SMALL).fit(TEXTS)
        score = model.score(TEXTS)
        model.set_params(analyzer="word")
        assert model.score(TEXTS) == score
        with pytest.raises(ValueError, match="cannot continue with analyzer='word', it was fitted with 'char'"):
            model.fit(TEXTS)
        with pytest.raises(ValueError, match="cannot continue with analyzer='word'"):
            model.partial_fit(TEXTS)
        assert model.set_params(warm_start=False).fit(["a b"]).symbols_[0] == "a"
        assert model.symbols_.tolist() == ["a", "b", "<unknown>", "<end>"]

    @pytest.mark.parametrize(
        ("symbols", "error", "message"),
        [
            (5, TypeError, "symbols is int 5, expected a list of symbols"), ([], ValueError, "symbols is empty"),
            ([["a"]], TypeError, r"symbols\[0\] is list"), (["a", None], TypeError, r"symbols\[1\] is NoneType"),
        ],
    )
    def test_bad_symbols(self, symbols, error, message):
        with pytest.raises(error, match=message):
            RNNLanguageModel(**SMALL).partial_fit(TEXTS, symbols=symbols)

    def test_the_order_of_symbols_does_not_matter(self):
        one = RNNLanguageModel(**SMALL).partial_fit(TEXTS, symbols=["t", "h", "n", "a"])
        other = RNNLanguageModel(**SMALL).partial_fit(TEXTS, symbols=set("ahnt"))
        np.testing.assert_array_equal(one._fitted.model.theta, other._fitted.model.theta)
        one.partial_fit(TEXTS, symbols="nhat")
        with pytest.raises(TypeError, match="symbols is a str, which holds characters"):
            RNNLanguageModel(**SMALL | {"analyzer": "word"}).partial_fit(TEXTS, symbols="the cat")
        numbers = [RNNLanguageModel(**SMALL).fit(texts).vocabulary_ for texts in ([[3, 1], [2]], [[1, 2], [3]])]
        assert numbers[0] == numbers[1] == {1: 0, 2: 1, 3: 2}

    def test_more_streams_and_steps_than_there_is_text(self):
        one = RNNLanguageModel(**SMALL | {"n_streams": 7, "truncated_bptt_steps": 50}).fit(TEXTS)
        other = RNNLanguageModel(**SMALL | {"n_streams": 10**9, "truncated_bptt_steps": 10**30}).fit(TEXTS)
        np.testing.assert_array_equal(one._fitted.model.theta, other._fitted.model.theta)

    def test_texts_in_arrays(self):
        expected = RNNLanguageModel(**SMALL).fit([[1, 2, 1], [2]])
        for texts in ([np.array([1, 2, 1]), np.array([2])], [pa.array([1, 2, 1]), pa.array([2])]):
            model = RNNLanguageModel(**SMALL).fit(texts)
            assert model.vocabulary_ == {1: 0, 2: 1}
            np.testing.assert_array_equal(model._fitted.model.theta, expected._fitted.model.theta)
            np.testing.assert_array_equal(model.predict_proba(texts), expected.predict_proba([[1, 2, 1], [2]]))

    def test_symbols_that_are_not_all_strings(self):
        model = RNNLanguageModel(**SMALL).partial_fit(["anna"], symbols=["a", "n", 3])
        assert isinstance(model.generate(5, random_state=0), list)

    def test_any_iterable_of_texts(self):
        expected = RNNLanguageModel(**SMALL).fit(TEXTS)._fitted.model.theta
        for X in (tuple(TEXTS), (text for text in TEXTS), np.array(TEXTS), np.array(TEXTS, object), map(list, TEXTS)):
            np.testing.assert_array_equal(RNNLanguageModel(**SMALL).fit(X)._fitted.model.theta, expected)

    def test_one_symbol(self):
        model = RNNLanguageModel(**SMALL).fit(["aaaa", "aa"])
        assert model.symbols_.tolist() == ["a", "<unknown>", "<end>"]
        assert np.isfinite(model.score(["aaa", ""]))
        assert set(model.generate(20, random_state=0)) <= {"a"}

    @pytest.mark.parametrize(
        ("X", "error", "message"),
        [
            ("a text", TypeError, r"X is a str, expected a list of texts; for one text pass \[X\]"),
            (3, TypeError, "X is a int, expected a list of texts"),
            ([], ValueError, "X is empty"),
            (["", ""], ValueError, "X has no symbol at least min_frequency=1 times"),
            (pd.DataFrame({"text": TEXTS}), ValueError, r"X has shape \(7, 1\), expected texts \(n,\); of a table"),
            (np.array(TEXTS)[:, np.newaxis], ValueError, r"X has shape \(7, 1\)"),
            (np.array("abc"), ValueError, r"X has shape \(\)"),
            ([[("a", ["b"])]], TypeError, r"X\[0\]\[0\] is tuple"),
            ([[1.0, np.nan]], TypeError, r"X\[0\]\[1\] is float nan"),
            (["a", 3], TypeError, r"X\[1\] is int 3, expected a str or a sequence of symbols"),
            (["a", None], TypeError, r"X\[1\] is NoneType None"),
            (["a", b"b"], TypeError, r"X\[1\] is bytes b'b'"),
            (["a", bytearray(b"b")], TypeError, r"X\[1\] is bytearray"),
            (memoryview(b"b"), TypeError, "X is a memoryview"),
            (["a", np.array([["b"]])], ValueError, r"X\[1\] has shape \(1, 1\), expected a str or symbols \(n,\)"),
            ([pd.DataFrame({"a": ["b"]})], ValueError, r"X\[0\] has shape \(1, 1\)"),
            ([np.array("abc")], ValueError, r"X\[0\] has shape \(\)"),
            ([["a", ["b"]]], TypeError, r"X\[0\]\[1\] is list \['b'\], expected a symbol"),
            ([["a", None]], TypeError, r"X\[0\]\[1\] is NoneType None"),
        ],
    )
    def test_bad_texts(self, X, error, message):
        model = RNNLanguageModel(**SMALL)
        with pytest.raises(error, match=message):
            model.fit(X)
        assert not hasattr(model, "symbols_")
        if not (isinstance(X, list) and X == ["", ""]):
            with pytest.raises(error, match=message):
                RNNLanguageModel(**SMALL).fit(TEXTS).score(X)

    def test_an_analyzer_that_finds_nothing(self):
        with pytest.raises(TypeError, match=r"analyzer returned NoneType None for X\[0\], expected symbols"):
            RNNLanguageModel(analyzer=lambda text: None, **SMALL).fit(TEXTS)

    def test_a_fit_that_fails_changes_nothing(self, model):
        model = pickle.loads(pickle.dumps(model))
        before = pickle.dumps(model)
        with pytest.raises(ValueError, match="Training diverged"):
            model.set_params(learning_rate_init=1e30, solver="sgd").partial_fit(TEXTS)
        model.set_params(learning_rate_init=0.02, solver="adam")
        assert pickle.dumps(model) == before

    @pytest.mark.parametrize(
        ("state", "message"),
        [
            (np.zeros(3, np.float32), "has shape"), (np.zeros((1, 11)), r"has shape \(1, 11\), expected \(11,\)"),
            (np.full(11, 9, np.float32), "last number, 9.0, is not that of a symbol"),
            (np.full(11, np.nan, np.float32), "is not finite"), ([np.inf] * 11, "is not finite"),
            (["0"] * 10 + ["a"], r"\[10\] is 'a', expected a number"),
            ([0.0] * 3 + [1e300] + [0.0] * 7, r"\[3\] is 1e\+300, too large for float32"),
        ],
    )
    def test_bad_states(self, model, state, message):
        with pytest.raises(ValueError, match=f"^initial_state( is none .*| |){message}"):
            model.symbol_log_likelihoods("a", initial_state=state)

    @pytest.mark.parametrize("form", [np.ndarray.tolist, np.float64, pd.Series, lambda s: json.loads(str(s.tolist()))])
    def test_states_in_other_forms(self, model, form):
        _, state = model.symbol_log_likelihoods("hann", return_state=True)
        expected, last = model.symbol_log_likelihoods("ah", initial_state=state, return_state=True)
        again, also_last = model.symbol_log_likelihoods("ah", initial_state=form(state), return_state=True)
        assert again.tobytes() == expected.tobytes()
        assert also_last.dtype == np.float32
        assert also_last.tobytes() == last.tobytes()

    def test_large_vocabulary(self):
        """Only the rows of the embedding that a window reads move."""
        words = [f"w{i:04}" for i in range(5000)]
        model = RNNLanguageModel(**SMALL).partial_fit([words[:3]], symbols=words)
        before = model.parameters_["embedding.E"].copy()
        model.partial_fit([words[2:5]])
        moved = np.flatnonzero((model.parameters_["embedding.E"] != before).any(axis=1))
        assert moved.tolist() == [2, 3, 4, 5001]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"temperature": "1"}, r"'temperature' parameter of generate .* Did you mean temperature=1\.0\?"),
            ({"n_tokens": 10.0}, r"'n_tokens' parameter .* Did you mean n_tokens=10\?"),
            ({"n_tokens": None}, "'n_tokens' parameter"), ({"temperature": -1}, "'temperature' parameter"),
            ({"top_k": "3"}, r"'top_k' parameter .* Did you mean top_k=3\?"),
            ({"top_k": 0}, r"Did you mean top_k=None\?"), ({"top_p": 95}, r"Did you mean top_p=0\.95\?"),
            ({"random_state": "a"}, "An int gives the same result every time"),
            ({"stream": "yes"}, r"Did you mean stream=True\?"), ({"prefix": None}, "prefix is NoneType None"),
            ({"prefix": b"ha"}, "prefix is bytes b'ha'"), ({"prefix": ["h", None]}, r"prefix\[1\] is NoneType"),
            ({"prefix": pd.DataFrame({"h": ["a"]})}, r"prefix has shape \(1, 1\), expected a str or symbols"),
        ],
    )
    def test_wrong_arguments_of_generate(self, model, arguments, message):
        with pytest.raises((TypeError, ValueError), match=message):
            model.generate(**arguments)

    @pytest.mark.parametrize("name", ["end", "return_state"])
    @pytest.mark.parametrize("value", ["no", None, 1, [True]])
    def test_flags_of_symbol_log_likelihoods(self, model, name, value):
        with pytest.raises(ValueError, match=f"'{name}' parameter of symbol_log_likelihoods"):
            model.symbol_log_likelihoods("a", **{name: value})

    @pytest.mark.parametrize("prefix", [np.str_("ha"), ("h", "a"), np.array(["h", "a"]), pd.Series(["h", "a"])])
    def test_prefixes_in_other_forms(self, model, prefix):
        assert model.generate(9, prefix, random_state=0) == model.generate(9, "ha", random_state=0)
        np.testing.assert_array_equal(model.predict_proba([prefix]), model.predict_proba(["ha"]))


class TestEcosystem:
    def test_grid_search(self):
        model = RNNLanguageModel(**SMALL | {"max_iter": 20})
        search = GridSearchCV(model, {"hidden_size": [2, 12]}, cv=2).fit(TEXTS * 4)
        assert search.best_params_ == {"hidden_size": 12}
        assert isinstance(search.best_estimator_.generate(5, random_state=0), str)
        assert len(cross_val_score(RNNLanguageModel(**SMALL), np.array(TEXTS), cv=3)) == 3

    def test_clone_and_pickle(self, model):
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.score_samples(TEXTS), model.score_samples(TEXTS))
        copy = clone(model)
        assert copy.get_params() == model.get_params()
        with pytest.raises(NotFittedError):
            copy.score(TEXTS)
        with pytest.raises(NotFittedError):
            copy.generate()

    @pytest.mark.filterwarnings(f"ignore::{SkipTestWarning.__module__}.{SkipTestWarning.__name__}")
    def test_estimator_checks(self):
        check_estimator(RNNLanguageModel(**SMALL))

    @pytest.mark.parametrize(
        "parameters",
        [{"n_streams": 0}, {"truncated_bptt_steps": 0}, {"analyzer": "sentence"}, {"solver": "lbfgs"},
         {"min_frequency": 0},
         {"hidden_size": 0}, {"embedding_dim": None}, {"dropout": 1.0}],
        ids=str,
    )
    def test_bad_parameters(self, parameters):
        with pytest.raises(ValueError, match=next(iter(parameters))):
            RNNLanguageModel(**SMALL | parameters).fit(TEXTS)
