# SPDX-License-Identifier: Apache-2.0
"""Checks of the commands about cells, each a function; prints a line for what is wrong, status 1 if anything is.

    cell_commands.py [NAME…]     only these
"""
import io
import json
import os
import random
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
    if SLOW:
        return
    # as the cell's root, whoever its command is
    cell("user", "echo ready; sleep 1000", "--user=daemon", image="new:1")
    lichen("cp", os.path.abspath(__file__), "user:/root/here")
    assert b"cp" in files(lichen("cp", "user:/root/here", "-", text=False).stdout)["here"][4]
    lichen("rm", "-f", "user")
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


@check
def copies():
    script = "mkdir -p /d/e; echo hi >/d/f; chown 5:6 /d/f; chmod 4755 /d/f; ln -s /etc/passwd /d/l; ln -s /d /dd; ln -s /tmp /out; mkdir /ro; chmod 555 /ro; touch /ro/x; echo ready; exec sleep 1000"
    cell("web", script, "--volume", f"{WORK}/shared:/vol")
    for ended in (True,) if SLOW else (False, True):
        if ended:
            lichen("stop", "-t", "0", "web")
        here = f"here{ended}"
        os.mkdir(here)
        lichen("cp", "web:/d", here)
        lichen("cp", "web:d/.", here)
        for args in () if SLOW else (["web:/dd/", f"{here}/new"], ["web:/d/l", f"{here}/link"], ["-L", "web:/d/l", f"{here}/passwd"], ["web:/../../ro", f"{here}/"]):
            lichen("cp", *args)
        want = ["d", "d/e", "d/f", "d/l", "e", "f", "l"] + ["link", "new", "new/e", "new/f", "new/l", "passwd", "ro", "ro/x"] * (not SLOW)
        same("names", want, sorted(os.path.relpath(os.path.join(at, n), here) for at, dirs, names in os.walk(here) for n in dirs + names))
        st = os.stat(f"{here}/f")
        same("ours", (os.geteuid(), 0o755), (st.st_uid, st.st_mode & 0o7777))
        if not SLOW:
            same("link", "/etc/passwd", os.readlink(f"{here}/link"))
            assert "lichen" not in open(f"{here}/passwd", encoding="utf-8").read()
            same("mode", 0o555, os.stat(f"{here}/ro").st_mode & 0o7777)
            os.chmod(f"{here}/ro", 0o755)
        same("-a -", {"d": ("5", 0o755, 0, 0, ""), "d/e": ("5", 0o755, 0, 0, ""), "d/f": ("0", 0o4755, 5, 6, b"hi\n"),
                      "d/l": ("2", 0o777, 0, 0, "/etc/passwd")}, files(lichen("cp", "web:/d", "-", text=False).stdout))
        for bad, why in ((["web:/none", here], "No such file"), (["web:/d/f", f"{here}/none/"], "no such directory"),
                         ([here, "web:/d/f"], "cannot take the place"), (["web:/d/f/", here], "Not a directory"),
                         (["web:/d", f"{here}/f"], "cannot take the place"), ([f"{here}/f", "web:/none/x"], "No such file"),
                         ([f"{here}/none", "web:/"], "No such file"), ([here, "web:"], "empty"), (["web:/d", "web:/e"], "twice"),
                         (["nobody:/d", here], "no such cell"))[: 0 if SLOW else None]:
            done = lichen("cp", *bad, status=None)
            assert done.returncode in (1, 64) and why in done.stderr, f"cp {bad}: {done.returncode} {done.stderr}"
        # what lies in the way
        os.mkdir(f"{here}/trap")
        os.symlink("/", f"{here}/trap/d")
        lichen("cp", "web:/d", f"{here}/trap", status=1)
        same("a link is not followed", ["d"], os.listdir(f"{here}/trap"))
        lichen("cp", f"{here}/f", "web:/out/in")
        lichen("cp", here, f"web:/tmp/{here}")
        lichen("cp", f"{here}/f", "web:/vol")
        with open("in.tar", "wb") as f, tarfile.open(fileobj=f, mode="w:gz") as tar:
            for name, uid, content in (("owned", 7, b"x"), ("sub/.wh.f", 8, b"y"), ("f", 0, b"new")):
                m = tarfile.TarInfo(name)
                m.uid, m.size, m.mode = uid, len(content), 0o640
                tar.addfile(m, io.BytesIO(content))
        with open("in.tar", "rb") as f:
            lichen("cp", "-", "web:/d/e", stdin=f)
        with open("in.tar", "rb") as f:
            assert SLOW or "no such directory" in lichen("cp", "-", "web:/none", stdin=f, status=1).stderr
        got = files(lichen("cp", "web:/d/e", "-", text=False).stdout)
        same("from a tar", {"e", "e/f", "e/owned", "e/sub", "e/sub/.wh.f"}, set(got))
        same("its owners", (0o640, 7, 0), got["e/owned"][1:4])
        got = files(lichen("cp", "web:/tmp", "-", text=False).stdout)
        same("into a link", 0, got["tmp/in"][2])
        assert f"tmp/{here}/d/f" in got
        same("into a volume", ["f"], os.listdir("shared"))
        os.remove("shared/f")
        with open("all.tar", "wb") as f:
            f.write(lichen("export", "web", text=False).stdout)
        with tarfile.open("all.tar") as tar:
            names = tar.getnames()
        assert "./d/f" in names and "./dev" in names and not [n for n in names if n.startswith(("./proc/", "./dev/", "./vol/"))], names[:20]
        if not ended:
            lichen("exec", "web", "sh", "-c", "rm -rf /d/e /tmp/*; mkdir /d/e")
    lichen("export", "-o", "all.tar", "web")
    with tarfile.open("all.tar") as tar:
        names = tar.getnames()
    assert "./d/f" in names and "./dev" in names and not [n for n in names if n.startswith(("./proc/", "./dev/", "./vol/"))], names[:20]
    lichen("image", "import", "all.tar", "all:1")
    same("what was exported", "hi\n", lichen("run", "all:1", "--", "cat", "/d/f").stdout)
    lichen("rm", "web")


@check
def stand_still():
    cell("still", "echo ready; i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done")
    lichen("pause", "still")
    same("paused", True, state("still")["paused"])
    assert "(Paused)" in lichen("ps").stdout
    before = lichen("logs", "still").stdout
    assert "paused" in lichen("exec", "still", "true", status=1).stderr
    assert "already" in lichen("pause", "still", status=1).stderr
    time.sleep(0.3)
    same("nothing was written", before, lichen("logs", "still").stdout)
    lichen("unpause", "still")
    until("it goes on", lambda: lichen("logs", "still").stdout != before)
    lichen("unpause", "still", status=1)
    rows = json.loads(lichen("stats", "--no-stream", "--json", "still").stdout)["stats"]
    assert rows[0]["memory"] > 100000 and rows[0]["pids"] >= 1 and rows[0]["running"] and rows[0]["cpu_percent"] >= 0, rows
    assert SLOW or rows[0]["id"] in lichen("stats", "--no-stream").stdout
    lichen("rename", "still", "other")
    lichen("run", "--name=still", "--", "true")
    assert "already" in lichen("rename", "other", "still", status=1).stderr
    lichen("update", "--restart=on-failure:3", "other")
    lichen("pause", "other")
    lichen("stop", "-t", "0", "other")  # though it stands
    found = json.loads(lichen("inspect", "other").stdout)["cells"][0]
    same("update", ("on-failure", 3, False), (found["restart"], found["restart_max"], found["state"]["paused"]))
    lichen("rm", "-f", "still", "other")


def kept_by(name, what):
    return json.loads(lichen("inspect", name).stdout)["cells"][0]["resources"]["kept_by"][what]


@check
def limits():
    eat = "x=aaaaaaaa; while :; do x=$x$x; done"
    done = lichen("run", "--name=eats", "--memory=64m", "tiny", "--", "sh", "-c", eat, status=137)
    how = kept_by("eats", "memory")
    assert how in ("cgroup", "sampled"), how
    same("what is said", how == "sampled", "--memory is sampled every 100 ms here" in done.stderr)
    same("OOM", True, state("eats")["oom_killed"])
    lichen("rm", "eats")
    if SLOW:
        return
    fork = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 7 & done; sleep 0.7; n=0; for i in /proc/[0-9]*/stat; do n=$((n+1)); done; echo $n"
    lichen("run", "--name=forks", "--pids-limit=6", "tiny", "--", "sh", "-c", fork, status=None)
    same("forks", how, kept_by("forks", "pids-limit"))
    spin = "i=0; while [ $i -lt 4000000 ]; do i=$((i+1)); done"
    lichen("run", "-d", "--name=spins", "--cpus=0.2", "--cpuset-cpus=0", "tiny", "--", "sh", "-c", spin)
    time.sleep(1)
    begin = json.loads(lichen("stats", "--no-stream", "--json", "spins").stdout)["stats"][0]
    assert begin["cpu_percent"] < 80, begin
    same("processors", "0", lichen("exec", "spins", "sed", "-n", "s/^Cpus_allowed_list:.//p", "/proc/self/status").stdout.strip() or "0")
    lichen("update", "--cpus=0.1", "--memory=6m", "spins", status=None)
    lichen("update", "--memory=1g", "--pids-limit=100", "spins")
    same("update", 100, json.loads(lichen("inspect", "spins").stdout)["cells"][0]["resources"]["pids_limit"])
    lichen("rm", "-f", "spins", "forks")
    for bad in ("--memory=1m", "--memory=x", "--cpus=0", "--cpus=1000", "--pids-limit=x", "--cpuset-cpus=9-", "--cpuset-cpus=1000", "--memory-swap=1g"):
        lichen("run", "--rm", bad, "tiny", "true", status=125)


def marked():
    """Processes of cells of this state directory: (pid, state)."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                variables = f.read().split(b"\0")
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                now = f.read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if f"WORK={WORK}".encode() in variables or f"MARK={WORK}".encode() in variables:
            if any(v.startswith(b"LICHEN_CELL=") for v in variables) and now not in "ZX":
                found.append((int(pid), now))
    return found


def cgroups():
    return [at for at, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(os.path.dirname(at)) == "lichen"]


def told_truly():
    for row in json.loads(lichen("ps", "-a", "--json").stdout)["cells"]:
        now = row["state"]
        if now["status"] == "running" and not (os.path.exists(f"/proc/{now['pid']}") and os.path.exists(f"/proc/{now['monitor']}")):
            return False
    return True


@check
def killed():
    """Whoever is killed when, what is told is true, and what is left can be removed."""
    dice = random.Random(7)
    before = set(cgroups())
    work = "echo x >/log; echo ready; while :; do echo x >>/log; mkdir -p /d/e; rm -r /d; sleep 0.01; done"
    whole = lichen("images", "-q", "--no-trunc").stdout
    commands = (
        ["run", "-d", "--name=c{n}", "-eMARK=" + WORK, "--memory=256m", "tiny", "--", "sh", "-c", work],
        ["commit", "c{n}", "round:{n}"],
        ["cp", "c{n}:/", "out{n}"],
        ["cp", "big", "c{n}:/tmp"],
        ["pause", "c{n}"],
        ["rename", "c{n}", "r{n}"],
        ["update", "--restart=always", "--pids-limit=50", "c{n}"],
        ["rm", "-f", "c{n}"],
        ["export", "-o", "out.tar", "c{n}"],
        [],  # the monitor
    )
    os.makedirs("big/deep", exist_ok=True)
    for i in range(40):
        with open(f"big/deep/{i}", "wb") as f:
            f.write(b"x" * 20000)
    rounds = 3 if SLOW else 14
    for n in range(rounds):
        argv = [word.format(n=n) for word in commands[n % len(commands)]]
        if argv[:1] != ["run"]:
            lichen(*[word.format(n=n) for word in commands[0]])
        if argv[:1] == ["commit"]:  # the image has /log only if the cell had
            until("/log is there", lambda n=n: "ready" in lichen("logs", f"c{n}").stdout)
        if argv:
            with subprocess.Popen([LICHEN, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
                time.sleep(dice.random() * (0.5 if SLOW else 0.08))
                process.kill()
        else:
            os.kill(state(f"c{n}")["monitor"], 9)
        until(f"what ps tells after {argv} is true", told_truly)
        if argv[:1] in (["commit"], ["cp"], ["export"]):
            until(f"{argv} lets it go on", lambda: not any(now == "T" for _, now in marked()))
        if any(line.split()[:2] == ["round", str(n)] for line in lichen("images").stdout.splitlines()):
            lichen("run", f"round:{n}", "--", "sh", "-c", "ls /log >/dev/null")
        rows = json.loads(lichen("ps", "-a", "--json").stdout)["cells"]
        lichen("rm", "-f", "none", *[row["id"] for row in rows])
        until("all processes are gone", lambda: not marked())
    same("cells", [], os.listdir(os.path.join(os.environ["LICHEN_STATE"], "cells"))[1:])
    lichen("run", "--rm", "--memory=64m", "tiny", "--", "sh", "-c", ":")
    until("no group is left", lambda: not set(cgroups()) - before)  # other environments make some of their own meanwhile
    for line in lichen("images").stdout.splitlines():
        if line.startswith("round"):
            lichen("rmi", ":".join(line.split()[:2]))
    same("images", whole, lichen("images", "-q", "--no-trunc").stdout)


def main():
    os.chdir(WORK)
    os.mkdir("shared")
    lichen("image", "from-host", "tiny", *"sh ls cat sed rm ln mkdir touch mkfifo chmod chown stat readlink tail sleep head dd env".split())
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
