# SPDX-License-Identifier: Apache-2.0
"""docker run -it and attach on a terminal: prompt, sizes, Ctrl-C, leaving by Ctrl-P Ctrl-Q and coming back. Status 0 if all is as it should be."""
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

PATIENCE = 60
DOCKER = "/usr/bin/docker"


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *argv):
        self.said = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            os.execv(argv[0], argv)

    def read(self):
        if not select.select([self.master], [], [], 0.1)[0]:
            return
        try:
            self.said += os.read(self.master, 4096)
        except OSError:  # EIO: the other end is closed
            time.sleep(0.05)

    def expect(self, text, again=None):
        """Reads until `text` is there, which is taken; `again` is typed once a second."""
        end, typed = time.monotonic() + PATIENCE, 0
        while text not in self.said:
            now = time.monotonic()
            if now > end:
                sys.exit(f"'{text.decode()}' does not come: {self.said.decode(errors='replace')!r}")
            if again and now > typed + 1:
                self.type(again)
                typed = now
            self.read()
        self.said = self.said.split(text, 1)[1]

    def type(self, text):
        os.write(self.master, text)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)  # gVisor does not

    def status(self):
        end = time.monotonic() + PATIENCE
        while True:
            ended, result = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(result)
            if time.monotonic() > end:
                sys.exit(f"it does not end: {self.said.decode(errors='replace')!r}")
            self.read()


def inspect(what):
    return subprocess.run([DOCKER, "inspect", "-f", what, "terminal"], capture_output=True, text=True, check=True).stdout.strip()


screen = Terminal(DOCKER, "run", "-it", "--name", "terminal", "--network=none", "base", "sh")
screen.expect(b"# ")
screen.expect(b"40 100", again=b"stty size\n")
screen.resize(30, 90)
screen.expect(b"30 90", again=b"stty size\n")
if not os.environ.get("ENVIRONMENT", "").startswith("gvisor"):
    # gVisor's terminals send SIGINT to docker itself, although that has switched ISIG off (2024), or never (2022).
    screen.type(b"export a=caug b=read; sh -c 'trap \"echo ${a}ht; exit\" INT; echo ${b}y; while :; do sleep 0.1; done'\n")
    screen.expect(b"ready")
    screen.type(b"\x03")
    screen.expect(b"caught")
screen.type(b"\x10\x11")
if screen.status() != 0:
    sys.exit("docker run's status after Ctrl-P Ctrl-Q")
if inspect("{{.State.Running}}") != "true":
    sys.exit("it does not run after Ctrl-P Ctrl-Q")
screen = Terminal(DOCKER, "attach", "terminal")
screen.expect(b"<42>", again=b"echo \"<$((6 * 7))>\"\n")
screen.type(b"exit 5\n")
if screen.status() != 5:
    sys.exit("status of docker attach")
if inspect("{{.State.ExitCode}}") != "5":
    sys.exit("status of the container")
