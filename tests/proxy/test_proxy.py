# SPDX-License-Identifier: Apache-2.0
"""lichen-proxy with real programs as clients and servers on loopback, which are `private`; and clients that misbehave."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from helper import PROXY, WAIT, Echo, Proxy, Web, read_all  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
pytestmark = pytest.mark.xdist_group("proxy")


def run(*command, **more):
    plain = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(command, capture_output=True, check=False, timeout=WAIT, env={**plain, "HOME": "/nonexistent", **more})
    return done.returncode, done.stdout, done.stderr.decode()


def curl(*args, **more):
    return run("curl", "-q", "-sS", *args, **more)


# --- what works --------------------------------------------------------------------------------------------------------------------


def test_curl_by_connect_http_and_socks():
    with Web() as web, Proxy(private=[f"localhost:{web.port}", f"127.0.0.1:{web.port}"]) as proxy:
        for host in ("localhost", "127.0.0.1"):
            url, wanted = f"http://{host}:{web.port}/a?b", (0, f"{host}:{web.port} /a?b".encode(), "")
            assert curl("-x", proxy.url, url) == wanted
            assert curl("-p", "-x", proxy.url, url) == wanted
            assert curl("--socks5-hostname", proxy.socks, url) == wanted
        assert curl("--socks5", proxy.socks, f"http://127.0.0.1:{web.port}/")[0] == 0
        events = proxy.stop()
        assert [e["via"] for e in events if e["event"] == "allowed"] == ["http", "connect", "socks5"] * 2 + ["socks5"]
        ended = [e for e in events if e["event"] == "ended"]
        assert len(ended) == 7 and all(e["sent"] > 0 and e["received"] > 0 and "reason" not in e for e in ended)
        assert events[0]["address"] == "127.0.0.1" and events[0]["rule"] == f"network.private localhost:{web.port}"


def test_ipv6_and_its_mapped_form():
    with Web(host="::1") as six, Web() as four, Proxy(private=[f"[::1]:{six.port}", f"127.0.0.1:{four.port}"]) as proxy:
        assert curl("-g", "-x", proxy.url, f"http://[::1]:{six.port}/")[1] == f"[::1]:{six.port} /".encode()
        assert curl("-g", "--socks5", proxy.socks, f"http://[::1]:{six.port}/")[0] == 0
        assert curl("-g", "-p", "-x", proxy.url, f"http://[::ffff:127.0.0.1]:{four.port}/")[0] == 0
        assert curl("-g", "-p", "-x", proxy.url, f"http://[::ffff:127.0.0.1]:{six.port}/")[0] == 56
        allowed = [e["target"] for e in proxy.of("allowed")]
        assert allowed == [f"[::1]:{six.port}", f"[::1]:{six.port}", f"127.0.0.1:{four.port}"]


def test_bodies_in_both_directions(tmp_path):
    data = os.urandom(1_000_000)
    (tmp_path / "data").write_bytes(data)
    with Web() as web, Proxy(private=[f"127.0.0.1:{web.port}"]) as proxy:
        url = f"http://127.0.0.1:{web.port}/"
        upload = ("--data-binary", f"@{tmp_path}/data")
        assert curl("-x", proxy.url, *upload, url)[1] == data
        assert curl("-x", proxy.url, "-H", "Transfer-Encoding: chunked", *upload, url)[1] == data
        assert curl("-p", "-x", proxy.url, *upload, url)[1] == data
        assert curl("--socks5", proxy.socks, *upload, url)[1] == data
        assert all(e["received"] > 1_000_000 and e["sent"] > 1_000_000 for e in proxy.of("ended"))


def test_python_wget_and_git_by_their_environment(tmp_path):
    work, home = tmp_path / "work", {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q", work], ["-C", work, "commit", "-q", "--allow-empty", "-m", "one"], ["-C", work, "update-server-info"]):
        assert run(*git, *words, **home)[0] == 0
    with Web(tmp_path / "work") as web, Proxy(private=[f"localhost:{web.port}"]) as proxy:
        variables = {name: proxy.url for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY")} | {"no_proxy": "", **home}
        url = f"http://localhost:{web.port}/.git/HEAD"
        assert run("wget", "-q", "-O", "-", url, **variables) == (0, b"ref: refs/heads/main\n", "")
        script = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode(), end='')"
        assert run("/usr/bin/python3", "-c", script, url, **variables) == (0, b"ref: refs/heads/main\n", "")
        assert run("git", "clone", "-q", url.removesuffix("/HEAD"), tmp_path / "clone", **variables)[0] == 0
        assert run("git", "-C", tmp_path / "clone", "log", "--format=%s", **home)[1] == b"one\n"
        assert all("Proxy-Connection" not in headers for _, headers in web.asked)
        denied = run("/usr/bin/python3", "-c", script, "https://evil.example/", **variables)
        assert denied[0] == 1 and "403 Forbidden by lichen" in denied[2]
        assert proxy.of("denied")[0]["target"] == "evil.example:443"


def test_an_end_of_one_direction_is_passed_on():
    with Echo() as echo, Proxy(private=[f"127.0.0.1:{echo.port}"]) as proxy:
        data = os.urandom(500_000)
        reply = proxy.ask(f"CONNECT 127.0.0.1:{echo.port} HTTP/1.1\r\nHost: 127.0.0.1:{echo.port}\r\n\r\n".encode() + data)
        head, _, body = reply.partition(b"\r\n\r\n")
        assert head == b"HTTP/1.1 200 Connection established" and body == data + b"<end>"
        request = b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", echo.port)
        assert proxy.ask(request + data) == b"\5\0" + b"\5\0\0\1" + bytes(6) + data + b"<end>"
        assert [(e["sent"], e["received"]) for e in proxy.of("ended")] == [(500_000, 500_005)] * 2


# --- what is refused ------------------------------------------------------------------------------------------------------------------


def test_denials_have_an_answer_and_an_event():
    with Web() as web, Proxy(allow=["*.debian.org:443", "0.0.0.0/0:80"], private=[f"localhost:{web.port}"]) as proxy:
        assert curl("-x", proxy.url, "http://evil.example/")[1] == b"lichen: denied evil.example:80: no rule allows it\n"
        assert "403" in curl("-x", proxy.url, "https://debian.org/")[2]
        assert curl("--socks5-hostname", proxy.socks, "http://evil.example/")[0] == 97
        assert curl("-x", proxy.url, "http://127.0.0.1/")[1] == b"lichen: denied 127.0.0.1:80: a loopback address\n"
        assert b"metadata" in curl("-x", proxy.url, "http://169.254.169.254/latest")[1]
        assert "403" in curl("-p", "-x", proxy.url, f"http://127.0.0.1:{web.port}/")[2]
        events = proxy.stop()
        assert {e["event"] for e in events} == {"denied"} and not web.asked
        assert [e["target"] for e in events[:3]] == ["evil.example:80", "debian.org:443", "evil.example:80"]


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1%00.debian.org", "[::1%25lo]", "[::ffff:7f00:1%lo]", "a_b", "LOCALHOST.."],
)
def test_odd_hosts_are_refused_in_every_protocol(host):
    with Echo() as echo, Proxy(allow=["0.0.0.0/0:*"], private=["localhost:*", "127.0.0.1:*"]) as proxy:
        target = f"{host}:{echo.port}"
        assert b" 403 " in proxy.ask(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b" 403 " in proxy.ask(f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        name = host.replace("%00", "\0").encode()
        assert proxy.ask(b"\5\1\0\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", echo.port))[:4] == b"\5\0\5\2"
        events = proxy.stop()
        assert [e["event"] for e in events] == ["malformed"] * 3 and all("raw" in e for e in events) and echo.seen == 0


@pytest.mark.parametrize(
    "request_",
    [
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\n X: y\r\n\r\n",
        "GET {url} HTTP/1.1\r\nX: y\rHost: evil.example\r\nHost: {host}\r\n\r\n",
        "GET {url} HTTP/1.1\nHost: {host}\n\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    ],
)
def test_requests_that_two_would_read_differently_reach_nobody(request_):
    with Web() as web, Proxy(private=[f"localhost:{web.port}"]) as proxy:
        host = f"localhost:{web.port}"
        assert b" 400 " in proxy.ask(request_.format(url=f"http://{host}/", host=host).encode())
        assert [e["event"] for e in proxy.stop()] == ["malformed"] and not web.asked


def test_a_second_request_goes_nowhere():
    with Web() as web, Proxy(private=[f"localhost:{web.port}"]) as proxy:
        host = f"localhost:{web.port}"
        second = f"GET http://{host}/second HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        for first in (
            f"GET http://{host}/first HTTP/1.1\r\nHost: {host}\r\n\r\n",
            f"POST http://{host}/first HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n\r\nabc",
            f"POST http://{host}/first HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ):
            assert proxy.ask(first.encode() + second).count(b"HTTP/1.") == 1
        assert [line.split()[1] for line, _ in web.asked] == ["/first"] * 3
        assert all(headers["Connection"] == "close" for _, headers in web.asked)


def test_socks_without_what_is_spoken_here():
    with Proxy(private=["127.0.0.1:*"]) as proxy:
        assert proxy.ask(b"\5\1\2") == b"\5\xff"
        assert proxy.ask(b"\5\1\0\5\2\0\1\x7f\0\0\1\0\x50")[:4] == b"\5\0\5\7"
        assert proxy.ask(b"\5\1\0\5\3\0\1\x7f\0\0\1\0\x50")[:4] == b"\5\0\5\7"
        assert b" 400 " in proxy.ask(b"\4\1\0\x50\x7f\0\0\1\0\r\n")
        assert b" 400 " in proxy.ask(b"\x16\3\1\2\0\1\r\n\r\n")
        assert {e["event"] for e in proxy.stop()} == {"malformed"}


def test_what_cannot_be_reached_is_told():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Proxy(private=["127.0.0.1:*", "nowhere.invalid:80"]) as proxy:
        assert b" 502 " in proxy.ask(f"GET http://127.0.0.1:{port}/ HTTP/1.0\r\n\r\n".encode())
        assert proxy.ask(b"\5\1\0\5\1\0\1\x7f\0\0\1" + struct.pack(">H", port))[:4] == b"\5\0\5\5"
        assert b" 502 " in proxy.ask(b"GET http://nowhere.invalid/ HTTP/1.0\r\n\r\n")
        assert [e["event"] for e in proxy.stop()] == ["allowed", "failed", "allowed", "failed", "failed"]


# --- limits ---------------------------------------------------------------------------------------------------------------------------


def test_more_connections_wait():
    with Echo() as echo, Proxy(private=[f"127.0.0.1:{echo.port}"], connections=2) as proxy:
        connect = f"CONNECT 127.0.0.1:{echo.port} HTTP/1.0\r\n\r\n".encode()
        clients = [proxy.connect() for _ in range(3)]
        for client in clients:
            client.sendall(connect)
        first = {proxy.next("allowed")["id"], proxy.next("allowed")["id"]}
        assert first == {1, 2} and echo.seen <= 2
        clients[0].close()
        assert proxy.next("allowed")["id"] == 3
        for client in clients:
            client.close()


def test_clients_that_say_nothing_lose_their_place():
    with Echo() as echo, Proxy(private=[f"127.0.0.1:{echo.port}"], head_seconds=1, idle_seconds=1) as proxy:
        with proxy.connect() as silent, proxy.connect() as slow:
            slow.sendall(b"GET http://")
            assert read_all(silent).startswith(b"HTTP/1.1 408 ") and read_all(slow).startswith(b"HTTP/1.1 408 ")
        with proxy.connect() as idle:
            idle.sendall(f"CONNECT 127.0.0.1:{echo.port} HTTP/1.0\r\n\r\n".encode())
            assert read_all(idle).startswith(b"HTTP/1.1 200 ")
        assert proxy.of("ended")[0]["reason"] == "nothing came for too long"


def test_heads_have_a_limit():
    with Proxy() as proxy:
        assert b" 431 " in proxy.ask(b"GET http://a.example/ HTTP/1.1\r\nX: " + b"a" * 40_000)
        assert b" 431 " in proxy.ask(b"GET http://a.example/ HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n")


# --- how it starts and ends -----------------------------------------------------------------------------------------------------------


def start(config, *fds):
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [PROXY, f"--control={theirs.fileno()}"], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    with ours:
        ours.sendall(config)
        if fds:
            socket.send_fds(ours, [b"l"], fds)
        ours.shutdown(socket.SHUT_WR)
        out, err = process.communicate(timeout=WAIT)
    return process.returncode, out, err


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{}",
        b"x\n",
        b"[]\n",
        b'{"allow": "a:1"}\n',
        b'{"allow": [1]}\n',
        b'{"allow": ["127.0.0.1:80"]}\n',
        b'{"allow": ["*:80"]}\n',
        b'{"deny": []}\n',
        b'{"allow": [], "allow": []}\n',
        b'{"limits": {"connections": 0}}\n',
        b'{"limits": {"more": 1}}\n',
    ],
)
def test_a_configuration_that_is_wrong_ends_it(config):
    status, out, err = start(config)
    assert (status, out) == (78, "") and err.startswith("lichen-proxy: ")


def test_connections_come_through_a_door():
    with Web() as web, Proxy(private=[f"127.0.0.1:{web.port}"], door=True, connections=2) as proxy:
        asked = f"GET http://127.0.0.1:{web.port}/x HTTP/1.0\r\n\r\n".encode()
        proxy.door.send(b"c")  # without a descriptor
        waiting = [proxy.connect() for _ in range(5)]  # more than there are places
        for client in waiting:
            with client:
                client.sendall(asked)
                assert read_all(client).endswith(f"127.0.0.1:{web.port} /x".encode())
        last = proxy.connect()
        proxy.door.close()  # nobody comes any more; who is there stays
        with last:
            last.sendall(asked)
            assert read_all(last).endswith(f"127.0.0.1:{web.port} /x".encode())
        assert len(proxy.of("allowed")) == 6


def test_without_a_listener_it_ends():
    ready = '{"event":"ready","schema":"lichen-proxy/1"}\n'
    assert start(b"{}\n")[:2] == (76, ready)
    with socket.socket() as deaf:
        assert start(b"{}\n", deaf.fileno())[0] in (76, 78)  # the descriptor may come with the configuration, which takes none


def test_wrong_words():
    for words in ([], ["--control=99"], ["--control=x"], ["--control=0", "more"], ["--what"]):
        assert run(PROXY, *words)[0] == 64
    assert run(PROXY, "--version")[1].startswith(b"lichen-proxy ")
    assert run(PROXY, "--help")[0] == 0


def test_without_a_reader_it_ends():
    with Proxy() as proxy:
        proxy.process.stdout.close()
        assert proxy.process.wait(timeout=WAIT) == 74


# --- names that lead elsewhere --------------------------------------------------------------------------------------------------------


def test_names_that_resolve_to_private_addresses():
    """In a network namespace in which a public address is ours, with a name server of our own."""
    command = ["unshare", "--net", "--mount", "/usr/bin/python3", "-B", HERE / "rebinding.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * WAIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == "passed"
