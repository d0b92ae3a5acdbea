# SPDX-License-Identifier: Apache-2.0
"""What a cage costs: the start of `true` in one, cold and warm, beside a native start and bubblewrap with comparable isolation.

usage: bench/run --cage [--rounds N] [--json]

Warm: medians of N starts (100) that take turns, so that what else the machine does meets all of them. Cold: of a tenth as many, the page cache dropped before each
(root; else left out). A caged run's log is durable before the command starts and after it has ended; `run --audit` shows what of its time that takes.
Memory: what lichen itself holds at most while a caged command runs.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from peak import peak_kb

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
BWRAP = ("bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib "
         "--symlink usr/lib64 /lib64 --proc /proc --dev /dev --cap-drop ALL true").split()
GOAL_MS = 5


def commands():
    yield "native", ["/usr/bin/true"]
    yield "lichen run", [LICHEN, "run", "--native=all", "--", "true"]
    yield "lichen run --audit", [LICHEN, "run", "--native=all", "--audit", "../log", "--", "true"]
    yield "lichen run --cage=offline", [LICHEN, "run", "--native=all", "--cage=offline", "--", "true"]
    if shutil.which("bwrap"):
        yield "bubblewrap", BWRAP


def start(command):
    begun = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return (time.monotonic() - begun) * 1000


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def measure(rounds, before=None):
    taken = {name: [] for name, _ in commands()}
    for _ in range(rounds):
        for name, command in commands():
            if before:
                before()
            taken[name].append(start(command))
    return {name: {"median": statistics.median(all_), "least": min(all_)} for name, all_ in taken.items()}


def main():
    parser = argparse.ArgumentParser(description="What a cage costs.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(work + "/here")
        os.chdir(work + "/here")
        os.environ["LICHEN_STATE"] = work + "/state"
        measure(2)
        results = {"warm": measure(args.rounds)}
        if os.access("/proc/sys/vm/drop_caches", os.W_OK):
            results["cold"] = measure(max(1, args.rounds // 10), drop_caches)
        peak = peak_kb([LICHEN, "run", "--native=all", "--cage=offline", "--", "sleep", "0.2"])
        os.chdir("/")
    if args.json:
        print(json.dumps({**results, "peak_kb": peak}, indent=1))
        return
    for kind, rows in results.items():
        for name, row in rows.items():
            print(f"{kind}  {name:26} {row['median']:7.2f} ms  (least {row['least']:.2f})")
    print(f"memory of lichen run --cage=offline: {peak / 1024:.1f} MiB")
    warm = results["warm"]["lichen run --cage=offline"]["median"]
    print(f"goal: under {GOAL_MS} ms warm: {'reached' if warm < GOAL_MS else 'missed'}")


main()
