// SPDX-License-Identifier: Apache-2.0
/* tmpfs: its options, what they do, and the other file systems without a device. */
#include "mounts.h"

#include <sys/vfs.h>

static void with(const char *options)
{
	struct statfs fs;
	struct stat st;

	if (mount("tmp", "/m/a", "tmpfs", 0, options) != 0) {
		say("tmpfs \"%s\": %s", options, errno_name(errno));
		return;
	}
	MUST(stat("/m/a", &st));
	MUST(statfs("/m/a", &fs));
	say("tmpfs \"%s\": mode %o uid %d gid %d", options, st.st_mode, (int)st.st_uid, (int)st.st_gid);
	if (strstr(options, "size="))
		say("  type %lx block size %ld, %ld of %ld blocks free", (long)fs.f_type, (long)fs.f_bsize, (long)fs.f_bfree,
		    (long)fs.f_blocks);
	if (strstr(options, "nr_inodes="))
		say("  %ld of %ld inodes free", (long)fs.f_ffree, (long)fs.f_files);
	show_mounts(" ");
	OK(umount("/m/a"));
}

static void options(void)
{
	static const char *const tried[] = {
		"",
		"size=1m",
		"size=1048577",
		"size=8k,mode=700",
		"mode=1777,uid=12,gid=34",
		"mode=0",
		"size=2M,nr_inodes=100",
		"nr_inodes=1k,size=1g",
		"nr_blocks=3",
		"size=x",
		"size=",
		"size",
		"mode=8",
		"mode=77777",
		"uid=-1",
		"uid=x",
		"none",
		"none=1",
		"size=1m,,mode=711",
		",",
		"noswap,size=1m",
		"huge=never,size=4k",
		"huge=sometimes",
		"ro",
		"rw,size=4k",
		"nodev",
		"noexec,size=4k",
		"source=other,size=4k",
		"mpol=default,size=4k",
		"size=4k,size=8k",
	};

	for (size_t i = 0; i < COUNT(tried); i++)
		with(tried[i]);
}

static void contents(void)
{
	struct stat st, other;

	OK(mount("one", "/m/a", "tmpfs", 0, NULL));
	list("/m/a");
	MUST(mkdir("/m/a/dir", 0755));
	write_file("/m/a/dir/file", "in it", 0644);
	OK(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	show_file("/m/b/dir/file");
	OK(mount("two", "/m/c", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"));
	list("/m/c");
	MUST(stat("/m/a", &st));
	MUST(stat("/m/c", &other));
	OK(rename("/m/a/dir", "/m/c/dir"));
	OK(rename("/m/a/dir/file", "/m/b/file"));
	OK(link("/m/a/dir/file", "/m/c/file"));
	show_mounts("three");
	OK(mount("x", "/m/a", NULL, MS_REMOUNT, "size=16m"));
	OK(mount("x", "/m/a", NULL, MS_REMOUNT, "nonsense"));
	show_mounts("resized");
	OK(umount("/m/a"));
	show_file("/m/b/dir/file");
	OK(umount("/m/b"));
	OK(mount("one", "/m/a", "tmpfs", 0, NULL));
	list("/m/a");
	OK(umount("/m/a"));
	OK(umount("/m/c"));
}

static void kind(const char *type, const char *data)
{
	struct statfs fs = { 0 };

	if (mount("src", "/m/a", type, MS_NOSUID | MS_NOEXEC, data) != 0) {
		say("%s \"%s\": %s", type, data ? data : "", errno_name(errno));
		return;
	}
	statfs("/m/a", &fs);
	say("%s \"%s\": type %lx", type, data ? data : "", (long)fs.f_type);
	show_mounts(" ");
	OK(umount("/m/a"));
}

static void kinds(void)
{
	struct stat st;

	kind("proc", NULL);
	kind("sysfs", NULL);
	kind("mqueue", NULL);
	kind("devpts", "newinstance,gid=5,mode=620,ptmxmode=666");
	kind("devpts", "gid=x");
	kind("devpts", "newinstance,gid=0005,gid=7,ptmxmode=600,mode=600,mode=640");
	kind("ramfs", NULL);
	kind("none", NULL);
	kind("", NULL);
	MUST(mount("p", "/m/b", "proc", 0, NULL));
	OK(access("/m/b/self/status", R_OK));
	OK(access("/m/b/1", F_OK));
	OK(stat("/m/b/self", &st));
	OK(umount("/m/b"));
}

int main(void)
{
	make_places();
	options();
	contents();
	kinds();
	return 0;
}
