# SPDX-License-Identifier: Apache-2.0
"""cage_killed.py POLICY MADE COMMAND…: ends lichen by SIGKILL the moment that each of its children is born, before the child can do anything; then the child
must end, and never come to the command, which makes the file MADE. Says how many moments there were."""
import ctypes
import os
import select
import signal
import sys

TRACEME, CONT, DETACH, SETOPTIONS, GETEVENTMSG = 0, 7, 17, 0x4200, 0x4201
TRACE_FORK, TRACE_VFORK, EXITKILL = 2, 4, 1 << 20
WALL = 0x40000000
SECONDS = 120
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, pid, data=0):
    if libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(0), ctypes.c_void_p(data)) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


def start(command):
    pid = os.fork()
    if pid == 0:
        ptrace(TRACEME, 0)
        os.execv(command[0], command)
    os.waitpid(pid, 0)
    ptrace(SETOPTIONS, pid, TRACE_FORK | TRACE_VFORK | EXITKILL)
    ptrace(CONT, pid)
    return pid


def newborn(pid):
    """The child that a stopped process has just made, stopped before its first instruction."""
    number = ctypes.c_ulong()
    ptrace(GETEVENTMSG, pid, ctypes.addressof(number))
    os.waitpid(number.value, WALL)
    return number.value


def kill_at(command, moment):
    """Whether there was such a child; the pidfd of it that is returned is of a process without its parent."""
    pid = start(command)
    count = 0
    while True:
        _, status = os.waitpid(pid, WALL)
        if not os.WIFSTOPPED(status):
            return None
        if status >> 16 == 0:
            sig = os.WSTOPSIG(status)
            ptrace(CONT, pid, 0 if sig == signal.SIGTRAP else sig)
            continue
        child = newborn(pid)
        count += 1
        if count < moment:
            ptrace(DETACH, child)
            ptrace(CONT, pid)
            continue
        pidfd = os.pidfd_open(child)
        os.kill(pid, signal.SIGKILL)
        while os.WIFSTOPPED(os.waitpid(pid, WALL)[1]):
            pass
        ptrace(DETACH, child)
        return pidfd


def main():
    made, command = sys.argv[1], sys.argv[2:]
    moment = 1
    while (pidfd := kill_at(command, moment)) is not None:
        if not select.select([pidfd], [], [], SECONDS)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            sys.exit(f"child {moment} of lichen went on without it")
        os.close(pidfd)
        if os.path.exists(made):
            sys.exit(f"child {moment} of lichen came to the command without it")
        moment += 1
    if not os.path.exists(made):
        sys.exit("the command did not run")
    print(f"{moment - 1} moments")


if __name__ == "__main__":
    main()
