# SPDX-License-Identifier: Apache-2.0
"""`lichen-fetch call`: what it refuses to ask, and what it hands on, against servers on loopback and lichen-echo-model."""
import contextlib
import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import servers  # noqa: E402

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LICHEN") or REPO / "build/lichen").parent
USAGE, NETWORK, PROTOCOL, DENIED = 64, 69, 76, 77
pytestmark = pytest.mark.xdist_group("fetch")


class Reply:
    """What came: .status of the program, .events, .body, .error (kind)."""

    def __init__(self, done):
        self.exit, self.events, self.body, self.stderr = done.returncode, [], b"", done.stderr.decode()
        rest = done.stdout
        while rest:
            line, rest = rest.split(b"\n", 1)
            event = json.loads(line)
            self.events.append(event["event"])
            if event["event"] == "data":
                self.body, rest = self.body + rest[:event["size"]], rest[event["size"]:]
            elif event["event"] == "answer":
                self.status, self.headers = event["status"], [tuple(field) for field in event["headers"]]
            elif event["event"] == "error":
                self.error, self.message, self.sent = event["kind"], event["message"], event["sent"]


def call(request, **environment):
    done = subprocess.run([BUILD / "lichen-fetch", "call"], input=json.dumps(request).encode(), capture_output=True, timeout=60,
                          check=False, env={**os.environ, **environment})
    reply = Reply(done)
    assert reply.events[-1] == ("end" if done.returncode == 0 else "error"), done
    return reply


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, self.headers.items(), self.rfile.read(length)))
        self.server.answers(self)

    do_GET = do_POST = do_PUT = do_DELETE = answer


@contextlib.contextmanager
def server(answers, tls=None):
    """A server on loopback; answers(handler) answers. Gives its HOST:PORT and what it has seen."""
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    httpd.answers, httpd.seen, httpd.daemon_threads = answers, [], True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"127.0.0.1:{httpd.server_port}", httpd.seen
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def plain(handler, status=200, body=b"here", **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def fields(seen, name):
    return [value for key, value in seen[2] if key.lower() == name.lower()]


@pytest.mark.parametrize("method,body", [("GET", None), ("POST", "a=ä"), ("POST", None), ("PUT", "x" * 100000), ("DELETE", None), ("DELETE", "{}")])
def test_methods_fields_and_bodies_arrive_as_they_were_given(method, body):
    with server(lambda h: plain(h, 201)) as (at, seen):
        request = {"method": method, "url": f"http://{at}/p?q=1#f", "private": [at], "headers": {"X-One": "1", "X-None": "", "Content-Type": "t/p"}}
        reply = call({**request, **({"body": body} if body is not None else {})})
        assert (reply.exit, reply.status, reply.body) == (0, 201, b"here")
        assert seen[0][:2] == (method, "/p?q=1") and seen[0][3] == (body or "").encode()
        assert (fields(seen[0], "X-One"), fields(seen[0], "X-None"), fields(seen[0], "Content-Type")) == (["1"], [""], ["t/p"])
        assert fields(seen[0], "User-Agent")[0].startswith("lichen/") and not fields(seen[0], "Expect")


def test_only_hosts_that_are_allowed_are_asked():
    with server(plain) as (at, seen):
        port = at.split(":")[1]
        for url, rules in [
                (f"http://{at}/", {}),
                (f"http://{at}/", {"allow": ["example.com:*"]}),
                (f"http://{at}/", {"private": ["127.0.0.1:1"]}),
                (f"http://localhost:{port}/", {"allow": ["localhost:*"]}),  # resolves to loopback: not for `allow`
                (f"http://[::ffff:127.0.0.1]:{port}/", {"allow": ["*.example.com:*"]}),
                (f"http://0.0.0.0:{port}/", {"private": ["0.0.0.0/0:*"]}),
        ]:
            reply = call({"method": "GET", "url": url, **rules})
            assert (reply.exit, reply.error, reply.sent) == (DENIED, "denied", False), url
        assert not seen
        for url in f"http://{at}/", f"http://0x7f000001:{port}/", f"http://2130706433:{port}/":
            assert call({"method": "GET", "url": url, "private": [at]}).exit == 0  # one address, however it is written
        assert len(seen) == 3


@pytest.mark.parametrize("url", ["ftp://a/", "file:///etc/passwd", "http://u:p@a/", "http://a b/", "http://[fe80::1%25lo]/", "gopher://a/", "", "a"])
def test_urls_that_are_none_are_refused(url):
    reply = call({"method": "GET", "url": url, "allow": ["a:*"], "private": ["[fe80::1]:*"]})
    assert (reply.exit, reply.error, reply.sent) == (USAGE, "usage", False)


@pytest.mark.parametrize("wrong", [
    {"method": "TRACE"}, {"headers": {"Host": "b"}}, {"headers": {"X": "a\r\nY: b"}}, {"headers": {"a b": "c"}}, {"body": 1}, {"follow": True},
    {"timeout_ms": 0}, {"max_body": -1}, {"redirects": 99}, {"allow": ["a"]}, {"allow": ["127.0.0.1:80"]}, {"unix": "relative"},
    {"secrets": {"Authorization": {"env": "LICHEN_TEST_NOT_SET"}}}, {"headers": {"Transfer-Encoding": "chunked"}}])
def test_requests_that_are_wrong_are_refused(wrong):
    reply = call({"method": "GET", "url": "http://127.0.0.1:9/", **wrong})
    assert (reply.exit, reply.error, reply.sent) == (USAGE, "usage", False), reply.message


def test_proxies_and_passwords_of_the_environment_do_not_count(tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with server(plain) as (at, seen):
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at]}, http_proxy="http://127.0.0.1:9", ALL_PROXY="http://127.0.0.1:9", HOME=str(tmp_path))
        assert reply.exit == 0 and not fields(seen[0], "Authorization")


def test_a_secret_stays_with_the_first_origin():
    secret = {"secrets": {"Authorization": {"env": "LICHEN_TEST_SECRET", "prefix": "Bearer "}}}
    with server(plain) as (other, others), server(lambda h: plain(h, 302, Location=f"http://{other}/there")) as (at, seen):
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at, other], "redirects": 1, "headers": {"X-One": "1"}, **secret}, LICHEN_TEST_SECRET="geheim")
        assert (reply.exit, reply.body) == (0, b"here")
        assert fields(seen[0], "Authorization") == ["Bearer geheim"] and fields(others[0], "X-One") == ["1"] and not fields(others[0], "Authorization")
        headers = {"authorization": "Basic Z2VoZWlt", "COOKIE": "a=b", "X-One": "1"}
        assert call({"method": "GET", "url": f"http://{at}/", "private": [at, other], "redirects": 1, "headers": headers}).body == b"here"
        assert fields(seen[1], "Cookie") == ["a=b"] and fields(seen[1], "Authorization") and fields(others[1], "X-One") == ["1"]
        assert not fields(others[1], "Cookie") and not fields(others[1], "Authorization")
    reply = call({"method": "GET", "url": "http://example.com/", "allow": ["example.com:*"], **secret}, LICHEN_TEST_SECRET="geheim")
    assert (reply.exit, reply.error) == (DENIED, "denied") and "TLS" in reply.message and "geheim" not in reply.stderr + reply.message


def test_certificates_are_verified_and_tls_is_not_left(tmp_path):
    (tmp_path / "other").mkdir()
    tls, other = servers.certificate(tmp_path), servers.certificate(tmp_path / "other", "elsewhere")
    with server(lambda h: plain(h, 302, Location=f"http://{at}/") if h.path == "/down" else plain(h), tls) as (at, seen):
        request = {"method": "GET", "url": f"https://{at}/", "private": [at]}
        for trusted in {}, {"ca": str(other[0])}:
            reply = call({**request, **trusted})
            assert (reply.exit, reply.error, reply.sent) == (PROTOCOL, "protocol", False) and "certificate" in reply.message
        assert not seen and call({**request, "ca": "/nonexistent"}).error == "usage"
        secret = {"ca": str(tls[0]), "secrets": {"Authorization": {"env": "LICHEN_TEST_SECRET"}}}
        assert call({**request, **secret}, LICHEN_TEST_SECRET="geheim").body == b"here" and fields(seen[0], "Authorization") == ["geheim"]
        reply = call({**request, "url": f"https://{at}/down", "ca": str(tls[0]), "redirects": 1})
        assert (reply.exit, reply.error) == (DENIED, "denied") and "from https to http" in reply.message


def test_redirects_are_judged_and_counted():
    def answers(handler):
        n = int(handler.path[1:])
        plain(handler, 302, Location=f"/{n - 1}" if n > 0 else "http://127.0.0.1:9/") if n else plain(handler)

    with server(answers) as (at, seen):
        request = {"method": "GET", "url": f"http://{at}/2", "private": [at]}
        assert call({**request, "redirects": 2}).body == b"here" and len(seen) == 3
        assert call({**request, "redirects": 1}).status == 302
        assert call(request).status == 302
        assert call({**request, "method": "POST", "redirects": 5}).status == 302
    for location in "http://127.0.0.1:9/", "file:///etc/passwd", "http://u:p@127.0.0.1/":
        with server(lambda h, to=location: plain(h, 307, Location=to)) as (at, _):
            reply = call({"method": "GET", "url": f"http://{at}/", "private": [at], "redirects": 5})
            assert reply.exit in (DENIED, PROTOCOL, USAGE) and reply.error in ("denied", "protocol", "usage") and reply.sent


def test_long_and_late_answers_are_ended():
    never = threading.Event()

    def waits(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"begin")
        handler.wfile.flush()
        never.wait(60)

    with server(lambda h: plain(h, body=b"x" * 1001)) as (at, _):
        assert call({"method": "GET", "url": f"http://{at}/", "private": [at], "max_body": 1001}).exit == 0
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at], "max_body": 1000})
        assert (reply.exit, reply.error, reply.sent) == (PROTOCOL, "protocol", True)
    with server(lambda h: plain(h, **{f"X-{i}": "y" * 900 for i in range(99)})) as (at, _):
        assert call({"method": "GET", "url": f"http://{at}/", "private": [at]}).error == "protocol"
    with server(waits) as (at, _):
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at], "timeout_ms": 1500})
        assert (reply.exit, reply.error, reply.sent) == (NETWORK, "timeout", True)
        never.set()


def test_nobody_there_is_told_from_broken_off():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, and nobody listens
        at = f"127.0.0.1:{free.getsockname()[1]}"
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at]})
        assert (reply.exit, reply.error, reply.sent) == (NETWORK, "network", False)
    with server(lambda h: h.connection.shutdown(socket.SHUT_RDWR)) as (at, _):
        reply = call({"method": "GET", "url": f"http://{at}/", "private": [at]})
        assert (reply.exit, reply.error, reply.sent) == (NETWORK, "network", True)


@contextlib.contextmanager
def echo(tmp_path, *options):
    path = tmp_path / "echo.sock"
    with subprocess.Popen([BUILD / "lichen-echo-model", f"--socket={path}", *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == f"listening on {path}\n"
            yield str(path)
        finally:
            process.kill()
            path.unlink()


def test_a_unix_socket_is_dialled_and_nothing_else(tmp_path):
    asked = {"model": "lichen-echo", "max_tokens": 3, "messages": [{"role": "user", "content": "one two three"}]}
    with echo(tmp_path) as path:
        request = {"method": "POST", "url": "http://localhost/v1/chat/completions", "unix": path}
        answer = json.loads(call({**request, "body": json.dumps(asked)}).body)
        assert answer["choices"][0]["message"]["content"] == "echo: one two" and answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
        stream = call({**request, "body": json.dumps({**asked, "stream": True, "stream_options": {"include_usage": True}})})
        assert stream.events.count("data") >= 1 and stream.body.endswith(b"data: [DONE]\n\n")
        assert call({**request, "body": "no JSON"}).status == 400
    assert call(request).error == "network"


def test_a_stream_is_handed_on_while_it_comes(tmp_path):
    asked = {"model": "m", "max_tokens": 3, "stream": True, "messages": [{"role": "user", "content": "again"}]}
    with echo(tmp_path, "--forever") as path:
        request = {"method": "POST", "url": "http://localhost/v1/chat/completions", "unix": path, "body": json.dumps(asked)}
        with subprocess.Popen([BUILD / "lichen-fetch", "call"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(json.dumps(request).encode())
            process.stdin.close()
            assert process.stdout.read(20000).count(b"again") > 10
            process.kill()
