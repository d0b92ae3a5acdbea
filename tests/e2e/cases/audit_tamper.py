# SPDX-License-Identifier: Apache-2.0
"""audit_tamper.py KIND DIR: changes a published log as somebody would who has the disk, not the key.

Kinds: edit, drop, reorder, duplicate, truncate, hash (an entry and its hash), swap (tiles).
"""
import hashlib
import pathlib
import sys

KIND, LOG = sys.argv[1], pathlib.Path(sys.argv[2])


def newest(level):
    """The first tile of a level: the full one, else the widest."""
    full = LOG / f"tile/{level}/000"
    return full if full.exists() else max((LOG / f"tile/{level}/000.p").iterdir(), key=lambda path: int(path.name))


def entries(bundle):
    data, found = bundle.read_bytes(), []
    while data:
        size = 2 + int.from_bytes(data[:2], "big")
        found.append(data[:size])
        data = data[size:]
    return found


def main():
    bundle, hashes = newest("entries"), newest("0")
    all_ = entries(bundle)
    assert len(all_) > 4 and hashes.stat().st_size == 32 * len(all_), bundle
    if KIND == "swap":
        other = LOG / "tile/entries/001"
        first, second = (bundle, other) if other.exists() else (bundle, hashes)
        one, two = first.read_bytes(), second.read_bytes()
        first.write_bytes(two)
        second.write_bytes(one)
        return
    if KIND in ("edit", "hash"):
        all_[1] = all_[1].replace(b"exit 3", b"exit 4")
    if KIND == "hash":
        data = bytearray(hashes.read_bytes())
        data[32:64] = hashlib.sha256(b"\0" + all_[1][2:]).digest()
        hashes.write_bytes(data)
    if KIND == "drop":
        del all_[1]
    if KIND == "reorder":
        all_[1], all_[2] = all_[2], all_[1]
    if KIND == "duplicate":
        all_.append(all_[-1])
    if KIND == "truncate":
        del all_[-1]
    bundle.write_bytes(b"".join(all_))


main()
