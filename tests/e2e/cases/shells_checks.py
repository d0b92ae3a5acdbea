# SPDX-License-Identifier: Apache-2.0
"""Checks of statuses, streams, signals and terminals around `$RUN CMD`. Runs natively itself; prints a line a check."""
import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time

PREFIX = shlex.split(os.environ.get("RUN", ""))
SLOW = os.environ.get("SLOW") == "1"
ENVIRONMENT = os.environ.get("ENVIRONMENT", "host")
RECORDED = os.environ.get("UNDER") == "why"
PATIENCE = 8
# gVisor of 2022 sends no signals from a terminal: what hangs on that is not waited for long there.
LACKING = ENVIRONMENT == "gvisor"
NEEDS_TERMINAL_SIGNALS = "Ctrl-C ends"
failures = []


def check(what, want, got):
    if want != got:
        failures.append(what)
        print(f"shells: FAIL: {what}: expected {want!r}, got {got!r}", file=sys.stderr)
    return want == got


def run(*command, **how):
    return subprocess.run([*PREFIX, *command], timeout=PATIENCE * 2, check=False, **how)


def shell_status(returncode):
    """As a shell shows it: natively a signal is no number of its own."""
    return 128 - returncode if returncode < 0 else returncode


# --- statuses ---------------------------------------------------------------------------------------------------------------


def exit_statuses():
    numbers = range(256) if not SLOW and not RECORDED else [0, 1, 2, 77, 125, 126, 127, 128, 255]
    for n in numbers:
        check(f"exit {n}", n, run("sh", "-c", f"exit {n}").returncode)
    return f"exit statuses: {len(numbers)} values"


def signal_statuses():
    chosen = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, 34, 64]
    for n in chosen[:: 4 if SLOW else 1]:
        # ulimit: no core files
        got = run("sh", "-c", f"ulimit -c 0; kill -{n} $$").returncode
        check(f"killed by signal {n}", 128 + n, shell_status(got))
    return "128+n for guests killed by signal n"


# --- streams ----------------------------------------------------------------------------------------------------------------


def streams():
    data = os.urandom(1 << (16 if SLOW else 22))
    check("stdin to stdout", data, run("cat", input=data, stdout=subprocess.PIPE).stdout)
    both = run("sh", "-c", "echo out; echo err >&2", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check("stdout", b"out\n", both.stdout)
    check("stderr", b"err\n", both.stderr)
    check("stdin at its end", b"", run("cat", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout)
    closed = run("sh", "-c", "[ ! -e /proc/self/fd/0 ]", preexec_fn=lambda: os.close(0)).returncode
    check("a closed stdin stays closed", 0, closed)
    # A reader that leaves: the writer gets SIGPIPE, as without lichen.
    line = " ".join(shlex.quote(w) for w in [*PREFIX, "sh", "-c", "yes; exit 9"])
    got = subprocess.run(
        ["bash", "-c", f"{line} 2>/dev/null | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}"],
        stdout=subprocess.PIPE, check=False, timeout=PATIENCE,
    )  # fmt: skip
    check("status of a shell whose child died of SIGPIPE", b"9\n", got.stdout)
    r, w = os.pipe()
    os.set_inheritable(w, True)
    run("sh", "-c", f"echo through >&{w}", close_fds=False)
    check("an inherited descriptor", b"through\n", os.read(r, 100))
    os.close(r)
    os.close(w)
    fds = "for f in /proc/self/fd/*; do echo ${f##*/}; done"
    mine = run("bash", "-c", fds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.split()
    native = subprocess.run(
        ["bash", "-c", fds], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    ).stdout.split()
    check("open descriptors of a guest", native, mine)
    where = run("pwd", stdout=subprocess.PIPE, cwd="/usr").stdout
    check("working directory", b"/usr\n", where)
    env = run("env", env={"PATH": os.environ["PATH"], "A": "b c"}, stdout=subprocess.PIPE).stdout
    check("environment", {b"PATH=" + os.fsencode(os.environ["PATH"]), b"A=b c"}, set(env.splitlines()))
    old = os.umask(0o27)
    check("umask", b"0027\n", run("sh", "-c", "umask", stdout=subprocess.PIPE).stdout)
    os.umask(old)
    return "streams, descriptors, folder, environment, umask"


# --- signals to lichen ------------------------------------------------------------------------------------------------------


def start(script):
    process = subprocess.Popen([*PREFIX, "sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    check("the guest is ready", b"ready\n", process.stdout.readline())
    return process


def end(process):
    try:
        return process.communicate(timeout=PATIENCE)[0], shell_status(process.returncode)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "no end", None


def signals_pass():
    names = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "ALRM", "PIPE", "WINCH", "URG", "IO", "PWR"]
    for name in names[:: 3 if SLOW else 1]:
        process = start(f"trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.05; done")
        process.send_signal(getattr(signal, f"SIG{name}"))
        check(f"SIG{name} reaches the guest", (f"got {name}\n".encode(), 9), end(process))
    for name in ["HUP", "INT", "TERM", "USR1", "ALRM"][:: 2 if SLOW else 1]:
        process = start("echo ready; exec sleep 60")
        process.send_signal(getattr(signal, f"SIG{name}"))
        check(f"SIG{name} ends the guest", (b"", 128 + getattr(signal, f"SIG{name}")), end(process))
    process = start("trap '' TERM; echo ready; read -r line; sleep 0.4; echo survived")
    process.terminate()
    check("a guest that ignores SIGTERM", None, process.poll())
    process.kill()
    end(process)
    return "signals sent to lichen reach the guest, caught and uncaught"


def ignored_signals():
    got = run(
        "sh", "-c", "kill -HUP $$; kill -USR1 $$; echo alive", stdout=subprocess.PIPE,
        preexec_fn=lambda: (signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGUSR1, signal.SIG_IGN)),
    )  # fmt: skip
    check("signals ignored by the parent stay ignored (nohup)", (b"alive\n", 0), (got.stdout, got.returncode))
    mask = run(
        "sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status", stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]),
    ).stdout.decode()  # fmt: skip
    native = subprocess.run(
        ["sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"], stdout=subprocess.PIPE, check=False,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]),
    ).stdout.decode()  # fmt: skip
    check("inherited signal mask and ignored set", native, mask)
    return "ignored signals and the mask are inherited"


# --- terminals --------------------------------------------------------------------------------------------------------------


class PartFailed(Exception):
    """What follows in this part would wait for an answer that cannot come."""


class Terminal:
    """A command on a pseudo-terminal of its own, as its controlling terminal."""

    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="$ ", TERM="dumb", HISTFILE="/dev/null")
            os.environ.pop("PROMPT_COMMAND", None)
            try:
                os.execvp(command[0], command)
            finally:
                os._exit(99)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.text = ""

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                data = ""
            self.text += data
            return bool(data)
        return True

    def expect(self, pattern, what):
        deadline = time.monotonic() + (2 if LACKING and what.startswith(NEEDS_TERMINAL_SIGNALS) else PATIENCE)
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > deadline or not self.read(0.1):
                failures.append(what)
                print(f"shells: FAIL: {what}: no {pattern!r} in {self.text[-600:]!r}", file=sys.stderr)
                self.close()  # hangs up: the command ends, and with it this part
                raise PartFailed
        self.text = self.text[found.end() :]
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def status(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return shell_status(os.waitstatus_to_exitcode(status))
            try:
                self.read(0.05)
            except OSError:
                time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def close(self):
        os.close(self.fd)


def guest_shell():
    """An interactive bash as a guest: it does the job control."""
    t = Terminal([*PREFIX, "bash", "--norc", "--noprofile", "-i"])
    t.expect(r"\$ $", "prompt of a guest bash")
    t.type("tty; stty size; echo $((6*7))\n")
    t.expect(r"/dev/pts/\d+", "tty in a guest")
    t.expect(r"40 100", "window size in a guest")
    t.expect(r"42", "echo in a guest bash")
    t.type("sleep 100\n")
    time.sleep(1 if SLOW else 0.4)
    t.type("\x03")
    t.type("echo status=$?\n")
    t.expect(r"status=130", "Ctrl-C ends the foreground job of a guest bash")
    t.type("cat\n")
    time.sleep(1 if SLOW else 0.4)
    t.type("\x1a")
    t.expect(r"Stopped", "Ctrl-Z stops the foreground job of a guest bash")
    t.type("jobs; fg\n")
    t.expect(r"Stopped +cat", "jobs of a guest bash")
    time.sleep(1 if SLOW else 0.4)
    t.type("again\n")
    t.expect(r"again\r\nagain", "fg of a guest bash")
    t.type("\x03")
    time.sleep(1 if SLOW else 0.4)
    t.type("sleep 100 & kill %1; wait %1; echo status=$?\n")
    t.expect(r"status=143", "a background job of a guest bash")
    t.type("trap 'echo size $(stty size)' WINCH; echo trap set\n")
    t.expect(r"\ntrap set", "trap in a guest bash")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    t.type("\n")
    t.expect(r"size 50 120", "SIGWINCH in a guest bash")
    t.type("exit 33\n")
    check("exit of an interactive guest bash", 33, t.status())
    t.close()
    return "an interactive bash as guest: Ctrl-C, Ctrl-Z, jobs, fg, background, SIGWINCH"


def job_of_a_shell():
    """lichen as a job of a native interactive bash."""
    line = " ".join(shlex.quote(w) for w in PREFIX)
    t = Terminal(["bash", "--norc", "--noprofile", "-i"])
    t.expect(r"\$ $", "prompt")
    t.type(f"{line} sleep 100\n")
    time.sleep(2 if SLOW else 0.5)
    t.type("\x03")
    t.type("echo status=$?\n")
    t.expect(r"status=130", "Ctrl-C ends lichen and its guest")
    t.type(f"{line} sh -c 'trap \"\" INT; echo go; sleep 0.5; echo outlived; exit 5'\n")
    t.expect(r"\ngo", "guest that ignores SIGINT")
    t.type("\x03")
    t.expect(r"outlived", "a guest that ignores SIGINT outlives Ctrl-C")
    t.type("echo status=$?\n")
    t.expect(r"status=5", "status of a guest that outlived Ctrl-C")
    t.type(f"{line} cat\n")
    time.sleep(2 if SLOW else 0.5)
    t.type("\x1a")
    t.expect(r"Stopped", "Ctrl-Z stops lichen with its guest")
    t.type("fg\n")
    time.sleep(1 if SLOW else 0.4)
    t.type("again\n")
    t.expect(r"again\r\nagain", "fg continues lichen and its guest")
    t.type("\x1a")
    t.expect(r"Stopped", "Ctrl-Z a second time")
    t.type("kill -TERM %1; kill -CONT %1; wait %1; echo status=$?\n")
    t.expect(r"status=143", "kill of a stopped job")
    t.type(f"echo typed | {line} sh -c 'read -r x; echo [$x]'\n")
    t.expect(r"\[typed\]", "a pipe into lichen in an interactive shell")
    t.type(f"{line} sleep 100 &\n")
    t.type("sleep 0.3; kill %1; wait %1; echo status=$?\n")
    t.expect(r"status=143", "lichen in the background")
    t.type("exit 0\n")
    check("exit of the shell", 0, t.status())
    t.close()
    return "as a job of bash: Ctrl-C, Ctrl-Z, fg, kill, background"


def hang_up():
    t = Terminal([*PREFIX, "sh", "-c", "trap 'exit 0' HUP; echo ready; while :; do sleep 0.05; done"])
    t.expect("ready", "guest on a terminal")
    pid = t.pid
    t.close()  # the master of the terminal
    deadline = time.monotonic() + (2 if LACKING else PATIENCE)
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return "closing the terminal ends the guest"
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    failures.append("hang-up")
    print("shells: FAIL: the guest survives the end of its terminal", file=sys.stderr)
    return "hang-up"


PARTS = [exit_statuses, signal_statuses, streams, signals_pass, ignored_signals, guest_shell, job_of_a_shell, hang_up]


def failures_of(part):
    """Runs one part; returns (its words, names of the checks that failed)."""
    failures.clear()
    words = ""
    try:
        words = part()
    except PartFailed:
        pass
    return words, set(failures)


def main():
    failed = False
    for part in PARTS:
        words, names = failures_of(part)
        if names and PREFIX:
            # Is it lichen, or this kernel? gVisor's terminals lack some of this.
            prefix = PREFIX[:]
            PREFIX.clear()
            _, native = failures_of(part)
            PREFIX[:] = prefix
            if names <= native:
                print(f"shells: {part.__name__}: no check: fails natively here too: {', '.join(sorted(names))}", flush=True)
                continue
        if names:
            failed = True
            print(f"shells: {part.__name__}: FAILED: {', '.join(sorted(names))}", flush=True)
        else:
            print(f"shells: {words}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
