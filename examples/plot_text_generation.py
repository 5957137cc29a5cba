"""
Generating text: a net that writes numbers
==========================================

A language model reads text symbol by symbol and says what comes next; drawn again and again from what it says, symbols
become text. Whether invented text is any good is a matter of taste, except where the language has rules that a few
lines of Python know. So here the net learns to write numbers in English words from 400 examples, letter by letter,
without being told what a word is; and each text that it writes is either a number or not.
"""

# %%
# The language
# ------------

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter

from skrnn import RNNLanguageModel

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number):
    """A number below 10,000 in English words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{TENS[tens]}-{ONES[ones]}" if ones else TENS[tens]
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    count, rest = divmod(number, unit)
    return f"{in_words(count)} {name}" + (f" {in_words(rest)}" if rest else "")


numbers = [in_words(number) for number in range(10_000)]
shuffled = np.random.default_rng(0).permutation(numbers).tolist()
train, held_out = shuffled[:400], shuffled[400:1400]
print(f"Trained on {len(train)} of {len(numbers)} numbers, such as {train[0]}")

# %%
# Training
# --------
# A list of texts is all that ``fit`` needs. Few and short texts ask for few streams, so that an epoch has enough
# updates. The perplexity on numbers that it has not seen is the number of letters among which it still has to guess.

model = RNNLanguageModel(64, n_streams=8, max_iter=20, random_state=0).fit(train)
perplexity = model.perplexity(held_out)
print(f"Perplexity on {len(held_out)} other numbers: {perplexity:.2f} of {len(model.vocabulary_)} symbols")

# %%
# Temperature
# -----------
# ``generate`` draws each letter from the probabilities of the model. A ``temperature`` below 1 makes likely letters
# likelier, one above 1 gives unlikely ones a chance.

TEXTS = 100
temperatures = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
known, valid = set(train), set(numbers)
generated = {}
for temperature in temperatures:
    random_state = np.random.RandomState(0)
    generated[temperature] = [
        model.generate(60, temperature=temperature, random_state=random_state) for _ in range(TEXTS)
    ]
    print(f"\nAt temperature {temperature}, {len(set(generated[temperature]))} different texts:")
    for text in generated[temperature][:3]:
        print(f"    {text}" + ("" if text in valid else "   (not a number)"))

new = np.array([np.mean([text in valid and text not in known for text in texts]) for texts in generated.values()])
copied = np.array([np.mean([text in known for text in texts]) for texts in generated.values()])

# %%
# At a low temperature everything is a number, and nearly all of the numbers are new: the net has learned the rules, not
# the examples. But it begins to repeat itself, since it takes the likeliest words again and again. The higher the
# temperature, the more variety, and the more mistakes. Somewhat below 1 is a good compromise, here as elsewhere.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
places = np.arange(len(temperatures))
axes.bar(places, new, color="C0", label="a number, not among the 400")
axes.bar(places, copied, bottom=new, color="C9", label="one of the 400")
axes.bar(places, 1 - new - copied, bottom=new + copied, color="C3", label="not a number")
axes.set(
    xticks=places, xticklabels=temperatures, xlabel="temperature", ylabel=f"fraction of {TEXTS} texts",
    title="What a net writes that has seen 400 numbers", ylim=(0, 1),
)
axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
figure.legend(loc="outside lower center", ncols=3, frameon=False)

# %%
# Where a text is decided
# -----------------------
# How surprised is the net by each letter of a number that it has not seen? A bit for every halving of the probability.
# Where a digit is chosen several letters are possible. Within a word there is nothing to guess, as soon as it is clear
# which word it is: after an f comes four or five, after "fi" only five.

text = next(number for number in held_out if number.startswith("five") and "sixty" in number and len(number) > 30)
bits = -model.symbol_log_likelihoods(text) / np.log(2)
letters = [*text.replace(" ", "␣"), "↵"]

figure, axes = plt.subplots(figsize=(10, 3.2), layout="constrained")
axes.bar(np.arange(len(bits)), bits, color="C0")
guessing = np.log2(len(model.vocabulary_) + 1)         # one more: the end of a text
axes.axhline(guessing, color="gray", linestyle=":")
axes.text(len(bits) - 0.6, guessing, "if all letters were equally likely", ha="right", va="bottom")
axes.set(
    xticks=np.arange(len(bits)), xticklabels=letters, xlim=(-0.7, len(bits) - 0.3), ylabel="surprise, bits",
    xlabel="letter (␣: space, ↵: end)", title="Where the net has to guess", ylim=(0, 5),
)

# %%
# What to change
# --------------
# Train on 100 numbers, or on 1000: how many does it take until nearly all that it writes is a number at temperature 1?
# ``prefix="six hundred"`` lets it go on from there, ``top_k`` and ``top_p`` cut unlikely letters off.
# ``inventing_names.py`` and ``language_model.py`` do the same with names and with a book.

plt.show()
