/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors that every member carries for its agent (abi/reserved.h) are not the guest's: for close, dup and their kin these
 * numbers are not open, and /proc/PID/fd does not list them (closefrom(3) without close_range lists until nothing is left to close).
 * The filter sends only calls that name them, and every getdents64.
 */
#include "agent/engine.h"
#include "agent/fs_layers.h"

enum verdict engine_reserved(struct call *call)
{
	call->ret = -EBADF;
	return CALL_DONE;
}

/* The lowest reserved descriptor from `from` on, UINT32_MAX when there is none. */
static u32 next_reserved(u32 from)
{
	u32 next = UINT32_MAX;

	for (u32 i = 0; i < RESERVED_COUNT; i++) {
		u32 fd = (u32) private()->reserved_fds[i]; /* none is the highest number */

		if (fd >= from && fd < next)
			next = fd;
	}
	return next;
}

u32 agent_reserved_lowest(void)
{
	return next_reserved(0);
}

bool agent_reserved_fd(u32 fd)
{
	return next_reserved(fd) == fd;
}

/* The same with the program that is kept open (proc_exe.c), which is spared and not listed. Its number is no test of the filter, so the guest may have
 * closed it and have something of its own there: that is not refused. */
static u32 next_hidden(u32 from)
{
	u32 next = next_reserved(from), program = (u32) private()->program_fd;

	return program && program >= from && program < next ? program : next;
}

/* close_range(first, last, flags) around them: what lies below, between and above, with the flags of the first call made. */
enum verdict engine_close_range(struct call *call)
{
	u64 from = (u32)call->arg[0], last = (u32)call->arg[1], flags = (u32)call->arg[2];

	if (from > last || next_hidden((u32)from) > last)
		return CALL_PASS;
	call->ret = 0;
	while (from <= last && call->ret == 0) {
		u64 reserved = next_hidden((u32)from), to = reserved <= last ? reserved - 1 : last;

		if (to >= from && to != UINT64_MAX) {
			call->ret = agent_reissue(__NR_close_range, (u64[6]){ from, to, flags });
			flags &= ~UINT64_C(2); /* CLOSE_RANGE_UNSHARE: once */
		}
		if (reserved > last)
			break;
		from = reserved + 1;
	}
	return CALL_DONE;
}

struct dirent64 { /* struct linux_dirent64 */
	u64 ino, offset;
	u16 length;
	u8 type;
	char name[];
};
#define NAME_AT offsetof(struct dirent64, name)
#define LINK 10 /* DT_LNK: what /proc/PID/fd lists; fdinfo lists DT_REG */
#define REGULAR 8
#define CHUNK 4096u

static bool reserved_name(const struct dirent64 *entry)
{
	u64 number = 0;

	if (entry->type != LINK && entry->type != REGULAR)
		return false;
	for (const char *c = entry->name; *c; c++) {
		if (*c < '0' || *c > '9' || number > 65536)
			return false;
		number = number * 10 + (u64)(*c - '0');
	}
	return number && next_hidden((u32)number) == number;
}

/* Whether fd is open on /proc/PID/fd or fdinfo. */
static bool lists_descriptors(u32 fd)
{
	char link[AGENT_FD_LINK_SIZE], *target = (char *)slot_current()->scratch + 2 * CHUNK;
	long size;

	agent_fd_link(link, fd);
	size = sys3(__NR_readlink, link, target, 256);
	if (size < 9 || size >= 256 || strncmp(target, "/proc/", 6))
		return false;
	target[size] = 0;
	return !strcmp(target + size - 3, "/fd") || (size > 12 && !strcmp(target + size - 7, "/fdinfo"));
}

/* Takes the entry at `at` of `size` bytes out of the guest's buffer. */
static int remove_entry(u64 buffer, u64 size, u64 at, u64 length)
{
	u8 *chunk = slot_current()->scratch + 3 * CHUNK;

	for (u64 from = at + length; from < size; from += CHUNK) {
		u64 part = size - from < CHUNK ? size - from : CHUNK;

		if (guest_read(chunk, buffer + from, part) < 0 || guest_write(buffer + from - length, chunk, part) < 0)
			return -EFAULT;
	}
	return 0;
}

/* Takes our entries out of a filled buffer. Its new size, or -EFAULT. */
static long hide_reserved(u32 fd, u64 buffer, u64 size)
{
	u8 *chunk = slot_current()->scratch;
	bool sure = false;

	for (u64 at = 0; at < size;) {
		u64 part = size - at < CHUNK ? size - at : CHUNK, done = 0;

		if (guest_read(chunk, buffer + at, part) < 0)
			return -EFAULT;
		chunk[part] = 0;
		while (done + NAME_AT < part) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(chunk + done);
			u64 length = entry->length;

			if (length < NAME_AT || done + length > part)
				break;
			if (reserved_name(entry)) {
				if (!sure && !lists_descriptors(fd))
					return (long)size;
				sure = true;
				if (remove_entry(buffer, size, at + done, length) < 0)
					return -EFAULT;
				size -= length;
				part = 0; /* read on from here */
				break;
			}
			done += length;
		}
		if (part && !done)
			return (long)size; /* nothing that looks like entries */
		at += done;
	}
	return (long)size;
}

enum verdict engine_getdents64(struct call *call)
{
	if (fs_any_layers() && fs_merge_getdents(call))
		return CALL_DONE;
	do {
		call->ret = agent_reissue(__NR_getdents64, call->arg);
		if (call->ret <= 0)
			break;
		call->ret = hide_reserved((u32)call->arg[0], call->arg[1], (u64)call->ret);
		if (pids_on() && call->ret > 0)
			call->ret = pids_list((u32)call->arg[0], call->arg[1], (u64)call->ret);
	} while (call->ret == 0); /* nothing but ours: the next part */
	return CALL_DONE;
}
