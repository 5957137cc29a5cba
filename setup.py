"""Extension modules and their compiler flags; everything else is in pyproject.toml."""

import os
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext as setuptools_build_ext

SOURCES = sorted(Path("skrnn").rglob("*.pyx"))

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
    return ["-O3", "-ffp-contract=off", "-fno-math-errno"]


def openmp_flags(compiler_type):
    """Pairs of (compile, link) flags that may switch OpenMP on."""
    if compiler_type == "msvc":
        return [(["/openmp"], [])]
    # The second is for Apple's clang with libomp.
    return [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])]


class build_ext(setuptools_build_ext):
    """Translates the .pyx files and adds OpenMP when the compiler has it; a compiler without it builds serial."""

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
        translated = cythonize(self.extensions, compiler_directives=DIRECTIVES, build_dir=self.build_temp)
        for extension, source in zip(self.extensions, translated, strict=True):
            extension.sources = source.sources
            extension.extra_compile_args = compile_args
            extension.extra_link_args = link_args
        super().build_extensions()

    def has_openmp(self, flags):
        """Whether a program that calls OpenMP compiles and links with these (compile, link) flags."""
        from setuptools.errors import CompileError, LinkError

        compile_flags, link_flags = flags
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(OPENMP_PROBE)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_flags)
                self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=link_flags)
            except (CompileError, LinkError):
                return False
        return True


setup(
    ext_modules=[Extension(".".join(source.with_suffix("").parts), [source.as_posix()]) for source in SOURCES],
    cmdclass={"build_ext": build_ext},
    options={"build_ext": {"parallel": os.cpu_count()}},
)
