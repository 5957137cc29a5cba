"""How well RNNLanguageModel predicts, beside counts of n-grams and compressors. See docs/guide/language.md.

    python benchmarks/language.py [--seeds 3] [--only TASK ...]

The texts are read from ../shared/data; what is not there is skipped. Figures are means over seeds with the deviation;
times are those of a seed on all cores.
"""

import argparse
import bz2
import gzip
import warnings
from math import log
from time import perf_counter

import numpy as np
from tasks import SHARED

from skrnn import RNNLanguageModel

# What the figures were measured with; the defaults have shorter windows and begin with the frequencies of the symbols
MEASURED = {"truncated_bptt_steps": 64, "initial_bias": "zero"}


def names(seed):
    """Nats per letter on every tenth name, from eight of ten. The 5-gram has 2.042."""
    lines = (SHARED / "names.txt").read_text().split()
    train = [name for i, name in enumerate(lines, 1) if 1 <= i % 10 <= 8]
    model = RNNLanguageModel(
        128, dropout=0.2, learning_rate_init=5e-3, learning_rate="cosine", max_iter=15, tol=0, n_iter_no_change=15,
        random_state=seed, **MEASURED,
    ).fit(train)
    return -model.score(lines[9::10])


def shakespeare(seed, hidden_size=256, dropout=0.1, epochs=12):
    """Nats per character on the 5 % after the first 90 %. The 5-gram has 1.570."""
    text = (SHARED / "tiny_shakespeare.txt").read_text()
    first, last = int(0.9 * len(text)), int(0.95 * len(text))
    model = RNNLanguageModel(
        hidden_size, dropout=dropout, learning_rate_init=4e-3, learning_rate="cosine", max_iter=epochs, tol=0,
        n_iter_no_change=epochs, random_state=seed, **MEASURED,
    ).fit([text[:first]])
    return -model.symbol_log_likelihoods(text[first:last], end=False).mean()


def shakespeare_long(seed):
    """The same with more units and more time."""
    return shakespeare(seed, 512, 0.3, 20)


def alice_held_out(seed):
    """Bits per character on the last tenth of the book, from the rest."""
    text = (SHARED / "alice.txt").read_text()
    cut = int(0.9 * len(text))
    model = RNNLanguageModel(
        192, dropout=0.4, learning_rate_init=4e-3, learning_rate="cosine", max_iter=40, tol=0, n_iter_no_change=40,
        random_state=seed, **MEASURED,
    ).fit([text[:cut]])
    return -model.symbol_log_likelihoods(text[cut:], end=False).mean() / log(2)


def alice_coded(seed):
    """Bits per character on all of the book, each part predicted by a net trained on the parts before it, as in coding.

    Only the alphabet is known beforehand.
    """
    text = (SHARED / "alice.txt").read_text()
    ends = np.unique(np.minimum(len(text), np.cumsum(250 * 1.12 ** np.arange(45)).astype(int)))
    model = RNNLanguageModel(
        192, dropout=0.2, n_streams=16, learning_rate_init=3e-3, learning_rate="constant", max_iter=50,
        random_state=seed, **MEASURED | {"truncated_bptt_steps": 32},
    )
    state, bits, begin = None, np.log2(len(set(text))) * ends[0], ends[0]
    for end in ends[1:]:
        for _ in range(max(2, min(12, 300_000 // int(begin)))):
            model.partial_fit([text[:begin]], symbols=sorted(set(text)) if state is None else None)
            state = ()
        seen = text[max(0, begin - 2000) : begin]
        _, state = model.symbol_log_likelihoods(seen, end=False, return_state=True)
        bits -= model.symbol_log_likelihoods(text[begin:end], initial_state=state, end=False).sum() / log(2)
        begin = end
    return bits / len(text)


TASKS = {
    "names": ("names.txt", names, "nats per letter; 3-gram 2.228, 5-gram 2.042, a transformer (other split) 1.92"),
    "shakespeare": ("tiny_shakespeare.txt", shakespeare, "nats per character; 3-gram 1.993, 5-gram 1.570"),
    "shakespeare, long": ("tiny_shakespeare.txt", shakespeare_long, "the same, 512 units"),
    "alice, held out": ("alice.txt", alice_held_out, "bits per character, last tenth"),
    "alice, coded": ("alice.txt", alice_coded, "bits per character, all of it"),
}


def compressors():
    """Bits per character of the whole book."""
    data = (SHARED / "alice.txt").read_bytes()
    sizes = {"gzip -9": len(gzip.compress(data, 9)), "bzip2 -9": len(bz2.compress(data, 9))}
    return {name: 8 * size / len(data) for name, size in sizes.items()} | {"PPMd, order 6 (data README)": 2.04}


def main():
    """Print a line for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=list(TASKS), choices=list(TASKS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.only:
        file, measure, what = TASKS[name]
        if not (SHARED / file).exists():
            print(f"{name}: {file} is not here")
            continue
        values, seconds = [], []
        for seed in range(options.seeds):
            start = perf_counter()
            values.append(measure(seed))
            seconds.append(perf_counter() - start)
        print(f"{name}: {np.mean(values):.4f} ± {np.std(values):.4f} in {max(seconds):.0f} s ({what})", flush=True)
    if (SHARED / "alice.txt").exists():
        print("alice:", ", ".join(f"{name} {bits:.2f}" for name, bits in compressors().items()), "bits per character")


if __name__ == "__main__":
    main()
