# SPDX-License-Identifier: Apache-2.0
"""Guests in one root directory that swap links for directories while others walk, make and change: what lies outside stays as it was.

    tests/gaps/test_tree_race.py ROUNDS      the part that runs in an environment; status 0: nothing was reached
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import difftest  # noqa: E402

ROUNDS = 150
GUESTS = 2


def picture(top):
    """All that can be said of what is below, but for access times."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        st = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (st.st_ino, st.st_mode, st.st_nlink, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns, st.st_ctime_ns, content)
    return found


def race(rounds):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # not /dev/shm, which a tree has, too
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        outside = folder / "outside"
        for path in ("root", "outside", "outside/sub"):
            (folder / path).mkdir()
        for path in ("canary", "f", "sub/canary"):
            (outside / path).write_text(path)
        (folder / "canary").write_text("above the root")
        shutil.copy(difftest.binary("fs/race"), folder / "root/prog")
        guarded = [outside, *outside.rglob("*"), folder, folder / "canary", pathlib.Path("/")]
        inodes = [str(p.stat().st_ino) for p in guarded if p.stat().st_dev == folder.stat().st_dev]
        before, names = picture(outside), sorted(os.listdir(folder))
        command = [difftest.lichen(), "run", "--emulate=overlay", "--rootfs", f"{folder}/root", "--", "/prog", str(rounds), str(outside)]
        command += [str(folder.stat().st_dev)] + inodes
        guests = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(GUESTS)]
        statuses = [guest.wait() for guest in guests]
        after = picture(outside)
        changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
        changed += sorted(set(os.listdir(folder)) ^ set(names))
        print(f"statuses {statuses}, changed outside: {changed}")
        return 0 if not any(statuses) and not changed else 1


if __name__ == "__main__":
    sys.exit(race(int(sys.argv[1])))

import pytest  # noqa: E402


def cells():
    for env in difftest.ENVS:
        yield pytest.param("guest root under races", env, id=env, marks=pytest.mark.xdist_group(f"tree-race-{env}"))


@pytest.mark.parametrize("group,env", cells())
def test_nothing_outside_is_reached(group, env):
    rounds = ROUNDS // 10 if env in difftest.SLOW else ROUNDS
    run = subprocess.run(
        [str(difftest.HERE.parent / "envs" / env), "/usr/bin/python3", "-I", str(pathlib.Path(__file__).resolve()), str(rounds)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=difftest.REPO,
    )
    assert run.returncode == 0, f"status {run.returncode}: {run.stdout[-3000:]}{run.stderr[-2000:]}"
