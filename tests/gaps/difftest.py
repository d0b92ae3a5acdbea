#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Differential tests: each program runs on the kernel and under lichen, and must print the same and end the same way.

    tests/gaps/difftest.py [--env ENV] [--group GROUP] [--recorded] [NAME…]   compare, print what differs
    tests/gaps/difftest.py --list                                                      names, one a line
    tests/gaps/difftest.py inside                                                      the part that runs in an environment

Programs are built by meson into build/tests/gaps (DIFFTEST_BIN), one per tests/gaps/GROUP/NAME.c.  lichen is $LICHEN, else
build/lichen.  One environment run executes all programs asked for, natively and under lichen, one after the other; requests
and results are JSON, one object a line.  Where an environment lacks the feature (FROM_HOST), its native side is replaced by
the transcript of the host's kernel, recorded in the same test run; transcripts are never committed.

Over 600 lines, because what deviates on purpose is listed here, with its reason, beside what compares.
"""
import argparse
import contextlib
import difflib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[1]
ENVS = ("host", "tiny", "docker", "restricted", "gvisor", "gvisor24")
GROUPS = {
    "sysvipc": ["--refuse=sysvipc", "--emulate=sysvipc"],
    "engine": ["--emulate=all"],
    "newcalls": ["--refuse=newcalls", "--emulate=newcalls"],
    "fstype": ["--refuse=fstype", "--emulate=fstype"],
    "sysctl": ["--refuse=sysctl", "--emulate=sysctl"],
    "order": ["--refuse=sysctl,devices,newcalls,fstype", "--emulate=all"],
    "devices": ["--refuse=devices", "--emulate=devices"],
    "identity": ["--refuse=identity", "--emulate=identity"],
    "seccomp": ["--emulate=identity"],
    "processes": ["--refuse=processes", "--emulate=processes"],
    "keyring": ["--refuse=keyring", "--emulate=keyring"],
    "xattr": ["--refuse=xattr", "--emulate=xattr"],
    "xattr_tree": ["--refuse=xattr", "--emulate=xattr,overlay"],  # each in a root directory of its own
    "namespaces": ["--emulate=identity,namespaces,sysvipc", "--pid=private"],  # natively in new ones: private_namespaces()
    "mounts": ["--emulate=mounts,identity,namespaces"],  # likewise, as root
    "cgroup": ["--emulate=cgroup,identity,namespaces"],  # as root
    "sysctl_tree": ["--refuse=sysctl", "--emulate=sysctl,mounts,identity,namespaces"],  # as mounts
    "fs": [],  # each in a root directory of its own: guest_root()
    "overlay": [],  # each in an overlay: overlay_layers()
}
IN_A_ROOT = ("fs/", "mounts/", "sysctl_tree/", "xattr_tree/")
AGENT = "--emulate=overlay"  # or a host that can would give these trees natively: the kernel against itself
NOT_TESTS = {"sysvipc/torture", "devices/torture"}  # have arguments and a test of their own: test_torture.py
NOT_TESTS |= {"overlay/grow"}  # for test_overlay_crash.py
NOT_TESTS |= {"fs/enter_root", "fs/race"}  # how the kernel starts one of fs; test_tree_race.py

# Environments whose kernel cannot be the oracle of a group: tiny has no SysV IPC at all, gVisor's has no SEM_UNDO and more.
# fstype asks what a root on a disk is, which overlay and gVisor's are not. identity asks what root may, which only the host's is.
FROM_HOST = {
    "sysvipc": {"tiny", "gvisor", "gvisor24"},
    "engine": {"tiny"},
    "newcalls": set(ENVS) - {"host"},
    "order": set(ENVS) - {"host"},
    "identity": set(ENVS) - {"host"},
    "seccomp": {"docker", "restricted"},  # whose own filters count, too, and whose user may less
    "processes": {"gvisor", "gvisor24"},
    "keyring": set(ENVS) - {"host"},
    "xattr": {"gvisor", "gvisor24"},  # the others' kernel is Linux, and its rules about who may are theirs
    "xattr_tree": {"gvisor", "gvisor24"},
    "namespaces": set(ENVS) - {"host"},  # it takes root to have any
    "devices": {"docker", "restricted", "gvisor", "gvisor24"},
    "fstype": {"docker", "restricted", "gvisor", "gvisor24"},
    "sysctl": {"tiny", "docker", "restricted", "gvisor", "gvisor24"},
    "overlay": set(ENVS) - {"host"},  # which have no overlayfs, or one of their own
    "cgroup": set(ENVS) - {"host"},  # likewise
    "mounts": set(ENVS) - {"host"},  # which may not mount, or have less to mount
    "sysctl_tree": set(ENVS) - {"host"},  # likewise
    "fs": {"docker", "restricted", "gvisor", "gvisor24"},  # which may not mount, or resolve paths in their own way
}
# Environments without root, whose oracle on the host must not be root, either.
AS_NOBODY = {("sysctl", "restricted"), ("devices", "restricted"), ("fs", "restricted"), ("overlay", "restricted"), ("keyring", "restricted")}
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--"]
# … but for these, which that environment answers in its own way: it has them, or its user may less.
ASK_ITSELF = {("seccomp/filter_strict", "docker"), ("seccomp/filter_strict", "restricted"), ("newcalls/process_vm_users", "restricted")}
# … and these, where an environment lacks just what they need, and lichen fills it.
ALSO_FROM_HOST = {("seccomp/filter_strict", "gvisor"), ("seccomp/filter_strict", "gvisor24"), ("engine/clone3", "docker"), ("engine/clone3", "restricted")}
# What of newcalls is no other in a container than outside, but for what its user may.
FILE_CALLS = ("netlink_", "pipe_", "close_", "copy_", "faccessat2_", "new_", "openat2_", "preadv2_", "statx_")
ASK_ITSELF |= {
    (f"newcalls/{path.stem}", env)
    for path in (HERE / "newcalls").glob("*.c")
    for env in ("docker", "restricted", "tiny")
    if path.name.startswith(FILE_CALLS)
}
# Environments whose kernel is not Linux: a line may be what that kernel says (lichen passes calls through) or what Linux says
# (lichen answers itself: it parses #! lines, and its SEM_UNDO undoes).
EITHER = {group: {"gvisor", "gvisor24"} for group in ("engine", "seccomp")}

# Where groups also run under `lichen why`, which must change nothing: every call of theirs is then observed.
RECORDED = {"engine": ("host", "restricted", "gvisor", "gvisor24"), "sysvipc": ("host", "restricted")}
RECORDED |= {group: ("host",) for group in ("newcalls", "fstype", "sysctl", "devices", "identity", "seccomp")}

SECONDS = 30  # one run of one program
SLOW = {"gvisor": 6, "gvisor24": 4}  # factor on it: a system call costs 75 us there

# What is known to differ, with the reason.  (group/name, environments or None, native line, line under lichen, why); the lines
# are regular expressions.  Keep this list short: each row is a promise to somebody who reads the documentation.
DEVIATIONS = [
    (
        "devices/terminals",
        ("gvisor", "gvisor24"),
        r"^tcgetsid.*: yes$",
        r"^tcgetsid.*: no$",
        "gVisor has no TIOCGSID",
    ),
    (
        "devices/kmsg_opens",
        ("docker", "restricted", "gvisor", "gvisor24"),
        r"^(slash|below): ENOTDIR$",
        r"^(slash|below): ENOENT$",
        "what lies below a supplied file is asked of the kernel, which has no such file",
    ),
    (
        "sysctl/paths",
        None,
        r'^openat\(dir, "panic/x?", O_RDONLY\) = -1 ENOTDIR$|^/proc/sys/kernel/panic/: ENOTDIR$',
        r"(= -1|:) ENOENT$",
        "a supplied file that is taken for a directory is not there at all",
    ),
    (
        "sysctl/open_odd",
        ("gvisor", "gvisor24"),
        r"^(/proc/sys/kernel/panic/.*|panic/.*|  stat|  access):? ENOTDIR$",
        r":? ENOENT$",
        "a supplied file that is taken for a directory is not there at all",
    ),
    (
        "newcalls/process_vm_users",
        ("gvisor", "gvisor24"),
        r"^syscall\(SYS_process_vm_.* = 8$",
        r"^syscall\(SYS_process_vm_.* = -1 EPERM$",
        "gVisor lets only ancestors trace (yama's ptrace_scope 1); and its /proc/PID/mem cannot be written",
    ),
    (
        "newcalls/pidfd_wait",
        ("gvisor", "gvisor24"),
        r"^  signo 17 code (5 status 19|6 status 18) pid right$",
        r"^  signo 17 code (2|3) status 127 pid right$",
        "gVisor's waitid tells of stops and continues like that, whatever it waits for",
    ),
    (
        "sysvipc/shm_ctl",
        ("gvisor", "gvisor24"),
        r"shm_rss 2 ",
        r"shm_rss 0 ",
        "gVisor does not tell which pages of a memfd are there (no SEEK_DATA, no st_blocks)",
    ),
    ("sysvipc/shm_proc", ("gvisor", "gvisor24"), r" rss 8192 ", r" rss 0 ", "the same"),
    (
        "engine/no_new_privs",
        None,
        r"PR_GET_NO_NEW_PRIVS.* = 0$",
        r"PR_GET_NO_NEW_PRIVS.* = 1$",
        "the filter is installed without privilege, which the kernel allows only with no_new_privs set",
    ),
    (
        "engine/exec_errors",
        None,
        r"^busy: ETXTBSY",
        r"^executed$",
        "the agent opens the program as a file: the kernel does not know that it is being executed",
    ),
    (
        "engine/close_all",
        None,
        r"^good == all: yes$",
        r"^good == all: no$",
        "two descriptor numbers are the agent's: dup2 onto them says EBADF",
    ),
    (
        "engine/close_all",
        None,
        r"^executed with four descriptors$",
        r"^not executed: EMFILE$",
        "execve needs a free descriptor for a moment",
    ),
    (
        "engine/proc_self",
        ("gvisor", "gvisor24"),
        r"^auxv entries the same: 1$",
        r"^auxv entries the same: 0$",
        "gVisor has no PR_SET_MM_AUXV: /proc/self/auxv tells the agent's, the program's own vector is right",
    ),
    (
        "engine/proc_self",
        ("gvisor", "gvisor24"),
        r"^/proc/self/environ: ONE=1\|TWO=2$",
        r"^/proc/self/environ: ONE=1\|TWO=2\|",
        "likewise its end: what the agent was started with is longer; the program's own strings come first",
    ),
    (
        "sysvipc/sem_stopped",
        None,
        r"^semop = EINTR|value 1$",
        r"^semop = ok|value 0$",
        "a sleeper is in futex(2), which the kernel restarts unseen after SIGCONT",
    ),
    (
        "sysvipc/sem_undo",
        None,
        r"^vforked child ended: 1 1$",
        r"^vforked child ended: 8 1$",
        "a vfork child shares its parent's memory, and with it the list of adjustments",
    ),
    (
        "sysvipc/msg_wake_threads",
        None,
        r"lrpid other$",
        r"lrpid self$",
        "the kernel notes the thread id of a receiver that slept, the process id of one that did not; lichen the latter always",
    ),
    (
        "sysvipc/proc_paths",
        ("tiny", "gvisor", "gvisor24"),
        r"^stat\(.*: yes$|/sysvipc.*= ok$|openat\(dir, .*= ok$",
        r"^stat\(.*: no$|/sysvipc.*ENOENT$|openat\(dir, .*EBADF$",
        "/proc/sysvipc itself is not there to be listed, stat'ed or passed through; the files in it can be opened",
    ),
    (
        "newcalls/close_range_unshare",
        ("docker", "restricted"),
        r"= 0$|in the thread",
        r"= -1 EPERM$|in the thread",
        "Docker's seccomp profile refuses unshare(CLONE_FILES), which CLOSE_RANGE_UNSHARE is made of where close_range is lacking",
    ),
    (
        "newcalls/openat2_args",
        ("gvisor", "gvisor24"),
        r".",
        r"flags 020200002 .* = EOPNOTSUPP$",
        "gVisor has no O_TMPFILE",
    ),
    ("newcalls/openat2_scope", ("gvisor", "gvisor24"), r".", r"flags 020200002 .* = EOPNOTSUPP$", "the same"),
    (
        "engine/clone_flags",
        ("docker", "restricted"),
        r"^CLONE_FS.CLONE_NEWNS: EPERM$",
        r"^CLONE_FS.CLONE_NEWNS: EINVAL$",
        "a seccomp profile refuses all new namespaces; gap mounts answers as the kernel does",
    ),
    ("identity/id_maps", None, r" 4294967295", r" 4294967294", "so that programs know that their root is not the machine's"),
    ("processes/proc_files", ("gvisor", "gvisor24"), r'timerslack_ns: 6 "70000"', r'timerslack_ns: 6 "50000"', "gVisor has no timer slack"),
    ("mounts/mnt_flags", ("tiny",), r"^executed as 1000$", r"^executed as 0$", "its /dev/shm, where the tree is, is nosuid"),
    ("mounts/mnt_api_fsopen", None, r" sysfs of.040it rw$", r" ro$", "the same"),
    ("mounts/mnt_tmpfs", None, r" sysfs src rw$", r" sysfs src ro$", "it is the machine's: nobody in a cell writes to it"),
    ("mounts/mnt_flags", None, r"^mmap PROT_EXEC: EPERM$", r"^mmap PROT_EXEC: ok$", "mmap of a descriptor is not looked at: noexec keeps from execve"),
    ("mounts/pid_nested", ("gvisor", "gvisor24"), r"^NSpid of ", r":$", "its /proc/PID/status has no such line"),
    ("mounts/ns_files", ("gvisor",), r"^setns.pidfd, 0x40000000.: ok$", r"EOPNOTSUPP$", "which network namespace a process is in is not told there"),
    ("fs/create", ("gvisor", "gvisor24"), r"^open_tmpfile", r"EOPNOTSUPP$", "the same"),
    ("fs/openat2", ("gvisor", "gvisor24"), r"^ tmpfile", r"EOPNOTSUPP$", "the same"),
    ("fs/mounts", ("gvisor", "gvisor24"), r"O_TMPFILE", r"EOPNOTSUPP$", "the same"),
    ("fs/mounts", ("gvisor",), r"^ create .*EISDIR$", r"ok$", "gVisor of 2022 opens a directory with O_CREAT"),
    ("fs/read_only", ("gvisor", "gvisor24"), r"O_TMPFILE", r"EOPNOTSUPP$", "the same"),
    ("fs/sockets", ("gvisor", "gvisor24"), r"^bind.*ENOENT$|^sendto.*ECONNREFUSED$", r"EPERM$|EINVAL$", "gVisor's own errnos"),
    ("fs/walk", ("gvisor", "gvisor24"), r"^syscall.SYS_getdents64.* ENOENT$", r"= 48$", "a removed directory is still listed"),
]

# Not run where the kernel below does not have what a program is about, or has it in its own way.  {name: (environments, why)}
NOT_HERE = {
    "fs/cwd": (("gvisor", "gvisor24"), "a removed directory has links and can be written to"),
    "fs/cwd_unshared": (("docker", "restricted"), "Docker's seccomp profile refuses unshare(CLONE_FS)"),
    "mounts/chroot_threads": (("docker", "restricted"), "the same"),
    "fs/dirfds": (("gvisor", "gvisor24"), "the same"),
    "fs/magic": (("gvisor", "gvisor24"), "the same"),
    "fs/empty_path": (("gvisor", "gvisor24"), "the same; it has no O_TMPFILE, and knows few AT_ flags"),
    "fs/limits": (("gvisor", "gvisor24"), "its paths may be longer than PATH_MAX"),
    "fs/pairs": (("gvisor", "gvisor24"), "it has no RENAME_EXCHANGE"),
    "overlay/ovl_pairs": (("gvisor", "gvisor24"), "it has no RENAME_EXCHANGE and no O_TMPFILE"),
    "identity/id_peers": (("gvisor", "gvisor24"), "SO_PEERCRED tells the caller itself"),
    "namespaces/ns_enter": (("gvisor",), "its /proc/PID/ns has no links"),
    "mounts/pid_nested_end": (("gvisor",), "it has no PR_SET_CHILD_SUBREAPER"),
    "xattr_tree/tree_attr_caps": (("docker", "restricted"), "who may not set them otherwise, may not there"),
    "xattr_tree/tree_attr_kept": (("docker", "restricted"), "likewise"),
    "keyring/key_access": (("docker",), "root has no CAP_SYS_ADMIN, which chown of keys asks for"),
    "fs/unnamed": (("gvisor", "gvisor24"), "it has no O_TMPFILE"),
    "fs/socket_connect_waits": (("gvisor", "gvisor24"), "connect to who has no room is EAGAIN there"),
    "cgroup/cg_v1_percpu": (("gvisor", "gvisor24"), "its /proc does not tell where a thread ran"),
    "fs/permissions": (("gvisor", "gvisor24"), "it asks for permission in another order"),
    "mounts/tmpfs_holes": (("gvisor", "gvisor24"), "its tmpfs says that holes have blocks"),
}


def runs_in(name, env):
    return env not in NOT_HERE.get(name, ((),))[0]


def names(group=None):
    found = []
    for g in GROUPS:
        if group in (None, g):
            found += sorted(f"{g}/{p.stem}" for p in (HERE / g).glob("*.c"))
    return [n for n in found if n not in NOT_TESTS]


def binary(name):
    path = pathlib.Path(os.environ.get("DIFFTEST_BIN") or REPO / "build/tests/gaps") / name.replace("/", "-")
    if not path.exists():
        sys.exit(f"difftest: {path} is not there: is it in tests/gaps/meson.build, and built?")
    return path


def lichen():
    return os.environ.get("LICHEN") or str(REPO / "build/lichen")


# --- inside an environment -------------------------------------------------------------------------------------------------


def private_ipc():
    """A prefix that gives a native program an IPC namespace of its own, where that is allowed."""
    prefix = [shutil.which("unshare") or "unshare", "--ipc", "--"]
    try:
        if subprocess.run(prefix + ["true"], capture_output=True, check=False, timeout=20).returncode == 0:
            return prefix
    except (OSError, subprocess.TimeoutExpired):
        pass
    return []


def private_namespaces():
    """The same for what a cell has of its own."""
    return [shutil.which("unshare") or "unshare", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--"]


def execute(command, seconds, slow=False):
    """Runs a command; returns its transcript, its status as a shell tells it, and the end of what it said on stderr."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "TMPDIR": "/tmp", "HOME": "/tmp"}
    if slow:
        environment["DIFFTEST_SLOW"] = "1"
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
        os.chmod(folder, 0o777)  # before the program starts, which may change it too
        process = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        )
        late = False
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
            os.killpg(process.pid, signal.SIGKILL)
            try:
                out, err = process.communicate(timeout=5)
            except subprocess.TimeoutExpired:  # something left the session and holds the pipe
                out, err = b"", b"(output still held open)"
        status = process.returncode if process.returncode is not None else -9
    text = out.decode(errors="replace")
    if late:
        text += f"\n(no end after {seconds} s)\n"
    return {
        "late": late,
        "out": text[-200000:],
        "status": 128 - status if status < 0 else status,
        "err": err.decode(errors="replace")[-2000:],
    }


def file_with(path, text):
    path.write_text(text)
    path.chmod(0o644)


@contextlib.contextmanager
def guest_root(program, nobody):
    """A root directory for a program of group fs, and the arguments that name it for lichen and for enter_root alike.

    It lies on a tmpfs in every environment, and holds the program, mount points, and what other directories of the host are there.
    """
    shm = os.statvfs("/dev/shm")
    place = "/tmp" if shm.f_flag & os.ST_NOEXEC else "/dev/shm"
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = pathlib.Path(name)
        root = folder / "root"
        folder.chmod(0o755)
        for path in ("root", "root/proc", "root/sys", "root/dev", "root/etc", "root/bind", "root/bind_ro", "bind", "bind/inner", "bind/folder", "inner"):
            (folder / path).mkdir()
        for path in ("bind_ro", "bind_ro/folder"):
            (folder / path).mkdir()
        for path in ("bind/file", "bind_ro/file", "bind_file", "inner/file", "root/bind_file"):
            file_with(folder / path, path)
        (folder / "bind/to_out").symlink_to("../t")
        (folder / "bind/to_abs").symlink_to("/t/file")
        (folder / "bind/to_above").symlink_to("../../../../../etc/lichen-outside")
        (folder / "bind_ro/to_file").symlink_to("file")
        shutil.copy(program, root / "prog")
        binds = ["bind:/bind", "inner:/bind/inner", "bind_ro:/bind_ro:ro", "bind_file:/bind_file"]
        if nobody and os.getuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, 65534, 65534, follow_symlinks=False)
        arguments = ["--rootfs", str(root)]
        if program.endswith(("-mounts", "-read_only", "-unnamed", "-pivot_root", "-many_spaces")):
            arguments += [word for bind in binds for word in ("-v", f"{folder}/{bind}")]
        yield arguments + ["--", "/prog"]


def execute_in_root(starter, program, request, nobody=False):
    with guest_root(program, nobody) as arguments:
        return execute(starter + (["--nobody"] if nobody else []) + arguments, request["seconds"], request["slow"])


@contextlib.contextmanager
def overlay_layers(program):
    """Layers for a program of group overlay: the folder that holds them. The lower one is filled, the program in it."""
    shm = os.statvfs("/dev/shm")
    with tempfile.TemporaryDirectory(dir="/tmp" if shm.f_flag & os.ST_NOEXEC else "/dev/shm") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        lower = folder / "lower"
        for path in ("proc", "dev", "sys", "etc", "a/dir/sub", "a/dir2/in", "a/dir3/in", "a/empty", "a/many"):
            (lower / path).mkdir(parents=True)
        for path in ("one", "two", "three", "mode", "owner", "times", "noted", "noted2", "fd", "before", "dir/in", "dir/sub/deep"):
            file_with(lower / "a" / path, pathlib.PurePath(path).name)
        for path in ("dir2/x", "dir2/in/y", "dir3/x", "dir3/in/y"):
            file_with(lower / "a" / path, path)
        for n in range(700):
            file_with(lower / f"a/many/n{n}", "")
        file_with(lower / "a/big", "big" * 1000000)
        for path, target in (("link", "two"), ("link2", "none"), ("dangling", "new")):
            (lower / "a" / path).symlink_to(target)
        os.mkfifo(lower / "a/fifo", 0o644)
        with contextlib.suppress(OSError):
            os.setxattr(lower / "a/noted", "user.note", b"note")
            os.setxattr(lower / "a/noted2", "user.note", b"note")
        shutil.copy(program, lower / "prog")
        yield folder


def tree_digest(folder):
    """All that a directory holds, as text."""
    return repr(sorted((str(p), p.lstat().st_mode, p.lstat().st_mtime_ns, p.lstat().st_size, p.lstat().st_uid) for p in folder.rglob("*")))


KERNEL_OVERLAY = """
mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/upper.work" "$1/merged" || exit 99
shift; exec "$@"
"""


def execute_overlay(program, request, by_kernel, read_by_kernel):
    """Runs a program in an overlay, then once more to print the tree, in an overlay of the same layers."""
    with overlay_layers(program) as folder:
        for path in ("upper", "upper.work", "merged"):
            (folder / path).mkdir(mode=0o755)
        nobody = ["--nobody"] if request.get("nobody") else []
        if nobody and os.getuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, 65534, 65534, follow_symlinks=False)
        before = tree_digest(folder / "lower")
        mounted = ["unshare", "-m", "sh", "-c", KERNEL_OVERLAY, "sh", str(folder), str(binary("fs/enter_root")), *nobody, "--rootfs", f"{folder}/merged"]
        emulated = [lichen(), "run", AGENT, "--rootfs", f"{folder}/lower", "--upper", f"{folder}/upper"]
        result = execute((mounted if by_kernel else emulated) + ["--", "/prog"], request["seconds"], request["slow"])
        again = execute((mounted if read_by_kernel else emulated) + ["--", "/prog", "dump"], request["seconds"], request["slow"])
        result["out"] += f"--- afterwards (status {again['status']})\n" + again["out"]
        result["err"] += again["err"]
        result["out"] += f"the lower layer is as it was: {tree_digest(folder / 'lower') == before}\n"
    return result


def inside():
    """Reads requests {'name', 'native', 'lichen', 'seconds', 'slow'} from stdin, writes results as they come."""
    prefix = None
    for line in sys.stdin:
        request = json.loads(line)
        name = request["name"]
        result = {"name": name}
        program = str(binary(name))
        if name.startswith(IN_A_ROOT):
            if request["native"]:
                result["native"] = execute_in_root([str(binary("fs/enter_root"))], program, request, request.get("nobody", False))
            if request["lichen"]:
                result["lichen"] = execute_in_root([lichen(), "run", *(GROUPS[name.split("/")[0]] or [AGENT])], program, request)
            print(json.dumps(result), flush=True)
            continue
        if name.startswith("overlay/"):
            if request["native"]:
                result["native"] = execute_overlay(program, request, True, True)
            if request["lichen"]:
                result["lichen"] = execute_overlay(program, request, False, request["native"])
            print(json.dumps(result), flush=True)
            continue
        if request["native"]:
            if prefix is None:
                prefix = private_ipc()
            before = private_namespaces() if name.startswith("namespaces/") else prefix
            nobody = NOBODY if request.get("nobody") else []
            result["native"] = execute(before + nobody + [program], request["seconds"], request["slow"])
        if request["lichen"]:
            command = [lichen()] + (["why", "--output=/dev/null"] if request.get("recorded") else ["run"])
            command += GROUPS[name.split("/")[0]] + ["--", program]
            result["lichen"] = execute(command, request["seconds"], request["slow"])
        print(json.dumps(result), flush=True)


# --- outside ---------------------------------------------------------------------------------------------------------------


def run_in(env, requests, report=None):
    """Runs requests in an environment.  Returns {name: result}; a name is missing when the environment ended before it."""
    results = {}
    if not requests:
        return results
    command = [str(HERE.parent / "envs" / env), "/usr/bin/python3", "-I", str(HERE / "difftest.py"), "inside"]
    seconds = sum(r["seconds"] for r in requests) + 60
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, cwd=REPO, start_new_session=True
        ) as process:
            watchdog = threading.Timer(seconds, process.terminate)
            watchdog.start()
            try:
                process.stdin.write("".join(json.dumps(r) + "\n" for r in requests))
                process.stdin.close()
                for line in process.stdout:
                    if line.startswith("{"):
                        result = json.loads(line)
                        results[result["name"]] = result
                        if report:
                            report(result)
            finally:
                watchdog.cancel()
        said.seek(0)
        noise = said.read()
    if len(results) < len(requests):
        sys.stderr.write(f"difftest: {env} ended with status {process.returncode}: {noise[-2000:]}\n")
    return results


def forgiven(name, env, native, under):
    return any(
        name == row[0] and (row[1] is None or env in row[1]) and re.search(row[2], native) and re.search(row[3], under)
        for row in DEVIATIONS
    )


def lines(result):
    return result["out"].splitlines() + [f"(exit status {result['status']})"]


def difference(name, env, native, under, second=None):
    """None when both sides agree, else the difference as text.  With a second oracle each line may agree with either."""
    for side, result in (("the kernel", native), ("lichen", under)):
        if result.get("late"):  # both may hang alike
            return f"no end under {side}: {result['out'][-2000:]}"
    a, b = lines(native), lines(under)
    c = lines(second) if second else a
    if b == c:
        return None
    if len(a) == len(b):
        c = c if len(c) == len(b) else a
        a = [y if y == z or (x != y and forgiven(name, env, x, y)) else x for x, y, z in zip(a, b, c)]
    if a == b:
        return None
    text = "\n".join(difflib.unified_diff(a, b, "kernel", "lichen", lineterm="", n=3))
    return text[:6000] + (f"\nstderr under lichen: {under['err']}" if under["err"] else "")


def wants(name, env):
    """The request for one program in one environment, and whether the host is asked, too."""
    group = name.split("/")[0]
    from_host = (env in FROM_HOST[group] and (name, env) not in ASK_ITSELF) or (name, env) in ALSO_FROM_HOST
    either = env in EITHER.get(group, ())
    seconds = SECONDS * SLOW.get(env, 1)
    request = {"name": name, "native": not from_host, "lichen": True, "seconds": seconds, "slow": env in SLOW}
    return request, from_host or either


def compare(env, chosen, report=None, recorded=False):
    """Runs programs in an environment against their oracle, recorded: under `lichen why`.  Returns {name: None or the difference}."""
    requests, oracle, verdicts = [], {}, {}
    for name in chosen:
        request, ask_host = wants(name, env)
        requests.append(dict(request, recorded=recorded))
        if ask_host:
            oracle[name] = None
    if oracle:
        on_host = [
            {
                "name": n,
                "native": True,
                "lichen": False,
                "seconds": SECONDS,
                "slow": env in SLOW,
                "nobody": (n.split("/")[0], env) in AS_NOBODY,
            }
            for n in oracle
        ]
        oracle = run_in("host", on_host)

    def judge(result):
        name = result["name"]
        host = oracle.get(name, {}).get("native")
        native = result.get("native") or host
        if native is None:
            verdicts[name] = "no transcript of the kernel"
        else:
            verdicts[name] = difference(name, env, native, result["lichen"], host)
        if report:
            report(name, verdicts[name])

    run_in(env, requests, judge)
    for name in chosen:
        verdicts.setdefault(name, f"{env} ended before this program ran")
    return verdicts


def main():
    if sys.argv[1:2] == ["inside"]:
        inside()
        return 0
    parser = argparse.ArgumentParser(description="Compare programs on the kernel and under lichen.")
    parser.add_argument("--env", choices=ENVS, default="host")
    parser.add_argument("--group", choices=list(GROUPS))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--recorded", action="store_true", help="under `lichen why`: recording changes nothing")
    parser.add_argument("--native", action="store_true", help="only run natively, twice: is the test itself deterministic?")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    chosen = [n for n in names(options.group) if not options.name or n in options.name or n.split("/")[1] in options.name]
    chosen = [n for n in chosen if runs_in(n, options.env)]
    if options.list:
        print("\n".join(chosen))
        return 0
    failed = 0

    def report(name, verdict):
        nonlocal failed
        failed += verdict is not None
        print(f"{'ok  ' if verdict is None else 'FAIL'} {name}", flush=True)
        if verdict:
            print("    " + verdict.replace("\n", "\n    "), flush=True)

    if options.native:
        both = [dict(wants(n, options.env)[0], native=True, lichen=False) for n in chosen]
        first = run_in(options.env, both, lambda r: print('ran ', r['name'], r['native']['status'], flush=True))
        second = run_in(options.env, both)
        for n in chosen:
            report(n, difference(n, options.env, first[n]["native"], second[n]["native"]))
    else:
        compare(options.env, chosen, report, options.recorded)
    if not chosen:
        sys.exit("difftest: there is no such program: see --list")
    print(f"{len(chosen)} programs in {options.env}, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
