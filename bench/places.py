"""Where things are: the sources, the programs that are measured, and the tests' harness, which the benchmark shares."""

import sys
from pathlib import Path

SOURCE_DIR = Path(__file__).resolve().parents[1]
sys.path.append(str(SOURCE_DIR / "tests" / "netns"))

from endpoints import BIN_DIR  # noqa: E402


def tool(name):
    """A program of the benchmark: of the same build as vtepd, or of ours if that build has none."""
    path = BIN_DIR / name
    return str(path if path.exists() else SOURCE_DIR / "build" / "bin" / name)
