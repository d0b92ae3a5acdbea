// SPDX-License-Identifier: Apache-2.0
/* What mount(2) looks at, in which order: every wrong argument against every other. */
#include "mounts.h"

static const char *word(const char *text)
{
	return !text ? "NULL" : text == bad_pointer() ? "BAD" : strlen(text) > 60 ? "LONG" : text;
}

static void try(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	int r = mount(source, target, type, flags, data);

	say("mount(%s, %s, %s, %#lx, %s): %s", word(source), word(target), word(type), flags,
	    !data                   ? "NULL"
	    : data == bad_pointer() ? "BAD"
				    : "data",
	    r ? errno_name(errno) : "ok");
	while (r == 0 && umount2("/m/a", MNT_DETACH) == 0) {
	}
	while (r == 0 && umount2("/m/file", MNT_DETACH) == 0) {
	}
}

static void unprivileged(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!become(1000, 1000))
			_exit(9);
		try("/m/b", "/m/a", NULL, MS_BIND, NULL);
		try("/m/b", "/m/none", NULL, MS_BIND, NULL);
		try("/m/b", "/m/a", bad_pointer(), MS_BIND, NULL);
		try(NULL, "/m/a", "none", 0, NULL);
		try(NULL, "/m/a", NULL, MS_NOUSER, NULL);
		OK(umount2("/m/a", 0));
		OK(umount2("/m/none", 0));
		OK(umount2("/m/a", 0x40));
		_exit(0);
	}
	reap(pid);
}

int main(void)
{
	static char long_name[5000];
	const char *const sources[] = { NULL, bad_pointer(), "", "/m/b", "/m/none", "/m/file", long_name };
	const char *const targets[] = {
		NULL, bad_pointer(), "", "/m/a", "/m/none", "/m/file", "/m/file/x", "/m/dangling", long_name
	};
	const char *const types[] = { NULL, bad_pointer(), "", "tmpfs", "none", long_name };
	const unsigned long flags[] = {
		0,
		MS_BIND,
		MS_BIND | MS_REC,
		MS_MOVE,
		MS_BIND | MS_MOVE,
		MS_REMOUNT,
		MS_REMOUNT | MS_BIND,
		MS_PRIVATE,
		MS_SHARED | MS_PRIVATE,
		MS_SHARED | MS_RDONLY,
		MS_REC,
		MS_NOUSER,
		MS_MGC_VAL,
		MS_MGC_VAL | MS_BIND,
		1UL << 40,
	};
	int number = 0;

	memset(long_name, 'n', sizeof(long_name) - 1);
	make_places();
	for (size_t s = 0; s < COUNT(sources); s++)
		for (size_t t = 0; t < COUNT(targets); t++)
			for (size_t y = 0; y < COUNT(types); y++)
				for (size_t f = 0; f < COUNT(flags); f++)
					if (number++ % 31 == 0)
						try(sources[s], targets[t], types[y], flags[f], NULL);
	try(NULL, "/m/a", "tmpfs", 0, bad_pointer());
	try("/m/b", "/m/a", "tmpfs", MS_BIND, bad_pointer());
	try(NULL, "/m/none", "none", 0, bad_pointer());
	try(NULL, "/m/a", "tmpfs", 0, tail_copy("size=4k", 7)); /* no NUL before the end of memory */
	try("x", "/m/a", "tmpfs", MS_SILENT, NULL);
	try("/m/b", "/m/file", "tmpfs", 0, NULL);
	MUST(mkdir("/m/gone", 0755));
	MUST(chdir("/m/gone"));
	MUST(rmdir("/m/gone"));
	try("/m/b", ".", NULL, MS_BIND, NULL);
	MUST(chdir("/m/b"));
	try(".", "../a", NULL, MS_BIND, NULL);
	MUST(chdir("/"));
	show_mounts("after");
	unprivileged();
	return 0;
}
