# SPDX-License-Identifier: Apache-2.0
"""run_options_terminal.py LICHEN IMAGE SLOW: -it of `lichen run` and `lichen exec` at a real terminal."""
import pathlib
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import terminal_session  # noqa: E402 pylint: disable=wrong-import-position
from terminal_session import same  # noqa: E402 pylint: disable=wrong-import-position

LICHEN, IMAGE, SLOW = sys.argv[1], sys.argv[2], sys.argv[3] == "1"


def Session(*args):  # noqa: N802 pylint: disable=invalid-name
    return terminal_session.Session(LICHEN, *args)


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
