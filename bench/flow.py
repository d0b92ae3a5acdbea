# SPDX-License-Identifier: Apache-2.0
"""What a step of a workflow costs: steps per second that read a file, and that run `true` in the cage; and the peak memory of lichen.

usage: bench/run --flow [--rounds N] [--json]

A flow of STEPS steps (50) and one of a single step take turns, N times (9); the difference of their medians is what the others took. Each step is durable in the
audit log before it begins and after it has ended, and so is its output; a caged one has its policy in the log besides. Beside it: as many events, of the same size, one a sync.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from peak import peak_kb

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
STEPS = 50
KINDS = {
    "filesystem read": "    agent: filesystem\n    action: read\n    parameters: {path: data/in.txt}\n",
    "caged tool": "    agent: tool_executor\n    action: run\n    config: {allowed_commands: ['true']}\n    parameters: {command: 'true', args: []}\n",
}


def write_flow(name, step, count):
    text = "name: bench\ndescription: steps that do little\nsteps:\n" + "".join(f"  - step: {i + 1}\n{step}" for i in range(count))
    pathlib.Path(name).write_text(text, encoding="ascii")


def run(name):
    begun = time.monotonic()
    subprocess.run([LICHEN, "flow", "run", name], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def measure(rounds):
    results = {}
    for kind, step in KINDS.items():
        write_flow("one.yml", step, 1)
        write_flow("many.yml", step, STEPS)
        run("one.yml")
        turns = [(run("one.yml"), run("many.yml")) for _ in range(rounds)]
        one, many = (statistics.median(turn[i] for turn in turns) for i in (0, 1))
        results[kind] = {"steps_per_second": (STEPS - 1) / (many - one), "ms_per_step": 1000 * (many - one) / (STEPS - 1),
                         "ms_of_one": 1000 * one, "peak_kb": peak_kb([LICHEN, "flow", "run", "many.yml"])}
    return results


def main():
    parser = argparse.ArgumentParser(description="What a step of a workflow costs.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(work + "/here")
        os.chdir(work + "/here")
        os.environ["LICHEN_STATE"] = work + "/state"
        os.mkdir("data")
        pathlib.Path("data/in.txt").write_text("hello\n", encoding="ascii")
        pathlib.Path("config.yaml").write_text("allowed_paths: [data]\nallowed_commands: ['true']\naudit_storage_path: " + work + "/audit\n", encoding="utf-8")
        results = measure(args.rounds)
        os.chdir("/")
    if args.json:
        print(json.dumps(results, indent=1))
        return
    for kind, row in results.items():
        print(f"{kind:16} {row['steps_per_second']:7.0f} steps/s  {row['ms_per_step']:6.2f} ms a step  a flow of one {row['ms_of_one']:6.1f} ms"
              f"  peak memory of lichen {row['peak_kb'] / 1024:.1f} MiB")


main()
