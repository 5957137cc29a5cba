"""The benchmark at one number of threads: run by ``bench.py``, which sets the environment."""

import json
import sys
import warnings
from types import SimpleNamespace

from parts import PARTS
from sklearn.exceptions import ConvergenceWarning
from threads import n_threads


def main(options, path):
    """Append each contender's result to the file, a line of JSON each."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # epochs are fixed
    for name in options.parts:
        for part, cell, size, timings in PARTS[name](options):
            print(f"{n_threads()} thr.: {part} {cell} {size}", file=sys.stderr, flush=True)
            with open(path, "a", encoding="utf-8") as file:
                for contender, timing in timings.items():
                    where = {"part": part, "threads": n_threads(), "cell": cell, "size": size, "contender": contender}
                    print(json.dumps(where | timing), file=file)


if __name__ == "__main__":
    main(SimpleNamespace(**json.loads(sys.argv[1])), sys.argv[2])
