# SPDX-License-Identifier: Apache-2.0
"""pull_registry.py LICHEN: what pull.sh checks; $LICHEN_STATE is an empty place, the working directory is writable."""
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fetch"))
import servers  # noqa: E402

LICHEN = sys.argv[1]


def pull(name):
    done = subprocess.run([LICHEN, "pull", name], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.strip(), done.stderr


def killed_in_the_middle(name, image):
    """Pulls, and kills lichen once a part of a layer is there: not of what else is written among the parts, which is whole at once."""
    state = pathlib.Path(os.environ["LICHEN_STATE"]) / "pull"
    layers = [row["digest"].partition(":")[2] for row in image.layers]
    with subprocess.Popen([LICHEN, "pull", name], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not any(part.stat().st_size for layer in layers for part in state.glob(f"*/layout/partial/{layer}")):
            assert process.poll() is None, "it ended too early"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)


def halting(image):
    """Of each layer only the begin comes until .quick is set."""

    def answer(request):
        digest = request.path.rpartition("/")[2]
        if answer.quick or digest not in (row["digest"] for row in image.layers):
            return None
        data = image.blobs[digest]

        def body(request):
            request.wfile.write(data[:10_000])
            while not answer.quick:
                time.sleep(0.05)

        return 200, {"Content-Length": str(len(data))}, body

    answer.quick = False
    return answer


one = servers.Image((200_000, 100_000))
two = servers.Image((200_000, 100_000), config={"Cmd": ["/file0"]})
slowly = halting(one)
with servers.registry(".") as port, servers.Server(slowly, port) as front:
    servers.push(port, "team/app", "1", one)
    servers.push(port, "team/app", "2", two)
    base = f"127.0.0.1:{front.port}/team/app"
    killed_in_the_middle(f"{base}:1", one)
    slowly.quick = True
    front.seen.clear()
    assert pull(f"{base}:1")[0] == one.document["config"]["digest"]
    assert any("Range" in headers for _, _, headers in front.seen), front.seen
    image_id, said = pull(f"{base}:2")
    assert image_id == two.document["config"]["digest"]
    assert said.count("here already") == 2, said
    listed = subprocess.run([LICHEN, "images", "-q"], capture_output=True, text=True, check=True).stdout.split()
    assert len(listed) == 2, listed
