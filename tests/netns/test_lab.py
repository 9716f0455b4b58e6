"""Every experiment of lab/, with vtep alone and with the kernel's driver in each role."""

import os
import subprocess
from pathlib import Path

import pytest

from endpoints import BIN_DIR

RUN = Path(__file__).parents[2] / "lab" / "run"
THREE, TWO = ("S20", "S3", "S8"), ("S20", "S8")
HOSTS = {"multicast": THREE, "router": THREE, "unicast": TWO, "static": THREE, "flannel": TWO, "mesh": TWO,
         "evpn": TWO}
# One run with vtep alone, and one with each host replaced.
RUNS = [(name, peer) for name, hosts in HOSTS.items() for peer in ("", *hosts)]


ENVIRONMENT = {**os.environ, "VTEP_BIN_DIR": str(BIN_DIR)}


def run(*words, **environment):
    return subprocess.run(
        [RUN, *words], env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=120
    )


def namespaces():
    return [line.split()[0] for line in subprocess.check_output(["ip", "netns", "list"], text=True).splitlines()]


@pytest.mark.parametrize("experiment, peer", RUNS, ids=[f"{name}-{peer or 'vtep'}" for name, peer in RUNS])
def test_experiment(experiment, peer):
    done = run(experiment, *(["--peer", f"kernel:{peer}"] if peer else []))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [name for name in namespaces() if name.startswith("vtep-lab-")], "nothing is left behind"


def test_an_experiment_can_be_kept_and_removed():
    try:
        assert run("unicast", "--peer", "kernel:all", "--keep").returncode == 0
        assert "vtep-lab-S20" in namespaces()
        refused = run("static", "--peer", "kernel:all")
        assert refused.returncode == 1 and "lab/run clean" in refused.stderr
        assert "vtep-lab-S20" in namespaces()
    finally:
        assert run("clean").returncode == 0
    assert not [name for name in namespaces() if name.startswith("vtep-lab-")]


def test_an_experiment_that_sees_something_else_fails(tmp_path):
    """The assertions are alive: with a `tcpdump` that shows VNI 6001 for 6000, the experiment says so and stops."""
    liar = tmp_path / "tcpdump"
    liar.write_text(
        '#!/bin/sh\n[ "$1" = -r ] || exec /usr/bin/tcpdump "$@"\n/usr/bin/tcpdump "$@" | sed "s/vni 6000/vni 6001/"\n'
    )
    liar.chmod(0o755)
    done = run("multicast", "--peer", "kernel:all", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "expected in the capture 'underlay'" in done.stderr and "vni 6001" in done.stderr
    assert not [name for name in namespaces() if name.startswith("vtep-lab-")]


def test_one_experiment_at_a_time():
    words = [RUN, "multicast", "--peer", "kernel:all"]
    with subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as first:
        first.stdout.readline()
        second = run("static", "--peer", "kernel:all")
        assert second.returncode == 1 and "another lab/run" in second.stderr
        first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.parametrize(
    "words", ["frobnicate", "multicast --peer ovs", "multicast --peer kernel:S99", "multicast --peer", "--frob", ""]
)
def test_words_that_make_no_sense(words):
    done = run(*words.split())
    assert done.returncode == 1 and done.stderr
