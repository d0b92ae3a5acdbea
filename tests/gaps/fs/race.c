// SPDX-License-Identifier: Apache-2.0
/*
 * Guests that swap links for directories while others walk, make, change and remove: none may reach what lies outside of the root.
 *
 *     race ROUNDS OUTSIDE DEVICE INODE…      OUTSIDE: a directory of the host; DEVICE, INODE: of what must not be reached there
 *
 * /t/a is by turns a directory, a link to another, and links that would lead to OUTSIDE on the host: absolute, and by many "..". /t/x/y/z moves up and
 * down, so that its ".." means something else each time. Walkers look at each thing they get hold of: its inode must be none of the forbidden.
 */
#include "fs_test.h"

#include <sys/xattr.h>

enum { FORBIDDEN_MAX = 16, WALKERS = 2 };
static ino_t forbidden[FORBIDDEN_MAX];
static int forbidden_count;
static dev_t device;
static const char *outside;
static long found, wrong, done;

static void swap_once(unsigned int round)
{
	char up[256];

	switch (round % 6) {
	case 0:
		symlink(outside, "/t/next");
		break;
	case 1:
		snprintf(up, sizeof(up), "../../../../../../../../../..%s", outside);
		symlink(up, "/t/next");
		break;
	case 2:
		symlink("/", "/t/next");
		break;
	case 3:
		symlink("real", "/t/next");
		break;
	case 4:
		symlink("/proc/1/root", "/t/next");
		break;
	default:
		mkdir("/t/next", 0755);
	}
	if (syscall(SYS_renameat2, AT_FDCWD, "/t/next", AT_FDCWD, "/t/a", RENAME_EXCHANGE) != 0) {
		unlink("/t/a"); /* nobody has it exchanged: gVisor */
		remove_all(AT_FDCWD, "/t/a");
		rename("/t/next", "/t/a");
	}
	remove_all(AT_FDCWD, "/t/next");
	rename(round % 2 ? "/t/x/y" : "/t/y", round % 2 ? "/t/y" : "/t/x/y");
}

/* Whatever this is must lie inside. */
static void judge(const char *what, const struct stat *st)
{
	found++;
	for (int i = 0; i < forbidden_count; i++)
		if (st->st_dev == device && st->st_ino == forbidden[i]) {
			wrong++;
			say("%s reached inode %d of the forbidden", what, i);
		}
}

static void judge_fd(const char *what, int fd)
{
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		judge(what, &st);
	close(fd);
}

static void list(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	struct stat st = { .st_dev = device };

	while (dir && (entry = readdir(dir))) {
		st.st_ino = strcmp(entry->d_name, "..") == 0 ? 0 : entry->d_ino;
		judge("listing", &st);
	}
	if (dir)
		closedir(dir);
}

static void look(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0)
		judge("stat", &st);
	if (lstat(path, &st) == 0)
		judge("lstat", &st);
	judge_fd("open", open(path, O_RDONLY | O_NONBLOCK));
	judge_fd("O_PATH", open(path, O_PATH));
	judge_fd("O_DIRECTORY", open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
	fd = open("/t/a", O_RDONLY | O_DIRECTORY);
	if (fd >= 0) {
		judge_fd("openat", openat(fd, "canary", O_RDONLY));
		judge_fd("openat", openat(fd, "../../outside/canary", O_RDONLY));
		if (fstatat(fd, "canary", &st, 0) == 0)
			judge("fstatat", &st);
		if (fstatat(fd, "sub", &st, AT_SYMLINK_NOFOLLOW) == 0)
			judge("fstatat of a link", &st);
		close(fd);
	}
	if (chdir("/t/a") == 0) {
		judge_fd("from there", open("canary", O_RDWR));
		if (stat("canary", &st) == 0)
			judge("stat from there", &st);
		judge_fd("above", open("..", O_RDONLY));
		chdir("/t");
	}
}

static void change(unsigned int round, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/t/a/%s", name);
	judge_fd("create", open(path, O_RDWR | O_CREAT, 0600));
	judge_fd("truncate", open(path, O_WRONLY | O_TRUNC | O_NONBLOCK));
	chmod(path, 0640);
	lchown(path, getuid(), getgid());
	truncate(path, 1);
	utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
	setxattr(path, "user.race", "x", 1, 0);
	lsetxattr("/t/a", "user.race", "x", 1, 0);
	rename(path, "/t/real/moved");
	link("/t/real/f", path);
	link(path, "/t/real/linked");
	unlink("/t/real/linked");
	if (round % 2)
		unlink(path);
	snprintf(path, sizeof(path), "/t/a/made%d", getpid());
	mkdir(path, 0700);
	rmdir(path);
	symlink("x", path);
	unlink(path);
	mknod(path, S_IFIFO | 0600, 0);
	unlink(path);
	make_socket(path);
	unlink(path);
	rename("/t/a/sub", "/t/real/sub");
}

static void walk(unsigned int round)
{
	struct stat st;
	int fd;

	look("/t/a/canary");
	look("/t/a");
	look("/t/a/../canary");
	look("/t/x/y/z/../../../../../../../../canary");
	look("/t/x/y/../../..");
	list("/t/a");
	change(round, "canary");
	change(round, "f");
	fd = open("/t/x/y/z", O_PATH);
	if (fd < 0)
		fd = open("/t/y/z", O_PATH);
	for (int i = 0; fd >= 0 && i < 8; i++) {
		int up = openat(fd, "..", O_PATH);

		if (up >= 0 && fstat(up, &st) == 0)
			judge("up", &st);
		if (up >= 0 && fstatat(up, "canary", &st, 0) == 0)
			judge("canary from above", &st);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	done++;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 4 ? (unsigned int)scaled(atoi(argv[1])) : 0;
	pid_t swapper, walkers[WALKERS];
	int status, bad = 0;

	if (!rounds)
		return 2;
	outside = argv[2];
	device = (dev_t)strtoull(argv[3], NULL, 10);
	for (int i = 4; i < argc && forbidden_count < FORBIDDEN_MAX; i++)
		forbidden[forbidden_count++] = (ino_t)strtoull(argv[i], NULL, 10);
	mkdir("/t", 0755);
	mkdir("/t/real", 0755);
	mkdir("/t/x", 0755);
	mkdir("/t/x/y", 0755);
	mkdir("/t/x/y/z", 0755);
	mkdir("/t/a", 0755);
	write_file("/t/real/f", "f", 0644);
	swapper = fork_or_die();
	if (swapper == 0)
		for (unsigned int i = 0;; i++)
			swap_once(i);
	for (int i = 0; i < WALKERS; i++) {
		walkers[i] = fork_or_die();
		if (walkers[i] == 0) {
			for (unsigned int k = 0; k < rounds; k++)
				walk(k);
			_exit(wrong ? 3 : found > done ? 0 : 4);
		}
	}
	for (int i = 0; i < WALKERS; i++) {
		waitpid(walkers[i], &status, 0);
		bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	kill(swapper, SIGKILL);
	reap_quietly(swapper);
	say("race: %d walkers went wrong", bad);
	return bad != 0;
}
