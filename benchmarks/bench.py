"""skrnn beside PyTorch, JAX, ONNX Runtime and skorch, on the same numbers in the same run. See README.md."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
from machine import describe
from parts import PARTS
from report import print_report
from results import Results
from sizes import GATES, SIZES
from targets import targets
from threads import available, environment, on_first_processors


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, and a small grid search")
    parser.add_argument("--seconds", type=float, metavar="S", help="for each contender; 1, or 0.2 with --quick")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), metavar="SIZE", help=", ".join(SIZES))
    parser.add_argument("--cells", nargs="+", choices=GATES, default=list(GATES), metavar="CELL", help=", ".join(GATES))
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, min(2, available())}), metavar="N")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="draw speed_ratio.png and speed_roofline.png")
    return parser.parse_args()


def measured(options, n, last):
    """Records of a process with n threads; the grid search belongs to the last one."""
    parts = [part for part in options.only if last or part != "grid"]
    work = {
        "parts": parts, "sizes": options.sizes, "cells": options.cells, "quick": options.quick,
        "seconds": options.seconds or (0.2 if options.quick else 1.0),
    }
    with tempfile.TemporaryDirectory() as folder, on_first_processors(n):
        path = Path(folder, "results")
        path.touch()
        command = [sys.executable, Path(__file__).with_name("worker.py"), json.dumps(work), path]
        code = subprocess.run(command, env=environment(n)).returncode
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if code:
        where = {"part": "all", "threads": n, "cell": "", "size": "", "contender": "the process"}
        records.append(where | {"failed": f"ended with code {code} before its last result"})
    return records


def main():
    """Measure, print, write, draw."""
    options = arguments()
    threads = sorted(set(options.threads))
    records = [record for n in threads for record in measured(options, n, last=n == threads[-1])]
    results, machine = Results(records), describe()
    print_report(machine, results)
    if options.json:
        everything = {
            "machine": machine, "quick": options.quick, "targets": [target._asdict() for target in targets(results)],
            "results": records,
        }
        options.json.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.figures:
        figures.draw(results, options.figures)


if __name__ == "__main__":
    main()
