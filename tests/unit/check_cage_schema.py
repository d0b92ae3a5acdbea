#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_cage_schema.py POLICY-JUDGE SCHEMA: docs/cage-policy.schema.json and the parser of policies agree.

Policies are written as JSON, which is YAML, and judged by both: what the parser takes, or refuses for its meaning alone, the schema takes; what the parser
refuses for its grammar the schema refuses. Rows by hand first, then policies and strings made at random from a fixed seed. Numbers have no exponent and no minus
before a zero, and control characters are written as escapes: YAML's own rules for these are tests/unit/test_yaml.c's.
"""
import copy
import json
import pathlib
import random
import re
import subprocess
import sys

import jsonschema

JUDGE, SCHEMA = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
SEED = 20261123

FULL = {
    "version": 1,
    "files": {"read": ["/usr", "~/x"], "execute": ["/usr/bin"], "write": ["./work", "."], "deny": ["./work/.git", "../secret"], "defaults": True, "tmp": True},
    "network": {"mode": "proxy", "allow": ["api.example.com:443", "*.debian.org:80"], "private": ["10.0.0.5:5432"], "unix": ["/run/x.sock"],
                "abstract": False},
    "processes": {"user": "1000:100", "syscalls": "default", "allow": ["mount"], "deny": ["ptrace", "bpf"]},
    "environment": {"pass": ["PATH", "LC_*"], "set": {"KEY": "value", "EMPTY": ""}},
    "limits": {"memory": "1g", "cpu": 2.5, "processes": 256, "open_files": 1024, "file_size": 1048576, "output": "64m", "disk": "2G", "wall": "10m",
               "cpu_time": 90},
    "audit": {"directory": "~/log", "redact": True},
    "report": {"quiet": ["fs.read ~/.cache", "net.connect x.org:443", "syscall ptrace", "signal 1"]},
}

# Changes to FULL, as paths of keys and what is put there; "taken" says what both must answer.
REMOVED = object()
ROWS = [
    (True, [], None),
    (False, ["version"], REMOVED), (False, ["version"], 2), (False, ["version"], "1"), (False, ["version"], True), (True, ["version"], 1.0),
    (False, ["extra"], 1), (False, ["files"], None), (False, ["files"], []), (True, ["files"], {}), (True, ["files"], REMOVED),
    (False, ["files", "Read"], []), (False, ["files", "read"], "/usr"), (False, ["files", "read"], None), (False, ["files", "read"], [1]),
    (False, ["files", "tmp"], "yes"), (False, ["files", "tmp"], 1), (True, ["files", "tmp"], False),
    (False, ["files", "defaults"], "true"), (False, ["files", "defaults"], 1), (False, ["files", "defaults"], None),
    (False, ["network", "mode"], "none"), (False, ["network", "mode"], REMOVED), (False, ["network", "mode"], "off"),
    (True, ["network"], {"mode": "host", "allow": [], "private": []}), (False, ["network"], {"allow": ["a.org:1"]}),
    (True, ["network"], {"mode": "proxy"}), (False, ["network", "abstract"], 0), (False, ["network"], {"mode": "off"}), (True, ["network"], {"mode": "none"}),
    (True, ["processes", "user"], "0:0"), (False, ["processes", "user"], 1000), (False, ["processes", "user"], "1000"),
    (False, ["processes", "user"], "01:1"), (True, ["processes", "user"], "9999999999:0"), (True, ["processes", "syscalls"], "./profile.json"),
    (False, ["processes", "syscalls"], "profile.json"), (False, ["processes", "deny"], ["sys-call"]), (True, ["processes", "deny"], ["no_such_call"]),
    (False, ["environment", "pass"], ["*"]), (False, ["environment", "pass"], ["A=B"]), (False, ["environment", "pass"], ["A*B"]),
    (False, ["environment", "set", "9"], "x"), (False, ["environment", "set", "A-B"], "x"), (False, ["environment", "set", "A"], 1),
    (False, ["environment", "set", "A"], "x\0y"), (True, ["environment", "set", "A"], "x\ny"),
    (True, ["limits", "memory"], 1), (False, ["limits", "memory"], -1), (False, ["limits", "memory"], 1.5), (False, ["limits", "memory"], "1.5g"),
    (False, ["limits", "memory"], "1gb"), (False, ["limits", "memory"], "4096"), (True, ["limits", "memory"], 4096.0),
    (True, ["limits", "memory"], "999999999999999999999999t"), (False, ["limits", "cpu"], 0), (False, ["limits", "cpu"], 1025),
    (False, ["limits", "cpu"], "2"), (True, ["limits", "cpu"], 0.01), (True, ["limits", "cpu"], 1.23456), (False, ["limits", "processes"], 0),
    (False, ["limits", "processes"], 4194305), (False, ["limits", "processes"], 2.5), (False, ["limits", "processes"], "256"),
    (False, ["limits", "open_files"], 7), (True, ["limits", "open_files"], 8), (True, ["limits", "open_files"], 1048576),
    (False, ["limits", "open_files"], 1048577), (True, ["limits", "cpu"], 1024), (True, ["limits", "wall"], 5), (False, ["limits", "wall"], "5 s"), (False, ["limits", "wall"], "10M"),
    (True, ["limits", "wall"], "250ms"), (True, ["limits", "wall"], "1ms"), (False, ["audit", "directory"], "log"), (False, ["audit", "redact"], "no"),
    (False, ["report", "quiet"], ["fs.read"]), (False, ["report", "quiet"], ["fs.eat /x"]), (False, ["report", "quiet"], ["fs.read x"]),
    (False, ["report", "quiet"], ["signal "]), (False, ["report", "quiet"], ["net.bind a b"]),
]

PATH_ROWS = [
    (True, "/"), (True, "."), (True, ".."), (True, "../.."), (True, "../../"), (True, "~"), (True, "~/"), (True, "./"), (True, "//a//b/./c"), (True, "./..."),
    (True, "../a..b"), (True, "./a b"), (False, ""), (False, "a"), (False, "./.."), (False, "./a/.."), (False, "~/.."), (False, "/.."), (False, "/../a"),
    (False, "../a/.."), (False, "../a/../b"), (False, "~a"), (False, ".a"), (False, "..a"), (False, "./*"), (False, "/a?"), (False, "./a\n"), (False, "/\tx"),
]

# Where strings stand that have a grammar, and pieces that random ones are made of.
PATHS = ["/", "//", ".", "..", "./", "../", "~", "~/", "a", "a b", "*", "?", "\t", "\n", "…", "x/../y", "...", "~x", "\u007f", " "]
TARGETS = ["a.org", "*.", "*", ":", "443", "0", "65535", "65536", "99999", "100000", ":443", "[::1]", "10.0.0.0/8", " ", "_", "é", "\n", "]", "-"]
NAMES = ["A", "a", "_", "9", "*", "-", "=", "é", "\n", "LC", "mount", "x" * 64, "read"]
SIZES = ["0", "1", "07", "64", "9" * 25, "m", "M", "k", "ms", "s", "h", "d", ".", "-", " ", "\n", "b", "t", "e3"]
USERS = ["0", "1", "1000", "01", ":", "4294967295", "99999999999", " ", "-", "\n"]
DENIALS = ["fs.read", "net.unix", "net.bind", "signal", "syscall", "fs.", " ", "  ", "a:1", "é", "\n", "x", *PATHS]
STRINGS = [
    (["files", "read"], PATHS, list), (["network", "unix"], PATHS, list), (["audit", "directory"], PATHS, str), (["processes", "syscalls"], PATHS, str),
    (["network", "allow"], TARGETS, list), (["network", "private"], TARGETS, list), (["processes", "deny"], NAMES, list),
    (["environment", "pass"], NAMES, list), (["environment", "set"], NAMES, dict), (["limits", "memory"], SIZES, str), (["limits", "wall"], SIZES, str),
    (["processes", "user"], USERS, str), (["report", "quiet"], DENIALS, list),
]
VALUES = [None, True, False, 0, 1, -1, 7, 2.5, 4194305, 10 ** 30, "", "1", "default", "none", "proxy", "/usr", "64m", [], {}, [[]], [{}], {"a": 1}, ["/usr"],
          [1], {"version": 1}]
KEYS = ["version", "files", "read", "mode", "allow", "set", "memory", "quiet", "Version", "rea", "", "a b", "é", "x-y"]


def put(policy, keys, value):
    policy = copy.deepcopy(policy)
    if not keys:
        return policy
    at = policy
    for key in keys[:-1]:
        at = at[key]
    if value is REMOVED:
        del at[keys[-1]]
    else:
        at[keys[-1]] = value
    return policy


def places(value, path=()):
    """Every place in a value, as a tuple of keys."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def mutate(policy, rng):
    """The policy with one thing changed, at any depth."""
    path = rng.choice([place for place in places(policy) if place])
    policy = copy.deepcopy(policy)
    at = policy
    for key in path[:-1]:
        at = at[key]
    change = rng.randrange(5)
    if change == 0:
        del at[path[-1]]
    elif change == 1 and isinstance(at, dict):
        at[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
    elif change == 2 and isinstance(at, list):
        at.append(copy.deepcopy(rng.choice([*at, *VALUES])))
    elif change == 3 and isinstance(at[path[-1]], str):
        text = at[path[-1]]
        cut = rng.randrange(len(text) + 1)
        at[path[-1]] = text[:cut] + rng.choice(["", "/", "..", "*", " ", ":", "0", "x", "\n", "\0"]) + text[cut + rng.randrange(2):]
    else:
        at[path[-1]] = copy.deepcopy(rng.choice(VALUES))
    return policy


def generate():
    """(policy, what both must answer or None)"""
    rng = random.Random(SEED)
    for taken, keys, value in ROWS:
        yield put(FULL, keys, value), taken
    for taken, path in PATH_ROWS:
        for keys in (["files", "write"], ["network", "unix"]):
            yield {"version": 1, keys[0]: {keys[1]: ["/usr", path]}}, taken
        yield {"version": 1, "report": {"quiet": [f"fs.write {path}"]}}, taken
        yield {"version": 1, "audit": {"directory": path}}, taken
    for keys, pieces, kind in STRINGS:
        for _ in range(800):
            text = "".join(rng.choice(pieces) for _ in range(rng.randrange(5)))
            value = [text] if kind is list else {text: "x"} if kind is dict else text
            policy = {"version": 1, keys[0]: {keys[1]: value}}
            if keys[0] == "network":
                policy["network"]["mode"] = "proxy"
            yield policy, None
    for _ in range(3000):
        policy = FULL
        for _ in range(rng.choice([1, 1, 2, 3])):
            if isinstance(policy, dict) and policy:
                policy = mutate(policy, rng)
        yield policy, None


def written(policy):
    """JSON in one line, whose characters no reader of YAML refuses."""
    text = json.dumps(policy, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def strict(schema):
    """Its patterns with \\Z for the $ that ends them: in Python, not in ECMA-262, $ stands before a last newline, too."""
    if isinstance(schema, dict):
        return {key: re.sub(r"\$$", r"\\Z", value).replace("|$)", r"|\Z)").replace(r"\.$)", r"\.\Z)") if key == "pattern" and isinstance(value, str)
                else strict(value) for key, value in schema.items()}
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def main():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(strict(SCHEMA))
    cases = list(generate())
    done = subprocess.run([JUDGE], input="".join(written(policy) + "\n" for policy, _ in cases), capture_output=True, text=True, check=True, timeout=120)
    answers = done.stdout.splitlines()
    assert len(answers) == len(cases), "one answer a policy"
    counts = {"ok": 0, "grammar": 0, "meaning": 0}
    wrong = 0
    for (policy, taken), answer in zip(cases, answers):
        kind = answer.split(" ", 1)[0]
        counts[kind] += 1
        valid = validator.is_valid(policy)
        if valid != (kind != "grammar") or taken not in (None, valid):
            print(f"{written(policy)}\n  parser: {answer}\n  schema: {'valid' if valid else 'invalid'}")
            wrong += 1
    print(f"{len(cases)} policies: {counts}, {wrong} judged differently")
    return wrong > 0 or min(counts.values()) < 50


if __name__ == "__main__":
    sys.exit(main())
