/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of trace records: what arguments point to, as strings (trace_args.def). */
#include "abi/filter_test.h"
#include "agent/engine.h"

#define AT_FDCWD_ (-100)
#define AF_UNIX_ 1
#define PATH_MOST 256u    /* bytes of one path; two of them do not fill the payload */
#define ADDRESS_MOST 110u /* struct sockaddr_un */
#define VECTOR_MOST 16u
#define FD_MOST 128u

struct row {
	s32 nr;
	char kinds[6];
};

static const struct row rows[] = {
#define TRACE_ARGS(name, kinds) { __NR_##name, kinds },
#include "agent/trace_args.def"
#undef TRACE_ARGS
};

/* Room for one more string: bytes that fit behind its head. */
static u32 room(const struct trace_record *record)
{
	u32 head = (u32)sizeof(struct trace_string);

	return record->size + head + 1 >= TRACE_PAYLOAD ? 0 : TRACE_PAYLOAD - record->size - head;
}

/* A string's head in front of `length` bytes that are there already. */
static void finish(struct trace_record *record, u32 arg, u32 flags, u32 length)
{
	struct trace_string head = { (u8)arg, (u8)flags, (u16)length };
	u32 size = (u32)sizeof(head) + length;

	memcpy(record->payload + record->size, &head, sizeof(head));
	if (size & 1)
		record->payload[record->size + size] = 0;
	record->size = (u16)(record->size + ALIGN_UP(size, 2u));
}

void trace_put(struct trace_record *record, u32 arg, u32 flags, const void *bytes, u64 length)
{
	u32 most = room(record);

	if (!most)
		return;
	if (length > most) {
		length = most;
		flags |= TRACE_STRING_CUT;
	}
	memcpy(record->payload + record->size + sizeof(struct trace_string), bytes, length);
	finish(record, arg, flags, (u32)length);
}

/* Raw bytes of the guest's. Nothing when they cannot be read. */
static void put_guest_bytes(struct trace_record *record, u32 arg, u32 flags, u64 from, u64 length, u32 most)
{
	if (most > room(record))
		most = room(record);
	if (!most)
		return;
	if (length > most) {
		length = most;
		flags |= TRACE_STRING_CUT;
	}
	if (guest_read(record->payload + record->size + sizeof(struct trace_string), from, length) == 0)
		finish(record, arg, flags, (u32)length);
}

void trace_put_guest_string(struct trace_record *record, u32 arg, u64 from, u32 most)
{
	u32 flags = 0;
	long length;

	if (most > room(record))
		most = room(record);
	if (!from || most < 2)
		return;
	length = guest_read_string((char *)record->payload + record->size + sizeof(struct trace_string), from, most);
	if (length == -ENAMETOOLONG) {
		length = most;
		flags = TRACE_STRING_CUT;
	}
	if (length >= 0)
		finish(record, arg, flags, (u32)length);
}

void trace_put_fd(struct trace_record *record, u32 arg, s32 fd)
{
	char link[AGENT_FD_LINK_SIZE];
	u32 most = trace_everything() && room(record) > FD_MOST ? FD_MOST : room(record);
	long length;

	if (fd < 0 || most < 2)
		return;
	agent_fd_link(link, (u32)fd);
	length = sys3(__NR_readlink, link, record->payload + record->size + sizeof(struct trace_string), most);
	if (length > 0)
		finish(record, arg, (u32)length == most ? TRACE_STRING_CUT : 0, (u32)length);
}

void trace_put_cwd(struct trace_record *record)
{
	u32 most = room(record);
	long length;

	if (most < 2)
		return;
	length = sys2(__NR_getcwd, record->payload + record->size + sizeof(struct trace_string), most);
	if (length > 1)
		finish(record, 0xff, TRACE_STRING_CWD, (u32)length - 1);
}

static void put_vector(struct trace_record *record, u32 arg, u64 from)
{
	for (u32 i = 0; i < VECTOR_MOST; i++, from += 8) {
		u64 string;

		if (guest_read(&string, from, sizeof(string)) < 0 || !string)
			break;
		trace_put_guest_string(record, arg, string, PATH_MOST);
	}
}

static void put_argument(struct trace_record *record, char kind, u32 arg)
{
	u64 value = record->args[arg], name[2];

	switch (kind) {
	case 'P':
		trace_put_guest_string(record, arg, value, PATH_MOST);
		break;
	case 'D':
	case 'F':
		if (record->result != -EBADF)
			trace_put_fd(record, arg, (s32)value);
		break;
	case 'A':
		if (value && (u32)record->args[arg + 1])
			put_guest_bytes(record, arg, TRACE_STRING_SOCKADDR, value, (u32)record->args[arg + 1], ADDRESS_MOST);
		break;
	case 'M': /* struct msghdr: name, namelen */
		if (guest_read(name, value, sizeof(name)) == 0 && name[0] && (u32)name[1])
			put_guest_bytes(record, arg, TRACE_STRING_SOCKADDR, name[0], (u32)name[1], ADDRESS_MOST);
		break;
	case 'V':
		put_vector(record, arg, value);
		break;
	default:
		break;
	}
}

/* Whether a relative path of this call starts at the working directory. */
static bool starts_at_cwd(const struct row *row, const struct trace_record *record)
{
	for (u32 arg = 0; arg < 6 && row->kinds[arg]; arg++) {
		u64 at = record->args[arg];
		u8 begin[3] = "";

		if (row->kinds[arg] == 'P' && (!arg || row->kinds[arg - 1] != 'D' || (s32)record->args[arg - 1] == AT_FDCWD_)) {
			if (guest_read(begin, at, 1) == 0 && begin[0] != '/')
				return true;
		} else if (row->kinds[arg] == 'A' && guest_read(begin, at, sizeof(begin)) == 0) { /* struct sockaddr_un */
			if (begin[0] == AF_UNIX_ && !begin[1] && begin[2] && begin[2] != '/')
				return true;
		}
	}
	return false;
}

/* The strings first: descriptors' paths get what room is left. */
void trace_decode(struct trace_record *record)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->nr != record->nr)
			continue;
		for (u32 arg = 0; arg < 6 && row->kinds[arg]; arg++)
			if (row->kinds[arg] != 'F' && row->kinds[arg] != 'D')
				put_argument(record, row->kinds[arg], arg);
		if (!trace_everything() && starts_at_cwd(row, record))
			trace_put_cwd(record);
		for (u32 arg = 0; arg < 6 && row->kinds[arg]; arg++)
			if (row->kinds[arg] == 'F' || row->kinds[arg] == 'D')
				put_argument(record, row->kinds[arg], arg);
		return;
	}
}
