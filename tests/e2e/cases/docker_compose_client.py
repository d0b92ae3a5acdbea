# SPDX-License-Identifier: Apache-2.0
"""What python3-docker asks of a daemon that has the image stack-base: containers, commands in them, files, health, images, volumes.
Where calls are slow ($SLOW=1) images and volumes are left to docker-compose."""
import contextlib
import io
import os
import tarfile
import time

import docker
import docker.errors

IMAGE = "stack-base"
HEALTH = {"test": ["CMD", "test", "-e", "/well"], "interval": 100_000_000, "timeout": 60_000_000_000, "retries": 2}


def wait_for(what, check, seconds=120):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def archive(name, data):
    with io.BytesIO() as out:
        with tarfile.open(fileobj=out, mode="w") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        return out.getvalue()


def check_run(client):
    assert client.ping()
    assert client.containers.run(IMAGE, ["echo", "hello"], remove=True, network_mode="none") == b"hello\n"
    try:
        client.containers.run(IMAGE, ["sh", "-c", "echo no >&2; exit 3"], remove=True, network_mode="none")
        raise AssertionError("a status of 3 is no exception")
    except docker.errors.ContainerError as error:
        assert (error.exit_status, error.stderr) == (3, b"no\n"), error


def check_container(client):
    container = client.containers.run(
        IMAGE, ["sh", "-c", "echo begun; exec sleep 600"], detach=True, network_mode="none", healthcheck=HEALTH, environment={"A": "b"}
    )
    wait_for("its log", lambda: container.logs() == b"begun\n")
    assert container.exec_run(["sh", "-c", "echo $A; exit 4"]) == (4, b"b\n")
    status, output = container.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)
    assert (status, output) == (0, (b"out\n", b"err\n")), output

    def health():
        container.reload()
        return container.attrs["State"]["Health"]["Status"]

    wait_for("unhealthy", lambda: health() == "unhealthy")
    assert container.put_archive("/", archive("well", b"yes"))
    wait_for("healthy", lambda: health() == "healthy")
    chunks, described = container.get_archive("/well")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        assert tar.extractfile("well").read() == b"yes"
    assert described["size"] == 3
    assert any("sleep 600" in " ".join(row) for row in container.top()["Processes"])
    assert container.stats(stream=False)["pids_stats"]["current"] >= 1
    container.kill()
    assert container.wait()["StatusCode"] == 137
    container.remove()


def check_build(client):
    dockerfile = f"FROM {IMAGE}\nRUN echo built >/built\nCMD cat /built\n".encode()
    image, _ = client.images.build(fileobj=io.BytesIO(dockerfile), tag="client", network_mode="none", rm=True)
    assert client.containers.run(image.id, remove=True, network_mode="none") == b"built\n"
    client.images.remove("client")


def check_volumes(client):
    volume = client.volumes.create("kept")
    where = {"kept": {"bind": "/v", "mode": "rw"}}
    client.containers.run(IMAGE, ["sh", "-c", "echo kept >/v/file"], volumes=where, remove=True, network_mode="none")
    assert client.containers.run(IMAGE, ["cat", "/v/file"], volumes=where, remove=True, network_mode="none") == b"kept\n"
    assert "kept" in [found.name for found in client.volumes.list()]
    volume.remove()


def main():
    with contextlib.closing(docker.from_env(timeout=300)) as client:
        checks = [check_run, check_container]
        if os.environ["SLOW"] != "1":
            checks += [check_build, check_volumes]
        for check in checks:
            check(client)
            print(check.__name__, "passed")


main()
