# SPDX-License-Identifier: Apache-2.0
"""Checks of units, each a function; prints a line for what is wrong, status 1 if anything is.

    units_checks.py [NAME…]     only these
"""
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

LICHEN = os.environ["LICHEN"]
WORK = pathlib.Path(os.environ["WORK"])
ENV = os.environ.get("ENVIRONMENT", "host")
ROOT = os.geteuid() == 0
PATIENCE = 60
UNITS = WORK / "config/lichen/units"
TAG = f"lt{random.randrange(10**9)}"  # what is outside of WORK has it in its name
CHECKS = {}

os.environ.update(LICHEN_STATE=str(WORK / "state"), XDG_CONFIG_HOME=str(WORK / "config"))
os.environ.pop("LICHEN_CELL", None)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)


def check(function):
    CHECKS[function.__name__] = function
    return function


def lichen(*argv, status=0):
    done = subprocess.run([LICHEN, *argv], capture_output=True, text=True, timeout=PATIENCE * 2, check=False, stdin=subprocess.DEVNULL)
    if status is not None:
        assert done.returncode == status, f"{' '.join(argv)}: status {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    return done


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{true.__doc__ or 'it'} does not come"
        time.sleep(0.05)


def free_port():
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def unit(name, text):
    UNITS.mkdir(parents=True, exist_ok=True)
    (UNITS / name).write_text(text)


def drop_in(name, text):
    folder = UNITS / f"{name}.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.conf").write_text(text)


def show(name, status=0):
    return json.loads(lichen("status", "--json", name, status=status).stdout)["units"][0]


def logs(name):
    return lichen("logs", name).stdout


def installed(path):
    return pathlib.Path(path).exists()


def writable(folder):
    """A folder that the daemon's user can write."""
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@check
def redis():
    if not installed("/lib/systemd/system/redis-server.service"):
        return
    port, place = free_port(), writable(WORK / "redis")
    (place / "redis.conf").write_text(f"port {port}\nbind 127.0.0.1\ndir {place}\nsave ''\n")
    drop_in("redis-server.service", "[Service]\nExecStart=\n"
            f"ExecStart=/usr/bin/redis-server {place}/redis.conf --supervised systemd --daemonize no\n"
            f"PIDFile={place}/pid\nRuntimeDirectory=\n"
            + (f"RuntimeDirectory={TAG}\n" if ROOT else "User=\nGroup=\n"))
    out = lichen("up", "redis-server").stdout
    assert "redis-server.service is up" in out, out
    seen = show("redis-server")
    assert seen["active"] == "active" and seen["ready"] and seen["asked"]["at"] == f"127.0.0.1:{port}", seen
    pid = seen["main_pid"]
    if ROOT:
        assert os.stat(f"/proc/{pid}").st_uid == pwd.getpwnam("redis").pw_uid, "not as user redis"
        assert os.stat(f"/run/{TAG}").st_mode & 0o7777 == 0o2755, oct(os.stat(f"/run/{TAG}").st_mode)
    assert "Ready to accept connections" in logs("redis-server"), logs("redis-server")
    assert "is up already" in lichen("up", "redis-server").stdout
    assert "no ExecReload=" in lichen("reload", "redis-server", status=70).stderr
    os.kill(pid, signal.SIGKILL)

    def restarted():
        """Restart=always"""
        now = json.loads(lichen("status", "--json", "redis-server", status=None).stdout)["units"][0]
        return now["ready"] and now["main_pid"] != pid and now["restarts"] == 1

    until(restarted)
    lichen("restart", "redis-server")
    lichen("down", "redis-server")
    assert show("redis-server", status=3)["active"] == "inactive"
    assert not os.path.exists(f"/run/{TAG}"), "RuntimeDirectory= is left"
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", port)) != 0, "it still listens"


@check
def nginx():
    if not installed("/lib/systemd/system/nginx.service"):
        return
    port, place = free_port(), writable(WORK / "nginx")
    temporary = "".join(f"{kind}_temp_path {place}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"pid {place}/pid;\nerror_log {place}/error.log;\nevents {{ }}\nhttp {{ access_log off; {temporary}\nserver {{\n"
        f"listen 127.0.0.1:{port};\nlocation / {{ return 200 first; }} }} }}\n")
    command = f"/usr/sbin/nginx -c {place}/nginx.conf"
    drop_in("nginx.service", f"[Service]\nPIDFile={place}/pid\nExecStartPre=\nExecStartPre={command} -t -q\nExecStart=\nExecStart={command}\n"
            f"ExecReload=\nExecReload={command} -s reload\nExecStop=\n")
    lichen("up", "nginx")

    def page():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return answer.read()

    assert page() == b"first"
    seen = show("nginx")
    assert seen["main_pid"] == int((place / "pid").read_text()), seen
    (place / "nginx.conf").write_text((place / "nginx.conf").read_text().replace("200 first", "200 second"))
    lichen("reload", "nginx")
    until(lambda: page() == b"second")
    lichen("down", "nginx")
    assert not os.path.exists(f"/proc/{seen['main_pid']}"), "its master is left"


@check
def postgres():
    """A cluster of its own, as pg_createcluster makes them."""
    if not ROOT or ENV not in ("host", "gvisor24") or not installed("/usr/bin/pg_createcluster"):
        return
    port = free_port()
    done = subprocess.run(["pg_createcluster", "15", TAG, "-p", str(port), "-d", str(WORK / "pg"), "--", "--no-sync"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    try:
        lichen("up", f"postgresql@15-{TAG}")
        query = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "psql", "-p", str(port), "-Atc", "select 6 * 7", "postgres"]
        assert subprocess.run(query, capture_output=True, text=True, check=False, cwd="/").stdout == "42\n"
        assert show(f"postgresql@15-{TAG}")["sub"] == "running"
        lichen("reload", f"postgresql@15-{TAG}")
        lichen("down", f"postgresql@15-{TAG}")
    finally:
        lichen("down", f"postgresql@15-{TAG}", status=None)
        subprocess.run(["pg_dropcluster", "15", TAG], check=False)


@check
def ssh():
    if not ROOT or not installed("/lib/systemd/system/ssh.service"):
        return
    port, place = free_port(), WORK / "ssh"
    place.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "key"], check=True)
    (place / "config").write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/key\nPidFile none\n")
    os.makedirs("/run/sshd", exist_ok=True)
    drop_in("ssh.service", f"[Service]\nRuntimeDirectory=\nExecStartPre=\nExecStartPre=/usr/sbin/sshd -t -f {place}/config\nExecStart=\n"
            f"ExecStart=/usr/sbin/sshd -D -f {place}/config\n")
    lichen("up", "ssh")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        assert stream.recv(4) == b"SSH-"
    lichen("down", "ssh")


@check
def commands():
    """Order of commands, variables, specifiers, directories, a template."""
    place = writable(WORK / "commands")
    (place / "env").write_text("FROM_FILE='two words'\n# comment\n")
    unit(f"{TAG}@.service", f"""[Unit]
Description=test of %i
ConditionPathExists={place}
[Service]
Type=simple
Environment="QUOTED=a b" PLAIN=c
EnvironmentFile={place}/env
EnvironmentFile=-/nonexistent
WorkingDirectory={place}
UMask=0027
ExecStartPre=-/bin/false
ExecStartPre=/bin/sh -c 'echo pre %i %p >> order'
ExecStart=/bin/sh -c 'echo main "$$1" "$$2" "$$3" "$$(pwd)" >> order; touch made; exec sleep 1000' \\
    sh ${{QUOTED}} $FROM_FILE
ExecStartPost=/bin/sh -c 'echo post $MAINPID >> order'
ExecStop=/bin/sh -c 'echo stop $MAINPID >> order'
ExecStopPost=/bin/sh -c 'echo stop-post $$SERVICE_RESULT >> order'
LimitNOFILE=333
""")
    name = f"{TAG}@some-thing"
    lichen("up", name)
    pid = show(name)["main_pid"]
    assert not os.path.exists(f"/proc/{pid}/limits") or "333 " in (pathlib.Path(f"/proc/{pid}/limits").read_text().split("Max open files")[1][:40]), "LimitNOFILE="
    until(lambda: (place / "made").exists())
    assert (place / "made").stat().st_mode & 0o777 == 0o640
    lichen("down", name)
    order = (place / "order").read_text().splitlines()
    main = f"main a b two words {place}"
    wanted = [f"pre some-thing {TAG}", main, f"post {pid}", f"stop {pid}", "stop-post success"]
    assert sorted(order) == sorted(wanted) and order[0] == wanted[0] and order[3:] == wanted[3:], order


@check
def sockets():
    place = writable(WORK / "sockets")
    path = place / "socket"
    program = place / "serve.py"
    program.write_text("import os, socket\nassert os.environ['LISTEN_PID'] == str(os.getpid())\n"
                       "names = os.environ['LISTEN_FDNAMES']\nlistener = socket.socket(fileno=3)\nwhile True:\n"
                       "    peer = listener.accept()[0]\n    peer.send((names + ' ' + os.environ['LISTEN_FDS']).encode())\n    peer.close()\n")
    unit(f"{TAG}s.socket", f"[Socket]\nListenStream={path}\nSocketMode=0600\nFileDescriptorName=one\n")
    unit(f"{TAG}s.service", f"[Unit]\nRequires={TAG}s.socket\n[Service]\nExecStart=/usr/bin/python3 -I {program}\n")
    lichen("up", f"{TAG}s")
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(path))
        assert stream.recv(100) == b"one 1"
    assert path.stat().st_mode & 0o777 == 0o600
    rows = json.loads(lichen("status", "--json").stdout)["units"]
    assert [(row["name"], row["sub"]) for row in rows if row["name"].startswith(f"{TAG}s")] == [(f"{TAG}s.socket", "listening"), (f"{TAG}s.service", "running")], rows
    lichen("down", f"{TAG}s")
    assert not path.exists()


SAY_READY = """
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
    to.sendto(b"READY=1", "\\0" + os.environ["NOTIFY_SOCKET"][1:])
time.sleep(1000)
"""


@check
def ready_again():
    """What a daemon says of itself after Restart= is told, too."""
    program = writable(WORK / "ready_again") / "serve.py"
    program.write_text(f"import os, socket, time\n{SAY_READY}")
    unit(f"{TAG}again.service", f"[Service]\nType=notify\nExecStart=/usr/bin/python3 -I {program}\nRestart=always\n")
    lichen("up", f"{TAG}again")
    os.kill(show(f"{TAG}again")["main_pid"], signal.SIGKILL)

    def ready():
        """being ready again"""
        now = show(f"{TAG}again", status=None)
        return now["restarts"] == 1 and now["ready"] and now["sub"] == "running" and now["main_pid"]

    until(ready)
    lichen("down", f"{TAG}again")


@check
def kill_mode():
    """KillMode=process spares what the daemon has started, also when the daemon itself has to be killed: its second run, of which ExecStartPost= thinks
    nothing, so that Restart= asks for a third."""
    place, mark = writable(WORK / "kill_mode"), str(random.randrange(10**8, 10**9))
    program = place / "serve.py"
    program.write_text(f"""import os, signal, socket, subprocess, time
with open("{place}/runs", "a+") as file:
    file.seek(0)
    before = len(file.read())
    file.write("x")
if not before:
    subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
if before == 1:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
{SAY_READY}""")
    unit(f"{TAG}kill.service", f"""[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=/usr/bin/python3 -I {program}
KillMode=process
Restart=always
RestartSec=1ms
ExecStartPost=/bin/sh -c 'test "$$(wc -c < {place}/runs)" -ne 2'
TimeoutStopSec=1
""")

    def spared():
        found = (pathlib.Path(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit())
        return any(path.exists() and path.read_bytes() == f"sleep\0{mark}\0".encode() for path in found)

    lichen("up", f"{TAG}kill")
    until(spared)
    os.kill(show(f"{TAG}kill")["main_pid"], signal.SIGKILL)

    def third():
        """a third run"""
        now = show(f"{TAG}kill", status=None)
        return now["ready"] and len((place / "runs").read_text()) >= 3

    until(third)
    assert spared(), "killed with the daemon"
    lichen("down", f"{TAG}kill")
    assert not spared(), "still there"


@check
def failures():
    """Each has a status of its own."""
    unit(f"{TAG}dies.service", "[Service]\nType=notify\nExecStart=/bin/sh -c 'echo these are its last words; exit 7'\nRestart=always\n")
    unit(f"{TAG}slow.service", "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n")
    unit(f"{TAG}none.service", "[Service]\nExecStart=/usr/sbin/no-such-daemon\n")
    unit(f"{TAG}cond.service", "[Unit]\nConditionPathExists=/nonexistent\n[Service]\nExecStart=/bin/true\n")
    unit(f"{TAG}mask.service", "")
    unit(f"{TAG}bad.service", "[Service]\nExecStart=/bin/sh 'unclosed\n")
    died = lichen("up", f"{TAG}dies", status=80).stderr
    assert "these are its last words" in died and "status 7" in died, died
    assert show(f"{TAG}dies", status=1)["exit"] == 7
    lichen("up", "--timeout=1", f"{TAG}slow", status=81)
    lichen("up", f"{TAG}none", status=66)
    assert "/nonexistent" in lichen("up", f"{TAG}cond", status=83).stderr
    lichen("up", f"{TAG}mask", status=65)
    lichen("up", f"{TAG}bad", status=65)
    assert "apt-get install mariadb-server" in lichen("up", "mariadb", status=66).stderr or installed("/lib/systemd/system/mariadb.service")
    lichen("up", "a/b", status=64)
    lichen("status", f"{TAG}unheard-of", status=4)
    lichen("status", f"{TAG}none", status=3)


@check
def order():
    """After=, Requires=, and what comes down first."""
    place = writable(WORK / "order")
    for name, more in (("a", ""), ("b", f"Requires={TAG}a.service\nAfter={TAG}a.service\n"), ("c", f"Wants={TAG}b.service\nAfter={TAG}b.service\n")):
        unit(f"{TAG}{name}.service", f"[Unit]\n{more}[Service]\nExecStartPre=/bin/sh -c 'echo +{name} >> {place}/log'\nExecStart=/bin/sleep 1000\n"
             f"ExecStopPost=/bin/sh -c 'echo -{name} >> {place}/log'\n")
    lichen("up", f"{TAG}c")
    lichen("down", f"{TAG}b", status=69)
    lichen("down", f"{TAG}c")
    assert (place / "log").read_text().split() == ["+a", "+b", "+c", "-c", "-b", "-a"], (place / "log").read_text()


@check
def docker():
    """dockerd, its socket and containerd in one cell; what they keep lies in a place of their own."""
    if ENV != "host" or not ROOT or not installed("/usr/sbin/dockerd"):
        return
    place = pathlib.Path("/tmp") / TAG  # short: the path of a socket
    place.mkdir()
    drop_in("docker.socket", f"[Socket]\nListenStream=\nListenStream={place}/d\n")
    drop_in("containerd.service", "[Service]\nExecStart=\n"
            f"ExecStart=/usr/bin/containerd --address {place}/c --root {place}/root --state {place}/state\n")
    drop_in("docker.service", "[Service]\nEnvironmentFile=\nExecStart=\n"
            f"ExecStart=/usr/sbin/dockerd -H fd:// --containerd={place}/c --data-root {place}/data --exec-root {place}/exec --pidfile {place}/pid "
            "--bridge=none --iptables=false --ip6tables=false\n")
    try:
        out = lichen("up", "docker").stdout
        assert "docker.service has run a container" in out and f"DOCKER_HOST=unix://{place}/d" in out, out
        assert show("docker")["proof"]["state"] == "passed"
        version = subprocess.run(["docker", "-H", f"unix://{place}/d", "version", "-f", "{{.Server.Version}}"], capture_output=True, text=True, check=False)
        assert version.returncode == 0 and version.stdout.strip(), version.stderr
        rows = {row["name"]: row for row in json.loads(lichen("status", "--json").stdout)["units"]}
        assert rows["docker.socket"]["sub"] == "listening" and rows["docker.service"]["asked"]["at"] == f"{place}/d", rows
        pids = [rows[name]["main_pid"] for name in ("docker.service", "containerd.service")]
        lichen("down", "containerd", status=69)
        lichen("down", "docker")
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
        options = f"{place}/options"
        pathlib.Path(options).write_text("DOCKER_OPTS='--add-runtime=broken=/bin/false --default-runtime=broken'\n")
        drop_in("docker.service", (UNITS / "docker.service.d/test.conf").read_text()
                .replace("EnvironmentFile=\n", f"EnvironmentFile=\nEnvironmentFile={options}\n").replace("--bridge=none", "--bridge=none $DOCKER_OPTS"))
        unproven = lichen("up", "docker", status=84)
        assert "runs no container: starting a container: " in unproven.stderr and "--no-proof" in unproven.stderr, unproven.stderr
        seen = show("docker", status=1)
        assert seen["result"] == "proof" and seen["proof"] == {"by": "container", "state": "failed"}, seen
        lichen("up", "--no-proof", "docker")
        assert show("docker")["proof"]["state"] == "off"
        lichen("down", "docker")
    finally:
        lichen("down", "docker", status=None)
        shutil.rmtree(place, ignore_errors=True)


@check
def containerd():
    """What its program needs, and is filled on request alone, is filled; sd_notify(3) from another thread than the first."""
    if ENV != "gvisor24" or not installed("/usr/bin/containerd"):
        return
    drop_in("containerd.service", f"[Service]\nExecStart=\nExecStart=/usr/bin/containerd --address {WORK}/c --root {WORK}/root --state {WORK}/s\n")
    assert {"cgroup"} <= set(json.loads(lichen("up", "--explain", "--json", "containerd").stdout)["filled"])
    lichen("up", "--timeout=60", "containerd")
    lichen("down", "containerd")


@check
def killed_manager():
    unit(f"{TAG}k.service", "[Service]\nExecStart=/bin/sh -c 'sleep 1000 & exec sleep 1000'\n")
    lichen("up", f"{TAG}k")
    seen = show(f"{TAG}k")
    record = json.loads((WORK / "state/cells" / seen["cell"] / "units.json").read_text())
    os.kill(record["manager"], signal.SIGKILL)

    def gone():
        """the end of the cell"""
        return json.loads(lichen("status", "--json", f"{TAG}k", status=None).stdout)["units"][0]["sub"] == "lost"

    until(gone)
    assert show(f"{TAG}k", status=82)["result"] == "manager-killed"
    until(lambda: not os.path.exists(f"/proc/{seen['main_pid']}"))
    lichen("up", f"{TAG}k")
    lichen("down", f"{TAG}k")


def main():
    failed = 0
    for name in sys.argv[1:] or CHECKS:
        begin = time.monotonic()
        try:
            CHECKS[name]()
            print(f"units: {name} {time.monotonic() - begin:.1f} s", flush=True)
        except Exception as error:  # pylint: disable=broad-except # each check is reported
            failed = 1
            print(f"units: {name}: {type(error).__name__}: {error}", flush=True)
    left = json.loads(lichen("ps", "--json", status=None).stdout or '{"cells": []}')["cells"]
    for cell in left:
        lichen("rm", "-f", cell["id"], status=None)
    shutil.rmtree(WORK / "config", ignore_errors=True)
    return failed


sys.exit(main())
