/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syslog(2) (dmesg -S, klogd): the cell's log where the machine has none of its own, in the form that the kernel gives it there:
 * "<priority>[seconds.microseconds] line\n" for each line of a record.
 *
 * A reader that has to wait looks ten times a second; a signal with a handler ends it with EINTR (kernel: SA_RESTART restarts it).
 */
#include "gaps/devices/devices_int.h"

#define SYSLOG_CLOSE 0
#define SYSLOG_OPEN 1
#define SYSLOG_READ 2
#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_CLEAR 5
#define SYSLOG_CONSOLE_OFF 6
#define SYSLOG_CONSOLE_ON 7
#define SYSLOG_CONSOLE_LEVEL 8
#define SYSLOG_SIZE_UNREAD 9
#define SYSLOG_SIZE_BUFFER 10

#define BUFFER_SIZE (1u << 18) /* what SIZE_BUFFER tells */
#define RECORD_SIZE 8192u      /* room for a record as /dev/kmsg gives it: at most 64 + 4 * 1023 */
#define PRINTED_SIZE 2048u     /* PRINTK_MESSAGE_MAX: what does not fit is left out */
#define WAIT_NS 100000000

struct record {
	u64 priority, number, microseconds;
	char *text;
	u64 size;
};

/* In the memory of the call. */
struct log_reader {
	s32 fd;
	struct record record;
	char bytes[RECORD_SIZE];
	char printed[PRINTED_SIZE];
	u64 printed_size;
};
static_assert(sizeof(struct log_reader) <= AGENT_SCRATCH, "in the memory of one call");

static u64 take_number(const char **at)
{
	u64 value = 0;

	while (**at >= '0' && **at <= '9')
		value = value * 10 + (u64)(*(*at)++ - '0');
	if (**at == ',')
		(*at)++;
	return value;
}

static u32 hex_digit(char c)
{
	return (u32)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

/* Takes "priority,number,microseconds,-;text\n" apart; in the text, \xNN becomes its byte. False: not a record. */
static bool parse(char *bytes, u64 size, struct record *record)
{
	const char *at = bytes;
	u64 to = 0, from;

	bytes[size] = 0;
	record->priority = take_number(&at);
	record->number = take_number(&at);
	record->microseconds = take_number(&at);
	while (*at && *at != ';')
		at++;
	if (!*at || bytes[size - 1] != '\n')
		return false;
	from = (u64)(at + 1 - bytes);
	record->text = bytes + from;
	for (; from < size - 1; from++) {
		if (bytes[from] == '\\' && bytes[from + 1] == 'x' && from + 4 <= size - 1) {
			record->text[to++] = (char)(hex_digit(bytes[from + 2]) << 4 | hex_digit(bytes[from + 3]));
			from += 3;
		} else {
			record->text[to++] = bytes[from];
		}
	}
	record->size = to;
	return true;
}

static u64 put_number(char *to, u64 value, u32 width, char fill)
{
	char digits[24];
	u32 n = 0, length;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n < width)
		digits[n++] = fill;
	length = n;
	while (n)
		*to++ = digits[--n];
	return length;
}

static u64 put_prefix(char *to, const struct record *record)
{
	u64 n = 1;

	to[0] = '<';
	n += put_number(to + n, record->priority, 1, ' ');
	to[n++] = '>';
	to[n++] = '[';
	n += put_number(to + n, record->microseconds / 1000000, 5, ' ');
	to[n++] = '.';
	n += put_number(to + n, record->microseconds % 1000000, 6, '0');
	to[n++] = ']';
	to[n++] = ' ';
	return n;
}

/* record_print_text() of the kernel: each line with its prefix. */
static void print(struct log_reader *reader)
{
	const struct record *record = &reader->record;
	u64 used = 0, from = 0;

	for (;;) {
		u64 end = from, prefix;
		char head[64];

		while (end < record->size && record->text[end] != '\n')
			end++;
		prefix = put_prefix(head, record);
		if (used + prefix + (end - from) + 1 > PRINTED_SIZE)
			break;
		memcpy(reader->printed + used, head, prefix);
		memcpy(reader->printed + used + prefix, record->text + from, end - from);
		used += prefix + (end - from);
		reader->printed[used++] = '\n';
		if (end >= record->size)
			break;
		from = end + 1;
	}
	reader->printed_size = used;
}

static int reader_open(struct log_reader *reader, u64 number)
{
	long fd = device_ask(BROKER_KMSG, BROKER_KMSG_READ | BROKER_KMSG_ONCE, (s64)number, O_CLOEXEC_);

	reader->fd = (s32)fd;
	return fd < 0 ? (int)fd : 0;
}

/* The next record, printed. False at the end; the reader is then closed. */
static bool reader_next(struct log_reader *reader)
{
	while (device_wait(reader->fd)) {
		long n = sys6(__NR_recvfrom, reader->fd, (u64)reader->bytes, RECORD_SIZE - 1, MSG_DONTWAIT_, 0, 0);

		if (n <= 0)
			break;
		if (!parse(reader->bytes, (u64)n, &reader->record))
			continue;
		print(reader);
		return true;
	}
	(void)sys1(__NR_close, reader->fd);
	return false;
}

static void reader_close(struct log_reader *reader)
{
	(void)sys1(__NR_close, reader->fd);
}

/* Bytes of all records from `number` on, as they are printed. */
static long printed_bytes(u64 number)
{
	struct log_reader *reader = agent_scratch();
	u64 size = 0;
	int r = reader_open(reader, number);

	if (r < 0)
		return r;
	while (reader_next(reader))
		size += reader->printed_size;
	return (long)size;
}

/* The last records that fit into the buffer. */
static long read_all(u64 to, u64 room, bool clear)
{
	struct log_reader *reader = agent_scratch();
	struct devices_area *area = devices_area();
	u64 from = __atomic_load_n(&area->clear, __ATOMIC_ACQUIRE), done = 0, last = from;
	long total = printed_bytes(from), left = total;
	int r = total < 0 ? (int)total : reader_open(reader, from);

	if (r < 0)
		return r;
	while (reader_next(reader)) {
		last = reader->record.number + 1;
		left -= (long)reader->printed_size;
		if ((u64)left + reader->printed_size > room || done + reader->printed_size > room)
			continue;
		if (guest_write(to + done, reader->printed, reader->printed_size) < 0) {
			reader_close(reader);
			return -EFAULT;
		}
		done += reader->printed_size;
	}
	if (clear)
		__atomic_store_n(&area->clear, last, __ATOMIC_RELEASE);
	return (long)done;
}

/* What has not been read: as many records as fit, or part of one. 0: there is nothing. */
static long read_some(u64 to, u64 room)
{
	struct log_reader *reader = agent_scratch();
	struct devices_area *area = devices_area();
	u64 done = 0;
	int r = reader_open(reader, area->read_next);

	if (r < 0)
		return r;
	while (reader_next(reader)) {
		u64 part = reader->record.number == area->read_next ? area->read_part : 0, size;

		size = part < reader->printed_size ? reader->printed_size - part : 0;
		if (size > room - done) {
			if (!done)
				size = room;
			else
				size = 0;
		}
		if (size && guest_write(to + done, reader->printed + part, size) < 0) {
			reader_close(reader);
			return done ? (long)done : -EFAULT;
		}
		done += size;
		area->read_next = reader->record.number + (part + size == reader->printed_size);
		area->read_part = part + size == reader->printed_size ? 0 : (u32)(part + size);
		if (area->read_part || done == room || !size) {
			reader_close(reader);
			break;
		}
	}
	return (long)done;
}

static long wait_and_read(struct call *call, u64 to, u64 room)
{
	static const struct agent_time pause = { 0, WAIT_NS };
	long r;

	while ((r = read_some(to, room)) == 0)
		if (agent_wait(call, &devices_area()->never, 0, &pause) == -EINTR)
			return -EINTR;
	return r;
}

/* do_syslog() of the kernel. */
static long answer(struct call *call)
{
	struct devices_area *area = devices_area();
	s32 type = (s32)call->arg[0], length = (s32)call->arg[2];
	u64 to = call->arg[1];
	long r = kmsg_permission(type == SYSLOG_READ_ALL || type == SYSLOG_SIZE_BUFFER);

	if (r < 0)
		return r;
	if (type == SYSLOG_READ || type == SYSLOG_READ_ALL || type == SYSLOG_READ_CLEAR) {
		if (!to || length < 0)
			return -EINVAL;
		if (!length)
			return 0;
		return type == SYSLOG_READ ? wait_and_read(call, to, (u64)length)
					   : read_all(to, (u64)length, type == SYSLOG_READ_CLEAR);
	}
	switch (type) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
	case SYSLOG_CONSOLE_OFF: /* there is no console */
	case SYSLOG_CONSOLE_ON:
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		return length < 1 || length > 8 ? -EINVAL : 0;
	case SYSLOG_CLEAR:
		r = read_all(0, 0, true);
		return r < 0 ? r : 0;
	case SYSLOG_SIZE_UNREAD:
		r = printed_bytes(area->read_next);
		return r < 0 ? r : r - (long)area->read_part;
	case SYSLOG_SIZE_BUFFER:
		return BUFFER_SIZE;
	default:
		return -EINVAL;
	}
}

enum verdict devices_syslog(struct call *call);

enum verdict devices_syslog(struct call *call)
{
	if (!devices_area()->own_log)
		return CALL_PASS;
	call->ret = answer(call);
	return CALL_DONE;
}
