# SPDX-License-Identifier: Apache-2.0
"""In a cage: cage_proxy_storm.py URL ROUNDS. Processes that connect all the time, to the proxy and elsewhere, are stopped and killed meanwhile: nobody else is held up."""
import os
import signal
import socket
import sys
import threading

PROXY = ("127.0.0.1", 3128)


def fetch(url):
    with socket.create_connection(PROXY) as peer:
        peer.send(f"GET {url} HTTP/1.0\r\n\r\n".encode())
        return b"".join(iter(lambda: peer.recv(4096), b""))


def connect(address):
    while True:
        with socket.socket() as peer:
            peer.connect_ex(address)


def storm():
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=connect, args=(("192.0.2.1", 80),)).start()
        connect(PROXY)
    return pid


url, rounds = sys.argv[1], int(sys.argv[2])
storms = [storm() for _ in range(3)]
for i in range(rounds):
    which = i % len(storms)
    os.kill(storms[which], signal.SIGSTOP)
    assert fetch(url).endswith(b"served\n")
    os.kill(storms[which], signal.SIGKILL)
    os.waitpid(storms[which], 0)
    storms[which] = storm()
for pid in storms:
    os.kill(pid, signal.SIGSTOP)  # they stay behind
assert fetch(url).endswith(b"served\n")
print("fetched")
