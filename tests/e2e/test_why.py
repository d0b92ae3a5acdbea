# SPDX-License-Identifier: Apache-2.0
"""lichen why with real programs: does it name what ended them, where that happens?

Each case is a command, the environments in which it is refused, and what the first finding must say.  Judged is the JSON; the same run's
text must keep to 80 columns and its page must not load anything.
"""
import json
import os
import re
import subprocess

import pytest
from conftest import REPO, TESTS
from test_programs import run

LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
POSTGRES = (
    "mkdir /tmp/d && chown 65534 /tmp/d && "
    "exec setpriv --reuid=65534 --regid=65534 --clear-groups $(ls -d /usr/lib/postgresql/*/bin/initdb | tail -1) -D /tmp/d/data"
)
PYTHON = "/usr/bin/python3 -I -c"


class Report:
    def __init__(self, status, output, folder):
        self.status, self.output = status, output
        self.text = (folder / "why.txt").read_text()
        self.json = json.loads((folder / "why.json").read_text())
        self.page = (folder / "why.html").read_text()
        self.findings = self.json["findings"]

    @property
    def first(self):
        assert self.findings, f"nothing was found; {self.json['verdict']}\n{self.output[-2000:]}"
        return self.findings[0]


@pytest.fixture(name="why")
def _why(tmp_path):
    """Runs a command under lichen why in an environment, then reads the record again as text."""

    def why(env, *command, options=(), seconds=300):
        variables = dict(os.environ, LICHEN_ENV_OUT=str(tmp_path), LC_ALL="C.UTF-8", OUT=str(tmp_path))
        variables["PATH"] = variables.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        out = [f"--output={tmp_path}/why.json", f"--html={tmp_path}/why.html", f"--trace={tmp_path}/why.trace"]
        status, output = run([TESTS / "envs" / env, LICHEN, "why", "--json", *out, *options, "--", *command], variables, seconds)
        assert status is not None, f"no end after {seconds} s: {output[-2000:]}"
        assert (tmp_path / "why.json").exists(), output[-2000:]
        read = [f"--read={tmp_path}/why.trace", f"--output={tmp_path}/why.txt"]
        subprocess.run([LICHEN, "why", *read], check=True, env=variables, timeout=60)
        report = Report(status, output, tmp_path)
        print(report.text)
        assert report.json["lost"] == 0
        assert report.json["status"] == status
        assert max(map(len, report.text.splitlines())) <= 80
        assert not re.search(r"(src|href)=|@import|url\(|<script", report.page)
        return report

    return why


def where(*envs):
    return pytest.mark.parametrize("group,env", [pytest.param("why", env, marks=pytest.mark.xdist_group(f"why-{env}")) for env in envs])


def said(finding):
    return "\n".join(message["text"] for message in finding["messages"])


@where("gvisor", "gvisor24")
def test_dockerd_without_devices_cgroup(why, group, env):
    report = why(env, "dockerd", "--iptables=false", "--bridge=none", "--storage-driver=vfs")
    assert report.status == 1
    assert report.first["weight"] == "ended"
    assert report.first["gap"] == "cgroup"
    assert "Devices cgroup isn't mounted" in said(report.first)
    assert report.first["call"] is None  # nothing was refused: it read mountinfo
    assert report.first["run"].startswith("lichen run --emulate=cgroup -- dockerd ")


@where("gvisor", "gvisor24")
def test_iptables_nft(why, group, env):
    first = why(env, "iptables-nft", "-L").first
    assert (first["weight"], first["gap"]) == ("ended", "netfilter")
    assert first["call"]["text"] == "socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)"
    assert first["call"]["errno"] == "EPROTONOSUPPORT"
    assert "Failed to initialize nft" in said(first)
    assert first["run"] == "iptables-legacy -t nat -L"


@where("gvisor", "gvisor24")
def test_iptables_legacy(why, group, env):
    first = why(env, "iptables-legacy", "-t", "nat", "-L").first
    assert (first["weight"], first["gap"]) == ("ended", "netfilter")
    assert first["call"]["text"].startswith("socket(AF_INET, SOCK_RAW")
    assert first["call"]["errno"] == "EPERM"
    assert "can't initialize iptables table" in said(first)
    assert "CAP_NET_RAW" in first["what"]


@where("gvisor24", "docker")
def test_mount_of_an_overlay(why, group, env):
    layers = "mkdir -p /var/l /var/u /var/w /var/m; exec mount -t overlay x -o lowerdir=/var/l,upperdir=/var/u,workdir=/var/w /var/m"
    first = why(env, "sh", "-c", layers).first
    assert (first["weight"], first["gap"]) == ("ended", "overlay")
    assert first["call"]["name"] == "mount" and '"/var/m"' in first["call"]["text"]
    assert first["call"]["errno"] == ("EINVAL" if env == "gvisor24" else "EPERM")
    assert "mount: /var/m" in said(first)


@where("gvisor", "gvisor24")
def test_what_kubelet_reads(why, group, env):
    reads = f"""{PYTHON} 'open("/proc/sys/kernel/panic")'; {PYTHON} 'open("/dev/kmsg")'"""
    bare = why(env, "sh", "-c", reads, options=["--bare"])
    assert {finding["gap"] for finding in bare.findings} == {"sysctl", "devices"}
    for finding in bare.findings:
        assert finding["call"]["errno"] == "ENOENT"
        assert "FileNotFoundError" in said(finding)
        assert finding["fillable"] and finding["run"].startswith("lichen run -- sh -c ")
    filled = why(env, "sh", "-c", reads)
    assert (filled.status, filled.findings) == (0, [])
    assert {"sysctl", "devices"} <= set(filled.json["emulated"])


@where("tiny")
def test_postgres_without_shared_memory(why, group, env):
    bare = why(env, "sh", "-c", POSTGRES, options=["--bare"])
    first = bare.first
    assert bare.status == 1
    assert (first["weight"], first["gap"], first["call"]["name"], first["call"]["errno"]) == ("ended", "sysvipc", "shmget", "ENOSYS")
    assert "could not create shared memory segment" in said(first)
    assert os.path.basename(first["program"]) == "postgres"
    assert first["run"].startswith("lichen run -- ")


@where("docker")
def test_unshare_in_a_container(why, group, env):
    first = why(env, "unshare", "--mount", "true").first
    assert (first["weight"], first["gap"]) == ("ended", "namespaces")
    assert (first["call"]["text"], first["call"]["errno"]) == ("unshare(CLONE_NEWNS)", "EPERM")
    assert "unshare failed: Operation not permitted" in said(first)
    assert "without CAP_SYS_ADMIN, under a seccomp filter" in first["here"]


@where("host", "docker")
def test_nginx_on_a_port_that_is_taken(why, group, env, tmp_path):
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} "
        f"http {{ access_log off; server {{ listen 127.0.0.1:18473; }} }}\n"
    )
    # The holder runs outside of what is recorded, and beyond its end.
    script = f"""{PYTHON} '
import socket, subprocess, sys
with socket.create_server(("127.0.0.1", 18473)):
    sys.exit(subprocess.run(sys.argv[1:]).returncode)' "$@" """
    out = [f"--output={tmp_path}/why.json", "--json"]
    variables = dict(os.environ, LICHEN_ENV_OUT=str(tmp_path), PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    command = [LICHEN, "why", *out, "--", "nginx", "-c", f"{tmp_path}/nginx.conf"]
    status, output = run([TESTS / "envs" / env, "sh", "-c", script, "sh", *command], variables, 300)
    assert status == 1, output
    first = json.loads((tmp_path / "why.json").read_text())["findings"][0]
    assert (first["weight"], first["cause"], first["call"]["errno"]) == ("ended", "port_taken", "EADDRINUSE")
    assert "127.0.0.1:18473" in first["call"]["text"]
    assert "Address already in use" in said(first)
    assert re.fullmatch(r"port 18473 is held by python3[.\d]* \(pid \d+\)", first["here"])


@where("host", "restricted", "gvisor24")
def test_program_with_a_missing_library(why, group, env, tmp_path):
    (tmp_path / "gone.c").write_text("int gone(void) { return 0; }\n")
    (tmp_path / "main.c").write_text("int gone(void);\nint main(void) { return gone(); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-soname,libgone.so.1", "-o", "libgone.so.1", "gone.c"], cwd=tmp_path, check=True)
    subprocess.run(["gcc", "-o", "program", "main.c", "-L.", "-l:libgone.so.1"], cwd=tmp_path, check=True)
    (tmp_path / "libgone.so.1").unlink()
    report = why(env, f"{tmp_path}/program")
    assert report.status == 127
    assert (report.first["weight"], report.first["cause"]) == ("ended", "library_missing")
    assert report.first["call"]["path"].endswith("/libgone.so.1")
    assert report.first["run"] == "apt-file search /libgone.so.1"


@where("restricted")
def test_chown_as_another_user(why, group, env):
    first = why(env, "sh", "-c", "touch /tmp/f; chown 0 /tmp/f").first
    assert (first["weight"], first["gap"]) == ("ended", "identity")
    assert first["call"]["text"] == 'fchownat(AT_FDCWD, "/tmp/f", 0, -1, 0)'
    assert "changing ownership of '/tmp/f': Operation not permitted" in said(first)
    assert "uid 65534 without CAP_CHOWN" in first["here"]


@where("docker", "gvisor24")
def test_init_that_is_not_process_1(why, group, env):
    report = why(env, "tini", "--", "true")
    assert report.status == 0  # it warns, and goes on
    assert (report.first["weight"], report.first["cause"]) == ("noted", "pid_1")
    assert "Tini is not running as PID 1" in said(report.first)
    assert report.first["run"].startswith("unshare --pid --fork ")


@where("host", "gvisor24")
def test_full_disk(why, group, env):
    fill = "mkdir -p /tmp/why-m; mount -t tmpfs -o size=1m t /tmp/why-m; exec dd if=/dev/zero of=/tmp/why-m/f bs=64k count=99"
    own = ["unshare", "--mount"] if env == "host" else []
    first = why(env, *own, "sh", "-c", fill).first
    assert (first["weight"], first["cause"]) == ("ended", "disk_full")
    assert (first["call"]["name"], first["call"]["errno"], first["call"]["path"]) == ("write", "ENOSPC", "/tmp/why-m/f")
    assert "No space left on device" in said(first)
    if env == "gvisor24":
        assert first["run"] == "mount -o remount,size=1G /tmp/why-m"


@where("host", "docker", "restricted")
def test_limit_on_memory(why, group, env):
    report = why(env, "sh", "-c", f"ulimit -v 200000; {PYTHON} 'x = bytearray(10**9)'; exit $?")
    assert report.status == 1
    assert (report.first["weight"], report.first["cause"]) == ("ended", "memory")
    assert (report.first["call"]["name"], report.first["call"]["errno"]) == ("mmap", "ENOMEM")
    assert "MemoryError" in said(report.first)


@where("host", "gvisor24")
def test_killed_child(why, group, env):
    report = why(env, "sh", "-c", f"{PYTHON} 'import os; os.kill(os.getpid(), 9)'; exit $?")
    assert report.status == 137
    assert (report.first["weight"], report.first["signal"], report.first["cause"]) == ("ended", "SIGKILL", "killed_memory")
    assert os.path.basename(report.first["program"]).startswith("python3")


@where("host", "tiny", "docker", "restricted", "gvisor", "gvisor24")
def test_healthy_runs_are_not_accused(why, group, env):
    """Python looks for its modules, git for its configuration, sh for programs along PATH; all that is refused is part of it."""
    script = f"cd /tmp; ls /usr >/dev/null; {PYTHON} 'import ssl, subprocess; subprocess.run(\"true\")'; git --version; env true"
    report = why(env, "sh", "-c", script)
    assert report.status == 0
    assert report.findings == []
    assert report.json["refused"] > 0
    assert "nothing that mattered was refused" in report.text.replace("\n", " ")
