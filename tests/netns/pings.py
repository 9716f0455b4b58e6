"""Pings that go on while a test does something."""

import re
import signal
import subprocess


def keep_pinging(net, namespace, words):
    """100 a second, until assert_no_loss(); `words` are ping's options and the address."""
    return net.process(namespace, f"ping -q -i 0.01 -w 100 {words}", stdout=subprocess.PIPE, text=True)


def assert_no_loss(ping):
    ping.send_signal(signal.SIGINT)
    said = ping.communicate()[0]
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", said).groups())
    assert sent > 10 and sent - received <= 1, said  # the last one may still be on its way
