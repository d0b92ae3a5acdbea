# SPDX-License-Identifier: Apache-2.0
"""bench/run --containers: lichen's cells against container tools of Debian's, on one image with a compiler, git and npm.

Takes root, and a mount namespace of its own (bench.py sees to that): all mounts, and with them all that a tool left mounted,
end with it.  Every figure but those of starts is taken inside, by the clock: a tool's own start is not in it.  A run begins in a
fresh writable layer where the mode has layers (overlay, fuse-overlayfs, lichen, podman, runsc in memory); native, proot, bwrap
and crun write to one unpacked copy, native being chroot into it.
"""
import atexit
import json
import os
import pathlib
import shutil
import subprocess
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
IMAGE = "bench:latest"
SLOW_START = 0.15  # seconds: of what takes longer, fewer are started in a row
INCLUDE = "git,make,gcc,libc6-dev"


def output(command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False, **how)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-400:]
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {words}")
    return done.stdout


# --- the image ---------------------------------------------------------------------------------------------------------------


def npm_project(top):
    """Ten packages of forty files each, from tar balls beside it: npm ci needs no registry."""
    top.mkdir()
    parts = {}
    for number in range(10):
        part = top / f"part{number}"
        part.mkdir()
        (part / "package.json").write_text(json.dumps({"name": f"part{number}", "version": "1.0.0"}), encoding="ascii")
        for file in range(40):
            (part / f"file{file}.js").write_text(f"module.exports = {file};\n" * 40, encoding="ascii")
        output(["npm", "pack", "--silent", "--pack-destination", str(top), str(part)])
        parts[f"part{number}"] = f"file:part{number}-1.0.0.tgz"
    (top / "package.json").write_text(json.dumps({"name": "top", "version": "1.0.0", "dependencies": parts}), encoding="ascii")
    output(["npm", "install", "--offline", "--silent", "--no-audit", "--no-fund"], cwd=top)


def add_npm(tree, note):
    """This machine's node and npm, where they are one program and one folder; what is missing is noted."""
    modules = pathlib.Path("/usr/lib/node_modules/npm")
    if not shutil.which("npm") or not modules.is_dir() or not shutil.which("node"):
        note("npm-ci: this machine has no npm in /usr/lib/node_modules")
        return
    shutil.copy(shutil.which("node"), tree / "usr/bin/node")
    shutil.copytree(modules, tree / "usr/lib/node_modules/npm", symlinks=True)
    (tree / "usr/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    npm_project(tree / "npm")


def make_image(folder, note):
    """folder/image: a small Debian with what the benchmarks need; folder/image.tar is the same. Made once."""
    tree, archive = folder / "image", folder / "image.tar"
    if archive.exists():
        return
    shutil.rmtree(tree, ignore_errors=True)
    if not (folder / "debian.tar").exists():
        less = ['--customize-hook=cd "$1" && rm -rf var/cache/* var/lib/apt/lists usr/share/doc usr/share/locale usr/share/man']
        options = ["--quiet", "--mode=root", "--variant=apt", "--format=tar", "--skip=output/dev", f"--include={INCLUDE}", *less]
        output(["mmdebstrap", *options, "bookworm", folder / "debian.part"])
        (folder / "debian.part").rename(folder / "debian.tar")
    tree.mkdir()
    output(["tar", "-C", tree, "-xf", folder / "debian.tar"])
    for name in ("dev", "proc", "sys", "tmp"):
        (tree / name).mkdir(exist_ok=True)
    built = REPO / "build/e2e"
    for name in ("hello.deb", "busybox.tar"):
        shutil.copy(built / name, tree / name)
    output(["tar", "-C", tree, "-xf", built / "busybox.defconfig.tar"])
    output(["git", "clone", "-q", built / "repo.git", tree / "repo"])
    for key, value in (("core.checkStat", "minimal"), ("core.trustctime", "false"), ("user.name", "x"), ("user.email", "x")):
        output(["git", "-C", tree / "repo", "config", key, value])
    add_npm(tree, note)
    output(["chown", "-R", "0:0", tree / "repo", tree / "busybox"])
    output(["tar", "-C", tree, "-cf", folder / "image.part", "."])
    (folder / "image.part").rename(archive)


# --- the modes ---------------------------------------------------------------------------------------------------------------


class Mode:
    """One way to run a shell script in the image. command() gives the words; fresh() makes what a run needs anew."""

    only_starts = False  # for podman on vfs, which copies the image for each container, and in it is a directory like any

    def __init__(self, command, fresh=None):
        self.words, self.make_fresh = command, fresh

    def fresh(self):
        if self.make_fresh:
            self.make_fresh()

    def command(self, script):
        return self.words + ["sh", "-c", script] if isinstance(self.words, list) else self.words(script)

    def run(self, script):
        self.fresh()
        return output(self.command(script))

    def start(self):
        """One start of `true`, its end and the removal of what it was in."""
        self.fresh()
        words = self.command("exec true")
        began = time.monotonic()
        output(words)
        return time.monotonic() - began


def plain_tree(folder):
    """The copy that modes without layers share, with /proc and /dev as chroot wants them."""
    tree = folder / "plain"
    if not tree.exists():
        shutil.rmtree(folder / "plain.part", ignore_errors=True)
        output(["cp", "-a", folder / "image", folder / "plain.part"])
        (folder / "plain.part").rename(tree)
    for name in ("proc", "dev"):
        output(["mount", "--rbind", f"/{name}", tree / name])
    return tree


def oci_bundle(folder, tree):
    """A bundle without devices, limits or a network; the command is put in for each run."""
    bundle = folder / "bundle"
    bundle.mkdir(exist_ok=True)
    config = json.loads((bundle / "config.json").read_text()) if (bundle / "config.json").exists() else None
    if config is None:
        output(["crun", "spec", f"--bundle={bundle}"])
        config = json.loads((bundle / "config.json").read_text())
    config["process"]["terminal"] = False
    config["root"] = {"path": str(tree), "readonly": False}
    config["linux"].pop("resources", None)

    def write(script):
        config["process"]["args"] = ["sh", "-c", script]
        (bundle / "config.json").write_text(json.dumps(config), encoding="ascii")

    return bundle, write


def layers(folder, name):
    """fresh(): an empty upper, work and mount point below a folder of the mode's own."""
    place = folder / name

    def fresh():
        shutil.rmtree(place, ignore_errors=True)
        for part in ("upper", "work", "merged"):
            (place / part).mkdir(parents=True)

    return place, fresh


MOUNTED = """
%s || exit
mount -t proc proc "$1/merged/proc" && mount --rbind /dev "$1/merged/dev" || exit
place=$1; shift
exec chroot "$place/merged" "$@"
"""


def mounted(folder, name, how):
    place, fresh = layers(folder, name)
    return Mode(["unshare", "--mount", "--pid", "--fork", "sh", "-c", MOUNTED % how.format(lower=folder / "image"), "sh", str(place)], fresh)


def podman(folder, driver):
    place = folder / f"podman-{driver}"
    run = f"/run/lichen-bench/{driver}"  # podman wants it short, and the same each time
    words = ["podman", "--root", str(place / "root"), "--runroot", run, "--storage-driver", driver]
    words += ["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "crun"]
    atexit.register(shutil.rmtree, run, ignore_errors=True)
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        output(words + ["import", folder / "image.tar", f"localhost/{IMAGE}"])
        (place / "ready").touch()
    limits = ["--pids-limit=-1", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096"]  # its own are more than some machines allow
    mode = Mode(words + ["run", "--rm", "--network=none", *limits, f"localhost/{IMAGE}"])
    mode.only_starts = driver == "vfs"
    return mode


def runsc(folder, tree):
    program = REPO / "build/envs/gvisor24/usr/bin/runsc"  # Debian 13's, which the tests fetch
    platform = "systrap"
    if not program.exists():
        program, platform = shutil.which("runsc"), "ptrace"
    bundle, write = oci_bundle(folder / "runsc", tree)

    def command(script):
        write(script)
        options = [f"--platform={platform}", "--network=none", "--ignore-cgroups", f"--root={folder}/runsc/state"]
        return [str(program), *options, "run", f"--bundle={bundle}", f"bench-{time.monotonic_ns()}"]

    return Mode(command)


def crun(folder, tree):
    bundle, write = oci_bundle(folder / "crun", tree)

    def command(script):
        write(script)
        return ["crun", f"--root={folder}/crun/state", "run", f"--bundle={bundle}", f"bench-{time.monotonic_ns()}"]

    return Mode(command)


def lichen(folder, options):
    """A cell of the image, removed at its end."""
    os.environ["LICHEN_STATE"] = str(folder / "lichen")
    if not (folder / "lichen.ready").exists():
        shutil.rmtree(folder / "lichen", ignore_errors=True)
        output([LICHEN, "image", "import", folder / "image.tar", IMAGE])
        (folder / "lichen.ready").touch()
    return Mode([LICHEN, "run", "--rm", *options, IMAGE, "--"])


def modes(folder, note):
    """Those that can be measured here, by name; note(text) is told of the others."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["umount", "--lazy", "/sys/fs/cgroup/unified"], stderr=subprocess.DEVNULL, check=False)  # crun refuses a hybrid
    make_image(folder, note)
    for name in ("crun", "runsc"):
        (folder / name).mkdir(exist_ok=True)
    tree = plain_tree(folder)
    choices = {
        "native": (None, lambda: Mode(["chroot", str(tree)])),
        "lichen": (None, lambda: lichen(folder, ["--emulate=all"])),
        "lichen-nat": (None, lambda: lichen(folder, [])),
        "proot": ("proot", lambda: Mode(["proot", "-r", str(tree), "-b", "/proc", "-b", "/dev", "-w", "/"])),
        "bwrap": ("bwrap", lambda: Mode(["bwrap", "--bind", str(tree), "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid"])),
        "crun": ("crun", lambda: crun(folder, tree)),
        "runsc": ("runsc", lambda: runsc(folder, tree)),
        "podman": ("podman", lambda: podman(folder, "overlay")),
        "podman-vfs": ("podman", lambda: podman(folder, "vfs")),
        "fuse-ovl": (
            "fuse-overlayfs",
            lambda: mounted(folder, "fuse", 'fuse-overlayfs -o "lowerdir={lower},upperdir=$1/upper,workdir=$1/work" "$1/merged"'),
        ),
        "overlay": (
            None,
            lambda: mounted(folder, "overlay", 'mount -t overlay overlay -o "lowerdir={lower},upperdir=$1/upper,workdir=$1/work" "$1/merged"'),
        ),
    }
    found = {}
    for name, (program, make) in choices.items():
        if program and not shutil.which(program):
            note(f"{name}: {program} is not installed")
            continue
        try:
            found[name] = make()
            found[name].run("true")
        except (RuntimeError, OSError) as e:
            found.pop(name, None)
            note(f"{name}: cannot run here: {str(e).splitlines()[-1] if str(e) else e!r}")
    return found


# --- the benchmarks ----------------------------------------------------------------------------------------------------------


def start(mode, work):
    os.sync()  # overlayfs waits for what others wrote to the file system of its upper layer when it is unmounted
    return mode.start()


def hundred(mode, work):
    """Seconds for a hundred, one after the other; of those that start slowly ten are measured, or one of the slowest."""
    first = start(mode, work)
    if first > 1:
        return first * 100
    count = 100 if first < SLOW_START else 10
    return sum(mode.start() for _ in range(count)) * 100 / count


TIMED = """set -e
%s
s=$(date +%%s%%N)
{ %s; } >/tmp/bench.out 2>&1 || { tail -n 5 /tmp/bench.out >&2; exit 1; }
e=$(date +%%s%%N)
echo "took $((e - s))"
"""


def inside(script, before=":"):
    """A script's time, by a clock inside. `before` is run in the same container and not measured."""

    def run(mode, work):
        if mode.only_starts:
            return None
        said = mode.run(TIMED % (before, script))
        return int(said.split("took ")[-1].split()[0]) / 1e9

    return run


GIT = "git -C /repo status --porcelain"
# name, unit, more is better, function, peers too, what
BENCHMARKS = [
    ("start", "s", False, start, True, "start of a shell that executes true, and the end of it all"),
    ("100-cells", "s", False, hundred, True, "a hundred of them made and removed, one after the other"),
    ("untar", "s", False, inside("tar -C /u -xf /busybox.tar", "rm -rf /u && mkdir /u"), True, "tar -x of a source tree of 2,600 files"),
    ("rm", "s", False, inside("rm -rf /u", "rm -rf /u && mkdir /u && tar -C /u -xf /busybox.tar"), True, "rm -rf of it"),
    ("rm-lower", "s", False, inside("cp -a /usr/share/perl /p && rm -rf /p", "rm -rf /p"), True, "cp -a of a part of the image, and rm -rf"),
    ("find-ls", "s", False, inside("find /usr /etc /var -ls"), True, "find -ls of the image"),
    ("git-status", "s", False, inside(f"{GIT}; {GIT}; {GIT}", GIT), True, "git status, three times, 600 files"),
    ("npm-ci", "s", False, inside("cd /npm && npm ci --offline --silent --no-audit --no-fund", "npm --version"), True, "npm ci of ten local packages"),
    (
        "make",
        "s",
        False,
        inside("make -j2 CFLAGS=-O0 HOSTCFLAGS=-O0 console-tools/", "cd /busybox && rm -f console-tools/*.[oa]"),
        True,
        "make -j2 of 22 objects of busybox",
    ),
    ("dpkg", "s", False, inside("dpkg -i /hello.deb && dpkg -r hello"), True, "dpkg installs and removes a package"),
]
