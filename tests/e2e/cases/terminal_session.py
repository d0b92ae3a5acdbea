# SPDX-License-Identifier: Apache-2.0
"""lichen at a real terminal, for the cases that are about terminals."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS = 60


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {got!r}")


class Session:
    """lichen at a terminal, as a shell's job in the foreground."""

    def __init__(self, *args, rows=33, columns=99):
        gate, looked = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.read(gate, 1)  # how the terminal is before lichen changes it is looked at first
            os.execv(args[0], args)
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
