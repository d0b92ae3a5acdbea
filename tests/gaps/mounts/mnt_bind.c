// SPDX-License-Identifier: Apache-2.0
/* Bind mounts: directories, files, over one another, with and without what is mounted below. */
#include "mounts.h"

static void where(const char *path)
{
	char text[128];

	if (OK(chdir(path)) != 0)
		return;
	MUST(chdir(".."));
	say("above %s: %s", path, getcwd(text, sizeof(text)) ? text : errno_name(errno));
	MUST(chdir("/"));
}

static void directories(void)
{
	OK(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	show_mounts("a on b");
	list("/m/b");
	show_file("/m/b/in_a");
	show_file("/m/b/sub/file");
	OK(access("/m/b/in_b", F_OK));
	OK(close(open("/m/b/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
	OK(access("/m/a/new", F_OK));
	OK(unlink("/m/a/new"));
	OK(access("/m/b/new", F_OK));
	where("/m/b");
	where("/m/b/sub");
	OK(rmdir("/m/b"));
	OK(rename("/m/b", "/m/x"));
	OK(rename("/m/b/in_a", "/m/a/moved"));
	OK(link("/m/b/in_a", "/m/c/linked"));
	OK(mount("/m/a/sub", "/m/a/sub", NULL, MS_BIND, NULL));
	show_mounts("a/sub on itself");
	OK(umount("/m/a/sub"));
	OK(mount("/m/b/sub", "/m/c", "none", MS_BIND, "data is not looked at"));
	list("/m/c");
	OK(mount("/m/to_a", "/m/d", NULL, MS_BIND, NULL));
	list("/m/d");
	OK(mount("/m/e", "/m/to_a", NULL, MS_BIND, NULL));
	list("/m/a");
	show_mounts("many");
	OK(umount("/m/to_a"));
	OK(umount("/m/d"));
	OK(umount("/m/c"));
	OK(umount("/m/b"));
	list("/m/b");
	show_mounts("none");
}

static void files(void)
{
	char text[64];
	int fd;

	OK(mount("/m/file", "/m/a/in_a", NULL, MS_BIND, NULL));
	show_file("/m/a/in_a");
	show_mounts("file on file");
	write_file("/m/a/in_a", "written through", 0644);
	show_file("/m/file");
	OK(unlink("/m/a/in_a"));
	OK(rename("/m/file2", "/m/a/in_a"));
	OK(link("/m/a/in_a", "/m/hard"));
	fd = open("/m/a/in_a", O_RDONLY);
	read_file("/m/file2", text, sizeof(text));
	OK(mount("/m/file2", "/m/a/in_a", NULL, MS_BIND, NULL));
	show_file("/m/a/in_a");
	show_mounts("two on one");
	OK(umount("/m/a/in_a"));
	show_file("/m/a/in_a");
	close(fd);
	OK(umount("/m/a/in_a"));
	show_file("/m/a/in_a");
	OK(mount("/m/a", "/m/file", NULL, MS_BIND, NULL));
	OK(mount("/m/file", "/m/a", NULL, MS_BIND, NULL));
	OK(mount("/m/a/", "/m/b/", NULL, MS_BIND, NULL));
	OK(umount("/m/b/."));
	OK(mount("/m/file/", "/m/file2", NULL, MS_BIND, NULL));
}

static void recursive(void)
{
	MUST(mount("/m/c", "/m/a/sub", NULL, MS_BIND, NULL));
	MUST(mount("/m/d", "/m/c", NULL, MS_BIND, NULL));
	OK(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	list("/m/b/sub");
	OK(umount("/m/b"));
	OK(mount("/m/a", "/m/b", NULL, MS_BIND | MS_REC, NULL));
	list("/m/b/sub");
	show_mounts("recursive");
	OK(umount("/m/b"));
	OK(umount("/m/b/sub"));
	OK(umount("/m/b"));
	OK(mount("/m", "/m/e", NULL, MS_BIND | MS_REC, NULL));
	list("/m/e/a/sub");
	list("/m/e/c");
	list("/m/e/e");
	show_mounts("its own parent");
	OK(umount2("/m/e", MNT_DETACH));
	show_mounts("detached");
	OK(umount2("/m/a/sub", 0));
	OK(umount2("/m/c", 0));
}

/* What is open before something is mounted on it, or on a directory above it. */
static void open_before(void)
{
	int dir = (int)MUST(open("/m/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
	    file = (int)MUST(open("/m/a/in_a", O_RDONLY | O_CLOEXEC));
	char text[64] = "";

	MUST(chdir("/m/a"));
	MUST(mount("/m/b", "/m/a", NULL, MS_BIND, NULL));
	OK(faccessat(dir, "in_a", F_OK, 0));
	OK(faccessat(dir, "in_b", F_OK, 0));
	OK(access("in_a", F_OK));
	OK(access("/m/a/in_a", F_OK));
	OK(access("../a/in_b", F_OK));
	OK(access("../b/in_b", F_OK));
	SHOW(read(file, text, sizeof(text)));
	OK(faccessat(dir, "..", F_OK, 0));
	OK(faccessat(dir, "../file", F_OK, 0));
	OK(chdir("/"));
	OK(umount("/m/a"));
	close(dir);
	close(file);
}

int main(void)
{
	make_places();
	directories();
	files();
	recursive();
	open_before();
	return 0;
}
