"""The machine and the versions that a result belongs to."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contenders import load
from threadpoolctl import threadpool_info
from threads import available

PACKAGES = ("skrnn", "numpy", "scikit-learn", "torch", "jax", "onnxruntime", "skorch")


def describe():
    """A dict for the JSON and for the first lines of the tables."""
    return {
        "processor": processor(),
        "cores": available(),
        "instruction set": load("skrnn", "instruction_set"),
        "blas": blas(),
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version()} | {name: installed(name) for name in PACKAGES},
    }


def processor():
    """Its name as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor()


def gpu():
    """The name of the GPU that PyTorch would use, None without one."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def blas():
    """The library of the roofline."""
    libraries = (library for library in threadpool_info() if library["user_api"] == "blas")
    names = {"{internal_api} {version} {architecture}".format(**library) for library in libraries}
    return ", ".join(sorted(names))


def installed(package):
    """Its version, None without it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
