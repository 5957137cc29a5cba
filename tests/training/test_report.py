"""What `verbose` shows."""

import io
import re
import sys
import threading

import numpy as np
import pytest
from problems import walks

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival
from skrnn._training import report
from skrnn._training.loop import START, History
from skrnn._training.report import Lines, Row, check_verbose, epochs_between_lines, line, report_for
from skrnn._training.watching import ALL_EPOCHS, FAILED, INTERRUPTED, NOTHING
from skrnn._training.words import closing_words, duration, number

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NET = {"hidden_size": 3, "cell": "rnn", "max_iter": 2, "random_state": 0}
X, Y = walks(30, 4)


class TestNumbers:
    @pytest.mark.parametrize(("value", "text"), [
        (0.6931471, "0.6931"), (-1.5, "-1.5000"), (0.0, "0.0000"), (12.34567, "12.3457"), (1234.5678, "1234.568"),
        (-99999.96, "-100000.0"), (9999999.0, "9999999"),
        (0.00123, "1.23e-03"), (-1.23e12, "-1.23e+12"), (float("nan"), "nan"), (float("inf"), "inf"), (None, ""),
    ])
    def test_have_their_decimals(self, value, text):
        assert number(value) == text

    def test_are_narrow(self):
        values = [digits * 10.0**exponent for exponent in range(-305, 305) for digits in (1.0, -9.99999999, -5.5)]
        assert max(len(number(value)) for value in values) == 9

    @pytest.mark.parametrize(("seconds", "text"), [
        (0.0, "0 s"), (0.00034, "0.3 ms"), (0.00994, "9.9 ms"), (0.00996, "10 ms"), (0.9994, "999 ms"),
        (0.9996, "1.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1m 00s"), (125, "2m 05s"),
        (3599.6, "1h 00m"), (7300, "2h 01m"), (359_940, "99h 59m"), (360_000, "100 h"),
        (1e9, "3e+05 h"),
    ])
    def test_times_have_units(self, seconds, text):
        assert duration(seconds) == text
        assert len(text) <= 7


def row(**fields):
    values = {"n_clipped": 0, "seconds": 0.12, "left": 3.0} | fields
    own = {name: values.pop(name) for name in Row._fields[1:]}
    return Row(START._replace(**{"loss": 0.5, "penalty": 0.001, "grad_norm": 0.25} | values), **own)


class TestLine:
    @pytest.mark.parametrize(("fields", "titles"), [
        ({}, "epoch loss gradient time left"),
        ({"penalty": 0.006}, "epoch loss penalty gradient time left"),
        ({"loss": -0.5, "penalty": 0.006}, "epoch loss penalty gradient time left"),
        ({"n_clipped": 2}, "epoch loss gradient clipped time left"),
        ({"validation_loss": 0.6, "score": -0.6}, "epoch loss val. loss gradient time left"),
        ({"validation_loss": 0.6, "score": 0.9}, "epoch loss val. loss score gradient time left"),
        ({"validation_loss": np.nan, "score": np.nan}, "epoch loss val. loss gradient time left"),
    ])
    def test_has_the_columns_that_matter(self, fields, titles):
        assert " ".join(line(row(**fields), "epoch", 3, 9)[0].split()) == titles

    def test_keeps_columns_that_were_there(self):
        titles, _ = line(row(penalty=0.4, n_clipped=1), "epoch", 1, 9)
        again, text = line(row(), "epoch", 2, 9, titles)
        assert again == titles
        assert text.split() == ["2/9", "0.5000", "1.00e-03", "0.2500", "0", "120", "ms", "3.0", "s"]

    def test_ends_where_its_titles_end(self):
        ends = [[match.end() for match in re.finditer(r"\S+(?: \S+)*", text)] for text in line(row(), "epoch", 3, 9)]
        assert ends[0] == ends[1]

    def test_is_at_most_100_characters_long(self):
        fields = {
            "loss": -1e-9, "penalty": 1e-9, "validation_loss": -1e-9, "score": 1e5, "grad_norm": 1e99,
            "n_clipped": 10**6,
        }
        for n_last in (9999, 10**6):
            titles, text = line(row(**fields, seconds=7000, left=7000), "iteration", n_last, n_last, worker=4194304)
            assert len(titles) == len(text) == 100

    def test_beside_others_has_the_columns_of_all(self):
        titles = {line(row(**fields), "epoch", 3, 9, worker=7)[0] for fields in ({}, {"n_clipped": 2, "penalty": 1})}
        assert len(titles) == 1


@pytest.mark.parametrize(("n_epochs", "step"), [
    (1, 1), (100, 1), (101, 2), (200, 2), (201, 5), (1000, 10), (99_999, 1000),
])
def test_many_epochs_have_few_lines(n_epochs, step):
    assert epochs_between_lines(n_epochs) == step


class Untrained:
    """A model with a history and nothing else."""

    def __init__(self, *epochs, optimizer="adam"):
        self.history, self.optimizer = History(epochs), optimizer


class TestLines:
    def run(self, monkeypatch, capsys, n_epochs, max_iter, seconds=0.0):
        """The lines of epochs that take so long, as lists of words."""
        now = [0.0]
        monkeypatch.setattr(report, "perf_counter", lambda: now[0])
        model, lines = Untrained(), Lines()
        lines.begin(model, max_iter)
        for _ in range(n_epochs):
            now[0] += seconds
            model.history.add(model.history.next_epoch(1.0, 0.0, 0.1, 10))
            assert not lines.end_epoch(model, None)
        lines.end(model, ALL_EPOCHS)
        return [text.split() for text in capsys.readouterr().out.splitlines()]

    @pytest.mark.parametrize(("seconds", "told"), [
        (0.001, [1, 5, 10, 15, 20, 23]),    # the first, each fifth, and the last one
        (0.4, [1, 4, 5, 8, 10, 13, 15, 18, 20, 23]),    # after a second of silence
        (2.0, [*range(1, 24)]),
    ])
    def test_not_every_epoch_of_many(self, monkeypatch, capsys, seconds, told):
        titles, *lines, _ = self.run(monkeypatch, capsys, 23, 500, seconds)
        assert titles == ["epoch", "loss", "gradient", "time", "left"]
        assert [int(words[0].split("/")[0]) for words in lines] == told

    def test_days_are_no_flood(self, monkeypatch, capsys):
        lines = self.run(monkeypatch, capsys, 100_000, 100_000, 2.0)
        assert 400 < len(lines) < 1000

    def test_time_is_that_of_an_epoch_and_the_rest(self, monkeypatch, capsys):
        lines = self.run(monkeypatch, capsys, 500, 500, 0.25)
        assert lines[3] == ["10/500", "1.0000", "0.1000", "250", "ms", "2m", "02s"]
        assert " ".join(lines[-1]).startswith(f"{ALL_EPOCHS} 500 epochs in 2m 05s.")


class TestClosing:
    @staticmethod
    def model(*validations, **fields):
        """A model after epochs with these losses and scores of what is held out."""
        best = max((score for _, score in validations if score is not None), default=np.nan)
        epochs = [
            START._replace(loss=0.3, validation_loss=loss, score=score, best_score=best, best_iter=1)
            for loss, score in validations
        ]
        return Untrained(*epochs, **fields)

    @pytest.mark.parametrize(("validations", "said"), [
        (((None, None),), "1 epoch in 2.0 s. The loss of the last one is 0.3000."),
        (((0.5, -0.5), (0.6, -0.6)),
         "2 epochs in 2.0 s. The net has the parameters of epoch 1, with a validation loss of 0.5000."),
        (((0.5, 0.8), (0.4, 0.7)),
         "2 epochs in 2.0 s. The net has the parameters of epoch 1, with a validation score of 0.8000."),
        (((np.nan, np.nan),), "1 epoch in 2.0 s."),
    ])
    def test_names_what_the_net_is(self, validations, said):
        model = self.model(*validations)
        assert closing_words(model, 0, "It is late.", 2.0) in ([f"It is late. {said}"], ["It is late.", said])

    def test_of_failures_and_iterations(self):
        assert closing_words(self.model((None, None)), 0, FAILED, 2.0) == ["Training failed. 1 epoch in 2.0 s."]
        assert "0 iterations in" in closing_words(self.model((None, None), optimizer=None), 1, "It is late.", 2.0)[0]

    def test_long_reasons_are_broken(self):
        lines = closing_words(self.model((None, None)), 0, "It did not improve. " * 9, 2.0)
        assert max(map(len, lines)) <= 100
        assert lines[-1] == "1 epoch in 2.0 s. The loss of the last one is 0.3000."


TEXTS = ["abab", "ba", "abba"] * 5
TIMES = np.array([(step, step % 2) for step in range(1, 31)])


def words_of(text):
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize(("net", "arguments", "titles"), [
    (RNNClassifier(**NET, verbose=True), (X, Y), "epoch loss gradient time left"),
    (RNNRegressor(**NET, verbose=1, alpha=10), (X, Y), "epoch loss penalty gradient time left"),
    (RNNRegressor(**NET, verbose=1, max_grad_norm=1e-3), (X, Y), "epoch loss gradient clipped time left"),
    (RNNClassifier(**NET, verbose=1, early_stopping=True), (X, Y), "epoch loss val. loss gradient time left"),
    (RNNClassifier(**NET, verbose=1, early_stopping=True, scoring=None), (X, Y),
     "epoch loss val. loss score gradient time left"),
    (RNNRegressor(**NET, verbose=1, solver="lbfgs"), (X, Y), "iteration loss gradient time left"),
    (RNNOutlierDetector(**NET, verbose=1), (X,), "epoch loss gradient time left"),
    (RNNLanguageModel(**NET, verbose=1), (TEXTS,), "epoch loss gradient time left"),
])
def test_every_estimator_has_lines(net, arguments, titles, capsys):
    if not isinstance(net, RNNRegressor) or net.alpha < 10:
        net.set_params(alpha=0)
    net.fit(*arguments)
    first, *lines = words_of(capsys.readouterr().out)
    assert " ".join(first) == titles
    losses = getattr(net, "forecaster_", net).loss_curve_
    assert [line[:2] for line in lines[:2]] == [[f"{i + 1}/2", number(losses[i])] for i in (0, 1)]
    assert lines[2][:2] == ["The", "maximum"]


def test_warm_start_counts_on(capsys):
    net = RNNRegressor(**NET, warm_start=True).fit(X, Y).set_params(verbose=1).fit(X, Y)
    lines = words_of(capsys.readouterr().out)
    assert [line[0] for line in lines[:3]] == ["epoch", "3/4", "4/4"]
    assert net.n_iter_ == 4


def test_partial_fit_has_a_line(capsys):
    net = RNNRegressor(**NET, verbose=1).partial_fit(X, Y).partial_fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", gradient")[0] for line in lines] == [
        f"Epoch {i + 1}: loss {number(net.loss_curve_[i])}, penalty {number(net.penalty_curve_[i])}" for i in (0, 1)
    ]


def test_a_training_that_fails_says_so(capsys):
    net = RNNRegressor(**NET, verbose=1, solver="sgd", learning_rate_init=1e300, standardize=False)
    with pytest.raises(ValueError, match="diverged"):
        net.fit(X, Y)
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{FAILED} 1 epoch in ")


def test_an_interrupt_is_the_end(capsys):
    def interrupted(net, X, y):
        calls.append(0)
        if len(calls) == 3:         # the first is before training
            raise KeyboardInterrupt
        return 0.5

    calls = []
    net = RNNRegressor(**NET | {"max_iter": 9}, verbose=1, early_stopping=True, scoring=interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y)
    *_, last, reason, said = capsys.readouterr().out.splitlines()
    assert last.split()[:4] == ["2/9", number(net.loss_), "nan", "nan"]
    assert reason == INTERRUPTED
    assert said.startswith("2 epochs in ")
    assert said.endswith("The net has the parameters of epoch 1, with a validation score of 0.5000.")


def test_nothing_is_printed_without_it(capsys):
    assert report_for(False) is report_for(0) is NOTHING
    RNNRegressor(**NET).fit(X, Y)
    assert capsys.readouterr().out == ""


def test_the_same_net_with_it(capsys):
    nets = [RNNRegressor(**NET, dropout=0.1, verbose=verbose).fit(X, Y) for verbose in (0, 1)]
    assert np.array_equal(*(net.predict(X) for net in nets))


def test_threads_say_who_they_are(capsys):
    net, names = RNNRegressor(**NET, verbose=1), []

    def fit():
        names.append(str(threading.get_native_id()))
        net.fit(X, Y)

    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()
    said = capsys.readouterr().out
    titles, *lines = words_of(said)
    assert titles[0] == "worker"
    assert {line[0] for line in lines} == set(names)
    assert max(map(len, said.splitlines())) <= 100


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestBar:
    @staticmethod
    def terminal(monkeypatch):
        monkeypatch.setattr(sys, "stdout", Terminal())
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        return sys.stdout

    @pytest.mark.parametrize(("changed", "unit", "last"), [
        ({}, "epoch", "loss"), ({"early_stopping": True, "scoring": "r2"}, "epoch", "score"),
        ({"solver": "lbfgs"}, "iteration", "loss"),
    ])
    def test_moves_on_one_line(self, monkeypatch, changed, unit, last):
        terminal = self.terminal(monkeypatch)
        threads = set(threading.enumerate())
        net = RNNRegressor(**NET, verbose=2, **changed).fit(X, Y)
        assert sys.stdout is terminal
        drawn, *said = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", terminal.getvalue()).strip().split("\n")
        pictures = drawn.split("\r")
        assert all(len(picture) <= 80 for picture in pictures)
        assert pictures[-1].startswith(f"{unit} 2/2 ")
        values = {"loss": net.loss_curve_, "score": net.validation_scores_}[last]
        assert pictures[-1].rstrip().split(f"{last} ")[-1].split(",")[0] == number(values[-1])
        assert said[0].startswith(f"The maximum number of {unit}s is reached.")
        assert not [line for line in said if len(line) > 100]
        for thread in set(threading.enumerate()) - threads:
            thread.join(1)
            assert not thread.is_alive()

    def test_is_gone_after_an_error(self, monkeypatch):
        terminal = self.terminal(monkeypatch)
        net = RNNRegressor(**NET, verbose=2, solver="sgd", learning_rate_init=1e300, standardize=False)
        with pytest.raises(ValueError, match="diverged"):
            net.fit(X, Y)
        assert sys.stdout is terminal
        assert FAILED in terminal.getvalue().splitlines()[-1]

    @pytest.mark.parametrize("module", ["rich.file_proxy", "somewhere"])
    def test_lines_where_nothing_moves(self, monkeypatch, module):
        kind = type("Stream", (io.StringIO,), {"__module__": module, "isatty": lambda self: module != "somewhere"})
        monkeypatch.setattr(sys, "stdout", kind())
        assert isinstance(report_for(2), Lines)
        check_verbose(2)

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_what_can_only_be_written_to_will_do(self, monkeypatch, verbose):
        class Written(list):
            write = list.append

        written = Written()
        monkeypatch.setattr(sys, "stdout", written)
        RNNRegressor(**NET, verbose=verbose).fit(X, Y)
        RNNRegressor(**NET, verbose=verbose).partial_fit(X, Y)
        monkeypatch.undo()
        assert "2/2" in "".join(written)

    @pytest.mark.parametrize("columns", ["1", "10"])
    def test_is_cut_where_the_terminal_is_narrow(self, monkeypatch, columns):
        terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        terminal.isatty = lambda: True
        self.terminal(monkeypatch)
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr(sys, "stdout", terminal)
        RNNRegressor(**NET, verbose=2).fit(X, Y)
        assert b"The maximum number of epochs" in terminal.buffer.getvalue()

    def test_lines_where_something_else_looks_on(self, monkeypatch):
        self.terminal(monkeypatch)
        assert isinstance(report_for(2, alone=False), Lines)
        assert isinstance(report_for(1), Lines)
        assert not isinstance(report_for(2), Lines)

    def test_moves_in_a_notebook(self, monkeypatch):
        kind = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
        monkeypatch.setattr(sys, "stdout", kind())
        RNNRegressor(**NET, verbose=2).fit(X, Y)
        assert "\r" in sys.stdout.getvalue()

    @pytest.mark.parametrize("net", [
        RNNRegressor(verbose=2), RNNOutlierDetector(verbose=2), RNNLanguageModel(verbose=2), RNNSurvival(verbose=2),
    ])
    def test_needs_rich_before_any_work(self, monkeypatch, net):
        self.terminal(monkeypatch)
        monkeypatch.setitem(sys.modules, "rich", None)
        monkeypatch.setattr(report, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"verbose=2 .* pip install skrnn\[progress\], or set verbose=1"):
            net.fit(None, None)
