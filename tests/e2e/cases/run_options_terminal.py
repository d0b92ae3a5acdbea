# SPDX-License-Identifier: Apache-2.0
"""run_options_terminal.py LICHEN IMAGE SLOW: -it of `lichen run` and `lichen exec` at a real terminal."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

LICHEN, IMAGE, SLOW = sys.argv[1], sys.argv[2], sys.argv[3] == "1"
SECONDS = 60


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {got!r}")


class Session:
    """lichen at a terminal, as a shell's job in the foreground."""

    def __init__(self, *args):
        gate, looked = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
            os.read(gate, 1)  # how the terminal is before lichen changes it is looked at first
            os.execv(LICHEN, [LICHEN, *args])
        self.before, self.ahead = termios.tcgetattr(self.fd), b""
        os.write(looked, b"x")
        os.close(gate)
        os.close(looked)

    def until(self, text):
        """Reads up to text; what came with it and behind it stays for the next."""
        got, end = self.ahead, time.monotonic() + SECONDS
        while text not in got:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit(f"no {text!r} within {SECONDS} s in {got!r}")
            try:
                got += os.read(self.fd, 4096)
            except OSError:
                sys.exit(f"the end instead of {text!r} in {got!r}")
        at = got.index(text) + len(text)
        self.ahead = got[at:]
        return got[:at]

    def type(self, text, answer):
        os.write(self.fd, text)
        return self.until(answer)

    def command(self, line, answer):
        """To the shell, which has its prompt before and after: nothing is left to be read."""
        return self.type(line + b"\n", answer) + self.until(b"# ")

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self, what, status):
        """Reads to the end: the status is told, and the terminal is as it was."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                os.read(self.fd, 4096)
            except OSError:
                break
        end, done = time.monotonic() + SECONDS, 0
        while not done and time.monotonic() < end:
            done, result = os.waitpid(self.pid, os.WNOHANG)
            time.sleep(0.05)
        if not done:
            sys.exit(f"{what}: lichen does not end")
        same(f"{what}: terminal", termios.tcgetattr(self.fd), self.before)
        same(f"{what}: status", os.waitstatus_to_exitcode(result), status)
        os.close(self.fd)


def shell(session):
    session.until(b"# ")
    session.command(b"stty size", b"33 99")
    session.resize(44, 111)
    for _ in range(0 if SLOW else 50):  # gVisor tells nobody that a terminal has another size
        if b"44 111" in session.command(b"echo size=$(stty size)", b"\nsize="):
            break
        time.sleep(0.1)
    else:
        if not SLOW:
            sys.exit("the guest's terminal does not follow the size of ours")
    if not SLOW:  # gVisor's terminals make no signals of characters
        # Only what says itself that it runs is interrupted: while dash starts a command it takes Ctrl-C itself, and acts when the command has ended
        session.type(b"sh -c 'echo reads=$((1 + 1)); read line'; echo interrupted=$?\n", b"reads=2\r\n")
        session.type(b"\x03", b"# ")
    session.command(b"echo at=$(tty)=$TERM", b"at=/dev/")


def check(options):
    held = Session("run", "-it", "--rm", "--name=term", *options, IMAGE, "--", "sh")
    shell(held)
    if termios.tcgetattr(held.fd)[3] & termios.ICANON:
        sys.exit("our terminal is not raw while the guest has its own")
    other = Session("exec", "-it", "term", "sh")
    shell(other)
    other.type(b"exit 3\n", b"exit 3")
    other.end("exec -it", 3)
    held.type(b"exit 7\n", b"exit 7")
    while subprocess.run([LICHEN, "inspect", "term"], capture_output=True, check=False).returncode == 0:
        time.sleep(0.05)
    held.end("run -it", 7)
    # killed from outside: the terminal is put back all the same
    killed = Session("run", "-it", "--rm", "--name=term", *options, IMAGE, "--", "sh", "-c", "echo begun; sleep 100")
    killed.until(b"begun")
    subprocess.run([LICHEN, "kill", "term"], capture_output=True, check=True)
    while subprocess.run([LICHEN, "inspect", "term"], capture_output=True, check=False).returncode == 0:
        time.sleep(0.05)
    killed.end("killed", 137)
    if SLOW:
        return
    # without input: our terminal stays as it is, and Ctrl-C is passed on
    plain = Session("run", "-t", "--rm", *options, IMAGE, "--", "sh", "-c", "trap 'echo caught; exit 4' INT; echo begun; while :; do sleep 0.1; done")
    plain.until(b"begun")
    same("run -t: terminal", termios.tcgetattr(plain.fd), plain.before)
    plain.type(b"\x03", b"caught")
    plain.end("run -t", 4)


signal.alarm(300)
check(["--emulate=overlay"])
if not SLOW:
    check([])
