# SPDX-License-Identifier: Apache-2.0
"""Ratios of lichen to native, and of peers to native, measured in one run.

usage: bench/run [--gaps|--why|--tree|--containers] [--rounds N] [--only NAME,...] [--json] [--output FILE]

Each benchmark is run in every mode, modes interleaved, N times (7); medians are compared.  A ratio above 1 is slower than
native.  lichen runs with --emulate=all, so that System V IPC is its own; peers are what is installed of proot and bubblewrap.
With --gaps the modes are each gap alone, all of them, and `lichen why`: what a gap costs programs that touch it little.
With --why, lichen is `lichen why --bare`: what it costs that every call is observed. Its peer is strace, which does so by ptrace.
With --tree, everything runs in a small Debian as root directory; native is chroot, which takes root.
With --containers, everything runs in containers of one image, of lichen's and of other tools (containers.py; takes root).
No figure is a test: a busy machine shows in the spread (lowest to highest, in % of the median).
"""
import argparse
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import statistics
import subprocess
import sys
import tempfile
import time

import containers
from containers import output

REPO = pathlib.Path(__file__).resolve().parent.parent
CALLS = str(REPO / "build/bench/calls")
PG = "/usr/lib/postgresql/15/bin"
NOBODY = pwd.getpwnam("nobody")


LICHEN_PROGRAM = os.environ.get("LICHEN") or str(REPO / "build/lichen")


def gap_prefixes():
    """Each gap that lichen can fill, alone; the plan of a full host has none but what is asked for."""
    plan = json.loads(output([LICHEN_PROGRAM, "run", "--explain", "--json", "--emulate=all"]))
    found = {"native": []}
    for gap in plan["emulated"]:
        found[gap] = [LICHEN_PROGRAM, "run", f"--emulate={gap}", "--"]
    found["lichen"] = [LICHEN_PROGRAM, "run", "--emulate=all", "--"]
    found["why"] = [LICHEN_PROGRAM, "why", "--bare", "--output=/dev/null", "--"]
    return found


def why_prefixes():
    found = {"native": [], "lichen": [LICHEN_PROGRAM, "why", "--bare", "--output=/dev/null", "--"]}
    if shutil.which("strace"):
        found["strace"] = ["strace", "-f", "-o", "/dev/null"]
    return found


TREE = "{tree}"  # in a prefix: the mode's own root directory


def tree_prefixes():
    found = {"native": ["chroot", TREE], "lichen": [LICHEN_PROGRAM, "run", "--emulate=overlay", "--rootfs", TREE, "--"]}
    if shutil.which("proot"):
        found["proot"] = ["proot", "-w", "/", "-r", TREE]
    if shutil.which("bwrap"):
        found["bwrap"] = ["bwrap", "--bind", TREE, "/", "--proc", "/proc", "--dev", "/dev"]
    return found


def prefixes():
    lichen = LICHEN_PROGRAM
    found = {"native": [], "lichen": [lichen, "run", "--emulate=all", "--"]}
    if shutil.which("proot"):
        found["proot"] = ["proot"]
    if shutil.which("bwrap"):
        found["bwrap"] = ["bwrap", "--dev-bind", "/", "/"]
    return found


def seconds(command, **how):
    began = time.monotonic()
    output(command, **how)
    return time.monotonic() - began


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_nobody():
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.getuid() == 0 else []


# --- one function a benchmark: (prefix, work folder) -> figure ------------------------------------------------------------------


def calls(name, count):
    return lambda prefix, work: float(output([*prefix, CALLS, name, str(count)]))


def find_cat(prefix, work):
    return seconds([*prefix, "sh", "-c", "find /usr/include -type f -print0 | xargs -0 cat >/dev/null"])


def start_of_true(prefix, work):
    """The start of lichen itself is in it, ten times."""
    return seconds(["sh", "-c", 'for i in 1 2 3 4 5 6 7 8 9 10; do "$@" || exit 1; done', "sh", *prefix, "/bin/true"]) / 10


def start_of_python(prefix, work):
    return seconds([*prefix, "/usr/bin/python3", "-c", "import json, email, http.client"])


def make(prefix, work):
    tree = work / "busybox"
    if not tree.exists():
        output(["tar", "-C", work, "-xf", REPO / "build/e2e/busybox.defconfig.tar"])
    for old in (tree / "console-tools").glob("*.[oa]"):
        old.unlink()
    return seconds([*prefix, "make", "-C", str(tree), "CFLAGS=-O0", "console-tools/"])


def git_status(prefix, work):
    tree = work / "git"
    if not tree.exists():
        output(["git", "clone", "-q", REPO / "build/e2e/repo.git", tree])
    return seconds([*prefix, "sh", "-c", 'for i in 1 2 3 4 5; do git -C "$0" status --porcelain >/dev/null || exit 1; done', tree]) / 5


def npm_ci(prefix, work):
    """Ten packages of forty files each, from tar balls beside it: no network."""
    top = work / "npm"
    if not shutil.which("npm"):
        raise RuntimeError("npm is not installed: apt-get install npm")
    if not top.exists():
        containers.npm_project(top)
    return seconds([*prefix, "npm", "ci", "--offline", "--silent", "--no-audit", "--no-fund"], cwd=top)


def redis(test):
    def run(prefix, work):
        port = str(free_port())
        script = (
            f"redis-server --port {port} --bind 127.0.0.1 --save '' --dir {work} >/dev/null & "
            f"until redis-cli -p {port} ping >/dev/null 2>&1; do sleep 0.05; done; "
            f"redis-benchmark -p {port} -n 40000 -c 20 -q --csv -t {test}; redis-cli -p {port} shutdown nosave; wait"
        )
        text = output([*prefix, "sh", "-c", script], cwd=work)
        return float(re.search(rf'"{test.upper()}","([0-9.]+)"', text).group(1))

    return run


def pgbench(options):
    """A server of its own for each figure: SysV objects belong to the cell that the server runs in."""

    def run(prefix, work):
        folder = work / "pg"
        if not folder.exists():
            folder.mkdir()
            if os.getuid() == 0:
                os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
            output([*as_nobody(), f"{PG}/initdb", "-D", folder / "data", "-U", "bench", "-A", "trust", "--no-sync"])
            with open(folder / "data/postgresql.conf", "a", encoding="ascii") as f:
                f.write(
                    f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\nautovacuum = off\n"
                    "dynamic_shared_memory_type = sysv\nshared_buffers = 64MB\nmax_wal_size = 4GB\ncheckpoint_timeout = 1h\n"
                )
        script = (
            f"cd {folder} && export PGHOST={folder} PGUSER=bench PGDATABASE=postgres PATH={PG}:$PATH && "
            "pg_ctl -D data -l log -w start >/dev/null && "
            "{ [ -e filled ] || { pgbench -i -q -s 5 >/dev/null 2>&1 && touch filled; }; } && "
            f"pgbench -n -c 2 -j 2 -T 3 {options}; status=$?; pg_ctl -D data -w -m fast stop >/dev/null; exit $status"
        )
        text = output([*prefix, *as_nobody(), "sh", "-c", script])
        return float(re.search(r"^tps = ([0-9.]+)", text, re.M).group(1))

    return run


def in_tree(script, before=None):
    """A shell script in a Debian of the mode's own. `before` is run in it first, natively and not measured."""

    def run(prefix, work):
        tree = work / "tree"
        if not tree.exists():
            tree.mkdir()
            output(["tar", "-C", tree, "-xf", REPO / "build/e2e/tree.tar"])
            os.mknod(tree / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            shutil.copy(REPO / "build/e2e/hello.deb", tree / "hello.deb")
            output(["tar", "-C", tree / "usr", "-cf", tree / "share.tar", "share", "lib/x86_64-linux-gnu", "bin"])
        if before:
            output(["chroot", tree, "sh", "-c", before])
        return seconds([str(tree) if word == TREE else word for word in prefix] + ["sh", "-c", script])

    return run


# name, unit, more is better, function, peers too, what
BENCHMARKS = [
    ("getppid", "ns", False, calls("getppid", 2000000), True, "an untouched system call"),
    ("start", "s", False, start_of_true, True, "start of `true`, the tool's own start included"),
    ("fork-exec", "ns", False, calls("fork-exec", 300), True, "fork and exec of `true` by a guest"),
    ("find-cat", "s", False, find_cat, True, "find /usr/include | xargs cat"),
    ("make", "s", False, make, True, "make of 22 objects of busybox"),
    ("redis-get", "req/s", True, redis("get"), True, "redis-benchmark GET, 20 clients"),
    ("redis-set", "req/s", True, redis("set"), True, "redis-benchmark SET, 20 clients"),
    ("pgbench-S", "tps", True, pgbench("-S"), False, "pgbench -S, 2 clients, SysV emulated"),
    ("pgbench", "tps", True, pgbench(""), False, "pgbench TPC-B, 2 clients, SysV emulated"),
    ("sem-alone", "ns", False, calls("sem-alone", 500000), False, "semop, nobody waits"),
    ("sem-pingpong", "ns", False, calls("sem-pingpong", 20000), False, "semop between two processes, there and back"),
    ("msg-alone", "ns", False, calls("msg-alone", 500000), False, "msgsnd or msgrcv of 64 bytes, nobody waits"),
    ("msg-pingpong", "ns", False, calls("msg-pingpong", 20000), False, "messages between two processes, there and back"),
]

# With --gaps
GAP_BENCHMARKS = [
    ("getppid", "ns", False, calls("getppid", 2000000), True, "an untouched system call"),
    ("find-cat", "s", False, find_cat, True, "find /usr/include | xargs cat"),
    ("git-status", "s", False, git_status, True, "git status of a repository of 600 commits"),
    ("npm-ci", "s", False, npm_ci, True, "npm ci of ten local packages"),
    ("make", "s", False, make, True, "make of 22 objects of busybox"),
]

# With --tree
TREE_BENCHMARKS = [
    ("start", "s", False, in_tree("true"), True, "start of a shell, the tool's own start included"),
    ("exec", "s", False, in_tree("for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; /bin/true; /bin/true; done"), True, "30 programs"),
    ("find-ls", "s", False, in_tree("find /usr /etc /var -ls >/dev/null"), True, "find -ls of 4,000 files"),
    ("cat", "s", False, in_tree("find /usr/share /etc -type f -exec cat {} + >/dev/null 2>&1 || true"), True, "cat of small files"),
    ("untar", "s", False, in_tree("mkdir /u && tar -C /u -xf /share.tar", "rm -rf /u"), True, "tar -x of 3,000 files"),
    ("rm", "s", False, in_tree("rm -rf /u", "rm -rf /u && mkdir /u && tar -C /u -xf /share.tar"), True, "rm -rf of them"),
    ("dpkg", "s", False, in_tree("dpkg -i /hello.deb && dpkg -r hello"), True, "dpkg installs and removes a package"),
]

# With --why
WHY_BENCHMARKS = [
    ("getppid", "ns", False, calls("getppid", 2000000), True, "a call that is not observed"),
    ("fcntl", "ns", False, calls("fcntl", 100000), True, "a call that works"),
    ("refused", "ns", False, calls("refused", 50000), True, "a call that fails: open of a file that is not there"),
    ("start", "s", False, start_of_true, True, "start of `true`, the tool's own start and report included"),
    ("python", "s", False, start_of_python, True, "start of python with some modules"),
    ("find-cat", "s", False, find_cat, True, "find /usr/include | xargs cat"),
    ("git-status", "s", False, git_status, True, "git status of a repository of 600 commits"),
    ("make", "s", False, make, True, "make of 22 objects of busybox"),
]


def warm_up(function, native, work):
    """Once, not counted: files come into the cache."""
    work.mkdir(exist_ok=True)
    try:
        function(native, work)
    except (RuntimeError, AttributeError, OSError):
        pass  # the measured runs will say so


def measure(modes, benchmarks, rounds, only, progress, keep):
    """keep(results) is told of the results so far after each benchmark."""
    results = []
    with tempfile.TemporaryDirectory(prefix="lichen-bench-") as top:
        os.chmod(top, 0o755)
        for name, unit, more, function, peers, what in benchmarks:
            if only and name not in only:
                continue
            samples, errors = {}, {}
            warm_up(function, modes["native"], pathlib.Path(top) / "native")
            for number in range(rounds):
                for mode, prefix in modes.items():
                    if (mode not in ("native", "lichen") and not peers) or mode in errors:
                        continue
                    progress(f"{name}: round {number + 1} of {rounds}, {mode}")
                    work = pathlib.Path(top) / mode
                    work.mkdir(exist_ok=True)
                    try:
                        value = function(prefix, work)
                        if value is None:  # this mode does not take part
                            continue
                        samples.setdefault(mode, []).append(value)
                    except (RuntimeError, AttributeError, OSError) as e:
                        errors[mode] = str(e)
            row = {"name": name, "what": what, "unit": unit, "more_is_better": more, "modes": {}, "errors": errors}
            base = statistics.median(samples.get("native") or [1])
            for mode, values in samples.items():
                middle = statistics.median(values)
                row["modes"][mode] = {
                    "median": middle,
                    "samples": values,
                    "spread_percent": round(100 * (max(values) - min(values)) / middle, 1),
                    "ratio": round(base / middle if more else middle / base, 3),
                }
            results.append(row)
            keep(results)
    return results


def figure(value, unit):
    if unit == "s":
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "ns":
        return f"{value:.0f} ns" if value < 10000 else f"{value / 1000:.1f} us"
    return f"{value:,.0f} {unit}"


def table(results, modes):
    modes = [m for m in modes if m != "native"]
    print(f"{'':14}{'native':>16}{'lichen':>16}" + "".join(f"{m:>12}" for m in modes) + "  what")
    print(f"{'':46}" + "".join(f"{'ratio':>12}" for _ in modes))
    for row in results:
        native = row["modes"].get("native")
        line = f"{row['name']:14}{figure(native['median'], row['unit']) if native else 'failed':>16}"
        mine = row["modes"].get("lichen")
        line += f"{figure(mine['median'], row['unit']) if mine else 'failed':>16}"
        for mode in modes:
            got = row["modes"].get(mode)
            line += f"{got['ratio']:12.2f}" if got else f"{'failed' if mode in row['errors'] else '-':>12}"
        print(f"{line}  {row['what']}")
    print("\nratio: how many times slower than native (medians; below 1: faster)")
    for row in results:
        for mode, error in row["errors"].items():
            print(f"{row['name']}, {mode}: {error.splitlines()[0][:200]}")


def in_private_mounts():
    """Starts this program anew where mounts are its own: the kernel takes them away at its end."""
    if os.environ.get("LICHEN_BENCH_PRIVATE") != "1":
        os.environ["LICHEN_BENCH_PRIVATE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description="Ratios of lichen and of its peers to native.")
    parser.add_argument("--gaps", action="store_true", help="compare gaps, not peers")
    parser.add_argument("--why", action="store_true", help="measure `lichen why`")
    parser.add_argument("--tree", action="store_true", help="measure programs in a root directory of their own")
    parser.add_argument("--containers", action="store_true", help="compare container tools")
    parser.add_argument("--rounds", type=int, help="how often each is measured (7; --containers: 3)")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these benchmarks, by name")
    parser.add_argument("--json", action="store_true", help="print JSON, samples included, not the table")
    parser.add_argument("--output", help="write the JSON to this file, and print the table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def progress(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    modes, benchmarks, notes = prefixes(), BENCHMARKS, []
    if options.gaps:
        modes, benchmarks = gap_prefixes(), GAP_BENCHMARKS
    elif options.why:
        modes, benchmarks = why_prefixes(), WHY_BENCHMARKS
    elif options.tree:
        modes, benchmarks = tree_prefixes(), TREE_BENCHMARKS
    elif options.containers:
        in_private_mounts()
        modes, benchmarks = containers.modes(REPO / "build/bench/containers", notes.append), containers.BENCHMARKS
    rounds = options.rounds or (3 if options.containers else 7)

    def document(results):
        machine = {"kernel": os.uname().release, "cpus": os.cpu_count(), "load": os.getloadavg()[0]}
        return json.dumps({"version": 1, "rounds": rounds, "left_out": notes, "machine": machine, "benchmarks": results}, indent=1)

    def keep(results):
        if options.output:
            pathlib.Path(options.output).write_text(document(results) + "\n", encoding="ascii")

    results = measure(modes, benchmarks, rounds, options.only, progress, keep)
    progress("")
    keep(results)
    if options.json:
        print(document(results))
    else:
        table(results, modes)
        for note in notes:
            print(note)
    return 1 if any("native" in row["errors"] or "lichen" in row["errors"] for row in results) else 0


if __name__ == "__main__":
    sys.exit(main())
