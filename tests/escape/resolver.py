#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command with a name server that writes down what it is asked: unshare -mn tests/escape/resolver.py HEARD COMMAND…

It needs mount and network namespaces of its own: 127.0.0.1:53 there is the server, and /etc/resolv.conf names it.
"""
import os
import socket
import subprocess
import sys
import tempfile
import threading


def serve(sock, heard):
    while True:
        question, peer = sock.recvfrom(512)
        with open(heard, "ab") as f:
            f.write(question[12:] + b"\n")
        sock.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], peer)  # there is no such name


def main():
    heard, command = sys.argv[1], sys.argv[2:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as resolv:
        resolv.write("nameserver 127.0.0.1\n")
        resolv.flush()
        os.chmod(resolv.name, 0o644)
        subprocess.run(["mount", "--bind", resolv.name, os.path.realpath("/etc/resolv.conf")], check=True)
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 53))
        threading.Thread(target=serve, args=(sock, heard), daemon=True).start()
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
