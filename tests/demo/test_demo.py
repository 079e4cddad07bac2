"""The command that shows everything, as a newcomer runs it: ./deploy/demo, with each front server."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "web"))

import servers  # noqa: E402


class Demo:
    def __init__(self, folder, *arguments):
        self.port = servers.unused_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output_file = folder / "output"
        with open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                [ROOT / "deploy" / "demo", "--no-install", *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env=os.environ | {"LEAT_DEMO_PORT": str(self.port)}, start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def output(self):
        return self.output_file.read_text()

    def wait_for(self, line, seconds=300):
        def is_there():
            if self.process.poll() is not None:
                raise RuntimeError(f"the demo has ended:\n{self.output()}")
            return line in self.output().splitlines()

        servers.wait_until(is_there, line, seconds)
        return self

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.status

    def folder(self):
        """Where it keeps its files, found by the front server's command line among its children."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        words = " ".join(pathlib.Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in children)
        return pathlib.Path(re.search(r"/tmp/leat-demo\.\w+", words)[0])

    def descendants(self):
        pids, found = [self.process.pid], []
        while pids:
            pid = pids.pop()
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            pids += children
            found += map(int, children)
        return found


@pytest.fixture(params=["nginx", "lighttpd"])
def demo(request, tmp_path):
    demo = Demo(tmp_path, "--front", request.param)
    yield demo
    if demo.process.poll() is None:
        demo.process.terminate()
        demo.process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "Ctrl-C"])
def test_the_demo_serves_and_leaves_nothing_behind(demo, number):
    demo.wait_for(f"ready: {demo.url}").wait_for("Ctrl-C stops it.")
    assert demo.get("/api/hello") == 200
    assert demo.get("/api/users/100000") == 200
    folder, processes = demo.folder(), demo.descendants()
    assert folder.is_dir() and len(processes) > 5

    os.killpg(demo.process.pid, number)
    assert demo.process.wait(60) == 0
    servers.wait_until(lambda: not any(map(servers.is_running, processes)), "all its processes are gone")
    assert not folder.exists()


def test_a_port_that_is_taken_is_told(tmp_path):
    with servers.socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = subprocess.run(
            [ROOT / "deploy" / "demo", "--no-install"], env=os.environ | {"LEAT_DEMO_PORT": str(holder.getsockname()[1])},
            capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "LEAT_DEMO_PORT" in done.stderr
