# SPDX-License-Identifier: Apache-2.0
"""DNS rebinding, in network and mount namespaces of our own: public addresses are on lo, and names mean what this program says."""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(__file__))
from helper import Proxy, Web  # noqa: E402

PUBLIC, OTHER = "93.184.216.34", "93.184.216.35"
A, AAAA = 1, 28


class Names:
    """A name server (RFC 1035) for A records. .answers: name -> list of lists of addresses, the last of which stays. .asked: names."""

    def __init__(self):
        self.answers, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            at, labels = 12, []
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            name, (kind,) = ".".join(labels).lower(), struct.unpack(">H", query[at + 1 : at + 3])
            addresses = []
            if kind == A:
                self.asked.append(name)
                rows = self.answers.get(name, [[]])
                addresses = rows.pop(0) if len(rows) > 1 else rows[0]
            code = 0 if name in self.answers else 3
            reply = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0) + query[12 : at + 5]
            for address in addresses:
                reply += struct.pack(">HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(address)
            self.socket.sendto(reply, client)


def bind_over(path, text):
    with tempfile.NamedTemporaryFile("w", dir="/tmp", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    subprocess.run(["mount", "--bind", file.name, os.path.realpath(path)], check=True)
    os.unlink(file.name)


def prepare():
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for words in (["link", "set", "lo", "up"], ["addr", "add", f"{PUBLIC}/32", "dev", "lo"], ["addr", "add", f"{OTHER}/32", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)
    bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    bind_over("/etc/nsswitch.conf", "hosts: dns\n")


def fetch(proxy, host):
    """(status, whether the server's answer came)"""
    reply = proxy.ask(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return int(reply.split()[1]), reply.endswith(f"{host} /".encode())


def main():
    prepare()
    names = Names()
    names.answers = {
        "good.example": [[PUBLIC]],
        "local.example": [["127.0.0.1"]],
        "meta.example": [["169.254.169.254"]],
        "flip.example": [[PUBLIC], ["127.0.0.1"]],
        "mixed.example": [["127.0.0.1", PUBLIC]],
        "inside.example": [["127.0.0.1"]],
        "x.wild.example": [[PUBLIC]],
        "wild.example": [[PUBLIC]],
    }
    allow = [f"{name}.example:80" for name in ("good", "local", "meta", "flip", "mixed", "missing", "*.wild")]
    with Web(host=PUBLIC, port=80) as web, Web(host="127.0.0.1", port=80) as private:
        with Proxy(allow=[*allow, f"{PUBLIC}/31:80"], private=["inside.example:80"]) as proxy:
            assert fetch(proxy, "good.example") == (200, True)
            assert fetch(proxy, "GOOD.example.")[0] == 200
            assert fetch(proxy, PUBLIC) == (200, True)
            assert fetch(proxy, "local.example")[0] == 403
            assert fetch(proxy, "meta.example")[0] == 403
            assert fetch(proxy, "mixed.example") == (200, True)
            assert fetch(proxy, "x.wild.example")[0] == 200
            assert len(web.asked) == 5 and not private.asked
            # what was judged is what is dialled: one look-up a request; the second request is judged anew
            before = len(names.asked)
            assert fetch(proxy, "flip.example") == (200, True)
            assert names.asked[before:] == ["flip.example"]
            assert fetch(proxy, "flip.example")[0] == 403
            assert not private.asked
            assert fetch(proxy, "inside.example") == (200, True) and len(private.asked) == 1
            # nothing is carried out by names that no rule allows
            before = len(names.asked)
            assert fetch(proxy, "wild.example")[0] == 403
            assert fetch(proxy, "secret.evil.example")[0] == 403
            assert names.asked[before:] == []
            assert fetch(proxy, "missing.example")[0] == 502
            denied = [(e["target"], e.get("address")) for e in proxy.of("denied")]
            assert denied == [
                ("local.example:80", "127.0.0.1"),
                ("meta.example:80", "169.254.169.254"),
                ("flip.example:80", "127.0.0.1"),
                ("wild.example:80", None),
                ("secret.evil.example:80", None),
            ], denied
            assert all(e["address"] == PUBLIC for e in proxy.events if e["event"] == "allowed" and "inside" not in e["target"])
    print(json.dumps("passed"))


if __name__ == "__main__":
    main()
