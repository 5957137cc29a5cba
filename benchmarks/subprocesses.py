"""A benchmark that starts itself, once for each number of threads, and what these processes measured."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from threads import environment, n_threads

# Seconds that the last race may take after the end
LAST_RACE = 60
# Instead of the timings of what was not begun by then
LEFT_OUT = {"all": {"failed": "no time was left"}}


def measured(script, n, options, end):
    """Records of a process with n threads, ``script --work OPTIONS FILE``, that should be done by a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results")
        path.touch()
        process = subprocess.Popen(
            [sys.executable, script, "--work", json.dumps(options), path], env=environment(n)
        )
        try:
            code = process.wait(max(1, end + LAST_RACE - time.time()))
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if code:
        where = {"part": "all", "threads": n, "cell": "", "size": "", "contender": "the process"}
        records.append(where | {"failed": f"ended with code {code} before its last result"})
    return records


def append(path, part, cell, size, timings):
    """Append the timings of contenders to the file, a line of JSON each."""
    where = {"part": part, "threads": n_threads(), "cell": cell, "size": size.name}
    where |= {name: getattr(size, name) for name in "BTDK"}
    with open(path, "a", encoding="utf-8") as file:
        for contender, timing in timings.items():
            print(json.dumps(where | {"contender": contender} | timing), file=file)
