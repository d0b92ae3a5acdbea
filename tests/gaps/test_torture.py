# SPDX-License-Identifier: Apache-2.0
"""SysV IPC and the cell's log with random SIGKILLs, under lichen in every environment; SysV IPC natively, too (the oracle must pass its own test)."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import difftest  # noqa: E402

KILLS = {"host": 3000, "tiny": 1000, "docker": 1000, "restricted": 1000, "gvisor": 60, "gvisor24": 150}
NATIVE = {"host"}  # where the kernel's own SysV IPC is whole


def cells():
    for env in difftest.ENVS:
        for how in ("lichen", "native"):
            if how == "lichen" or env in NATIVE:
                mark = pytest.mark.xdist_group(f"torture-{env}-{how}")
                yield pytest.param("sysvipc torture", env, how, id=f"{how}-{env}", marks=mark)


@pytest.mark.parametrize("group,env,how", cells())
def test_torture(group, env, how):
    program = [str(difftest.binary("sysvipc/torture")), str(KILLS[env]), "6", str(os.getpid() % 1000 + 1)]
    prefix = [difftest.lichen(), "run"] + difftest.GROUPS["sysvipc"] + ["--"] if how == "lichen" else difftest.private_ipc()
    run = subprocess.run(
        [str(difftest.HERE.parent / "envs" / env)] + prefix + program,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=difftest.REPO,
    )
    print(run.stdout)
    assert run.returncode == 0, f"status {run.returncode}: {run.stdout[-3000:]}{run.stderr[-1000:]}"
    assert run.stdout.splitlines()[-1].startswith("torture: ") and " 0 wrong" in run.stdout, run.stdout[-1000:]


def device_cells():
    for env in difftest.ENVS:
        if env != "restricted":  # only root writes to /dev/kmsg
            mark = pytest.mark.xdist_group(f"torture-devices-{env}")
            yield pytest.param("devices torture", env, id=f"devices-{env}", marks=mark)


@pytest.mark.parametrize("group,env", device_cells())
def test_devices_torture(group, env):
    program = [str(difftest.binary("devices/torture")), str(KILLS[env] // 3), "6", str(os.getpid() % 1000 + 1)]
    run = subprocess.run(
        [str(difftest.HERE.parent / "envs" / env), difftest.lichen(), "run"] + difftest.GROUPS["devices"] + ["--"] + program,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=difftest.REPO,
    )
    print(run.stdout)
    assert run.returncode == 0, f"status {run.returncode}: {run.stdout[-3000:]}{run.stderr[-1000:]}"
    assert run.stdout.splitlines()[-1].startswith("torture: ") and " 0 wrong" in run.stdout, run.stdout[-1000:]
