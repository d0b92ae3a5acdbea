# SPDX-License-Identifier: Apache-2.0
"""lichen-proxy as a test drives it, and servers for it to reach."""
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading

REPO = pathlib.Path(__file__).resolve().parents[2]
PROXY = pathlib.Path(os.environ.get("LICHEN") or REPO / "build/lichen").parent / "lichen-proxy"
WAIT = 60


class Proxy:
    """A running proxy: .port, .url; .stop() gives its events. With `door` connections are handed to it."""

    def __init__(self, allow=(), private=(), family=socket.AF_INET, door=False, **limits):
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [PROXY, f"--control={theirs.fileno()}"], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        with ours, socket.socket(family) as listener:
            ours.sendall(json.dumps({"allow": list(allow), "private": list(private), "limits": limits}).encode() + b"\n")
            ready = json.loads(self.process.stdout.readline())
            assert ready == {"event": "ready", "schema": "lichen-proxy/1"}
            listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
            listener.listen(64)
            self.port = listener.getsockname()[1]
            self.door = None
            if door:
                self.door, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
                with other:
                    socket.send_fds(ours, [b"d"], [other.fileno()])
            else:
                socket.send_fds(ours, [b"l"], [listener.fileno()])
        self.url = f"http://127.0.0.1:{self.port}"
        self.socks = f"127.0.0.1:{self.port}"
        self.events = []

    def next(self, event):
        """Waits for the next event of that kind."""
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event:
                return self.events[-1]
        raise AssertionError(f"no {event}: {self.events}")

    def stop(self):
        self.process.terminate()
        out, err = self.process.communicate(timeout=WAIT)
        assert (self.process.returncode, err) == (0, "")
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.events

    def of(self, event):
        return [e for e in self.stop() if e["event"] == event]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.door:
            self.door.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=WAIT)

    def connect(self):
        if self.door:
            client, other = socket.socketpair(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            with other:
                socket.send_fds(self.door, [b"c"], [other.fileno()])
            client.settimeout(WAIT)
            return client
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)

    def ask(self, data):
        """Sends bytes, ends sending, and gives back all that comes."""
        with self.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)


def read_all(sock):
    data = b""
    while True:
        try:
            part = sock.recv(65536)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.server.folder:
            super().do_GET()
        else:
            self.answer(f"{self.headers['Host']} {self.path}".encode())

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(data)

    do_PUT = do_POST

    def answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        self.server.asked.append((self.requestline, dict(self.headers)))


class Web(http.server.ThreadingHTTPServer):
    """A web server: it echoes what it was asked for, or serves a folder. .asked lists the requests."""

    daemon_threads = True

    def __init__(self, folder=None, host="127.0.0.1", port=0):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.folder, self.asked = folder, []
        super().__init__((host, port), lambda *args: Handler(*args, directory=folder))
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Echo:
    """A server that sends back what it gets, and ends when its client has ended. .seen counts connections."""

    def __init__(self, host="127.0.0.1", port=0):
        self.listener = socket.create_server((host, port))
        self.port, self.seen = self.listener.getsockname()[1], 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.seen += 1
            threading.Thread(target=self.echo, args=[client], daemon=True).start()

    @staticmethod
    def echo(client):
        with client:
            while data := client.recv(65536):
                client.sendall(data)
            client.sendall(b"<end>")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
