/* SPDX-License-Identifier: Apache-2.0 */
/* Removing and making names: whiteouts, opaque directories. */
#include "overlay_test.h"

#include <sys/socket.h>
#include <sys/un.h>

static void removing(void)
{
	SHOW(unlink("/a/none"));
	SHOW(unlink("/a/dir"));
	SHOW(rmdir("/a/one"));
	SHOW(rmdir("/a/dir"));
	SHOW(unlink("/a/one"));
	SHOW(unlink("/a/one"));
	say_file("/a/one");
	OK(open("/a/one", O_RDONLY));
	OK(open("/a/one", O_WRONLY));
	OK(open("/a/one/x", O_RDONLY));
	SHOW(chmod("/a/one", 0600));
	SHOW(truncate("/a/one", 0));
	SHOW(rename("/a/one", "/a/uno"));
	SHOW(link("/a/one", "/a/uno"));
	say_names("/a");
	OK(open("/a/one", O_WRONLY | O_CREAT | O_EXCL, 0640));
	OK(open("/a/one", O_WRONLY | O_CREAT | O_EXCL, 0640));
	say_file("/a/one");
	SHOW(unlink("/a/one"));
	SHOW(symlink("two", "/a/one"));
	say_file("/a/one");
	SHOW(unlink("/a/one"));
	SHOW(mknod("/a/one", S_IFIFO | 0600, 0));
	say_file("/a/one");
	SHOW(unlink("/a/one"));
	SHOW(link("/a/two", "/a/one"));
	append("/a/one", "+one");
	say_file("/a/two");
	SHOW(unlink("/a/one"));
	SHOW(mkdir("/a/one", 0750));
	say_names("/a/one");
	SHOW(rmdir("/a/one"));
	say_file("/a/one");
	SHOW(unlink("/a/link"));
	say_file("/a/link");
	say_file("/a/two");
}

static void directories(void)
{
	SHOW(unlink("/a/dir/in"));
	SHOW(rmdir("/a/dir"));
	SHOW(unlink("/a/dir/sub/deep"));
	SHOW(rmdir("/a/dir/sub"));
	say_names("/a/dir");
	SHOW(mkdir("/a/dir/sub", 0700));
	say_names("/a/dir/sub");
	write_file("/a/dir/sub/new", "new", 0600);
	SHOW(rmdir("/a/dir/sub"));
	SHOW(unlink("/a/dir/sub/new"));
	SHOW(rmdir("/a/dir/sub"));
	SHOW(rmdir("/a/dir"));
	say_file("/a/dir");
	say_file("/a/dir/in");
	OK(open("/a/dir/x", O_WRONLY | O_CREAT, 0600));
	SHOW(mkdir("/a/dir/x", 0700));
	SHOW(mkdir("/a/dir", 02775));
	say_file("/a/dir");
	say_names("/a/dir");
	write_file("/a/dir/in", "mine", 0600);
	SHOW(mkdir("/a/dir/sub", 0700));
	say_names("/a/dir");
	say_names("/a/dir/sub");
	say_file("/a/dir/in");
	SHOW(mkdir("/a/empty", 0700));
	SHOW(rmdir("/a/empty"));
	SHOW(rmdir("/a/empty"));
	say_names("/a/dir2/in");
	write_file("/a/dir2/in/made", "made", 0600);
	SHOW(rmdir("/a/dir2/in"));
	SHOW(unlink("/a/dir2/in/y"));
	SHOW(unlink("/a/dir2/in/made"));
	SHOW(rmdir("/a/dir2/in"));
	say_names("/a/dir2");
}

static void others(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/a/three" };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	SHOW(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	SHOW(unlink("/a/three"));
	SHOW(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	say_file("/a/three");
	SHOW(listen(fd, 1));
	SHOW(connect((int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	SHOW(link("/a/mode", "/a/linked"));
	append("/a/linked", "+linked");
	say_file("/a/mode");
	SHOW(link("/a/link2", "/a/link3"));
	say_file("/a/link3");
	SHOW(link("/a/mode", "/a/two"));
	SHOW(link("/a/dir2", "/a/dir3"));
	SHOW(symlink("x", "/a/two"));
	SHOW(mkdir("/a/two", 0700));
	SHOW(mkdir("/a/two/x", 0700));
}

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	umask(0);
	removing();
	directories();
	others();
	return 0;
}
