/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo, stat, statx, statfs and fstatfs say the same of a directory, and the root is what a program expects of a disk. */
#include "mounts.h"
#include <linux/magic.h>
#include <sys/statfs.h>

static const struct {
	const char *type;
	unsigned long magic;
} magics[] = {
	{ "ext4", EXT4_SUPER_MAGIC }, { "xfs", 0x58465342 },       { "btrfs", BTRFS_SUPER_MAGIC }, { "proc", PROC_SUPER_MAGIC },
	{ "sysfs", SYSFS_MAGIC },     { "devtmpfs", TMPFS_MAGIC }, { "tmpfs", TMPFS_MAGIC },       { "devpts", DEVPTS_SUPER_MAGIC },
};

static bool type_fits(const char *type, unsigned long magic)
{
	for (size_t i = 0; i < COUNT(magics); i++)
		if (!strcmp(magics[i].type, type))
			return magics[i].magic == magic;
	say("no magic number of %s is known here", type);
	return false;
}

static void look(struct table *table, const char *path)
{
	struct row *row = mount_of(table, path);
	struct statfs one, two;
	struct stat st, other;
	struct statx x;
	int fd;

	say("-- %s", path);
	FACT(row);
	MUST(stat(path, &st));
	FACT(major(st.st_dev) == row->major && minor(st.st_dev) == row->minor);
	MUST(lstat(path, &other));
	FACT(st.st_dev == other.st_dev);
	fd = (int)MUST(open(path, O_PATH | O_CLOEXEC));
	MUST(fstat(fd, &other));
	FACT(st.st_dev == other.st_dev && st.st_ino == other.st_ino);
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &x) == 0 || errno != ENOSYS)
		FACT(makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
	else
		say("makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev: yes"); /* an old kernel's libc does without */
	OK(statfs(path, &one));
	OK(fstatfs(fd, &two));
	FACT(type_fits(row->type, (unsigned long)one.f_type));
	FACT(one.f_type == two.f_type && one.f_bsize == two.f_bsize && one.f_blocks == two.f_blocks && one.f_files == two.f_files);
	FACT(one.f_namelen == two.f_namelen && !memcmp(&one.f_fsid, &two.f_fsid, sizeof(one.f_fsid)));
	FACT(one.f_bfree <= one.f_blocks && one.f_bavail <= one.f_bfree);
	close(fd);
}

static void look_at_root(struct table *table)
{
	struct row *row = mount_of(table, "/");
	struct statfs fs = { 0 };
	fsid_t none = { { 0, 0 } };
	int sources = 0;

	MUST(statfs("/", &fs));
	say("-- as a disk");
	FACT(!strncmp(row->type, "ext", 3)); /* what cAdvisor reads by statfs alone */
	FACT(fs.f_type == EXT4_SUPER_MAGIC);
	FACT(!strncmp(row->source, "/dev/", 5));
	FACT(memcmp(&fs.f_fsid, &none, sizeof(none)) != 0);
	FACT(fs.f_blocks > 0 && fs.f_bsize > 0);
	FACT(!strncmp(row->super, "rw", 2) || !strncmp(row->super, "ro", 2));
	FACT(strstr(row->super, "lowerdir=") == NULL && strstr(row->super, "trans=") == NULL);
	for (int i = 0; i < table->count; i++)
		if (!strcmp(table->row[i].source, row->source) &&
		    (table->row[i].major != row->major || table->row[i].minor != row->minor))
			sources++;
	FACT(sources == 0); /* one source, one file system: else readers take it for a bind mount */
}

int main(void)
{
	static const char *const paths[] = {
		"/", "/etc", "/usr", "/usr/bin", "/proc", "/proc/self/status", "/sys", "/dev", "/tmp"
	};
	struct table *table = read_mountinfo("/proc/self/mountinfo");

	for (size_t i = 0; i < COUNT(paths); i++)
		look(table, paths[i]);
	look_at_root(table);
	return 0;
}
