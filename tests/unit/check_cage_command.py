#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_cage_command.py LICHEN CORPUS DOCS: `lichen cage check` prints policies that mean what was read, and says what is wrong with others.

CORPUS are policies, right and wrong. What is printed for one is a policy again; checked again, it is the same. The example of lichen-cage(1) and those of
docs/cage.md and docs/cage-policy.md are policies. The Dockerfile is short, and builds what is installed.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LICHEN, CORPUS, DOCS = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
WRONG = []


def expect(what, condition):
    if not condition:
        WRONG.append(what)


def check(*args, status=(0,)):
    done = subprocess.run([LICHEN, "cage", "check", *args], capture_output=True, text=True, check=False, timeout=60)
    expect(f"lichen cage check {args}: status {done.returncode}: {done.stderr}", done.returncode in status)
    return done


def meaning(path):
    """What a policy means, without where it stands and how it is written."""
    def bare(value):
        if isinstance(value, dict):
            return {key: bare(inner) for key, inner in value.items() if key not in ("written", "line")}
        return [bare(inner) for inner in value] if isinstance(value, list) else value
    return bare(json.loads(check("--json", str(path)).stdout)["policy"])


def same_again(path, scratch):
    printed = scratch / "printed.yaml"
    printed.write_text(check(str(path)).stdout)
    expect(f"{path}: what is printed means something else", meaning(printed) == meaning(path))


def check_corpus(scratch):
    taken = 0
    for path in sorted(CORPUS.iterdir()):
        done = check(str(path), status=(0, 78))
        report = json.loads(check("--json", str(path), status=(0, 78)).stdout)
        expect(f"{path}: --json says something else", report["valid"] == (done.returncode == 0))
        if done.returncode == 0:
            taken += 1
            same_again(path, scratch)
        else:
            place = f"{path}:{report['error']['line']}:{report['error']['column']}: {report['error']['text']}"
            expect(f"{path}: {done.stderr}", done.stderr == f"lichen cage: {place}\n" and not done.stdout)
    expect("the corpus has no right or no wrong policies", 0 < taken < len(list(CORPUS.iterdir())))


def check_odd_strings(scratch):
    path = scratch / "odd.yaml"
    values = ["\u001b[1m", "é\u0085\u2028\ufeff\U0001f600", "a\nb\t\"\\'", "yes", "8080", "", " x ", "# no comment", "\u007f", "a\u009b31m\u202eb\u2066c"]
    written = ",".join(f"A{i}: {json.dumps(value)}" for i, value in enumerate(values)).replace("\\ud83d\\ude00", "\\U0001f600")
    path.write_text(f"version: 1\nenvironment: {{set: {{{written}}}}}\nfiles: {{read: ['./a b', \"./é\"], deny: ['~/\"x']}}\n")
    expect("values of variables changed", list(meaning(path)["environment"]["set"].values()) == values)
    same_again(path, scratch)
    expect("control characters are printed", not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", check(str(path)).stdout))
    path.write_text('version: 1\n"a\\x9b31m\\u202e": 1\n')
    expect("a wrong key reaches the terminal", "'a??31m???'" in check(str(path), status=(78,)).stderr)
    other = os.fsencode(scratch) + b"/\xe9"
    os.mkdir(other)
    pathlib.Path(os.fsdecode(other), "p.yaml").write_text("version: 1\nfiles: {read: [./x]}\n")
    done = subprocess.run([LICHEN, "cage", "check", "p.yaml"], cwd=other, capture_output=True, check=False, timeout=60)
    expect(f"a directory that is no UTF-8: {done}", done.returncode == 0 and b'/\\xe9/x" # not UTF-8' in done.stdout and done.stdout.isascii())


def check_profiles(scratch):
    same_again("offline", scratch)
    (scratch / "offline").write_text("version: 1\nfiles: {defaults: false}\n")
    done = subprocess.run([LICHEN, "cage", "check", "./offline"], capture_output=True, text=True, check=False, cwd=scratch, timeout=60)
    expect("./offline is no file", "defaults: false" in done.stdout)


def check_words():
    for args, status, text in ((["/nonexistent"], 78, "/nonexistent: cannot read the policy: No such file or directory"), (["/"], 78, "Is a directory"),
                               ([], 64, "check takes a policy"), (["a", "b"], 64, "check takes a policy"), (["--xml", "a"], 64, "--xml")):
        done = check(*args, status=(status,))
        expect(f"{args}: {done.stderr}", text in done.stderr)


def check_documents(scratch):
    page = (DOCS / "man/lichen-cage.1").read_text()
    examples = [re.search(r"^\.nf\n(version: 1.*?)^\.fi", page, re.M | re.S).group(1)]
    for name in ("cage.md", "cage-policy.md"):
        found = re.findall(r"```yaml\n(.*?)```", (DOCS / name).read_text(), re.S)
        expect(f"{name} shows no policy", found)
        examples += found
    for example in examples:
        path = scratch / "example.yaml"
        path.write_text(example)
        check(str(path))


def check_dockerfile():
    """Of fewer than 20 lines; what it copies and calls is there."""
    root = DOCS.parent
    lines = (root / "Dockerfile").read_text().splitlines()
    expect("the Dockerfile has 20 lines or more", len(lines) < 20)
    expect("the Dockerfile builds other programs than are installed",
           set(re.search(r"ninja -C build (.*?) *[\\]", "\n".join(lines)).group(1).split()) ==
           {"lichen", "lichen-fetch", "lichen-proxy", "lichen-echo-model", "docs/lichen-gaps.7"})
    expect("tools/install-packages is not there", (root / "tools/install-packages").exists() and (root / "packages").exists())


with tempfile.TemporaryDirectory() as directory:
    check_corpus(pathlib.Path(directory))
    check_odd_strings(pathlib.Path(directory))
    check_profiles(pathlib.Path(directory))
    check_words()
    check_dockerfile()
    check_documents(pathlib.Path(directory))
print("\n".join(WRONG))
sys.exit(bool(WRONG))
