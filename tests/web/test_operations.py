"""What an operator looks at: metrics, health, the access log."""

import re

import pytest

import fastcgi


@pytest.fixture
def testbed(start_leat):
    return start_leat().wait_ready()


def admin(testbed, path, method="GET"):
    return fastcgi.ask(testbed.admin, method, path)


# Metrics


def test_metrics_are_prometheus_text(testbed):
    reply = admin(testbed, "/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    sample = re.compile(r'(leat|process)_[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+$')
    for line in reply.body.decode().splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.match(line), line


def test_every_metric_is_described_once_and_before_its_samples(testbed):
    described, sampled = [], []
    for line in admin(testbed, "/metrics").body.decode().splitlines():
        if line.startswith("# TYPE"):
            described.append(line.split()[2])
        elif not line.startswith("#"):
            name = re.sub(r"_(bucket|sum|count)$", "", re.match(r"[a-z0-9_]+", line)[0])
            assert described[-1] in (name, line.split()[0])
            sampled.append(line.rpartition(" ")[0])
    assert len(described) == len(set(described))
    assert len(sampled) == len(set(sampled))


@pytest.mark.parametrize("path, code", [("/hello", "2xx"), ("/nowhere", "4xx")])
def test_requests_are_counted_by_class(testbed, path, code):
    name = f'leat_requests_total{{code="{code}"}}'
    before = testbed.metric(name)
    for _ in range(5):
        testbed.ask("GET", path)
    testbed.wait_metric(name, before + 5)


def test_the_histogram_counts_every_request(testbed):
    for _ in range(5):
        testbed.ask("GET", "/hello")

    def agrees():
        metrics = testbed.metrics()
        counted = sum(value for name, value in metrics.items() if name.startswith("leat_requests_total"))
        return metrics['leat_request_duration_seconds_bucket{le="+Inf"}'] == counted >= 5

    testbed.wait_for(agrees, "the histogram agrees with the counters")


def test_metrics_answer_while_every_worker_is_busy(start_leat):
    testbed = start_leat(workers=1).wait_ready()
    with testbed.connect() as busy:
        busy.send("GET", "/spin/1000")
        testbed.wait_metric("leat_requests_active", 1)
        assert admin(testbed, "/metrics").status == 200
        assert busy.receive().status == 200


# Health


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_running_leat_is_alive_and_ready(testbed, path):
    testbed.wait_for(lambda: admin(testbed, path).status == 200, f"{path} is 200")


def test_the_admin_socket_knows_nothing_else(testbed):
    assert admin(testbed, "/hello").status == 404
    assert admin(testbed, "/metrics", "POST").status == 405


def test_the_front_socket_shows_no_metrics(testbed):
    assert testbed.ask("GET", "/metrics").status == 404


# The access log


def last_line(testbed, path):
    def find():
        return [line for line in testbed.access_lines() if line["path"] == path]

    return testbed.wait_for(find, f"{path} is in the access log")[-1]


def test_each_request_is_one_json_line(testbed):
    testbed.ask("GET", "/hello?a=b", HTTP_X_REQUEST_ID="0123456789abcdef")
    line = last_line(testbed, "/hello")
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["id"] == "0123456789abcdef"


def test_a_line_cannot_be_forged(testbed):
    path = '/x"\\\n{"status":200}\x7f'
    testbed.ask("GET", path)
    testbed.wait_for(testbed.access_lines, "lines are there")
    assert all(isinstance(line, dict) and "status" in line for line in testbed.access_lines())


def test_the_log_can_go_to_standard_output(start_leat):
    testbed = start_leat(access_log="-").wait_ready()
    testbed.ask("GET", "/hello")
    testbed.wait_for(lambda: '"/hello"' in testbed.log(), "the line is there")
