"""Extension modules, their compiler flags, and the README as PyPI shows it; everything else is in pyproject.toml."""

import logging
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext as setuptools_build_ext

KERNELS = Path("skrnn/kernels/_kernels.pyx")
# Built once, for any processor
PLAIN = sorted(set(Path("skrnn").rglob("*.pyx")) - {KERNELS})
DTYPES = {"float32": [], "float64": [("SKRNN_DOUBLE", None)]}
# Flags of gcc and clang (clang-cl, too) for x86, and bytes of a vector. Others get the baseline alone.
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
# A compiler for another processor may take these flags, too, and emulate what it does not have.
X86_PROBE = """
#if !defined(__x86_64__) && !defined(__i386__)
#error "not for x86"
#endif
"""
REPOSITORY = "skrnn/skrnn"


def readme():
    """README.md whose relative links lead to the repository at the tag of this version: on PyPI they lead nowhere."""
    tag = re.search(r'__version__ = "(.+)"', Path("skrnn/_version.py").read_text(encoding="utf-8"))[1]
    pages = f"https://github.com/{REPOSITORY}/blob/v{tag}/"
    pictures = f"https://raw.githubusercontent.com/{REPOSITORY}/v{tag}/"
    return re.sub(
        r"(!?)(\[[^\]]*\]\()(?![a-z]+:|#)", lambda link: f"{link[0]}{pictures if link[1] else pages}",
        Path("README.md").read_text(encoding="utf-8"),
    )


# Nothing relaxed, whatever CFLAGS of the environment say. A linker that sees a flag such as -Ofast adds code that lets
# the whole process count denormal numbers as 0.
EXACT = ["-O3", "-ffp-contract=off", "-fno-fast-math", "-fno-unsafe-math-optimizations"]


def flags(family):
    """Compile flags without OpenMP. No contraction and nothing relaxed: the order of every sum is the source's."""
    if family == "msvc":
        return ["/O2", "/fp:precise"]
    if family == "clang-cl":
        return ["/O2", "/fp:precise", "/clang:-O3", "/clang:-ffp-contract=off", "/clang:-fno-math-errno"]
    return [*EXACT, "-g0", "-fno-math-errno"]


def openmp_flags(family):
    """Pairs of (compile, link) flags that may switch OpenMP on."""
    if family == "msvc":
        return [(["/openmp"], [])]
    if family == "clang-cl":
        return [(["/openmp"], ["libomp.lib", "/NODEFAULTLIB:vcomp"])]
    # The second is for Apple's clang with libomp.
    return [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])]


def link_flags(family):
    """Link flags without OpenMP: the libraries that every module may need, and nothing relaxed."""
    if family == "msvc":
        return []
    if family == "clang-cl":    # its own are not on the path of MSVC's linker; __builtin_cpu_supports is among them
        libraries = Path(shutil.which("clang-cl")).resolve().parents[1] / "lib"
        builtins = sorted(libraries.glob("clang/*/lib/windows/clang_rt.builtins-x86_64.lib"))
        return [f"/LIBPATH:{libraries}", *map(str, builtins)]
    return [*EXACT, "-lm"]


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


def stable_abi_macros(tag):
    """What Python's and Cython's headers need to know of a stable ABI from the Python of a tag such as cp311 on."""
    return [("Py_LIMITED_API", f"0x03{int(tag.removeprefix('cp3')):02X}0000"), ("CYTHON_LIMITED_API", "1")]


class build_ext(setuptools_build_ext):
    """Translates the .pyx files and adds OpenMP when the compiler has it; a compiler without it builds serial.

    A wheel that is asked to be for all Pythons from 3.11 on (`bdist_wheel --py-limited-api=cp311`) gets modules of the
    stable ABI. All other builds are for the Python that builds, and some microseconds a call faster.
    """

    def run(self):
        # setuptools unsets `inplace` for the time of the build
        self.in_tree = self.inplace
        super().run()

    def build_extensions(self):
        from Cython.Build import cythonize

        self.family = self.choose_compiler()
        compile_args, link_args = flags(self.family), link_flags(self.family)
        working = next(filter(self.has_openmp, openmp_flags(self.family)), None)
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
        has_wide_vectors = self.family in ("unix", "clang-cl")
        self.extensions = [
            ext for ext in self.extensions
            if not ext.extra_compile_args or (has_wide_vectors and self.is_wanted(ext.extra_compile_args))
        ]
        wheel = self.distribution.get_command_obj("bdist_wheel", create=False)
        abi_tag = wheel and wheel.py_limited_api
        for extension in self.extensions:
            if extension.name in sources:
                extension.sources = sources[extension.name]
            else:
                extension.sources = [self.kernel_source(extension.name.rpartition(".")[2], Path(kernels.sources[0]))]
                extension.depends = [*kernels.sources, *map(str, KERNELS.parent.glob("simd/*.h"))]
            extension.extra_compile_args = extension.extra_compile_args + compile_args
            extension.extra_link_args = link_args
            if abi_tag:
                extension.py_limited_api = True
                extension.define_macros = extension.define_macros + stable_abi_macros(abi_tag)
        self.announce(self.plan(len(plain)), level=logging.INFO)
        super().build_extensions()

    def choose_compiler(self):
        """The family of the compiler: unix (gcc, clang), mingw32, msvc; clang-cl where CC asks for it in its place."""
        family = self.compiler.compiler_type
        if family != "msvc" or Path(os.environ.get("CC", "")).stem != "clang-cl":
            return family
        if not self.compiler.initialized:
            self.compiler.initialize()
        self.compiler.cc = shutil.which("clang-cl")
        return "clang-cl"

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
            return self.compiles(X86_PROBE, flags)
        has = " && ".join(f'__builtin_cpu_supports("{flag.removeprefix("-m")}")' for flag in flags)
        program = f"int main(void) {{ __builtin_cpu_init(); return !({has}); }}"
        return self.compiles(X86_PROBE + program, flags, [], run=True)

    def compiles(self, program, compile_flags, openmp=None, run=False):
        """Whether the compiler takes the program with these flags, and unless those of OpenMP are None links it.

        With `run`, whether the program then returns 0, too.
        """
        from setuptools.errors import CompileError, LinkError

        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_flags)
                if openmp is not None:
                    link_args = link_flags(self.family) + openmp
                    self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=link_args)
                if run:
                    return subprocess.run([Path(folder, "probe")]).returncode == 0
            except (CompileError, LinkError):
                return False
        return True


setup(
    long_description=readme(),
    long_description_content_type="text/markdown",
    ext_modules=[
        *map(plain_extension, PLAIN),
        *(kernel_extension(name, dtype) for name in INSTRUCTION_SETS for dtype in DTYPES),
    ],
    cmdclass={"build_ext": build_ext},
    options={"build_ext": {"parallel": os.cpu_count()}},
)
