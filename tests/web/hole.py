"""A network of its own for servers, that can swallow what is said to them and what they say.

Use:
    hole = Hole(2)                                # two addresses inside: hole.inside[0], hole.inside[1]
    hole.make()
    with hole.swallowing(): ...
    hole.remove()
"""

import contextlib
import ipaddress
import os
import subprocess

import servers


class Hole:
    PORT = 5432
    EVERYTHING = ""
    NEW_ONES = "tcp flags & (syn | ack) == syn"

    BOTH_WAYS = ("in", "out")

    @staticmethod
    def of_ports(ports):
        """What comes from these ports outside, or goes there, such as connections that are there already."""
        return f"tcp {{other}} {{{{ {', '.join(map(str, sorted(ports)))} }}}}"

    def __init__(self, addresses=1):
        subnet = ipaddress.ip_network((f"198.18.{os.getpid() >> 5 & 255}.{(os.getpid() & 31) * 8}", 29))  # RFC 2544
        self.outside, *inside = map(str, subnet.hosts())
        self.inside = inside[:addresses]
        self.name = f"leat-{os.getpid()}"
        self.link = f"leat{os.getpid()}"[:15]
        self.launcher = ("ip", "netns", "exec", self.name, *servers.Postgres.AS_POSTGRES)

    def make(self):
        self.ip("netns", "add", self.name)
        self.ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.ip("addr", "add", f"{self.outside}/29", "dev", self.link)
        self.ip("link", "set", self.link, "up")
        for address in self.inside:
            self.ip("-n", self.name, "addr", "add", f"{address}/29", "dev", "eth0")
        self.ip("-n", self.name, "link", "set", "eth0", "up")

    def remove(self):
        for command in (("link", "del", self.link), ("netns", "del", self.name)):
            subprocess.run(["ip", *command], stderr=subprocess.DEVNULL)

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def nft(self, rules):
        subprocess.run(["ip", "netns", "exec", self.name, "nft", "-f", "-"], check=True, input=rules, text=True)

    @contextlib.contextmanager
    def swallowing(self, which=EVERYTHING, ways=BOTH_WAYS):
        """Until the block is left, packets that match are dropped. What is swallowed on its way out, the server has done."""
        chains = {
            "in": f"type filter hook input priority 0\n tcp dport {self.PORT} {which.format(other='sport')} drop",
            "out": f"type filter hook output priority 0\n tcp sport {self.PORT} {which.format(other='dport')} drop",
        }
        self.nft("table inet hole {\n" + "".join(f"chain {way} {{\n {chains[way]}\n}}\n" for way in ways) + "}\n")
        try:
            yield
        finally:
            self.nft("delete table inet hole")
