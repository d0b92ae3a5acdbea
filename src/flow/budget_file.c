// SPDX-License-Identifier: Apache-2.0
/* The file of a budget. */
#include "flow/budget_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"

/* Widths: a word, three numbers, the run, a checksum; single blanks between them and a newline. */
#define WORD 7
#define NUMBER 20
#define CHECK 8
#define CHECKED (BUDGET_RECORD - CHECK - 1) /* bytes before the checksum */
#define RECORDS_AT_ONCE 64u

static_assert(WORD + 1 + 3 * (NUMBER + 1) + BUDGET_RUN_MAX + 1 + CHECK + 1 == BUDGET_RECORD, "the fields fill a record");

static void budget_record_write(const struct budget_record *record, char to[BUDGET_RECORD])
{
	char line[BUDGET_RECORD + 1];
	int length = snprintf(line, sizeof(line), "%-*s %0*llu %0*llu %0*llu %-*s ", WORD,
			      record->kind == BUDGET_RESERVE ? "reserve" : "settle", NUMBER, (unsigned long long)record->number,
			      NUMBER, (unsigned long long)record->amount.cost, NUMBER, (unsigned long long)record->amount.tokens,
			      (int)BUDGET_RUN_MAX, record->run);
	unsigned long check = crc32(0, (const Bytef *)line, CHECKED);
	snprintf(line + length, sizeof(line) - (size_t)length, "%0*lx\n", CHECK, check);
	memcpy(to, line, BUDGET_RECORD);
}

static bool read_number(const char **at, u64 *ret)
{
	u64 number = 0;
	for (int i = 0; i < NUMBER; i++, (*at)++)
		if (**at < '0' || **at > '9' || __builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (u64)(**at - '0'), &number))
			return false;
	*ret = number;
	return *(*at)++ == ' ';
}

static int budget_record_read(const char from[BUDGET_RECORD], struct budget_record *ret)
{
	char again[BUDGET_RECORD];
	struct budget_record record = { .kind = memcmp(from, "settle", 6) == 0 ? BUDGET_SETTLE : BUDGET_RESERVE };
	const char *at = from + WORD + 1;
	if (!read_number(&at, &record.number) || !read_number(&at, &record.amount.cost) || !read_number(&at, &record.amount.tokens))
		return -EBADMSG;
	size_t length = 0;
	while (length < BUDGET_RUN_MAX && at[length] != ' ' && at[length])
		length++;
	memcpy(record.run, at, length);
	/* There is one way of writing a record: the checksum, blanks and zeros are compared with it. */
	budget_record_write(&record, again);
	if (memcmp(again, from, BUDGET_RECORD) != 0)
		return -EBADMSG;
	*ret = record;
	return 0;
}

static int sync_directory_of(const char *path)
{
	CLEANUP_FREE char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	CLEANUP_FD int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return -errno;
	return 0;
}

int budget_file_make(const char *path, struct budget_file *ret)
{
	struct stat status;
	*ret = (struct budget_file){ .fd = FD_NONE, .path = strdup(path) };
	if (!ret->path)
		return -ENOMEM;
	CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	ret->device = status.st_dev;
	ret->inode = status.st_ino;
	return status.st_size ? 0 : sync_directory_of(path);
}

void budget_file_done(struct budget_file *file)
{
	free(file->path);
	*file = (struct budget_file){ .fd = FD_NONE };
}

int budget_file_lock(struct budget_file *file)
{
	struct stat status;
	CLEANUP_FD int fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? -ESTALE : -errno;
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &status))
		return -errno;
	if (status.st_dev != file->device || status.st_ino != file->inode || !status.st_nlink)
		return -ESTALE;
	file->fd = take_fd(&fd);
	return 0;
}

void budget_file_unlock(struct budget_file *file)
{
	close_fd(&file->fd); /* nobody else has this description, so the lock goes, too */
	file->fd = FD_NONE;
}

static ssize_t read_at(int fd, char *to, size_t size, u64 at)
{
	size_t had = 0;
	while (had < size) {
		ssize_t n = pread(fd, to + had, size - had, (off_t)(at + had));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		had += (size_t)n;
	}
	return (ssize_t)had;
}

static bool is_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* A record that was never written to its end: zeros, and nothing but zeros behind it. */
static int is_torn(const struct budget_file *file, u64 at)
{
	char bytes[RECORDS_AT_ONCE * BUDGET_RECORD];
	for (;;) {
		ssize_t n = read_at(file->fd, bytes, sizeof(bytes), at);
		if (n <= 0)
			return n == 0 ? 1 : (int)n;
		if (!is_zero(bytes, (size_t)n))
			return 0;
		at += (u64)n;
	}
}

/* The beginning of a record, or of zeros in its place: a write that did not come to its end. Else this is no budget, and nothing is cut off it. */
static bool is_piece(const char *bytes, size_t size)
{
	size_t word = size < WORD ? size : WORD;
	return memcmp(bytes, "reserve", word) == 0 || memcmp(bytes, "settle ", word) == 0 || is_zero(bytes, size);
}

int budget_file_read(struct budget_file *file, int (*note)(void *user, u64 number, const struct budget_record *record), void *user)
{
	char bytes[RECORDS_AT_ONCE * BUDGET_RECORD];
	struct stat status;
	if (fstat(file->fd, &status))
		return -errno;
	if (status.st_size < (off_t)(file->count * BUDGET_RECORD))
		return -EBADMSG; /* it was cut */
	for (;;) {
		ssize_t n = read_at(file->fd, bytes, sizeof(bytes), file->count * BUDGET_RECORD);
		if (n < 0)
			return (int)n;
		size_t piece = (size_t)n % BUDGET_RECORD;
		for (ssize_t at = 0; at + (ssize_t)BUDGET_RECORD <= n; at += BUDGET_RECORD) {
			struct budget_record record;
			if (budget_record_read(bytes + at, &record)) {
				int torn = is_torn(file, file->count * BUDGET_RECORD);
				return torn < 0 ? torn : torn ? 0 : -EBADMSG;
			}
			int error = note(user, file->count, &record);
			if (error)
				return error;
			file->count++;
		}
		if (n < (ssize_t)sizeof(bytes))
			return is_piece(bytes + n - piece, piece) ? 0 : -EBADMSG;
	}
}

u64 budget_file_count(const struct budget_file *file)
{
	return file->count;
}

int budget_file_append(struct budget_file *file, const struct budget_record *record)
{
	char bytes[BUDGET_RECORD];
	u64 end = file->count * BUDGET_RECORD;
	if (file->count >= BUDGET_RECORDS_MAX)
		return -EFBIG;
	if (ftruncate(file->fd, (off_t)end))
		return -errno;
	budget_record_write(record, bytes);
	int error = write_bytes_at(file->fd, bytes, sizeof(bytes), (off_t)end);
	if (!error && fdatasync(file->fd))
		error = -errno;
	/* What is not durable must not be read as if it were. Where even this fails the record counts, which is the safe side. */
	if (error)
		(void)!ftruncate(file->fd, (off_t)end);
	return error;
}
