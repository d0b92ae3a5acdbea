# SPDX-License-Identifier: Apache-2.0
"""cage_attributes.py DIRECTORY: changes modes, owners and times of files in a directory in many ways, and prints what came of each; the same anywhere."""
import ctypes
import errno
import os
import stat
import sys
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
CHMOD, FCHMOD, CHOWN, FCHOWN, LCHOWN, UTIME, UTIMES, FCHOWNAT, FUTIMESAT, FCHMODAT, UTIMENSAT, FCHMODAT2 = 90, 91, 92, 93, 94, 132, 235, 260, 261, 268, 280, 452
CWD, NOFOLLOW, EMPTY = -100, 0x100, 0x1000
OMIT, NOW = 0x3ffffffe, 0x3fffffff
KEEP = 0xffffffff


def call(number, *args):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *words)
    return "ok" if result == 0 else errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno()))


def times(*values):
    return (ctypes.c_int64 * 4)(*values)


def look(name):
    try:
        st = os.lstat(name)
    except OSError as error:
        return errno.errorcode[error.errno]
    old = [t if t < 1_000_000_000 * 10**9 else "now" for t in (st.st_atime_ns, st.st_mtime_ns)]
    return f"{stat.filemode(st.st_mode)} {old[0]} {old[1]}"


def say(what, result, *names):
    print(what, result, *(f"{name}: {look(name)}" for name in names))


def main():
    os.chdir(sys.argv[1])
    for name in ("file", "other"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644))
    os.mkdir("dir")
    os.close(os.open("dir/below", os.O_CREAT | os.O_WRONLY, 0o644))
    os.symlink("file", "link")
    os.symlink("nowhere", "dangling")
    os.symlink("loop", "loop")
    os.mkfifo("fifo")
    fd, path_fd, dir_fd = os.open("file", os.O_RDONLY), os.open("other", os.O_PATH), os.open("dir", os.O_RDONLY)
    read_end, _ = os.pipe()
    here = os.getcwd().encode()

    for what, args in (("plain", (b"file", 0o600)), ("absolute", (here + b"/file", 0o640)), ("link", (b"link", 0o700)), ("fifo", (b"fifo", 0o600)),
                       ("set-user-ID", (b"file", 0o4755)), ("bits above", (b"file", 0o177755)), ("directory", (b"dir", 0o1711)), ("none", (b"nothing", 0o600)),
                       ("dangling", (b"dangling", 0o600)), ("loop", (b"loop", 0o600)), ("empty", (b"", 0o600)), ("below a file", (b"file/x", 0o600)),
                       ("long", (b"x" * 4096, 0o600)), ("long name", (b"x" * 300, 0o600)), ("dots", (b"dir/../file", 0o644)), ("slash", (b"dir/", 0o755)),
                       ("slash of a file", (b"file/", 0o755)), ("fault", (1, 0o600)), ("null", (0, 0o600)), ("own descriptor", (b"/proc/self/fd/%d" % fd, 0o604)),
                       ("no descriptor", (b"/proc/self/fd/999", 0o604)), ("another's", (b"/proc/thread-self/fd/%d" % path_fd, 0o604))):
        say(f"chmod {what}", call(CHMOD, *args), "file", "other", "dir", "fifo")
    for what, args in (("plain", (fd, 0o611)), ("O_PATH", (path_fd, 0o611)), ("bad", (999, 0o611)), ("negative", (-1, 0o611)), ("CWD", (CWD, 0o611))):
        say(f"fchmod {what}", call(FCHMOD, *args), "file", "other")
    for what, args in (("at", (dir_fd, b"below", 0o600)), ("absolute", (999, here + b"/file", 0o601)), ("bad", (999, b"file", 0o600)), ("of a file", (fd, b"x", 0o600)),
                       ("empty", (fd, b"", 0o600))):
        say(f"fchmodat {what}", call(FCHMODAT, *args), "file", "dir/below")
    for what, args in (("none", (dir_fd, b"below", 0o640, 0)), ("nofollow", (CWD, b"file", 0o641, NOFOLLOW)), ("nofollow link", (CWD, b"link", 0o777, NOFOLLOW)),
                       ("empty", (path_fd, b"", 0o602, EMPTY)), ("empty CWD", (CWD, b"", 0o755, EMPTY)), ("flags", (CWD, b"file", 0o600, 0x8000))):
        say(f"fchmodat2 {what}", call(FCHMODAT2, *args), "file", "other", "dir/below", "link")
    uid, gid = os.getuid(), os.getgid()
    for what, number, args in (("keep", CHOWN, (b"file", KEEP, KEEP)), ("same", CHOWN, (b"file", uid, gid)), ("none", CHOWN, (b"nothing", uid, gid)),
                               ("link", LCHOWN, (b"link", uid, gid)), ("dangling", LCHOWN, (b"dangling", uid, KEEP)), ("dangling", CHOWN, (b"dangling", uid, KEEP)),
                               ("descriptor", FCHOWN, (fd, uid, gid)), ("O_PATH", FCHOWN, (path_fd, uid, gid)), ("at", FCHOWNAT, (dir_fd, b"below", uid, gid, 0)),
                               ("empty", FCHOWNAT, (path_fd, b"", uid, gid, EMPTY)), ("nofollow", FCHOWNAT, (CWD, b"dangling", uid, gid, NOFOLLOW)),
                               ("flags", FCHOWNAT, (CWD, b"file", uid, gid, 1)), ("pipe", FCHOWN, (999, uid, gid))):
        os.chmod("file", 0o4755)
        say(f"chown {number} {what}", call(number, *args), "file", "link", "dangling")
    one = times(1, 500, 2, 700)
    for what, args in (("file", (CWD, b"file", one, 0)), ("link", (CWD, b"link", times(3, 0, 4, 0), 0)), ("the link", (CWD, b"link", times(5, 0, 6, 0), NOFOLLOW)),
                       ("descriptor", (fd, 0, times(7, 0, 8, 0), 0)), ("O_PATH", (path_fd, 0, one, 0)), ("empty", (path_fd, b"", times(9, 0, 10, 0), EMPTY)),
                       ("omit", (CWD, b"nothing", times(0, OMIT, 0, OMIT), 0)), ("omit one", (CWD, b"file", times(0, OMIT, 11, 1), 0)),
                       ("now", (CWD, b"file", times(0, NOW, 12, 2), 0)), ("present", (CWD, b"other", 0, 0)), ("wrong", (CWD, b"file", times(1, 10**9, 1, 0), 0)),
                       ("wrong flags", (CWD, b"file", one, 0x8000)), ("flags of none", (fd, 0, one, NOFOLLOW)), ("no path, CWD", (CWD, 0, one, 0)),
                       ("fault", (CWD, b"file", 8, 0)), ("none", (CWD, b"nothing", one, 0)), ("loop", (CWD, b"loop", one, 0)),
                       ("the loop", (CWD, b"loop", times(13, 0, 14, 0), NOFOLLOW)), ("negative", (CWD, b"file", times(-5, 0, -6, 0), 0))):
        say(f"utimensat {what}", call(UTIMENSAT, *args), "file", "other", "link", "loop")
    say("utimes", call(UTIMES, b"file", times(20, 3, 21, 4)), "file")
    say("utimes wrong", call(UTIMES, b"file", times(20, 1000000, 21, 4)), "file")
    say("utimes present", call(UTIMES, b"file", 0), "file")
    say("utime", call(UTIME, b"file", (ctypes.c_int64 * 2)(22, 23)), "file")
    say("utime fault", call(UTIME, b"file", 8), "file")
    say("futimesat", call(FUTIMESAT, dir_fd, b"below", times(24, 5, 25, 6)), "dir/below")
    say("futimesat descriptor", call(FUTIMESAT, fd, 0, times(26, 5, 27, 6)), "file")

    def elsewhere():
        say("in a thread", call(FCHMOD, fd, 0o600), "file")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    os.unlink("file")
    say("unlinked", call(FCHMOD, fd, 0o640), "file")
    print(stat.filemode(os.fstat(fd).st_mode))
    os.chdir("dir")
    say("from below", call(CHMOD, b"below", 0o666), "below")
    os.close(os.open("../below", os.O_CREAT | os.O_WRONLY, 0o644))
    here = os.open(".", os.O_RDONLY)
    for what, path, names in (("working directory", b"/proc/self/cwd/below", ("below", "../below")), ("directory", b"/proc/self/fd/%d/below" % here, ("below", "../below")),
                              ("thread", b"/proc/thread-self/cwd/below", ("below", "../below")), ("descriptor", b"/proc/self/fd/%d" % here, (".",)),
                              ("number", b"/proc/%d/cwd/below" % os.getpid(), ("below", "../below"))):
        say(f"chmod by its {what}", call(CHMOD, path, 0o700), *names)
        os.chmod("below", 0o644)
    os.rename("../dir", "../moved")
    say("in a directory that was renamed", call(CHMOD, b"below", 0o606), "below")


main()
