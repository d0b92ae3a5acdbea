# SPDX-License-Identifier: Apache-2.0
"""Bad input for `$RUN`: what is asserted is status and message, and that everything ends. Argument: how many malformed files."""
import errno
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import time

PREFIX = shlex.split(os.environ.get("RUN", ""))
LICHEN = PREFIX[0] if PREFIX else None
ROUNDS = int(sys.argv[1])
ENVIRONMENT = os.environ.get("ENVIRONMENT", "host")
PATIENCE = 30
failures = 0


def fail(what):
    global failures
    failures += 1
    print(f"badinput: FAIL: {what}", file=sys.stderr, flush=True)


def run(*command, prefix=None, **how):
    """Returns (status as a shell shows it, stdout, stderr); status None: no end in time; an errno name: execve failed natively."""
    how.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(
            [*(PREFIX if prefix is None else prefix), *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False, errors="replace", **how,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, "", "no end"
    except OSError as e:
        return errno.errorcode[e.errno], "", ""
    status = 128 - done.returncode if done.returncode < 0 else done.returncode
    return status, done.stdout, done.stderr


def expect(what, result, status, message=""):
    if result[0] != status or message not in result[2]:
        fail(f"{what}: expected status {status} and '{message}', got {result[0]} and {result[2][-300:]!r}")


def write(name, data, mode=0o755):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(name, mode)
    return "./" + name


def programs():
    """What cannot be executed: 127 or 126, and why."""
    rows = [
        ("./absent", 127, "lichen: cannot run './absent': no such file (ENOENT); check the path\n"),
        ("absent-program", 127, "lichen: cannot run 'absent-program': no such program in PATH (ENOENT)"),
        ("/usr", 126, "lichen: cannot run '/usr': it is a directory (EACCES)"),
        (write("plain", "text", 0o644), 126, "lichen: cannot run './plain': permission denied (EACCES)"),
        (write("garbage", "garbage"), 126, "lichen: cannot run './garbage': not a program for this machine (ENOEXEC)"),
        (write("empty", ""), 126, "lichen: cannot run './empty': not a program for this machine (ENOEXEC)"),
        (write("script", "#!/nonexistent/interp\n"), 127, "the interpreter that it names is not (ENOENT)"),
        (write("loop", f"#!{os.getcwd()}/loop\n"), 126, "(ELOOP)"),
        ("./plain/below", 127, "(ENOTDIR)"),
        ("./" + "x" * 300, 126, "(ENAMETOOLONG)"),
    ]
    if os.getuid() != 0:
        rows.append((write("unreadable", "#!/bin/sh\n", 0o000), 126, "permission denied (EACCES)"))
    for name, status, message in rows:
        expect(name[:40], run(name), status, message)
    # One that a guest starts: the shell's own words, as natively.
    for name in ("./absent", "./plain", "/usr", "./garbage", "./loop"):
        native, mine = run("bash", "-c", f"{name}; echo $?", prefix=[]), run("bash", "-c", f"{name}; echo $?")
        if native != mine:
            fail(f"{name} started by a guest's bash: natively {native}, under lichen {mine}")
    return f"{len(rows)} programs that are none: 126, 127"


def options():
    rows = [
        (["run", "--absent", "true"], 125, "lichen run: unknown option '--absent'\nTry 'lichen run --help'.\n"),
        (["run", "--emulate=absent", "true"], 125, "lichen run: unknown gap 'absent'; known: sysvipc,"),
        (["run", "--emulate=", "true"], 125, "lichen run: option '--emulate' needs a value"),
        (["run", "--emulate=sysvipc", "--native=sysvipc", "true"], 125, "is named by both --emulate and --native"),
        (["run", "--emulate=vnet", "true"], 125, "gap 'vnet' is known but not built"),
        (["run"], 125, "lichen run: there is no command to run"),
        (["run", "--"], 125, "lichen run: there is no command to run"),
        (["run", ""], 125, "lichen run: the command's name is empty"),
        (["run", "--workdir=/absent", "true"], 125, "No such file or directory (ENOENT)"),
        (["run", "--env=novalue", "true"], 125, "option '--env' needs KEY=VALUE, not 'novalue'"),
        (["absent"], 64, "lichen: unknown command 'absent'"),
        (["rum"], 64, "did you mean 'run'?"),
        ([], 64, "Usage: lichen COMMAND"),
        (["doctor", "--for=absent"], 64, "absent"),
        (["doctor", "extra"], 64, "extra"),
    ]
    for words, status, message in rows:
        expect("lichen " + " ".join(words), run(*words, prefix=[LICHEN]), status, message)
    full = run("sh", "-c", f"{LICHEN} --version >/dev/full", prefix=[])
    expect("output to a full device", full, 74, "lichen: cannot write the output: No space left on device")
    return f"{len(rows)} wrong command lines: 125 (run), 64"


def malformed():
    """Mutated ELF files: refused with the kernel's errno, or they start as natively; what crashes natively may be refused."""
    random.seed(int(os.environ.get("SEED", "2")))
    with open("attack", "rb") as f:
        good = f.read()
    headers = 64 + 56 * good[56]
    refused = 0
    for n in range(ROUNDS):
        data = bytearray(good)
        kind = n % 3
        if kind == 0:  # bytes of the ELF header and program headers
            end = 64 if n % 2 else headers
            for _ in range(random.choice((1, 1, 2, 8))):
                data[random.randrange(4, end)] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif kind == 1:  # a field of 8 bytes in a program header
            at = 64 + 56 * random.randrange(good[56]) + 8 * random.randrange(1, 7)
            data[at : at + 8] = random.choice((0, 1, 0xFFF, 1 << 47, (1 << 63) - 1, (1 << 64) - 4096, 1 << 32)).to_bytes(8, "little")
        else:
            del data[random.randrange(len(data)) :]
        path = write("mutant", bytes(data))
        how = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))}
        native, mine = run(path, "none", prefix=[], **how), run(path, "none", **how)
        if mine[0] is None:
            fail(f"malformed file {n} (SEED 2) hangs")
        if "gvisor" in ENVIRONMENT:  # whose loader has other opinions than Linux's, which the agent's follows
            continue
        if isinstance(native[0], str):  # execve fails natively, with this errno
            refused += 1
            want = 127 if native[0] == "ENOENT" else 126
            if mine[0] != want or (native[0] != "ENOENT" and native[0] not in mine[2] and "lichen:" not in mine[2]):
                fail(f"malformed file {n}: natively {native[0]}, under lichen {mine[0]} {mine[2][-200:]!r}")
        elif native[0] < 128 and native[:2] != mine[:2]:
            fail(f"malformed file {n}: natively {native}, under lichen {mine}")
        elif native[0] >= 128 and mine[0] < 126:
            fail(f"malformed file {n}: dies natively with {native[0]}, under lichen {mine}")
        os.unlink(path)
    for n in range(ROUNDS // 3):
        line = "#!" + "".join(random.choice(" \t\0/abin.sh#!\xff-") for _ in range(random.choice((0, 1, 5, 50, 130, 300))))
        path = write("mutant", line.encode("latin-1") + random.choice((b"\n", b"", b"\necho x\n")))
        native, mine = run(path, prefix=[]), run(path)
        want = {"ENOENT": 127}.get(native[0], 126) if isinstance(native[0], str) else native[0]
        if mine[0] != want:
            fail(f"malformed script {line!r}: natively {native[0]}, under lichen {mine[0]} {mine[2][-200:]!r}")
        os.unlink(path)
    if "gvisor" in ENVIRONMENT:
        return f"{ROUNDS} malformed ELF files: all end; {ROUNDS // 3} malformed scripts: as natively"
    return f"{ROUNDS} malformed ELF files ({refused} refused), {ROUNDS // 3} malformed scripts: as natively"


def limits():
    def limit(which, soft, hard=None):
        return lambda: resource.setrlimit(which, (soft, soft if hard is None else hard))

    work = "ls / >/dev/null; x=$(ls /); echo $x | cat >/dev/null; (exit 3)"
    few = run("sh", "-c", work, preexec_fn=limit(resource.RLIMIT_NOFILE, 16))
    expect("RLIMIT_NOFILE of 16", few, 3)
    seen = run("sh", "-c", "ulimit -n; ulimit -Hn", preexec_fn=limit(resource.RLIMIT_NOFILE, 16))
    if seen[1] != "16\n16\n":
        fail(f"a guest sees another RLIMIT_NOFILE than 16: {seen}")
    none = run("true", preexec_fn=limit(resource.RLIMIT_NOFILE, 4), close_fds=False)
    expect("RLIMIT_NOFILE of 4", none, 125, "Too many open files (EMFILE)")
    expect("RLIMIT_STACK of 64 KiB", run("sh", "-c", work, preexec_fn=limit(resource.RLIMIT_STACK, 65536)), 3)
    tiny = run("sh", "-c", "exit 3", preexec_fn=limit(resource.RLIMIT_FSIZE, 0))
    if tiny[0] != 3:
        expect("RLIMIT_FSIZE of 0", tiny, 125, "limit of file sizes (ulimit -f): File too large (EFBIG)")
    expect("RLIMIT_CORE of 0", run("sh", "-c", "exit 3", preexec_fn=limit(resource.RLIMIT_CORE, 0)), 3)
    small = run("sh", "-c", "exit 3", preexec_fn=limit(resource.RLIMIT_AS, 200 << 20))
    if small[0] != 3:
        expect("RLIMIT_AS of 200 MiB", small, 125, "Cannot allocate memory (ENOMEM)")
    long = ["x" * 100000] * 15
    expect("1.5 MB of arguments", run("sh", "-c", "exit $#", *long), 14)
    # By a shell, which says what execve answered: E2BIG for a guest's child as well.
    words = 'x=$(head -c 100000 /dev/zero | tr "\\0" x); for i in 1 2 3 4 5 6; do x=$x$x; done; /bin/true $x 2>&1; echo $?'
    native, mine = run("bash", "-c", words, prefix=[]), run("bash", "-c", words)
    if native != mine or "too long" not in native[1]:
        fail(f"too long arguments: natively {native}, under lichen {mine}")
    return "RLIMIT_NOFILE 16, small stack, file size 0, little memory, long arguments"


def surroundings():
    """No /proc, nothing writable, a full /tmp: by mount namespaces, so only where those may be made."""
    def unshared(script):
        return run("unshare", "-m", "sh", "-c", script, prefix=[])

    if unshared("mkdir m && mount --bind / m && umount m")[0] != 0:
        return "no /proc, read-only, full /tmp: not checked here (needs mount)"
    command = " ".join(shlex.quote(w) for w in PREFIX)
    inner = "ipcmk -Q | grep -q id: || exit 9; ls / | grep -q usr || exit 8; exit 3"
    readonly = f"mkdir -p m; mount --bind / m; mount -o remount,ro,bind m; exec chroot m {command} sh -c '{inner}'"
    expect("no /proc, nothing writable", unshared(readonly), 3)
    withproc = f"mkdir -p m; mount --bind / m; mount -o remount,ro,bind m; mount -t proc proc m/proc; exec chroot m {command} sh -c '{inner}'"
    expect("nothing writable", unshared(withproc), 3)
    full = f"mkdir -p full; mount -t tmpfs -o size=16k tmpfs full; head -c 99999 /dev/zero >full/x; TMPDIR=$PWD/full exec {command} sh -c '{inner}'"
    result = unshared(full)
    expect("a full TMPDIR", result, 3)
    return "no /proc, nothing writable, full TMPDIR"


def sigsys():
    expect("a guest that sends itself SIGSYS", run("sh", "-c", "kill -SYS $$; echo alive"), 159)
    handled = run("bash", "-c", "trap 'echo handler' SYS; kill -SYS $$; echo alive")
    if handled[:2] != (0, "handler\nalive\n"):
        fail(f"a guest's handler for SIGSYS: {handled}")
    expect("a guest that ignores SIGSYS", run("sh", "-c", "trap '' SYS; kill -SYS $$; exit 4"), 4)
    for name, script, status in (
        ("default", "echo ready; sleep 60; echo no", 159),
        ("caught", "trap 'exit 6' SYS; echo ready; while :; do sleep 0.05; done", 6),
    ):
        process = subprocess.Popen([*PREFIX, "bash", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
        process.stdout.readline()
        process.send_signal(signal.SIGSYS)
        try:
            process.wait(PATIENCE)
            got = 128 - process.returncode if process.returncode < 0 else process.returncode
            if got != status:
                fail(f"SIGSYS sent to lichen, {name} by the guest: expected {status}, got {got}")
        except subprocess.TimeoutExpired:
            fail(f"SIGSYS sent to lichen, {name} by the guest: no end")
        time.sleep(0.2)
        try:
            os.killpg(process.pid, 0)
            # `sleep` outlives its shell natively too; the shell must not.
            left = subprocess.run(["pgrep", "-g", str(process.pid), "-x", "bash"], stdout=subprocess.PIPE, check=False).stdout
            if left:
                fail(f"SIGSYS sent to lichen, {name} by the guest: the guest was left running")
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.stdout.close()
    return "SIGSYS from inside and outside: default, caught, ignored"


def attacks():
    """A guest that unmaps or overwrites the agent: it gets an error, or dies with a clear message; it never hangs or goes wild."""
    names = (
        "unmap-text unmap-commons unmap-private unmap-everything remap-text remap-commons remap-private protect-text"
        " protect-commons move-text discard-private write-commons write-private close-all close-each dup-over"
    ).split()
    words = {}
    for name in names:
        status, out, err = run("./attack", name)
        said = [line for line in err.splitlines() if line.startswith("lichen: agent: ")]
        if status == 0 and out.endswith("works on\n"):
            words[name] = "refused" if out.startswith("refused") else "harmless"
        elif said and status in (125, 139, 135, 159, 134):
            words[name] = f"dies: {said[0].removeprefix('lichen: agent: ')} ({status})"
        else:
            fail(f"attack {name}: status {status}, stdout {out!r}, stderr {err[-300:]!r}")
            continue
        if name.startswith(("close", "dup")) and words[name].startswith("dies"):
            fail(f"attack {name} is an ordinary thing to do, and must be harmless: {words[name]}")
        if "semaphore" in err:
            fail(f"attack {name}: SysV IPC does not work afterwards: {err}")
    kinds = {}
    for name, word in words.items():
        kinds.setdefault(word, []).append(name)
    return "attacks: " + "; ".join(f"{word}: {' '.join(which)}" for word, which in kinds.items())


if not PREFIX:
    print("badinput: these checks are about lichen: nothing to do natively")
    sys.exit(0)
for part in (programs, options, malformed, limits, surroundings, sigsys, attacks):
    before = failures
    text = part()
    if failures == before:
        print(f"badinput: {text}", flush=True)
sys.exit(1 if failures else 0)
