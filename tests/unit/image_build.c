// SPDX-License-Identifier: Apache-2.0
/* What tests of images share. */
#include "image_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"
#include "unit.h"

static char place[PATH_MAX];

void build_enter(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(place, sizeof(place), "%s/image-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place));
	assert_int_equal(chmod(place, 0777), 0);
	assert_int_equal(chdir(place), 0);
}

void build_leave(void)
{
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, place), 0);
}

static int to_file(void *arg, const void *data, size_t size)
{
	return write(*(int *)arg, data, size) == (ssize_t)size ? 0 : -EIO;
}

static void put(const struct tar_sink *sink, const struct tar_entry *entry)
{
	assert_int_equal(tar_header(sink, entry), 0);
	for (u64 left = entry->size; left;) {
		size_t n = strlen(entry->name) < left ? strlen(entry->name) : (size_t)left;
		assert_int_equal(sink->write(sink->arg, entry->name, n), 0);
		left -= n;
	}
	assert_int_equal(tar_pad(sink, entry->size), 0);
}

int build_tar(const struct build_layer *layer, u64 *ret_size)
{
	int file = memfd_create("layer", MFD_CLOEXEC);
	const struct tar_sink sink = { to_file, &file };
	assert_true(file >= 0);
	for (size_t i = 0; layer->entries && layer->entries[i]; i++) {
		char type, name[4096] = "", link[4096] = "";
		assert_true(sscanf(layer->entries[i], "%c %4095s %4095s", &type, name, link) >= 2);
		const struct tar_entry entry = {
			.name = name,
			.link = *link ? link : NULL,
			.type = type,
			.mode = type == '5' ? 0755 : 0644,
			.size = type == '0' ? strlen(name) : 0,
			.mtime = 1000000000,
		};
		put(&sink, &entry);
	}
	for (const struct tar_entry *entry = layer->more; entry && entry->name; entry++)
		put(&sink, entry);
	assert_int_equal(tar_end(&sink), 0);
	*ret_size = (u64)lseek(file, 0, SEEK_CUR);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	return file;
}

int build_unpack(const char *root, const struct build_layer *layer, struct unpack_report *report, struct image_error *ret_error)
{
	struct unpack_report own = { 0 };
	struct digest digest;
	u64 size;
	if (mkdir(root, 0755) && errno != EEXIST)
		return -errno;
	CLEANUP_FD int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int file = build_tar(layer, &size);
	return unpack_layer(file, size, dir, NULL, report ? report : &own, &digest, ret_error);
}

const char *build_look(const char *path)
{
	static char text[8192];
	struct stat st;
	ssize_t n = 0;
	if (lstat(path, &st))
		return "-";
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, text + 2, sizeof(text) - 3);
		memcpy(text, "l ", 2);
	} else if (S_ISREG(st.st_mode)) {
		CLEANUP_FD int file = open(path, O_RDONLY | O_CLOEXEC);
		n = read(file, text + 2, sizeof(text) - 3);
		memcpy(text, "f ", 2);
	} else {
		return S_ISDIR(st.st_mode) ? "d" : S_ISFIFO(st.st_mode) ? "p" : S_ISCHR(st.st_mode) ? "c" : "b";
	}
	assert_true(n >= 0);
	text[2 + n] = '\0';
	return text;
}

void build_as_nobody(void (*run)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
			_exit(100);
		run();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}
