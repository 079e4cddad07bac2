"""verdict.py - the report of a soak, and what was right and wrong.

Use:
    for is_good, text in reach(soak, connections, processes): ...

The report's lines begin with "measured: ", as tests/run.py wants them.
"""

import collections
import contextlib
import re
import time

import watch
from servers import FLAVOUR, wait_until
from stand import ACCOUNTS, BALANCE, LEAT

LATE = 3.0 if FLAVOUR else 1.0  # seconds past its deadline, after which an answer needs an explanation
GROWTH = (1.5, 64 << 20) if FLAVOUR else (1.15, 2 << 20)  # factor and bytes, from the beginning of a life to its end
LIFE_LEAST = 60  # samples (seconds): what lived shorter says nothing
SHOWN = 12

ENDED = {"worker process killed", "worker process crashed", "worker process asked to end"}
EXPLAINED = {  # what else than an answer of leat's, by the faults that explain it
    "nginx": ENDED,
    "closed": {"nginx reloaded"},
    "overtaken": {"worker process stopped", "processors busy"},  # a deadline, by what it should have cut off
    "late": ENDED | {"worker process stopped", "processors busy"},
}


def measured(text):
    print(f"measured: {text}", flush=True)


def reach(soak, connections, processes):
    verdicts = [
        (not soak.errors, "every fault came and went, and all was well again" + "".join(f"\n{error}" for error in soak.errors)),
        *about_answers(soak),
        about_connections(connections, processes),
        *about_idleness(soak, connections),
        *about_processes(processes),
        *about_ledger(soak),
        *about_end(soak),
    ]
    report(soak, connections, processes)
    return verdicts


# Answers


def incident_at(soak, began, ended, names):
    """Of these names, at that time."""
    return next((incident for incident in soak.incidents
                 if names & set(incident.names) and incident.began <= ended and began <= (incident.recovered or ended) + 0.5), None)


def about_answers(soak):
    load = soak.load
    unexplained = [(began, what) for began, ended, what in load.disturbed
                   if (what != "late" or ended - began > LATE) and not incident_at(soak, began, ended, EXPLAINED[what.split()[0]])]
    wrong = "".join(f"\n{began - soak.began:.1f} s to {ended - soak.began:.1f} s: {text}" for began, ended, text in load.wrong)
    told = "".join(f"\n{began - soak.began:.1f} s: {what}" for began, what in unexplained[:SHOWN])
    return [
        (load.count > 0 and not load.wrong_count, f"every request got one answer, and its own: {load.wrong_count} of {load.count} did not{wrong}"),
        (not unexplained, f"nginx spoke for itself, or an answer was late, only when a fault explains it: {len(unexplained)} times without{told}"),
    ]


# Connections, descriptors, memory


def about_connections(connections, processes):
    most = LEAT["db_connections_max"]
    errors = [watch_.error for watch_ in (connections, processes) if watch_.error]
    return (connections.count > 0 and connections.lasting <= most and not errors,
            f"at most {connections.lasting} connections of {most} (in one look: {connections.most}, {connections.count} looks) {errors or ''}")


def is_met(condition):
    with contextlib.suppress(TimeoutError):
        return bool(wait_until(condition, ""))
    return False


def about_idleness(soak, connections):
    """Nobody asks any more."""
    leat = soak.stand.leat

    def is_idle():
        metrics = leat.metrics()
        seen = sum(len(connections.now(postgres)) for postgres in soak.stand.both())
        return (metrics["leat_db_in_flight"] == 0 and metrics["leat_db_lent_open_connections"] == metrics["leat_db_lent_idle_connections"]
                and metrics["leat_requests_active"] == 0 and metrics["leat_db_connections"] == seen)

    verdicts = [(is_met(is_idle), "all that was lent is back, nothing is in flight, and leat and PostgreSQL count alike" + told_metrics(leat))]
    soak.stand.nginx.stop()
    least = soak.stand.bare_descriptors + LEAT["db_lent_idle_max"] + 1  # and one to listen
    counts = {}

    def are_closed():
        counts.update({pid: watch.descriptors(pid) for pid in soak.stand.workers()})
        return max(counts.values()) <= least

    return [*verdicts, (is_met(are_closed), f"without nginx a worker process has at most {least} descriptors: {counts}")]


def told_metrics(leat):
    names = ("leat_db_in_flight", "leat_db_connections", "leat_db_lent_open_connections", "leat_db_lent_idle_connections", "leat_requests_active")
    metrics = leat.metrics()
    return ": " + ", ".join(f"{name} {metrics[name]:.0f}" for name in names)


def about_processes(processes):
    verdicts = []
    for pid, samples in processes.lives.items():
        if len(samples) < LIFE_LEAST:
            continue
        for name, get, (factor, more) in (("bytes of memory", lambda sample: sample.memory, GROWTH),
                                          ("descriptors", lambda sample: sample.descriptors, (1.15, 8))):
            _, early, _, _, late = watch.fifths(samples, get)
            verdicts.append((late <= early * factor + more,
                             f"worker process {pid} does not grow: {early:.0f} and later {late:.0f} {name}, in {len(samples)} s"))
    return verdicts


# The ledger


def about_ledger(soak):
    postgres = soak.stand.postgres
    load = soak.load
    twice = postgres.run("SELECT count(*) FROM (SELECT 1 FROM ledger GROUP BY id, place HAVING count(*) > 1) AS twice")
    rows = {int(key): int(count) for key, count in
            (line.split("|") for line in postgres.run("SELECT id, count(*) FROM ledger GROUP BY id").splitlines())}
    missing = [ask for key, ask in load.told.items() if rows.get(key, 0) != ask.rows]
    partial = [ask for key, ask in load.writes.items() if ask.whole and rows.get(key, 0) not in (0, ask.rows)]
    uninvited = rows.keys() - load.writes.keys()
    wrong_accounts = postgres.run(
        "WITH moves AS (SELECT payer AS id, -amount AS amount FROM ledger WHERE amount IS NOT NULL "
        "UNION ALL SELECT payee, amount FROM ledger WHERE amount IS NOT NULL), "
        "sums AS (SELECT id, sum(amount) AS amount FROM moves GROUP BY id) "
        f"SELECT count(*) FROM accounts LEFT JOIN sums USING (id) WHERE balance <> {BALANCE} + coalesce(amount, 0)")
    money = postgres.run("SELECT sum(balance) FROM accounts")
    silent = len(rows.keys() - load.told.keys())
    return [
        (twice == "0", f"no write ran twice: {twice} did, of {sum(rows.values())} rows"),
        (not missing, f"what a client was told of is there: {len(missing)} of {len(load.told)} are not {[ask[:4] for ask in missing[:SHOWN]]}"),
        (not partial, f"a transaction happened or did not: {len(partial)} in part {[ask[:4] for ask in partial[:SHOWN]]}"),
        (not uninvited, f"nothing else is there: {len(uninvited)} (and {silent} writes of which no client was told)"),
        (money == str(ACCOUNTS * BALANCE), f"the sum of all accounts is {money} of {ACCOUNTS * BALANCE}"),
        (wrong_accounts == "0", f"{wrong_accounts} of {ACCOUNTS} accounts are not what the ledger says"),
    ]


# The end, and what the log says


def about_end(soak):
    began = time.monotonic()
    crashes = int(soak.stand.leat.metric("leat_worker_crashes_total"))
    status = soak.stand.leat.stop()
    log = soak.stand.leat.log()
    bugs = [line for line in log.splitlines() if re.search(r"bug|check failed|Sanitizer|runtime error|does not end|out of memory", line)]
    ends = re.findall(r"supervisor: worker process \d, pid \d+, (killed|ended with status \d+)", log)[-LEAT["processes"]:]
    return [
        (status == 0, f"leat ended with status {status}, {time.monotonic() - began:.1f} s after TERM"),
        (ends == ["ended with status 0"] * LEAT["processes"], f"its worker processes ended: {ends}"),
        (crashes == soak.mishaps.killed, f"{crashes} worker processes ended on their own, {soak.mishaps.killed} because of us"),
        (not bugs, f"no bug in the log: {len(bugs)} lines" + "".join(f"\n{line}" for line in bugs[:SHOWN])),
    ]


# The report


def report(soak, connections, processes):
    load = soak.load
    measured(f"{load.count} requests in {time.monotonic() - soak.began:.0f} s")
    by_status = collections.Counter()
    for (_, what), count in load.tally.items():
        by_status[str(what)] += count
    measured("answers: " + ", ".join(f"{count} x {what}" for what, count in by_status.most_common()))
    for kind in sorted({kind for kind, _ in load.tally}):
        measured(f"  {kind}: " + ", ".join(f"{count} x {what}" for (its_kind, what), count in load.tally.most_common() if its_kind == kind))
    report_faults(soak)
    late = sorted(load.late)
    if late:
        measured(f"{len(late)} x 504 came after the deadline by {late[len(late) // 2] * 1000:.0f} ms (median), "
                 f"{late[len(late) * 99 // 100] * 1000:.0f} ms (p99), {late[-1] * 1000:.0f} ms (most)")
    overtaken = sum(what == "overtaken" for *_, what in load.disturbed)
    measured(f"{overtaken} x 200 where the deadline should have come first")
    measured(f"the latest answer: {load.latest[0] * 1000:.0f} ms past its deadline ({load.latest[1]})")
    measured(f"connections: {connections.lasting} for a second, {connections.most} in one look, {LEAT['db_connections_max']} allowed")
    for pid, samples in processes.lives.items():
        if len(samples) >= LIFE_LEAST:
            report_process(pid, samples)
    report_log(soak)


def report_faults(soak):
    took = collections.defaultdict(list)
    for incident in soak.incidents:
        for name in incident.names:
            took[name].append((incident.recovered or time.monotonic()) - incident.ended)
    measured(f"{sum(map(len, took.values()))} faults; how often, and how long until all was well again (median, most):")
    for name, seconds in sorted(took.items()):
        measured(f"  {len(seconds):3} x {name}: {sorted(seconds)[len(seconds) // 2]:.1f} s, {max(seconds):.1f} s")


def report_process(pid, samples):
    memory = ", ".join(f"{size / 1e6:.1f}" for size in watch.fifths(samples, lambda sample: sample.memory))
    files = ", ".join(f"{count:.0f}" for count in watch.fifths(samples, lambda sample: sample.descriptors))
    measured(f"worker process {pid}, {len(samples)} s, in five parts: {memory} MB; {files} descriptors")


def report_log(soak):
    """Lines that say the same of different numbers count together."""
    lines = collections.Counter(re.sub(r"[0-9]+", "N", re.sub(r"\[\w{26}\]|request \w{26}|^\S+ \S+ ", "", line))[:150]
                                for line in soak.stand.leat.log().splitlines())
    measured(f"leat's log, {sum(lines.values())} lines; the most frequent:")
    for line, count in lines.most_common(SHOWN * 2):
        measured(f"  {count} x {line}")


