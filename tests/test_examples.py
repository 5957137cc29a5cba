"""The examples run, and do what they say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.image

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_quickstart(tmp_path):
    script = shutil.copy(EXAMPLES / "plot_quickstart.py", tmp_path)
    done = subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    accuracy = re.search(r"Test accuracy on 370 utterances: (\d\.\d+)", done.stdout)
    assert float(accuracy[1]) >= 0.96
    assert len(re.findall(r"^ +(rnn|gru|lstm) +\d+", done.stdout, re.MULTILINE)) == 9
    picture = Path(re.search(r"Learning curves: (.+)", done.stdout)[1])
    assert picture.parent == tmp_path
    assert matplotlib.image.imread(picture).std() > 0.01
