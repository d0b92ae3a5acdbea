# SPDX-License-Identifier: Apache-2.0
"""Writes the OCI bundle of one environment and becomes the runtime that runs it.

usage: oci.py docker|restricted|gvisor|gvisor24 COMMAND [ARG...]

Run by enter (see enter.c) as pid 1 of private mount and process-id namespaces, with a tmpfs on build/envs/scratch: the
bundle, the runtime's state and the writable layer all lie there and vanish with the run.  What Docker does is taken from
moby 20.10 (oci/defaults.go, oci/caps/defaults.go, profiles/seccomp/seccomp_linux.go); the names used here are those of the
OCI runtime specification.
"""
import ctypes
import json
import os
import shlex
import stat
import sys

REPO = os.environ["LICHEN_ENV_REPO"]
OUT = os.path.join(REPO, "build/envs")
SCRATCH = os.path.join(OUT, "scratch")
LIB = os.path.join(REPO, "tests/envs/lib")
INIT = os.path.join(OUT, "init")
BROKEN = 125
NOBODY = 65534
PRIVATE = ("/tmp", "/dev/shm")  # each run has its own

DOCKER_CAPABILITIES = [
    "CAP_" + name
    for name in (
        "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP"
        " NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
    ).split()
]
# What `runsc do` grants: everything that gVisor knows, less NET_RAW.
GVISOR_CAPABILITIES = [
    "CAP_" + name
    for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"
        " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT"
        " SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE"
        " AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
    ).split()
]
# Docker sets these in a network of its own; Kubernetes leaves the kernel's defaults.
DOCKER_SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
MASKED = (
    "/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats"
    " /proc/sched_debug /proc/scsi /sys/firmware"
).split()
READONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()
# Devices that a container of Docker's may use (runc's list), in the words of the devices controller.
DEVICES = [
    "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
    "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm",
]  # fmt: skip


def broken(message):
    print(f"tests/envs: {message}", file=sys.stderr)
    sys.exit(BROKEN)


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def kernel_at_least(version):
    have = os.uname().release.split("-")[0].split(".")
    return [int(n) for n in have[:2]] >= [int(n) for n in version.split(".")[:2]]


def seccomp(capabilities):
    """Docker's profile for these capabilities on x86-64: what moby's setupSeccomp makes of the JSON file."""
    with open(os.path.join(LIB, "moby-seccomp.json"), encoding="utf-8") as f:
        profile = json.load(f)

    def holds(rule):
        inc, exc = rule.get("includes") or {}, rule.get("excludes") or {}
        return not (
            "amd64" in exc.get("arches", [])
            or any(c in capabilities for c in exc.get("caps", []))
            or ("minKernel" in exc and kernel_at_least(exc["minKernel"]))
            or (inc.get("arches") and "amd64" not in inc["arches"])
            or any(c not in capabilities for c in inc.get("caps", []))
            or ("minKernel" in inc and not kernel_at_least(inc["minKernel"]))
        )

    def converted(rule):
        call = {"names": rule["names"], "action": rule["action"], "args": rule.get("args") or []}
        if "errnoRet" in rule:
            call["errnoRet"] = rule["errnoRet"]
        return call

    arch = next(a for a in profile["archMap"] if a["architecture"] == "SCMP_ARCH_X86_64")
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
        "architectures": [arch["architecture"], *arch["subArchitectures"]],
        "syscalls": [converted(rule) for rule in profile["syscalls"] if holds(rule)],
    }


def below(path, parent):
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def out_dir():
    """LICHEN_ENV_OUT, or None."""
    path = os.environ.get("LICHEN_ENV_OUT")
    return os.path.realpath(path) if path and os.path.isdir(path) else None


def private_place(path):
    """Which of PRIVATE hides path inside, or None."""
    return next((p for p in PRIVATE if below(path, p)), None)


def needed_paths():
    """Folders that must be reachable inside: the repository, its helpers, the working directory, lichen itself."""
    cwd = os.getcwd()
    paths = [REPO, OUT, cwd]
    if os.environ.get("LICHEN", "").startswith("/"):
        paths.append(os.path.dirname(os.path.realpath(os.environ["LICHEN"])))
    out, place = out_dir(), private_place(cwd)
    if place and not below(cwd, REPO) and not (out and below(cwd, out)):
        broken(f"the working directory {cwd} is below {place}, which is private here: use another, or LICHEN_ENV_OUT")
    return paths


def base_of(path):
    """The folder that must be mounted for path to be seen inside: '/' if an overlay over / shows it, None if it is not shown.

    In a private place only the repository is shown; elsewhere a file system other than / is shown whole.
    """
    if private_place(path):
        return REPO if below(path, REPO) else None
    if any(below(path, p) for p in ("/dev", "/proc", "/sys")):
        return None
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def overlay(lower, name):
    """Mounts an overlay over the folder lower, with its upper on the scratch tmpfs. Returns where."""
    upper, work, merged = (f"{SCRATCH}/{name}-{part}" for part in ("upper", "work", "merged"))
    st = os.stat(lower)
    for path in (upper, work, merged):
        os.mkdir(path)
    os.chown(upper, st.st_uid, st.st_gid)
    os.chmod(upper, stat.S_IMODE(st.st_mode))
    escaped = lower.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    data = f"lowerdir={escaped},upperdir={upper},workdir={work}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"overlay", os.fsencode(merged), b"overlay", ctypes.c_ulong(0), os.fsencode(data)) != 0:
        broken(f"overlay over {lower}: {os.strerror(ctypes.get_errno())}")
    return merged


def make_layers(paths):
    """Overlays for all that an overlay over / does not show of paths: {folder: where its overlay is}, outer ones first."""
    out = out_dir()
    bases = {base_of(p) for p in paths if not (out and below(p, out))} - {None, "/"}
    return {base: overlay(base, f"layer{i}") for i, base in enumerate(sorted(bases))}


def layer_mounts(layers, *options):
    return [mount(base, "bind", merged, "bind", *options) for base, merged in layers.items()]


def out_mounts(uid):
    out = out_dir()
    if not out:
        return []
    if uid:
        os.chmod(out, 0o777)
    return [mount(out, "bind", out, "rbind", "rw")]


def open_parents(layers, paths):
    """Lets others pass through paths and their parents; in the overlays only, the host's folders keep their modes."""
    for path in {p[:i] for p in paths for i in range(1, len(p) + 1) if p[i : i + 1] in ("/", "")}:
        if not os.path.isdir(path):
            continue
        mode = stat.S_IMODE(os.stat(path).st_mode)
        base = base_of(path)
        if base in layers and not mode & stat.S_IXOTH:
            os.chmod(layers[base] + path[len(base.rstrip("/")) :], mode | stat.S_IXOTH)


def join_devices_cgroup():
    """Docker's device rules, where there is a v1 devices controller to state them in."""
    group = "/sys/fs/cgroup/devices/lichen-envs"
    if not os.path.exists("/sys/fs/cgroup/devices/devices.deny"):
        return
    try:
        if not os.path.isdir(group):
            os.makedirs(group, exist_ok=True)
            with open(group + "/devices.deny", "w", encoding="ascii") as f:
                f.write("a")
        for rule in DEVICES:
            with open(group + "/devices.allow", "w", encoding="ascii") as f:
                f.write(rule)
        with open(group + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(os.getpid()))
    except OSError as e:
        broken(f"devices cgroup {group}: {e}")


def cgroup_mounts():
    """/sys/fs/cgroup as runc makes it: of each v1 hierarchy the container's own group, all of it read-only.

    Not left to crun, which shows whole hierarchies and leaves the tmpfs that holds them writable.
    """
    flags = ("ro", "nosuid", "noexec", "nodev")
    mounts = []
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        for line in f:
            _, names, path = line.rstrip("\n").split(":", 2)
            folder = "/sys/fs/cgroup/" + names.removeprefix("name=")
            if names and os.path.isdir(folder + path):
                mounts.append(mount(folder, "bind", folder + path, "bind", *flags))
    if not mounts:
        return [mount("/sys/fs/cgroup", "cgroup", "cgroup", *flags)]
    return [mount("/sys/fs/cgroup", "tmpfs", "tmpfs", "mode=755", *flags), *mounts]


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if k != "LICHEN_ENV_REPO"}
    env.update(changes)
    return [f"{k}={v}" for k, v in env.items()]


def docker(command, restricted):
    capabilities = [] if restricted else DOCKER_CAPABILITIES
    uid = NOBODY if restricted else 0
    root = SCRATCH + "/root"
    paths = needed_paths()
    bare = os.environ.get("LICHEN_ENV_PID1") == "1"
    out = out_mounts(uid)
    layers = make_layers(paths)

    join_devices_cgroup()
    open_parents({"/": root, **layers}, paths + [m["destination"] for m in out])
    process = {
        "args": command if bare else [INIT, "--ready", "--", *command],
        "cwd": os.getcwd(),
        "env": environment(HOME="/tmp") if restricted else environment(),
        "user": {"uid": uid, "gid": uid, "additionalGids": [uid]},
        "terminal": os.isatty(0) and os.isatty(1),
        "noNewPrivileges": restricted,
        "capabilities": {
            "bounding": capabilities,
            "permitted": capabilities,
            "effective": capabilities,
            "inheritable": [],
            "ambient": [],
        },
    }
    mounts = [
        mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount(
            "/dev/pts", "devpts", "devpts",
            "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
        ),
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        *cgroup_mounts(),
        mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        mount("/tmp", "tmpfs", "tmpfs", "mode=1777"),
    ]  # fmt: skip
    spec = {
        "ociVersion": "1.0.2",
        "hostname": "restricted" if restricted else "docker",
        "root": {"path": root, "readonly": restricted},
        "process": process,
        "mounts": mounts + layer_mounts(layers, *(["ro"] if restricted else [])) + out,
        "linux": {
            "namespaces": [{"type": t} for t in ("mount", "network", "uts", "pid", "ipc")],
            "maskedPaths": MASKED,
            "readonlyPaths": READONLY,
            "seccomp": seccomp(capabilities),
            "sysctl": {} if restricted else DOCKER_SYSCTLS,
        },
    }
    runtime = ["crun", "--root", SCRATCH + "/state", "--cgroup-manager=disabled", "run"]
    return spec, runtime + ([] if bare else ["--preserve-fds=1"])


def gvisor(command, runsc):
    bare = os.environ.get("LICHEN_ENV_PID1") == "1"
    paths = needed_paths()
    spec = {
        "ociVersion": "1.0.2",
        "hostname": os.uname().nodename,
        "root": {"path": "/", "readonly": False},
        "process": {
            "args": command if bare else [INIT, "--", *command],
            "cwd": os.getcwd(),
            "env": environment(),
            "user": {"uid": 0, "gid": 0},
            "terminal": os.isatty(0) and os.isatty(1),
            "capabilities": {
                kind: GVISOR_CAPABILITIES for kind in ("bounding", "permitted", "effective", "inheritable")
            },
        },
        "mounts": [
            mount("/proc", "proc", "proc"),
            mount("/sys", "sysfs", "sysfs"),
            mount("/dev", "tmpfs", "tmpfs"),
            mount("/dev/pts", "devpts", "devpts"),
            mount("/dev/shm", "tmpfs", "tmpfs", "mode=1777"),
            mount("/tmp", "tmpfs", "tmpfs", "mode=1777"),
        ]
        + layer_mounts(make_layers(paths))
        + out_mounts(0),
        "linux": {"namespaces": [{"type": t} for t in ("mount", "network", "uts", "pid", "ipc")]},
    }
    flags = shlex.split(os.environ.get("LICHEN_ENV_RUNSC_FLAGS", ""))
    return spec, [
        *runsc,
        "--root", SCRATCH + "/state",
        "--network=none",
        "--overlay2=root:memory",
        "--ignore-cgroups",
        *flags,
        "run",
    ]  # fmt: skip


def main():
    name, command = sys.argv[1], sys.argv[2:]
    os.umask(0o022)  # the runtime's, for mount points that others must pass; COMMAND has 022 of the runtime anyway
    if name in ("docker", "restricted"):
        spec, runtime = docker(command, name == "restricted")
    elif name == "gvisor":
        spec, runtime = gvisor(command, ["runsc", "--platform=ptrace"])
    else:
        spec, runtime = gvisor(command, [OUT + "/gvisor24/usr/bin/runsc", "--platform=systrap"])
    bundle = SCRATCH + "/bundle"
    os.mkdir(bundle)
    os.mkdir(SCRATCH + "/state")
    with open(bundle + "/config.json", "w", encoding="utf-8") as f:
        json.dump(spec, f)
    # The id need only be unique below --root, which is this run's own; runsc names an abstract socket by it as well.
    argv = [*runtime, "--bundle", bundle, f"{name}-{os.stat('/proc/self/ns/pid').st_ino}"]
    try:
        os.execvp(argv[0], argv)
    except OSError as e:
        broken(f"{argv[0]}: {e}")


main()
