#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on the cage: each must succeed without one and fail in one.

    tests/escape/escape.py [--env ENV]… [NAME…]     run them, print the table and what is wrong
    tests/escape/escape.py inside                   the part that runs in an environment: names from stdin, results as JSON lines

Over 600 lines, because what an attack finds around it, how it is run and how it is judged are read together.
"""
import argparse
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import attacks

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[1]
BIN = pathlib.Path(os.environ.get("ESCAPE_BIN", str(REPO / "build/tests/escape")))
LICHEN = os.environ.get("LICHEN", str(REPO / "build/lichen"))
SECONDS = 60
ALL_SECONDS = 900
MISSING = 69
WORKERS = 4


# --- what is outside of the cage -------------------------------------------------------------------------------------------


def digest(folder):
    """{path: all that can be told about it} of a directory."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        st = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        times = st.st_mtime_ns if not path.is_dir() else 0
        names = []
        with contextlib.suppress(OSError):
            names = sorted(os.listxattr(path, follow_symlinks=False))
        found[str(path.relative_to(folder))] = (st.st_mode, st.st_uid, st.st_size if content else 0, times, content, names)
    return found


def difference(before, after):
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


class Servers:
    """Servers of one attack: AF_UNIX by path and abstract, TCP and UDP; they note what they are told."""

    def __init__(self, outside):
        self.heard = []
        self.open = []
        mark = f"escape-{os.getpid()}-{random.randrange(1 << 60):x}"
        self.abstract, self.abstract_datagrams = f"{mark}-s", f"{mark}-d"
        self.granted = str(outside / "granted")  # gives away a descriptor
        self.directory = os.open(outside, os.O_RDONLY | os.O_DIRECTORY)
        for kind, address, talk in (
            (socket.SOCK_STREAM, str(outside / "server"), self.stream),
            (socket.SOCK_DGRAM, str(outside / "datagrams"), self.datagrams),
            (socket.SOCK_STREAM, "\0" + self.abstract, self.stream),
            (socket.SOCK_DGRAM, "\0" + self.abstract_datagrams, self.datagrams),
            (socket.SOCK_STREAM, self.granted, self.giver),
        ):
            self.serve(socket.socket(socket.AF_UNIX, kind), address, talk)
        for path in outside.iterdir():
            if path.is_socket():
                path.chmod(0o777)
        tcp = self.serve(socket.socket(), ("127.0.0.1", 0), self.stream)
        self.port = tcp.getsockname()[1]
        self.serve(socket.socket(type=socket.SOCK_DGRAM), ("127.0.0.1", self.port), self.datagrams)

    def serve(self, sock, address, talk):
        sock.bind(address)
        if sock.type == socket.SOCK_STREAM:
            sock.listen(16)
        self.open.append(sock)
        threading.Thread(target=talk, args=(sock,), daemon=True).start()
        return sock

    def stream(self, sock):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = sock.accept()
                with peer, contextlib.suppress(OSError):
                    self.heard.append(f"stream {peer.recv(100)!r}")
                    peer.send(b"!")

    def datagrams(self, sock):
        with contextlib.suppress(OSError):
            while True:
                data, peer = sock.recvfrom(1000)
                if not data:
                    break
                self.heard.append(f"datagram {data!r}")
                if isinstance(peer, tuple):
                    sock.sendto(b"!", peer)

    def giver(self, sock):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = sock.accept()
                with peer, contextlib.suppress(OSError):
                    socket.send_fds(peer, [b"x"], [self.directory])

    def close(self):
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        os.close(self.directory)


class Victim:
    """A process that has nothing to do with the attack, and what was done to it."""

    def __init__(self, user):
        self.process = subprocess.Popen(
            [BIN / "victim"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, **user
        )
        self.process.stdout.readline()
        self.before = self.state()

    def state(self):
        pid = self.process.pid
        return [os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)]

    def done_to(self):
        if self.process.stdout.closed:
            return []
        done = []
        if self.process.poll() is not None:
            done.append("ended")
        elif self.state() != self.before:
            done.append("changed")
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()
        self.process.wait()
        if b"signalled" in self.process.stdout.read():
            done.append("signalled")
        self.process.stdout.close()
        return done


# --- one run of one attack -------------------------------------------------------------------------------------------------


class Run:
    def __init__(self, attack, folder, stack):
        self.attack = attack
        self.stack = stack
        self.folder = folder
        self.work, self.outside, self.audit = (folder / name for name in ("work", "outside", "audit"))
        folder.chmod(0o755)
        for path in (self.work, self.outside):
            path.mkdir()
        self.nobody = "nobody" in attack.needs and os.getuid() == 0
        self.uid = random.randrange(61184, 65520)  # a user of whom nothing else runs
        self.user = {"user": self.uid, "group": self.uid, "extra_groups": []} if self.nobody else {}
        for name in ("secret", "renamed", "exchanged", "truncated", "removed"):
            (self.outside / name).write_text(f"secret {random.random()}\n")
        shutil.copy("/bin/true", self.outside / "program")
        (self.work / ".git").mkdir()
        (self.work / "protected").write_text("as it was\n")
        self.extra = []
        self.wrap = []
        self.servers = self.victim = None
        self.guarded = (self.work / ".git/hooks", self.work / ".settings", self.work / "protected")
        for need in attack.needs:
            getattr(self, f"need_{need}", lambda: None)()

    def need_servers(self):
        self.servers = Servers(self.outside)
        self.stack.callback(self.servers.close)

    def need_victim(self):
        self.victim = Victim(self.user)
        self.stack.callback(self.victim.done_to)

    def need_ipc(self):
        self.key = str(random.randrange(1, 1 << 30))
        subprocess.run([BIN / "ipc", "make", self.key], check=False)
        self.stack.callback(lambda: subprocess.run([BIN / "ipc", "remove", self.key], check=False))

    def need_handle(self):
        done = subprocess.run([BIN / "handle", "make", self.outside / "secret"], capture_output=True, text=True, check=False)
        self.extra += done.stdout.split()

    def need_descriptors(self):
        self.wrap = ["sh", "-c", 'exec 7<"$1" 8<>"$1/secret"; shift; exec "$@"', "sh", str(self.outside)]

    def need_directory_stream(self):
        self.wrap = ["sh", "-c", 'exec <"$1"; shift; exec "$@"', "sh", str(self.outside)]

    def need_resolver(self):
        self.wrap = ["unshare", "--mount", "--net", str(HERE / "resolver.py"), str(self.outside / "heard")]

    def need_copies(self):
        """Set-user-ID and privileged copies of the program."""
        programs = self.folder / "programs"
        programs.mkdir()
        for name in ("setuid", "privileged"):
            shutil.copy(BIN / "setuid", programs / name)
        if os.getuid() == 0:
            (programs / "setuid").chmod(0o4755)
            with contextlib.suppress(OSError):
                os.setxattr(programs / "privileged", "security.capability", bytes.fromhex("01000002" + "04000000" + "00" * 12))
        self.extra += [str(programs / "setuid"), str(programs / "privileged")]

    def need_inner(self):
        (self.outside / "inner").mkdir()

    def need_jail(self):
        (self.folder / "jail/proc").mkdir(parents=True)
        self.wrap = ["unshare", "--mount", "sh", "-c", 'mount -t proc proc "$1"; shift; exec "$@"', "sh", str(self.folder / "jail/proc")]

    def need_profile(self):
        (self.work / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}\n')

    def need_log(self):
        self.audit.mkdir()

    def need_links(self):
        (self.work / ".git").rmdir()
        for name in (".git", "granted"):
            (self.work / name).symlink_to(self.outside)
        self.guarded = ()

    def need_lichen(self):
        shutil.copy(LICHEN, self.outside / "lichen")

    def variables(self):
        values = {
            "work": self.work,
            "outside": self.outside,
            "audit": self.audit,
            "folder": self.folder,
            "bin": BIN,
            "lichen": LICHEN,
            "key": getattr(self, "key", ""),
        }
        if self.servers:
            values.update(
                abstract=self.servers.abstract,
                abstract_datagrams=self.servers.abstract_datagrams,
                granted=self.servers.granted,
                port=self.servers.port,
            )
        if self.victim:
            values["victim"] = self.victim.process.pid
        return values

    def policy(self):
        parts = {
            "read": self.attack.read,
            "write": self.attack.write,
            "execute": self.attack.execute,
            "files": self.attack.files,
            "network": self.attack.network,
            "more_network": self.attack.more_network,
            "more": self.attack.more,
        }
        text = attacks.POLICY
        for key, value in parts.items():
            text = text.replace("{" + key + "}", value)
        path = self.work / "policy.yaml" if "policy_inside" in self.attack.needs else self.folder / "policy.yaml"
        path.write_text("".join(line + "\n" for line in text.format(**self.variables()).splitlines() if line.strip()))
        return path

    def command(self, how, weaker):
        attack, values = self.attack, self.variables()
        values["seconds"] = 0 if how == "uncaged" else 600
        values["rounds"] = 1 << 40 if how == "uncaged" else 3000  # until it is won
        lichen = str(self.outside / "lichen") if "lichen" in attack.needs else LICHEN
        program = [str(BIN / (attack.program or attack.name)), str(self.work), str(self.outside)]
        program += [word.format(**values) for word in attack.arguments] + self.extra
        if attack.command:
            program = [word.format(**values) for word in attack.command]
        options = list(attack.options)
        if how == "uncaged":
            policy = self.policy() if "policy_inside" in attack.needs else None
            start = [lichen, "run", f"--audit={self.audit}", *options, "--"] if attack.uncaged == "lichen" else []
        else:
            policy = self.policy()
            start = [lichen, "run", "--cage", str(policy), *([f"--allow-weaker={weaker}"] if weaker else []), *options, "--"]
        del policy
        return self.wrap + start + program

    def own_all(self):
        if self.nobody:
            for path in [self.folder, *self.folder.rglob("*")]:
                if path.name not in ("setuid", "privileged"):
                    os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def stdin(self):
        if self.attack.stdin == "terminal":
            master, slave = pty.openpty()
            self.stack.callback(os.close, master)
            self.wrap = ["setsid", "--ctty", "--wait", *self.wrap]
            return slave
        return os.open(self.attack.stdin if os.path.exists(self.attack.stdin) else "/dev/null", os.O_RDWR | os.O_NOCTTY)

    def execute(self, how, weaker=""):
        attack = self.attack
        environment = dict(os.environ, **({"ESCAPE_TOKEN": "secret", "LD_BIND_NOW": "1"} if "token" in attack.needs else {}))
        if self.nobody:
            home = self.folder / "home"
            home.mkdir()
            environment = {key: value for key, value in environment.items() if not key.startswith("XDG_")} | {"HOME": str(home)}
        stdin = self.stdin()
        command = self.command(how, weaker)
        self.own_all()
        before, guarded = digest(self.outside), self.guards()
        said = [self.stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]  # no pipes: who stays behind would hold them
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=said[0],
            stderr=said[1],
            cwd=attack.cwd.format(**self.variables()),
            env=environment,
            start_new_session=attack.stdin != "terminal",
            **self.user,
        )
        os.close(stdin)
        hung = False
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            hung = True
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
        for stream in said:
            stream.seek(0)
        out, err = (stream.read() for stream in said)
        result = {
            "attack": attack.name,
            "how": how,
            "status": process.returncode,
            "hung": hung,
            "out_size": len(out),
            "err": err.decode(errors="replace")[-3000:],
            "ways": dict(re.findall(r"^(\w+) (\w+\??)$", out.decode(errors="replace"), re.MULTILINE)),
            "control": bool(re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", err)),
        }
        if attack.name == "outlive":
            result["ways"] = {name: self.lives(name, how) for name in sorted(result["ways"], reverse=True)}
        changed = [p for p in difference(before, digest(self.outside)) if p not in (".",)]
        result["changed"] = changed
        result["guards"] = [str(p) for p in difference(guarded, self.guards())]
        result["reached"] = self.servers.heard if self.servers else []
        result["done_to"] = self.victim.done_to() if self.victim else []
        if "owner" in result["ways"] and "signalled" not in result["done_to"]:  # that it was set says nothing
            result["ways"]["owner"] = "EPERM"
        return result

    def guards(self):
        """What of WORK is protected, as it is on disk."""
        found = {}
        for path in self.guarded:
            if path.is_dir():
                found.update({f"{path.name}/{k}": v for k, v in digest(path).items() if k != "."})
            elif path.exists():
                found[path.name] = path.read_text()
        return found

    def lives(self, name, how):
        """Whether a daemon holds its lock. In a cage it must be dead when lichen returns; the kernel may still be at its end."""
        with open(self.work / name, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if how != "uncaged":
                    return "escaped" if not self.freed(lock) else "ended"
                (self.work / "end").touch()
                if pid := lock.read():
                    os.kill(int(pid), signal.SIGKILL)
                self.freed(lock)
                return "escaped"
        return "ended"

    @staticmethod
    def freed(lock):
        """Whether its holder ends within a time that is long for the kernel and short for us."""
        done = threading.Event()
        for _ in range(100):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                done.wait(0.05)
        return False


def missing_layers(result):
    """The layers that a refused run names: 'lichen: … missing …: LAYER'."""
    return sorted({layer for found in re.findall(r"--allow-weaker=([a-z_,]+)", result["err"]) for layer in found.split(",")})


def run_once(attack, how, weaker=""):
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="escape-", ignore_cleanup_errors=True)))
            result = Run(attack, folder, stack).execute(how, weaker)
        return dict(result, seconds=round(time.monotonic() - began, 2))
    except Exception:  # pylint: disable=broad-except # told as this attack's result: the others go on
        return {"attack": attack.name, "how": how, "status": None, "ways": {}, "err": traceback.format_exc()}


def proves_something(attack, weaker, env):
    """Whether it is worth a run without what is missing: gVisor is slow, and there the files, and with them most attacks, are free."""
    return attack.layer not in weaker and (env not in attacks.GVISOR or (env == "gvisor24" and attack.layer in ("syscalls", "network")))


def run_attack(attack, caged, env):
    """All runs of an attack: without a cage, in one, and where a layer is missing in one that goes without."""
    results = [run_once(attack, "uncaged")]
    if caged:
        results.append(run_once(attack, "caged"))
        weaker = missing_layers(results[-1])
        works = "escaped" in results[0]["ways"].values()
        if results[-1]["status"] == MISSING and weaker and works and proves_something(attack, weaker, env):
            results.append(dict(run_once(attack, "weaker", ",".join(weaker)), missing=",".join(weaker)))
    return results


def inside():
    chosen = [line.strip() for line in sys.stdin if line.strip()]
    caged = "--uncaged" not in sys.argv
    rows = [row for row in attacks.ATTACKS if row.name in chosen]
    for alone in (False, True):
        with concurrent.futures.ThreadPoolExecutor(1 if alone else WORKERS) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run_attack, row, caged, sys.argv[2]) for row in rows if row.alone == alone]):
                for result in done.result():
                    print(json.dumps(result), flush=True)


# --- outside: judging, and the table ---------------------------------------------------------------------------------------


def run_in(env, names, caged=True, meanwhile=lambda pid: None):
    """Runs attacks in an environment, entered once: {name: {how: result}}. meanwhile() is called again and again, to reap orphans."""
    command = [HERE.parent / "envs" / env, "/usr/bin/python3", "-B", str(HERE / "escape.py"), "inside", env] + ([] if caged else ["--uncaged"])
    results = {}
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        asked.writelines(f"{name}\n" for name in names)
        asked.seek(0)
        with subprocess.Popen(command, stdin=asked, stdout=out, stderr=err, cwd=REPO) as process:
            end = time.monotonic() + ALL_SECONDS
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
                meanwhile(process.pid)
            process.kill()
        out.seek(0)
        err.seek(0)
        for line in out:
            result = json.loads(line)
            results.setdefault(result["attack"], {})[result["how"]] = result
        if process.returncode != 0:
            results["error"] = err.read()[-4000:]
    return results


def outside_harmed(result):
    """What happened outside of WORK, in words."""
    harm = [f"changed outside: {path!r}" for path in result.get("changed", ())]
    harm += [f"changed though protected: {path}" for path in result.get("guards", ())]
    harm += [f"a server heard {what}" for what in result.get("reached", ())]
    return harm + [f"the victim was {what}" for what in result.get("done_to", ())]


def judge_uncaged(row, env, result):
    wrong = [f"without a cage {way} met {met}" for way, met in result["ways"].items() if met != "escaped" and not attacks.why_absent(row, way, env)]
    wrong += [
        f"without a cage {way} escaped, though ABSENT says: {why}"
        for way, met in result["ways"].items()
        if met == "escaped" and f"{row.name}/{way}" not in attacks.MACHINE and (why := attacks.why_absent(row, way, env))
    ]
    if not result["ways"] and not attacks.why_absent(row, "", env):
        wrong.append(f"did not run without a cage: status {result['status']}: {result['err']}")
    if not any(wrong) and row.changes and not result["changed"] and "escaped" in result["ways"].values():
        wrong.append("without a cage nothing changed outside")
    if not any(wrong) and row.reaches and not result["reached"]:
        wrong.append("without a cage no server was reached")
    return wrong


def refused(row, result):
    """Whether lichen saw what is wrong before it started anything."""
    return bool(row.refusal) and not result["ways"] and re.search(row.refusal, result["err"]) is not None


def judge_caged(row, env, result, ways, missing=()):
    """What is wrong about a run in a cage, of which these layers are missing."""
    free = [way for way in ways if attacks.layer_of(row, way) in missing]  # nothing keeps these
    wrong = [
        f"{way} escaped"
        for way, met in result["ways"].items()
        # what the environment refuses without a cage cannot have happened: lichen has imitated it
        if met == "escaped" and way not in free and not attacks.limit_of(row, way, env)
        and not (attacks.why_absent(row, way, env) and ways.get(way) != "escaped")
    ]
    if not free:
        wrong += outside_harmed(result)
    if result.get("hung"):
        wrong.append("it did not end")
    wrong += [f"{way} hung" for way, met in result["ways"].items() if met == "SIGALRM"]
    lost = [way for way in ways if way not in result["ways"]]
    started = result["status"] not in (78, 125, 126, 127)  # a limit may end it before it tells anything
    if lost and not (row.layer == "limits" and started) and not refused(row, result):
        wrong.append(f"{' '.join(lost)} did not run: status {result['status']}: {result['err']}")
    if result.get("control"):
        wrong.append(f"control bytes on stderr: {result['err']!r}")
    return wrong


def judge(row, env, results):
    """What is wrong about an attack in an environment: [] or lines."""
    uncaged, caged, weaker = (results.get(how) for how in ("uncaged", "caged", "weaker"))
    if not uncaged or not caged:
        return ["no results"]
    wrong = judge_uncaged(row, env, uncaged)
    if caged["status"] != MISSING:
        return wrong + judge_caged(row, env, caged, uncaged["ways"])
    if env in attacks.LACKING and not set(missing_layers(caged)) <= set(attacks.LACKING[env]):
        wrong.append(f"a layer is missing that is there: {caged['err']}")
    if caged["ways"] or outside_harmed(caged):
        wrong.append("a run that was refused ran")
    if not missing_layers(caged):
        wrong.append(f"the refusal names no layer: {caged['err']}")
    elif weaker:
        wrong += judge_caged(row, env, weaker, uncaged["ways"], weaker["missing"].split(","))
    return wrong


def cell(row, env, way, results):
    """One cell of the table: what the way met in the cage, or why there is none."""
    uncaged, caged, weaker = (results.get(how, {}) for how in ("uncaged", "caged", "weaker"))
    if not uncaged:
        return "-"
    if uncaged["ways"].get(way) != "escaped":
        return f"({uncaged['ways'].get(way, '?')})"
    if caged and refused(row, caged):
        return f"refused {caged['status']}"
    if caged.get("status") != MISSING:
        return caged.get("ways", {}).get(way, "ended")
    return f"69, else {weaker.get('ways', {}).get(way, 'ended')}" if weaker else "69"


def print_table(rows, found):
    """Every way: what it met in the cage, by environment. In brackets: what stops it without a cage."""
    envs = list(found)
    print(f"{'attack':36}{'layer':10}" + "".join(f"{env:16}" for env in envs))
    for row in rows:
        ways = dict.fromkeys(way for env in envs for way in found[env].get(row.name, {}).get("uncaged", {}).get("ways", {}))
        print(f"{row.name}: {row.reference}")
        for way in ways:
            cells = [cell(row, env, way, found[env].get(row.name, {})) for env in envs]
            print(f"  {way:34}{attacks.layer_of(row, way):10}" + "".join(f"{text:16}" for text in cells).rstrip())


def main():
    if sys.argv[1:2] == ["inside"]:
        inside()
        return 0
    parser = argparse.ArgumentParser(description="Attacks on the cage: each must succeed without one and fail in one.")
    parser.add_argument("--env", action="append", choices=attacks.ENVS)
    parser.add_argument("--uncaged", action="store_true", help="only without a cage: what can the environment do?")
    parser.add_argument("--verbose", action="store_true", help="every run, as it was found")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    rows = [row for row in attacks.ATTACKS if not options.name or row.name in options.name]
    found, failed = {}, 0
    for env in options.env or attacks.ENVS:
        found[env] = run_in(env, [row.name for row in rows if env in row.envs], not options.uncaged)
    if not options.uncaged:
        print_table(rows, found)
    for env, results in found.items():
        for row in [row for row in rows if env in row.envs]:
            runs = results.get(row.name, {})
            for how, result in runs.items() if options.verbose else ():
                print(f"{env} {row.name} {how}: {result['status']} {result.get('seconds')} s {result['ways']} {outside_harmed(result)} {result['err'][-500:]}")
            if options.uncaged:
                wrong = judge_uncaged(row, env, runs["uncaged"]) if runs else ["no results"]
            else:
                wrong = judge(row, env, runs)
            failed += bool(wrong)
            for line in wrong:
                print(f"WRONG {env} {row.name}: " + line.strip().replace("\n", " / "))
        if "error" in results:
            print(f"WRONG {env}: {results['error']}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
