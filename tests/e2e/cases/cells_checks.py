# SPDX-License-Identifier: Apache-2.0
"""Checks of cells, each a function; prints a line for what is wrong, status 1 if anything is.

    cells_checks.py [NAME…]     only these
"""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

LICHEN = os.environ["LICHEN"]
WORK = os.environ["WORK"]
SLOW = os.environ.get("SLOW") == "1"
STATE = os.path.join(WORK, "state")
os.environ["LICHEN_STATE"] = STATE
os.environ.pop("LICHEN_CELL", None)
PATIENCE = 40 if SLOW else 20
CHECKS = {}

# Whoever started the tests may ignore signals (nohup): what a shell finds ignored it cannot trap.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)


def check(function):
    CHECKS[function.__name__] = function
    return function


def lichen(*argv, status=0, **how):
    done = subprocess.run([LICHEN, *argv], capture_output=True, text=True, timeout=PATIENCE * 2, check=False, stdin=subprocess.DEVNULL, **how)
    assert status is None or done.returncode == status, f"{' '.join(argv)[:200]}: status {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done


def run(*argv, **how):
    """`lichen run -d`; returns the id."""
    return lichen("run", "-d", *argv, **how).stdout.strip()


def shell(*argv, script, **how):
    return run(*argv, "--", "sh", "-c", script, **how)


def cells(*argv):
    return json.loads(lichen("ps", "-a", "--json", *argv).stdout)["cells"]


def inspect(cell):
    return json.loads(lichen("inspect", cell).stdout)["cells"][0]


def state(cell):
    return inspect(cell)["state"]


def until(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def runs(*words):
    """Whether a process has this argument, or these and no other, whatever its number is where it lives."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                argv = f.read().split("\0")[:-1]
            if argv == list(words) or (len(words) == 1 and words[0] in argv):
                return True
        except OSError:
            pass
    return False


def same(what, want, got):
    assert want == got, f"{what}: expected {want!r}, got {got!r}"


EMULATED = ((), ("--emulate=all",))
NATIVE = ("--rootfs=/", f"--workdir={os.getcwd()}")  # by the kernel, in namespaces of its own
if os.environ.get("ENVIRONMENT") == "host" and os.getuid() == 0:
    EMULATED += (NATIVE,)
LESS = EMULATED[1:] if SLOW else EMULATED


@check
def life():
    """From run to rm, natively and with every gap filled."""
    for how in LESS:
        cell = shell(*how, "--name=life", "--label=app=web", script="echo out; echo err >&2; sleep 1000")
        same("id", 12, len(cell))
        until("its output", lambda: lichen("logs", "life").stdout == "out\n")
        until("its errors", lambda cell=cell: lichen("logs", cell[:6]).stderr == "err\n")
        same("ps", [cell], lichen("ps", "-q").stdout.split())
        same("label", [cell], lichen("ps", "-q", "--filter=label=app=web", "--filter=name=if").stdout.split())
        same("other label", [], lichen("ps", "-q", "--filter=label=app=db").stdout.split())
        assert "it runs" in lichen("rm", "life", status=1).stderr
        found = inspect("life")
        same("status", "running", found["state"]["status"])
        assert alive(found["state"]["pid"]) and alive(found["state"]["monitor"])
        if how:
            same("gap", "emulated" if how != NATIVE else "native", next(g["state"] for g in found["gaps"] if g["name"] == "sysvipc"))
        same("root", "native" if how == NATIVE else "none", found["mechanisms"]["root"])
        same("stop", "life\n", lichen("stop", "-t", "20", "life").stdout)
        same("exit", 143, state("life")["exit"])
        same("wait", "143\n", lichen("wait", cell).stdout)
        same("logs of the past", "out\n", lichen("logs", cell).stdout)
        lichen("rm", cell)
        same("none", [], cells())
        assert not alive(found["state"]["pid"])
    lichen("logs", "life", status=1)
    lichen("rm", "-f", "life")


@check
def statuses():
    same("wait", "7\n", lichen("wait", shell("--name=seven", script="exit 7")).stdout)
    same("exited", ["seven"], [c["name"] for c in cells("--filter=exited=7")])
    cell = shell(script="kill -KILL $$")
    same("killed", "137\n", lichen("wait", cell).stdout)
    for how in LESS:
        assert "no such program" in lichen("run", "-d", *how, "--name=no", "--", "nonexistent-program", status=127).stderr
        same("error kept", (127, "exited"), (state("no")["exit"], state("no")["status"]))
        assert state("no")["error"]
        lichen("rm", "no")
        lichen("run", "-d", *how, "--rm", "--", "/etc/passwd", status=126)
    done = lichen("run", "--rm", "--name=front", "--", "sh", "-c", "echo here; exit 3", status=3)
    same("foreground", "here\n", done.stdout)
    lichen("run", "--name=front", "--", "true")
    assert "no log" in lichen("logs", "front", status=1).stderr
    lichen("rm", *[c["id"] for c in cells()])
    same("--rm leaves nothing", [], cells())


@check
def configured():
    with open(os.path.join(WORK, "env"), "w", encoding="utf-8") as f:
        f.write("# comment\nONE=1 and more\nHOME\n\nTWO=2\n")
    os.makedirs(os.path.join(WORK, "dir"), exist_ok=True)
    script = 'echo "$ONE|$TWO|$HOME|$LICHEN_CELL"; pwd; ulimit -Sn; ulimit -Hn; cat'
    cell = shell("--env-file=env", "-eTWO=3", "-wdir", "--ulimit=nofile=500:600", script=script, cwd=WORK)
    lichen("wait", cell)
    want = f"1 and more|3|{os.environ['HOME']}|{cell}\n{WORK}/dir\n500\n600\n"
    same("configured", want, lichen("logs", cell).stdout)
    lichen("rm", cell)
    cell = shell("--interactive", script="cat; echo end")
    time.sleep(0.3)
    same("input stays open", "running", state(cell)["status"])
    lichen("rm", "-f", cell)
    odd = b"\xff\xee\xbe\x80\xc3\xa4\n".decode("utf-8", "surrogateescape")
    cell = run("--", "printf", "%s", odd, "")
    lichen("wait", cell)
    with open(f"{STATE}/cells/{cell}/log", "rb") as f:
        assert b"stdout F \xff\xee\xbe\x80\xc3\xa4\n" in f.read()
    assert inspect(cell)["command"][2] == "\uefff\uefee\uefbe\uef80\u00e4\n", ascii(inspect(cell)["command"])
    lichen("rm", cell)


@check
def logs():
    count = 20000
    cell = shell("--log-size=256k", "--name=logs", script=f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line $i; done; printf end >&2")
    follower = subprocess.run([LICHEN, "logs", "-f", cell], capture_output=True, text=True, timeout=PATIENCE * 3, check=True)
    same("follow ends with the cell", "exited", state(cell)["status"])
    same("an unfinished line", "end", follower.stderr)
    same("the last line", f"line {count}", follower.stdout.splitlines()[-1])
    lines = lichen("logs", cell).stdout.splitlines()
    assert 1000 < len(lines) < count, len(lines)
    same("no line is lost between the files", [f"line {n}" for n in range(count - len(lines) + 1, count + 1)], lines)
    size = sum(os.stat(f"{STATE}/cells/{cell}/{name}").st_size for name in ("log", "log.1"))
    assert size <= 256 << 10, size
    same("tail", [f"line {count - 1}", f"line {count}"], lichen("logs", "--tail=2", cell).stdout.splitlines())
    same("since", "", lichen("logs", "--since=2100-01-01", cell).stdout)
    stamp, _, text = lichen("logs", "-n1", "-t", cell).stdout.partition(" ")
    same("timestamps", (30, "Z", f"line {count}\n"), (len(stamp), stamp[-1], text))
    lichen("rm", cell)
    cell = shell(script="head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'a\\0b\\n'")
    lichen("wait", cell)
    same("long lines", "x" * 100000 + "\na\0b\n", lichen("logs", cell).stdout)
    lichen("rm", cell)


@check
def stopping():
    began = time.monotonic()
    cell = shell("--stop-timeout=1", script="trap '' TERM; echo ready; while :; do sleep 0.1; done")
    until("ready", lambda: lichen("logs", cell).stdout)
    lichen("stop", cell)
    same("KILL after the time", 137, state(cell)["exit"])
    assert time.monotonic() - began >= 1
    cell = shell("--stop-signal=USR1", script="trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done")
    until("ready", lambda: lichen("logs", cell).stdout)
    lichen("stop", cell)
    same("stop signal", 5, state(cell)["exit"])
    cell = shell(script="trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done")
    until("ready", lambda: lichen("logs", cell).stdout)
    lichen("kill", "-s", "HUP", cell)
    until("hup", lambda: "hup" in lichen("logs", cell).stdout)
    pid = state(cell)["pid"]
    lichen("kill", cell)
    same("killed", "137\n", lichen("wait", cell).stdout)
    assert not alive(pid)
    assert "does not run" in lichen("kill", cell, status=1).stderr
    same("stop of what has ended", f"{cell}\n", lichen("stop", cell).stdout)
    lichen("rm", *[c["id"] for c in cells()])


@check
def joining():
    """exec: as a member of the cell, with its variables and limits; ended with it."""
    for how in LESS:
        cell = shell(*how, "-eONE=1", "--name=e", "--ulimit=nofile=300:400", script="sleep 1000")
        done = lichen("exec", "-eTWO=2", "e", "sh", "-c", 'echo "$ONE$TWO $LICHEN_CELL"; ulimit -n; pwd; cat; echo err >&2; exit 5', status=5)
        same("exec", f"12 {cell}\n300\n{os.getcwd()}\n", done.stdout)
        same("its stderr", "err\n", done.stderr)
        done = subprocess.run([LICHEN, "exec", "-i", "-w/", "e", "sh", "-c", "pwd; cat"], input="words", capture_output=True, text=True, check=True)
        same("input and directory", "/\nwords", done.stdout)
        same("killed", 137, lichen("exec", "e", "sh", "-c", "kill -KILL $$", status=None).returncode)
        assert "no such program" in lichen("exec", "e", "nonexistent-program", status=127).stderr
        lichen("exec", "e", "/etc/passwd", status=126)
        if how:
            lichen("exec", "e", "ipcmk", "-M", "4096")
            same("objects are shared", 1, lichen("exec", "e", "ipcs", "-m").stdout.count("0x"))
        lichen("exec", "-d", "e", "sleep", "999")
        lichen("exec", "-d", "e", "nonexistent-program", status=127)
        listed = lichen("top", "e").stdout.splitlines()
        assert sum("sleep 999" in line for line in listed) == 1 and sum("sleep 1000" in line for line in listed) >= 1, listed
        pids = [int(line.split()[0]) for line in listed[1:]]
        mark = str(random.randrange(10**8, 10**9))
        with subprocess.Popen([LICHEN, "exec", "e", "env", "-i", "sleep", mark]) as waiting:
            until("it runs", lambda: runs("sleep", mark))
            lichen("stop", "e")
            same("exec of a cell that ends", 137, waiting.wait(PATIENCE))
        until("all have ended", lambda: not any(alive(pid) for pid in pids))
        assert "does not run" in lichen("exec", "e", "true", status=1).stderr
        lichen("rm", "e")
    lichen("exec", "e", "true", status=1)
    lichen("exec", "e", status=125)
    assert "no terminal" in lichen("exec", "-it", "e", "true", status=125).stderr
    assert "no terminal" in lichen("run", "-it", "--", "true", status=125).stderr


@check
def terminal():
    for how in LESS:
        controls = "true" if SLOW else "tty </dev/tty"  # gVisor cannot open it
        cell = run("-t", *how, "--", "sh", "-c", f"test -t 0 && test -t 1 && {controls} && stty size >/dev/null && echo yes")
        same("status", "0\n", lichen("wait", cell).stdout)
        same("a terminal", "yes", lichen("logs", cell).stdout.splitlines()[-1].strip())
        lichen("rm", cell)


@check
def nothing_left_running():
    """What the first process leaves behind is killed at its end, also daemons of their own session."""
    for how in LESS:
        mark = str(random.randrange(10**8, 10**9))
        gate = os.path.join(WORK, f"gate{mark}")
        cleared = "env -i" if how and how != NATIVE else ""
        script = f"{cleared} setsid sleep {mark} & echo started; until test -e {gate}; do sleep 0.1; done; exit 0"
        cell = shell(*how, script=script)
        until("it has started", lambda: lichen("logs", cell).stdout)
        until("the daemon runs", lambda: runs(mark))
        with open(gate, "w", encoding="utf-8"):
            pass
        lichen("wait", cell)
        assert not runs(mark)
        assert not os.path.exists(f"{STATE}/cells/{cell}/agent"), "no process of another cell is taken for one of this"
        lichen("rm", cell)


@check
def restarts():
    mark = os.path.join(WORK, "runs")
    cell = shell("--restart=on-failure:2", script=f"echo run >>{mark}; exit 4")
    same("gives up", "4\n", lichen("wait", cell).stdout)
    same("restarts", 2, state(cell)["restarts"])
    with open(mark, encoding="utf-8") as f:
        same("runs", 3, len(f.readlines()))
    lichen("rm", cell)
    cell = shell("--restart=always", "--emulate=all", script="echo run; sleep 0.1")
    until("three runs", lambda: lichen("logs", cell).stdout.count("run") >= 3)
    lichen("stop", "-t5", cell)
    same("stopped", "exited", state(cell)["status"])
    lichen("rm", cell)
    cell = shell("--restart=unless-stopped", script="sleep 1000")
    pid = state(cell)["pid"]
    os.kill(pid, signal.SIGKILL)
    until("another process", lambda: state(cell)["pid"] not in (pid, None))
    lichen("rm", "-f", cell)


@check
def monitor_killed():
    """kill -9 of lichen itself at random moments: ps tells the truth, rm clears up, where something is filled also what has cleared its environment,
    and spares others: all with an environment like a cell's."""
    random.seed(4)
    others = [subprocess.Popen(["sleep", "996"], env={"A": "b", name: "x" * size}) for name, size in (("L", 1), ("LICHEN_CELL", 12), ("LANG", 99))]
    for i in range(2 if SLOW else 8):
        mark = str(random.randrange(10**8, 10**9))
        how = EMULATED[i % len(EMULATED)]
        cleared = "env -i" if how and how != NATIVE else ""
        cell = shell(*how, f"--name=k{i}", script=f"{cleared} setsid sleep {mark} & echo started; sleep 1000")
        until("its output", lambda: lichen("logs", cell).stdout)
        if cleared:
            until("the daemon runs", lambda: runs(mark))
        found = state(cell)
        time.sleep(random.random() / 20)
        os.kill(found["monitor"], signal.SIGKILL)
        until("the first process ends", lambda: not alive(found["pid"]))
        same("dead", "dead", state(cell)["status"])
        same("no longer listed", [], lichen("ps", "-q").stdout.split())
        assert "monitor was killed" in lichen("wait", cell, status=1).stderr
        lichen("kill", cell, status=1)
        lichen("stop", cell)
        lichen("rm", cell)
        assert not runs(mark), "rm ends what was left running"
    same("others run", [None] * len(others), [other.poll() for other in others])
    for other in others:
        other.kill()
        other.wait()
    for i in range(5 if SLOW else 30):
        with subprocess.Popen([LICHEN, "run", "--name=x", "--rm", "--", "sh", "-c", "sleep 0.05; echo done"], stdout=subprocess.DEVNULL) as process:
            time.sleep(random.random() / 20)
            process.kill()
        # a child that it has just forked holds its lock as well, for a moment
        until("the truth", lambda: all(c["state"]["status"] in ("dead", "exited") for c in cells()))
        lichen("rm", "-f", "x")
    same("none", [], cells())


@check
def guest_killed():
    for i in range(2 if SLOW else 8):
        cell = shell(*EMULATED[i % len(EMULATED)], script="while :; do :; done")
        time.sleep(random.random() / 20)
        os.kill(state(cell)["pid"], signal.SIGKILL)
        same("status", "137\n", lichen("wait", cell).stdout)
        lichen("rm", cell)


@check
def one_name():
    """Of many that want the same name at the same time, one gets it."""
    for _ in range(1 if SLOW else 3):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: lichen("run", "-d", "--name=only", "--", "sleep", "1000", status=None), range(8)))
        winners = [d.stdout.strip() for d in done if d.returncode == 0]
        same("winners", 1, len(winners))
        same("losers", {125}, {d.returncode for d in done} - {0})
        assert all("called 'only' already" in d.stderr for d in done if d.returncode)
        same("cells", winners, [c["id"] for c in cells()])
        lichen("rm", "-f", "only")


@check
def many():
    count = 8 if SLOW else 50
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda i: shell(f"--label=n={i}", script=f"echo {i}; exec sleep 1000"), range(count)))
        same("ids and names", (count, count), (len(set(ids)), len({c["name"] for c in cells()})))
        same("running", count, len(lichen("ps", "-q").stdout.split()))
        until("output of all", lambda: all(lichen("logs", cell).stdout == f"{i}\n" for i, cell in enumerate(ids)))
        list(pool.map(lambda i: lichen("rm", "-f", *ids[i::4]), range(4)))
    same("none", [], cells())
    same("no file", ["lock"], os.listdir(f"{STATE}/cells"))


@check
def bad_options():
    for argv, text in (
        (("run", "--name=a b", "--", "true"), "cannot be called 'a b'"),
        (("run", "--name=.x", "--", "true"), "cannot be called"),
        (("run", "--rm", "--restart=always", "--", "true"), "contradict"),
        (("run", "--restart=sometimes", "--", "true"), "not 'sometimes'"),
        (("run", "--restart=on-failure:x", "--", "true"), "not 'on-failure:x'"),
        (("run", "--ulimit=nofile", "--", "true"), "needs NAME=SOFT[:HARD]"),
        (("run", "--ulimit=files=3", "--", "true"), "unknown limit"),
        (("run", "--ulimit=nofile=9:3", "--", "true"), "needs NAME=SOFT[:HARD]"),
        (("run", "--stop-signal=NOPE", "--", "true"), "unknown signal 'NOPE'"),
        (("run", "--log-size=1", "--", "true"), "no size of at least 64k"),
        (("run", "--env-file=/nonexistent", "--", "true"), "cannot read '/nonexistent'"),
    ):
        assert text in lichen(*argv, status=125).stderr, argv
    for argv, status, text in (
        (("ps", "--filter=x=y"), 64, "not 'x=y'"),
        (("ps", "x"), 64, "unexpected argument"),
        (("logs",), 64, "which cell?"),
        (("logs", "--tail=x", "a"), 64, "not 'x'"),
        (("logs", "--since=yesterday", "a"), 64, "not 'yesterday'"),
        (("stop", "-t", "-1", "a"), 64, "no number of seconds"),
        (("stop", "nope"), 1, "no such cell: 'nope'"),
        (("rm", ""), 1, "no such cell"),
    ):
        assert text in lichen(*argv, status=status).stderr, argv
    same("none", [], cells())


@check
def no_place():
    """Where no state can be kept, the message says so and what to do; what needs none runs."""
    env = dict(os.environ, LICHEN_STATE="/proc/nowhere")
    done = lichen("run", "-d", "--", "true", status=125, env=env)
    assert "cannot keep cells in '/proc/nowhere'" in done.stderr and "set LICHEN_STATE" in done.stderr, done.stderr
    lichen("run", "--", "true", env=env)
    lichen("ps", status=1, env=env)


@check
def full_disk():
    """A log that cannot be written keeps nobody waiting, and is told of."""
    place = os.path.join(WORK, "small")
    os.mkdir(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "small", place], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return
    env = dict(os.environ, LICHEN_STATE=place)
    try:
        script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo a line that fills the disk; done; echo last; exit 9"
        cell = shell("--log-size=4m", script=script, env=env)
        same("it ends all the same", "9\n", lichen("wait", cell, env=env).stdout)
        told = json.loads(lichen("inspect", cell, env=env).stdout)["cells"][0]["state"]
        same("status", ("exited", "ENOSPC"), (told["status"], told["log_error"]))
        assert told["log_lost"] > 100000, told
        done = lichen("logs", cell, env=env)
        assert "could not be kept" in done.stderr and "No space left" in done.stderr, done.stderr
        assert set(done.stdout.splitlines()) <= {"a line that fills the disk", "last"}
        lichen("rm", cell, env=env)
    finally:
        subprocess.run(["umount", "-l", place], check=False)


@check
def server():
    """A real server in the background, used from outside."""
    if not shutil.which("redis-server"):
        return
    socket = os.path.join(WORK, "redis.sock")
    for how in LESS:
        cell = run(*how, "--name=redis", "--", "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", WORK)
        until("ready", lambda: "eady to accept connections" in lichen("logs", cell).stdout)
        same("ping", "PONG\n", subprocess.run(["redis-cli", "-s", socket, "ping"], capture_output=True, text=True, check=False).stdout)
        lichen("stop", "redis")
        same("a clean end", 0, state("redis")["exit"])
        assert "bye bye" in lichen("logs", "redis").stdout
        lichen("rm", "redis")


def main():
    failures = 0
    for name in sys.argv[1:] or CHECKS:
        began = time.monotonic()
        try:
            CHECKS[name]()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"cells: FAIL: {name}: {error}", file=sys.stderr)
            subprocess.run([LICHEN, "rm", "-f", *lichen("ps", "-aq").stdout.split(), "x"], check=False, capture_output=True)
        else:
            print(f"cells: {name}: {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
