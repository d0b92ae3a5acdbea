/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of what cannot have attributes: symbolic links, FIFOs, sockets. Made, given away, renamed, linked, replaced; what others may do with them. */
#include "identity.h"

#include <sys/socket.h>
#include <sys/un.h>

static void say_file(const char *name)
{
	struct stat st;

	if (lstat(name, &st))
		say("  %s: %s", name, errno_name(errno));
	else
		say("  %s: %o %u:%u", name, st.st_mode, st.st_uid, st.st_gid);
}

static int bound(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	OK(bind(fd, (struct sockaddr *)&at, sizeof(at)));
	OK(listen(fd, 8));
	return fd;
}

static void reach(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	OK(connect(fd, (struct sockaddr *)&at, sizeof(at)));
	close(fd);
}

static void be(unsigned uid, unsigned gid)
{
	MUST(syscall(SYS_setgroups, 0, NULL));
	MUST(syscall(SYS_setresgid, gid, gid, gid));
	MUST(syscall(SYS_setresuid, uid, uid, uid));
}

static void owners(void)
{
	MUST(symlink("nowhere", "link"));
	MUST(mkfifo("fifo", 0640));
	int fd = bound("socket");

	for (const char *const *name = (const char *const[]){ "link", "fifo", "socket", NULL }; *name; name++) {
		say_file(*name);
		OK(lchown(*name, 5, 6));
		say_file(*name);
		OK(lchown(*name, -1, 7));
		say_file(*name);
		OK(lchown(*name, 0, 0));
		say_file(*name);
		OK(lchown(*name, 1000, 1000));
	}
	OK(chmod("fifo", 04606));
	OK(chmod("socket", 0700));
	say_file("fifo");
	say_file("socket");
	close(fd);
}

/* PostgreSQL's postmaster sets owner and mode of its socket as a user. */
static void made_by_users(void)
{
	MUST(mkdir("run", 0777));
	MUST(chmod("run", 01777));
	MUST(mkdir("handed", 0777));
	MUST(chown("handed", 0, 50));
	MUST(chmod("handed", 02777));
	CHILD({
		be(1000, 1001);
		close(bound("run/socket"));
		say_file("run/socket");
		OK(chmod("run/socket", 0770));
		OK(chown("run/socket", -1, 1001));
		OK(chown("run/socket", -1, 1002));
		say_file("run/socket");
		OK(symlink("x", "run/link"));
		OK(symlink("x", "handed/link"));
		OK(mkfifo("run/fifo", 0600));
		OK(mkfifo("handed/fifo", 0600));
		say_file("run/link");
		say_file("handed/link");
		say_file("run/fifo");
		say_file("handed/fifo");
		OK(rename("run/fifo", "run/fifo2"));
		OK(lchown("link", 1000, 1001));
		OK(unlink("run/link"));
		OK(symlink("y", "run/link"));
	});
	say_file("run/fifo2");
	CHILD({
		be(1002, 1002);
		OK(unlink("run/link"));
		OK(unlink("run/fifo2"));
		OK(rename("run/socket", "run/other"));
		OK(chmod("run/socket", 0777));
		OK(open("run/fifo2", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	});
	OK(unlink("run/link"));
	MUST(symlink("z", "run/link"));
	say_file("run/link");
}

static void moved(void)
{
	MUST(mkdir("there", 0755));
	OK(rename("fifo", "there/fifo"));
	say_file("there/fifo");
	MUST(mkfifo("fifo", 0600));
	say_file("fifo");
	OK(rename("fifo", "there/fifo"));
	say_file("there/fifo");
	OK(rename("link", "link2"));
	OK(rename("link2", "link2"));
	say_file("link2");
	OK(link("link2", "link3"));
	say_file("link3");
	if (syscall(SYS_renameat2, AT_FDCWD, "link2", AT_FDCWD, "there/fifo", 2 /* RENAME_EXCHANGE */) != 0) { /* not in gVisor */
		MUST(rename("link2", "link4"));
		MUST(rename("there/fifo", "link2"));
		MUST(rename("link4", "there/fifo"));
	}
	say_file("link2");
	say_file("there/fifo");
	OK(unlink("socket"));
	MUST(symlink("new", "socket"));
	say_file("socket");
	OK(rename("there", "elsewhere"));
	say_file("elsewhere/fifo");
}

static void who_may(void)
{
	int fd = bound("door");

	MUST(chown("door", 1000, 1001));
	MUST(chmod("door", 0660));
	for (unsigned i = 0; i < 3; i++)
		CHILD({
			be(i == 1 ? 1000 : 1100, i == 2 ? 1001 : 1100);
			reach("door");
			SHOW(access("door", W_OK));
			SHOW(access("door", X_OK));
		});
	close(fd);
}

int main(void)
{
	umask(022);
	MUST(chmod(".", 0755));
	owners();
	made_by_users();
	moved();
	who_may();
	return 0;
}
