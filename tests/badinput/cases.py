#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input and poor surroundings, case by case; each asserts the exact message and status.

    tests/badinput/cases.py [NAME…]        run them here: one JSON object a line, {"name", "error"}

A case is a function with the environments that it makes sense in.  test_cases.py runs them in each, through tests/envs.  lichen is
$LICHEN, else build/lichen; the helpers are built by meson into build/tests/badinput (BADINPUT_BIN).

Over 600 lines, because cases are looked up by name in one module, and each is a few lines.
"""
import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[1]
BIN = os.environ.get("BADINPUT_BIN", str(REPO / "build/tests/badinput"))
LICHEN = os.environ.get("LICHEN", str(REPO / "build/lichen"))
PYTHON = "/usr/bin/python3"  # in PATH there may be a script that looks for one
ENVS = ("host", "tiny", "docker", "restricted", "gvisor", "gvisor24")
FULL = ("host", "tiny")  # root that may mount and make namespaces
LINUX = ("host", "tiny", "docker", "restricted")  # Linux underneath: gVisor's own answers differ
SECONDS = 60
UNLIMITED = resource.RLIM_INFINITY

CASES = {}


def case(*envs):
    def add(function):
        CASES[function.__name__] = (function, envs or ENVS)
        return function

    return add


def run(*argv, status=0, out="", err="", setup=None, **options):
    """Runs lichen with these arguments; out and err are regular expressions for all of stdout and stderr."""
    check([LICHEN, *argv], status, out, err, setup, **options)


def emulated(*argv, **options):
    run("run", "--emulate=all", "--", *argv, **options)


def check(argv, status, out, err, setup=None, **options):
    options.setdefault("cwd", WORK)
    done = subprocess.run(
        argv, capture_output=True, text=True, errors="replace", preexec_fn=setup, timeout=SECONDS, check=False, **options
    )
    got = done.returncode if done.returncode >= 0 else 128 - done.returncode
    what = " ".join(a if len(a) < 200 else a[:200] + "…" for a in argv[1:])
    shown = f"{what}\n  status {got}\n  stdout {done.stdout[-500:]!r}\n  stderr {done.stderr[-500:]!r}"
    allowed = status if isinstance(status, tuple) else (status,)
    assert got in allowed, f"{shown}\n  wanted status {status}"
    assert re.fullmatch(out, done.stdout, re.DOTALL), f"{shown}\n  wanted stdout {out!r}"
    assert re.fullmatch(err, done.stderr, re.DOTALL), f"{shown}\n  wanted stderr {err!r}"


def limit(what, soft, hard=None):
    return lambda: resource.setrlimit(what, (soft, soft if hard is None else hard))


def cannot(program, why):
    return f"lichen: cannot run '{re.escape(program)}': {re.escape(why)}\n"


def usage(text):
    return f"lichen run: {re.escape(text)}\nTry 'lichen run --help'.\n"


def script(name, text, mode=0o755):
    path = os.path.join(WORK, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)
    return path


# --- the command line --------------------------------------------------------------------------------------------------------


@case()
def wrong_options():
    known = "sysvipc, .*"
    run("run", "--emulate=nope", "--", "true", status=125, err=f"lichen run: unknown gap 'nope'; known: {known}\nTry .*\n")
    run("run", "--emulate=", "--", "true", status=125, err=usage("option '--emulate' needs a value: GAP,…"))
    run("run", "--refuse=sysvip", "true", status=125, err="lichen run: unknown gap 'sysvip'; did you mean 'sysvipc'.*\n")
    run("run", "--bogus", "true", status=125, err=usage("unknown option '--bogus'"))
    run("run", "-x", "true", status=125, err=usage("unknown option '-x'"))
    run("run", "--emul=all", "true", status=125, err=usage("unknown option '--emul'; did you mean '--emulate'?"))
    run("run", status=125, err=usage("there is no command to run"))
    run("run", "--", status=125, err=usage("there is no command to run"))
    run("run", "", status=125, err=usage("the command's name is empty"))
    run("run", "--json", "--", "true", status=125, err=usage("--json needs --explain"))
    run("run", "-e", "=foo", "--", "true", status=125, err=usage("option '--env' needs KEY[=VALUE], not '=foo'"))
    run("run", "--emulate=all", "--native=all", "true", status=125,
        err=usage("--emulate=all and --native=all contradict each other"))
    run("run", "--emulate=sysvipc", "--native=sysvipc", "true", status=125,
        err=usage("gap 'sysvipc' is named by both --emulate and --native"))
    run("frob", status=64, err="lichen: unknown command 'frob'\nTry 'lichen help'.\n")
    run(status=64, err="Usage: lichen COMMAND .*")
    run("doctor", "--for", "nope", status=64, err="lichen doctor: unknown workload 'nope', and no such file or program; known: .*\n")


def doctor(*argv, status=64, err="", **options):
    """A doctor that must refuse: the text, and where help is."""
    run("doctor", *argv, status=status, err=f"lichen doctor: {err}\nTry 'lichen doctor --help'.\n", **options)


@case()
def doctor_of_bad_programs():
    true = pathlib.Path("/bin/true").read_bytes()
    judge = "cannot judge './{}': {}"
    for name, content, why in (
        ("cut", true[:3000], r"its ELF headers are damaged, or it is cut short"),
        ("short", true[:20], r"not a program for this machine \(ENOEXEC\); it must be x86-64 ELF or begin with #!"),
        ("foreign", true[:18] + b"\xb7\0" + true[20:], r"not a program for this machine \(ENOEXEC\);.*"),
        ("small", true[:4] + b"\x01" + true[5:], r"not a program for this machine \(ENOEXEC\);.*"),
        ("phnum", true[:56] + b"\xff\xff" + true[58:], r"its ELF headers are larger than any linker makes them"),
        ("lost", b"#!/nonexistent/x\n", r"it is a script for /nonexistent/x, which is not here \(ENOENT\)"),
        ("empty_line", b"#!\n", r"not a program for this machine \(ENOEXEC\);.*"),
        ("loop", b"#!./loop\n", r"Too many levels of symbolic links \(ELOOP\)"),
    ):
        script(name, content)
        doctor("--for", f"./{name}", err=judge.format(name, why))
    doctor("--for", ".", err="unknown workload '.', and no such file or program; known: .*")
    doctor("--for", "./absent", err=r"cannot read workload file './absent': No such file or directory \(ENOENT\)")
    doctor("--for", WORK, err=rf"cannot read workload file '{WORK}': Is a directory \(EISDIR\)")
    doctor("--for", "", err="option '--for' needs a value: WORKLOAD")
    doctor("--for", "dockre", err="unknown workload 'dockre'; did you mean 'docker'[?]")
    doctor("--for", "x" * 300, err=r"unknown workload 'x+', and no such file or program; known: .*")
    script("list", "sysvipc\nnonsense # what\n", 0o644)
    doctor("--for", "list", err="list:2: unknown feature 'nonsense'; known: .*")
    # What a file is called and says is only text.
    script("<b>&\"", b"#!/bin/sh\n")
    run("doctor", "--for", "./<b>&\"", "--html", "page", out="(?s).*")
    page = pathlib.Path(WORK, "page").read_text(encoding="utf-8")
    assert "<b>" not in page and "./&lt;b&gt;&amp;&quot;" in page, page[-2000:]


@case()
def doctor_of_bad_configurations():
    config = b"# Automatically generated file; DO NOT EDIT.\nCONFIG_NET=y\n" * 50
    packed = gzip.compress(config)
    damaged = r"the compressed data is damaged or cut short"
    for name, content, why in (
        ("whole.gz", packed[:-1], damaged),
        ("half.gz", packed[: len(packed) // 2], damaged),
        ("magic.gz", packed[:2], damaged),
        ("noise.gz", packed[:20] + b"\0" * 100, damaged),
        ("bomb.gz", gzip.compress(b"\n" * (100 << 20)), "longer than 16 MiB: no kernel configuration is"),
        ("big", b"# nothing\n" * (10 << 20), "longer than 16 MiB: no kernel configuration is"),
        ("empty", b"", "not a kernel configuration: no line names an option"),
        ("comments", b"# nothing\n\n", "not a kernel configuration: no line names an option"),
        ("script", b"#!/bin/sh\nexit\n", None),
        ("binary", b"CONFIG_A=y\n\0", r"a binary file, not a kernel configuration \(\.config, or that compressed by gzip\)"),
    ):
        script(name, content, 0o644)
        if why:
            doctor("--kernel-config", name, "--for=docker", err=f"{name}: {why}")
        else:
            doctor("--kernel-config", name, err=f"{name}:2: not a line of a kernel configuration: .*")
    doctor("--kernel-config", "/nonexistent", err=r"cannot read '/nonexistent': No such file or directory \(ENOENT\)")
    doctor("--kernel-config", "/", err=r"cannot read '/': Is a directory \(EISDIR\)")
    doctor("--kernel-config", "-", stdin=subprocess.DEVNULL, err="standard input: not a kernel configuration: no line names an option")
    doctor("--kernel-config", "-", "--for=nonsense", err="unknown workload 'nonsense', and no such file or program; known: .*")
    script("good.gz", gzip.compress(config), 0o644)
    run("doctor", "--kernel-config", "good.gz", "--for=docker", status=69, out="(?s)OPTION .*cannot run docker: .*")
    run("doctor", "--kernel-config", "good.gz", out="(?s)OPTION .*")


@case()
def doctor_that_cannot_write():
    for path, why in (("/nonexistent/x", r"No such file or directory \(ENOENT\)"), ("/", r"Is a directory \(EISDIR\)"),
                      ("/dev/full", r"No space left on device \(ENOSPC\)")):
        run("doctor", "--html", path, status=74, err=f"lichen doctor: cannot write '{path}': {why}\n")
    full = "lichen: cannot write the output: No space left on device\n"
    for option in ([], ["--json"]):
        check(["sh", "-c", 'exec "$@" >/dev/full', "sh", LICHEN, "doctor", *option], 74, "", full)


@case()
def working_directory():
    message = "changing to the working directory: {}"
    for how in ([], ["--emulate=all"]):
        run("run", *how, "-w", "/nonexistent", "true", status=125,
            err=cannot("true", message.format("No such file or directory (ENOENT)")))
        run("run", *how, "-w", "/etc/passwd", "true", status=125,
            err=cannot("true", message.format("Not a directory (ENOTDIR)")))
        run("run", *how, "-w", "/etc", "pwd", out="/etc\n")


# --- programs ------------------------------------------------------------------------------------------------------------------


def both(program, status, why, **options):
    """The same answer with and without the engine."""
    run("run", "--", program, status=status, err=cannot(program, why), **options)
    emulated(program, status=status, err=cannot(program, why), **options)


@case()
def absent_programs():
    both("/nonexistent", 127, "no such file (ENOENT); check the path")
    both("./nonexistent", 127, "no such file (ENOENT); check the path")
    both("nonexistent", 127, "no such program in PATH (ENOENT); install it, or give its full path")
    both("/etc/passwd/x", 127, "no such file (ENOTDIR); check the path")
    both("/" + "a" * 300, 126, "execve: File name too long (ENAMETOOLONG)")
    both("/" + "a" * 5000, 126, "finding the program: File name too long (ENAMETOOLONG)")
    os.symlink("loop", os.path.join(WORK, "loop"))
    both("./loop", 126, "execve: Too many levels of symbolic links (ELOOP)")


@case()
def programs_that_may_not_be_executed():
    denied = "permission denied (EACCES); check its mode and the directories above it"
    both("/etc/passwd", 126, denied)
    both("/", 126, "it is a directory (EACCES); name a program in it")
    script("plain", "#!/bin/sh\n", 0o644)
    both("./plain", 126, denied)
    both("/dev/null", 126, denied)


@case(*LINUX)  # gVisor itself opens the FIFO, and waits for a writer
def fifo_as_program():
    denied = "permission denied (EACCES); check its mode and the directories above it"
    os.mkfifo(os.path.join(WORK, "fifo"), 0o755)
    both("./fifo", 126, denied)


@case("host", "tiny", "docker")
def unreadable_programs():
    shutil.copy("/bin/true", os.path.join(WORK, "hidden"))
    os.chmod(os.path.join(WORK, "hidden"), 0o711)
    os.chmod(WORK, 0o755)
    run("run", "--emulate=all", "./hidden", status=126, setup=lambda: os.setuid(65533),
        err=cannot("./hidden", "permission denied (EACCES); check its mode and the directories above it"))


@case()
def search_along_path():
    script("mine", "#!/bin/sh\necho found\n")
    absent = cannot("mine", "no such program in PATH (ENOENT); install it, or give its full path")
    for path, found in ((":", True), ("/nonexistent::/bin", True), (WORK, True), ("/etc/passwd", False), ("/bin", False)):
        env = dict(os.environ, PATH=path)
        emulated("mine", env=env, **({"out": "found\n"} if found else {"status": 127, "err": absent}))
    env = {k: v for k, v in os.environ.items() if k != "PATH"}
    emulated("sh", "-c", "echo ok", env=env, out="ok\n")
    emulated("sh", "-c", "echo ok", env=dict(os.environ, PATH=""), status=127,
             err=cannot("sh", "no such program in PATH (ENOENT); install it, or give its full path"))
    script("useless", "x", 0o644)
    emulated("useless", env=dict(os.environ, PATH=WORK), status=126,
             err=cannot("useless", "permission denied (EACCES); check its mode and the directories above it"))


@case()
def scripts():
    script("absent", "#!/nonexistent/interpreter\n")
    both("./absent", 127, "the file is there, but the interpreter that it names is not (ENOENT); install that")
    foreign = "not a program for this machine (ENOEXEC); it must be x86-64 ELF or begin with #!"
    script("plain", "echo plain\n")
    both("./plain", 126, foreign)
    script("empty", "")
    both("./empty", 126, foreign)
    script("blank", "#!   \t\n")
    both("./blank", 126, foreign)
    emulated("sh", "-c", "./plain", out="plain\n")  # as every shell does on ENOEXEC
    script("itself", f"#!{WORK}/itself\n")
    both("./itself", 126, "execve: Too many levels of symbolic links (ELOOP)")


def elf(**changes):
    """A static program that exits with 7, at 0x400000; changes to its headers by name."""
    code = bytes((0xB8, 0x3C, 0, 0, 0, 0xBF, 7, 0, 0, 0, 0x0F, 0x05))
    e = {"type": 2, "machine": 62, "entry": 0x4000B0, "phoff": 64, "phentsize": 56, "phnum": 2, "class": 2}
    p = {"ptype": 1, "flags": 5, "offset": 0, "vaddr": 0x400000, "filesz": 0xBC, "memsz": 0xBC, "align": 0x1000}
    i = {"itype": 0, "ioffset": 0, "ifilesz": 0}
    for name, value in changes.items():
        next(d for d in (e, p, i) if name in d)[name] = value
    head = b"\x7fELF" + bytes((e["class"], 1, 1)) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", e["type"], e["machine"], 1, e["entry"], e["phoff"], 0, 0, 64, e["phentsize"], e["phnum"], 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", p["ptype"], p["flags"], p["offset"], p["vaddr"], p["vaddr"], p["filesz"], p["memsz"], p["align"])
    head += struct.pack("<IIQQQQQQ", i["itype"], 4, i["ioffset"], 0, 0, i["ifilesz"], i["ifilesz"], 1)
    return head + code


@case(*LINUX)
def malformed_elf():
    foreign = "not a program for this machine (ENOEXEC); it must be x86-64 ELF or begin with #!"
    script("good", elf())
    emulated("./good", status=7)
    for n, changes in enumerate(({"machine": 183}, {"type": 1}, {"phentsize": 32}, {"phnum": 0}, {"phnum": 2000}, {"phoff": 1 << 40},
                                 {"phoff": 1 << 63}, {"itype": 3, "ioffset": 0x10, "ifilesz": 1},
                                 {"itype": 3, "ioffset": 0, "ifilesz": 4}, {"itype": 3, "ifilesz": 5000})):
        script(f"bad{n}", elf(**changes))
        both(f"./bad{n}", 126, foreign)
    for size in (4, 16, 63, 64, 100):
        script(f"cut{size}", elf()[:size])
        both(f"./cut{size}", 126, foreign)
    script("outside", elf(itype=3, ioffset=1 << 20, ifilesz=20))
    both("./outside", 126, "execve: Input/output error (EIO)")
    bad = elf(itype=3, ioffset=0xBC, ifilesz=20)
    script("interpreter", bad + b"/nonexistent/ld.so\0\0")
    both("./interpreter", 127, "the file is there, but the interpreter that it names is not (ENOENT); install that")
    script("library", bad + b"/etc/../bin/../etc/")  # 19 bytes: cut off behind the name
    both("./library", 126, "execve: Input/output error (EIO)")
    script("text", "#!/bin/sh\n")
    script("scripted", bad + b"./text".ljust(20, b"\0"))
    both("./scripted", 126, "execve: Input/output error (EIO)")  # shorter than an ELF header
    script("text", "#!/bin/sh\n" + "#" * 100)
    both("./scripted", 126, "execve: Accessing a corrupted shared library (ELIBBAD)")


@case(*LINUX)
def elf_that_cannot_be_mapped():
    """The kernel finds out behind its point of no return, and kills: so do we."""
    for n, changes in enumerate(({"filesz": 0x2000, "memsz": 0x1000}, {"vaddr": 0x400001}, {"vaddr": 1 << 47}, {"memsz": 1 << 47},
                                 {"entry": 1 << 63}, {"ptype": 0}, {"type": 3, "vaddr": 1 << 63})):
        script(f"bad{n}", elf(**changes))
        run("run", "--", f"./bad{n}", status=139)
        emulated(f"./bad{n}", status=139)
    script("cut", elf(filesz=0x1800, memsz=0x2800, flags=7))  # bss behind the file's end
    run("run", "--", "./cut", status=139)
    emulated("./cut", status=139)


@case()
def elf_where_the_agent_lives():
    for n, at in enumerate((0x51E000000000, 0x51F000000000, 0x51FF00000000, 0x520000000000)):
        script(f"ours{n}", elf(vaddr=at, entry=at + 0xB0))
        emulated(f"./ours{n}", status=126, err=cannot(f"./ours{n}", "execve: Cannot allocate memory (ENOMEM)"))


@case(*LINUX)
def many_program_headers():
    """The kernel takes 1170 of them; what does not fit our window is read again."""
    headers = struct.pack("<IIQQQQQQ", 0x60000000, 0, 0, 0, 0, 0, 0, 0)
    for count in (35, 36, 37, 73, 74, 200, 1169):
        file = bytearray(elf(phnum=count, phoff=0x1000))
        table = headers * (count - 1) + bytes(file[64:120])  # the segment comes last
        script(f"p{count}", bytes(file).ljust(0x1000, b"\0") + table)
        emulated(f"./p{count}", status=7)
    script("many", bytes(elf(phnum=1171, phoff=0x1000)).ljust(0x1000, b"\0") + headers * 1171)
    both("./many", 126, "not a program for this machine (ENOEXEC); it must be x86-64 ELF or begin with #!")


# --- limits ----------------------------------------------------------------------------------------------------------------------


@case(*LINUX)
def few_descriptors():
    pipeline = "echo a | cat | tr a b; ls / >/dev/null"
    emulated("sh", "-c", pipeline, out="b\n", setup=limit(resource.RLIMIT_NOFILE, 16))
    emulated("/bin/echo", "x", out="x\n", setup=limit(resource.RLIMIT_NOFILE, 9))
    many = "Too many open files (EMFILE)"
    emulated("/bin/true", status=125, err=cannot("/bin/true", f"making the broker socket: {many}"), setup=limit(resource.RLIMIT_NOFILE, 8))
    emulated("/bin/true", status=125, err=cannot("/bin/true", f"making a pipe: {many}"), setup=limit(resource.RLIMIT_NOFILE, 4))
    emulated("/bin/true", status=125, err=cannot("/bin/true", f"making a pipe: {many}"), setup=limit(resource.RLIMIT_NOFILE, 3))


@case(*LINUX)
def small_files():
    """RLIMIT_FSIZE counts for memfds."""
    emulated("sh", "-c", "echo ok; cat /proc/sysvipc/shm >/dev/null; ulimit -f", out="ok\n0\n",
             setup=limit(resource.RLIMIT_FSIZE, 0, UNLIMITED))
    emulated("true", status=125, setup=lambda: (drop_capabilities(), limit(resource.RLIMIT_FSIZE, 0)()),
             err=cannot("true", "making files under this limit of file sizes (ulimit -f): File too large (EFBIG)"))
    emulated("true", setup=lambda: (drop_capabilities(), limit(resource.RLIMIT_FSIZE, 1 << 30)()))


def drop_capabilities():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


@case(*LINUX)
def little_address_space():
    for size in (2 << 20, 64 << 20, 256 << 20):
        emulated("/bin/true", status=(0, 125, 139), setup=limit(resource.RLIMIT_AS, size), err=(
            "|lichen: cannot run '/bin/true': [^\n]*: Cannot allocate memory \\(ENOMEM\\)\n"
            "|lichen: agent: cannot map [a-z ]* \\(-12\\)\n"))
    emulated("/bin/echo", "x", out="x\n", setup=limit(resource.RLIMIT_AS, 512 << 20))
    emulated("/bin/echo", "x", out="x\n", setup=limit(resource.RLIMIT_DATA, 128 << 20))


@case(*LINUX)
def stack_sizes():
    for size in (64 << 10, 256 << 10, UNLIMITED):
        emulated("sh", "-c", "/bin/echo x", out="x\n", setup=limit(resource.RLIMIT_STACK, size))


@case("host", "tiny", "docker")
def few_processes():
    def setup(count):
        return lambda: (os.setuid(64000), limit(resource.RLIMIT_NPROC, count)())

    emulated("true", status=125, err=cannot("true", "fork: Resource temporarily unavailable (EAGAIN)"), setup=setup(1))
    emulated("sh", "-c", "/bin/echo x; true", status=2, err="sh: 1: Cannot fork\n", setup=setup(2))
    emulated("sh", "-c", "/bin/echo x; true", out="x\n", setup=setup(4))


# --- what is inherited ---------------------------------------------------------------------------------------------------------------


@case()
def long_vectors():
    emulated(PYTHON, "-c", "import sys; print(len(sys.argv))", *["x"] * 100000, out="100001\n")
    emulated(PYTHON, "-c", "import os; os.execv('/bin/echo', ['echo'] + [''] * 100000)", out=" *\n")
    emulated(PYTHON, "-c", "import os; os.execve('/usr/bin/env', ['env', '-u', 'A'], {f'A{n}': '' for n in range(50000)})",
             out="(A[0-9]+=\n){50000}")
    too_long = ("import errno, os\ntry: os.execv('/bin/true', ['x' * 131072])\n"
                "except OSError as e: print(errno.errorcode[e.errno])")
    emulated(PYTHON, "-c", too_long, out="(E2BIG|ENAMETOOLONG)\n")  # the latter in gVisor


@case()
def environment_of_the_users_own():
    for value in ("", "1.2.3.4.5.6.7.0:/bin/false", "x"):
        env = dict(os.environ, LICHEN_EXEC=value)
        emulated("sh", "-c", "env | grep LICHEN_EXEC; cat /proc/self/environ | tr '\\0' '\\n' | grep LICHEN_EXEC=", env=env,
                 out=f"(LICHEN_EXEC={re.escape(value)}\n){{2}}")
    emulated("/usr/bin/env", env={}, out="")


@case()
def agent_started_by_hand():
    code = "import os\nos.execve('/proc/self/fd/' + str(max(int(n) for n in os.listdir('/proc/self/fd') if int(n) < 1024)), ['x'], {})"
    emulated(PYTHON, "-c", code, status=(125, 1), err="(?s).*(started by hand|Errno).*")


@case(*LINUX)
def closed_descriptors():
    def close(*numbers):
        return lambda: [os.close(n) for n in numbers]

    listing = "import os; print([n for n in (0, 1, 2) if os.path.lexists(f'/proc/self/fd/{n}')], flush=True)"
    emulated("/bin/echo", "x", out="x\n", setup=close(0))
    emulated("/bin/echo", "x", status=1, err="/bin/echo: write error: Bad file descriptor\n", setup=close(1))
    emulated("/bin/echo", "x", out="x\n", setup=close(2))
    emulated("/bin/true", setup=close(0, 1, 2))
    for closed in ((0,), (2,), (0, 2)):
        want = [n for n in (0, 1, 2) if n not in closed]
        emulated(PYTHON, "-c", listing, out=re.escape(f"{want}\n"), setup=close(*closed))
    emulated("nonexistent", status=127, setup=close(2))


@case()
def signals_of_the_parent():
    emulated("sh", "-c", "exit 3", status=3, setup=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    emulated("sh", "-c", "true; exit 3", status=3, setup=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()))
    blocked = "import signal; print(len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    emulated(PYTHON, "-c", blocked, out="60\n", setup=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()))
    ignored = "import signal; print(sorted(int(s) for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN))"

    def ignore():
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGSYS, signal.SIGSEGV, signal.SIGBUS, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    emulated(PYTHON, "-c", ignored, setup=ignore, out=r"\[1, 7, 11, 13, 25, 31\]\n")
    pipe = "set -o pipefail; yes | head -1"
    emulated("bash", "-c", pipe, status=141, out="y\n", setup=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))


# --- death ---------------------------------------------------------------------------------------------------------------------------


@case()
def ended_by_each_signal():
    """128+n; and what is ignored by default ends nothing."""
    ignored = (signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT)
    code = "import os, signal, sys; signal.signal(int(sys.argv[1]), 0) if sys.argv[1] != '9' else 0; os.kill(os.getpid(), int(sys.argv[1])); print('lived')"
    for number in (1, 2, 4, 6, 7, 8, 9, 11, 13, 15, 24, 31, 34, 64):
        emulated(PYTHON, "-c", code, str(number), status=128 + number, setup=limit(resource.RLIMIT_CORE, 0))
    for number in ignored:
        emulated(PYTHON, "-c", code, str(int(number)), out="lived\n")


class Session:
    """A guest that says 'ready', and whom to signal."""

    def __init__(self, *argv):
        self.lichen = subprocess.Popen([LICHEN, "run", "--emulate=all", "--", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True, cwd=WORK)
        assert self.lichen.stdout.readline() == "ready\n"
        self.guest = int(self.lichen.stdout.readline())

    def end(self):
        try:
            out, err = self.lichen.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.lichen.kill()
            out, err = self.lichen.communicate()
            raise AssertionError(f"no end: {out!r} {err!r}") from None
        code = self.lichen.returncode
        return (code if code >= 0 else 128 - code), out, err


SAY = 'import os, signal, time; print("ready", os.getpid(), sep="\\n", flush=True); '
WAIT = "[time.sleep(0.05) for n in range(10)]; print('lived')"


@case()
def sigsys_from_outside():
    for who in ("guest", "lichen"):
        for before, want in (
            ("", (159, "")),
            ("import signal; signal.signal(31, signal.SIG_IGN); ", (0, "lived\n")),
            ("import signal; signal.signal(31, lambda s, f: print('got', s, flush=True)); ", (0, "got 31\nlived\n")),
            ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [31]); ", (0, "lived\n")),
        ):
            session = Session(PYTHON, "-c", before + SAY + WAIT)
            os.kill(session.guest if who == "guest" else session.lichen.pid, signal.SIGSYS)
            got = session.end()
            assert got == (*want, ""), f"SIGSYS to {who} after {before!r}: {got}, wanted {want}"


@case()
def signals_to_lichen_reach_the_guest():
    for number in (1, 2, 3, 6, 11, 12, 13, 15, 24, 30, 35):
        session = Session(PYTHON, "-c", SAY + f"signal.signal({number}, lambda s, f: print('got', s, flush=True)); print('set', flush=True); " + WAIT)
        session.lichen.stdout.readline()
        os.kill(session.lichen.pid, number)
        got = session.end()
        assert got == (0, f"got {number}\nlived\n", ""), f"signal {number}: {got}"
        session = Session(PYTHON, "-c", SAY + f"signal.signal({number}, 0); print('set', flush=True); " + WAIT)
        session.lichen.stdout.readline()
        os.kill(session.lichen.pid, number)
        got = session.end()
        assert got[:2] == (128 + number, ""), f"signal {number}, default: {got}"


@case()
def kill_of_lichen_ends_the_guest():
    session = Session(PYTHON, "-c", SAY + "time.sleep(60)")
    session.lichen.kill()
    assert session.end()[0] == 137
    deadline = time.monotonic() + SECONDS
    while alive(session.guest):
        assert time.monotonic() < deadline, "the guest lives on"
        time.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


SPOILT = "lichen: agent: the guest has overwritten the agent's memory\n"
FAULT = r"lichen: agent: fault in the agent: the guest has unmapped or overwritten its memory \(-?\d+\)\n"


def attack(what, how, status, out, err="", **options):
    emulated(f"{BIN}/attack", what, how, status=status, out=out, err=err, **options)


@case()
def guest_unmaps_the_agent():
    """With mseal(2) it cannot; without, the next system call is its last: 125 where the agent can still say so, else SIGSEGV."""
    for what in ("text", "private", "commons", "exe"):
        attack(what, "nothing", 0, "nothing: 0\nalive, child 0\n")
        for how in ("unmap", "protect", "readonly", "map", "move"):
            attack(what, how, (0, 125, 139), f"{how}: (EPERM\nalive, child 0|0\n(alive, child 0)?)\n?", f"({FAULT}|{SPOILT})?")


@case("host")
def sealed_memory():
    if os.uname().release.split(".") < ["6", "10"]:
        return
    for what in ("text", "private", "pool", "commons", "exe"):
        for how in ("unmap", "protect", "readonly", "map", "move"):
            attack(what, how, 0, f"{how}: EPERM\nalive, child 0\n")


@case()
def guest_overwrites_the_agent():
    no_core = limit(resource.RLIMIT_CORE, 0)
    for what in ("text", "exe"):
        attack(what, "zero", 139, "", setup=no_core)
    for what in ("private", "commons"):
        attack(what, "zero", 125, "zero: 0\n", SPOILT)
    attack("commons", "ones", 125, "ones: 0\n", SPOILT)
    attack("private", "ones", (125, 139), "ones: 0\n", f"({SPOILT})?", setup=no_core)
    attack("pool", "zero", 0, "zero: 0\nalive, child 0\n")
    attack("pool", "ones", 0, "ones: 0\nalive, child 0\n")


# --- surroundings ------------------------------------------------------------------------------------------------------------------


@case()
def lichen_inside_lichen():
    why = "this is inside a cell of lichen, and cells do not nest; leave out --emulate"
    emulated(LICHEN, "run", "--emulate=all", "--", "true", status=125, err=cannot("true", why))
    emulated(LICHEN, "run", "--", "sh", "-c", "echo inner; exit 4", status=4, out="inner\n")
    emulated("sh", "-c", f"id=$(ipcmk -Q) && {LICHEN} run -- ipcs -q | grep -c 0x", out="1\n")


@case(*FULL)
def as_pid_1():
    shell = "echo $$; kill -9 1; exit 4"
    check(["unshare", "-p", "-f", "--mount-proc", LICHEN, "run", "--emulate=all", "--", "sh", "-c", shell], 4, r"\d+\n", "")
    check(["unshare", "-p", "-f", LICHEN, "run", "--emulate=all", "--", "sh", "-c", "kill -9 $$"], 137, "", "")
    check(["unshare", "-p", "-f", LICHEN, "run", "--emulate=all", "--", "sh", "-c", "(sleep 0.2; true) & exit 5"], 5, "", "")
    check(["unshare", "-p", LICHEN, "run", "--native=all", "--", "sh", "-c", "echo $$; exit 3"], 3, "1\n", "")
    orphans = "for n in 1 2 3; do (true & exec true); done; sleep 0.2; ps -A -o stat= | grep -c Z"
    check(["unshare", "-p", "-f", "--mount-proc", LICHEN, "run", "--emulate=all", "--", "sh", "-c", orphans], 1, "0\n", "")


USE = "ipcmk -M 4096 >/dev/null && ipcmk -Q >/dev/null && ipcmk -S 2 >/dev/null && echo x | cat && exit 3"


@case(*FULL)
def without_proc():
    unmount = "umount -l /proc && exec \"$@\""
    check(["unshare", "-m", "sh", "-c", unmount, "sh", LICHEN, "run", "--emulate=all", "--", "sh", "-c", USE], 3, "x\n", "")
    check(["unshare", "-m", "sh", "-c", unmount, "sh", LICHEN, "run", "--", "nonexistent"], 127, "",
          cannot("nonexistent", "no such program in PATH (ENOENT); install it, or give its full path"))


@case("host", "tiny", "docker", "gvisor", "gvisor24")
def static_binary_in_an_empty_root():
    for program in (LICHEN, f"{BIN}/hello"):
        shutil.copy(program, WORK)
    check(["chroot", WORK, "/lichen", "run", "--emulate=all", "--", "/hello"], 6, "hello\nchild\n", "")
    check(["chroot", WORK, "/lichen", "run", "--emulate=all", "--", "/absent"], 127, "",
          cannot("/absent", "no such file (ENOENT); check the path"))


@case(*FULL)
def everything_read_only():
    """lichen needs no directory: neither a state directory nor /tmp."""
    remount = ("mount --make-rprivate / && mount -o remount,ro,bind / && for m in /tmp /dev/shm /run /var /home; do "
               "mount --bind $m $m && mount -o remount,ro,bind $m; done; touch /tmp/x 2>/dev/null && exit 9; exec \"$@\"")
    check(["unshare", "-m", "sh", "-c", remount, "sh", LICHEN, "run", "--emulate=all", "--", "sh", "-c", USE], 3, "x\n", "")


@case(*FULL)
def full_tmp():
    fill = "mount -t tmpfs -o size=64k x /tmp && ! dd if=/dev/zero of=/tmp/f 2>/dev/null && exec \"$@\""
    check(["unshare", "-m", "sh", "-c", fill, "sh", LICHEN, "run", "--emulate=all", "--", "sh", "-c", USE], 3, "x\n", "", cwd="/")


# --- the part that runs in an environment ---------------------------------------------------------------------------------------------

WORK = ""


def main(names):
    global WORK
    for name in names or CASES:
        error = None
        WORK = tempfile.mkdtemp(prefix="badinput-")
        os.chmod(WORK, 0o755)
        try:
            CASES[name][0]()
        except Exception as e:  # pylint: disable=broad-except
            error = f"{type(e).__name__}: {e}"[:3000]
        shutil.rmtree(WORK, ignore_errors=True)
        print(json.dumps({"name": name, "error": error}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
