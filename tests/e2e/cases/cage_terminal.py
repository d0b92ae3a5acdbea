# SPDX-License-Identifier: Apache-2.0
"""cage_terminal.py LICHEN POLICY: a caged command whose standard streams are a terminal, which is not that of its session."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from terminal_session import Session  # noqa: E402 pylint: disable=wrong-import-position

CAGED = (sys.argv[1], "run", "--cage", sys.argv[2], "--", "/bin/sh", "-c")

# A shell waits for what it runs, and goes on if that alone was interrupted.
held = Session(*CAGED, "/bin/sh -c 'echo reads=$((1 + 1)); read line'; echo lived")
held.until(b"reads=2\r\n")
os.write(held.fd, b"\x03")
held.end("Ctrl-C", 130)
# Programs open it again by its name.
named = Session(*CAGED, 'echo again >"$(tty)"')
named.until(b"again")
named.end("the terminal by its name", 0)
