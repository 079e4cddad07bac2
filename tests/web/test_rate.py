"""Rate limits through nginx and lighttpd, over four processes of two workers."""

import contextlib
import threading
import time

import pytest

import conftest
import servers

RATE, BURST = 200, 20  # of /rate/hot


@pytest.fixture(scope="module")
def crowd(folder, migrated, keys):
    settings = {"database_url": migrated.url, "auth_folder": keys.folder, "processes": 4, "workers": 2, "db_lanes": 1,
                "trusted_proxies": "127.0.0.1"}
    with conftest.stopping(servers.Leat(folder / "crowd", "tests/web/surface/surface", **settings)) as crowd:
        yield crowd.wait_ready()


@pytest.fixture(scope="module")
def crowd_front(folder, crowd, front_class):
    with conftest.stopping(front_class(folder / f"{front_class.name}-crowd", crowd)) as front:
        yield front


@pytest.fixture
def address(front_class, request):
    """One that no other test has."""
    number = sum(request.node.nodeid.encode()) % 250
    return f"198.51.{100 + (front_class is servers.Nginx)}.{number}"


def visit(front, address, path="/rate/visit", **headers):
    return front.ask("GET", path, headers={"X-Forwarded-For": address, **headers})


class Hammer(threading.Thread):
    """Asks for the hot path as fast as it can."""

    def __init__(self, front, until):
        super().__init__()
        self.front = front
        self.until = until
        self.processes = []
        self.refused = 0

    def run(self):
        with contextlib.closing(self.front.connect()) as connection:
            while time.monotonic() < self.until:
                connection.request("GET", "/rate/hot")
                reply = connection.getresponse()
                body = reply.read()
                if reply.status == 200:
                    self.processes.append(body)
                else:
                    assert reply.status == 429
                    self.refused += 1


def test_all_processes_together_let_no_more_pass(crowd_front, figure):
    began = time.monotonic()
    hammers = [Hammer(crowd_front, began + 1.5) for _ in range(12)]
    for hammer in hammers:
        hammer.start()
    for hammer in hammers:
        hammer.join()
    took = time.monotonic() - began
    passed = [process for hammer in hammers for process in hammer.processes]
    refused = sum(hammer.refused for hammer in hammers)
    figure(f"rate limit over {len(set(passed))} processes, {crowd_front.name}: {len(passed)} passed and {refused} refused in "
           f"{took:.3f} s; {RATE * took + BURST:.1f} are the most")
    assert BURST <= len(passed) <= RATE * took + BURST
    assert refused > 0
    assert len(set(passed)) > 1


def test_a_client_has_what_the_limit_says(crowd_front, address):
    for left in (2, 1, 0):
        reply = visit(crowd_front, address)
        assert reply.status == 200
        assert reply.headers["RateLimit-Policy"] == '"visitors";q=3;w=3600'
        assert reply.headers["RateLimit"].startswith(f'"visitors";r={left};t=')
        assert "Retry-After" not in reply.headers
    reply = visit(crowd_front, address)
    assert reply.status == 429
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert 1000 < int(reply.headers["Retry-After"]) <= 1200
    assert reply.headers["RateLimit"].startswith('"visitors";r=0;t=3')
    assert reply.json["detail"] == "Limit visitors: 3 in 3600 s."


def test_failures_tell_it_too(crowd_front, address):
    reply = visit(crowd_front, address, "/rate/visit/failing")
    assert reply.status == 404
    assert reply.headers["RateLimit"].startswith('"visitors";r=2;')


def test_a_network_of_ipv6_is_one_client(crowd_front, front_class):
    network = f"2001:db8:0:{len(front_class.name)}"
    statuses = [visit(crowd_front, f"{network}::{host}").status for host in ("1", "2", "ffff:1", "3:4:5")]
    assert statuses == [200, 200, 200, 429]
    assert visit(crowd_front, f"{network}1::1").status == 200


def test_who_says_what_he_likes_is_not_believed(crowd_front, address):
    """What stands to the left of the last address is the client's own doing."""
    statuses = [visit(crowd_front, f"6.6.6.{number}, {address}").status for number in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_callers_are_counted(crowd_front):
    def ask(member):
        return visit(crowd_front, "192.0.2.1", "/rate/member", **{"X-Member": member + crowd_front.name}).status

    assert [ask("ada") for _ in range(3)] == [200, 200, 429]
    assert ask("bob") == 200


def test_a_limit_of_callers_wants_one(crowd_front):
    assert crowd_front.ask("GET", "/rate/nobody").status == 500


def test_a_handler_asks_for_itself(crowd_front):
    def ask(count):
        return crowd_front.ask("GET", f"/rate/mail?to={crowd_front.name}&count={count}")

    assert ask(3).status == 413
    assert [ask(1).status, ask(1).status] == [200, 200]
    reply = ask(1)
    assert reply.status == 429
    assert 20 < int(reply.headers["Retry-After"]) <= 30
    assert ask(0).status == 200


def test_who_waits_comes_in_turn_or_not_at_all(crowd_front):
    """A token each 50 ms, and 400 ms to wait: of twenty that come at once, some nine get one in time, and the others are told at once."""
    replies = []

    def ask():
        replies.append(crowd_front.ask("GET", f"/rate/walk?who={crowd_front.name}"))

    began = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    passed = sum(reply.status == 200 for reply in replies)
    assert 2 <= passed <= 1 + 20 * took
    assert {reply.status for reply in replies} == {200, 429}


def test_it_is_counted(crowd, crowd_front, address):
    before = crowd.metrics()
    for _ in range(4):
        visit(crowd_front, address)
    after = crowd.metrics()
    assert after['leat_rate_total{outcome="passed"}'] - before['leat_rate_total{outcome="passed"}'] == 3
    assert after['leat_rate_total{outcome="refused"}'] - before['leat_rate_total{outcome="refused"}'] == 1
    assert after["leat_rate_forgotten_total"] == 0


def test_a_limit_outlives_a_process(crowd, crowd_front, address):
    assert [visit(crowd_front, address).status for _ in range(4)] == [200, 200, 200, 429]
    pids = crowd.worker_pids()
    for pid in pids:
        servers.os.kill(pid, servers.signal.SIGKILL)
    crowd.wait_for(lambda: len(crowd.worker_pids()) == 4 and not set(crowd.worker_pids()) & set(pids), "there are others")
    crowd.wait_for(lambda: crowd_front.ask("GET", "/rate/mail?count=0").status == 200, "they answer")
    assert visit(crowd_front, address).status == 429
