# SPDX-License-Identifier: Apache-2.0
"""Real programs under lichen in every environment: one item is one script of cases/ run by tests/envs/ENV."""
import os
import subprocess
import tempfile
import time

import pytest
from conftest import ENVS, MATRIX, REPO, TESTS, children, reap_orphans

SKIP = 77
LAST = 4000  # characters of output shown of a case that failed


def cells(case=True):
    for group, row in MATRIX["groups"].items():
        if row.get("case", True) != case:
            continue
        for env in ENVS:
            if env not in row.get("absent", {}):
                yield pytest.param(group, env, id=f"{group}-{env}", marks=pytest.mark.xdist_group(f"{group}-{env}"))


def recorded_cells():
    """Programs that also run under `lichen why`, which must change nothing of what they do."""
    for group, row in MATRIX["groups"].items():
        for env in row.get("recorded", ()):
            mark = pytest.mark.xdist_group(f"{group}-{env}-recorded")
            yield pytest.param(f"{group} recorded", env, id=f"{group}-{env}", marks=mark)


def run(command, env, seconds):
    """Runs a command with a time-out; returns (status, output). Status None: the time is over."""
    others = set(children(os.getpid()))
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(
            command, cwd=REPO, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ) as process:
            end = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
                reap_orphans(others | {process.pid})
            status = process.returncode
            if status is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
        log.seek(0)
        return status, log.read().decode(errors="replace")


def run_case(group, env, under):
    """One case in one environment: under lichen, recorded by `lichen why`, or native."""
    row = MATRIX["groups"][group]
    lichen = os.environ.get("LICHEN") or str(REPO / "build/lichen")
    how = "why --output=/dev/null" if under == "why" else "run"
    prefix = f"{lichen} {how} {row.get('options', '--emulate=all')} --"
    variables = dict(
        os.environ,
        RUN="" if under == "native" else prefix,
        LICHEN=lichen,
        UNDER=under,
        ENVIRONMENT=env,
        SLOW="1" if env in MATRIX["slow"] else "0",
        **row.get("variables", {}),
    )
    limit = row["timeout"] * MATRIX["slow"].get(env, 1)
    with tempfile.TemporaryDirectory(prefix="e2e-share-") as share:
        if row.get("share"):  # a folder of the host's own, which sandboxes mount
            variables["LICHEN_ENV_OUT"] = share
        status, output = run([TESTS / "envs" / env, str(TESTS / f"e2e/cases/{group}.sh")], variables, limit)
    print(output)
    if status is None:
        pytest.fail(f"no end after {limit} s: {output[-LAST:]}", pytrace=False)
    if status == SKIP:
        pytest.skip(output.strip().splitlines()[-1] if output.strip() else "no reason given")
    if status != 0:
        pytest.fail(f"status {status}: {output[-LAST:]}", pytrace=False)
    # A status of 0 alone would also be what an engine returns that ran nothing.
    assert f"{group}: passed" in output.splitlines(), f"status 0, but no word of success: {output[-LAST:]}"


@pytest.mark.parametrize("group,env", cells())
def test_program(group, env, request):
    run_case(group, env, request.config.getoption("--under"))


@pytest.mark.parametrize("group,env", recorded_cells())
def test_program_recorded(group, env):
    run_case(group.removesuffix(" recorded"), env, "why")


@pytest.mark.parametrize("group,env", cells(case=False))
def test_environment(group, env):
    row = MATRIX["groups"][group]
    status, output = run([TESTS / "envs/selftest", env], dict(os.environ), row["timeout"])
    print(output)
    failures = [line for line in output.splitlines() if line.startswith("not ok")]
    assert status == 0, f"status {status}: " + ("\n".join(failures) or output[-LAST:])
