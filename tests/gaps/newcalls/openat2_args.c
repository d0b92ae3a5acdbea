/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: size and contents of struct open_how, flags, mode, pointers, descriptors. */
#include "openat2_test.h"

static long how_size(const void *how, size_t size)
{
	return show_ok("  ", syscall(SYS_openat2, AT_FDCWD, "file", how, size));
}

static void sizes(void)
{
	char big[8192] = { 0 };
	struct open_how how = { .flags = O_RDONLY };

	memcpy(big, &how, sizeof(how));
	say("sizes 0, 8, 23, 24, 25, 32, 64, 100, 4096, 4097, -1:");
	how_size(big, 0);
	how_size(big, 8);
	how_size(big, 23);
	how_size(big, 24);
	how_size(big, 25);
	how_size(big, 32);
	how_size(big, 64);
	how_size(big, 100);
	how_size(big, 4096);
	how_size(big, 4097);
	how_size(big, (size_t)-1);
	say("something behind what is known:");
	big[24] = 1;
	how_size(big, 25);
	how_size(big, 4096);
	big[24] = 0;
	big[99] = 1;
	how_size(big, 99);
	how_size(big, 100);
	say("pointers: none, bad, up to a guard page, over it, small and bad, bad path:");
	how_size(NULL, 24);
	how_size(bad_pointer(), 24);
	how_size(tail_copy(&how, 24), 24);
	how_size(tail_copy(&how, 24), 25);
	how_size(bad_pointer(), 8);
	how_size(read_only_copy(&how, 24), 24);
	OK(syscall(SYS_openat2, AT_FDCWD, NULL, &how, sizeof(how)));
	OK(syscall(SYS_openat2, AT_FDCWD, bad_pointer(), &how, sizeof(how)));
	OK(syscall(SYS_openat2, AT_FDCWD, tail_copy("file", 5), &how, sizeof(how)));
	OK(syscall(SYS_openat2, AT_FDCWD, tail_copy("file", 4), &how, sizeof(how)));
}

static void flags(void)
{
	static const uint64_t known[] = { O_PATH,
					  O_PATH | O_NOFOLLOW,
					  O_PATH | O_CLOEXEC,
					  O_PATH | O_RDWR,
					  O_PATH | O_NONBLOCK,
					  O_PATH | O_CREAT,
					  O_PATH | O_APPEND,
					  O_DIRECTORY,
					  O_DIRECTORY | O_CREAT,
					  O_DIRECTORY | O_PATH,
					  020000000,
					  O_TMPFILE,
					  O_TMPFILE | O_RDWR,
					  O_SYNC,
					  3,
					  O_TRUNC | O_RDWR,
					  O_CREAT | O_EXCL };

	for (unsigned i = 0; i < COUNT(known); i++) {
		say("flags %#lo:", (unsigned long)known[i]);
		open_as("  file", "file", known[i], 0, 0);
		open_as("  folder", "folder", known[i], 0, 0);
		open_as("  link", "link", known[i], 0, 0);
	}
	say("each bit alone:");
	for (unsigned bit = 2; bit < 64; bit++)
		if (bit != 6 && bit != 14 && bit != 26) /* O_CREAT; O_DIRECT and FMODE_NONOTIFY depend on file system and kernel */
			open_as("  file", "file", UINT64_C(1) << bit, 0, 0);
}

static void modes(void)
{
	struct stat st;

	umask(022);
	open_as("mode without creation", "file", O_RDONLY, 0600, 0);
	open_as("mode with unknown bits", "new", O_CREAT | O_RDWR, 010000, 0);
	open_as("mode with type", "new", O_CREAT | O_RDWR, 0100644, 0);
	open_as("mode with high bits", "new", O_CREAT | O_RDWR, UINT64_C(1) << 40, 0);
	open_as("mode 06777", "new", O_CREAT | O_RDWR, 06777, 0);
	stat("new", &st);
	say("it has %o", st.st_mode & 07777);
	open_as("mode of a file that exists", "new", O_CREAT | O_RDWR, 0600, 0);
	open_as("O_TMPFILE with mode", "folder", O_TMPFILE | O_RDWR, 0600, 0);
	for (uint64_t bit = 1; bit; bit <<= 1)
		if (bit & ~UINT64_C(0x1f))
			open_as("resolve bit", "file", O_RDONLY, 0, bit);
	open_as("both scopes", "file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT);
	open_as("cached and O_CREAT", "file", O_RDONLY | O_CREAT, 0600, 0x20);
	open_as("cached and O_TRUNC", "file", O_RDWR | O_TRUNC, 0, 0x20);
	open_as("cached, bad mode", "file", O_RDWR | O_CREAT, 010000, 0x20);
}

static void descriptors(void)
{
	struct open_how how = { .flags = O_RDONLY }, beneath = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	int file = (int)MUST(open("file", O_RDONLY)), folder = (int)MUST(open("folder", O_RDONLY));

	for (int i = 0; i < 2; i++) {
		struct open_how *h = i ? &beneath : &how;

		OK(syscall(SYS_openat2, -1, "file", h, sizeof(*h)));
		OK(syscall(SYS_openat2, 9999, "file", h, sizeof(*h)));
		OK(syscall(SYS_openat2, file, "file", h, sizeof(*h)));
		OK(syscall(SYS_openat2, folder, "inner", h, sizeof(*h)));
		OK(syscall(SYS_openat2, folder, "", h, sizeof(*h)));
		OK(syscall(SYS_openat2, -1, "", h, sizeof(*h)));
		OK(syscall(SYS_openat2, -1, "/", h, sizeof(*h)));
	}
	how.resolve = RESOLVE_IN_ROOT;
	OK(syscall(SYS_openat2, file, "/", &how, sizeof(how)));
	OK(syscall(SYS_openat2, -1, "/", &how, sizeof(how)));
	OK(syscall(SYS_openat2, folder, "/inner", &how, sizeof(how)));
}

int main(void)
{
	make_tree();
	sizes();
	flags();
	modes();
	descriptors();
	return 0;
}
