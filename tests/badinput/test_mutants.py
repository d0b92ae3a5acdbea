# SPDX-License-Identifier: Apache-2.0
"""execve of mutated programs and scripts: natively and under lichen the same errno, or the same end (tests/fuzz/exec_mutants.c)."""
import os
import pathlib
import shutil
import subprocess

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("FUZZ_BIN", str(REPO / "build/tests/fuzz"))
LICHEN = os.environ.get("LICHEN", str(REPO / "build/lichen"))
SEED = int(os.environ.get("MUTANTS_SEED", "2026"))
COUNT = int(os.environ.get("MUTANTS", "600"))


def execute(prefix):
    """number -> (kind, outcome, what was changed); PT_INTERP must be short, so the directory is not pytest's."""
    directory = f"/tmp/m{os.getpid()}"
    shutil.rmtree(directory, ignore_errors=True)
    done = subprocess.run(
        [*prefix, f"{BIN}/exec_mutants", directory, str(SEED), str(COUNT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=300,
        check=True,
    )
    shutil.rmtree(directory, ignore_errors=True)
    outcomes = {}
    for line in done.stdout.splitlines():
        outcome, _, story = line.partition(" :")
        number, outcome = outcome.split(" ", 1)
        outcomes[int(number)] = (story.split()[0], outcome, story.strip())
    return outcomes


def excused(kind, native, here):
    """What src/agent/exec.c and elf.c say about themselves."""
    if native.startswith("errno"):
        return False
    if here == "errno ENOMEM":  # wants the agent's place
        return kind != "script"
    if here.startswith("errno"):
        return False
    # A libc that reads spoilt headers does what its addresses make it do; and where a program whose first segment is not its lowest
    # does not fit the kernel's layout, it fits ours.
    return kind in ("true", "linker") or (kind == "pie" and native == "signal 11")


def test_same_outcome_as_the_kernel():
    native, here = execute([]), execute([LICHEN, "run", "--emulate=all", "--"])
    assert len(native) == len(here) == COUNT
    different = [
        f"{n}: natively {native[n][1]}, under lichen {here[n][1]}: {native[n][2]}"
        for n in native
        if native[n][1] != here[n][1] and not excused(native[n][0], native[n][1], here[n][1])
    ]
    if different:
        pytest.fail("\n".join(different), pytrace=False)


def test_the_mutants_are_worth_it():
    """Enough of each outcome, or the comparison proves nothing."""
    outcomes = [outcome for _, outcome, _ in execute([]).values()]
    for wanted in ("errno ENOEXEC", "errno ENOENT", "errno EACCES", "errno ELIBBAD", "exit 0", "exit 7", "signal 11"):
        assert outcomes.count(wanted) >= COUNT / 200, f"{wanted}: {outcomes.count(wanted)} of {COUNT}"
