# SPDX-License-Identifier: Apache-2.0
"""Proves from inside that an environment is what it claims to be.

usage: tests/envs/NAME /usr/bin/python3 -I -S check.py NAME

Prints one line for each check, 'ok - …' or 'not ok - …', and always ends with status 0: selftest counts the lines, and the
line 'end' shows that none is missing.  Everything is found by doing it, in a child process where it leaves traces.
"""
import ctypes
import errno
import mmap
import os
import platform
import signal
import socket
import stat
import struct
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ENV = sys.argv[1]

NR = {
    "shmget": 29, "shmat": 30, "shmctl": 31, "clone": 56, "semget": 64, "semop": 65, "semctl": 66, "shmdt": 67,
    "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "getppid": 110, "mknod": 133, "pivot_root": 155,
    "chroot": 161, "mount": 165, "umount2": 166, "semtimedop": 220, "keyctl": 250, "unshare": 272, "setns": 308,
    "seccomp": 317, "bpf": 321, "statx": 332, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "fsopen": 430, "clone3": 435, "openat2": 437,
}  # fmt: skip
NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_PRIVATE, MS_MGC_VAL = 1, 32, 4096, 1 << 18, 0xC0ED0000
NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
CAP_DOCKER = 0xA80425FB
CAP_GVISOR = 0x3FFFFFDFFF


def report(passed, text, seen):
    print(f"{'ok' if passed else 'not ok'} - {ENV}: {text}" + ("" if passed else f" (seen: {seen})"), flush=True)


def equal(text, seen, wanted):
    report(seen == wanted, f"{text}: {wanted}", seen)


def raw(name, *args):
    """One system call. Returns 'ok' or the name of the errno."""
    number = name if isinstance(name, int) else NR[name]
    values = [ctypes.c_void_p(a) if isinstance(a, int) else a for a in args]
    values += [ctypes.c_void_p(0)] * (6 - len(values))
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *values)
    return "ok" if result != -1 else errno.errorcode[ctypes.get_errno()]


def attempt(function, *args, **kw):
    """Calls function. Returns 'ok' or the name of the errno of its OSError."""
    try:
        function(*args, **kw)
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    return "ok"


def child(function, *args):
    """Runs function in a child process. Returns its result as text, or 'signal N'."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(w, str(function(*args)).encode())
        finally:
            os._exit(0)
    os.close(w)
    text = b""
    while part := os.read(r, 4096):
        text += part
    os.close(r)
    status = os.waitpid(pid, 0)[1]
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else text.decode()


def refused(text, wanted, name, *args):
    equal(text, child(raw, name, *args), wanted)


def status_field(name):
    with open("/proc/self/status", encoding="ascii") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith(name + ":")), "absent")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def interfaces():
    return ",".join(sorted(name for _, name in socket.if_nameindex()))


def talk_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as c:
        peer = server.accept()[0]
        peer.send(b"over tcp")
        peer.close()
        return c.recv(100).decode()


def talk_unix():
    path = f"/tmp/socket.{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as c:
        server.bind(path)
        server.listen()
        c.connect(path)
        os.unlink(path)
        peer = server.accept()[0]
        peer.send(b"over unix")
        peer.close()
        return c.recv(100).decode()


def share_memfd():
    fd = os.memfd_create("check")
    os.ftruncate(fd, 4096)
    here = mmap.mmap(fd, 4096)
    parent = os.getpid()
    if os.fork() == 0:
        again = os.open(f"/proc/{parent}/fd/{fd}", os.O_RDWR)
        mmap.mmap(again, 4096)[:6] = b"shared"
        os._exit(0)
    os.wait()
    return here[:6].decode()


def trap(name):
    """Filters one call with RET_TRAP and makes it: SIGSYS (31) ends the process if the trap won."""
    load, equal_, ret = 0x20, 0x15, 0x06
    program = b"".join(
        struct.pack("HBBI", *insn)
        for insn in ((load, 0, 0, 0), (equal_, 0, 1, NR[name]), (ret, 0, 0, 0x30000), (ret, 0, 0, 0x7FFF0000))
    )
    buf = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 4, ctypes.addressof(buf)))
    libc.prctl(38, ctypes.c_long(1), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))  # PR_SET_NO_NEW_PRIVS
    if libc.prctl(22, ctypes.c_long(2), fprog, ctypes.c_long(0), ctypes.c_long(0)) != 0:  # PR_SET_SECCOMP
        return errno.errorcode[ctypes.get_errno()]
    return raw(name)


def traps(name):
    equal(f"RET_TRAP wins over whatever else answers {name}", child(trap, name), f"signal {int(signal.SIGSYS)}")


def write_file(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("x")
    os.unlink(path)


def run_script():
    path = f"/tmp/script.{os.getpid()}"
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho ran\n")
    os.chmod(path, 0o755)
    seen = subprocess.run([path], capture_output=True, text=True, check=False).stdout.strip()
    os.unlink(path)
    return seen


def gib_of(path):
    st = os.statvfs(path)
    return st.f_bavail * st.f_frsize >> 30


def namespace(name):
    return os.readlink("/proc/self/ns/" + name)


def netlink(protocol):
    return attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol).close())


def getsockopt(family, level, name):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        return attempt(s.getsockopt, level, name, 64)


def bind_port(port):
    with socket.socket() as s:
        s.bind(("127.0.0.1", port))


def mount_new(kind, flags=0, target=b"/mnt"):
    return raw("mount", b"none", target, kind, flags, b"")


def as_nobody(function, *args):
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    return function(*args)


def has_program(path):
    return os.access(path, os.X_OK)


# --- what every environment promises ---


def common():
    equal("the repository is readable", os.path.isfile(os.path.join(os.path.dirname(__file__), "oci.py")), True)
    equal("/tmp is writable", attempt(write_file, "/tmp/.lichen-selftest"), "ok")
    equal("/tmp runs programs", run_script(), "ran")
    report(gib_of("/tmp") >= 2, "/tmp has room for 2 GiB", f"{gib_of('/tmp')} GiB")
    equal("a memfd is shared through /proc/PID/fd", share_memfd(), "shared")
    equal("127.0.0.1 works", talk_tcp(), "over tcp")
    equal("unix sockets work", talk_unix(), "over unix")
    if has_program("/usr/bin/gcc"):
        source = "#include <stdio.h>\nint main(void) { puts(\"compiled\"); }\n"
        program = f"/tmp/hello.{os.getpid()}"
        gcc = ["/usr/bin/gcc", "-x", "c", "-", "-o", program]
        built = subprocess.run(gcc, input=source, capture_output=True, text=True, check=False)
        seen = built.stderr or subprocess.run([program], capture_output=True, text=True, check=False).stdout
        os.unlink(program)
        equal("gcc builds a program that runs", seen.strip(), "compiled")


def make_segment():
    """A SysV segment, made and removed."""
    shmid = libc.shmget(0, ctypes.c_size_t(4096), 0o600)
    return raw("shmctl", shmid, 0, 0) if shmid >= 0 else errno.errorcode[ctypes.get_errno()]


def host():
    equal("nothing is filtered", status_field("Seccomp"), "0")
    refused("unshare of mounts", "ok", "unshare", NEWNS)
    equal("SysV shared memory", make_segment(), "ok")


# --- containers ---


def container(capabilities, restricted):
    equal("uid", os.getuid(), 65534 if restricted else 0)
    equal("groups", os.getgroups(), [65534] if restricted else [0])
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        equal(kind, int(status_field(kind), 16), capabilities)
    for kind in ("CapInh", "CapAmb"):
        equal(kind, int(status_field(kind), 16), 0)
    equal("NoNewPrivs", status_field("NoNewPrivs"), "1" if restricted else "0")
    equal("Seccomp", status_field("Seccomp"), "2")
    equal("Seccomp_filters", status_field("Seccomp_filters"), "1")
    for name, flag in (
        ("user", NEWUSER), ("mnt", NEWNS), ("pid", NEWPID), ("net", NEWNET), ("ipc", NEWIPC), ("uts", NEWUTS),
        ("cgroup", NEWCGROUP),
    ):  # fmt: skip
        refused(f"unshare of {name}", "EPERM", "unshare", flag)
        refused(f"clone into a new {name}", "EPERM", "clone", flag | signal.SIGCHLD)
    refused("clone3", "ENOSYS", "clone3", 0, 0)
    fd = os.open("/proc/self/ns/uts", os.O_RDONLY)
    refused("setns", "EPERM", "setns", fd, 0)
    os.close(fd)
    for kind in (b"tmpfs", b"overlay", b"cgroup2", b"proc"):
        equal(f"mount of {kind.decode()}", child(mount_new, kind), "EPERM")
    refused("umount2", "EPERM", "umount2", b"/tmp", 0)
    refused("fsopen", "EPERM", "fsopen", b"tmpfs", 0)
    refused("pivot_root", "EPERM", "pivot_root", b"/", b"/")
    refused("keyctl", "EPERM", "keyctl", 0, 0)
    refused("bpf", "EPERM", "bpf", 0, 0, 0)
    traps("mount")
    traps("unshare")
    equal("/proc/sys is read-only", attempt(write_file, "/proc/sys/kernel/hostname"), "EROFS")
    equal("/sys is read-only", attempt(os.mkdir, "/sys/fs/cgroup/check"), "EROFS")
    for controller in sorted(os.listdir("/sys/fs/cgroup")):
        folder = "/sys/fs/cgroup/" + controller
        if os.path.isdir(folder):
            equal(f"cgroup {controller} is read-only", attempt(os.mkdir, folder + "/check"), "EROFS")
    for path in ("/proc/keys", "/proc/timer_list"):
        equal(f"{path} is masked", read(path) if os.path.exists(path) else "", "")
    for path in ("/proc/acpi", "/sys/firmware"):
        equal(f"{path} is masked", os.listdir(path) if os.path.exists(path) else [], [])
    devices = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split()
    equal("/dev", sorted(d for d in os.listdir("/dev") if d != "console"), devices)
    equal("/dev/shm is writable", attempt(write_file, "/dev/shm/.lichen-selftest"), "ok")
    equal("network", interfaces(), "lo")
    equal("pid 1", read("/proc/1/comm").strip(), "init")
    equal("host name", platform.node(), ENV)
    equal("SysV shared memory, which Docker allows", make_segment(), "ok")


def chown_check():
    write = os.open("/tmp/owned", os.O_CREAT | os.O_WRONLY)
    os.close(write)
    return attempt(os.chown, "/tmp/owned", 1, 1)


def mknod_null():
    os.mknod("/tmp/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with open("/tmp/null", "w", encoding="ascii") as f:
        f.write("x")


def mknod_disk():
    os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.stat("/").st_dev if os.major(os.stat("/").st_dev) else 0x700)
    os.close(os.open("/tmp/disk", os.O_RDONLY))


def docker():
    container(CAP_DOCKER, False)
    equal("/ is writable", attempt(write_file, "/.lichen-selftest"), "ok")
    equal("chown", chown_check(), "ok")
    equal("mknod of null, and use", attempt(mknod_null), "ok")
    if os.path.exists("/sys/fs/cgroup/devices/devices.list"):
        equal("a disk of one's own making", attempt(mknod_disk), "EPERM")
    equal("port 80", attempt(bind_port, 80), "ok")
    equal("chroot", child(raw, "chroot", b"/"), "ok")


def restricted():
    container(0, True)
    equal("/ is read-only", attempt(write_file, "/.lichen-selftest"), "EROFS")
    equal("/usr is read-only", attempt(write_file, "/usr/.lichen-selftest"), "EROFS")
    equal("HOME", os.environ.get("HOME"), "/tmp")
    equal("chown", chown_check(), "EPERM")
    equal("mknod", attempt(mknod_null), "EPERM")
    equal("chroot", child(raw, "chroot", b"/"), "EPERM")
    equal("port 80", attempt(bind_port, 80), "EACCES")
    equal("setuid 0", attempt(os.setuid, 0), "EPERM")
    equal("the repository is read-only", attempt(write_file, os.path.dirname(__file__) + "/.lichen-selftest"), "EROFS")


# --- tiny ---


def tiny():
    equal("uid", os.getuid(), 0)
    equal("NoNewPrivs", status_field("NoNewPrivs"), "0")
    for name in "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl".split():
        refused(name, "ENOSYS", name)
    for name in "io_uring_setup io_uring_enter io_uring_register clone3".split():
        refused(name, "ENOSYS", name)
    refused("an x32 call", "ENOSYS", 0x40000000 + NR["getppid"])
    equal("NETLINK_NETFILTER", netlink(NETLINK_NETFILTER), "EPROTONOSUPPORT")
    equal("NETLINK_ROUTE", netlink(NETLINK_ROUTE), "ok")
    for name in (64, 65, 67, 80, 96, 128):
        equal(f"getsockopt(SOL_IP, {name})", getsockopt(socket.AF_INET, socket.SOL_IP, name), "ENOPROTOOPT")
    for name in (64, 65, 68, 69, 80):
        equal(f"getsockopt(SOL_IPV6, {name})", getsockopt(socket.AF_INET6, 41, name), "ENOPROTOOPT")
    equal("getsockopt(SOL_IP, IP_TTL)", getsockopt(socket.AF_INET, socket.SOL_IP, socket.IP_TTL), "ok")
    equal("getsockopt(SOL_IPV6, IPV6_TCLASS)", getsockopt(socket.AF_INET6, 41, socket.IPV6_TCLASS), "ok")
    refused("unshare(CLONE_NEWUSER)", "EINVAL", "unshare", NEWUSER)
    refused("unshare(CLONE_NEWUSER|CLONE_NEWNS)", "EINVAL", "unshare", NEWUSER | NEWNS)
    refused("clone(CLONE_NEWUSER)", "EINVAL", "clone", NEWUSER | signal.SIGCHLD)
    fd = os.open("/proc/self/ns/user", os.O_RDONLY)
    refused("setns(CLONE_NEWUSER)", "EINVAL", "setns", fd, NEWUSER)
    os.close(fd)
    refused("unshare of mounts", "ok", "unshare", NEWNS)
    for kind in (b"overlay", b"cgroup", b"cgroup2", b"cpuset"):
        equal(f"mount of {kind.decode()}", child(mount_new, kind), "ENODEV")
        refused(f"fsopen of {kind.decode()}", "ENODEV", "fsopen", kind, 0)
    equal("mount of overlay with MS_MGC_VAL", child(mount_new, b"overlay", MS_MGC_VAL), "ENODEV")
    equal("mount of overlay without privilege", child(as_nobody, mount_new, b"overlay"), "EPERM")
    equal("mount of a type at a bad address", child(raw, "mount", b"none", b"/mnt", 1, 0, 0), "EFAULT")
    equal("mount of tmpfs", child(mount_new, b"tmpfs", 0, b"/media"), "ok")
    equal("bind mount whose type says overlay", child(raw, "mount", b"/etc", b"/media", b"overlay", MS_BIND, 0), "ok")
    equal("remount with MS_MGC_VAL", child(mount_new, b"overlay", MS_MGC_VAL | MS_REMOUNT | MS_BIND, b"/media"), "ok")
    refused("fsopen of tmpfs", "ok", "fsopen", b"tmpfs", 0)
    types = {line.split("\t")[1].strip() for line in read("/proc/filesystems").splitlines()}
    equal("/proc/filesystems lacks them", types & {"overlay", "cgroup", "cgroup2", "cpuset"}, set())
    equal("/proc/filesystems has tmpfs", "tmpfs" in types, True)
    equal("/proc/sysvipc", os.listdir("/proc/sysvipc"), [])
    equal("/proc/cgroups", read("/proc/cgroups"), "")
    equal("/sys/fs/cgroup", os.listdir("/sys/fs/cgroup"), [])
    for name in ("shmget", "mount", "io_uring_setup", "getppid"):
        traps(name)


# --- gVisor ---


def gvisor(generation):
    equal("uid", os.getuid(), 0)
    equal("release", platform.release(), "4.4.0")
    equal("it is gVisor by its log", "Starting gVisor" in subprocess.run(
        ["dmesg"], capture_output=True, text=True, check=False).stdout, True)  # fmt: skip
    equal("CapEff", int(status_field("CapEff"), 16), CAP_GVISOR)
    equal("network", interfaces(), "lo")
    equal("NETLINK_NETFILTER", netlink(NETLINK_NETFILTER), "EPROTONOSUPPORT")
    equal("mount of cgroup2", child(mount_new, b"cgroup2"), "ENODEV")
    equal("mount of tmpfs", child(mount_new, b"tmpfs"), "ok")
    refused("openat2", "ENOSYS", "openat2", 0, 0, 0, 0)
    refused("bpf", "ENOSYS", "bpf", 0, 0, 0)
    # AT_NO_AUTOMOUNT tells the generations apart: it is why ls fails in that of 2022.
    buf = ctypes.create_string_buffer(256)
    refused("statx(AT_NO_AUTOMOUNT)", "ok" if generation == 24 else "EINVAL", "statx", -100 & (2**64 - 1), b"/", 0x800, 0x7FF, buf)
    traps("getppid")
    equal("/ is writable", attempt(write_file, "/.lichen-selftest"), "ok")
    equal("root becomes nobody", child(as_nobody, os.getuid), "65534")
    su = subprocess.run(["su", "nobody", "-s", "/bin/sh", "-c", "id -u"], capture_output=True, text=True, check=False)
    equal("su", su.stdout.strip(), "65534")


CHECKS = {
    "host": host,
    "docker": docker,
    "restricted": restricted,
    "tiny": tiny,
    "gvisor": lambda: gvisor(22),
    "gvisor24": lambda: gvisor(24),
}
common()
CHECKS[ENV]()
print("end")
