"""Hosts of a small network: network namespaces with an address each, made by a user without any right of its own.

They lie in a user and mount namespace, so nothing of them is seen outside, and the kernel removes all with its last process.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.helpers.programs import NAMESPACE, want_namespace

MASTER = "10.77.0.1"
_PATH = ["env", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin"]
"""`ip` and `tc` lie where an ordinary user's PATH may not lead."""
_SETUP = """set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns
ip link set lo up
ip link add bridge type bridge
ip address add 10.77.0.1/24 dev bridge
ip link set bridge up
for number in {numbers}; do
  ip netns add host$number
  ip link add host$number type veth peer name eth0 netns host$number
  ip link set host$number master bridge up
  ip -n host$number address add 10.77.0.$number/24 dev eth0
  ip -n host$number link set lo up
  ip -n host$number link set eth0 up
done
echo ready
exec cat
"""


@dataclass(frozen=True)
class Network:
    """Hosts 2, 3 ... with addresses 10.77.0.2, 10.77.0.3 ..., on one bridge with their master.

    Attributes:
        pid: the process whose namespaces these are.
    """

    pid: int

    def on_master(self) -> list[str]:
        """What to put before a command to run it on the master."""
        return ["nsenter", f"--target={self.pid}", "--user", "--mount", "--net", "--preserve-credentials"]

    def on_host(self, number: int) -> list[str]:
        """What to put before a command to run it on a host."""
        return [*self.on_master(), "nsenter", f"--net=/run/netns/host{number}"]

    def cut_off(self, number: int) -> None:
        """Pull a host's cable: nobody is told, packets are lost from now on."""
        subprocess.run([*self.on_master(), *_PATH, "ip", "link", "set", f"host{number}", "down"], check=True)

    def slow_down(self, number: int, rate: str) -> None:
        """Let a host send no more than a rate, as `1mbit`."""
        limit = ["rate", rate, "burst", "32kbit", "latency", "400ms"]
        subprocess.run(
            [*self.on_host(number), *_PATH, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", *limit], check=True
        )


def want_network(instead: str) -> None:
    """Leave a test out where users cannot make networks, and name the one that stands for it; CI fails there."""
    want_namespace(instead, "--net", *_PATH, "ip", "link", "add", "bridge", "type", "bridge")


@contextmanager
def network(n_hosts: int) -> Iterator[Network]:
    """A network of a master and some hosts."""
    setup = _SETUP.format(numbers=" ".join(str(number) for number in range(2, n_hosts + 2)))
    command = [*NAMESPACE, "--net", *_PATH, "sh", "-c", setup]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        try:
            yield Network(holder.pid)
        finally:
            holder.kill()
