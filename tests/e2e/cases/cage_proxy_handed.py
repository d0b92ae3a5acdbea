# SPDX-License-Identifier: Apache-2.0
"""
cage_proxy_handed.py PORT COMMAND…: runs the command, a cage, with sockets of the machine as its standard input, and itself in it: what is connected by lichen
alone can be connected nowhere else, and nobody comes in by it.
"""
import errno
import os
import socket
import subprocess
import sys


def outcome(call, *words):
    try:
        call(*words)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def inside(port):
    with socket.socket(fileno=0) as handed:
        print(handed.type.name, outcome(handed.connect, ("127.0.0.1", port)), outcome(handed.accept), outcome(handed.listen))


if sys.argv[2:]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as handed:
            handed.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                handed.listen()
            subprocess.run([*sys.argv[2:], "/usr/bin/python3", "-B", os.path.abspath(__file__), sys.argv[1]], stdin=handed, check=False)
else:
    inside(int(sys.argv[1]))
