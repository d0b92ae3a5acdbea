# SPDX-License-Identifier: Apache-2.0
"""How much memory a process has held at most: VmHWM of /proc/PID/status, until it has ended."""
import re
import subprocess
import time


def peak_kb(command):
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as file:
                found = re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.M)
            if found:  # a zombie has none
                peak = int(found[1])  # it only grows; before execve it is ours
            time.sleep(0.001)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak
