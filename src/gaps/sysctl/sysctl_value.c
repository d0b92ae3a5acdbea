/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a write to a sysctl means, as the handlers of kernel/sysctl.c take it. The grammar of numbers is common to all kinds:
 *
 *   spaces (also \v \f \r), an optional '-', digits in base 10, 0x 16 or 0 8; behind them must follow space, tab, newline or the end. A NUL is
 *   none of these. 21 characters and more are refused even when they are zeros.
 *
 * A vector takes as many numbers as are there; a bad one is EINVAL but leaves those before it stored. A write that does not begin at
 * offset 0 is taken whole and ignored, but for strings (appended), bitmaps (added) and UINT (taken like the first).
 */
#include "base/decimal.h"
#include "gaps/sysctl/sysctl_table.h"

#include <asm/errno.h>

#define NUMBER_SIZE 21u
#define TICK_MS 4 /* HZ 250, Debian's on amd64 */
#define PIPE_MIN 4096u

struct reader {
	const char *at;
	u64 left;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == (char)0xa0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static void skip_spaces(struct reader *in)
{
	for (; in->left && is_space(*in->at); in->at++)
		in->left--;
}

static void skip_newlines(struct reader *in)
{
	for (; in->left && *in->at == '\n'; in->at++)
		in->left--;
}

static bool is_one_of(char c, const char *set, u32 size)
{
	for (u32 i = 0; i < size; i++)
		if (set[i] == c)
			return true;
	return false;
}

/* Reads one number. What follows it must be one of `ends`, or nothing; ret_end tells which. 0 or -EINVAL. */
static int take_number(struct reader *in, const char *ends, u32 end_count, u64 *ret_value, bool *ret_negative, char *ret_end)
{
	u64 size = in->left, at = 0, value = 0;
	int base = 10;

	if (!size)
		return -EINVAL;
	if (size > NUMBER_SIZE)
		size = NUMBER_SIZE;
	*ret_negative = in->at[0] == '-' && in->left > 1;
	at += *ret_negative;
	if (at == size || digit_of(in->at[at]) > 9)
		return -EINVAL;
	if (in->at[at] == '0') {
		base = 8;
		if (at + 2 < size && (in->at[at + 1] | 0x20) == 'x' && digit_of(in->at[at + 2]) < 16) {
			base = 16;
			at += 2;
		}
	}
	for (; at < size && digit_of(in->at[at]) < base; at++)
		if (__builtin_mul_overflow(value, (u64)base, &value) ||
		    __builtin_add_overflow(value, (u64)digit_of(in->at[at]), &value))
			return -EINVAL;
	if (at == NUMBER_SIZE || (at < in->left && !is_one_of(in->at[at], ends, end_count)))
		return -EINVAL;
	*ret_end = at < in->left ? in->at[at] : 0;
	in->at += at;
	in->left -= at;
	*ret_value = value;
	return 0;
}

static int take_plain(struct reader *in, u64 *value, bool *negative)
{
	char end;
	return take_number(in, " \t\n", 3, value, negative, &end);
}

u64 sysctl_value_put(char *text, u64 length, u64 magnitude, bool negative)
{
	if (negative)
		text[length++] = '-';
	length += decimal_put(text + length, magnitude);
	text[length] = 0;
	return length;
}

s64 sysctl_value_number(const char *text)
{
	struct reader in = { text, strlen(text) };
	u64 value = 0;
	bool negative = false;

	if (take_plain(&in, &value, &negative) < 0)
		return 0;
	return negative ? (s64)(0 - value) : (s64)value;
}

/* --- numbers ------------------------------------------------------------------------------------------------------------------------ */

static u32 numbers_of(const char *text, s64 numbers[SYSCTL_NUMBERS_MAX])
{
	struct reader in = { text, strlen(text) };
	u32 count = 0;

	for (; count < SYSCTL_NUMBERS_MAX; count++) {
		bool negative;
		u64 value;

		skip_spaces(&in);
		if (take_plain(&in, &value, &negative) < 0)
			break;
		numbers[count] = negative ? (s64)(0 - value) : (s64)value;
	}
	return count;
}

static void put_numbers(char *text, const s64 *numbers, u32 count, bool wide)
{
	u64 length = 0;

	for (u32 i = 0; i < count; i++) {
		bool negative = !wide && numbers[i] < 0;

		if (i)
			text[length++] = '\t';
		length = sysctl_value_put(text, length, negative ? 0 - (u64)numbers[i] : (u64)numbers[i], negative);
	}
}

/* One number as the kind takes it. 0 or -EINVAL. */
static int convert(u8 kind, const struct sysctl_write *write, u64 value, bool negative, s64 *ret)
{
	s64 number = (s64)value;

	if (kind == SYSCTL_ULONG || kind == SYSCTL_GROUPS) {
		if (negative || value < (u64)write->min || value > (u64)write->max)
			return -EINVAL;
		*ret = number;
		return 0;
	}
	if (value > (negative ? UINT64_C(0x80000000) : UINT64_C(0x7fffffff)))
		return -EINVAL;
	if (negative)
		number = -number;
	if (number < write->min || number > write->max)
		return -EINVAL;
	if (kind == SYSCTL_FLAG)
		number = number != 0;
	else if (kind == SYSCTL_MS)
		number = (number + TICK_MS - 1) / TICK_MS * TICK_MS;
	else if (kind == SYSCTL_USERHZ)
		number = number * 5 / 2 * 2 / 5;
	*ret = number;
	return 0;
}

static long write_vector(const struct sysctl_row *row, const struct sysctl_write *write, char *text)
{
	struct reader in = { write->bytes, write->size };
	s64 numbers[SYSCTL_NUMBERS_MAX] = { 0 };
	u32 taken = 0, count = row->count;
	int r = 0;

	(void)numbers_of(text, numbers);
	for (; in.left && taken < count; taken++) {
		bool negative;
		u64 value;

		skip_spaces(&in);
		if (!in.left)
			break;
		r = take_plain(&in, &value, &negative);
		if (!r)
			r = convert(row->kind, write, value, negative, &numbers[taken]);
		if (r)
			break;
	}
	if (!r)
		skip_spaces(&in);
	if (!r && !taken)
		return -EINVAL;
	if (row->kind == SYSCTL_RANGE && (r || numbers[0] > numbers[1]))
		return -EINVAL;
	if (row->kind == SYSCTL_GROUPS) {
		if (r)
			return r;
		if ((u64)numbers[0] > (u64)numbers[1]) {
			numbers[0] = 1;
			numbers[1] = 0;
		}
	}
	if (row->kind != SYSCTL_ACTION)
		put_numbers(text, numbers, count, row->kind == SYSCTL_ULONG || row->kind == SYSCTL_GROUPS);
	return r ? r : (long)(write->size - in.left);
}

static long write_unsigned(const struct sysctl_row *row, const struct sysctl_write *write, char *text)
{
	struct reader in = { write->bytes, write->size };
	bool negative;
	u64 value;

	skip_spaces(&in);
	if (take_plain(&in, &value, &negative) < 0 || negative)
		return -EINVAL;
	if (value < (u64)write->min || value > (u64)write->max)
		return -EINVAL;
	if (row->kind == SYSCTL_PIPE) {
		u64 size = PIPE_MIN;

		while (size < value)
			size *= 2;
		value = size;
	}
	(void)sysctl_value_put(text, 0, value, false);
	return (long)write->size;
}

/* --- text --------------------------------------------------------------------------------------------------------------------------- */

static long write_string(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room)
{
	u64 limit = (u64)row->max < room ? (u64)row->max : room, length = strlen(text);

	if (length > limit - 1)
		length = limit - 1;
	if (write->offset > length)
		return (long)write->size;
	length = write->offset;
	for (u64 i = 0; i < write->size && length < limit - 1; i++) {
		if (!write->bytes[i] || write->bytes[i] == '\n')
			break;
		text[length++] = write->bytes[i];
	}
	text[length] = 0;
	return (long)write->size;
}

const char *sysctl_choices(const struct sysctl_row *row, int *ret_error)
{
	*ret_error = -ENOENT;
	if (!strcmp(row->path, "net/core/default_qdisc"))
		return "pfifo_fast pfifo bfifo fq fq_codel fq_pie cake codel pie sfq sfb red hhf etf";
	if (!strncmp(row->path, "net/ipv4/tcp_", 13))
		return "reno cubic bbr dctcp htcp hybla illinois scalable vegas veno westwood yeah";
	if (!strcmp(row->path, "net/mptcp/path_manager"))
		return "kernel userspace";
	if (!strcmp(row->path, "net/mptcp/scheduler"))
		return "default";
	*ret_error = -EINVAL;
	if (!strcmp(row->path, "kernel/printk_devkmsg"))
		return "on off ratelimit";
	return "kill_process kill_thread trap errno user_notif trace log";
}

/* The place of a word in a list, counted from 0, or -1. */
static int place_of(const char *word, u64 size, const char *list)
{
	for (int place = 0; *list; place++) {
		u64 length = 0;

		while (list[length] && list[length] != ' ')
			length++;
		if (length == size && !strncmp(list, word, size))
			return place;
		list += length + (list[length] == ' ');
	}
	return -1;
}

/* The words of `list` whose bits are set, in its order. */
static void put_words(char *text, u64 room, const char *list, u32 chosen)
{
	u64 used = 0;

	for (; *list; chosen >>= 1) {
		u64 length = 0;

		while (list[length] && list[length] != ' ')
			length++;
		if ((chosen & 1) && used + length + 2 < room) {
			if (used)
				text[used++] = ' ';
			memcpy(text + used, list, length);
			used += length;
		}
		list += length + (list[length] == ' ');
	}
	text[used] = 0;
}

static u64 line_length(const struct sysctl_write *write)
{
	u64 length = 0;

	while (length < write->size && write->bytes[length] && write->bytes[length] != '\n')
		length++;
	return length;
}

static long write_choice(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room)
{
	int error, place;
	const char *list = sysctl_choices(row, &error);
	u64 length = line_length(write);

	if (length > (u64)row->max - 1)
		length = (u64)row->max - 1;
	place = place_of(write->bytes, length, list);
	if (place < 0)
		return error;
	if (!strcmp(row->path, "kernel/printk_devkmsg") && write->size != length + 1)
		return -EINVAL;
	put_words(text, room, list, 1u << place);
	return (long)write->size;
}

static long write_words(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room)
{
	int error, place;
	const char *list = sysctl_choices(row, &error);
	u64 end = line_length(write), at = 0;
	u32 chosen = 0;

	for (;;) {
		u64 size = 0;

		while (at + size < end && write->bytes[at + size] != ' ')
			size++;
		if (!size)
			break; /* two spaces end the list, as the kernel's strsep() has it */
		place = place_of(write->bytes + at, size, list);
		if (place < 0)
			return error;
		chosen |= 1u << place;
		at += size + (at + size < end);
	}
	put_words(text, room, list, chosen);
	return (long)write->size;
}

/* Reads "1-2-3-4" in hexadecimal and appends it with all digits; the new length, or 0. */
static u64 take_key(struct reader *in, char *text, u64 used)
{
	for (u32 group = 0; group < 4; group++) {
		u32 value = 0, digits = 0;

		for (; in->left && digits < 8 && digit_of(*in->at) < 16; digits++, in->at++, in->left--)
			value = value << 4 | (u32)digit_of(*in->at);
		if (!digits)
			return 0;
		if (group)
			text[used++] = '-';
		for (int shift = 28; shift >= 0; shift -= 4) {
			u32 digit = value >> shift & 15;

			text[used++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		}
		if (group == 3)
			break;
		if (!in->left || *in->at != '-')
			return 0;
		in->at++;
		in->left--;
	}
	return used;
}

static long write_key(const struct sysctl_write *write, char *text)
{
	struct reader in = { write->bytes, line_length(write) };
	char keys[80];
	u64 used = take_key(&in, keys, 0);

	if (used && in.left && *in.at == ',') {
		in.at++;
		in.left--;
		keys[used++] = ',';
		used = take_key(&in, keys, used);
	}
	if (!used)
		return -EINVAL;
	memcpy(text, keys, used);
	text[used] = 0;
	return (long)write->size;
}

/* --- bitmaps ------------------------------------------------------------------------------------------------------------------------ */

/* Sets the bits that a text names; -EINVAL leaves some of them set. */
static int read_bitmap(struct reader *in, u64 *bits, u64 count)
{
	skip_newlines(in);
	while (in->left) {
		u64 from, to;
		bool negative;
		char end;
		int r = take_number(in, "-,\n", 3, &from, &negative, &end);

		if (r || negative || from >= count)
			return -EINVAL;
		to = from;
		if (in->left) {
			in->at++;
			in->left--;
		}
		if (end == '-') {
			r = take_number(in, ",\n\0", 3, &to, &negative, &end);
			if (r || negative || to >= count || from > to)
				return -EINVAL;
			if (in->left) {
				in->at++;
				in->left--;
			}
		}
		for (; from <= to; from++)
			bits[from / 64] |= UINT64_C(1) << from % 64;
		skip_newlines(in);
	}
	return 0;
}

static bool has_bit(const u64 *bits, u64 bit, u64 count)
{
	return bit < count && bits[bit / 64] >> bit % 64 & 1;
}

/* 0, or -ENOSPC when the text is longer than room. */
static int put_bitmap(char *text, u64 room, const u64 *bits, u64 count)
{
	u64 used = 0;

	text[0] = 0;
	for (u64 bit = 0; bit < count; bit++) {
		u64 last = bit;

		if (!has_bit(bits, bit, count))
			continue;
		while (has_bit(bits, last + 1, count))
			last++;
		if (used + 24 > room)
			return -ENOSPC;
		if (used)
			text[used++] = ',';
		used = sysctl_value_put(text, used, bit, false);
		if (last != bit) {
			text[used++] = '-';
			used = sysctl_value_put(text, used, last, false);
		}
		bit = last;
	}
	return 0;
}

static long write_bitmap(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room)
{
	struct reader in = { write->bytes, write->size }, old = { text, strlen(text) };
	u64 count = (u64)row->max;
	int r;

	memset(write->bits, 0, count / 8);
	if (read_bitmap(&in, write->bits, count))
		return -EINVAL;
	if (write->offset && read_bitmap(&old, write->bits, count))
		return -EINVAL;
	r = put_bitmap(text, room, write->bits, count);
	return r ? r : (long)(write->size - in.left);
}

/* Whether only a write at offset 0 counts. Strings are appended to, bitmaps added to; UINT's handlers leave the file position alone. */
static bool is_written_once(u8 kind)
{
	return kind != SYSCTL_STRING && kind != SYSCTL_BITMAP && kind != SYSCTL_UINT && kind != SYSCTL_PIPE;
}

long sysctl_value_write(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room)
{
	if (!write->size || row->kind == SYSCTL_IGNORED)
		return (long)write->size;
	if (write->offset && is_written_once(row->kind))
		return (long)write->size;
	switch ((enum sysctl_kind)row->kind) {
	case SYSCTL_UINT:
	case SYSCTL_PIPE:
		return write_unsigned(row, write, text);
	case SYSCTL_STRING:
		return write_string(row, write, text, room);
	case SYSCTL_CHOICE:
		return write_choice(row, write, text, room);
	case SYSCTL_WORDS:
		return write_words(row, write, text, room);
	case SYSCTL_KEY:
		return write_key(write, text);
	case SYSCTL_BITMAP:
		return write_bitmap(row, write, text, room);
	default:
		return write_vector(row, write, text);
	}
}
