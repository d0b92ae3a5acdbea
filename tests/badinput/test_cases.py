# SPDX-License-Identifier: Apache-2.0
"""Every case of cases.py in every environment where it makes sense; an environment is entered once per test worker."""
import json
import os
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import cases  # noqa: E402

VERDICTS = {}


def run_all(env, names):
    """Runs cases inside an environment: name -> None or what was wrong."""
    with tempfile.TemporaryDirectory(prefix="badinput-") as out:
        done = subprocess.run(
            [cases.REPO / "tests/envs" / env, "/usr/bin/python3", "-B", cases.__file__, *names],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=cases.REPO,
            env=dict(os.environ, LICHEN_ENV_OUT=out),
        )
    verdicts = {v["name"]: v["error"] for v in map(json.loads, done.stdout.splitlines())}
    lost = f"no verdict; {env} ended with {done.returncode}: {done.stderr[-2000:]}"
    return {name: verdicts.get(name, lost) for name in names}


def parameters():
    for name, (_, envs) in cases.CASES.items():
        for env in envs:
            mark = pytest.mark.xdist_group(f"badinput-{env}")
            yield pytest.param(env, name, id=f"{name}-{env}", marks=mark)


@pytest.mark.parametrize("env,name", parameters())
def test_bad_input(env, name, request):
    if env not in VERDICTS:
        chosen = [
            item.callspec.params["name"]
            for item in request.session.items
            if item.path == request.node.path and item.callspec.params["env"] == env
        ]
        VERDICTS[env] = run_all(env, list(dict.fromkeys(chosen)))
    if VERDICTS[env][name] is not None:
        pytest.fail(VERDICTS[env][name], pytrace=False)
