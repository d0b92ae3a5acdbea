# SPDX-License-Identifier: Apache-2.0
"""Docker under `lichen up docker` in the environments docker and gvisor24, against dockerd alone on the machine's own kernel.

usage: bench/run --docker [--rounds N] [--envs NAME,...] [--json] [--output FILE]

Everywhere Debian's dockerd, containerd and runc, data on a tmpfs, containers with no network; the same steps, medians of N rounds (5; starts of the daemon
and builds: 3). A ratio above 1 is slower than dockerd alone. `image-1gb` against `image-small` tells whether a container's start depends on its image's size.
No figure is a test: a busy machine shows in the spread (lowest to highest, in % of the median) and in the load, which is printed with each environment.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
DOCKER = "/usr/bin/docker"
SECONDS = 120
ENVIRONMENTS = ("docker", "gvisor24")
# what, in the order of the table
FIGURES = {
    "ready": "dockerd answers /_ping",
    "first": "… and has run a first container",
    "run": "docker run --rm of true",
    "build": "docker build --no-cache, 10 steps, 5 of them RUN",
    "image-small": "docker create and start, image of 1 MB",
    "image-1gb": "docker create and start, image of 1 GB",
}


def output(command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=SECONDS * 5, **how)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {(done.stderr.strip() or done.stdout.strip())[-400:]}")
    return done.stdout


def answers(path):
    """Whether dockerd's socket says OK to /_ping."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.settimeout(SECONDS)
            s.connect(path)
            s.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b"200 OK" in s.recv(4096)
        except OSError:
            return False


def until_answers(path, alive, began):
    """Seconds until dockerd answers."""
    while not answers(path):
        if not alive() or time.monotonic() > began + SECONDS:
            raise RuntimeError("dockerd does not answer")
        time.sleep(0.005)
    return time.monotonic() - began


# --- the daemons -------------------------------------------------------------------------------------------------------------


class Alone:
    """dockerd and its containerd as the machine's kernel runs them, all below a folder."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.socket = f"{folder}/docker.sock"

    def start(self):
        f, began = self.folder, time.monotonic()
        containerd = ["containerd", "--root", f"{f}/croot", "--state", f"{f}/cstate", "--address", f"{f}/c.sock"]
        dockerd = ["dockerd", "--data-root", f"{f}/data", "--exec-root", f"{f}/exec", "--pidfile", f"{f}/pid", "-H", f"unix://{self.socket}"]
        dockerd += ["--containerd", f"{f}/c.sock", "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
        with open(f"{f}/log", "ab") as log:
            self.processes = [subprocess.Popen(words, stdout=log, stderr=log) for words in (containerd, dockerd)]
        ready = until_answers(self.socket, lambda: self.processes[1].poll() is None, began)
        if self.has_base():
            run(self)
        return ready, time.monotonic() - began

    def has_base(self):
        return subprocess.run([DOCKER, "image", "inspect", "base"], env=self.environment(), capture_output=True, check=False).returncode == 0

    def environment(self):
        return dict(os.environ, DOCKER_HOST=f"unix://{self.socket}", HOME=str(self.folder))

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
        self.processes = []


class UnderLichen:
    """`lichen up docker`, which runs a container before it returns."""

    socket = "/run/docker.sock"

    def __init__(self, folder):
        self.folder = folder
        os.environ.update(LICHEN_STATE=f"{folder}/state", XDG_CONFIG_HOME=f"{folder}/config", HOME=str(folder))
        unit = folder / "config/lichen/units/docker.service.d"
        unit.mkdir(parents=True)
        start = f"/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root {folder}/data"
        (unit / "bench.conf").write_text(f"[Service]\nExecStart=\nExecStart={start}\n", encoding="ascii")

    def start(self):
        began = time.monotonic()
        with open(f"{self.folder}/log", "ab") as log, subprocess.Popen([LICHEN, "up", "--timeout", str(SECONDS), "docker"], stdout=log, stderr=log) as up:
            # the socket is there at once, as with systemd, and answers when dockerd does
            ready = until_answers(self.socket, lambda: up.poll() in (None, 0), began)
            if up.wait() != 0:
                raise RuntimeError(f"lichen up docker: status {up.returncode}: {(self.folder / 'log').read_text(encoding='utf-8')[-400:]}")
        return ready, time.monotonic() - began

    def environment(self):
        return dict({k: v for k, v in os.environ.items() if k not in ("DOCKER_HOST", "DOCKER_CONTEXT")}, DOCKER_HOST=f"unix://{self.socket}")

    def stop(self):
        output([LICHEN, "down", "docker"])


# --- the steps ---------------------------------------------------------------------------------------------------------------


def timed(function, *args):
    began = time.monotonic()
    function(*args)
    return time.monotonic() - began


def run(daemon):
    output([DOCKER, "run", "--rm", "--network=none", "base", "true"], env=daemon.environment())


def import_image(daemon, folder, name, megabytes):
    """A root of busybox, and so many MB beside it, 4 a file."""
    tree = folder / "tree"
    if not tree.exists():
        (tree / "bin").mkdir(parents=True)
        (tree / "etc").mkdir()
        shutil.copy(shutil.which("busybox"), tree / "bin/busybox")
        for link in ("sh", "true", "cat", "sleep"):
            (tree / "bin" / link).symlink_to("busybox")
    (tree / "data").mkdir(exist_ok=True)
    for i in range(megabytes // 4):
        (tree / f"data/{i}").write_bytes(os.urandom(4096) * 1024)
    with subprocess.Popen(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE) as tar:
        output([DOCKER, "import", "-", name], stdin=tar.stdout, env=daemon.environment())
    shutil.rmtree(tree / "data")


def build(daemon, folder):
    context = folder / "context"
    context.mkdir(exist_ok=True)
    (context / "file").write_text("file\n", encoding="ascii")
    steps = ["FROM base", "ENV A=1", "COPY file /one", "RUN cat /one >/two", "WORKDIR /three", "RUN cat /one >four"]
    steps += ["COPY file /five", "RUN cat /five >/six", "RUN cat /six >/seven", "RUN cat /seven >/eight"]
    (context / "Dockerfile").write_text("\n".join(steps) + "\n", encoding="ascii")
    environment = dict(daemon.environment(), DOCKER_BUILDKIT="0")
    output([DOCKER, "build", "-q", "--no-cache", "--network=none", "-t", "built", str(context)], env=environment)


def create_and_start(daemon, image):
    """The container's removal is not measured."""
    began = time.monotonic()
    container = output([DOCKER, "create", "--network=none", image, "sleep", "1000"], env=daemon.environment()).strip()
    output([DOCKER, "start", container], env=daemon.environment())
    taken = time.monotonic() - began
    output([DOCKER, "rm", "-f", container], env=daemon.environment())
    return taken


def measure(daemon, folder, rounds):
    samples = {name: [] for name in FIGURES}
    daemon.start()  # once, not counted: files come into the cache
    import_image(daemon, folder, "base", 0)
    run(daemon)
    for _ in range(min(rounds, 3)):
        daemon.stop()
        ready, first = daemon.start()
        samples["ready"].append(ready)
        samples["first"].append(first)
    samples["run"] = [timed(run, daemon) for _ in range(rounds)]
    samples["build"] = [timed(build, daemon, folder) for _ in range(min(rounds, 3))]
    import_image(daemon, folder, "big", 1000)
    for image, name in (("base", "image-small"), ("big", "image-1gb")):
        create_and_start(daemon, image)
    for _ in range(rounds):
        for image, name in (("base", "image-small"), ("big", "image-1gb")):
            samples[name].append(create_and_start(daemon, image))
    daemon.stop()
    return samples


def inside(rounds):
    """Of one environment, in it: JSON on standard output."""
    alone = os.environ.get("BENCH_DOCKER") == "alone"
    with tempfile.TemporaryDirectory(prefix="lichen-bench-docker-") as top:
        folder = pathlib.Path(top)
        if alone:
            output(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", top])
        daemon = Alone(folder) if alone else UnderLichen(folder)
        began = os.getloadavg()[0]
        try:
            samples = measure(daemon, folder, rounds)
        finally:
            if alone:
                daemon.stop()
                subprocess.run(["umount", "--recursive", top], stderr=subprocess.DEVNULL, check=False)
            else:
                subprocess.run([LICHEN, "down", "docker"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    print(json.dumps({"load": [began, os.getloadavg()[0]], "samples": samples}))


# --- the table ---------------------------------------------------------------------------------------------------------------


def environment_of(name, rounds):
    words = [sys.executable, __file__, "--inside", "--rounds", str(rounds)]
    if name == "alone":
        words = ["unshare", "--mount", "--", *words]
    else:
        words = [str(REPO / "tests/envs" / name), *words]
    load = os.getloadavg()[0]
    said = output(words, env=dict(os.environ, BENCH_DOCKER=name), stdin=subprocess.DEVNULL)
    return dict(json.loads(said.splitlines()[-1]), machine_load=[load, os.getloadavg()[0]])


def row_of(figure, results):
    base = statistics.median(results["alone"]["samples"][figure]) if "alone" in results else None
    modes = {}
    for name, result in results.items():
        values = result["samples"][figure]
        middle = statistics.median(values)
        modes[name] = {
            "median": middle,
            "samples": values,
            "spread_percent": round(100 * (max(values) - min(values)) / middle, 1),
            "ratio": round(middle / base, 3) if base else None,
        }
    return {"name": figure, "what": FIGURES[figure], "unit": "s", "modes": modes}


def table(rows, results, errors):
    print(f"{'':14}" + "".join(f"{name:>22}" for name in results) + "  what")
    for row in rows:
        line = f"{row['name']:14}"
        for name in results:
            got = row["modes"][name]
            figure = f"{got['median'] * 1000:.0f} ms"
            line += f"{figure + ratio_text(got) if name != 'alone' else figure:>22}"
        print(f"{line}  {row['what']}")
    print("\nbehind the times: how many times slower than dockerd alone (medians; below 1: faster)")
    for name, result in results.items():
        big, small = (statistics.median(result["samples"][f]) for f in ("image-1gb", "image-small"))
        print(f"{name}: 1 GB against 1 MB {big / small:.2f}; load {result['machine_load'][0]:.1f} to {result['machine_load'][1]:.1f}")
    for name, error in errors.items():
        print(f"{name}: {error[:400]}")


def ratio_text(got):
    return f" {got['ratio']:6.2f}" if got["ratio"] else ""


def main():
    parser = argparse.ArgumentParser(description="Docker under lichen up docker against dockerd alone.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--envs", type=lambda text: text.split(","), default=list(ENVIRONMENTS), help="in these environments (docker,gvisor24)")
    parser.add_argument("--json", action="store_true", help="print JSON, samples included, not the table")
    parser.add_argument("--output", help="write the JSON to this file, and print the table")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.rounds)
        return 0
    results, errors = {}, {}
    for name in ["alone", *options.envs]:
        try:
            results[name] = environment_of(name, options.rounds)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            errors[name] = str(e)
    rows = [row_of(figure, results) for figure in FIGURES]
    machine = {"kernel": os.uname().release, "cpus": os.cpu_count()}
    text = json.dumps({"version": 1, "machine": machine, "environments": results, "errors": errors, "benchmarks": rows}, indent=1)
    if options.output:
        pathlib.Path(options.output).write_text(text + "\n", encoding="ascii")
    if options.json:
        print(text)
    else:
        table(rows, results, errors)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
