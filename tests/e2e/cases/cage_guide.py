# SPDX-License-Identifier: Apache-2.0
"""cage_guide.py PAGE: does what a page tells its reader to do, in the current directory, and compares with what it says comes out.

Its first yaml block is saved as policy.yaml. In console blocks, "$ CMD" is run by sh; the lines behind it are what is printed, where a line of … stands for
any lines, also none, and … within a line for any text; [N] is the exit status, 0 where it is not told. What lichen says may come within a line of the
command's, which writes to the same place.
"""
import pathlib
import re
import subprocess
import sys


def matches(expected, printed):
    """Whether these lines are printed, with … for what may be anything."""
    pattern = ""
    for line in expected:
        text = ".*".join(map(re.escape, line.split("…")))
        pattern += "(?:.*\n)*" if line == "…" else (".*" if line.startswith("lichen: ") else "") + text + "\n"
    return re.fullmatch(pattern, printed)


def steps(page):
    for block in re.findall(r"```console\n(.*?)```", page, re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *expected = step.splitlines()
            status = 0
            if expected and re.fullmatch(r"\[\d+\]", expected[-1]):
                status = int(expected.pop()[1:-1])
            yield command, expected, status


def main():
    page = pathlib.Path(sys.argv[1]).read_text()
    pathlib.Path("policy.yaml").write_text(re.search(r"```yaml\n(.*?)```", page, re.S).group(1))
    wrong = count = 0
    for command, expected, status in steps(page):
        done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        count += 1
        if done.returncode != status or not matches(expected, done.stdout):
            wrong += 1
            print(f"$ {command}\n{done.stdout}[{done.returncode}]\nwanted:\n" + "\n".join(expected) + f"\n[{status}]")
    return wrong > 0 or count < 8


sys.exit(main())
