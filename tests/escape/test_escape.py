# SPDX-License-Identifier: Apache-2.0
"""Every attack in every environment, one item each; an environment is entered once per test worker."""
import os
import sys

import pytest
from conftest import children, reap_orphans

sys.path.insert(0, os.path.dirname(__file__))
import attacks  # noqa: E402
import escape  # noqa: E402

FOUND = {}


def parameters():
    for env in attacks.ENVS:
        for row in filter(lambda row, env=env: env in row.envs, attacks.ATTACKS):
            yield pytest.param(env, row, id=f"{row.name}-{env}", marks=pytest.mark.xdist_group(f"escape-{env}"))


@pytest.mark.parametrize("env,row", parameters())
def test_escapes_only_without_a_cage(env, row, request):
    if env not in FOUND:  # the first: run all that this session wants of this environment
        items = [i for i in request.session.items if i.path == request.node.path and hasattr(i, "callspec")]
        chosen = [i.callspec.params["row"].name for i in items if i.callspec.params.get("env") == env]
        others = set(children(os.getpid()))
        FOUND[env] = escape.run_in(env, list(dict.fromkeys(chosen)), meanwhile=lambda pid: reap_orphans(others | {pid}))
    wrong = escape.judge(row, env, FOUND[env].get(row.name, {}))
    if wrong:
        pytest.fail("\n".join([*wrong, FOUND[env].get("error", "")]), pytrace=False)


def test_each_row_of_the_tables_is_of_an_attack():
    known = {row.name for row in attacks.ATTACKS} | {row.program for row in attacks.ATTACKS}
    assert all(row[0] in known for row in attacks.ABSENT + attacks.LAYERS + attacks.LIMITS)
    assert all(name.split("/")[0] in known for name in attacks.MACHINE)
    assert len({row.name for row in attacks.ATTACKS}) == len(attacks.ATTACKS)


def test_every_program_is_an_attack():
    used = {row.program or row.name for row in attacks.ATTACKS if not row.command} | {"victim"}
    assert used == {path.stem for path in escape.HERE.glob("*.c")}


def test_the_judge_notices_an_escape():
    row = next(row for row in attacks.ATTACKS if row.name == "files")
    clean = {"status": 77, "ways": {"read": "EACCES"}, "err": "", "changed": [], "guards": [], "reached": [], "done_to": []}
    uncaged = dict(clean, ways={"read": "escaped"}, changed=["secret"])
    assert not escape.judge(row, "host", {"uncaged": uncaged, "caged": clean})
    assert escape.judge(row, "host", {"uncaged": uncaged, "caged": dict(clean, ways={"read": "escaped"})})
    assert escape.judge(row, "host", {"uncaged": uncaged, "caged": dict(clean, changed=["secret"])})
    assert escape.judge(row, "host", {"uncaged": uncaged, "caged": dict(clean, ways={})})
    assert escape.judge(row, "host", {"uncaged": clean, "caged": clean})
    refused = dict(clean, status=69, ways={}, err="lichen: ... --allow-weaker=files\n")
    weaker = dict(clean, ways={"read": "escaped"}, missing="files")
    assert escape.judge(row, "host", {"uncaged": uncaged, "caged": refused, "weaker": weaker})
    assert not escape.judge(row, "gvisor24", {"uncaged": uncaged, "caged": refused, "weaker": weaker})
    assert escape.judge(row, "gvisor24", {"uncaged": uncaged, "caged": refused, "weaker": dict(weaker, missing="limits")})
    assert not escape.judge(row, "gvisor24", {"uncaged": uncaged, "caged": refused})
    assert escape.judge(row, "docker", {"uncaged": uncaged, "caged": refused})
    limit = next(row for row in attacks.ATTACKS if row.name == "limit_wait")
    waited = dict(clean, status=0, ways={"wait": "escaped"})
    assert escape.judge(limit, "host", {"uncaged": waited, "caged": dict(clean, status=78, ways={})})
    assert not escape.judge(limit, "host", {"uncaged": waited, "caged": dict(clean, status=124, ways={})})
    assert escape.judge(limit, "host", {"uncaged": waited, "caged": dict(clean, status=-9, ways={}, hung=True)})
