// SPDX-License-Identifier: Apache-2.0
/* tmpfs: what does not fit in its size or its number of inodes. */
#include "tmpfs.h"

#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

/* 8 pages: writes of all kinds, until it is full and behind it. */
static void writes(void)
{
	struct iovec v[3] = { { bytes, PAGE }, { bytes, 100 }, { bytes, 3 * PAGE } };
	int fd, other;

	OK(mount("t", "/m/a", "tmpfs", 0, "size=32k,nr_inodes=20"));
	space("empty");
	fd = make("/m/a/one", 0);
	told("write a page", write(fd, bytes, PAGE));
	told("write three bytes", write(fd, "abc", 3));
	space("one");
	told("pwrite in it", pwrite(fd, bytes, 100, 10));
	told("pwrite behind it", pwrite(fd, bytes, PAGE, 2 * PAGE));
	space("three");
	other = make("/m/a/two", O_APPEND);
	told("writev", writev(other, v, 3));
	space("nearly full");
	told("writev too much", writev(other, v, 3));
	told("write to full", write(other, bytes, PAGE));
	space("full");
	told("write nothing", write(other, bytes, 0));
	told("write to the end of its page", write(other, bytes, 10));
	told("write over", pwrite(fd, bytes, PAGE, 0));
	told("bad address", syscall(SYS_write, other, 8, PAGE));
	OK(ftruncate(fd, PAGE));
	space("cut");
	told("pwritev", pwritev(fd, v, 3, PAGE));
	space("again");
	OK(unlink("/m/a/two"));
	close(other);
	space("without two");
	told("write three pages", pwrite(fd, bytes, 3 * PAGE, PAGE));
	told("write 64 pages", pwrite(fd, bytes, sizeof(bytes), PAGE));
	close(fd);
	OK(open("/m/a/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? -1 : 0);
	OK(mkdir("/m/a/dir", 0700));
	OK(umount("/m/a"));
}

static void other_calls(void)
{
	int fd, in = make("/m/source", 0), out, pipes[2];
	off_t at = 0;

	MUST(write(in, bytes, 6 * PAGE));
	OK(mount("t", "/m/a", "tmpfs", 0, "nr_blocks=4"));
	fd = make("/m/a/file", 0);
	OK(fallocate(fd, 0, 0, 5 * PAGE));
	OK(fallocate(fd, 0, 0, 3 * PAGE));
	space("allocated");
	told("write what is allocated", write(fd, bytes, 3 * PAGE));
	told("write more", write(fd, bytes, 3 * PAGE));
	close(fd);
	OK(unlink("/m/a/file"));
	out = make("/m/a/sent", 0);
	told("sendfile", sendfile(out, in, &at, 2 * PAGE));
	at = 0;
	told("sendfile too much", sendfile(out, in, &at, 6 * PAGE));
	space("sent");
	OK(ftruncate(out, 0));
	MUST(pipe2(pipes, O_CLOEXEC));
	MUST(write(pipes[1], bytes, 2 * PAGE));
	at = 0;
	told("splice", splice(pipes[0], NULL, out, &at, 2 * PAGE, 0));
	close(out);
	OK(umount("/m/a"));
	close(in);
}

static void *writer(void *arg)
{
	int fd = *(int *)arg;

	told("a thread writes", write(fd, bytes, 8 * PAGE));
	return NULL;
}

/* Who inherits a descriptor, or has it from before, is bound, too. */
static void others(void)
{
	pthread_t thread;
	int fd, status;
	pid_t pid;

	OK(mount("t", "/m/a", "tmpfs", 0, "size=16k"));
	fd = open("/m/a/file", O_RDWR | O_CREAT, 0644);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		told("a child writes", write(fd, bytes, 2 * PAGE));
		fflush(stdout);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	MUST(pthread_create(&thread, NULL, writer, &fd));
	pthread_join(thread, NULL);
	space("afterwards");
	close(fd);
	OK(umount("/m/a"));
}

static void inodes(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/m/a/socket" };
	int fd, s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	OK(mount("t", "/m/a", "tmpfs", 0, "nr_inodes=5,size=1m"));
	space("empty");
	OK(mkdir("/m/a/dir", 0755));
	OK(symlink("x", "/m/a/link"));
	OK(mkfifo("/m/a/fifo", 0600));
	fd = make("/m/a/dir/file", 0);
	space("full");
	told("write", write(fd, bytes, PAGE));
	close(fd);
	close(make("/m/a/dir/file", 0));
	MUST(make("/m/a/more", 0) < 0 ? 0 : -1);
	OK(mkdir("/m/a/dir", 0755));
	OK(mkdir("/m/a/dir2", 0755));
	OK(symlink("x", "/m/a/link2"));
	OK(link("/m/a/dir/file", "/m/a/hard"));
	OK(bind(s, (struct sockaddr *)&name, sizeof(name)));
	OK(rename("/m/a/fifo", "/m/a/dir/fifo"));
	OK(unlink("/m/a/dir/fifo"));
	OK(link("/m/a/dir/file", "/m/a/hard"));
	OK(mkdir("/m/a/dir2", 0755));
	OK(unlink("/m/a/hard"));
	OK(mkdir("/m/a/dir2", 0755));
	space("at the end");
	close(s);
	OK(umount("/m/a"));
}

static void resized(void)
{
	int fd;

	OK(mount("t", "/m/a", "tmpfs", 0, "size=32k"));
	fd = make("/m/a/file", 0);
	told("write four pages", write(fd, bytes, 4 * PAGE));
	OK(mount("t", "/m/a", NULL, MS_REMOUNT, "size=8k"));
	OK(mount("t", "/m/a", NULL, MS_REMOUNT, "size=20k"));
	told("write four more", write(fd, bytes, 4 * PAGE));
	OK(mount("t", "/m/a", NULL, MS_REMOUNT, "size=64k"));
	told("and again", write(fd, bytes, 4 * PAGE));
	OK(mount("/m/a", "/m/b", NULL, MS_BIND, NULL));
	close(fd);
	fd = make("/m/b/other", 0);
	told("through a bind", write(fd, bytes, 16 * PAGE));
	close(fd);
	OK(umount("/m/b"));
	OK(umount("/m/a"));
}

int main(void)
{
	make_places();
	writes();
	other_calls();
	others();
	inodes();
	resized();
	return 0;
}
