"""
Saving a net, and taking it elsewhere
=====================================

A fitted net is used where it was not fitted: tomorrow, in another process, on a server without scikit-learn, on a chip
without an operating system. Three ways lead there: a model file for skrnn itself, ONNX for other runtimes, C for
everything else. This example takes all three and looks at what arrives. It needs a C compiler, and
``pip install 'skrnn[onnx]' onnxruntime``.
"""

# %%
# A net
# -----
# It recognizes nine speakers by the Japanese vowels, and reads forwards, so that it can take steps as they come.

import subprocess
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnx
import onnxruntime
from sklearn.exceptions import ConvergenceWarning

import skrnn
from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.export import to_c, to_onnx

warnings.simplefilter("ignore", ConvergenceWarning)     # 40 epochs are enough here
X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X = [x.astype(np.float32) for x in X]
X_test = [x.astype(np.float32) for x in X_test]
net = RNNClassifier(16, max_iter=40, random_state=0).fit(X, y)
expected = net.predict_proba(X_test)
folder = Path(tempfile.mkdtemp())
print(f"Test accuracy {net.score(X_test, y_test):.3f}")

# %%
# A model file
# ------------
# ``skrnn.save`` writes everything that was learned, also the state of the optimizer and the curves of training:
# training can go on. Reading it runs no code of the file, and later versions of skrnn read it, too.

skrnn.save(net, folder / "speakers.skrnn")
from_file = skrnn.load(folder / "speakers.skrnn").predict_proba(X_test)

# %%
# ONNX
# ----
# One file for onnxruntime, in C++, C#, Java, JavaScript, on phones. It knows only rectangular arrays: shorter sequences
# are padded with anything, and ``lengths`` says where they end.

onnx.save(to_onnx(net), folder / "speakers.onnx")
lengths = np.array([len(x) for x in X_test], np.int32)
padded = np.zeros((len(X_test), lengths.max(), 12), np.float32)
for row, x in zip(padded, X_test, strict=True):
    row[: len(x)] = x
session = onnxruntime.InferenceSession(folder / "speakers.onnx", providers=["CPUExecutionProvider"])
from_onnx = session.run(["probabilities"], {"X": padded, "lengths": lengths})[0]

# %%
# C
# -
# One file of C99 that allocates nothing and needs nothing but math.h. It reads a stream: ``speakers_step`` takes a step
# and gives the probabilities so far; after the last step they are those of the whole utterance. The program around it
# reads utterances from its input and prints probabilities, without any Python.

PROGRAM = r"""
#include <stdio.h>
#include "speakers.c"

int main(void)
{
    int n_steps;
    while (scanf("%d", &n_steps) == 1) {                /* an utterance: how many steps it has, then the steps */
        speakers_state s;
        float x[SPEAKERS_FEATURES], y[SPEAKERS_OUTPUTS];
        speakers_init(&s);
        while (n_steps-- > 0) {
            for (int i = 0; i < SPEAKERS_FEATURES; i++)
                if (scanf("%f", &x[i]) != 1) return 1;
            speakers_step(&s, x, y);
        }
        for (int i = 0; i < SPEAKERS_OUTPUTS; i++) printf("%.9g ", (double)y[i]);
        printf("\n");
    }
    return 0;
}
"""
(folder / "speakers.c").write_text(to_c(net, name="speakers"))
(folder / "main.c").write_text(PROGRAM)
subprocess.run(["cc", "-std=c99", "-O2", "main.c", "-o", "speakers", "-lm"], cwd=folder, check=True)
utterances = "\n".join(f"{len(x)} {' '.join(map(repr, x.ravel().tolist()))}" for x in X_test)
answer = subprocess.run([folder / "speakers"], input=utterances, capture_output=True, text=True, check=True)
from_c = np.loadtxt(answer.stdout.splitlines())

# %%
# What arrives
# ------------
# How far is a probability from that of the net, at most, for each of the test utterances? A model file gives the same
# bits. ONNX and C sum in another order and have an exp of their own, so that the last of the seven digits of single
# precision differ. The red line is what it would take to change an answer: half of the lead of the likeliest speaker
# over the second one, in the utterance where it is smallest.

arrived = {"C": from_c, "ONNX": from_onnx, "skrnn.load": from_file}
differences = {way: np.abs(probabilities - expected).max(axis=1) for way, probabilities in arrived.items()}
second, first = np.sort(expected, axis=1)[:, -2:].T
limit = (first - second).min() / 2
for way, difference in differences.items():
    print(f"{way:<12} largest difference of a probability: {difference.max():.1e}")

figure, (by_way, sizes) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=(3, 2), layout="constrained")
rng = np.random.default_rng(0)
for place, difference in enumerate(differences.values()):
    differs = difference > 0
    if differs.any():
        heights = place + rng.uniform(-0.25, 0.25, differs.sum())
        by_way.plot(difference[differs], heights, ".", color=f"C{place}", alpha=0.5, markersize=4)
    else:
        by_way.text(2e-9, place, "the same bits", color=f"C{place}", va="center")
by_way.axvline(limit, color="C3")
by_way.text(limit, 2.55, "could change an answer  ", color="C3", ha="right")
by_way.set(
    xscale="log", xlim=(1e-9, 0.1), ylim=(-0.5, 2.9), yticks=range(3), yticklabels=differences,
    xlabel="largest difference of a probability", title=f"{len(X_test)} utterances, a point for each",
)

files = {"speakers.c": "C\n(source)", "speakers.onnx": "ONNX", "speakers.skrnn": "model file"}
kilobytes = [(folder / name).stat().st_size / 1000 for name in files]
bars = sizes.barh(list(files.values()), kilobytes, color=["C0", "C1", "C2"], height=0.5)
sizes.bar_label(bars, fmt="%.0f kB", padding=3)
sizes.set(xlabel="size, kB", title="What is sent", xlim=(0, 1.25 * max(kilobytes)))

# %%
# What to change
# --------------
# ``to_onnx(net, states=True)`` goes on from states, as a stream does; ``to_onnx`` also takes a whole Pipeline. In C all
# names begin with ``name``, so that several nets go into one program. For a service in Python see ``web_service.py``.

plt.show()
