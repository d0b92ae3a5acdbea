# SPDX-License-Identifier: Apache-2.0
"""Checks of roots that the kernel makes, each a function; prints a line for what is wrong, status 1 if anything is.

    native_checks.py [NAME…]     only these
"""
import contextlib
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import subprocess
import sys
import time

LICHEN = os.environ["LICHEN"]
WORK = pathlib.Path(os.environ["WORK"])
os.environ["LICHEN_STATE"] = str(WORK / "state")
os.environ.pop("LICHEN_CELL", None)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # whoever started the tests may ignore them
    signal.signal(number, signal.SIG_DFL)
PROGRAMS = "sh bash cat ls id stat touch mkdir rm mv ln sleep mount umount chroot hostname tty env find sort setpriv setsid dd readlink kill mknod".split()
NAMESPACES = ("mnt", "pid", "uts", "ipc", "cgroup")
TREE = WORK / "tree"
LIMIT = 90  # seconds of a check: what hangs is named before the case's own time is over
CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def lichen(*argv, status=0, **how):
    done = subprocess.run([LICHEN, *argv], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, **how)
    assert status is None or done.returncode == status, f"{' '.join(map(str, argv))[:200]}: status {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done


def sh(script, *options, status=0, root=TREE, how=("--native=overlay",)):
    return lichen("run", *how, f"--rootfs={root}", *options, "--", "sh", "-c", script, status=status).stdout


def same(what, want, got):
    assert want == got, f"{what}: expected {want!r}, got {got!r}"


def until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def processes(word):
    """Pids of those that have this argument."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if word in pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0"):
                found.append(int(pid))
        except OSError:
            pass
    return found


def sleeping(word):
    """Whether sleep itself has this argument. So have, before it, lichen and its short-lived children, which may end while they are looked at."""
    for pid in processes(word):
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                return True
    return False


@contextlib.contextmanager
def running(*argv, **how):
    """A process that does not outlive a check that fails: Popen would wait for it, for ever."""
    with subprocess.Popen(argv, **how) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def mark():
    return str(random.randrange(10**8, 10**9))


def mounts():
    return pathlib.Path("/proc/self/mountinfo").read_text()


@check
def confined():
    before = mounts()
    status = sh("cat /proc/self/status")
    for field, value in (("CapEff", "00000000a80425fb"), ("CapBnd", "00000000a80425fb"), ("CapInh", "0" * 16), ("CapAmb", "0" * 16),
                         ("NoNewPrivs", "0"), ("Seccomp", "0"), ("NSpid", "2")):
        got = re.search(rf"^{field}:\s*(.*)$", status, re.M)[1]
        same(field, value, got if field != "NSpid" else got.split("\t")[-1])
    links = dict(line.split() for line in sh("for n in mnt pid uts ipc cgroup net user; do echo $n $(readlink /proc/self/ns/$n); done").splitlines())
    for name in (*NAMESPACES, "net", "user"):
        same(f"namespace {name} is the machine's", name not in NAMESPACES, links[name] == os.readlink(f"/proc/self/ns/{name}"))
    same("the first process", "1 0\n", sh("echo $$ $PPID"))
    same("as it was", before, mounts())


@check
def covered():
    for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list"):
        if os.path.exists(path):
            same(path, "1:3\n", sh(f"stat -c %t:%T {path}"))
    for path in ("/proc/sys/kernel/printk", "/proc/sysrq-trigger", "/sys/kernel/uevent_seqnum"):
        assert not os.path.exists(path) or "Read-only file system" in sh(f"(echo 1 >{path}) 2>&1; true"), path
    same("devices", "0\n1\n", sh("echo x >/dev/null; dd if=/dev/zero of=/dev/shm/x bs=1 count=1 2>/dev/null; echo $?; stat -c %s /dev/shm/x"))
    same("no mounts of its own", "denied\n", sh("mount -t tmpfs x /tmp 2>/dev/null || echo denied"))
    same("chroot and mknod", "yes\n", sh("mknod /tmp/n c 1 3 && chroot / sh -c 'echo yes' && rm /tmp/n"))
    same("host name", "mine\n", sh("hostname", "--hostname=mine"))
    assert os.uname().nodename == sh("hostname").strip() != "mine"


@check
def volumes():
    """Read-only ones are it with all that is mounted below them; nothing leaks in either direction."""
    (WORK / "volume/inner").mkdir(parents=True)
    (WORK / "file").write_text("text\n")
    subprocess.run(["mount", "-t", "tmpfs", "inner", WORK / "volume/inner"], check=True)
    try:
        (WORK / "volume/inner/there").write_text("there\n")
        before = mounts()
        script = "cat /v/inner/there; for d in /v /v/inner; do (echo x >$d/new) 2>/dev/null || echo refused; done"
        same("read-only, recursively", "there\nrefused\nrefused\n", sh(script, "-v", f"{WORK}/volume:/v:ro"))
        same("writable", "there\n", sh(script, "-v", f"{WORK}/volume:/v"))
        same("written", ("x\n", "x\n"), ((WORK / "volume/new").read_text(), (WORK / "volume/inner/new").read_text()))
        same("a file", "text\n", sh("cat /etc/deep/file", "-v", f"{WORK}/file:/etc/deep/file:ro"))
        cell = lichen("run", "-d", "--native=mounts", f"--rootfs={TREE}", "-v", f"{WORK}/volume:/v", "--", "sleep", "1000").stdout.strip()
        same("the machine's mounts are as they were", before, mounts())
        (WORK / "volume/late").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "late", WORK / "volume/late"], check=True)
        (WORK / "volume/late/x").write_text("")
        same("what is mounted later", "", lichen("exec", cell, "ls", "/v/late").stdout)
        subprocess.run(["umount", WORK / "volume/late"], check=True)
        lichen("rm", "-f", cell)
        same("and again", before, mounts())
    finally:
        subprocess.run(["umount", "-l", WORK / "volume/inner"], check=True)


@check
def names():
    """Layers may be called whatever directories are called."""
    root, upper = WORK / "odd,name:x\\", WORK / "up,per:x"
    shutil.copytree(TREE, root, symlinks=True)
    same("written", "new\n", sh("echo new >/file; cat /file", f"--upper={upper}", root=root))
    same("kept", "new\n", (upper / "file").read_text())


@check
def set_user_id():
    """Programs get the privileges that their files say, as natively: no engine, no no_new_privs."""
    program = next(TREE / p / "id" for p in ("usr/bin", "bin") if (TREE / p / "id").exists())
    shutil.copy(program, TREE / "root-id")
    (TREE / "root-id").chmod(0o4755)
    same("effective user", "1000 0\n", sh("setpriv --reuid=1000 --clear-groups sh -c 'echo $(id -u) $(/root-id -u)'"))


@check
def joined():
    cell = lichen("run", "-d", "--name=n", "-eONE=1", "--native=namespaces", f"--rootfs={TREE}", "--", "sleep", "1000").stdout.strip()
    found = json.loads(lichen("inspect", cell).stdout)["cells"][0]
    same("mechanisms", ("native", "none", "native"), tuple(found["mechanisms"][m] for m in ("root", "overlay", "namespaces")))
    links = "for n in mnt pid uts ipc cgroup; do readlink /proc/$1/ns/$n; done"
    inside = lichen("exec", cell, "sh", "-c", f"{links}", "-", "self").stdout
    same("namespaces", inside, lichen("exec", cell, "sh", "-c", links, "-", "1").stdout)
    same("namespaces from outside", inside, "".join(os.readlink(f"/proc/{found['state']['pid']}/ns/{n}") + "\n" for n in NAMESPACES))
    same("capabilities", "CapBnd:\t00000000a80425fb\n", lichen("exec", cell, "sh", "-c", "while read l; do case $l in CapBnd*) echo \"$l\";; esac; done </proc/self/status").stdout)
    same("directory and variables", "/tmp 1\n", lichen("exec", "-w/tmp", cell, "sh", "-c", "echo $PWD $ONE").stdout)
    same("status", 7, lichen("exec", cell, "sh", "-c", "exit 7", status=None).returncode)
    lichen("exec", cell, "nonexistent-program", status=127)
    lichen("exec", cell, "/etc", status=126)
    word = mark()
    lichen("exec", "-d", cell, "sleep", word)
    until("it runs", lambda: processes(word))
    lichen("stop", "-t20", cell)
    same("stopped at once, as by TERM", 143, json.loads(lichen("inspect", cell).stdout)["cells"][0]["state"]["exit"])
    assert not processes(word)
    lichen("rm", cell)


@check
def signals():
    """For pid 1 as for any process: what it does not handle ends it, what it handles reaches it."""
    run = [LICHEN, "run", "--native=overlay", f"--rootfs={TREE}", "--"]
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138), (signal.SIGHUP, 129)):
        word = mark()
        with running(*run, "sleep", word) as process:
            until("sleep is there", lambda: sleeping(word))
            process.send_signal(number)
            same(f"after {number.name}", status, process.wait(20))
    for script, text in (("trap 'echo got; exit 5' TERM", "got\n"), ("trap '' TERM", "")):
        with running(*run, "sh", "-c", script + "; echo ready; i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; exit 5", stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            same("handled or ignored", (text, 5), (process.stdout.read(), process.wait(20)))
    with running(*run, "sh", "-c", "echo ready; sleep 1000", stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGTSTP)
        until("lichen stops with it", lambda: pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        same("after a stop", 143, process.wait(20))


@check
def terminal():
    """Ctrl-C reaches what runs on the terminal, which has a name."""
    word = mark()
    pid, master = pty.fork()
    if pid == 0:
        os.execv(LICHEN, [LICHEN, "run", "-t", "--rm", "--native=overlay", f"--rootfs={TREE}", "--", "sh", "-c", f"tty; exec sleep {word}"])
    text = b""
    while b"\n" not in text:
        text += os.read(master, 1000)
    same("its name", b"/dev/console", text.strip())
    until("sleep is there", lambda: sleeping(word))
    os.write(master, b"\x03")
    same("status", 130, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(master)


@check
def killed():
    """kill -9 of lichen ends all that runs in the namespace; directories stay."""
    for delay in (0, 0.01, 0.03, 0.1, 0.3):
        word, upper = mark(), WORK / f"killed{delay}"
        script = f"echo kept >/kept; setsid sleep {word} & sleep {word}"
        with running(LICHEN, "run", "--native=overlay", f"--rootfs={TREE}", f"--upper={upper}", "--", "bash", "-c", script) as process:
            if delay == 0.3:
                until("both run", lambda: len(processes(word)) >= 2)
            time.sleep(delay)
            process.kill()
        until("all have ended", lambda: not processes(word))
        if delay == 0.3:
            same("what was written", "kept\n", (upper / "kept").read_text())
            same("and is there again", "kept\n", sh("cat /kept", f"--upper={upper}"))


CHANGES = """
rm -rf /d1 && mkdir /d1 && echo new >/d1/new; rm /d2/file; mv /f1 /f1.moved; ln /f2 /f2.hard; echo more >>/f2; chmod 600 /f3; ln -s f3 /link
mkdir -p /made/deep; touch -d @1000000000 /made/deep/x; rm -r /d3; echo file >/d3; mv /made /d2/moved
"""
SHOW = "cd / && find d1 d2 d3 f1 f1.moved f2 f2.hard f3 link -printf '%p %y %m %s %l %n\\n' 2>/dev/null | sed 's/ d \\([0-7]*\\) [0-9]* / d \\1 /' | sort; cat d1/* f2 f2.hard; true"


@check
def one_format():
    """What one way wrote, the other reads: both orders, and changed again by the other."""
    base = WORK / "layers"
    for name in ("d1/old", "d2/file", "d3/sub/file", "f1", "f2", "f3"):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        (TREE / name).write_text(name + "\n")
    shown = []
    for first, second in (("--native=overlay", "--emulate=overlay"), ("--emulate=overlay", "--native=overlay")):
        upper = base / first
        upper.parent.mkdir(exist_ok=True)
        sh(CHANGES, f"--upper={upper}", how=(first,))
        shown += [sh(SHOW, f"--upper={upper}", how=(way,)) for way in (first, second)]
        sh("rm -rf /d1 /d2/moved; mkdir /d1; touch /d1/last /f1", f"--upper={upper}", how=(second,))
        shown.append(sh("ls -R /d1 /d2; ls /f1", f"--upper={upper}", how=(first,)))
    same("a tree", 6, len(shown))
    assert "new\n" in shown[0] and "d1/old" not in shown[0], shown[0]
    same("read by the other", shown[0], shown[1])
    same("the other way round", [shown[0], shown[0]], shown[3:5])
    same("changed again", shown[2], shown[5])
    same("the lower layer", "d1/old\n", (TREE / "d1/old").read_text())
    for name in ("d1", "d2", "d3"):
        shutil.rmtree(TREE / name)


@check
def hostile():
    """Links of a tree lead nowhere but into it, whatever is mounted over them."""
    outside = WORK / "outside"
    outside.mkdir()
    (outside / "canary").write_text("untouched\n")
    tree = WORK / "hostile"
    shutil.copytree(TREE, tree, symlinks=True)
    out = "../" * 12 + str(outside).lstrip("/")
    for name, target in (("etc/resolv.conf", f"{out}/resolv"), ("etc/hosts", f"{outside}/canary"), ("dev", out), ("mnt", str(outside)), ("sys", "tmp")):
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    (WORK / "shown").write_text("shown\n")
    lichen("run", "--native=mounts", f"--rootfs={tree}", "-v", f"{WORK}/shown:/mnt/shown", "--", "sh", "-c", "echo x >/mnt/shown; echo y >/dev/new", status=None)
    same("what lies outside", ["canary"], os.listdir(outside))
    same("canary", "untouched\n", (outside / "canary").read_text())


@check
def fails_closed():
    """What the plan chose and cannot be done, is an error that names the step."""
    tree = WORK / "broken"
    shutil.copytree(TREE, tree, symlinks=True)
    shutil.rmtree(tree / "proc", ignore_errors=True)
    (tree / "proc").write_text("")
    done = lichen("run", f"--rootfs={tree}", "--", "sh", "-c", "echo ran", status=125)
    assert "mounting proc on /proc" in done.stderr and "--emulate=overlay" in done.stderr and "ran" not in done.stdout, done.stderr
    done = lichen("run", "--native=overlay", "--emulate=identity", f"--rootfs={TREE}", "--", "true", status=125)
    assert "--native forbids" in done.stderr, done.stderr
    done = lichen("run", "--explain", "--json", f"--rootfs={TREE}", "--", "sh", "-c", ":")
    same("explained", "native", json.loads(done.stderr)["mechanisms"]["root"])
    done = lichen("run", "--explain", "--json", "--emulate=mounts", f"--rootfs={TREE}", "--", "sh", "-c", ":")
    same("explained", ("agent", "--emulate asks for it"), tuple(json.loads(done.stderr)["mechanisms"][m] for m in ("root", "reason")))
    assert "overlay" in lichen("run", "--native=mounts", "--emulate=overlay", "--", "true", status=125).stderr
    plan = json.loads(lichen("run", "--explain", "--json", "--emulate=overlay").stdout)
    same("overlays without a tree", ["mounts", "overlay"], plan["emulated"])
    assert all(bool(row["limits"]) == (row["plan"] == "emulated") for row in plan["features"] if row["name"] in ("mounts", "overlay", "cgroup")), plan
    until("nothing of a probe is left", lambda: not [p for p in os.listdir("/tmp") if p.startswith(".lichen-probe")])  # others may be at it


def too_long(*_):
    raise AssertionError(f"no end after {LIMIT} s")  # no OSError, of which some are let pass


def main():
    signal.signal(signal.SIGALRM, too_long)
    image = lichen("image", "from-host", "programs", *PROGRAMS).stdout.strip()
    shutil.copytree(re.search(r"\"Dir\": \"(.*)\"", lichen("image", "inspect", image).stdout)[1], TREE, symlinks=True)
    failures = 0
    for name in sys.argv[1:] or CHECKS:
        began = time.monotonic()
        signal.alarm(LIMIT)
        try:
            CHECKS[name]()
            signal.alarm(0)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            signal.alarm(0)
            failures += 1
            print(f"native: FAIL: {name}: {error}", file=sys.stderr, flush=True)
            subprocess.run([LICHEN, "rm", "-f", *lichen("ps", "-aq").stdout.split(), "x"], check=False, capture_output=True)
        else:
            print(f"native: {name}: {time.monotonic() - began:.1f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
