# SPDX-License-Identifier: Apache-2.0
"""The attacks: what each is, what policy it meets, which layer is to stop it, and where it cannot work even without a cage.

A row is a program of this folder (built into build/tests/escape) with its surroundings.  Paths in policies and arguments: {work} is
what the policy lets the command write, {outside} what it names nowhere, {bin} the programs, {audit} the log of the run.
"""
import dataclasses

ENVS = ("host", "tiny", "docker", "restricted", "gvisor", "gvisor24")
GVISOR = ("gvisor", "gvisor24")
CONTAINERS = ("docker", "restricted")
LINUX = ("host", "tiny", *CONTAINERS)
MOBY = "Docker's seccomp profile refuses it"

POLICY = """\
version: 1
files:
  read: [{bin}{read}]
  execute: [{bin}{execute}]
  write: [{work}{write}]
{files}
network:
  mode: {network}
{more_network}
audit:
  directory: {audit}
{more}
"""


@dataclasses.dataclass(frozen=True)
class Attack:
    name: str
    reference: str
    layer: str  # that is to stop it, as `lichen cage env-check` calls it
    program: str = ""  # the row's name unless given
    arguments: tuple = ()
    # the policy's parts: see POLICY
    read: str = ""
    write: str = ""
    execute: str = ""
    files: str = ""
    network: str = "none"
    more_network: str = ""
    more: str = ""
    options: tuple = ()  # of lichen run
    command: tuple = ()  # instead of a program
    refusal: str = ""  # what lichen may say instead of starting anything, as a regular expression
    # surroundings
    stdin: str = ""  # terminal, a device, or nothing
    cwd: str = "{work}"
    needs: tuple = ()  # of the runner: servers, victim, inner, log, jail, profile, ipc, handle, descriptors, copies, program, nobody, token
    uncaged: str = "native"  # or lichen: under `lichen run --audit`, so that it is the parent
    changes: bool = False  # without a cage, what lies outside is another than before
    alone: bool = False  # it changes what other attacks look at
    envs: tuple = ENVS  # where it can be set up
    reaches: bool = False  # … the servers were talked to

ATTACKS = (
    Attack("terminal", "CVE-2017-5226, CVE-2019-7303", "syscalls", stdin="terminal"),
    Attack("console", "TIOCLINUX", "syscalls", stdin="/dev/tty0"),
    Attack("io_uring", "io_uring past seccomp", "syscalls"),
    Attack("namespaces", "clone3, clone with high bits, setns", "syscalls"),
    Attack("abi", "x32, int 0x80, 32-bit programs", "syscalls", execute=", {work}"),
    Attack("unix_socket", "CVE-2020-15257 class", "syscalls", arguments=("{abstract}", "{abstract_datagrams}"), needs=("servers",), reaches=True),
    Attack("unix_named", "the same beside a named socket", "unix", program="unix_socket", arguments=("{abstract}", "{abstract_datagrams}"),
           needs=("servers",), reaches=True, more_network="  unix: [{granted}]"),
    Attack("passed", "SCM_RIGHTS", "files", arguments=("{granted}",), needs=("servers",), more_network="  unix: [{granted}]"),
    Attack("files", "plain use", "files", changes=True),
    Attack("metadata", "what Landlock does not judge", "files", arguments=("user.escape",), changes=True),
    Attack("moves", "links and renames over the border", "files", changes=True),
    Attack("race", "CVE-2026-39861 class", "files", arguments=("{rounds}",), changes=True),
    Attack("attribute_race", "attributes, past who is asked", "files", arguments=("{rounds}",), envs=("host", *CONTAINERS, "tiny")),
    Attack("protected", "CVE-2026-25725 class", "deny", files="  deny: [{work}/.git/hooks, {work}/.settings/policy, {work}/protected]"),
    Attack("denied", "a rule that another mount, or another rule, undoes", "deny", needs=("inner",), read=", /proc", write=", {outside}/inner",
           files="  deny: [/proc/version, /proc/sys/kernel, /proc/sys/net/ipv4, {outside}]", changes=True),
    Attack("policy_file", "CVE-2026-25725 class", "deny", arguments=("{work}/policy.yaml",), needs=("policy_inside",)),
    Attack("profile_file", "the same of its seccomp profile", "deny", program="policy_file", arguments=("{work}/profile.json",), needs=("profile",),
           more="processes: {{ syscalls: {work}/profile.json }}"),
    Attack("directory", "CVE-2025-59532 class", "files", cwd="{outside}", changes=True),
    Attack("nested", "the same, by a cage within", "files", cwd="{outside}", changes=True, read=", /etc", execute=", {lichen}, /usr, /bin, /lib, /lib64",
           command=("{lichen}", "run", "--cage", "offline", "--audit={work}/log", "--", "sh", "-c", "echo x >made_here; echo write escaped"), refusal="cannot run|nothing was started"),
    Attack("link_grant", "CVE-2026-39861 class", "files", needs=("links",), refusal="symbolic link", files="  deny: [{work}/.git/hooks]", write=", {work}/granted", changes=True),
    Attack("workdir", "CVE-2024-21626, by -w", "files", program="directory", uncaged="lichen", needs=("descriptors",), options=("-w", "/proc/self/fd/7"),
           changes=True, refusal="standard stream is a directory|working directory"),
    Attack("stream", "CVE-2024-21626, by stdin", "process", needs=("directory_stream",), refusal="standard stream is a directory"),
    Attack("inherited", "CVE-2024-21626", "process", needs=("descriptors",)),
    Attack("program_file", "CVE-2019-5736", "files", uncaged="lichen", needs=("lichen",), arguments=("{outside}/lichen",), changes=True),
    Attack("memory_program", "memfd and written programs", "files"),
    Attack("trace_supervisor", "ptrace, process_vm_writev, /proc/PID/mem", "syscalls", program="trace", uncaged="lichen"),
    Attack("trace_victim", "the same of a stranger", "syscalls", program="trace", arguments=("{victim}",), needs=("victim",)),
    Attack("trace_root", "the same, where a rule names / and the cage has a root of its own", "syscalls", program="trace", arguments=("{victim}",), needs=("victim", "servers", "log"),
           read=", /", files="  deny: [{outside}, {audit}]", more_network="  unix: [{granted}]"),
    Attack("jail", "another /proc than the cage's", "files", arguments=("{folder}/jail/proc", "{victim}"), needs=("victim", "jail"), read=", {folder}/jail",
           envs=("host", "tiny", "gvisor24")),
    Attack("signal_supervisor", "SIGSTOP of the supervisor", "scopes", program="signals", uncaged="lichen"),
    Attack("signal_victim", "signals to strangers", "scopes", program="signals", arguments=("{victim}",), needs=("victim",)),
    Attack("kill_victim", "SIGKILL to strangers", "scopes", program="signals", arguments=("{victim}", "kill"), needs=("victim",)),
    Attack("others_supervisor", "prlimit, nice, affinity of the supervisor", "scopes", program="others", uncaged="lichen"),
    Attack("others_victim", "the same of a stranger", "scopes", program="others", arguments=("{victim}",), needs=("victim",)),
    Attack("others_user", "priorities of all that the user runs", "syscalls", program="others", alone=True, arguments=("{victim}", "user"), needs=("victim", "nobody")),
    Attack("keys", "keyctl", "syscalls"),
    Attack("handle", "open_by_handle_at", "syscalls", needs=("handle",)),
    Attack("kernel_calls", "userfaultfd, perf, bpf, …", "syscalls"),
    Attack("mounts", "mount, chroot", "syscalls"),
    Attack("kernel_files", "CVE-2022-0492 class, mknod", "files"),
    Attack("network", "TCP, UDP, DNS tunnelling", "network", arguments=("{port}",), needs=("servers",), reaches=True),
    Attack("network_proxied", "the same beside a proxy", "network", program="network", arguments=("{port}",), needs=("servers",), reaches=True,
           network="proxy", more_network='  allow: ["good.example:443"]'),
    Attack("network_nobody", "the same as a user", "network", program="network", arguments=("{port}",), needs=("servers", "nobody"), reaches=True,
           envs=("host", *CONTAINERS), network="proxy", more_network='  allow: ["good.example:443"]'),
    Attack("connects", "past connect(2): races, fast open", "network", arguments=("{port}", "{rounds}"), needs=("servers",), reaches=True,
           envs=LINUX, network="proxy", more_network='  allow: ["good.example:443"]'),
    Attack("proxy", "null bytes, mixed case, other spellings", "network", arguments=("{port}",), needs=("servers",), reaches=True, network="proxy",
           more_network='  allow: ["good.example:{port}", "*.good.example:{port}", "localhost:{port}"]'),
    Attack("tunnel", "DNS tunnelling", "network", needs=("resolver",), changes=True, envs=("host",), network="proxy",
           more_network='  allow: ["good.example:443"]'),
    Attack("sockets", "packet, vsock, netlink", "syscalls"),
    Attack("ipc", "System V and POSIX objects", "syscalls", arguments=("{key}",), needs=("ipc",)),
    Attack("ipc_own", "the same, from beside objects of its own", "syscalls", program="ipc", arguments=("{key}",), needs=("ipc",), files="  tmp: true"),
    Attack("setuid", "set-user-ID, file capabilities", "process", needs=("copies", "nobody"), execute=", {folder}/programs"),
    Attack("environment", "tokens, LD_*", "process", uncaged="lichen", needs=("token",)),
    Attack("core_dump", "a core file outside", "files", changes=True),
    Attack("overlong", "long and forged paths", "files", changes=True),
    Attack("audit", "the log and its key", "files", uncaged="lichen", arguments=("{audit}",)),
    Attack("outlive", "daemons", "process"),
    Attack("gadget", "the agent's text", "syscalls", uncaged="lichen", options=("--emulate=sysvipc",)),
    *(
        Attack(f"limit_{kind}", "more than allowed", "limits", program="resources", arguments=(kind, "{seconds}"), more=f"limits: {{{{ {limit} }}}}")
        for kind, limit in (
            ("fork", "processes: 32"),
            ("threads", "processes: 32"),
            ("memory", "memory: 24m"),
            ("memory_of_many", "memory: 24m"),
            ("shared", "memory: 24m"),
            ("file", "file_size: 1m"),
            ("output", "output: 256k"),
            ("descriptors", "open_files: 128"),
            ("wait", "wall: 1s"),
            ("cpu", "cpu_time: 1s"),
            ("disk", "disk: 4m"),
            ("disk_small", "disk: 4m"),
            ("disk_open", "disk: 4m"),
            ("disk_mapped", "disk: 4m"),
            ("disk_moved", "disk: 4m"),
        )
    ),
)

# Where a way fails without a cage, and why: (attack or program, ways or '*', environments, reason).
ABSENT = (
    ("abi", "x32", LINUX, "the kernel is built without CONFIG_X86_X32_ABI"),
    ("abi", "*", GVISOR, "gVisor knows 64-bit programs only"),
    ("abi", "int80 int80_open program_32", ("tiny",), "its kernel has no CONFIG_IA32_EMULATION"),
    ("console", "*", CONTAINERS + GVISOR, "there is no console in it"),
    ("core_dump", "*", GVISOR, "gVisor writes no core dumps"),
    ("files", "openat2", GVISOR, "gVisor has no such call"),
    ("gadget", "userfaultfd process_vm_readv keyctl", CONTAINERS, MOBY),
    ("gadget", "userfaultfd keyctl", GVISOR, "gVisor has no such call"),
    ("gadget", "process_vm_readv", ("gvisor",), "gVisor has no such call"),
    ("handle", "*", CONTAINERS, "it takes CAP_DAC_READ_SEARCH"),
    ("handle", "*", GVISOR, "gVisor has no such call"),
    ("io_uring", "*", ("tiny", *GVISOR), "its kernel has no io_uring"),
    ("ipc", "shmget semget msgget shm_stat", ("tiny",), "its kernel has no System V IPC"),
    ("ipc", "shm_stat", GVISOR, "gVisor does not number segments for who looks at all"),
    ("kernel_calls", "*", CONTAINERS, MOBY),
    ("kernel_calls", "userfaultfd perf_event_open bpf init_module kexec_load reboot iopl swapoff acct personality fanotify_init", GVISOR, "gVisor has no such call"),
    ("kernel_calls", "init_module kexec_load iopl", ("host", "tiny"), "the kernel is built without"),
    ("kernel_files", "core_pattern release_agent cgroup_procs", CONTAINERS, "read-only there"),
    ("kernel_files", "sysrq uevent_helper dev_mem", ("host", "tiny"), "the kernel is built without"),
    ("kernel_files", "core_pattern sysrq uevent_helper release_agent cgroup_procs kmsg dev_mem mknod_disk", GVISOR, "gVisor has no such file"),
    ("kernel_files", "sysrq uevent_helper kmsg dev_mem", CONTAINERS, "masked there"),
    ("kernel_files", "release_agent cgroup_procs", ("host", "tiny"), "no control groups of version 1, or none at all"),
    ("kernel_files", "mknod_disk", LINUX, "a device group of this machine refuses the disk"),
    ("kernel_files", "mknod_mem", ("restricted",), "it takes CAP_MKNOD"),
    ("keys", "*", CONTAINERS, MOBY),
    ("keys", "*", GVISOR, "gVisor has no keys"),
    ("memory_program", "dev_shm", CONTAINERS, "/dev/shm is noexec"),
    ("memory_program", "memfd_flag tmpfile", GVISOR, "gVisor has no such flag"),
    ("mounts", "remount", ("gvisor",), "gVisor of 2022 does not change mounts"),
    ("mounts", "tmpfs bind user_namespace remount fsopen open_tree mount_setattr pivot_root", CONTAINERS, MOBY),
    ("mounts", "chroot", ("restricted",), "it takes CAP_SYS_CHROOT"),
    ("mounts", "user_namespace", ("tiny",), "its kernel has no user namespaces"),
    ("mounts", "fsopen open_tree mount_setattr", GVISOR, "gVisor has no such call"),
    ("mounts", "user_namespace pivot_root", ("gvisor",), "gVisor of 2022 has one mount namespace"),
    ("moves", "exchange", GVISOR, "gVisor exchanges no names"),
    ("namespaces", "*", CONTAINERS, MOBY),
    ("namespaces", "clone3_user clone3_all clone_user clone_64 unshare_user", ("tiny",), "its kernel has no user namespaces"),
    ("namespaces", "clone3_user clone3_all setns", ("gvisor",), "gVisor of 2022 has no such call"),
    ("nested", "*", ("gvisor",), "the inner cage cannot be had"),
    ("network", "mptcp fast_open", GVISOR, "gVisor has neither"),
    ("others", "migrate_pages", CONTAINERS, MOBY),
    ("others", "sched_setscheduler ioprio_set ioprio_user migrate_pages", GVISOR, "gVisor has no such call"),
    ("program_file", "beside_own", ("restricted",), "its root is read-only"),
    ("protected", "umount", CONTAINERS, MOBY),
    ("protected", "exchange parent_exchanged", GVISOR, "gVisor exchanges no names"),
    ("setuid", "capabilities", ("docker",), "CAP_SETFCAP's program would have more than the container"),
    ("setuid", "*", ("restricted",), "no_new_privs is set there"),
    ("setuid", "*", GVISOR, "gVisor gives nothing to such programs"),
    ("signal_victim", "pidfd", GVISOR, "gVisor has no such call"),
    ("kill_victim", "pidfd", GVISOR, "gVisor has no such call"),
    ("sockets", "packet raw", ("restricted", *GVISOR), "it takes CAP_NET_RAW"),
    ("sockets", "address", CONTAINERS, "it takes CAP_NET_ADMIN"),
    ("sockets", "alg", LINUX + GVISOR, "the kernel is built without"),
    ("sockets", "netfilter", ("tiny", *GVISOR), "its kernel has no netfilter"),
    ("sockets", "vsock sock_diag", GVISOR, "gVisor has no such sockets"),
    ("unix_socket", "pair_datagram pair_raw", GVISOR, "gVisor's pairs send to each other only"),
    ("terminal", "*", GVISOR, "gVisor has no TIOCSTI"),
    ("trace", "pidfd_getfd", CONTAINERS, MOBY),
    ("trace", "mem pidfd_getfd", GVISOR, "gVisor has neither"),
    ("trace_supervisor", "process_vm_writev", ("gvisor",), "gVisor of 2022 has no such call"),
    *((row, "process_vm_readv process_vm_writev", CONTAINERS, MOBY) for row in ("trace_victim", "trace_root")),
    *((row, "process_vm_readv process_vm_writev", ("gvisor",), "gVisor of 2022 has no such call") for row in ("trace_victim", "trace_root")),
)

# Ways that another layer than their row's is to stop: (attack or program, ways, layer).
LAYERS = (
    ("trace", "mem maps environ fd cwd root", "files"),
    ("others", "cmdline oom_score_adj", "files"),
    ("gadget", "open", "files"),
    ("environment", "parents_file", "files"),
    ("ipc", "shm_open shm_write shm_list", "files"),
    ("io_uring", "open", "files"),
    ("abi", "int80_open", "files"),
)

# What a cage does not stop in an environment, which docs/cage-policy.md says: (attack or program, ways, environments, reason).
LIMITS = (
    ("memory_program", "tmpfile written", CONTAINERS, "programs that lichen loads are mapped, which Landlock's execute right does not judge"),
    ("memory_program", "written", ("gvisor24",), "programs that lichen loads are mapped, which gVisor's noexec does not judge"),
    ("passed", "directory", ("gvisor24",), "there is no Landlock: who serves a socket that is named may hand in what it likes"),
    ("trace_supervisor", "maps environ", ("gvisor24",), "it is lichen's pid 1 of the cage, with an empty environment: gVisor shows these of any process of the same user"),
    ("signal_supervisor", "*", ("gvisor24",), "it is lichen's pid 1 of the cage, whose end is the command's; gVisor does not protect it"),
    ("outlive", "storm", ("gvisor",), "its /proc does not tell who is whose child: they are looked for, and gone when found"),
    ("outlive", "*", ("gvisor",), "gVisor of 2022 has no PR_SET_CHILD_SUBREAPER: orphans are not ours"),
    ("kernel_calls", "syslog", GVISOR, "it is lichen's imitation of a kernel's log that is read"),
    ("others", "cmdline", CONTAINERS + GVISOR, "without a process-id namespace and a /proc of its own a guest sees that other processes are there"),
    ("others_user", "cmdline", ("tiny",), "its kernel has no user namespaces, so nobody can make a process-id namespace there"),
)

# Layers that lichen may lack, by environment: a refusal may name these alone. In gVisor any.
LACKING = {"host": (), "tiny": (), **dict.fromkeys(CONTAINERS, ("unix", "deny"))}

# What a machine's kernel may have or not, whatever the environment: not an error where it works.
MACHINE = (
    "abi/x32", "abi/int80", "abi/int80_open", "abi/program_32", "console/tioclinux", "console/tioclinux_64", "core_dump/core",
    "kernel_calls/init_module", "kernel_calls/kexec_load", "kernel_calls/iopl", "kernel_files/sysrq", "kernel_files/uevent_helper",
    "kernel_files/dev_mem", "kernel_files/mknod_disk", "kernel_files/release_agent", "kernel_files/cgroup_procs", "sockets/alg", "sockets/vsock",
    "network/mptcp", "metadata/setxattr",
)


def look_up(table, row, way, env):
    for attack, ways, envs, why in table:
        if attack in (row.name, row.program) and env in envs and (ways == "*" or way in ways.split()):
            return why
    return None


def why_absent(row, way, env):
    """Why a way fails without a cage in an environment; None: it must succeed."""
    return look_up(ABSENT, row, way, env)


def limit_of(row, way, env):
    """Why a way succeeds in a cage in an environment; None: it must fail."""
    return look_up(LIMITS, row, way, env)


def layer_of(row, way):
    for attack, ways, layer in LAYERS:
        if attack in (row.name, row.program) and way in ways.split():
            return layer
    return row.layer
