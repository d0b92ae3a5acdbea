/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of file systems that a guest mounts, as Linux 6.18 takes and tells them (fs/fs_parser.c, mm/shmem.c, fs/devpts/inode.c, fs/proc/root.c,
 * fs/overlayfs/params.c). What is told is taken again: that is how a remount knows what there was.
 */
#include "agent/fs_mount.h"

#define TMPFS_MODE 01777u
#define MODE_BITS 07777u

/* --- text ------------------------------------------------------------------------------------------------------------------------------------ */

void mnt_append(char *to, u64 size, const char *text)
{
	u64 at = strlen(to), length = strlen(text);

	if (at + length < size)
		memcpy(to + at, text, length + 1);
}

void mnt_append_number(char *to, u64 size, const char *word, u64 number, u32 base, u32 width)
{
	char digits[24];
	u32 at = sizeof(digits) - 1, from = at;

	digits[at] = 0;
	while (number || from - at < width || at == from) {
		digits[--at] = (char)('0' + number % base);
		number /= base;
	}
	mnt_append(to, size, word);
	mnt_append(to, size, digits + at);
}

static bool parse_u64(const char **at, u32 base, u64 *ret)
{
	const char *text = *at;
	u64 n = 0;

	while (*text >= '0' && *text < (char)('0' + base))
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, (u64)(*text++ - '0'), &n))
			return false;
	if (text == *at)
		return false;
	*at = text;
	*ret = n;
	return true;
}

static bool parse_u32(const char *text, u32 base, u32 *ret)
{
	u64 n;

	if (!parse_u64(&text, base, &n) || *text || n > UINT32_MAX)
		return false;
	*ret = (u32)n;
	return true;
}

/* A number with one of the letters that memparse() takes. */
static bool parse_size(const char *text, u64 *ret)
{
	static const char letters[] = "kmgtpe";

	if (!parse_u64(&text, 10, ret))
		return false;
	for (u32 i = 0; *text && letters[i]; i++)
		if ((*text | 0x20) == letters[i]) {
			*ret <<= 10 * (i + 1);
			text++;
			break;
		}
	return !*text;
}

/* --- types ------------------------------------------------------------------------------------------------------------------------------------ */

static const char type_names[][8] = { "tmpfs", "ramfs", "proc", "sysfs", "devpts", "mqueue", "overlay", "cgroup", "cgroup2" };

const char *mnt_type_name(u32 kind)
{
	return kind < ARRAY_SIZE(type_names) ? type_names[kind] : "";
}

long mnt_super_init(struct mnt_super *super, const char *type)
{
	memset(super, 0, sizeof(*super));
	for (u32 i = 0; i < ARRAY_SIZE(type_names); i++) {
		if (strcmp(type, type_names[i]) != 0 || ((i == MNT_CGROUP || i == MNT_CGROUP2) && !cgroup_on()))
			continue;
		super->kind = i;
		super->mode = i == MNT_DEVPTS ? 0600 : i == MNT_RAMFS ? 0755 : TMPFS_MODE;
		return 0;
	}
	return -ENODEV;
}

/* --- options ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_id(const char *value, u32 *ret)
{
	return value && parse_u32(value, 10, ret) && *ret != UINT32_MAX;
}

/* The place of an option among those that are told as they came; its length in *ret. */
static char *kept(struct mnt_super *super, const char *key, u64 *ret)
{
	u64 length = strlen(key);

	for (char *at = super->more; *at; at += *ret) {
		*ret = 1;
		while (at[*ret] && at[*ret] != ',')
			++*ret;
		if (*ret > length && !strncmp(at + 1, key, length) && (*ret == length + 1 || at[length + 1] == '='))
			return at;
	}
	return NULL;
}

/* What is told as it came, the last of its name. */
static void keep(struct mnt_super *super, const char *key, const char *value)
{
	u64 length;
	char *before = kept(super, key, &length);

	if (before)
		memmove(before, before + length, strlen(before + length) + 1);
	if (strlen(super->more) + strlen(key) + (value ? strlen(value) : 0) + 3 > sizeof(super->more))
		return;
	mnt_append(super->more, sizeof(super->more), ",");
	mnt_append(super->more, sizeof(super->more), key);
	if (value) {
		mnt_append(super->more, sizeof(super->more), "=");
		mnt_append(super->more, sizeof(super->more), value);
	}
}

/* Likewise of an id, without zeros before it. */
static void keep_id(struct mnt_super *super, const char *key, const char *value)
{
	while (value[0] == '0' && value[1])
		value++;
	keep(super, key, value);
}

static bool is_one_of(const char *value, const char *words)
{
	u64 length = strlen(value);

	for (; *words; words++) {
		u64 n = 0;

		while (words[n] && words[n] != ' ')
			n++;
		if (n == length && !memcmp(words, value, n))
			return true;
		words += n;
		if (!*words)
			break;
	}
	return false;
}

static bool set_tmpfs(struct mnt_super *super, const char *key, const char *value)
{
	u64 size;

	if (!strcmp(key, "noswap") && !value) {
		keep(super, key, value);
		return true;
	}
	if (!strcmp(key, "inode32") || !strcmp(key, "inode64"))
		return !value;
	if (!value)
		return false;
	if (!strcmp(key, "size") || !strcmp(key, "nr_blocks")) {
		if (!parse_size(value, &size))
			return false;
		super->blocks = key[0] == 's' ? size / LAYOUT_PAGE + (size % LAYOUT_PAGE != 0) : size;
		super->has_size = true;
		return true;
	}
	if (!strcmp(key, "nr_inodes")) {
		super->has_inodes = parse_size(value, &super->inodes);
		return super->has_inodes;
	}
	if (!strcmp(key, "mode")) {
		bool right = parse_u32(value, 8, &super->mode);

		super->mode &= MODE_BITS;
		return right;
	}
	if (!strcmp(key, "uid"))
		return is_id(value, &super->uid);
	if (!strcmp(key, "gid"))
		return is_id(value, &super->gid);
	if (!strcmp(key, "huge")) {
		if (!is_one_of(value, "never always within_size advise"))
			return false;
		if (strcmp(value, "never") != 0)
			keep(super, key, value);
		return true;
	}
	return !strcmp(key, "mpol");
}

static bool set_devpts(struct mnt_super *super, const char *key, const char *value)
{
	u32 *id = !strcmp(key, "uid") ? &super->uid : !strcmp(key, "gid") ? &super->gid : NULL;
	u32 *mode = !strcmp(key, "mode") ? &super->mode : !strcmp(key, "ptmxmode") ? &super->ptmx_mode : NULL, max;

	if (!strcmp(key, "newinstance"))
		return !value;
	if (id) {
		if (!is_id(value, id))
			return false;
		keep_id(super, key, value);
		return true;
	}
	if (mode) {
		bool right = value && parse_u32(value, 8, mode);

		*mode &= MODE_BITS;
		return right;
	}
	return !strcmp(key, "max") && value && parse_u32(value, 10, &max);
}

static bool set_proc(struct mnt_super *super, const char *key, const char *value)
{
	static const char names[][12] = { "off", "noaccess", "invisible", "", "ptraceable" };
	u32 number;

	if (!value)
		return false;
	if (!strcmp(key, "gid") && is_id(value, &number)) {
		if (number)
			keep_id(super, key, value);
		return true;
	}
	if (!strcmp(key, "subset") && !strcmp(value, "pid")) {
		keep(super, key, value);
		return true;
	}
	if (strcmp(key, "hidepid") != 0)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		bool same = parse_u32(value, 10, &number) ? number == i : !strcmp(value, names[i]);

		if (!same || !names[i][0])
			continue;
		if (i)
			keep(super, key, names[i]);
		return true;
	}
	return false;
}

static bool copy_text(char *to, u64 size, const char *text)
{
	u64 length = text ? strlen(text) : size;

	if (length >= size)
		return false;
	memcpy(to, text, length + 1);
	return true;
}

static bool set_overlay(struct mnt_super *super, const char *key, const char *value)
{
	if (!strcmp(key, "lowerdir"))
		return copy_text(super->lower, sizeof(super->lower), value);
	if (!strcmp(key, "upperdir"))
		return copy_text(super->upper, sizeof(super->upper), value);
	if (!strcmp(key, "workdir"))
		return copy_text(super->work, sizeof(super->work), value);
	if (!strcmp(key, "userxattr") || !strcmp(key, "volatile"))
		return !value;
	if (!strcmp(key, "index") || !strcmp(key, "metacopy") || !strcmp(key, "nfs_export"))
		return value && !strcmp(value, "off"); /* what it does not do */
	if (!strcmp(key, "redirect_dir"))
		return value && is_one_of(value, "off nofollow");
	if (!strcmp(key, "xino"))
		return value && is_one_of(value, "off auto");
	return false;
}

/* Options that every file system has: vfs_parse_sb_flag(). */
static bool set_generic(struct mnt_super *super, const char *key)
{
	static const struct {
		char name[12];
		bool on;
		u32 flag;
	} generic[] = { { "ro", true, MS_RDONLY_ },
			{ "rw", false, MS_RDONLY_ },
			{ "sync", true, 16 },
			{ "async", false, 16 },
			{ "dirsync", true, 128 },
			{ "lazytime", true, 1u << 25 },
			{ "nolazytime", false, 1u << 25 },
			{ "mand", true, 64 },
			{ "nomand", false, 64 } };

	for (u32 i = 0; i < ARRAY_SIZE(generic); i++)
		if (!strcmp(key, generic[i].name)) {
			super->flags = generic[i].on ? super->flags | generic[i].flag : super->flags & ~generic[i].flag;
			super->read_only = super->flags & MS_RDONLY_;
			return true;
		}
	return false;
}

long mnt_super_set(struct mnt_super *super, const char *key, const char *value)
{
	bool known;

	if (!value && set_generic(super, key))
		return 0;
	if (!strcmp(key, "source") && value && !super->has_source) {
		super->has_source = copy_text(super->source, sizeof(super->source), value);
		return super->has_source ? 0 : -EINVAL;
	}
	switch (super->kind) {
	case MNT_TMPFS:
		known = set_tmpfs(super, key, value);
		break;
	case MNT_RAMFS:
		known = strcmp(key, "mode") != 0 || (value && parse_u32(value, 8, &super->mode)); /* others are not looked at */
		super->mode &= MODE_BITS;
		break;
	case MNT_DEVPTS:
		known = set_devpts(super, key, value);
		break;
	case MNT_PROC:
		known = set_proc(super, key, value);
		break;
	case MNT_OVERLAY:
		known = set_overlay(super, key, value);
		break;
	case MNT_CGROUP:
	case MNT_CGROUP2: /* the gap knows them, when it is made */
		known = strlen(super->more) + strlen(key) + (value ? strlen(value) : 0) + 3 < sizeof(super->more);
		keep(super, key, value);
		break;
	default:
		known = false;
	}
	return known ? 0 : -EINVAL;
}

long mnt_super_parse(struct mnt_super *super, char *options)
{
	for (char *at = options; *at;) {
		char *key = at, *value = NULL;
		long r;

		while (*at && *at != ',') {
			if (*at == '=' && !value) {
				*at = 0;
				value = at + 1;
			}
			at++;
		}
		if (*at)
			*at++ = 0;
		if (!*key)
			continue;
		r = mnt_super_set(super, key, value);
		if (r < 0)
			return r;
	}
	return 0;
}

void mnt_super_show(struct mnt_super *super)
{
	char *to = super->shown;
	u64 size = sizeof(super->shown);

	to[0] = 0;
	if (super->flags & 16)
		mnt_append(to, size, ",sync");
	if (super->flags & 128)
		mnt_append(to, size, ",dirsync");
	if (super->flags & 64)
		mnt_append(to, size, ",mand");
	if (super->flags & (1u << 25))
		mnt_append(to, size, ",lazytime");
	if (super->has_size)
		mnt_append_number(to, size, ",size=", super->blocks * (LAYOUT_PAGE / 1024), 10, 1), mnt_append(to, size, "k");
	if (super->has_inodes)
		mnt_append_number(to, size, ",nr_inodes=", super->inodes, 10, 1);
	if (super->kind == MNT_TMPFS && super->mode != TMPFS_MODE)
		mnt_append_number(to, size, ",mode=", super->mode, 8, 3);
	if (super->kind == MNT_TMPFS && super->uid)
		mnt_append_number(to, size, ",uid=", super->uid, 10, 1);
	if (super->kind == MNT_TMPFS && super->gid)
		mnt_append_number(to, size, ",gid=", super->gid, 10, 1);
	mnt_append(to, size, super->more);
	if (super->kind == MNT_DEVPTS) {
		mnt_append_number(to, size, ",mode=", super->mode, 8, 3);
		mnt_append_number(to, size, ",ptmxmode=", super->ptmx_mode, 8, 3);
	}
}

char *mnt_lower_next(char **at)
{
	char *name = *at, *from = name, *to = name;

	if (!name)
		return NULL;
	while (*from && *from != ':') {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from++;
	}
	*at = *from ? from + 1 : NULL;
	*to = 0;
	return name;
}
