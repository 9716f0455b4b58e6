"""Fixtures of the namespace tests. Run them as root: /usr/bin/python3 -m pytest tests/netns

VTEP_BIN_DIR=DIR takes vtepd and vtep from another build (build-debug/bin, build-tsan/bin). VTEP_ONLY=1 leaves out what
runs the kernel's driver alone: a sanitizer sees nothing of it.
"""

import os

import pytest

from endpoints import BIN_DIR
from namespaces import Net, remove_leftovers
from topologies import Pair, Probe


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the namespace tests need root", returncode=1)
    if not (BIN_DIR / "vtepd").exists():
        pytest.exit(f"no vtepd in {BIN_DIR}: build first (cmake --preset release && cmake --build --preset release)", 1)
    remove_leftovers()


def pytest_collection_modifyitems(config, items):
    if not os.environ.get("VTEP_ONLY"):
        return

    def is_kernel(item):
        callspec = getattr(item, "callspec", None)
        return callspec is not None and "vtep" not in callspec.params.values() and "kernel" in callspec.params.values()

    config.hook.pytest_deselected(items=[item for item in items if is_kernel(item)])
    items[:] = [item for item in items if not is_kernel(item)]


@pytest.fixture
def net():
    """What the test makes is removed when it ends."""
    net = Net()
    yield net
    net.close()


@pytest.fixture(scope="module")
def module_net():
    net = Net()
    yield net
    net.close()


@pytest.fixture
def probe_of(net):
    """Call it with "vtep" or "kernel" for a Probe of its own."""
    return lambda impl, **options: Probe(net, impl, **options)


@pytest.fixture
def probe(probe_of):
    return probe_of("vtep")


@pytest.fixture
def pair_of(net):
    """Call it with "vtep" or "kernel", twice, for a Pair of its own; both are vtep if not said otherwise."""
    return lambda *impls, **options: Pair(net, *impls, **options).start()
