# SPDX-License-Identifier: Apache-2.0
"""What cAdvisor makes of a directory, told anew: fstype_cadvisor.py DIR…; prints device, mount point and capacity, or its error.

Follows google/cadvisor v0.60.5: lib/fs/fs.go (NewFsInfo, processMounts, addSystemRootLabel, GetFsInfoForPath, GetDirFsDevice),
the CanHandle and ProcessMount of lib/fs/*/plugin.go, lib/manager/manager.go (GetDirFsInfo, getFsInfoByDeviceName), and the
parser of moby/sys/mountinfo that it reads with.  Before v0.55 a type that no plug-in handles was asked by statfs; since then it
has no statistics, and kubelet, which asks for its root folder, does not start.
"""
import os
import sys

# One old FAT type is left out here.
VFS = {"xfs", "squashfs", "f2fs", "jfs", "reiserfs", "hfs", "hfsplus", "ntfs", "vfat", "fat", "exfat", "udf", "iso9660"}
OWN_PLUGIN = {"tmpfs", "overlay", "btrfs", "zfs"}


def handled(kind):
    return kind.startswith(("ext", "nfs")) or kind in VFS | OWN_PLUGIN


def unquote(field):
    out = bytearray()
    at = 0
    while at < len(field):
        if field[at] == "\\" and at + 3 < len(field):
            out.append(int(field[at + 1 : at + 4], 8))
            at += 4
        else:
            out += field[at].encode(errors="surrogateescape")
            at += 1
    return os.fsdecode(bytes(out))


def mounts():
    """Fields are counted from both ends; a row with too few of them is an error of the whole file."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.rstrip("\n").split(" ")
            if len(fields) < 10:
                raise SystemExit(f"parsing {line!r} failed: not enough fields ({len(fields)})")
            dash = len(fields) - 4
            while fields[dash] != "-":
                dash -= 1
                if dash == 5:
                    raise SystemExit(f"parsing {line!r} failed: missing - separator")
            major, minor = fields[2].split(":")
            yield {
                "device": (int(major), int(minor)),
                "point": unquote(fields[4]),
                "type": unquote(fields[dash + 1]),
                "source": unquote(fields[dash + 2]),
            }


def partitions(rows):
    found = {}
    for row in rows:
        source = row["source"]
        if not handled(row["type"]) or (source in found and row["type"] != "tmpfs"):
            continue
        if row["type"] == "tmpfs":
            source = row["point"]
        elif row["type"] == "overlay":
            source += "_%d-%d" % row["device"]
        found[source] = row
    for row in rows:
        if row["point"] == "/":
            found[row["source"]] = row
            break
    return found


def statistics(found):
    """By mount point: what GetFsInfo("") has."""
    points = {}
    for row in found.values():
        if handled(row["type"]):
            try:
                fs = os.statvfs(row["point"])
            except FileNotFoundError:  # another test's, unmounted meanwhile; cAdvisor passes over it as well
                continue
            points[row["point"]] = fs.f_frsize * fs.f_blocks
    return points


def device_of(folder, found):
    """Any partition of that number will do: a Go map has no order, so all that fit must lead somewhere."""
    dev = os.stat(folder).st_dev
    fit = [source for source, row in found.items() if row["device"] == (os.major(dev), os.minor(dev))]
    if not fit:
        raise SystemExit(f"with major: {os.major(dev)}, minor: {os.minor(dev)}: device not in partitions map")
    return fit


def main():
    rows = list(mounts())
    found = partitions(rows)
    points = statistics(found)
    for folder in sys.argv[1:]:
        for source in device_of(folder, found):
            point = found[source]["point"]
            if point not in points:
                raise SystemExit(f'cannot find filesystem info for device "{source}"')
            if points[point] == 0:
                raise SystemExit(f"{folder}: a capacity of 0")
            print(f"cadvisor: {folder}: {source} on {point}, {points[point]} bytes")


main()
