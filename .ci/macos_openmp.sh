#!/usr/bin/env bash
# OpenMP for Apple's clang: conda-forge's llvm-openmp in ~/llvm-openmp, which is built for older versions of macOS, too.
set -euo pipefail
platform=osx-$([ "$(uname -m)" = arm64 ] && echo arm64 || echo 64)
brew install --quiet micromamba
micromamba create --yes --quiet --platform "$platform" --prefix "$HOME/llvm-openmp" --channel conda-forge llvm-openmp=19
