"""Compiles the kernel (C++20) into the package; where that fails, a build goes on without.

Headwater then takes every event the slower way, with the same outcome; `headwater doctor` says so.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pybind11
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Named so that hatchling finds it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Put the compiled module beside the sources of `loader`, and into the wheel."""
        module = Path(self.root, "loader", f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}")
        problem = _compile(Path(self.root, "kernel"), module)
        if problem:
            self.app.display_warning(f"headwater: without its compiled kernel: {problem}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(f"loader/{module.name}")


def _compile(sources: Path, module: Path) -> str | None:
    """Why there is no module; None if there is. A failure removes an older one."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        module.unlink(missing_ok=True)
        return "no C++ compiler was found (c++ or g++; or set CXX)"
    built = module.with_suffix(".building")
    includes = [f"-I{sysconfig.get_path('include')}", f"-I{pybind11.get_include()}"]
    flags = ["-std=c++20", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"]
    if sys.platform == "darwin":
        flags += ["-undefined", "dynamic_lookup"]
    command = [compiler, *flags, *includes, sources / "module.cpp", "-o", built]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        module.unlink(missing_ok=True)
        return ended.stderr.strip()[-2_000:]
    built.replace(module)
    return None
