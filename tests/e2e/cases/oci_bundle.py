# SPDX-License-Identifier: Apache-2.0
"""oci_bundle.py BUNDLE KEY=VALUE…: writes BUNDLE/config.json for the tree BUNDLE/rootfs.

Values are Python: args=['sh','-c','id'].  Keys are members of process, or paths with dots: root.readonly=True, .hostname='x', mounts.+=[…].  It starts with what
`lichen oci spec` writes, given on standard input, with a root that can be written.
"""
import ast
import json
import sys

spec = json.load(sys.stdin)
spec["process"]["terminal"] = False
spec["root"]["readonly"] = False
spec["process"]["rlimits"] = []
for word in sys.argv[2:]:
    key, value = word.split("=", 1)
    path = [name for name in key.split(".") if name] if "." in key else ["process", key]
    at = spec
    for name in path[:-1]:
        at = at[int(name) if isinstance(at, list) else name]
    if path[-1] == "+":
        at += ast.literal_eval(value)
    else:
        at[path[-1]] = ast.literal_eval(value)
with open(f"{sys.argv[1]}/config.json", "w", encoding="utf-8") as file:
    json.dump(spec, file)
