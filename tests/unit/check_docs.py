#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_docs.py LICHEN DOCS GAPS-PAGE: what users read about the command line agrees with its tables, no more and no less.

The tables speak through --help, which is printed from them.  Compared with them: the OPTIONS of each man page, the completions of
bash (by completing), zsh and fish (by reading), the members of JSON in the pages *-json.md, the names of gaps and workloads.  What README and the
guides name (gaps, files, steps of the demo) is there.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LICHEN, DOCS, GAPS_PAGE = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
WRONG = []


def wrong(text):
    WRONG.append(text)


def lichen(*args, status=(0,)):
    done = subprocess.run([LICHEN, *args], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode not in status:
        wrong(f"lichen {' '.join(args)}: status {done.returncode}: {done.stderr}")
    return done.stdout


def fits(name, text):
    lines = text.splitlines()
    screen = 48 if name in ("lichen help", "lichen run --help") else 24  # as many as docker has are no screen's
    if len(lines) > screen or max(map(len, lines)) > 80:
        wrong(f"{name}: {max(map(len, lines))}x{len(lines)} is more than 80x{screen}")


def same(what, got, wanted):
    for missing in sorted(wanted - got):
        wrong(f"{what}: {missing} is missing")
    for extra in sorted(got - wanted):
        wrong(f"{what}: {extra} is not in the table")


def options_of(command):
    """{"--env=", "-e=", "--json"}: what takes a value ends with '='."""
    text = lichen(command, "--help")
    fits(f"lichen {command} --help", text)
    text = lichen(command, "--help=all")
    found = set()
    for letter, name, value in re.findall(r"^  (?:(-\w), |    )(--[a-z-]+)(=?)", text, re.M):
        found.add(name + value)
        if letter:
            found.add(letter + value)
    return found


# --- man pages -------------------------------------------------------------------------------------------------------------------


def in_man_page(path):
    text = path.read_text().replace("\\-", "-")
    section = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH ", text, re.M | re.S)
    found = set()
    for head in re.findall(r"^\.TP.*\n(\..*)$", section.group(1) if section else "", re.M):
        value = "=" if "=" in head else ""
        found |= {word + value for word in re.findall(r"(?<![\w-])(?:--[a-z-]+|-\w)(?![\w-])", head)}
    return found


# --- completions -------------------------------------------------------------------------------------------------------------------

BASH = r"""
_init_completion() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
_filedir() { COMPREPLY+=("(files)"); }
_command_offset() { COMPREPLY+=("(command $1)"); }
compopt() { :; }
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_lichen
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(*words):
    done = subprocess.run(["bash", "-c", BASH, "-", DOCS / "completion/lichen.bash", *words], capture_output=True, text=True, check=False)
    if done.stderr:
        wrong(f"lichen.bash: {done.stderr}")
    return set(done.stdout.split("\n")) - {""}


def in_zsh(command):
    text = (DOCS / "completion/_lichen").read_text()
    branch = re.search(rf"^\t{command}\)\n(.*?)^\t\t;;", text, re.M | re.S)
    found = set()
    for word in re.findall(r"'\*?(--[a-z-]+=?)\[", branch.group(1) if branch else ""):
        found.add(word)
    for group in re.findall(r"\{([^}]+)\}'\[", branch.group(1) if branch else ""):
        words = group.split(",")
        value = "=" if any(word.endswith("=") for word in words) else ""
        found |= {word.rstrip("=") + value for word in words}
    return found


def in_fish(command):
    text = (DOCS / "completion/lichen.fish").read_text()
    found = {"-h", "--help"} if re.search(r"^complete -c lichen -s h -l help ", text, re.M) else set()
    for line in re.findall(rf"^complete -c lichen -n '__fish_seen_subcommand_from {command}' (.*)$", text, re.M):
        value = "=" if re.search(r" (-r|-x)\b", " " + line) else ""
        found |= {f"--{name}{value}" for name in re.findall(r"-l ([a-z-]+)", line)}
        found |= {f"-{letter}{value}" for letter in re.findall(r"-s (\w)\b", line)}
    return found


def check_commands():
    text = lichen("help")
    if lichen("help", "--help") != text:
        wrong("lichen help --help: is not lichen help")
    fits("lichen help", text)
    commands = re.findall(r"^(?:  [a-z]+ +| {11})([a-z]+) +\S", text, re.M)
    same("lichen.bash, commands", bash("lichen", ""), {*commands, "--version", "--help"})
    same("lichen.bash, help", bash("lichen", "help", ""), {*commands} - {"help"})
    zsh = (DOCS / "completion/_lichen").read_text()
    same("_lichen, commands", set(re.findall(r"(\w+)\\:\"", zsh)), {*commands})
    same("_lichen, help", set(re.search(r"help\) _arguments '1:command:\((.*)\)'", zsh).group(1).split()), {*commands} - {"help"})
    fish = (DOCS / "completion/lichen.fish").read_text()
    same("lichen.fish, commands", set(re.findall(r"__fish_use_subcommand -a (\w+) ", fish)), {*commands})
    same("lichen.fish, help", set(re.search(r"subcommand_from help' -a '(.*)'", fish).group(1).split()), {*commands} - {"help"})
    overview = (DOCS / "man/lichen.1").read_text()
    synopsis = re.search(r"^\.SH SYNOPSIS\n(.*?)^\.SH ", overview, re.M | re.S).group(1)
    for command in commands:
        if command == "help":
            continue
        wanted = options_of(command)
        page = DOCS / f"man/lichen-{command}.1"
        if not page.exists():
            wrong(f"{page.name} is missing")
            continue
        if f"lichen-{command} (1)" not in overview:
            wrong(f"lichen.1 does not name lichen-{command}(1)")
        if not re.search(rf"(?<![\w-]){command}(?![\w-])", synopsis):
            wrong(f"lichen.1: {command} is not in the synopsis")
        same(page.name, in_man_page(page), wanted)
        long_options = {option for option in wanted if option.startswith("--")}
        same(f"lichen.bash, {command}", {w for w in bash("lichen", command, "--") if w.startswith("--")}, long_options)
        same(f"_lichen, {command}", in_zsh(command), wanted)
        same(f"lichen.fish, {command}", in_fish(command), wanted)
        for option in long_options:
            if option.endswith("=") and not bash("lichen", command, option.rstrip("="), ""):
                wrong(f"lichen.bash: lichen {command} {option} completes nothing")


def check_helpers():
    """The programs beside lichen have no tables, but --help and a man page."""
    for name in ("lichen-fetch", "lichen-proxy", "lichen-echo-model"):
        text = subprocess.run([pathlib.Path(LICHEN).absolute().with_name(name), "--help"], capture_output=True, text=True, check=False).stdout
        found = {option + value for option, value in re.findall(r"^  (?:-\w, |    )(--[a-z-]+)(=?)", text, re.M)}
        same(f"{name}.1", {option for option in in_man_page(DOCS / f"man/{name}.1") if option.startswith("--")}, found)


# --- names that stand in several places -------------------------------------------------------------------------------------------


def check_names():
    features = json.loads(lichen("doctor", "--json"))["features"]
    gaps = {feature["name"] for feature in features}
    known = subprocess.run([LICHEN, "doctor", "--for=no-such-thing"], capture_output=True, text=True, check=False).stderr
    workloads = set(re.search(r"known: (.*)", known).group(1).split(", "))
    used = {workload for feature in features for workload in feature["workloads"]}
    same("workloads that gaps name", used, workloads)
    same("lichen.bash, gaps", bash("lichen", "run", "--emulate", ""), gaps | {"all"})
    if not workloads <= bash("lichen", "doctor", "--for", ""):
        wrong("lichen.bash: --for lacks a workload")
    for name in ("completion/_lichen", "completion/lichen.fish", "man/lichen.1", "man/lichen-doctor.1"):
        text = (DOCS / name).read_text().replace("\\-", "-")
        for word in (workloads if "doctor" in name else gaps if "man" in name else gaps | workloads):
            if not re.search(rf"(?<![\w-]){word}(?![\w-])", text):
                wrong(f"{name} does not mention {word}")
    starred = set(re.findall(r"^\.BR (\w+) \\ \*$", (DOCS / "man/lichen.1").read_text(), re.M))
    same("lichen.1, gaps with a star", starred, {feature["name"] for feature in features if feature["fillable"]})
    page = re.sub(r"\s+", " ", GAPS_PAGE.read_text().replace("\\-", "-").replace("\\&", ""))
    for feature in features:
        for text in (feature["summary"], ", ".join(feature["needed_by"]), *feature["limits"]):
            if text not in page:
                wrong(f"lichen-gaps(7), {feature['name']}: '{text}' is missing")


def keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def check_json():
    with tempfile.TemporaryDirectory() as state:
        os.environ["LICHEN_STATE"] = state
        lichen("run", "--name=docs", "--ulimit=core=0:1", f"--audit={state}/log", "--", "true")
        flow = pathlib.Path(state) / "flow.yml"
        flow.write_text("{name: n, steps: [{agent: filesystem, action: read, parameters: {path: data/none}, on_error: skip}]}")
        lichen("flow", "run", f"--directory={state}", str(flow))
        check_documents()


def check_documents():
    for args in (["doctor", "--json"], ["doctor", "--json", "--for=/bin/sh"], ["run", "--explain", "--json"],
                 ["doctor", "--json", "--for=postgres", f"--kernel-config={sys.argv[4]}"],
                 ["ps", "-a", "--json"], ["inspect", "docs"],
                 ["why", "--json", "--output=/dev/stdout", "--", "ls", "/nonexistent"],
                 ["audit", "verify", "--json", os.environ["LICHEN_STATE"] + "/log"], ["images", "--json"], ["pii", "scan", "--json", sys.argv[5]], ["system", "df", "--json"], ["status", "--json"], ["flow", "status", "--json"], ["flow", "list", "--json"],
                 ["cage", "check", "--json", sys.argv[6]], ["cage", "check", "--json", "/nonexistent"], ["cage", "env-check", "--json"]):
        document = DOCS / f"{ {'why': 'why', 'audit': 'audit', 'images': 'image', 'ps': 'cell', 'inspect': 'cell', 'system': 'cell', 'status': 'unit', 'pii': 'pii', 'flow': 'flow', 'cage': 'cage'}.get(args[0], 'doctor') }-json.md"
        text = document.read_text()
        printed = json.loads(lichen(*args, status=(0, 1, 69, 2, 78)))
        if f"## {printed['schema']}" not in text:
            wrong(f"{document.name} does not describe {printed['schema']}")
        printed.pop("counts", None)  # its members are names
        (printed.get("policy") or {}).get("environment", {}).pop("set", None)
        for key in sorted(set(keys(printed))):
            if not re.search(rf"`(\w+\.)?{key}`", text):
                wrong(f"{document.name}: {printed['schema']} has a member {key}")


NUMBERS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
           "twenty").split()


def check_pages():
    """README and the guides name gaps, files and lines of the demo that are there."""
    root = DOCS.parent
    readme = (root / "README.md").read_text()
    features = json.loads(lichen("doctor", "--json"))["features"]
    fillable = {feature["name"] for feature in features if feature["fillable"]}
    same("README.md, gaps", set(re.findall(r"^\| `([a-z]+)` \|", readme, re.M)), fillable)
    counts = f"names {NUMBERS[len(features)]} features that hosts refuse, probes all of them, and **fills {NUMBERS[len(fillable)]}**"
    if counts not in readme:
        wrong(f"README.md does not say '{counts}'")
    names = {path.name for folder in ("src", "tests", "include") for path in (root / folder).glob("**/*.[chS]")}
    for page in (root / "README.md", root / "ARCHITECTURE.md", *DOCS.glob("*.md")):
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"`((?:src|tests|docs|tools|bench)/[\w./-]+)`", text):
            if "NAME" not in target and not (page.parent / target).exists() and not (root / target).exists():
                wrong(f"{page.name} names {target}, which is not there")
        for name in re.findall(r"`(\w+\.[chS])`", text):
            if name not in names:
                wrong(f"{page.name} names {name}, which is not there")
    targets = {path.stem.removeprefix("fuzz_") for path in (root / "tests/fuzz").glob("fuzz_*.c")}
    same("tests/fuzz/README.md", set(re.findall(r"^\| (\w+) \| ", (root / "tests/fuzz/README.md").read_text(), re.M)) - {"target"}, targets)
    groups = {path.name for path in (root / "tests/gaps").iterdir() if any(path.glob("*.c"))}
    same("tests/gaps/README.md", set(re.findall(r"`(\w+)/`", (root / "tests/gaps/README.md").read_text())), groups)
    demo = (root / "tools/demo.sh").read_text()
    for step in re.findall(r'fill="#d0d7de"[^>]*>([^<]*)<', (DOCS / "demo.svg").read_text()):
        if step not in demo and not step.startswith("pgbench: "):
            wrong(f"demo.svg: the demo has no step '{step}' any more: tools/picture draws it again")


def check_troff():
    for page in [*sorted((DOCS / "man").glob("*.[1-8]")), GAPS_PAGE]:
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-z", "-rLL=78n", page], capture_output=True, text=True, check=False)
        if done.stderr or done.returncode:
            wrong(f"groff: {done.stderr}")


check_commands()
check_helpers()
check_names()
check_json()
check_pages()
check_troff()
print("\n".join(WRONG))
sys.exit(bool(WRONG))
