"""Extension modules and their compiler flags; everything else is in pyproject.toml."""

import logging
import os
import subprocess
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext as setuptools_build_ext

KERNELS = Path("skrnn/kernels/_kernels.pyx")
# Built once, for any processor
PLAIN = sorted(set(Path("skrnn").rglob("*.pyx")) - {KERNELS})
DTYPES = {"float32": [], "float64": [("SKRNN_DOUBLE", None)]}
# Flags of gcc and clang for x86, and bytes of a vector. Other compilers and processors get the baseline alone.
INSTRUCTION_SETS = {
    "baseline": ([], 16),
    "avx2": (["-mavx2", "-mfma"], 32),
    "avx512": (["-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"], 64),
}

DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "freethreading_compatible": True,
}

OPENMP_PROBE = """
#include <omp.h>
int main(void) { return omp_get_max_threads() < 1; }
"""


def flags(compiler_type):
    """Compile flags without OpenMP. No contraction and nothing relaxed: the order of every sum is the source's."""
    if compiler_type == "msvc":
        return ["/O2", "/fp:precise"]
    return ["-O3", "-g0", "-ffp-contract=off", "-fno-fast-math", "-fno-math-errno"]


def openmp_flags(compiler_type):
    """Pairs of (compile, link) flags that may switch OpenMP on."""
    if compiler_type == "msvc":
        return [(["/openmp"], [])]
    # The second is for Apple's clang with libomp.
    return [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])]


def plain_extension(path):
    """A module as it is."""
    return Extension(".".join(path.with_suffix("").parts), [path.as_posix()])


def kernel_extension(instruction_set, dtype):
    """The kernels for one instruction set and dtype; its sources are made in the build."""
    arguments, vector_bytes = INSTRUCTION_SETS[instruction_set]
    return Extension(
        f"skrnn.kernels._{instruction_set}_{dtype}", [KERNELS.as_posix()], include_dirs=[KERNELS.parent.as_posix()],
        define_macros=[*DTYPES[dtype], ("VECTOR_BYTES", vector_bytes)], extra_compile_args=arguments,
    )


class build_ext(setuptools_build_ext):
    """Translates the .pyx files and adds OpenMP when the compiler has it; a compiler without it builds serial."""

    def run(self):
        # setuptools unsets `inplace` for the time of the build
        self.in_tree = self.inplace
        super().run()

    def build_extensions(self):
        from Cython.Build import cythonize

        compiler_type = self.compiler.compiler_type
        compile_args, link_args = flags(compiler_type), [] if compiler_type == "msvc" else ["-lm"]
        working = next(filter(self.has_openmp, openmp_flags(compiler_type)), None)
        if working:
            compile_args += working[0]
            link_args += working[1]
        else:
            self.warn("the compiler has no OpenMP: skrnn is built serial")
        *plain, kernels = cythonize(
            [plain_extension(path) for path in (*PLAIN, KERNELS)], compiler_directives=DIRECTIVES,
            build_dir=self.build_temp,
        )
        sources = {extension.name: extension.sources for extension in plain}
        # MSVC only warns of flags that it does not know; MinGW does not align wide vectors on the stack.
        gnu = compiler_type == "unix"
        self.extensions = [
            ext for ext in self.extensions
            if not ext.extra_compile_args or (gnu and self.is_wanted(ext.extra_compile_args))
        ]
        for extension in self.extensions:
            if extension.name in sources:
                extension.sources = sources[extension.name]
            else:
                extension.sources = [self.kernel_source(extension.name.rpartition(".")[2], Path(kernels.sources[0]))]
                extension.depends = [*kernels.sources, *map(str, KERNELS.parent.glob("simd/*.h"))]
            extension.extra_compile_args = extension.extra_compile_args + compile_args
            extension.extra_link_args = link_args
        self.announce(self.plan(len(plain)), level=logging.INFO)
        super().build_extensions()

    def plan(self, n_plain):
        """What is going to be compiled and how long that takes, in a sentence."""
        n_kernels = len(self.extensions) - n_plain
        built = [name for name in INSTRUCTION_SETS if any(f"._{name}_" in ext.name for ext in self.extensions)]
        return (
            f"skrnn compiles {len(self.extensions)} modules, {self.parallel or 1} at a time: {n_plain} small ones and "
            f"{n_kernels} of the kernels, for {' and '.join(DTYPES)} with the instruction sets {', '.join(built)}. "
            f"Each of these {n_kernels} takes about a minute"
        )

    def kernel_source(self, name, translated):
        """A C file that is the translated kernels under the name of one of their builds."""
        source = translated.with_name(f"{name}.c")
        text = f'#define PyInit_{translated.stem} PyInit_{name}\n#include "{translated.name}"\n'
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        return str(source)

    def has_openmp(self, flags):
        """Whether a program that calls OpenMP compiles and links with these (compile, link) flags."""
        return self.compiles(OPENMP_PROBE, *flags)

    def is_wanted(self, flags):
        """Whether the compiler takes the flags of an instruction set; in the tree the processor has to have it, too."""
        if not self.in_tree:
            return self.compiles("", flags)
        has = " && ".join(f'__builtin_cpu_supports("{flag.removeprefix("-m")}")' for flag in flags)
        return self.compiles(f"int main(void) {{ __builtin_cpu_init(); return !({has}); }}", flags, [], run=True)

    def compiles(self, program, compile_flags, link_flags=None, run=False):
        """Whether the compiler takes the program with these flags, and unless these are None links it.

        With `run`, whether the program then returns 0, too.
        """
        from setuptools.errors import CompileError, LinkError

        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_flags)
                if link_flags is not None:
                    self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=link_flags)
                if run:
                    return subprocess.run([Path(folder, "probe")]).returncode == 0
            except (CompileError, LinkError):
                return False
        return True


setup(
    ext_modules=[
        *map(plain_extension, PLAIN),
        *(kernel_extension(name, dtype) for name in INSTRUCTION_SETS for dtype in DTYPES),
    ],
    cmdclass={"build_ext": build_ext},
    options={"build_ext": {"parallel": os.cpu_count()}},
)
