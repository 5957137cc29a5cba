"""
A language model of Python's own manual
=======================================

The text that every Python carries, ``pydoc_data.topics``, some 450,000 characters about the language, trains a net of
128 units to predict the next character. It reads the manual a few times, and writes something like it after each time:
first letters, then words, then sentences that mean nothing. What it has not read tells how well it predicts. Half a
minute on two cores; ``language_model.py 3`` reads three times.
"""

import sys
import textwrap
from pydoc_data.topics import topics
from time import perf_counter

from skrnn import RNNLanguageModel

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 8


def split():
    """Every tenth topic is held out."""
    texts = [topics[name] for name in sorted(topics)]
    return [text for i, text in enumerate(texts) if i % 10], texts[::10]


def write(model):
    """A piece of manual, without rare symbols."""
    text = model.generate(240, "The ", temperature=0.7, random_state=0)
    print(textwrap.indent(textwrap.fill("The " + text, 76), "    ") + "\n", flush=True)


def main():
    """Read, write, read again."""
    start = perf_counter()
    texts, held_out = split()
    print(f"{sum(map(len, texts)):,} characters to read, {sum(map(len, held_out)):,} held out\n")
    model = RNNLanguageModel(128, learning_rate="cosine", max_iter=EPOCHS, random_state=0)
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(texts)
        print(f"After reading {epoch}: {model.bits_per_token(held_out):.2f} bits per character on the held-out topics")
        write(model)
    print(f"Took {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
