# SPDX-License-Identifier: Apache-2.0
"""lichen-fetch against Debian's docker-registry on loopback, and against servers that misbehave.

Over 600 lines, because each test is a few, and all share one program and one registry.
"""
import base64
import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import servers  # noqa: E402
from servers import Image, Server  # noqa: E402

REPO = pathlib.Path(__file__).resolve().parents[2]
FETCH = pathlib.Path(os.environ.get("LICHEN") or REPO / "build/lichen").parent / "lichen-fetch"
MB = 1_000_000
pytestmark = pytest.mark.xdist_group("fetch")

USAGE, MISMATCH, NOT_FOUND, NETWORK, DISK_FULL, IO, BUSY, PROTOCOL, UNAUTHORIZED = 64, 65, 66, 69, 73, 74, 75, 76, 77


class Done:
    """How lichen-fetch ended: .status, .events, .error (its line on stderr)."""

    def __init__(self, done):
        self.status, self.error = done.returncode, done.stderr.removeprefix("lichen-fetch: ").rstrip("\n")
        self.events = [json.loads(line) for line in done.stdout.splitlines()]
        self.stdout = done.stdout

    def of(self, event):
        return [e for e in self.events if e["event"] == event]


def environment(home, **more):
    """What the user's own configuration says must not count."""
    plain = {k: v for k, v in os.environ.items() if k not in ("DOCKER_CONFIG", "LICHEN_MIRRORS", "XDG_CONFIG_HOME")}
    return {**plain, "HOME": str(home), **more}


def fetch(reference, out, *options, home="/nonexistent", **more):
    limits = more.pop("limits", None)
    command = [FETCH, *options, reference, out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment(home, **more), preexec_fn=limits)
    return Done(done)


def blobs_of(out):
    return {f"sha256:{path.name}" for path in (pathlib.Path(out) / "blobs/sha256").iterdir()}


def assert_layout(out, image):
    """The directory is a layout of exactly this image, byte for byte."""
    index = json.loads((pathlib.Path(out) / "index.json").read_text())
    assert [m["digest"] for m in index["manifests"]] == [image.digest]
    assert json.loads((pathlib.Path(out) / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert not (pathlib.Path(out) / "partial").exists()
    wanted = {**image.blobs, image.digest: image.manifest}
    assert blobs_of(out) == set(wanted)
    for digest, data in wanted.items():
        assert (pathlib.Path(out) / "blobs/sha256" / digest[7:]).read_bytes() == data


def assert_failed(done, status, *words):
    assert done.status == status, (done.status, done.error, done.stdout)
    assert "\n" not in done.error, done.error
    for word in words:
        assert word in done.error, done.error
    (event,) = done.of("error")
    assert event["status"] == status and event["message"] == done.error
    assert done.events[-1] is event


@pytest.fixture(scope="module")
def shared():
    """One open registry for all tests that do not care which: .port, .image (3 layers), .big."""
    with tempfile.TemporaryDirectory(prefix="lichen-registry-") as folder, servers.registry(folder) as port:

        class Shared:
            image = Image((100_000, 50_000, 200_000))
            big = Image((4 * MB, 3 * MB))

        Shared.port, Shared.name = port, f"127.0.0.1:{port}/team/app"
        servers.push(port, "team/app", "1", Shared.image)
        servers.push(port, "team/app", "big", Shared.big)
        servers.push(port, "library/hello", "latest", Shared.image)
        yield Shared


# --- what works --------------------------------------------------------------------------------------------------------------------


def test_image_by_tag_is_a_layout_that_skopeo_reads(shared, tmp_path):
    done = fetch(f"{shared.name}:1", tmp_path / "out")
    assert (done.status, done.error) == (0, "")
    assert_layout(tmp_path / "out", shared.image)
    assert done.of("manifest")[0]["digest"] == shared.image.digest == done.of("done")[0]["digest"]
    assert {e["digest"] for e in done.of("blob")} == set(shared.image.blobs)
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", f"oci:{tmp_path}/out:1", f"dir:{tmp_path}/copy"], check=True, timeout=60)


def test_image_by_digest_and_again_without_its_blobs(shared, tmp_path):
    reference = f"{shared.name}@{shared.image.digest}"
    with Server(upstream=shared.port) as proxy:
        there = reference.replace(str(shared.port), str(proxy.port))
        assert fetch(there, tmp_path / "out").status == 0
        assert_layout(tmp_path / "out", shared.image)
        before = len(proxy.paths("/blobs/"))
        assert before == 4
        assert fetch(there, tmp_path / "out").status == 0
        assert len(proxy.paths("/blobs/")) == before
        assert_layout(tmp_path / "out", shared.image)


def test_a_blob_that_was_damaged_on_disk_is_fetched_again(shared, tmp_path):
    assert fetch(f"{shared.name}:1", tmp_path / "out").status == 0
    victim = tmp_path / "out/blobs/sha256" / shared.image.layers[0]["digest"][7:]
    victim.write_bytes(b"x" * victim.stat().st_size)
    assert fetch(f"{shared.name}:1", tmp_path / "out").status == 0
    assert_layout(tmp_path / "out", shared.image)


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_index_gives_the_image_for_the_platform(shared, tmp_path, docker):
    amd, arm = Image(docker=docker), Image(architecture="arm64", docker=docker)
    kind = servers.DOCKER_LIST if docker else servers.OCI_INDEX
    rows = [
        {**arm.descriptor(os="linux", architecture="arm64", variant="v8")},
        {**amd.descriptor(os="linux", architecture="amd64")},
        {**arm.descriptor(os="unknown", architecture="unknown")},
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": rows}).encode()
    for image in (amd, arm):
        servers.push(shared.port, "team/many", None, image)
    servers.push_manifest(shared.port, "team/many", f"t{docker}", index, kind)
    name = f"127.0.0.1:{shared.port}/team/many:t{docker}"
    done = fetch(name, tmp_path / "amd")
    assert done.status == 0 and done.of("done")[0]["index"] == servers.digest_of(index)
    assert_layout(tmp_path / "amd", amd)
    assert fetch(name, tmp_path / "arm", "--platform=linux/arm64").status == 0
    assert_layout(tmp_path / "arm", arm)
    assert_failed(fetch(name, tmp_path / "s390x", "--platform=linux/s390x"), NOT_FOUND, "is not there for linux/s390x")
    assert_failed(fetch(f"{name.partition(':t')[0]}@{arm.digest}", tmp_path / "x"), NOT_FOUND, "is for linux/arm64, not for linux/amd64")


def test_layers_come_four_at_a_time_and_each_once(shared, tmp_path):
    image = Image((20_000,) * 9)
    image.set_manifest({**image.document, "layers": [*image.layers, image.layers[0]]})
    servers.push(shared.port, "team/nine", "1", image)

    def slowly(request):
        if "/blobs/" in request.path:
            time.sleep(0.1)

    with Server(slowly, shared.port) as proxy:
        assert fetch(f"127.0.0.1:{proxy.port}/team/nine:1", tmp_path / "out").status == 0
        assert proxy.most == 4
        assert len(proxy.paths("/blobs/")) == 10
    assert_layout(tmp_path / "out", image)


def test_blobs_of_another_directory_are_linked(shared, tmp_path):
    assert fetch(f"{shared.name}:1", tmp_path / "store").status == 0
    known = tmp_path / "store/blobs/sha256"
    (known / shared.image.layers[2]["digest"][7:]).write_bytes(b"damaged: must not be used")
    with Server(upstream=shared.port) as proxy:
        assert fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / "out", f"--reuse={known}").status == 0
        assert [p.rpartition("/")[2] for p in proxy.paths("/blobs/")] == [shared.image.layers[2]["digest"]]
    assert_layout(tmp_path / "out", shared.image)
    same = shared.image.layers[0]["digest"][7:]
    assert os.path.samefile(known / same, tmp_path / "out/blobs/sha256" / same)


# --- logins --------------------------------------------------------------------------------------------------------------------------


def docker_config(home, **config):
    (home / ".docker").mkdir(parents=True, exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps(config))
    return home


def auth_of(user, password):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_basic_login(tmp_path):
    made = subprocess.run(["htpasswd", "-Bbn", "-C", "4", "me", "pass:word"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "htpasswd").write_text(made.strip() + "\n")
    image, shown = Image(), {"Authorization": "Basic " + auth_of("me", "pass:word")["auth"]}
    with servers.registry(tmp_path, f"auth: {{htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}}}\n") as port:
        servers.push(port, "private/app", "1", image, shown)
        name, key = f"127.0.0.1:{port}/private/app:1", f"127.0.0.1:{port}"
        assert_failed(fetch(name, tmp_path / "a", home=tmp_path), UNAUTHORIZED, "wants a login", str(tmp_path / ".docker/config.json"))
        home = docker_config(tmp_path, auths={key: auth_of("me", "wrong")})
        assert_failed(fetch(name, tmp_path / "a", home=home), UNAUTHORIZED)
        docker_config(home, auths={"other.example": auth_of("me", "pass:word")}, credHelpers={key: "pass"})
        assert_failed(fetch(name, tmp_path / "a", home=home), UNAUTHORIZED, "docker-credential-pass", "runs no credential helper")
        docker_config(home, auths={f"http://{key}/v2/": auth_of("me", "pass:word")})
        assert fetch(name, tmp_path / "a", home=home).status == 0
        assert_layout(tmp_path / "a", image)
        assert fetch(name, tmp_path / "b", DOCKER_CONFIG=str(home / ".docker")).status == 0
        docker_config(home, auths={key: {"username": "me", "password": "pass:word"}})
        assert fetch(name, tmp_path / "c", home=home).status == 0


def test_bearer_tokens(tmp_path, shared):
    public, private = Image(seed=1), Image(seed=2)
    with servers.TokenServer(tmp_path, {"me": "secret"}) as tokens:
        # Filled while it is open.
        with servers.registry(tmp_path) as port:
            servers.push(port, "public/app", "1", public)
            servers.push(port, "private/app", "1", private)
        with servers.registry(tmp_path, tokens.config()) as port:
            name = f"127.0.0.1:{port}"
            assert fetch(f"{name}/public/app:1", tmp_path / "public").status == 0
            assert_layout(tmp_path / "public", public)
            assert len(tokens.seen) == 1 and "Authorization" not in tokens.seen[0][2]
            assert "scope=repository%3Apublic%2Fapp%3Apull" in tokens.seen[0][1]
            assert_failed(fetch(f"{name}/private/app:1", tmp_path / "p"), UNAUTHORIZED)
            home = docker_config(tmp_path, auths={name: auth_of("me", "wrong")})
            assert_failed(fetch(f"{name}/private/app:1", tmp_path / "p", home=home), UNAUTHORIZED, "token server answers 401")
            docker_config(tmp_path, auths={name: auth_of("me", "secret")})
            assert fetch(f"{name}/private/app:1", tmp_path / "p", home=home).status == 0
            assert_layout(tmp_path / "p", private)
            docker_config(tmp_path, auths={name: {**auth_of("<token>", "x"), "identitytoken": "refresh-me"}})
            assert fetch(f"{name}/private/app:1", tmp_path / "q", home=home).status == 0
            assert tokens.seen[-1][0] == "POST"
            docker_config(tmp_path, auths={name: {"registrytoken": tokens.sign(["repository:private/app:pull"], ["pull"])}})
            count = len(tokens.seen)
            assert fetch(f"{name}/private/app:1", tmp_path / "r", home=home).status == 0
            assert len(tokens.seen) == count


def test_a_token_that_ran_out_is_renewed(shared, tmp_path):
    given = []

    def answer(request):
        if request.path.startswith("/token"):
            given.append(f"token{len(given)}")
            return 200, {}, json.dumps({"access_token": given[-1]}).encode()
        wanted = "token0" if "/manifests/" in request.path else "token1"
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            realm = f'Negotiate, Bearer service="s", realm="http://127.0.0.1:{proxy.port}/token"'
            return 401, {"WWW-Authenticate": ["Basic realm=x", realm]}, b"x" * 5000
        return None

    with Server(answer, shared.port) as proxy:
        done = fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / "out")
        assert done.status == 0 and len(given) == 2, done.error
    assert_layout(tmp_path / "out", shared.image)


@pytest.mark.parametrize(
    "realm,status",
    [
        ("http://example.com/token", PROTOCOL),
        ("file:///etc/passwd", PROTOCOL),
        ("https://user@127.0.0.1/", PROTOCOL),
        ("http://127.0.0.1:1/", NETWORK),
    ],
)
def test_token_servers_that_are_not_asked(tmp_path, realm, status):
    with Server(lambda request: (401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}, b"")) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b", tmp_path / "out"), status)


@pytest.mark.parametrize("field", ["", "Digest realm=x", 'Bearer realm="', "Bearer", "\x01", 'Bearer realm="a\\'])
def test_challenges_without_a_way_to_log_in(tmp_path, field):
    with Server(lambda request: (401, {"WWW-Authenticate": field} if field else {}, b"")) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b", tmp_path / "out"), PROTOCOL, "names no way to log in")


@pytest.mark.parametrize("text", ["{", '{"auths":{"127.0.0.1:1":{"auth":"!"}}}', '{"auths":{"127.0.0.1:1":{"auth":7}}}', '{"auths":{"127.0.0.1:1":{"auth":"YWJj"}}}'])
def test_a_malformed_config_json_is_told(tmp_path, text):
    (tmp_path / "config.json").write_text(text.replace("127.0.0.1:1", "127.0.0.1:%d"))
    with Server(lambda request: (401, {"WWW-Authenticate": "Basic realm=x"}, b"")) as server:
        (tmp_path / "config.json").write_text(text.replace("127.0.0.1:1", f"127.0.0.1:{server.port}"))
        done = fetch(f"127.0.0.1:{server.port}/a/b", tmp_path / "out", DOCKER_CONFIG=str(tmp_path))
        assert_failed(done, USAGE, str(tmp_path / "config.json"))


# --- redirects, TLS, plain HTTP --------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_and_logins_stay_with_their_server(shared, tmp_path):
    shown = {"auths": {}}
    with Server(upstream=shared.port) as storage:

        def answer(request):
            if "Authorization" not in request.headers:
                return 401, {"WWW-Authenticate": "Basic realm=x"}, b""
            if "/blobs/" in request.path:
                return 307, {"Location": f"http://127.0.0.1:{storage.port}{request.path}"}, b"moved"
            return None

        with Server(answer, shared.port) as front:
            shown["auths"][f"127.0.0.1:{front.port}"] = auth_of("me", "secret")
            done = fetch(f"127.0.0.1:{front.port}/team/app:1", tmp_path / "out", home=docker_config(tmp_path, **shown))
        assert done.status == 0, done.error
        assert len(storage.seen) == 4 and not any("Authorization" in headers for _, _, headers in storage.seen)
    assert_layout(tmp_path / "out", shared.image)


@pytest.mark.parametrize("to", ["http://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "/loop"])
def test_redirects_that_are_not_followed(tmp_path, to):
    with Server(lambda request: (302, {"Location": to}, b"")) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b", tmp_path / "out"), PROTOCOL, "redirects")


def test_certificates_are_verified(shared, tmp_path):
    tls = servers.certificate(tmp_path)
    other = servers.certificate(tmp_path, "other")
    with Server(upstream=shared.port, tls=tls) as server:
        name = f"127.0.0.1:{server.port}/team/app:1"
        assert_failed(fetch(name, tmp_path / "out"), PROTOCOL, "certificate", "not trusted")
        assert_failed(fetch(name, tmp_path / "out", f"--ca={other[0]}"), PROTOCOL, "certificate")
        assert_failed(fetch(name, tmp_path / "out", "--ca=/nonexistent"), USAGE, "certificates")
        assert not server.seen
        assert fetch(name, tmp_path / "out", f"--ca={tls[0]}").status == 0
    assert_layout(tmp_path / "out", shared.image)
    with Server(upstream=shared.port, tls=other) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/team/app:1", tmp_path / "x", f"--ca={other[0]}"), PROTOCOL, "not trusted")


def test_plain_http_only_to_loopback_or_when_asked(shared, tmp_path):
    # 0.0.0.0 leads to this machine, too, but is no loopback address.
    name = f"0.0.0.0:{shared.port}/team/app:1"
    with Server(upstream=shared.port) as server:
        assert_failed(fetch(f"0.0.0.0:{server.port}/team/app:1", tmp_path / "out", "--retries=0"), NETWORK)
        assert not [path for path in server.paths() if "/v2/" in path]
    assert fetch(name, tmp_path / "out", "--plain-http").status == 0
    assert_layout(tmp_path / "out", shared.image)


# --- mirrors -------------------------------------------------------------------------------------------------------------------------


def test_mirrors_come_first_and_may_fail_in_any_way(shared, tmp_path):
    wrong = Image(seed="wrong")

    def lying(request):
        if "/blobs/" in request.path:
            return 200, {}, wrong.blobs[wrong.layers[0]["digest"]][:100_000]
        return shared.image and (200, {"Content-Type": shared.image.media_type}, shared.image.manifest)

    with Server(upstream=shared.port) as good, Server(lambda request: (404, {}, b"")) as lacking, Server(lying) as bad:

        def get(out, *urls):
            return fetch("hello", tmp_path / out, "--retries=0", LICHEN_MIRRORS=f"ghcr.io https://x;docker.io {' '.join(urls)} # comment")

        own = f"http://127.0.0.1:{good.port}"
        assert get("a", own).status == 0
        assert_layout(tmp_path / "a", shared.image)
        assert good.paths()[0] == "/v2/library/hello/manifests/latest"
        done = get("b", "http://127.0.0.1:1", f"http://127.0.0.1:{lacking.port}/hub/", f"http://127.0.0.1:{bad.port}", own)
        assert done.status == 0, done.error
        assert_layout(tmp_path / "b", shared.image)
        assert lacking.paths()[0] == "/v2/hub/library/hello/manifests/latest"
        assert any("another digest" in e["reason"] or "longer than" in e["reason"] for e in done.of("mirror"))
        (tmp_path / "home/.config/lichen").mkdir(parents=True)
        (tmp_path / "home/.config/lichen/mirrors").write_text(f"# mine\n\ndocker.io\t{own}\n")
        assert fetch("docker.io/library/hello:latest", tmp_path / "c", home=tmp_path / "home").status == 0
        (tmp_path / "home/.config/lichen/mirrors").write_text("docker.io\n")
        assert_failed(fetch("hello", tmp_path / "d", home=tmp_path / "home"), USAGE, ".config/lichen/mirrors", "has no URL")


@pytest.mark.parametrize("url", ["127.0.0.1", "ftp://127.0.0.1", "http://", "https://a@b", "http://example.com", "https://x/a?b", "https://x/../y"])
def test_malformed_mirrors_are_told(tmp_path, url):
    assert_failed(fetch("hello", tmp_path / "out", LICHEN_MIRRORS=f"docker.io {url}"), USAGE, "$LICHEN_MIRRORS", "mirror", url)


# --- what breaks on the way ------------------------------------------------------------------------------------------------------------


def cutter(image, size, times=1000):
    """Gives blobs of `image` in pieces: every answer breaks off after `size` bytes."""
    left = [times]

    def answer(request):
        digest = request.path.rpartition("/")[2]
        if digest not in image.blobs or left[0] == 0:
            return None
        left[0] -= 1
        data, start = image.blobs[digest], 0
        found = re.match(r"bytes=(\d+)-$", request.headers.get("Range", ""))
        fields = {"Content-Length": str(len(data))}
        if found:
            start = int(found[1])
            fields = {"Content-Length": str(len(data) - start), "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return 206 if found else 200, fields, lambda request: request.wfile.write(data[start : start + size])

    return answer


def test_a_transfer_that_breaks_off_goes_on_where_it_was(shared, tmp_path):
    image = Image((250_000,))
    servers.push(shared.port, "team/cut", "1", image)
    with Server(cutter(image, 120_000), shared.port) as proxy:
        done = fetch(f"127.0.0.1:{proxy.port}/team/cut:1", tmp_path / "out")
        assert done.status == 0, done.error
        ranges = [headers.get("Range") for _, path, headers in proxy.seen if image.layers[0]["digest"] in path]
        assert ranges == [None, "bytes=120000-", "bytes=240000-"]
        assert len(done.of("retry")) == 2
    assert_layout(tmp_path / "out", image)


def test_a_connection_that_brings_nothing_is_given_up(shared, tmp_path):
    stalls = [True]

    def answer(request):
        if "/blobs/" in request.path and stalls:
            stalls.pop()
            return 200, {"Content-Length": "1000"}, lambda request: time.sleep(5)
        return None

    with Server(answer, shared.port) as proxy:
        done = fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / "out", "--timeout=1")
        assert done.status == 0 and done.of("retry"), done.error
    assert_layout(tmp_path / "out", shared.image)


def test_servers_that_are_busy_are_asked_again(shared, tmp_path):
    answers = [(503, {"Retry-After": "1"}, b""), (429, {}, b"")]
    with Server(lambda request: answers.pop(0) if answers else None, shared.port) as proxy:
        began = time.monotonic()
        done = fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / "out")
        assert done.status == 0, done.error
        assert [e["delay_ms"] >= 1000 for e in done.of("retry")] == [True, True] and time.monotonic() - began > 2
    with Server(lambda request: (502, {}, b'{"errors":[{"message":"bad \xc2\x9b gateway"}]}')) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b", tmp_path / "x", "--retries=1"), NETWORK, "answers 502", "(bad ?? gateway)")
    assert_failed(fetch("127.0.0.1:1/a/b", tmp_path / "x", "--retries=0"), NETWORK, "cannot reach 127.0.0.1:1")


def test_killed_and_resumed(shared, tmp_path):
    """SIGKILL in the middle: no byte that came is asked for again, and the result is whole."""
    slow = [True]

    def answer(request):
        digest = request.path.rpartition("/")[2]
        if digest not in (row["digest"] for row in shared.big.layers) or not slow:
            return None
        data = shared.big.blobs[digest]

        def drip(request):
            for at in range(0, len(data), 100_000):
                request.wfile.write(data[at : at + 100_000])
                time.sleep(0.1)

        return 200, {"Content-Length": str(len(data))}, drip

    with Server(answer, shared.port) as proxy:
        command = [FETCH, f"127.0.0.1:{proxy.port}/team/app:big", tmp_path / "out"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment("/nonexistent")) as process:
            parts = [tmp_path / "out/partial" / row["digest"][7:] for row in shared.big.layers]
            while not all(part.exists() and part.stat().st_size > 300_000 for part in parts):
                time.sleep(0.02)
            assert_failed(fetch(f"{shared.name}:big", tmp_path / "out"), BUSY, "another lichen-fetch is filling")
            process.send_signal(signal.SIGKILL)
        assert not (tmp_path / "out/index.json").exists()
        slow.clear()
        proxy.seen.clear()
        had = {part.name: part.stat().st_size for part in parts}
        done = fetch(f"127.0.0.1:{proxy.port}/team/app:big", tmp_path / "out")
        assert done.status == 0, done.error
        for name, size in had.items():
            assert [h.get("Range") for _, path, h in proxy.seen if name in path] == [f"bytes={size}-"]
    assert_layout(tmp_path / "out", shared.big)


def with_part(out, digest, data):
    (out / "partial").mkdir(parents=True)
    (out / "partial" / digest[7:]).write_bytes(data)


@pytest.mark.parametrize("how", ["wrong", "wrong and whole", "whole", "longer", "empty"])
def test_parts_of_an_earlier_run_are_not_trusted(shared, tmp_path, how):
    row = shared.image.layers[0]
    data = shared.image.blobs[row["digest"]]
    part = {"wrong": b"x" * 1000, "wrong and whole": b"x" * len(data), "whole": data, "longer": data + b"x", "empty": b""}[how]
    with_part(tmp_path / "out", row["digest"], part)
    assert fetch(f"{shared.name}:1", tmp_path / "out").status == 0
    assert_layout(tmp_path / "out", shared.image)


def test_a_server_without_ranges(shared, tmp_path):
    row = shared.image.layers[0]
    data = shared.image.blobs[row["digest"]]
    for number, fields in enumerate([(200, {}, data), (416, {}, b"no")]):
        with_part(tmp_path / f"out{number}", row["digest"], data[:5000])

        def answer(request, fields=fields):
            return fields if row["digest"] in request.path and "Range" in request.headers else None

        with Server(answer, shared.port) as proxy:
            done = fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / f"out{number}")
            assert done.status == 0, done.error
        assert_layout(tmp_path / f"out{number}", shared.image)


# --- what is wrong ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["changed", "longer", "other part"])
def test_blobs_that_are_not_what_the_manifest_says(shared, tmp_path, how):
    row = shared.image.layers[1]
    data = bytearray(shared.image.blobs[row["digest"]])
    data[1234] ^= 1
    if how == "longer":
        data += b"x"
    fields = {"Content-Range": f"bytes 7-{len(data) - 1}/{len(data)}"} if how == "other part" else {}
    if how == "other part":
        with_part(tmp_path / "out", row["digest"], bytes(data[:10]))

    def answer(request):
        return (206 if fields else 200, fields, bytes(data)) if row["digest"] in request.path else None

    with Server(answer, shared.port) as proxy:
        done = fetch(f"127.0.0.1:{proxy.port}/team/app:1", tmp_path / "out")
    assert_failed(done, PROTOCOL if fields else MISMATCH, row["digest"])
    assert not (tmp_path / "out/index.json").exists()
    assert row["digest"] not in blobs_of(tmp_path / "out")


def test_manifests_that_have_another_digest(shared, tmp_path):
    changed = shared.image.manifest + b" "
    fields = {"Content-Type": shared.image.media_type}
    with Server(lambda request: (200, fields, changed)) as server:
        name = f"127.0.0.1:{server.port}/team/app"
        assert_failed(fetch(f"{name}@{shared.image.digest}", tmp_path / "out"), MISMATCH, servers.digest_of(changed))
        fields["Docker-Content-Digest"] = shared.image.digest
        assert_failed(fetch(f"{name}:1", tmp_path / "out"), MISMATCH, "the registry says that manifests/1")


def documents():
    """Manifests that are refused: name -> (bytes, words of the message)."""
    good = Image()
    zeros = "sha256:" + "0" * 64

    def but(**members):
        return json.dumps({**good.document, **members}).encode()

    return {
        "no JSON": (b"<html>", "malformed"),
        "nothing": (b"", "malformed"),
        "an array": (b"[]", "no JSON object"),
        "a member twice": (good.manifest[:-1] + b',"layers":[]}', "duplicate"),
        "deep": (b"[" * 100_000, "malformed"),
        "long": (b" " * (4 << 20) + good.manifest, "the limit"),
        "schema 1": (but(schemaVersion=1, mediaType=None), "schema 1"),
        "schema 3": (but(schemaVersion=3), "schemaVersion"),
        "index and image": (but(manifests=[]), "at once"),
        "another type": (but(mediaType=servers.OCI_INDEX), "media type"),
        "no layers": (but(layers=None), "no array"),
        "layer no object": (but(layers=["x"]), "no object"),
        "digest sha512": (but(layers=[{"digest": "sha512:" + "0" * 128, "size": 1}]), "sha256"),
        "digest of a path": (but(layers=[{"digest": "sha256:../../../../etc/passwd", "size": 1}]), "sha256"),
        "digest with a NUL": (but(layers=[{"digest": zeros + "\0", "size": 1}]), "malformed"),
        "size below 0": (but(layers=[{"digest": zeros, "size": -1}]), "size"),
        "size huge": (but(layers=[{"digest": zeros, "size": 1 << 60}]), "size"),
        "size no integer": (but(layers=[{"digest": zeros, "size": 1e3}]), "size"),
        "many layers": (but(layers=[{"digest": zeros, "size": 0}] * 2000), "more than 1024"),
        "an artifact": (but(config={"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": zeros, "size": 2}), "helm"),
        "config huge": (but(config={**good.document["config"], "size": 1 << 30}), "longer than"),
    }


@pytest.mark.parametrize("name", documents())
def test_manifests_that_are_refused(tmp_path, name):
    text, words = documents()[name]
    with Server(lambda request: (200, {"Content-Type": servers.OCI_MANIFEST}, text)) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b:1", tmp_path / "out"), PROTOCOL, words)
    assert blobs_of(tmp_path / "out") == set()


def test_a_config_that_is_malformed(shared, tmp_path):
    image = Image()
    image.set_manifest({**image.document, "config": image.add(b"{", servers.OCI_CONFIG)})
    servers.push(shared.port, "team/config", "1", image)
    assert_failed(fetch(f"127.0.0.1:{shared.port}/team/config:1", tmp_path / "out"), PROTOCOL, "config is malformed")


def test_indexes_that_lead_nowhere(tmp_path):
    def answer(request):
        row = {"mediaType": servers.OCI_INDEX, "size": 0, "digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "amd64"}}
        depth = len(server.seen)
        body = json.dumps({"schemaVersion": 2, "mediaType": servers.OCI_INDEX, "manifests": [row], "x": 9 - depth}).encode()
        made[request.path.rpartition("/")[2]] = body
        return 200, {}, body

    made = {}
    with Server(answer) as server:
        assert_failed(fetch(f"127.0.0.1:{server.port}/a/b:1", tmp_path / "out"), MISMATCH)


@pytest.mark.parametrize("tag,words", [("2", "has no manifest 2"), ("1", "has no manifest 1")])
def test_images_that_are_not_there(shared, tmp_path, tag, words):
    name = shared.name if tag == "2" else f"127.0.0.1:{shared.port}/team/other"
    assert_failed(fetch(f"{name}:{tag}", tmp_path / "out"), NOT_FOUND, words, "answers 404")


def test_a_full_disk(shared, tmp_path):
    limit = fetch(f"{shared.name}:big", tmp_path / "a", limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MB, MB)))
    assert_failed(limit, DISK_FULL, "File too large")
    (tmp_path / "b").mkdir()
    script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3" "$1"'
    command = ["unshare", "-m", "sh", "-c", script, "-", tmp_path / "b", FETCH, f"{shared.name}:big"]
    done = Done(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment("/nonexistent")))
    assert_failed(done, DISK_FULL, "No space left")


def test_directories_that_cannot_be_filled(shared, tmp_path):
    (tmp_path / "file").write_text("")
    assert_failed(fetch(f"{shared.name}:1", tmp_path / "file"), IO, "cannot make the directory")
    assert_failed(fetch(f"{shared.name}:1", tmp_path / "a/b"), IO, "No such file")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/blobs").symlink_to("/tmp")
    assert_failed(fetch(f"{shared.name}:1", tmp_path / "out"), IO)
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert_failed(fetch(f"{shared.name}:1", tmp_path), BUSY)
    os.close(held)


@pytest.mark.parametrize(
    "words,said",
    [
        ([], "two words"),
        (["a"], "two words"),
        (["a", "b", "c"], "two words"),
        (["UPPER", "x"], "not an image reference"),
        (["a:b:c", "x"], "not an image reference"),
        (["--platform=x", "a", "b"], "OS/ARCH"),
        (["--retries=-1", "a", "b"], "0 to 100"),
        (["--timeout=0", "a", "b"], "1 to 3600"),
        (["--nonsense", "a", "b"], "unrecognized"),
    ],
)
def test_wrong_command_lines(tmp_path, words, said):
    done = subprocess.run([FETCH, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == USAGE and said in done.stderr and not done.stdout
    assert not list(tmp_path.iterdir())


# --- what is told ----------------------------------------------------------------------------------------------------------------------


def test_events_are_documented(shared, tmp_path):
    text = (REPO / "docs/fetch-json.md").read_text()
    with Server(cutter(shared.image, 60_000, 2), shared.port) as proxy:
        mirrors = f"127.0.0.1:1 http://127.0.0.1:2 http://127.0.0.1:{proxy.port}"
        events = fetch("127.0.0.1:1/team/app:1", tmp_path / "out", "--retries=1", LICHEN_MIRRORS=mirrors).events
        events += fetch("127.0.0.1:1/team/app:1", tmp_path / "x", "--retries=0").events
    assert {e["event"] for e in events} == set(re.findall(r"^## (\w+)", text, re.M))
    for event in events:
        section = re.search(rf"^## {event['event']}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]
        for member in event.keys() - {"event"}:
            assert f"`{member}`" in section, (event, member)
    assert events[0]["schema"] == "lichen-fetch/1"
