# SPDX-License-Identifier: Apache-2.0
"""Children awaited by pidfd in asyncio; one killed, one made with clone3; the memory of another process read.  Argument: how many."""
import asyncio
import ctypes
import os
import select
import signal
import sys
import warnings

CLONE_PIDFD, CLONE_PARENT_SETTID = 0x1000, 0x100000
SYS_CLONE3 = 435


async def exits(status):
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", f"exit {status}")
    return await process.wait()


async def awaited(count):
    watcher = asyncio.PidfdChildWatcher()
    watcher.attach_loop(asyncio.get_running_loop())
    asyncio.set_child_watcher(watcher)
    assert await asyncio.gather(*(exits(i) for i in range(count))) == list(range(count))
    process = await asyncio.create_subprocess_exec("sleep", "100")
    process.kill()
    assert await process.wait() == -signal.SIGKILL


def by_clone3():
    """A fork with a pidfd and the child's number stored for the parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    pidfd, tid = ctypes.c_int(-1), ctypes.c_int(-1)
    flags = CLONE_PIDFD | CLONE_PARENT_SETTID
    args = (ctypes.c_uint64 * 8)(flags, ctypes.addressof(pidfd), 0, ctypes.addressof(tid), signal.SIGCHLD, 0, 0, 0)
    pid = libc.syscall(SYS_CLONE3, args, ctypes.sizeof(args))
    if pid == 0:
        os._exit(7)
    assert pid > 0, os.strerror(ctypes.get_errno())
    assert tid.value == pid and not os.get_inheritable(pidfd.value)
    poll = select.poll()
    poll.register(pidfd.value, select.POLLIN)
    assert poll.poll()[0][1] & select.POLLIN
    result = os.waitid(os.P_PIDFD, pidfd.value, os.WEXITED)
    assert (result.si_pid, result.si_status) == (pid, 7)


def memory_of_a_child():
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    text = ctypes.create_string_buffer(b"parent", 16)
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        text.value = b"child"
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    copy = ctypes.create_string_buffer(16)
    local, remote = Vector(ctypes.addressof(copy), 16), Vector(ctypes.addressof(text), 16)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.process_vm_readv.restype = ctypes.c_ssize_t
    size = libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    assert size == 16 and copy.value == b"child", os.strerror(ctypes.get_errno())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def main():
    warnings.simplefilter("ignore")
    count = int(sys.argv[1])
    asyncio.run(awaited(count))
    by_clone3()
    memory_of_a_child()
    print(f"awaited {count + 2} children by pidfd, read a child's memory")


main()
