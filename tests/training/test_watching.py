"""Several watches look on at one training, and each that it has begun with is told of its end."""

from types import SimpleNamespace

import pytest

from skrnn._training.watching import FAILED, INTERRUPTED, Watch, Watches, watched


class Noting(Watch):
    def __init__(self, name, notes, fails_in=(), stops=False):
        self.name, self.notes, self.fails_in, self.stops = name, notes, fails_in, stops

    def note(self, what, *told):
        self.notes.append((self.name, what, *told))
        if what in self.fails_in:
            raise RuntimeError(f"{self.name} failed in {what}")

    def begin(self, model, max_iter):
        self.note("begin", max_iter)

    def begin_epoch(self):
        self.note("begin_epoch")

    def end_epoch(self, model, stopped):
        self.note("end_epoch")
        return self.stops

    def end(self, model, reason):
        self.note("end", reason)


MODEL = SimpleNamespace(max_iter=7)


@pytest.mark.parametrize("stops", [(False, False), (True, False), (False, True), (True, True)])
def test_all_are_told_in_their_order(stops):
    notes = []
    both = Watches([Noting(name, notes, stops=stop) for name, stop in zip("ab", stops, strict=True)])

    def train():
        both.begin_epoch()
        assert both.end_epoch(MODEL, None) == any(stops)
        return "It is over."

    watched(both, MODEL, train)
    assert notes == [
        (name, *call) for call in (("begin", 7), ("begin_epoch",), ("end_epoch",), ("end", "It is over."))
        for name in "ab"
    ]


@pytest.mark.parametrize(("error", "reason"), [(ValueError, FAILED), (KeyboardInterrupt, INTERRUPTED)])
def test_training_that_fails(error, reason):
    def train():
        raise error

    notes = []
    with pytest.raises(error):
        watched(Watches([Noting("a", notes), Noting("b", notes)]), MODEL, train)
    assert notes[2:] == [("a", "end", reason), ("b", "end", reason)]


@pytest.mark.parametrize(("name", "what", "told"), [
    ("a", "begin", ["a begin"]),
    ("b", "begin", ["a begin", "b begin", "a end"]),
    ("a", "end", ["a begin", "b begin", "a end", "b end"]),
    ("b", "end", ["a begin", "b begin", "a end", "b end"]),
])
def test_one_that_fails(name, what, told):
    notes = []
    both = Watches([Noting(each, notes, fails_in=(what,) if each == name else ()) for each in "ab"])
    with pytest.raises(RuntimeError, match=f"{name} failed in {what}"):
        watched(both, MODEL, lambda: "It is over.")
    assert [f"{each} {call}" for each, call, _ in notes] == told
