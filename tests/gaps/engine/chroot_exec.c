/* SPDX-License-Identifier: Apache-2.0 */
/* In a chroot without /proc, /dev or anything else: trapped calls, threads, fork and exec of a static program. */
#include "difftest.h"

static void *thread(void *arg)
{
	say("thread: trapped %d", trapped_ok());
	return arg;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/difftest-XXXXXX", path[100];

	if (argc > 1) {
		say("%s: %s, proc %s", argv[0], argv[1], access("/proc", F_OK) ? errno_name(errno) : "there");
		pthread_join(thread_start(thread, NULL), NULL);
		CHILD(say("child: trapped %d", trapped_ok()));
		if (strcmp(argv[1], "first") == 0) {
			execl("/program", "second-name", "second", NULL);
			say("not executed: %s", errno_name(errno));
		}
		if (strcmp(argv[1], "second") == 0) {
			execl("/script", "script", NULL);
			say("not executed: %s", errno_name(errno));
		}
		return trapped_ok() ? 0 : 1;
	}
	MUST(mkdtemp(folder) ? 0 : -1);
	snprintf(path, sizeof(path), "%s/program", folder);
	copy_file("/proc/self/exe", path, 0755);
	snprintf(path, sizeof(path), "%s/script", folder);
	write_file(path, "#!/program third\n", 0755);
	CHILD({
		if (chroot(folder) != 0) {
			say("skip: chroot: %s", errno_name(errno));
		} else {
			MUST(chdir("/"));
			say("in: trapped %d", trapped_ok());
			execl("/absent", "x", NULL);
			say("absent: %s", errno_name(errno));
			execl("/program", "first-name", "first", NULL);
			say("not executed: %s", errno_name(errno));
		}
	});
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	return system(path);
}
