# SPDX-License-Identifier: Apache-2.0
"""In a cell with gap cgroup: limits of groups and their figures, as cases/groups.sh wants them. Waits for what is to come, measures no speed."""
import os
import random
import signal
import subprocess
import sys
import time

TOP = "/sys/fs/cgroup"
WAIT = 60  # seconds


def write(group, file, text):
    with open(f"{TOP}/{group}/{file}", "w", encoding="ascii") as out:
        out.write(str(text))


def read(group, file):
    with open(f"{TOP}/{group}/{file}", encoding="ascii") as text:
        return text.read()


def rows(group, file):
    return {word: int(number) for word, number in (line.split() for line in read(group, file).splitlines())}


def until(what, condition):
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, f"not in {WAIT} s: {what}"
        time.sleep(0.02)


def start(group, code):
    """A Python program in a group: it enters the group itself, and says so before it goes on."""
    enter = f"open('{TOP}/{group}/cgroup.procs', 'w').write('0'); print('in', flush=True)\n"
    child = subprocess.Popen([sys.executable, "-I", "-c", enter + code], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "in\n"
    return child


def memory():
    os.mkdir(f"{TOP}/memory")
    write("memory", "memory.max", "64M")
    assert read("memory", "memory.max") == f"{64 << 20}\n"
    small = start("memory", "import time; time.sleep(1000)")
    large = start("memory", "import time; b = bytearray(200 << 20); b[::4096] = b'x' * len(b[::4096]); time.sleep(1000)")
    assert large.wait(WAIT) == -signal.SIGKILL
    events = rows("memory", "memory.events")
    assert events["oom_kill"] >= 1 and events["max"] >= 1, events
    assert small.poll() is None, "the smaller one was killed"
    until("a figure of memory", lambda: 0 < int(read("memory", "memory.current")) < 64 << 20)
    write("memory", "memory.oom.group", 1)
    large = start("memory", "import time; b = bytearray(200 << 20); b[::4096] = b'x' * len(b[::4096]); time.sleep(1000)")
    assert large.wait(WAIT) == small.wait(WAIT) == -signal.SIGKILL
    assert rows("memory", "memory.events")["oom_group_kill"] >= 1
    os.rmdir(f"{TOP}/memory")


def tasks():
    os.mkdir(f"{TOP}/tasks")
    write("tasks", "pids.max", 4)
    code = """
import os, threading, time
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except BlockingIOError:
    print(made, flush=True)
try:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    print("a thread", flush=True)
except RuntimeError:
    print("no thread", flush=True)
time.sleep(1000)
"""
    child = start("tasks", code)
    assert child.stdout.readline() == "3\n"
    assert child.stdout.readline() == "no thread\n"
    assert read("tasks", "pids.current") == read("tasks", "pids.peak") == "4\n"
    assert rows("tasks", "pids.events")["max"] == 2
    assert len(read("tasks", "cgroup.procs").split()) == 4
    write("tasks", "cgroup.kill", 1)
    assert child.wait(WAIT) == -signal.SIGKILL
    until("the end of all", lambda: "populated 0" in read("tasks", "cgroup.events"))
    os.rmdir(f"{TOP}/tasks")


def processor():
    os.mkdir(f"{TOP}/cpu")
    write("cpu", "cpu.max", "10000 100000")
    child = start("cpu", "while True: pass")
    until("the limit", lambda: rows("cpu", "cpu.stat")["nr_throttled"] > 5)
    stat = rows("cpu", "cpu.stat")
    assert stat["throttled_usec"] > 0 and stat["usage_usec"] > 0, stat
    write("cpu", "cpu.max", "max")
    before = rows("cpu", "cpu.stat")["usage_usec"]
    until("more time", lambda: rows("cpu", "cpu.stat")["usage_usec"] > before + 200000)
    child.kill()
    child.wait()
    assert rows("cpu", "cpu.stat")["usage_usec"] >= before, "what the dead used is forgotten"
    os.rmdir(f"{TOP}/cpu")


def freezer():
    os.mkdir(f"{TOP}/cold")
    child = start("cold", "import itertools\nfor i in itertools.count(): print(i, flush=True)")
    write("cold", "cgroup.freeze", 1)
    until("frozen", lambda: "frozen 1" in read("cold", "cgroup.events"))
    write("cold", "cgroup.freeze", 0)
    until("thawed", lambda: "frozen 0" in read("cold", "cgroup.events"))
    assert child.stdout.readline()
    child.kill()
    child.wait()
    os.rmdir(f"{TOP}/cold")


def one_step(group, step):
    path = f"{TOP}/{group}"
    if step == 0:
        os.mkdir(path)
    elif step == 1:
        os.rmdir(path)
    elif step == 2:
        write(group, "cgroup.procs", 0)
    elif step == 3:
        write("", "cgroup.procs", 0)
    elif step == 4:
        write(group, "pids.max", random.randrange(3, 30))
    elif step == 5:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    else:
        read(group, "cgroup.procs")
        read(group, "cgroup.events")


def work_for_ever(seed):
    random.seed(seed)
    while True:
        try:
            one_step(f"torn{random.randrange(4)}", random.randrange(7))
        except OSError:
            pass  # another one was faster


def kills():
    """Who makes, removes and joins groups is killed at any moment: what is left can be used, or is gone."""
    workers = []
    for _ in range(120):
        while len(workers) < 3:
            child = os.fork()
            if child == 0:
                work_for_ever(random.randrange(1 << 30))
            workers.append(child)
        time.sleep(random.random() / 50)
        workers.sort(key=lambda _: random.random())
        os.kill(workers[-1], signal.SIGKILL)
        os.waitpid(workers.pop(), 0)
    for child in workers:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for number in range(4):
        name = f"torn{number}"
        try:
            os.mkdir(f"{TOP}/{name}")
        except FileExistsError:
            pass
        until(f"{name} is empty", lambda name=name: "populated 0" in read(name, "cgroup.events"))
        write(name, "pids.max", 7)
        assert read(name, "pids.max") == "7\n"
        os.rmdir(f"{TOP}/{name}")


write("", "cgroup.subtree_control", "+cpu +memory +pids")
memory()
tasks()
processor()
freezer()
kills()
