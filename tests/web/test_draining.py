"""What a worker process that ends still answers."""

import contextlib
import os
import pathlib
import signal

from servers import stopped, wait_until


def state_of(task):
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def stands_still(pid):
    return all(state_of(task) == "T" for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def test_a_worker_process_that_ends_leaves_new_connections_to_the_others(start_leat):
    leat = start_leat(processes=2).wait_ready()
    victim, other = leat.worker_pids()
    with contextlib.ExitStack() as stack:
        with stopped(other):
            wait_until(lambda: stands_still(other), "all threads stand still")
            busy, idle = (stack.enter_context(leat.connect()) for _ in range(2))
            busy.send("GET", "/sleep/3000")
            leat.wait_metric("leat_requests_active", 1)
            assert idle.ask("GET", "/hello").status == 200
        os.kill(victim, signal.SIGTERM)
        assert idle.is_closed()
        assert {leat.ask("GET", "/hello").status for _ in range(100)} == {200}
        assert busy.receive().status == 200


def test_a_refusal_tells_its_length(start_leat):
    """A front server need not chunk it."""
    leat = start_leat(requests_max=1).wait_ready()
    with leat.connect() as client:
        client.send("GET", "/sleep/500")
        leat.wait_metric("leat_requests_active", 1)
        reply = leat.ask("GET", "/hello")
        assert reply.status == 503 and int(reply.headers["Content-Length"]) == len(reply.body)
        assert client.receive().status == 200
