# SPDX-License-Identifier: Apache-2.0
"""attach_checks.py LICHEN: what `lichen attach` and the keys that detach promise. Waits for conditions, never for times."""
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import terminal_session  # noqa: E402 pylint: disable=wrong-import-position
from terminal_session import same  # noqa: E402 pylint: disable=wrong-import-position

LICHEN = sys.argv[1]
SHELL = ("-e", "PS1=# ", "--", "sh")
KEYS = b"\x10\x11"  # ctrl-p, ctrl-q


def session(*args, **size):
    return terminal_session.Session(LICHEN, *args, **size)


def lichen(*args, status=0, **more):
    done = subprocess.run([LICHEN, *args], capture_output=True, text=True, check=False, timeout=120, **more)
    if done.returncode != status:
        sys.exit(f"lichen {' '.join(args)}: status {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def until(what, condition):
    end = time.monotonic() + terminal_session.SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"not within {terminal_session.SECONDS} s: {what}")
        time.sleep(0.05)


def start(name, *args):
    lichen("run", "-d", "--name", name, *args)


class Client:
    """lichen attach without a terminal."""

    def __init__(self, *args, stdin=subprocess.PIPE):
        self.name = "-".join(args).replace("/", "_") + str(id(self))
        with open(self.name + ".out", "wb") as out, open(self.name + ".err", "wb") as err:
            self.process = subprocess.Popen([LICHEN, "attach", *args], stdin=stdin, stdout=out, stderr=err)

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def got(self, stream="out"):
        return pathlib.Path(f"{self.name}.{stream}").read_bytes()

    def sees(self, text, stream="out"):
        until(f"{text!r} in {self.name}.{stream}", lambda: text in self.got(stream))

    def end(self, status):
        try:
            same(f"status of {self.name}: {self.got('err')!r}", self.process.wait(terminal_session.SECONDS), status)
        except subprocess.TimeoutExpired:
            sys.exit(f"{self.name} does not end")


def terminals():
    """Two at one terminal: all see all; one detaches, the other stays; the end's status is everybody's."""
    start("t", "-it", *SHELL)
    a = session("attach", "t")
    b = session("attach", "t")
    b.type(b"echo b$((1 + 1))\n", b"b2\r\n")
    a.type(b"echo a$((1 + 1))\n", b"a2\r\n")
    b.until(b"a2\r\n")
    a.type(b": \x10x\x10y; echo size=$(stty size)\n", b"size=33 99\r\n")  # the first of the keys, and then another
    a.type(KEYS, b"the cell goes on: lichen attach t")
    a.end("detached", 0)
    c = session("attach", "--detach-keys=x,y,ctrl-]", "t", rows=22, columns=77)
    c.type(b"echo xy$((1 + 1))size=$(stty size)\n", b"xy2size=22 77\r\n")
    c.type(b"xxy\x1d", b"the cell goes on")
    c.end("detached by other keys", 0)
    same("attach without a terminal", 1, subprocess.run([LICHEN, "attach", "t"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode)
    watcher = Client("--no-stdin", "t", stdin=None)
    until("everybody is attached", lambda: b.type(b"\necho w$((1 + 1))\n", b"w2\r\n") and b"w2\r\n" in watcher.got())
    b.type(b"exit 5\n", b"exit 5")
    b.end("the cell's end", 5)
    watcher.end(5)
    same("it does not run", True, "does not run" in lichen("attach", "t", status=1))


def foreground():
    """lichen run -it and lichen exec -it: detached from, attached to again, in the log; killed, it takes the cell along."""
    first = session("run", "-it", "--name=f", *SHELL)
    first.until(b"# ")
    os.mkfifo("go")
    more = session("exec", "-it", "-e", "PS1=# ", "f", "sh")
    more.type(b"sh -c 'echo reads$((1 + 1)); read go <go; echo done >done'\n", b"reads2\r\n")
    more.type(KEYS, b"the command goes on")
    more.end("exec: detached", 0)
    first.type(b"echo here$((1 + 1))\n", b"here2\r\n")
    first.type(KEYS, b"the cell goes on: lichen attach f")
    first.end("run: detached", 0)
    pathlib.Path("go").write_text("go\n", encoding="ascii")
    until("what was detached from goes on", pathlib.Path("done").exists)
    back = session("attach", "f")
    back.type(b"exit 6\n", b"exit 6")
    back.end("attached again", 6)
    same("logged", True, "here2" in lichen("logs", "f"))
    lichen("rm", "f")
    killed = session("run", "-it", "--name=f", *SHELL)
    killed.until(b"# ")
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    same("a cell whose starter was killed", "137\n", lichen("wait", "f"))


def streams():
    """Without a terminal: output and error apart, to all; input from all, whose end is not the command's; the status."""
    start("s", "-i", "--", "sh", "-c", 'while read -r line; do echo "out $line"; echo "err $line" >&2; done')
    a, b = Client("s"), Client("--no-stdin", "s")
    a.say(b"one\n")
    a.sees(b"out one\n")
    a.sees(b"err one\n", "err")
    until("both are attached", lambda: not a.say(b"again\n") and b"err again\n" in b.got("err"))
    a.process.stdin.close()
    c = Client("s")
    c.say(b"two\n")
    for client in (a, b, c):
        client.sees(b"out two\n")
    lichen("kill", "s")
    for client in (a, b, c):
        client.end(137)


def signals():
    """Passed on, or for us."""
    start("p", "-i", "--", "sh", "-c", "trap 'echo caught; exit 9' TERM; while read -r line; do echo \"got $line\"; done")
    away = Client("--sig-proxy=false", "p")
    away.say(b"x\n")
    away.sees(b"got x\n")
    away.process.terminate()
    away.end(-signal.SIGTERM)
    on = Client("p")
    on.say(b"y\n")
    on.sees(b"got y\n")
    on.process.terminate()
    on.sees(b"caught\n")
    on.end(9)


def much():
    """Nothing is lost where somebody reads slowly, and what nobody reads ends attach, not the cell."""
    start("m", "-i", "--", "sh", "-c", "read -r hello; echo hello; read -r go; head -c 6000000 /dev/zero | tr '\\0' x; echo end; read -r go; exit 3")
    a = subprocess.Popen([LICHEN, "attach", "m"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    b = subprocess.Popen([LICHEN, "attach", "m"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    a.stdin.write(b"hello\n")
    a.stdin.flush()
    same("attached", b"hello\n", a.stdout.read(6))
    b.stdin.write(b"go\n")
    b.stdin.flush()
    b.stdout.read(1)
    b.stdout.close()  # it has ended before all was written
    same("nobody reads", -signal.SIGPIPE, b.wait())
    same("all of it", 6000000, len(a.stdout.read(6000000)))
    a.stdin.write(b"go\n")
    a.stdin.close()
    a.stdout.read()
    same("status", 3, a.wait())


def restarts():
    """Attached over a restart, to the end."""
    start("r", "-i", "--restart=on-failure:1", "--", "sh", "-c", 'read -r line; echo "run $line"; exit 4')
    a = Client("r")
    a.say(b"one\n")
    a.sees(b"run one\n")
    until("the second run", lambda: '"restarts": 1' in lichen("inspect", "r"))
    a.say(b"two\n")
    a.sees(b"run two\n")
    a.end(4)


def refused():
    with subprocess.Popen([LICHEN, "run", "--name=n", "--", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as held:
        until("it runs", lambda: "Up" in lichen("ps"))
        same("streams of another", True, "--detach or --tty" in lichen("attach", "n", status=1))
        held.stdin.close()
    same("no such cell", True, "no such cell" in lichen("attach", "nosuch", status=1))
    for wrong in ("ctrl-A", "ctrl-", "a,,b", "ab", ",".join("a" * 17)):
        same("keys", True, "--detach-keys" in lichen("attach", "--detach-keys", wrong, "n", status=64))
    same("bool", True, "true or false" in lichen("attach", "--sig-proxy=no", "n", status=64))


signal.alarm(240)
for check in (terminals, foreground, streams, signals, much, restarts, refused):
    check()
for cell in lichen("ps", "-aq").split():
    lichen("rm", "-f", cell)
