# SPDX-License-Identifier: Apache-2.0
"""Registries for the tests: Debian's docker-registry on loopback, a token server for it, and a server in front of it that misbehaves.

Everything listens on 127.0.0.1 at a free port, and ends with its `with`.
"""
import base64
import contextlib
import gzip
import hashlib
import http.client
import http.server
import io
import json
import os
import pathlib
import random
import socket
import ssl
import subprocess
import tarfile
import threading
import time
import urllib.parse

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process=None):
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process is None or process.poll() is None, "the server ended"
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


# --- images -----------------------------------------------------------------------------------------------------------------------


class Image:
    """An image made of random files: .blobs by digest, .manifest (bytes), .digest."""

    def __init__(self, layers=(300_000,), architecture="amd64", docker=False, seed=0, config=None):
        rng = random.Random(f"{layers}{architecture}{seed}")
        self.blobs, diff_ids, rows = {}, [], []
        for number, size in enumerate(layers):
            raw = io.BytesIO()
            with tarfile.open(fileobj=raw, mode="w") as tar:
                info = tarfile.TarInfo(f"file{number}")
                info.size = size
                tar.addfile(info, io.BytesIO(rng.randbytes(size)))
            diff_ids.append(digest_of(raw.getvalue()))
            rows.append(self.add(gzip.compress(raw.getvalue(), 1, mtime=0), DOCKER_LAYER if docker else OCI_LAYER))
        self.config = {"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": diff_ids}, "config": config or {}}
        self.layers = rows
        self.media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
        self.set_manifest(
            {
                "schemaVersion": 2,
                "mediaType": self.media_type,
                "config": self.add(json.dumps(self.config).encode(), DOCKER_CONFIG if docker else OCI_CONFIG),
                "layers": rows,
            }
        )

    def add(self, data, media_type):
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def set_manifest(self, document):
        self.document = document
        self.manifest = json.dumps(document).encode()
        self.digest = digest_of(self.manifest)

    def descriptor(self, **platform):
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.manifest), "platform": platform}


def call(port, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


def push(port, name, tag, image, headers=None):
    """By the distribution spec: the blobs, then the manifest under a tag (None: under its digest)."""
    headers = headers or {}
    for digest, data in image.blobs.items():
        status, fields = call(port, "POST", f"/v2/{name}/blobs/uploads/", headers=headers)
        assert status == 202, status
        place = urllib.parse.urlsplit(fields["Location"])
        path = f"{place.path}?{place.query}&digest={digest}"
        status, _ = call(port, "PUT", path, data, {**headers, "Content-Type": "application/octet-stream"})
        assert status == 201, status
    push_manifest(port, name, tag or image.digest, image.manifest, image.media_type, headers)


def push_manifest(port, name, tag, data, media_type, headers=None):
    status, _ = call(port, "PUT", f"/v2/{name}/manifests/{tag}", data, {**(headers or {}), "Content-Type": media_type})
    assert status == 201, status


# --- docker-registry ----------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def registry(folder, auth=""):
    """docker-registry on a port that it yields; `auth`: lines of its configuration."""
    folder = pathlib.Path(folder)
    port = free_port()
    (folder / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/store}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
    )
    with open(folder / "registry.log", "wb") as log, subprocess.Popen(
        ["docker-registry", "serve", folder / "registry.yml"], stdout=log, stderr=log, env=dict(os.environ, OTEL_TRACES_EXPORTER="none")
    ) as process:
        try:
            wait_for_port(port, process)
            yield port
        finally:
            process.kill()


# --- a server of our own: proxy, token server, or what a test says -----------------------------------------------------------------------


class Server:
    """An HTTP server. `answer(request)` returns (status, fields, body), or None for what the registry behind it says.

    request: .command, .path, .headers as BaseHTTPRequestHandler has them. A body may be bytes, or a function that writes to the handler's
    wfile; the connection is closed after each answer.  .seen lists (command, path, headers) of all requests, .most how many were served at once.
    """

    def __init__(self, answer=None, upstream=None, tls=None):
        self.answer, self.upstream = answer or (lambda request: None), upstream
        self.seen, self.busy, self.most, self.lock = [], 0, 0, threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                with outer.lock:
                    outer.seen.append((self.command, self.path, dict(self.headers)))
                    outer.busy += 1
                    outer.most = max(outer.most, outer.busy)
                try:
                    with contextlib.suppress(ConnectionError, ssl.SSLError):
                        outer.send(self)
                finally:
                    with outer.lock:
                        outer.busy -= 1
                self.close_connection = True

            do_GET = do_POST = serve

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.http.server_address[1]

    def behind(self, request):
        """What the registry says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")}
        connection.request("GET", request.path, headers=headers)
        answer = connection.getresponse()
        fields = {k: v for k, v in answer.getheaders() if k.lower() not in ("connection", "transfer-encoding")}
        return answer.status, fields, answer.read()

    def send(self, request):
        status, fields, body = self.answer(request) or self.behind(request)
        request.send_response(status)
        for name, values in fields.items():
            for value in values if isinstance(values, list) else [values]:
                request.send_header(name, value)
        if isinstance(body, bytes) and "Content-Length" not in fields:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if callable(body):
            body(request)
        else:
            request.wfile.write(body)

    def paths(self, part=""):
        return [path for _, path, _ in self.seen if part in path]

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def certificate(folder, name="localhost"):
    """A self-signed certificate for 127.0.0.1 and `name`: (certificate, key)."""
    made = pathlib.Path(folder) / f"{name}.crt", pathlib.Path(folder) / f"{name}.key"
    address = ",IP:127.0.0.1" if name == "localhost" else ""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}{address}",
         "-keyout", made[1], "-out", made[0]],
        check=True, capture_output=True,
    )
    return made


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer(Server):
    """What Docker's token authentication wants: JSON Web Tokens signed by openssl, with the certificate in x5c.

    `users`: name -> password. A user, and a holder of refresh token "refresh-me", may read everything; nobody only what is below public/.
    """

    def __init__(self, folder, users):
        self.crt, self.key = certificate(folder, "token")
        self.users, self.lifetime = users, 300
        der = subprocess.run(["openssl", "x509", "-in", self.crt, "-outform", "DER"], check=True, capture_output=True).stdout
        self.x5c = base64.b64encode(der).decode()
        super().__init__(self.give)

    def config(self):
        return (
            f"auth: {{token: {{realm: 'http://127.0.0.1:{self.port}/token', service: 'the registry, of tests', issuer: tests, "
            f"rootcertbundle: {self.crt}}}}}\n"
        )

    def sign(self, scopes, actions):
        now = int(time.time())
        access = [{"type": "repository", "name": scope.split(":")[1], "actions": actions} for scope in scopes]
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}
        claims = {"iss": "tests", "aud": "the registry, of tests", "sub": "", "nbf": now - 5, "iat": now, "exp": now + self.lifetime, "jti": "1", "access": access}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True, capture_output=True).stdout
        return f"{text}.{base64url(made)}"

    def give(self, request):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        scopes, known = query.get("scope", []), False
        if request.command == "POST":
            form = urllib.parse.parse_qs(request.body.decode())
            scopes, known = form["scope"], form["refresh_token"] == ["refresh-me"]
            assert form["grant_type"] == ["refresh_token"] and form["service"] == ["the registry, of tests"]
            if not known:
                return 401, {}, b"{}"
        elif "Authorization" in request.headers:
            user, _, password = base64.b64decode(request.headers["Authorization"].split()[1]).decode().partition(":")
            known = self.users.get(user) == password
            if not known:
                return 401, {}, b"{}"
        readable = [s for s in scopes if known or s.split(":")[1].startswith("public/")]
        name = "access_token" if request.command == "POST" else "token"
        return 200, {"Content-Type": "application/json"}, json.dumps({name: self.sign(readable, ["pull"])}).encode()
