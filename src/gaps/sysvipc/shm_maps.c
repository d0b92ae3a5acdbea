/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which attachments of this process are still mapped? munmap, mmap over it and mremap do not pass the agent, so before the number
 * of users of a segment is told or an attachment is taken away, the caller's own are compared with /proc/self/maps. Other
 * processes' are not looked at; they do it when they ask. Where /proc cannot be read, all are taken to be mapped.
 */
#include "gaps/sysvipc/shm_int.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#define BUFFER_SIZE UINT64_C(65536) /* one read from Linux gives up to a page, from gVisor all that fits */

/* A line as far as it has been read: "start-end perms offset …" */
struct line {
	u64 field[3]; /* start, end, offset */
	u32 word;     /* which word of the line we are in: 0 range, 1 permissions, 2 offset, 3 the rest */
	u32 at;       /* 0 start, 1 end */
};

static void see(struct shm_area *shm, int self, int segment, const struct line *line)
{
	u64 offset = shm->segment[segment].offset;
	u64 end = offset + shm_pages(shm->segment[segment].size) * LAYOUT_PAGE;
	if (line->field[2] >= end || line->field[2] + (line->field[1] - line->field[0]) <= offset)
		return; /* not of this part of the commons file, nor by chance of another */
	for (u32 at = shm->segment[segment].attaches; at; at = shm->attach[at - 1].next_segment) {
		struct shm_attach *attach = &shm->attach[at - 1];
		if (attach->owner == (u32)self + 1 && line->field[0] < attach->address + attach->size &&
		    attach->address < line->field[1] && line->field[0] - line->field[2] == attach->address - offset)
			attach->seen = 1;
	}
}

/* Takes one character; whole lines end with `see`. */
static void take(struct shm_area *shm, int self, int segment, struct line *line, char c)
{
	u32 digit = c >= 'a' ? (u32)(c - 'a') + 10 : (u32)(c - '0');
	if (c == '\n') {
		see(shm, self, segment, line);
		memset(line, 0, sizeof(*line));
	} else if (c == ' ') {
		line->word++;
	} else if (c == '-' && line->word == 0) {
		line->at = 1;
	} else if (line->word == 0) {
		line->field[line->at] = line->field[line->at] << 4 | digit;
	} else if (line->word == 2) {
		line->field[2] = line->field[2] << 4 | digit;
	}
}

/* Marks what is mapped. Returns whether the whole of maps was read. */
static bool read_maps(struct shm_area *shm, int self, int segment)
{
	struct line line = { 0 };
	long buffer = sys6(__NR_mmap, 0, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~UINT64_C(0), 0);
	if (buffer < 0 && buffer > -4096)
		return false;
	const char *text = (const char *)buffer; /* NOLINT(performance-no-int-to-ptr) */
	long fd = sys2(__NR_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
	long size = fd < 0 ? fd : sys3(__NR_read, fd, buffer, BUFFER_SIZE);
	while (size > 0) {
		for (long i = 0; i < size; i++)
			take(shm, self, segment, &line, text[i]);
		size = sys3(__NR_read, fd, buffer, BUFFER_SIZE);
	}
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	(void)sys2(__NR_munmap, buffer, BUFFER_SIZE);
	return size == 0;
}

void shm_attach_refresh(int self, int segment)
{
	struct shm_area *shm = shm_area();
	u32 mine = 0;
	for (u32 at = shm->segment[segment].attaches; at; at = shm->attach[at - 1].next_segment) {
		struct shm_attach *attach = &shm->attach[at - 1];
		if (attach->owner != (u32)self + 1)
			continue;
		attach->seen = !attach->address; /* one that another thread is just mapping stays */
		mine += !attach->seen;
	}
	if (!mine || !read_maps(shm, self, segment))
		return;
	for (u32 next, at = shm->segment[segment].attaches; at; at = next) {
		const struct shm_attach *attach = &shm->attach[at - 1];
		next = attach->next_segment;
		if (attach->owner == (u32)self + 1 && !attach->seen)
			shm_attach_drop(at - 1, agent_pid());
	}
}
