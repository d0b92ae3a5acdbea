# SPDX-License-Identifier: Apache-2.0
"""oci_terminal.py COMMAND…: runs a command on a terminal of its own; prints what it wrote, and its status."""
import os
import pty
import select
import sys

pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
status = None
while True:
    if select.select([master], [], [], 0.1 if status is None else 0)[0]:
        try:
            some = os.read(master, 4096)
        except OSError:  # EIO: the other end is closed
            some = b""
        said += some
        if some:
            continue
    if status is not None:
        break
    ended, result = os.waitpid(pid, os.WNOHANG)  # gVisor of 2022 does not tell that the other end is closed
    status = os.waitstatus_to_exitcode(result) if ended else None
print(said.decode(), "status", status)
