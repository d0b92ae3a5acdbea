# SPDX-License-Identifier: Apache-2.0
"""Checks of the commands about cells, each a function; prints a line for what is wrong, status 1 if anything is.

    cell_commands.py [NAME…]     only these
"""
import io
import json
import os
import subprocess
import sys
import tarfile
import time

LICHEN = os.environ["LICHEN"]
WORK = os.environ["WORK"]
SLOW = os.environ.get("SLOW") == "1"
os.environ["LICHEN_STATE"] = os.path.join(WORK, "state")
os.environ.pop("LICHEN_CELL", None)
PATIENCE = 40 if SLOW else 20
CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def lichen(*argv, status=0, text=True, **how):
    how.setdefault("stdin", subprocess.DEVNULL if "input" not in how else None)
    if how["stdin"] is None:
        del how["stdin"]
    done = subprocess.run([LICHEN, *argv], capture_output=True, text=text, timeout=PATIENCE * 2, check=False, **how)
    assert status is None or done.returncode == status, f"{' '.join(argv)[:200]}: status {done.returncode}: {done.stdout[-500:]}{done.stderr[-900:]}"
    return done


def same(what, want, got):
    assert want == got, f"{what}: expected {want!r}, got {got!r}"


def cell(name, script, *options, wait=True, image="tiny"):
    """A cell in the background that runs a script, which says `ready` when others may look."""
    lichen("run", "-d", f"--name={name}", *options, image, "--", "sh", "-c", script)
    if wait:
        until("ready", lambda: "ready" in lichen("logs", name).stdout)


def until(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def state(name):
    return json.loads(lichen("inspect", name).stdout)["cells"][0]["state"]


def files(archive):
    """{path: (type, mode, uid, gid, link or content)} of the bytes of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        rows = {}
        for m in tar.getmembers():
            content = m.linkname if m.issym() or m.islnk() else tar.extractfile(m).read() if m.isfile() else ""
            rows[m.name.rstrip("/")] = (m.type.decode(), m.mode, m.uid, m.gid, content)
        return rows


CHANGING = """
echo hi >/home/a; ln /home/a /home/b; ln -s a /home/link; mkdir /home/dir; echo x >/home/dir/.file; chown 5:6 /home/dir; chmod 1770 /home/dir
rm /etc/os-release; rm -rf /var/tmp; mkdir /var/tmp; touch /var/tmp/new; rm /etc/nsswitch.conf; mkdir /etc/nsswitch.conf
rm -rf /home/gone; chmod 700 /root; mkfifo /home/fifo; echo more >>/etc/group
echo ready; exec sleep 1000
"""
CHANGED = """C /etc
C /etc/group
C /etc/nsswitch.conf
D /etc/os-release
C /home
A /home/a
A /home/b
A /home/dir
A /home/dir/.file
A /home/fifo
A /home/link
C /var
C /var/tmp
A /var/tmp/new
"""


@check
def diff_and_commit():
    cell("changing", CHANGING)
    same("diff", CHANGED, lichen("diff", "changing").stdout)
    rows = json.loads(lichen("diff", "--json", "changing").stdout)["changes"]
    same("diff --json", CHANGED, "".join(f"{r['kind']} {r['path']}\n" for r in rows))
    commit = ["commit", "-a", "me", "-m", "why", "-c", 'CMD ["sh", "-c", "cat /home/b; echo $A"]', "-c", 'ENV A="b c"', "changing", "new:1"]
    same("id", "sha256:", lichen(*commit).stdout[:7])
    same("running", "running", state("changing")["status"])
    lichen("rm", "-f", "changing")
    same("what it runs", "hi\nb c\n", lichen("run", "new:1").stdout)
    look = "ls /etc/os-release /var/tmp; stat -c '%n %u %g %a %h' /home/dir /home/a; readlink /home/link; stat -c %F /home/fifo /etc/nsswitch.conf; tail -n1 /etc/group"
    got = lichen("run", "new:1", "--", "sh", "-c", look, status=None)
    same("the tree", "/var/tmp:\nnew\n/home/dir 5 6 1770 2\n/home/a 0 0 644 2\na\nfifo\ndirectory\nmore\n", got.stdout)
    config = json.loads(lichen("image", "inspect", "new:1").stdout)[0]
    same("layers", 2, len(config["RootFS"]["Layers"]))
    # upon that one more, without a name; saved, removed, loaded
    cell("again", "rm -r /home; echo ready; sleep 1000", image="new:1")
    lichen("stop", "-t", "0", "again")
    same("diff of one that has ended", "D /home\n", lichen("diff", "again").stdout)
    image = lichen("commit", "-c", "ENTRYPOINT ls /home", "again").stdout.strip()
    lichen("rm", "again")
    lichen("tag", image, "third:x")
    lichen("save", "-o", "third.tar", "third:x")
    lichen("rmi", "third:x")
    lichen("rmi", "-f", image, status=None)
    lichen("load", "-i", "third.tar")
    assert "home" in lichen("run", "third:x", status=2).stderr
    cell("bad", "exit", wait=False)
    lichen("wait", "bad")
    lichen("commit", "-c", "EXPOSE 70000", "bad", "no:1", status=64)
    lichen("rm", "bad")
    assert "no:1" not in lichen("images").stdout
    lichen("run", "--name=plain", "--", "true")
    assert "no file tree of its own" in lichen("diff", "plain", status=1).stderr
    assert "no file tree of its own" in lichen("commit", "plain", status=1).stderr
    lichen("rm", "plain")


def main():
    os.chdir(WORK)
    lichen("image", "from-host", "tiny")
    wrong = 0
    for name in sys.argv[1:] or CHECKS:
        begin = time.monotonic()
        try:
            CHECKS[name]()
        except (AssertionError, subprocess.TimeoutExpired, OSError) as error:
            wrong += 1
            print(f"cell_commands: {name}: {error}")
        print(f"cell_commands: {name}: {time.monotonic() - begin:.1f} s")
    left = lichen("ps", "-aq").stdout.split()
    if left and not wrong:
        wrong += 1
        print(f"cell_commands: left over: {left}")
    lichen("rm", "-f", *left, status=None)
    return bool(wrong)


sys.exit(main())
