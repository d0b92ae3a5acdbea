/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: trusted.* and security.* by root and by others, listing, sizes, flags; nothing of lichen's own is seen. */
#include "identity.h"

#include <sys/xattr.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names but those that a machine's security module adds. */
static void say_names(const char *what, ssize_t size, char *list)
{
	char line[512] = "", *names[32];
	size_t count = 0;

	for (char *at = list; size > 0 && at < list + size; at += strlen(at) + 1)
		if (strcmp(at, "security.selinux") != 0 && count < COUNT(names))
			names[count++] = at;
	qsort(names, count, sizeof(names[0]), by_text);
	for (size_t i = 0; i < count; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", names[i]);
	say("%s: %s%s", what, size < 0 ? errno_name(errno) : "", line);
}

static void try(const char *who, const char *path)
{
	static const char *const names[] = { "user.mine",      "trusted.overlay.opaque", "security.test", "security.capability",
					     "user.",          "nothing.known",          "trusted.",      "unknown",
					     "user.containers" };
	char value[64], list[1024];
	int fd;

	say("%s, %s:", who, path);
	for (unsigned i = 0; i < COUNT(names); i++) {
		ssize_t n;

		if (!strcmp(names[i], "security.capability"))
			continue;
		say("  set %s: %s", names[i], setxattr(path, names[i], "value", 5, 0) ? errno_name(errno) : "ok");
		say("  again: %s", setxattr(path, names[i], "other", 5, XATTR_CREATE) ? errno_name(errno) : "ok");
		n = getxattr(path, names[i], value, sizeof(value));
		say("  get: %zd %s %.*s", n, n < 0 ? errno_name(errno) : "", n > 0 ? (int)n : 0, value);
	}
	say_names("  list", listxattr(path, list, sizeof(list)), list);
	SHOW(listxattr(path, NULL, 0) > 0);
	SHOW(listxattr(path, list, 3));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	say_names("  flist", flistxattr(fd, list, sizeof(list)), list);
	SHOW(fgetxattr(fd, "trusted.overlay.opaque", value, 2));
	SHOW(fgetxattr(fd, "trusted.overlay.opaque", NULL, 0));
	SHOW(fsetxattr(fd, "trusted.by.fd", "x", 1, XATTR_REPLACE));
	SHOW(fsetxattr(fd, "trusted.by.fd", "x", 1, 0));
	SHOW(fremovexattr(fd, "trusted.by.fd"));
	SHOW(fremovexattr(fd, "trusted.by.fd"));
	SHOW(removexattr(path, "security.test"));
	SHOW(setxattr(path, "trusted.bad", bad_pointer(), 5, 0));
	SHOW(setxattr(path, bad_pointer(), "x", 1, 0));
	SHOW(getxattr(path, "", value, 1));
	close(fd);
}

int main(void)
{
	MUST(setgroups(0, NULL));
	MUST(chmod(".", 0755));
	write_file("file", "text", 0640);
	MUST(chown("file", 5, 6));
	MUST(mkdir("folder", 0755));
	MUST(chown("folder", 1000, 1000));
	write_file("open", "text", 0666);
	MUST(chmod("open", 04666));
	try("root", "file");
	try("root", "folder");
	AS_USER(1000, 1000, try("1000", "file"));
	AS_USER(1000, 1000, try("1000", "folder"));
	AS_USER(1000, 1000, try("1000", "open"));
	return 0;
}
