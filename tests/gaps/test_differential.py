# SPDX-License-Identifier: Apache-2.0
"""Every differential test in every environment, one item each; an environment is entered once per group and test worker."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import difftest  # noqa: E402

VERDICTS = {}


def cells(recorded):
    """Parameters: row of the results' table, environment, program."""
    for group in difftest.GROUPS:
        for env in difftest.RECORDED.get(group, ()) if recorded else difftest.ENVS:
            for name in filter(lambda name, env=env: difftest.runs_in(name, env), difftest.names(group)):
                row = f"{group} {'recorded' if recorded else 'against the kernel'}"
                mark = pytest.mark.xdist_group(f"{group}-{env}{'-recorded' if recorded else ''}")
                yield pytest.param(row, env, name, id=f"{name}-{env}", marks=mark)


def check(group, env, name, request, recorded):
    if (group, env) not in VERDICTS:  # the first of its group: run all that this session wants of it at once
        chosen = [
            item.callspec.params["name"]
            for item in request.session.items
            if hasattr(item, "callspec") and item.callspec.params.get("group") == group and item.callspec.params.get("env") == env
        ]
        VERDICTS[group, env] = difftest.compare(env, list(dict.fromkeys(chosen)), recorded=recorded)
    verdict = VERDICTS[group, env][name]
    if verdict is not None:
        pytest.fail(verdict, pytrace=False)


@pytest.mark.parametrize("group,env,name", cells(recorded=False))
def test_same_as_the_kernel(group, env, name, request):
    check(group, env, name, request, recorded=False)


@pytest.mark.parametrize("group,env,name", cells(recorded=True))
def test_recording_changes_nothing(group, env, name, request):
    check(group, env, name, request, recorded=True)


def test_every_program_is_built():
    missing = [n for n in difftest.names() if not os.access(difftest.binary(n), os.X_OK)]
    assert not missing, f"not in build/tests/gaps: {missing}: add them to tests/gaps/meson.build"


def test_the_comparison_notices_a_difference():
    same = {"out": "a\nb\n", "status": 0, "err": ""}
    assert difftest.difference("engine/x", "host", same, dict(same)) is None
    assert "-b" in difftest.difference("engine/x", "host", same, dict(same, out="a\nc\n"))
    assert "exit status 3" in difftest.difference("engine/x", "host", same, dict(same, status=3))
    assert difftest.difference("engine/x", "host", same, dict(same, out="a\nb\nb\n"))
    other = dict(same, out="x\nc\n")
    assert difftest.difference("engine/x", "gvisor", same, dict(same, out="x\nb\n"), other) is None
    assert difftest.difference("engine/x", "gvisor", same, dict(same, out="x\ny\n"), other)


def test_deviations_name_programs_that_exist():
    known = set(difftest.names())
    assert all(row[0] in known for row in difftest.DEVIATIONS)
    assert all(name in known for name, _ in difftest.ASK_ITSELF | difftest.ALSO_FROM_HOST)
    assert all(name in known for name in difftest.NOT_HERE)


def test_one_program_ends_the_run_not_the_others():
    result = difftest.execute([sys.executable, "-c", "import time; print('x', flush=True); time.sleep(60)"], 1)
    assert result["status"] == 128 + 9 and "no end after 1 s" in result["out"]
    assert difftest.execute(["sh", "-c", "kill -TERM $$"], 5)["status"] == 128 + 15
    assert subprocess.run(["true"], check=False).returncode == 0
