# SPDX-License-Identifier: Apache-2.0
"""lichen pull: from docker-registry on loopback into the store."""
import json
import os
import pathlib
import pty
import re
import shutil
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
LICHEN = pathlib.Path(os.environ.get("LICHEN") or REPO / "build/lichen")
pytestmark = pytest.mark.xdist_group("fetch")


@pytest.fixture(scope="module")
def port():
    """A registry with team/app:1 and :2, which share a layer."""
    with tempfile.TemporaryDirectory(prefix="lichen-registry-") as folder, servers.registry(folder) as number:
        servers.push(number, "team/app", "1", ONE)
        servers.push(number, "team/app", "2", TWO)
        yield number


ONE = Image((100_000, 30_000))
TWO = Image((100_000, 30_000, 50_000), config={"Cmd": ["/file0"]})
TWO.layers[0] = ONE.layers[0]
TWO.config["rootfs"]["diff_ids"][0] = ONE.config["rootfs"]["diff_ids"][0]
TWO.blobs[ONE.layers[0]["digest"]] = ONE.blobs[ONE.layers[0]["digest"]]
TWO.set_manifest({**TWO.document, "layers": TWO.layers, "config": TWO.add(json.dumps(TWO.config).encode(), servers.OCI_CONFIG)})


def id_of(image):
    return image.document["config"]["digest"]


def surroundings(state, **more):
    plain = {k: v for k, v in os.environ.items() if k not in ("DOCKER_CONFIG", "LICHEN_MIRRORS", "XDG_CONFIG_HOME")}
    return {**plain, "HOME": "/nonexistent", "LICHEN_STATE": str(state), **more}


def lichen(state, *words, program=LICHEN, **more):
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60, env=surroundings(state, **more))


def images(state):
    done = lichen(state, "images", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["images"]


def staged(state):
    return list((state / "pull").iterdir())


def test_a_pulled_image_is_in_the_store(port, tmp_path):
    name = f"127.0.0.1:{port}/team/app:1"
    done = lichen(tmp_path, "pull", name)
    assert (done.returncode, done.stdout) == (0, id_of(ONE) + "\n"), done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and all(re.fullmatch(r"(config|layer) [0-9a-f]{12}: [0-9.]+k?B, downloaded", line) for line in lines), lines
    (image,) = images(tmp_path)
    assert id_of(ONE) in json.dumps(image) and name in json.dumps(image)
    assert not staged(tmp_path)
    (root,) = (tmp_path / "images/roots").iterdir()
    assert (root / "file0").stat().st_size == 100_000
    done = lichen(tmp_path, "pull", "-q", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, id_of(ONE) + "\n", "")


def test_layers_that_the_store_has_are_not_downloaded(port, tmp_path):
    with Server(upstream=port) as proxy:
        assert lichen(tmp_path, "pull", f"127.0.0.1:{proxy.port}/team/app:1").returncode == 0
        proxy.seen.clear()
        done = lichen(tmp_path, "pull", f"127.0.0.1:{proxy.port}/team/app:2")
        assert done.returncode == 0, done.stderr
        fetched = {path.rpartition("/")[2] for path in proxy.paths("/blobs/")}
        assert fetched == {id_of(TWO), *(row["digest"] for row in TWO.layers)} - set(ONE.blobs)
        assert "100kB, here already" in done.stderr
    assert len(images(tmp_path)) == 2


def test_bars_on_a_terminal(port, tmp_path):
    master, slave = pty.openpty()
    command = [LICHEN, "pull", f"127.0.0.1:{port}/team/app:1"]
    with subprocess.Popen(command, stderr=slave, stdout=subprocess.PIPE, env=surroundings(tmp_path, TERM="xterm")) as process:
        os.close(slave)
        assert process.stdout.read().decode() == id_of(ONE) + "\n"
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert re.search(r"layer [0-9a-f]{12}   \[=+\] 100kB/100kB", shown), shown


def slow(image, names):
    """Gives the layers of an image in drops, until `names` is empty."""

    def answer(request):
        digest = request.path.rpartition("/")[2]
        if digest not in names:
            return None
        data = image.blobs[digest]

        def drip(request):
            for at in range(0, len(data), 5_000):
                request.wfile.write(data[at : at + 5_000])
                time.sleep(0.05)

        return 200, {"Content-Length": str(len(data))}, drip

    return answer


def until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


def parts(state):
    return [part for part in state.glob("pull/*/layout/partial/*") if part.stat().st_size > 10_000]


@pytest.mark.parametrize("whom", ["lichen", "lichen-fetch"])
def test_a_pull_that_was_killed_is_taken_up(port, tmp_path, whom):
    names = {row["digest"] for row in ONE.layers}
    with Server(slow(ONE, names), port) as proxy:
        words = ["pull", f"127.0.0.1:{proxy.port}/team/app:1"]
        with subprocess.Popen([LICHEN, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings(tmp_path)) as process:
            until(lambda: parts(tmp_path))
            (helper,) = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(process.pid if whom == "lichen" else int(helper), signal.SIGKILL)
            error = process.communicate(timeout=20)[1].decode()
            if whom == "lichen-fetch":
                assert process.returncode == 70 and "ended by signal 9" in error
        assert images(tmp_path) == [] and parts(tmp_path)
        names.clear()
        proxy.seen.clear()
        # The helper that lost its lichen ends by itself, and only then is the lock free.
        done = lichen(tmp_path, *words)
        assert done.returncode == 0 and done.stdout == id_of(ONE) + "\n", done.stderr
        assert any("Range" in headers for _, _, headers in proxy.seen)
    assert len(images(tmp_path)) == 1 and not staged(tmp_path)


def test_two_pulls_of_one_image_download_it_once(port, tmp_path):
    names = {row["digest"] for row in ONE.layers}
    with Server(slow(ONE, names), port) as proxy:
        command = [LICHEN, "pull", f"127.0.0.1:{proxy.port}/team/app:1"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings(tmp_path)) as first:
            until(lambda: parts(tmp_path))
            second = lichen(tmp_path, *command[1:])
            assert first.wait(20) == 0
        assert second.returncode == 0 and "another lichen is pulling" in second.stderr, second.stderr
        assert len(proxy.paths("/blobs/")) == 3
    assert len(images(tmp_path)) == 1 and not staged(tmp_path)


def test_where_lichen_fetch_is_looked_for(port, tmp_path):
    fetch = LICHEN.parent / "lichen-fetch"
    (tmp_path / "bin").mkdir()
    (tmp_path / "libexec/lichen").mkdir(parents=True)
    program = shutil.copy(LICHEN, tmp_path / "bin/lichen")
    words = ["pull", "-q", f"127.0.0.1:{port}/team/app:1"]
    done = lichen(tmp_path / "state", *words, program=program)
    if not os.path.exists("/usr/local/libexec/lichen/lichen-fetch"):
        assert done.returncode == 72 and str(tmp_path / "bin/lichen-fetch") in done.stderr, done.stderr
    for place in ("libexec/lichen", "bin"):
        copy = shutil.copy(fetch, tmp_path / place)
        assert lichen(tmp_path / "state", *words, program=program).returncode == 0
        os.unlink(copy)
    (tmp_path / "bin/lichen-fetch").write_text("#!/nonexistent/interpreter\n")
    (tmp_path / "bin/lichen-fetch").chmod(0o755)
    assert lichen(tmp_path / "state", *words, program=program).returncode == 72
    (tmp_path / "bin/lichen-fetch").write_text("#!/bin/sh\necho libcurl.so.4: not found >&2\nexit 127\n")
    done = lichen(tmp_path / "state", *words, program=program)
    assert done.returncode == 70 and done.stderr == "libcurl.so.4: not found\n"


@pytest.mark.parametrize(
    "name,status,words",
    [
        ("team/app:7", 66, "has no manifest 7"),
        ("team/other", 66, "has no manifest latest"),
        ("UPPER", 64, "UPPER"),
        ("", 64, ""),
    ],
)
def test_failures_are_one_line_and_leave_the_store_as_it_was(port, tmp_path, name, status, words):
    done = lichen(tmp_path, "pull", f"127.0.0.1:{port}/{name}" if status == 66 else name)
    assert done.returncode == status and words in done.stderr and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("lichen pull: "), done.stderr
    assert images(tmp_path) == []


def test_wrong_command_lines(tmp_path):
    for words in ([], ["a", "b"], ["--nonsense", "a"]):
        done = lichen(tmp_path, "pull", *words)
        assert done.returncode == 64 and "Try 'lichen pull --help'" in done.stderr


def test_a_layer_that_is_no_archive(port, tmp_path):
    image = Image((1000,))
    image.set_manifest({**image.document, "layers": [image.add(b"this is no archive" * 100, servers.OCI_LAYER)]})
    servers.push(port, "team/bad", "1", image)
    done = lichen(tmp_path, "pull", f"127.0.0.1:{port}/team/bad:1")
    assert done.returncode == 65 and done.stderr.splitlines()[-1].startswith("lichen pull: "), done.stderr
    assert images(tmp_path) == [] and not staged(tmp_path)
    assert not list((tmp_path / "images/blobs/sha256").iterdir())


def test_a_user_without_privilege(port):
    with tempfile.TemporaryDirectory(prefix="lichen-pull-") as folder:
        os.chown(folder, 65534, 65534)
        for program in ("lichen", "lichen-fetch"):
            shutil.copy(LICHEN.parent / program, folder)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        command = [*words, f"{folder}/lichen", "pull", "-q", f"127.0.0.1:{port}/team/app:1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=surroundings(f"{folder}/state"))
        assert (done.returncode, done.stdout) == (0, id_of(ONE) + "\n"), done.stderr


def test_what_nobody_took_up_for_a_week_is_removed(port, tmp_path):
    assert lichen(tmp_path, "pull", "-q", f"127.0.0.1:{port}/team/app:7").returncode == 66
    (old,) = staged(tmp_path)
    (tmp_path / "pull/new").mkdir()
    os.utime(old, (0, time.time() - 8 * 86400))
    assert lichen(tmp_path, "pull", "-q", f"127.0.0.1:{port}/team/app:1").returncode == 0
    assert [path.name for path in staged(tmp_path)] == ["new"]
