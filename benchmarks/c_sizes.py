"""What nets in C take on a Cortex-M4F, and whether they predict there what `predict_step` does. See docs/guide/c.md.

    python benchmarks/c_sizes.py

Needs arm-none-eabi-gcc with newlib, and qemu-system-arm, which counts instructions, not cycles. Flash is code, weights
and the functions of math.h, as they are linked; a state is what each stream takes; the stack is that of a call without
what math.h takes of it.
"""

import re
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np

from skrnn import RNNClassifier, RNNRegressor
from skrnn.export import to_c

TARGET = ["-std=c99", "-Os", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
LINK = ["-ffunction-sections", "-nostartfiles", "-T", "board.ld", "-Wl,--gc-sections", "--specs=nosys.specs"]
MACHINE = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-icount", "shift=0", "-kernel"]
NS_PER_TICK = 40    # of the timer of this machine, and with shift=0 an instruction takes one
N_STEPS = 100

LINKER_SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 4M  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M }
ENTRY(reset)
SECTIONS {
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.ARM.ex*) } > FLASH
    .data : { first_data = .; *(.data*) last_data = .; } > RAM AT > FLASH
    saved_data = LOADADDR(.data);
    .bss : { first_bss = .; *(.bss*) *(COMMON) last_bss = .; } > RAM
    end = .;
    stack = ORIGIN(RAM) + LENGTH(RAM);
}
"""
BOARD = """
#include <stdint.h>
#include <string.h>
extern char first_data, last_data, saved_data, first_bss, last_bss, stack;
void reset(void);
int main(void);
__attribute__((section(".vectors"), used)) const void *vectors[2] = {&stack, (void *)reset};
static void host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
static void print(uint32_t number)
{
    char text[10];
    int i;
    for (i = 0; i < 8; i++)
        text[i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
    text[8] = '\\n';
    text[9] = 0;
    host(4, text);
}
void reset(void)
{
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20;          /* the floating-point unit */
    memcpy(&first_data, &saved_data, (size_t)(&last_data - &first_data));
    memset(&first_bss, 0, (size_t)(&last_bss - &first_bss));
    *(volatile uint32_t *)0xe000e014 = 0xffffff;            /* the timer, which counts down */
    *(volatile uint32_t *)0xe000e010 = 5;
    main();
    host(0x18, (void *)0x20026);
    for (;;)
        ;
}
"""
EMPTY = "int main(void) { print(0); return 0; }\n"
MAIN = """
#include "net.c"
static const float steps[{n_steps}][NET_FEATURES] = {{ {steps} }};
int main(void)
{{
    static net_state s;
    float y[NET_OUTPUTS];
    uint32_t bits, begin = *(volatile uint32_t *)0xe000e018;
    int t;
    net_init(&s);
    for (t = 0; t < {n_steps}; t++)
        net_step(&s, steps[t], y);
    print((begin - *(volatile uint32_t *)0xe000e018) & 0xffffff);
    for (t = 0; t < NET_OUTPUTS; t++) {{
        memcpy(&bits, y + t, sizeof bits);
        print(bits);
    }}
    return 0;
}}
"""


def run(command, folder):
    """What a command prints, on either stream."""
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def linked_size(folder, main):
    """Bytes of a program with this main."""
    (folder / "main.c").write_text(BOARD + main)
    run(["arm-none-eabi-gcc", *TARGET, *LINK, "main.c", "-o", "main.elf", "-lm"], folder)
    return sum(map(int, run(["arm-none-eabi-size", "main.elf"], folder).splitlines()[1].split()[:2]))


def stack_size(folder):
    """Bytes of the deepest calls from ``net_step``."""
    run(["arm-none-eabi-gcc", *TARGET, "-fcallgraph-info=su", "-c", "net.c"], folder)
    graph = (folder / "net.ci").read_text()
    frames = {name: int(n) for name, n in re.findall(r'title: "([^"]+)"[^}]*?\\n(\d+) bytes', graph)}
    calls = re.findall(r'sourcename: "([^"]+)" targetname: "([^"]+)"', graph)

    def deepest(name):
        return frames.get(name, 0) + max((deepest(called) for caller, called in calls if caller == name), default=0)

    return max(deepest(name) for name in frames if name.endswith("net_step"))


def report(name, net, X):
    """A line of the table: sizes, and what the machine predicts from one sequence."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "net.c").write_text(to_c(net))
        (folder / "board.ld").write_text(LINKER_SCRIPT)
        rows = (", ".join(f"{number!s}f" for number in x) for x in X)
        main = MAIN.format(n_steps=len(X), steps=", ".join(f"{{{row}}}" for row in rows))
        flash = -linked_size(folder, EMPTY) - X.nbytes + linked_size(folder, main)
        ticks, *bits = run([*MACHINE, "main.elf"], folder).split()
        stack = stack_size(folder)
    state, predict = net.initial_state(), getattr(net, "predict_proba_step", net.predict_step)
    for x in X:
        expected, state = predict(x, state)
    found = np.array([int(each, 16) for each in bits], np.uint32).view(np.float32)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    size, instructions = net._fitted.model.theta.size, int(ticks, 16) * NS_PER_TICK / len(X)
    cells = [
        name, f"{size:,}", f"{flash / 1024:.1f} kB", state.nbytes, stack, f"{instructions:,.0f}", f"{difference:.0e}"
    ]
    print("|", " | ".join(map(str, cells)), "|")


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, N_STEPS, 3)).astype(np.float32)
    y = X[:, :, 0].mean(axis=1)
    print("| net | parameters | flash | state, bytes | stack, bytes | instructions per step | largest difference |")
    print("|---|---|---|---|---|---|---|")
    common = {"max_iter": 3, "patch_size": None, "random_state": 0}
    for cell in ("rnn", "gru", "lstm", "mgu", "skip_lstm"):
        report(f"`cell=\"{cell}\"`, 16 units", RNNRegressor(16, cell=cell, **common).fit(X, y), X[0])
    report("`cell=\"gru\"`, 32 units", RNNRegressor(32, **common).fit(X, y), X[0])
    report("two layers of 16 units, 4 classes", RNNClassifier((16, 16), **common).fit(X, np.arange(60) % 4), X[0])
    report(
        "patches of 16 steps, 16 units", RNNRegressor(16, **common | {"patch_size": 16}).fit(X, y), X[0]
    )


if __name__ == "__main__":
    main()
