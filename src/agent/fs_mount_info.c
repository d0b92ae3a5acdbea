/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/{mountinfo,mounts,mountstats}: the mounts of a task's namespace that its root directory reaches, as fs/proc_namespace.c tells them.
 *
 * What is the host's own (the cell's root, what lichen binds) has the type and the source that the host tells of it; every mount has the device
 * number that stat(2) tells.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "base/decimal.h"

#define HOST_SIZE (UINT64_C(256) << 10)

struct out {
	char *to;
	u64 size, used; /* used may be above size: so much is asked for */
};

static void put_bytes(struct out *out, const char *text, u64 length)
{
	for (u64 i = 0; i < length; i++, out->used++)
		if (out->used < out->size)
			out->to[out->used] = text[i];
}

static void put(struct out *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

/* With what separates fields written as \ooo. */
static void put_escaped(struct out *out, const char *text, u64 length, const char *special)
{
	for (u64 i = 0; i < length; i++) {
		const char *s = special;
		u8 c = (u8)text[i];
		char octal[4] = { '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7)) };

		while (*s && *s != text[i])
			s++;
		put_bytes(out, *s ? octal : text + i, *s ? 4 : 1);
	}
}

static void put_u32(struct out *out, u32 number)
{
	char digits[DECIMAL_MAX];

	put_bytes(out, digits, decimal_put(digits, number));
}

/* --- what the host tells ------------------------------------------------------------------------------------------------------------------- */

/* A part of the host's mountinfo. */
struct part {
	const char *at;
	u64 size;
};

struct host_row {
	struct part type, from, options; /* the latter behind "rw" or "ro" */
};

static struct part next_field(const char **at, char end)
{
	struct part part = { *at, 0 };

	while (part.at[part.size] && part.at[part.size] != ' ' && part.at[part.size] != '\n' && part.at[part.size] != end)
		part.size++;
	*at += part.size;
	if (**at == ' ' || (end && **at == end))
		(*at)++;
	return part;
}

static bool covers(struct part point, const char *path, u64 length)
{
	if (point.size == 1) /* "/" */
		return true;
	return length >= point.size && !memcmp(point.at, path, point.size) && (length == point.size || path[point.size] == '/');
}

/* The row of the mount that a host path lies on. */
static void find_host(const char *text, const char *path, u64 length, struct host_row *ret)
{
	u64 best = 0;

	*ret = (struct host_row){ { "none", 4 }, { "none", 4 }, { "", 0 } };
	for (const char *line = text; *line;) {
		struct part point;

		for (u32 i = 0; i < 4; i++)
			(void)next_field(&line, 0);
		point = next_field(&line, 0);
		if (covers(point, path, length) && point.size >= best) {
			best = point.size;
			while (*line && *line != '\n' && !(line[0] == '-' && line[1] == ' '))
				(void)next_field(&line, 0);
			if (*line == '-')
				line += 2;
			ret->type = next_field(&line, 0);
			ret->from = next_field(&line, 0);
			(void)next_field(&line, ',');
			ret->options = next_field(&line, 0);
		}
		while (*line && *line != '\n')
			line++;
		if (*line)
			line++;
	}
}

/* The host's mountinfo into memory: its address, or NULL. */
static char *read_host(void)
{
	long at = sys6(__NR_mmap, 0, HOST_SIZE, 3, 0x22, (u64)-1, 0), fd, n;
	u64 used = 0;
	char *text = (char *)at; /* NOLINT(performance-no-int-to-ptr) */

	if (at < 0)
		return NULL;
	fd = sys4(__NR_openat, AT_FDCWD_, "/proc/self/mountinfo", O_CLOEXEC_, 0);
	while (fd >= 0 && used < HOST_SIZE - 1 && (n = sys3(__NR_read, fd, text + used, HOST_SIZE - 1 - used)) > 0)
		used += (u64)n;
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	text[used] = 0;
	return text;
}

/* --- a row ---------------------------------------------------------------------------------------------------------------------------------- */

struct row {
	const struct fs_table *table;
	const struct fs_mount *m;
	const char *point; /* as the task sees it */
	struct host_row host;
};

#define FIELD_SPECIAL " \t\n\\"
#define NAME_SPECIAL " \t\n\\#"

static void put_type(struct out *out, const struct row *row)
{
	if (row->m->type)
		put_escaped(out, row->table->text + row->m->type, strlen(row->table->text + row->m->type), FIELD_SPECIAL);
	else
		put_bytes(out, row->host.type.at, row->host.type.size);
}

static void put_from(struct out *out, const struct row *row)
{
	if (row->m->from)
		put_escaped(out, row->table->text + row->m->from, strlen(row->table->text + row->m->from), NAME_SPECIAL);
	else if (row->m->type)
		put(out, "none");
	else
		put_bytes(out, row->host.from.at, row->host.from.size);
}

static void put_options(struct out *out, const struct row *row)
{
	const char *own = row->table->text + row->m->options;

	if (row->m->options) {
		put(out, ",");
		put_escaped(out, own, strlen(own), FIELD_SPECIAL);
	} else if (!row->m->type && row->host.options.size) {
		put(out, ",");
		put_bytes(out, row->host.options.at, row->host.options.size);
	}
}

static void put_point(struct out *out, const struct row *row)
{
	put_escaped(out, row->point, strlen(row->point), FIELD_SPECIAL);
}

static void put_flags(struct out *out, u32 flags)
{
	static const struct {
		u32 flag;
		char name[16];
	} names[] = { { FS_NOSUID, ",nosuid" },          { FS_NODEV, ",nodev" },           { FS_NOEXEC, ",noexec" },
		      { FS_NOATIME, ",noatime" },        { FS_NODIRATIME, ",nodiratime" }, { FS_RELATIME, ",relatime" },
		      { FS_NOSYMFOLLOW, ",nosymfollow" } };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			put(out, names[i].name);
}

static bool is_own_read_only(u32 flags)
{
	return (flags & FS_OWN_READ_ONLY) || ((flags & FS_READ_ONLY) && !(flags & FS_SUPER_READ_ONLY));
}

/* The nearest group above a slave's master that has a member in the namespace; 0: none. */
static u32 dominating(const struct fs_table *table, u32 group)
{
	for (u32 depth = 0; group && depth < 64; depth++) {
		u32 above = 0;

		for (u32 i = 0; i < table->count; i++)
			if (table->mounts[i].peers == group)
				return group;
		for (u32 s = 0; s < FS_SPACES_MAX && !above; s++) {
			const struct fs_space *space = fs_space_of(s);
			const struct fs_table *t = &space->copy[space->active & 1];

			for (u32 i = 0; space->state == FS_SPACE_READY && i < t->count && i < FS_MOUNTS_MAX; i++)
				if (t->mounts[i].peers == group)
					above = t->mounts[i].master;
		}
		group = above;
	}
	return 0;
}

static void put_propagation(struct out *out, const struct row *row)
{
	const struct fs_mount *m = row->m;
	u32 from = m->master ? dominating(row->table, m->master) : 0;

	if (m->peers)
		put(out, " shared:"), put_u32(out, m->peers);
	if (m->master)
		put(out, " master:"), put_u32(out, m->master);
	if (m->master && from && from != m->master)
		put(out, " propagate_from:"), put_u32(out, from);
	if (m->flags & FS_UNBINDABLE)
		put(out, " unbindable");
}

static void put_device(struct out *out, const struct row *row)
{
	const char *source = row->table->text + row->m->source;
	struct kernel_stat st;

	if (sys4(__NR_newfstatat, AT_FDCWD_, *source ? source : "/", &st, AT_SYMLINK_NOFOLLOW_) < 0)
		st.dev = 0;
	put_u32(out, (u32)(st.dev >> 8) & 0xfff);
	put(out, ":");
	put_u32(out, (u32)(st.dev & 0xff) | ((u32)(st.dev >> 12) & 0xfff00));
}

/* "mnt:[4026532201]" */
static void put_namespace(struct out *out, const struct row *row)
{
	char host[NS_PATH_SIZE], link[40] = "/";

	if (row->m->source_length < sizeof(host)) {
		memcpy(host, row->table->text + row->m->source, row->m->source_length);
		host[row->m->source_length] = 0;
		(void)ns_told(host, link);
	}
	put(out, link);
}

static void put_mountinfo(struct out *out, const struct row *row)
{
	const struct fs_mount *m = row->m;

	put_u32(out, m->id);
	put(out, " ");
	put_u32(out, m->parent ? m->parent : 1);
	put(out, " ");
	put_device(out, row);
	put(out, " ");
	if (m->flags & FS_NSFS)
		put_namespace(out, row);
	else if (m->root_length)
		put_escaped(out, row->table->text + m->root, m->root_length, FIELD_SPECIAL);
	else
		put(out, "/");
	put(out, " ");
	put_point(out, row);
	put(out, is_own_read_only(m->flags) ? " ro" : " rw");
	put_flags(out, m->flags);
	put_propagation(out, row);
	put(out, " - ");
	put_type(out, row);
	put(out, " ");
	put_from(out, row);
	put(out, m->flags & FS_SUPER_READ_ONLY ? " ro" : " rw");
	put_options(out, row);
}

static void put_mounts(struct out *out, const struct row *row)
{
	put_from(out, row);
	put(out, " ");
	put_point(out, row);
	put(out, " ");
	put_type(out, row);
	put(out, row->m->flags & FS_READ_ONLY ? " ro" : " rw");
	put_flags(out, row->m->flags);
	put_options(out, row);
	put(out, " 0 0");
}

static void put_mountstats(struct out *out, const struct row *row)
{
	put(out, "device ");
	put_from(out, row);
	put(out, " mounted on ");
	put_point(out, row);
	put(out, " with fstype ");
	put_type(out, row);
}

/* --- the file -------------------------------------------------------------------------------------------------------------------------------- */

/* Whether a mount is below the root directory, and where: *ret_point lies in `room`. */
static bool is_seen(const struct fs_root *root, const struct fs_mount *m, char room[FS_PATH_MAX], const char **ret_point)
{
	const struct fs_table *table = root->table;
	const char *target = table->text + m->target;
	u32 length = fs_root_length(root);

	if (m->target_length < length || memcmp(target, table->text + root->target, root->target_length) ||
	    memcmp(target + root->target_length, root->below, root->below_length) || (target[length] && target[length] != '/'))
		return false;
	if (!target[length] && root->below_length && m->parent != root->mount)
		return false; /* the root directory is no mount's root */
	if (m->target_length - length + 2u > FS_PATH_MAX)
		return false;
	memcpy(room, target + length, m->target_length - length + 1u);
	if (!room[0])
		memcpy(room, "/", 2);
	*ret_point = room;
	return true;
}

static u32 next_id(const struct fs_table *table, u32 after)
{
	u32 best = 0;

	for (u32 i = 0; i < table->count && i < FS_MOUNTS_MAX; i++)
		if (table->mounts[i].id > after && (!best || table->mounts[i].id < best))
			best = table->mounts[i].id;
	return best;
}

static void put_table(struct out *out, const struct fs_root *root, enum mounts_file file, const char *host, char room[FS_PATH_MAX])
{
	const struct fs_table *table = root->table;

	for (u32 id = 0; (id = next_id(table, id));) {
		struct row row = { .table = table, .m = mnt_find(table, id) };

		if (!row.m || !is_seen(root, row.m, room, &row.point))
			continue;
		if (!row.m->type)
			find_host(host, table->text + row.m->source, row.m->source_length, &row.host);
		switch (file) {
		case MOUNTS_MOUNTINFO:
			put_mountinfo(out, &row);
			break;
		case MOUNTS_MOUNTS:
			put_mounts(out, &row);
			break;
		case MOUNTS_MOUNTSTATS:
			put_mountstats(out, &row);
		}
		put(out, "\n");
	}
}

long agent_mounts_tell(enum mounts_file file, s32 tid, char *to, u64 size)
{
	struct out out = { .to = to, .size = size };
	char *host, *room = ((struct fs_work *)(void *)slot_current()->scratch)->guest;
	struct fs_root root;
	long word = tid ? view_of_task(tid) : view_word(), r;
	u32 attempts = 0;

	if (!fs_on())
		return -EOPNOTSUPP;
	if (word < 0)
		return word;
	host = read_host();
	if (!host)
		return -ENOMEM;
	do {
		const struct view *v = view_of((u32)word);

		out.used = 0;
		r = fs_root_of(&root, v->space, v->root_mount, v->root_length ? view_root((u32)word) : "", v->root_length);
		if (r == 0) {
			put_table(&out, &root, file, host, room);
			r = fs_is_current(&root) ? 0 : -ELOOP;
		}
	} while (r == -ELOOP && fs_once_more(&attempts));
	(void)sys2(__NR_munmap, host, HOST_SIZE);
	return r < 0 ? r : (long)out.used;
}
