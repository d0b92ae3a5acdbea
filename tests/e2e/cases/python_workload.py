# SPDX-License-Identifier: Apache-2.0
"""One exercise of the Python runtime by name; asserts results and prints 'NAME: what was done' as its last act."""
import asyncio
import mmap
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

BIG = len(sys.argv) < 3 or sys.argv[2] == "1"


def threads():
    jobs, done = queue.Queue(), queue.Queue()
    count, items = (24, 2000) if BIG else (8, 200)

    def worker():
        while (n := jobs.get()) is not None:
            done.put(n * n)

    pool = [threading.Thread(target=worker) for _ in range(count)]
    for t in pool:
        t.start()
    for n in range(items):
        jobs.put(n)
    for _ in pool:
        jobs.put(None)
    for t in pool:
        t.join()
    total = sum(done.get_nowait() for _ in range(items))
    assert total == sum(n * n for n in range(items)), total
    barrier, seen = threading.Barrier(count), []
    pool = [threading.Thread(target=lambda: (barrier.wait(), seen.append(1))) for _ in range(count)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    assert len(seen) == count
    return f"{count} threads, {items} jobs"


def run_subprocess():
    out = subprocess.run(["tr", "a-z", "A-Z"], input=b"hello", stdout=subprocess.PIPE, check=True).stdout
    assert out == b"HELLO", out
    statuses = [subprocess.run(["sh", "-c", f"exit {n}"], check=False).returncode for n in (0, 1, 77, 255)]
    assert statuses == [0, 1, 77, 255], statuses
    killed = subprocess.run(["sh", "-c", "kill -9 $$"], check=False).returncode
    assert killed == -9, killed
    try:
        subprocess.run(["/nonexistent"], check=False)
        raise AssertionError("no error for an absent program")
    except FileNotFoundError:
        pass
    try:
        subprocess.run(["sleep", "20"], timeout=0.3, check=False)
        raise AssertionError("no time-out")
    except subprocess.TimeoutExpired:
        pass
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    data = b"x" * (1 << (20 if BIG else 17))
    assert child.communicate(data)[0] == data
    # close_fds=False takes posix_spawn/vfork; preexec_fn forces fork.
    assert subprocess.call(["true"], close_fds=False) == 0
    assert subprocess.call(["sh", "-c", 'test "$X" = y'], env={"X": "y"}, preexec_fn=lambda: os.umask(0)) == 0
    env_exe = subprocess.check_output([sys.executable, "-I", "-c", "import sys; print(sys.executable)"]).strip()
    assert env_exe.decode() == sys.executable, env_exe
    return "statuses, signals, time-out, pipes, vfork"


def signals():
    got = []
    signal.signal(signal.SIGUSR1, lambda *_: got.append("usr1"))
    signal.signal(signal.SIGALRM, lambda *_: got.append("alarm"))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    time.sleep(0.5)  # restarted after the handler (PEP 475)
    assert time.monotonic() - start >= 0.5
    assert got == ["usr1", "alarm"], got
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.sigpending() == {signal.SIGUSR1}
    assert signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1
    signal.signal(signal.SIGSYS, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGSYS) == signal.SIG_IGN
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSYS])
    assert signal.SIGSYS in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGSYS, signal.SIGUSR1])
    signal.signal(signal.SIGCHLD, lambda *_: got.append("chld"))
    if (pid := os.fork()) == 0:
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    assert got[-1] == "chld", got
    return "handlers, masks, SIGSYS set and read back, itimer, sigwait"


def files():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f")
        with open(path, "wb") as f:
            f.write(b"0" * 10000)
        with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
            m[5000:5005] = b"hello"
            m.flush()
        with open(path, "rb") as f:
            assert f.read()[5000:5005] == b"hello"
        assert os.listdir(folder) == ["f"] and os.stat(path).st_size == 10000
        try:
            os.rmdir(folder)
            raise AssertionError("removed a full folder")
        except OSError as e:
            assert e.errno == 39, e
    assert os.path.realpath("/proc/self/exe") == os.path.realpath(sys.executable), os.readlink("/proc/self/exe")
    with open("/proc/self/cmdline", "rb") as f:
        words = f.read().split(b"\0")
    assert words[1] == b"-I" and words[2].endswith(b"python_workload.py"), words
    with open("/proc/self/comm", encoding="ascii") as f:
        assert f.read().strip() == "python3"
    return "mmap, folders, errno, /proc/self/{exe,cmdline,comm}"


def run_asyncio():
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        n = 50 if BIG else 10
        assert sorted(await asyncio.gather(*(ask(port, i) for i in range(n)))) == list(range(n))
        process = await asyncio.create_subprocess_exec("echo", "hi", stdout=asyncio.subprocess.PIPE)
        assert (await process.communicate())[0] == b"hi\n"
        server.close()

    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def ask(port, i):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"%d\n" % i)
        answer = int(await reader.readline())
        writer.close()
        return answer

    asyncio.run(main())
    return "server and clients on loopback, a child process"


def square(n):
    return n * n


def add(value, lock, times):
    for _ in range(times):
        with lock:
            value.value += 1


def multi(method):
    context = multiprocessing.get_context(method)
    size, times = (4, 500) if BIG else (2, 30)
    with context.Pool(size) as pool:
        assert pool.map(square, range(200)) == [n * n for n in range(200)]
    value, lock = context.Value("i", 0, lock=False), context.Lock()
    children = [context.Process(target=add, args=(value, lock, times)) for _ in range(size)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    assert [c.exitcode for c in children] == [0] * size
    assert value.value == size * times, value.value
    return f"pool of {size}, a shared counter of {size * times} locked increments"


def main():
    name = sys.argv[1]
    parts = {"threads": threads, "subprocess": run_subprocess, "signals": signals, "files": files, "asyncio": run_asyncio}
    what = parts[name]() if name in parts else multi(name)
    print(f"{name}: {what}")


if __name__ == "__main__":
    main()
