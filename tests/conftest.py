# SPDX-License-Identifier: Apache-2.0
"""Shared by all tests: environments, the table at the end of a run, the cap on skips, and no process left behind.

Every test belongs to one cell of the table: a row (test group) and a column (environment).  A test with parameters `group`
and `env` says so by them; without `env` it counts for `host`; without `group` its row is its folder below tests/ (and for
tests/gaps/NAME also what the file is called).  e2e/matrix.toml lists what must be there and why other cells are empty.
"""
import ctypes
import os
import pathlib
import signal
import subprocess
import time
import tomllib

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
REPO = TESTS.parent
ENVS = ("host", "tiny", "docker", "restricted", "gvisor", "gvisor24")
PR_SET_CHILD_SUBREAPER = 36

with open(TESTS / "e2e/matrix.toml", "rb") as matrix_file:
    MATRIX = tomllib.load(matrix_file)


def pytest_addoption(parser):
    parser.addoption(
        "--under",
        default="lichen",
        choices=("lichen", "why", "native"),
        help="run the programs of tests/e2e under lichen (default), recorded by `lichen why`, or natively: what the environment can do",
    )
    parser.addoption("--failed", type=pathlib.Path, help="write what failed to this file, a line each (tests/run)")
    parser.addoption("--env", action="append", choices=ENVS, help="only the tests of this environment (repeatable)")


def is_controller(config):
    return not hasattr(config, "workerinput")


def pytest_sessionstart(session):
    # Started in the background, or by nohup, we were told to ignore what tests send to the programs that they start.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    # Orphans of a test become children of the process that runs it, which ends them after the test.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if is_controller(session.config) and not session.config.option.collectonly:
        lichen = os.environ.get("LICHEN") or str(REPO / "build/lichen")
        if session.config.getoption("--under") != "native" and not os.access(lichen, os.X_OK):
            pytest.exit(f"{lichen} does not exist: run make first", returncode=1)
        if subprocess.run([TESTS / "e2e/prepare"], check=False).returncode != 0:
            pytest.exit("tests/e2e/prepare failed", returncode=1)


def place(item):
    """The cell (row, column) of a test."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    path = pathlib.Path(item.path).relative_to(TESTS)
    row = params.get("group")
    if row is None:
        row = "/".join(path.parts[:-1]) or path.stem
        if path.parts[0] == "gaps":
            row += f" {path.stem.removeprefix('test_')}"
    return str(row), str(params.get("env", "host"))


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--env")
    dropped = []
    for item in items:
        cell = place(item)
        item.user_properties.append(("cell", cell))
        if wanted and cell[1] not in wanted:
            dropped.append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [i for i in items if i not in dropped]
    # Longest first: the workers then end at about the same time.
    items.sort(key=lambda i: -expected_seconds(*place(i)))


def expected_seconds(row, env):
    group, of_gaps = row.split()[0], row.endswith((" against the kernel", " recorded"))
    if row.removesuffix(" recorded") in MATRIX["groups"]:
        return MATRIX["groups"][group].get("seconds", 1)
    return MATRIX["gap_seconds"].get(group, 1) * MATRIX["slow"].get(env, 1) if of_gaps else 1


# --- nothing is left behind ------------------------------------------------------------------------------------------------


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                found += [int(word) for word in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def end_descendants(keep):
    """Kills what a test left running, except the processes in keep; returns how many there were."""
    ended = set()
    for _ in range(100):
        todo = [p for p in children(os.getpid()) if p not in keep]
        if not todo:
            return len(ended)
        while todo:
            pid = todo.pop()
            todo += children(pid)
            try:
                os.kill(pid, signal.SIGKILL)
                ended.add(pid)
            except ProcessLookupError:
                pass
        try:
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                ended.add(pid)
        except ChildProcessError:
            return len(ended)
        time.sleep(0.02)
    return len(ended)


def reap_orphans(keep):
    """Reaps those that ended among our children, except the processes in keep: as init does."""
    for pid in children(os.getpid()):
        if pid not in keep:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


@pytest.fixture(autouse=True)
def nothing_left_behind():
    before = set(children(os.getpid()))
    yield
    end_descendants(before)


# --- the table -------------------------------------------------------------------------------------------------------------


class Table:
    def __init__(self):
        self.cells = {}  # (row, column) -> list of outcomes
        self.skips = []  # (row, column, reason)
        self.failed = []  # as pytest wants to be told them

    def add(self, report):
        cell = dict(report.user_properties).get("cell")
        if cell is None or not (report.when == "call" or report.outcome != "passed"):
            return
        row, column = cell
        if report.outcome == "failed":
            self.failed.append(report.nodeid.rsplit("]@", 1)[0] + ("]" if "]@" in report.nodeid else ""))
        self.cells.setdefault((row, column), []).append(report.outcome)
        if report.outcome == "skipped":
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skips.append((row, column, reason.removeprefix("Skipped: ")))

    def render(self, write, under):
        notes = []

        def note(text):
            if text not in notes:
                notes.append(text)
            return f"[{notes.index(text) + 1}]"

        listed = list(MATRIX["groups"])
        rows = sorted({r for r, _ in self.cells}, key=lambda r: (r in listed, listed.index(r) if r in listed else 0, r))
        columns = [c for c in ENVS if any(col == c for _, col in self.cells)]
        width = max([len(r) for r in rows] + [8])
        write(f"{'':{width}}  " + "".join(f"{c:11}" for c in columns).rstrip())
        for row in rows:
            line = f"{row:{width}}  "
            absent = MATRIX["groups"].get(row, {}).get("absent", {})
            for column in columns:
                outcomes = self.cells.get((row, column))
                if outcomes is None:
                    text = "-" + (note(absent[column]) if column in absent else "")
                elif "failed" in outcomes:
                    text = "FAIL"
                elif "passed" in outcomes:
                    text = "ok"
                else:
                    reason = next(s[2] for s in self.skips if s[:2] == (row, column))
                    text = "skip" + note(reason)
                line += f"{text:11}"
            write(line.rstrip())
        for number, text in enumerate(notes, 1):
            write(f"[{number}] {text}")
        if under == "native":
            write("(run natively: without lichen)")


TABLE = Table()


def pytest_runtest_logreport(report):
    TABLE.add(report)


def pytest_terminal_summary(terminalreporter, config):
    if TABLE.cells:
        terminalreporter.section("environments")
        TABLE.render(terminalreporter.write_line, config.getoption("--under"))
        if too_many_skips():
            terminalreporter.write_line(
                f"FAIL: {len(TABLE.skips)} tests were skipped; tests/e2e/matrix.toml allows {MATRIX['max_skips']}"
            )


def too_many_skips():
    return len(TABLE.skips) > MATRIX["max_skips"]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if not is_controller(session.config):
        return
    if exitstatus == 0 and too_many_skips():
        session.exitstatus = 1
    if session.config.option.failed:
        session.config.option.failed.write_text("".join(f"{name}\n" for name in TABLE.failed), encoding="utf-8")
