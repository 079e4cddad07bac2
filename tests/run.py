"""run.py - builds leat and runs the groups of its tests; called by tests/run, which installs packages first.

Each group answers with how many of its tests passed and failed. What a group prints is kept in build/log/GROUP.log and shown
when something failed. The last line adds everything up; the exit status is 1 when anything failed.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "log"
PYTHON = "/usr/bin/python3"
FUZZ_SECONDS = 5


class Count(collections.namedtuple("Count", "passed failed skipped", defaults=[0, 0, 0])):
    def __add__(self, other):
        return Count(*(a + b for a, b in zip(self, other)))


class Log:
    """A group's output, and the commands that write it."""

    def __init__(self, group):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.path = LOGS / f"{group}.log"
        self.path.write_text("")

    def say(self, text):
        with open(self.path, "a") as log:
            log.write(text + "\n")

    def run(self, *command, seconds=900, env=None, cwd=ROOT):
        """Runs a command; returns its exit status and what it printed. One that takes too long is killed with its children."""
        self.say(f"$ {' '.join(map(str, command))}")
        process = subprocess.Popen(
            list(map(str, command)), cwd=cwd, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        try:
            output, _ = process.communicate(timeout=seconds)
        except BaseException as stop:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            if not isinstance(stop, subprocess.TimeoutExpired):
                raise
            output += f"\nkilled after {seconds} s\n"
        self.say(output)
        return process.returncode, output


class Flavour:
    """A build of its own, with its configure options and what its programs need to run."""

    def __init__(self, name, *options, env=None, launcher=(), marks=""):
        """marks: which of pytest's tests are run."""
        self.name = name
        self.marks = marks
        self.options = options
        self.env = {"LEAT_BUILD": str(BUILD / name)} | (env or {})
        self.launcher = launcher
        self.is_built = None

    def build(self, log):
        """Builds once; whether it worked."""
        if self.is_built is None:
            print(f"building {self.name} ...", flush=True)
            status, _ = log.run(ROOT / "autotools" / "build", BUILD / self.name, *self.options, "--", "all", "check-programs")
            self.is_built = status == 0
        return self.is_built

    def programs(self, pattern):
        return [path for path in sorted((BUILD / self.name).glob(pattern)) if path.is_file() and os.access(path, os.X_OK)]


def without_address_randomisation():
    """ThreadSanitizer of gcc 12 cannot live with the randomisation of newer kernels."""
    launcher = ("setarch", platform.machine(), "-R")
    works = subprocess.run([*launcher, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return launcher if works else ()


DEV = Flavour("dev", "--enable-dev")
ASAN = Flavour("asan", "--enable-dev", "--enable-asan", marks="not long and not outage", env={
    "LEAT_TEST_FLAVOUR": "asan",
    # Freed memory is kept back from use, but not so much that a test could not see whether it returns.
    "ASAN_OPTIONS": "strict_string_checks=1:check_initialization_order=1:quarantine_size_mb=32",
    "UBSAN_OPTIONS": "print_stacktrace=1",
})
TSAN = Flavour("tsan", "--enable-dev", "--enable-tsan", marks="not long and not outage and not alone", env={
    "LEAT_TEST_FLAVOUR": "tsan",
    # A process that leaves a call behind, which hangs, leaves its thread.
    "TSAN_OPTIONS": "second_deadlock_stack=1:report_thread_leaks=0",
}, launcher=without_address_randomisation())


# Groups: each takes a log and returns a Count.


@contextlib.contextmanager
def one_postgres():
    """The environment with a PostgreSQL for all unit programs. Without it, as where it cannot be started, each makes its own."""
    names = ("LEAT_TEST_DATABASE", "LEAT_TEST_POSTGRES_CTL", "LEAT_TEST_BOUNCER")
    tell = "; ".join(f'echo "${name}"' for name in names)
    script = ROOT / "tests" / "unit" / "with-postgres"
    with subprocess.Popen([script, "sh", "-c", f"{tell}; exec sleep infinity"], stdout=subprocess.PIPE, text=True) as server:
        told = [server.stdout.readline().rstrip("\n") for _ in names]
        try:
            yield dict(zip(names, told)) if told[0] else {}
        finally:
            server.terminate()


def unit(log, flavour=DEV):
    """Check programs, one a module."""
    if not flavour.build(log):
        return Count(failed=1)
    apart, at_postgres = [], []
    for program in flavour.programs("tests/unit/t_*"):
        (at_postgres if "postgres_need" in (ROOT / "tests" / "unit" / f"{program.name}.c").read_text() else apart).append(program)
    with one_postgres() as postgres, concurrent.futures.ThreadPoolExecutor() as lanes:
        counts = lanes.map(lambda programs: run_programs(log, flavour, programs, postgres), (at_postgres, apart))
        return sum(counts, Count())


def run_programs(log, flavour, programs, env):
    """One after the other."""
    count = Count()
    for program in programs:
        _, output = log.run(*flavour.launcher, program, seconds=300, cwd=program.parent,
                            env=flavour.env | env | {"CK_VERBOSITY": "normal", "srcdir": str(ROOT)})
        summary = re.search(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", output, re.MULTILINE)
        if summary:
            checks, failures, errors = map(int, summary.groups())
            count += Count(checks - failures - errors, failures + errors)
        if not summary or ("Sanitizer" in output and not failures + errors):
            log.say(f"{program.name}: FAILED as a whole")
            count += Count(failed=1)
    return count


def rules(log):
    """What the layout of the source promises: tests/rules."""
    if not DEV.build(log):
        return Count(failed=1)
    count = Count()
    for script in sorted((ROOT / "tests" / "rules").glob("*.sh")):
        status, output = log.run(script, env=DEV.env)
        passed = len(re.findall(r"^ok ", output, re.MULTILINE))
        failed = len(re.findall(r"^not ok ", output, re.MULTILINE))
        count += Count(passed, failed or int(status != 0 or passed == 0))
    return count


def pytest(folder, log, flavour=DEV):
    if not flavour.build(log):
        return Count(failed=1)
    report = LOGS / f"{log.path.stem}-{folder}.xml"
    report.unlink(missing_ok=True)
    some = ["-m", flavour.marks] if flavour.marks else []
    log.run(*flavour.launcher, PYTHON, "-B", "-m", "pytest", "-q", "-ra", *some, "-p", "no:cacheprovider", "-n", os.cpu_count(),
            "--dist", "loadfile", f"--junit-xml={report}", ROOT / "tests" / folder, env=flavour.env)
    if not report.exists():
        return Count(failed=1)
    suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    tests, failures, errors, skipped = (int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
    return Count(tests - failures - errors - skipped, failures + errors, skipped)


def web(log, flavour=DEV):
    """leat behind nginx and lighttpd, before PostgreSQL."""
    return pytest("web", log, flavour)


def hostile(log, flavour=DEV):
    """Front servers that break the rules of FastCGI."""
    return pytest("hostile", log, flavour)


def install(log):
    """A service outside the tree, built against the installed library."""
    return pytest("install", log)


def demo(log):
    """The command deploy/demo, with each front server."""
    return pytest("demo", log)


def distcheck(log):
    """The source archive builds, passes its unit tests and installs."""
    if not DEV.build(log):
        return Count(failed=1)
    status, _ = log.run("make", "-C", BUILD / "dev", f"-j{os.cpu_count()}", "distcheck")
    return Count(passed=int(status == 0), failed=int(status != 0))


def sanitized(log, flavour):
    return sum((group(log, flavour) for group in (unit, web, hostile)), Count())


def asan(log):
    """unit, web (but what is marked long or outage) and hostile under AddressSanitizer and UndefinedBehaviorSanitizer."""
    return sanitized(log, ASAN)


def tsan(log):
    """unit, web (but what is marked long, outage or alone) and hostile under ThreadSanitizer."""
    return sanitized(log, TSAN)


def fuzz(log):
    """Each fuzz target for a few seconds."""
    count = Count()
    for target in sorted((ROOT / "tests" / "fuzz").glob("fuzz_*.c")):
        status, _ = log.run(ROOT / "tests" / "fuzz" / "run", target.stem, FUZZ_SECONDS)
        count += Count(passed=int(status == 0), failed=int(status != 0))
    return count


SOAK = {"minutes": 30, "seed": None, "flavour": "dev"}


def soak(log):
    """Random faults under load: --minutes N --seed N --flavour asan. Only when asked for."""
    flavour = {flavour.name: flavour for flavour in (DEV, ASAN, TSAN)}[SOAK["flavour"]]
    if not flavour.build(log):
        return Count(failed=1)
    seed = [] if SOAK["seed"] is None else ["--seed", SOAK["seed"]]
    _, output = log.run(*flavour.launcher, PYTHON, "-B", ROOT / "tests" / "soak" / "soak.py", "--minutes", SOAK["minutes"], *seed,
                        seconds=SOAK["minutes"] * 60 + 900, env=flavour.env)
    counts = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    return Count(*map(int, counts.groups())) if counts else Count(failed=1)


GROUPS = {group.__name__: group for group in (rules, unit, web, hostile, install, demo, distcheck, fuzz, asan, tsan)}
SELDOM = {"soak": soak}


# What a line has that says which test failed: of rules, of pytest, of Check, of a program as a whole, of a sanitizer.
FAILURE = re.compile(r"^not ok |^(FAILED|ERROR) |^\S+\.[ch]:\d+:[FE]:|: FAILED as a whole$|Sanitizer: |^killed after ")


def run_group(name):
    log = Log(name)
    began = time.monotonic()
    count = (GROUPS | SELDOM)[name](log)
    lines = log.path.read_text().splitlines()
    if count.failed:
        print(*lines[-200:], sep="\n")
        print(f"the whole log: {log.path}; what failed:")
        print(*filter(FAILURE.search, lines), sep="\n")
    for line in lines:
        if line.startswith("measured: "):
            print(f"{name:10} {line}")
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    print(f"{name:10} {count.passed} passed, {count.failed} failed{skipped}, {time.monotonic() - began:.0f} s", flush=True)
    return count


def main():
    parser = argparse.ArgumentParser(
        prog="tests/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Builds leat and runs its tests; without groups, all of them.",
        epilog="groups:\n" + "\n".join(f"  {name:10} {group.__doc__}" for name, group in (GROUPS | SELDOM).items()))
    parser.add_argument("--no-install", action="store_true", help="install no packages")
    parser.add_argument("--minutes", type=float, default=SOAK["minutes"], help="of the soak (default 30)")
    parser.add_argument("--seed", type=int, help="of the soak; without one, any")
    parser.add_argument("--flavour", choices=("dev", "asan", "tsan"), default=SOAK["flavour"], help="of the soak (default dev)")
    parser.add_argument("groups", nargs="*", metavar="group")
    arguments = parser.parse_args()
    SOAK.update(minutes=arguments.minutes, seed=arguments.seed, flavour=arguments.flavour)
    names = arguments.groups or list(GROUPS)
    unknown = [name for name in names if name not in GROUPS | SELDOM]
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}")

    total = sum((run_group(name) for name in names), Count())
    print(f"{total.passed} passed, {total.failed} failed")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
