"""RNNLanguageModel beside PyTorch: symbols a second in training, and in generation.

    python benchmarks/language_speed.py [--hidden 128 256] [--threads 2] [--rounds 7]

The same architecture (embedding of 32, LSTM, softmax), 32 streams, 64 steps, Adam, float32, states carried, the same
text. Whole training loops, a number of updates each, in turn in one process; medians over rounds. Generation is symbol
by symbol, on one thread.
"""

import argparse
import statistics
import warnings
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from skrnn import RNNLanguageModel

STREAMS, STEPS, EMBEDDING, SYMBOLS = 32, 64, 32, 65
UPDATES, OF_MANY_SYMBOLS = 80, 5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--vocabulary", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def text(n_symbols, n_updates):
    """A list of symbols for so many updates, all in one text."""
    return np.random.default_rng(0).integers(n_symbols, size=STREAMS * STEPS * n_updates - 1).tolist()


def ours(hidden, n_symbols, n_updates):
    """A function that trains for some updates."""
    model = RNNLanguageModel(
        hidden, embedding_dim=EMBEDDING, n_streams=STREAMS, truncated_bptt_steps=STEPS, random_state=0
    )
    symbols = text(n_symbols, n_updates)
    model.partial_fit([symbols], symbols=range(n_symbols))
    return lambda: model.partial_fit([symbols])


def theirs(hidden, n_symbols, n_updates, n_threads):
    """The same in PyTorch."""
    import torch

    torch.set_num_threads(n_threads)
    embedding, lstm = torch.nn.Embedding(n_symbols + 2, EMBEDDING), torch.nn.LSTM(EMBEDDING, hidden, batch_first=True)
    head = torch.nn.Linear(hidden, n_symbols + 2)
    parameters = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=2e-3, fused=True)
    numbers = torch.tensor([*text(n_symbols, n_updates), 0]).reshape(STREAMS, STEPS * n_updates)
    targets = torch.roll(numbers, -1, 1)

    def train():
        state = None
        for begin in range(0, STEPS * n_updates, STEPS):
            optimizer.zero_grad()
            hidden_states, state = lstm(embedding(numbers[:, begin : begin + STEPS]), state)
            state = tuple(part.detach() for part in state)
            scores = head(hidden_states).reshape(-1, n_symbols + 2)
            torch.nn.functional.cross_entropy(scores, targets[:, begin : begin + STEPS].reshape(-1)).backward()
            optimizer.step()

    return train


def in_turn(contenders, n_updates, rounds):
    """Symbols a second of each, medians over rounds."""
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, train in contenders.items():
            start = perf_counter()
            train()
            seconds[name].append(perf_counter() - start)
    return {name: STREAMS * STEPS * n_updates / statistics.median(times) for name, times in seconds.items()}


def generation(hidden, rounds):
    """Symbols a second."""
    model = RNNLanguageModel(hidden, embedding_dim=EMBEDDING, random_state=0).partial_fit([text(SYMBOLS, 1)])
    c = model.parameters_["head.c"].copy()
    c[-1] = -1e9        # never the end
    model.parameters_["head.c"] = c
    rates = []
    for _ in range(rounds):
        start = perf_counter()
        assert len(model.generate(2000, random_state=0)) == 2000
        rates.append(2000 / (perf_counter() - start))
    return statistics.median(rates)


def main():
    """Print a table."""
    warnings.simplefilter("ignore")
    options = arguments()
    print("| hidden | symbols | skrnn, 1/s | torch, 1/s | skrnn/torch |\n|---|---|---|---|---|")
    with threadpool_limits(options.threads, user_api="openmp"):
        sizes = [(hidden, SYMBOLS, UPDATES) for hidden in options.hidden]
        for hidden, n_symbols, n_updates in [*sizes, (128, options.vocabulary, OF_MANY_SYMBOLS)]:
            size = (hidden, n_symbols, n_updates)
            contenders = {"skrnn": ours(*size), "torch": theirs(*size, options.threads)}
            skrnn, torch = in_turn(contenders, n_updates, options.rounds).values()
            print(f"| {hidden} | {n_symbols} | {skrnn:,.0f} | {torch:,.0f} | {skrnn / torch:.2f} |", flush=True)
    with threadpool_limits(1):
        for hidden in options.hidden:
            rate = generation(hidden, options.rounds)
            print(f"generation, hidden {hidden}, one thread: {rate:,.0f} symbols a second", flush=True)


if __name__ == "__main__":
    main()
