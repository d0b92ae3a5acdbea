# SPDX-License-Identifier: Apache-2.0
"""oci_terminal.py COMMAND…: runs a command on a terminal of its own; prints what it wrote, and its status."""
import os
import pty
import sys

pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
while True:
    try:
        some = os.read(master, 4096)
    except OSError:  # EIO: the other end is closed
        break
    if not some:
        break
    said += some
print(said.decode(), "status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
