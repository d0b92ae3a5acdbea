// SPDX-License-Identifier: Apache-2.0
/* A recorded system call as a C programmer would write it. */
#include "why/call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <linux/netlink.h>

#include "host/trace_file.h"

static const struct {
	int nr;
	struct call_form form;
} forms[] = {
#define CALL(number, call, ...) { number, { #call, { __VA_ARGS__ } } },
#include "why/syscalls.def"
#undef CALL
};

static const struct {
	u8 kind;
	const char *name;
	u64 value;
} names[] = {
#define NAME(kind, name, value) { kind, name, value },
#include "why/names.def"
#undef NAME
};

const struct call_form *call_form(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].nr == nr)
			return &forms[i].form;
	return NULL;
}

int call_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (strcmp(forms[i].form.name, name) == 0)
			return forms[i].nr;
	return -1;
}

/* The length of the UTF-8 character at text, 0 when it is none. */
static size_t character(const u8 *text, size_t size)
{
	size_t length = text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : (text[0] & 0xf0) == 0xe0 ? 3 : (text[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* As a C string without quotes. */
static void call_print_bytes(const char *bytes, size_t size, FILE *to)
{
	for (size_t i = 0; i < size; i++) {
		u8 c = (u8)bytes[i];
		char escape = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c == '"' || c == '\\' ? (char)c : '\0';
		size_t length = c >= 0x80 ? character((const u8 *)bytes + i, size - i) : 0;
		if (escape)
			fprintf(to, "\\%c", escape);
		else if (length > 0)
			fprintf(to, "%.*s", (int)length, bytes + i);
		else if (c < ' ' || c >= 0x7f)
			fprintf(to, "\\%03o", c);
		else
			fputc(c, to);
		i += length > 0 ? length - 1 : 0;
	}
}

const char *call_signal_name(int signal)
{
	static char text[24];
	const char *name = sigabbrev_np(signal);
	if (name)
		snprintf(text, sizeof(text), "SIG%s", name);
	else
		snprintf(text, sizeof(text), "signal %d", signal);
	return text;
}

static const char *name_of(enum arg_kind kind, u64 value)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].kind == kind && names[i].value == value)
			return names[i].name;
	return NULL;
}

/* Prints the names of the bits of a set, and the rest as a number. Returns whether anything was printed. */
static bool print_bits(enum arg_kind kind, u64 value, FILE *to)
{
	const char *before = "";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].kind != kind || names[i].value == 0 || (value & names[i].value) != names[i].value)
			continue;
		fprintf(to, "%s%s", before, names[i].name);
		value &= ~names[i].value;
		before = "|";
	}
	if (value)
		fprintf(to, "%s0x%llx", before, (unsigned long long)value);
	return value || *before;
}

static void print_set(enum arg_kind kind, u64 value, FILE *to)
{
	value = (u32)value;
	switch (kind) {
	case ARG_OFLAGS:
		value &= ~UINT64_C(0100000); /* O_LARGEFILE: 64-bit programs set it for nothing */
		if ((value & 3) == 0)
			fprintf(to, "O_RDONLY%s", value ? "|" : "");
		if (value)
			(void)print_bits(kind, value, to);
		return;
	case ARG_CLONEFLAGS: { /* the low byte is the signal that tells of the child's end */
		bool any = (value & ~UINT64_C(0xff)) && print_bits(kind, value & ~UINT64_C(0xff), to);
		if (value & 0x7f)
			fprintf(to, "%s%s", any ? "|" : "", call_signal_name((int)(value & 0x7f)));
		else if (!any)
			fputc('0', to);
		return;
	}
	case ARG_FDFLAGS:
		kind = ARG_OFLAGS;
		break;
	case ARG_UNSHAREFLAGS:
		kind = ARG_CLONEFLAGS;
		break;
	case ARG_IPCFLAGS:
		if (value & ~UINT64_C(0777) && print_bits(kind, value & ~UINT64_C(0777), to))
			fputc('|', to);
		fprintf(to, "%#o", (unsigned)(value & 0777));
		return;
	case ARG_ACCMODE:
		if (value == 0)
			fputs("F_OK", to);
		break;
	case ARG_PROT:
		if (value == 0)
			fputs("PROT_NONE", to);
		break;
	default:
		break;
	}
	if (!print_bits(kind, value, to) && kind != ARG_ACCMODE && kind != ARG_PROT)
		fputc('0', to);
}

static void print_socket_type(u64 value, FILE *to)
{
	const char *name = name_of(ARG_SOCKTYPE, value & 0xf);
	if (name)
		fputs(name, to);
	else
		fprintf(to, "%u", (unsigned)(value & 0xf));
	if (value & SOCK_NONBLOCK)
		fputs("|SOCK_NONBLOCK", to);
	if (value & SOCK_CLOEXEC)
		fputs("|SOCK_CLOEXEC", to);
}

static void print_sockaddr(const char *bytes, size_t size, FILE *to)
{
	struct sockaddr_storage address = { 0 };
	char text[INET6_ADDRSTRLEN] = "?";
	memcpy(&address, bytes, size < sizeof(address) ? size : sizeof(address));
	const struct sockaddr_in *in = (const void *)&address;
	const struct sockaddr_in6 *in6 = (const void *)&address;
	const struct sockaddr_un *un = (const void *)&address;
	const struct sockaddr_nl *nl = (const void *)&address;
	const char *family = name_of(ARG_FAMILY, address.ss_family);
	switch (address.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		fprintf(to, "%s:%u", text, ntohs(in->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		fprintf(to, "[%s]:%u", text, ntohs(in6->sin6_port));
		break;
	case AF_UNIX: {
		size_t length = size > 2 ? size - 2 : 0;
		bool abstract = length > 0 && un->sun_path[0] == '\0';
		fputs(abstract ? "\"@" : "\"", to);
		if (!abstract)
			length = strnlen(un->sun_path, length < sizeof(un->sun_path) ? length : sizeof(un->sun_path));
		call_print_bytes(bytes + 2 + abstract, length - abstract, to);
		fputc('"', to);
		break;
	}
	case AF_NETLINK:
		fprintf(to, "{AF_NETLINK, pid=%u, groups=%#x}", nl->nl_pid, nl->nl_groups);
		break;
	default:
		fprintf(to, "{%s, %zu bytes}", family ? family : "family ?", size);
	}
}

static void print_string(const struct trace_field *field, FILE *to)
{
	fputc('"', to);
	call_print_bytes(field->bytes, field->length, to);
	fputs(field->flags & TRACE_STRING_CUT ? "\"…" : "\"", to);
}

/* A path, or the words of a vector, as far as they were recorded. */
static void print_strings(const struct trace_record *record, unsigned index, FILE *to)
{
	const struct call_form *form = call_form(record->nr);
	bool vector = form && form->args[index] != ARG_PATH;
	struct trace_field field;
	fputs(vector ? "[" : "", to);
	for (u32 n = 0; trace_field_find(record, (u8)index, n, &field); n++) {
		fputs(n > 0 ? ", " : "", to);
		print_string(&field, to);
	}
	fputs(vector ? "]" : "", to);
}

/* What the payload says of a pointer. */
static void print_pointed(const struct trace_record *record, unsigned index, FILE *to)
{
	struct trace_field field;
	u64 value = record->args[index];
	if (!trace_field_find(record, (u8)index, 0, &field)) {
		fputs(value ? "…" : "NULL", to); /* an address says nothing */
	} else if (record->nr == SYS_execve || record->nr == SYS_execveat) {
		print_strings(record, index, to);
	} else if (field.flags & TRACE_STRING_SOCKADDR) {
		print_sockaddr(field.bytes, field.length, to);
	} else {
		print_string(&field, to);
	}
}

/* A descriptor, with the path that it stands for where the record tells it. */
static void print_descriptor(const struct trace_record *record, unsigned index, FILE *to)
{
	struct trace_field field;
	s32 value = (s32)record->args[index];
	if (value == -100) {
		fputs("AT_FDCWD", to);
		return;
	}
	fprintf(to, "%d", value);
	if (trace_field_find(record, (u8)index, 0, &field) && field.length > 0) {
		fputc('<', to);
		call_print_bytes(field.bytes, field.length, to);
		fputc('>', to);
	}
}

/* The kind whose meaning another argument decides. */
static enum arg_kind kind_here(const struct call_form *form, const struct trace_record *record, unsigned index)
{
	static const struct {
		u64 level;
		u8 kind;
	} levels[] = {
		{ SOL_SOCKET, ARG_SOCKOPT },
		{ IPPROTO_TCP, ARG_TCPSOCKOPT },
		{ IPPROTO_IPV6, ARG_IPV6SOCKOPT },
		{ 270, ARG_NETLINKSOCKOPT }, /* SOL_NETLINK */
	};
	enum arg_kind kind = form->args[index];
	if (kind == ARG_SOCKPROTO && (u32)record->args[0] == AF_NETLINK)
		return ARG_NETLINK;
	if (kind != ARG_SOCKOPT)
		return kind;
	if ((u32)record->args[1] == IPPROTO_IP || (u32)record->args[1] == IPPROTO_RAW)
		return form->name[0] == 'g' ? ARG_IPGETOPT : ARG_IPSOCKOPT;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == (u32)record->args[1])
			return levels[i].kind;
	return ARG_INT;
}

static void print_value(enum arg_kind kind, u64 value, FILE *to)
{
	const char *name = name_of(kind, kind == ARG_KEYRING ? (u64)(s64)(s32)value : (u32)value);
	if (kind == ARG_FUTEXOP)
		name = name_of(kind, value & 0x7f);
	if (name)
		fputs(name, to);
	else if (kind == ARG_IOCTL) /* _IOC: type, number, size of what is passed */
		fprintf(to, "_IOC(%#x, %u, %u)", (unsigned)(value >> 8 & 0xff), (unsigned)(value & 0xff),
			(unsigned)(value >> 16 & 0x3fff));
	else
		fprintf(to, "%d", (s32)value);
}

static void print_argument(const struct call_form *form, const struct trace_record *record, unsigned index, FILE *to)
{
	enum arg_kind kind = kind_here(form, record, index);
	u64 value = record->args[index];
	switch (kind) {
	case ARG_PATH:
	case ARG_STR:
	case ARG_BUF:
	case ARG_SOCKADDR:
	case ARG_PTR:
		print_pointed(record, index, to);
		break;
	case ARG_DIRFD:
	case ARG_FD:
		print_descriptor(record, index, to);
		break;
	case ARG_INT:
	case ARG_PID:
	case ARG_UID: /* -1 leaves it as it is */
		fprintf(to, "%d", (s32)value);
		break;
	case ARG_UINT:
		fprintf(to, "%u", (u32)value);
		break;
	case ARG_SIZE:
		fprintf(to, "%llu", (unsigned long long)value);
		break;
	case ARG_OFF:
		fprintf(to, "%lld", (long long)value);
		break;
	case ARG_MODE:
		fprintf(to, "%#05o", (unsigned)(value & 07777777));
		break;
	case ARG_DEV:
		fprintf(to, "makedev(%u, %u)", major(value), minor(value));
		break;
	case ARG_KEY:
		fprintf(to, (u32)value ? "%#x" : "IPC_PRIVATE", (u32)value);
		break;
	case ARG_HEX:
		fprintf(to, value < 10 ? "%llu" : "%#llx", (unsigned long long)value);
		break;
	case ARG_SIG:
		fputs(value ? call_signal_name((int)value) : "0", to);
		break;
	case ARG_SOCKTYPE:
		print_socket_type(value, to);
		break;
	default:
		if (kind >= ARG_OFLAGS)
			print_set(kind, value, to);
		else
			print_value(kind, value, to);
	}
}

/* How many arguments are worth printing: a mode is, where the call may create a file. */
static unsigned argument_count(const struct call_form *form, const struct trace_record *record)
{
	unsigned count = 0;
	while (count < CALL_ARGS && form->args[count] != ARG_END)
		count++;
	if (count >= 2 && form->args[count - 1] == ARG_MODE && form->args[count - 2] == ARG_OFLAGS &&
	    !(record->args[count - 2] & 0x400040)) /* O_CREAT, O_TMPFILE */
		count--;
	if (form->args[0] == ARG_PRCTLOP && count > 2) /* most take one value */
		while (count > 2 && record->args[count - 1] == 0)
			count--;
	return count;
}

void call_print(const struct trace_record *record, FILE *to)
{
	static const struct call_form unknown = { NULL, { ARG_HEX, ARG_HEX, ARG_HEX, ARG_HEX, ARG_HEX, ARG_HEX } };
	const struct call_form *form = call_form(record->nr);
	if (form)
		fprintf(to, "%s(", form->name);
	else
		fprintf(to, "syscall(%d, ", record->nr);
	if (!form)
		form = &unknown;
	unsigned count = argument_count(form, record);
	for (unsigned i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : "", to);
		print_argument(form, record, i, to);
	}
	fputc(')', to);
}
