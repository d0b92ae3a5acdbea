# SPDX-License-Identifier: Apache-2.0
"""How fast the audit log is: events that are durable a second, by batch; entries verified a second; what a run pays for its log.

usage: bench/run --audit [--events N] [--rounds N] [--json]

Appending includes tiles and their syncs: the time is until the log is closed. Beside each figure of a batch stands what the disk gives: how many writes of as
many bytes it syncs a second in one file, which is the bound. Medians of N rounds (3); lowest and highest behind them.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
APPEND = str(REPO / "build/bench/audit_append")
BATCHES = (1, 16, 256, 1024, 4096)
EVENT_BYTES = 220
RUNS = 100
GOAL = 100_000


def append(work, events, batch):
    """Into a new log each: ext4 looks long for an inode after many were removed."""
    log = tempfile.mkdtemp(dir=work)
    done = subprocess.run([APPEND, f"{log}/log", str(events), str(batch)], check=True, capture_output=True, text=True)
    return events / float(done.stdout.split()[1])


def synced(work, size, count=200):
    """Appends of that many bytes that one file makes durable a second."""
    fd = os.open(f"{work}/raw", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    data, begun = b"x" * size, time.monotonic()
    for _ in range(count):
        os.write(fd, data)
        os.fsync(fd)
    taken = time.monotonic() - begun
    os.close(fd)
    return count / taken


def verified(log, events):
    begun = time.monotonic()
    subprocess.run([LICHEN, "audit", "verify", log], check=True, stdout=subprocess.DEVNULL)
    return events / (time.monotonic() - begun)


def run_true(*options):
    """Milliseconds of a run, the median."""
    taken = []
    for _ in range(RUNS):
        begun = time.monotonic()
        subprocess.run([LICHEN, "run", *options, "--", "true"], check=True)
        taken.append((time.monotonic() - begun) * 1000)
    return statistics.median(taken)


def measure(options):
    rows = []

    def row(name, unit, function):
        samples = [function() for _ in range(options.rounds)]
        rows.append({"name": name, "unit": unit, "median": statistics.median(samples), "samples": samples})

    with tempfile.TemporaryDirectory(prefix="audit-", dir=REPO / "build/bench") as work:
        for batch in BATCHES:
            events = min(options.events, 2000 * batch)
            row(f"append, {batch} a batch", "events/s", lambda: append(work, events, batch))
            row(f"  the disk alone, {batch} a batch", "events/s", lambda: synced(work, EVENT_BYTES * batch) * batch)
        subprocess.run([APPEND, f"{work}/log", str(options.events), str(BATCHES[-1])], check=True, stdout=subprocess.DEVNULL)
        row("verify", "events/s", lambda: verified(f"{work}/log", options.events + 1))
        row("lichen run true", "ms", run_true)
        row("lichen run --audit true", "ms", lambda: run_true(f"--audit={work}/runs"))
    return rows


def main():
    parser = argparse.ArgumentParser(description="Rates of the audit log.")
    parser.add_argument("--events", type=int, default=400000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(options)
    if options.json:
        print(json.dumps({"version": 1, "events": options.events, "rows": rows}, indent=1))
        return 0
    for row in rows:
        places = 2 if row["unit"] == "ms" else 0
        spread = f"{min(row['samples']):,.{places}f} to {max(row['samples']):,.{places}f}"
        print(f"{row['name']:<36}{row['median']:>12,.{places}f} {row['unit']:<9} {spread}")
    best = max(row["median"] for row in rows if row["name"].startswith("append"))
    print(f"goal: {GOAL:,} durable events/s in batches: {'reached' if best >= GOAL else 'missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
