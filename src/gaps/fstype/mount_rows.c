/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the text of mountinfo apart and tells it anew: see mount_rows.h. */
#include "gaps/fstype/mount_rows.h"
#include "base/decimal.h"

/* --- fields ------------------------------------------------------------------------------------------------------------------------ */

static bool is(struct field field, const char *word)
{
	return field.size == strlen(word) && !memcmp(field.at, word, field.size);
}

static bool begins(struct field field, const char *word)
{
	u64 length = strlen(word);

	return field.size >= length && !memcmp(field.at, word, length);
}

/* Takes what is before the next separator off *rest. */
static struct field take(struct field *rest, char separator)
{
	struct field field = { rest->at, 0 };

	while (field.size < rest->size && field.at[field.size] != separator)
		field.size++;
	rest->at += field.size;
	rest->size -= field.size;
	if (rest->size) { /* the separator */
		rest->at++;
		rest->size--;
	}
	return field;
}

/* From the start of one field to the end of a later one. */
static struct field span(struct field first, struct field last)
{
	return (struct field){ first.at, (u64)(last.at + last.size - first.at) };
}

static bool parse_number(struct field field, u32 *ret)
{
	u64 value = 0;

	if (!field.size || field.size > 10)
		return false;
	for (u64 i = 0; i < field.size; i++) {
		if (field.at[i] < '0' || field.at[i] > '9')
			return false;
		value = value * 10 + (u64)(field.at[i] - '0');
	}
	*ret = (u32)value;
	return value <= UINT32_MAX;
}

static bool octal(char c, char most)
{
	return c >= '0' && c <= most;
}

u64 mount_field_path(struct field field, char *to, u64 size)
{
	u64 used = 0;

	for (u64 i = 0; i < field.size; i++, used++) {
		const char *c = field.at + i;

		if (used + 1 >= size)
			return 0;
		to[used] = *c;
		if (*c == '\\' && field.size - i > 3 && octal(c[1], '3') && octal(c[2], '7') && octal(c[3], '7')) {
			to[used] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
			i += 3;
		}
	}
	if (used < size)
		to[used] = 0;
	return used;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------- */

static bool parse_device(struct field device, struct mount_row *row)
{
	struct field major = take(&device, ':');

	return parse_number(major, &row->major) && parse_number(device, &row->minor);
}

static bool parse_row(struct field rest, struct mount_row *row)
{
	struct field id = take(&rest, ' '), parent = take(&rest, ' '), last;
	u32 number;

	if (!parse_number(id, &number) || !parse_number(parent, &number))
		return false;
	row->ids = span(id, parent);
	if (!parse_device(take(&rest, ' '), row))
		return false;
	row->root = take(&rest, ' ');
	row->point = take(&rest, ' ');
	row->flags = last = take(&rest, ' ');
	if (!row->root.size || !row->point.size || !row->flags.size)
		return false;
	for (;;) { /* optional fields; gVisor of 2022 leaves an empty one */
		struct field field;

		if (!rest.size)
			return false;
		field = take(&rest, ' ');
		if (is(field, "-"))
			break;
		if (field.size)
			last = field;
	}
	row->options = span(row->flags, last);
	row->type = take(&rest, ' ');
	row->source = take(&rest, ' ');
	row->super = take(&rest, ' ');
	return row->type.size && row->super.size; /* a source may be empty */
}

bool mount_row_next(struct field *text, struct field *ret_line, struct mount_row *ret_row, bool *ret_valid)
{
	if (!text->size)
		return false;
	*ret_line = take(text, '\n');
	*ret_valid = parse_row(*ret_line, ret_row);
	return true;
}

/*
 * Types under which sandboxes give their root and that cAdvisor has no plug-in for (its lib/fs/ plug-ins: vfs, tmpfs, overlay, btrfs, zfs, nfs). A guest
 * mounts most of these itself, too, and then means them (fusermount looks for "fuse.", containerd for "erofs"): only the root counts.
 */
static bool is_foreign(struct field type)
{
	return is(type, "9p") || is(type, "virtiofs") || is(type, "erofs") || is(type, "rootfs") || is(type, "ramfs") ||
	       begins(type, "fuse");
}

/* What a sandbox's host shares, wherever it is mounted. */
static bool is_share(struct field type)
{
	return is(type, "9p") || is(type, "virtiofs");
}

void mounts_look(struct field text, struct mount_view *view)
{
	struct mount_row row;
	struct field line;
	bool valid;

	view->has_root = view->root_foreign = false;
	while (mount_row_next(&text, &line, &row, &valid)) {
		if (!valid || !is(row.point, "/"))
			continue;
		view->has_root = true;
		view->major = view->told_major = row.major;
		view->minor = view->told_minor = row.minor;
		view->root_foreign = view->forced || is_foreign(row.type);
	}
}

static bool on_root(const struct mount_row *row, const struct mount_view *view)
{
	return view->has_root && row->major == view->major && row->minor == view->minor;
}

bool mount_row_told(const struct mount_row *row, const struct mount_view *view)
{
	return is_share(row->type) || (on_root(row, view) && view->root_foreign);
}

/* btrfs: each subvolume has a number of its own, which readers know. */
static bool other_number(const struct mount_row *row, const struct mount_view *view)
{
	return on_root(row, view) && !is(row->type, "btrfs") &&
	       (view->major != view->told_major || view->minor != view->told_minor);
}

bool mounts_by_device(struct field text, const struct mount_view *view, u32 major, u32 minor, const char *after,
		      struct mount_row *ret_row)
{
	struct mount_row row;
	struct field line;
	bool valid;

	while (mount_row_next(&text, &line, &row, &valid)) {
		bool other = valid && other_number(&row, view);

		if (!valid || (after && row.point.at <= after))
			continue;
		if ((other ? view->told_major : row.major) == major && (other ? view->told_minor : row.minor) == minor) {
			*ret_row = row;
			return true;
		}
	}
	return false;
}

bool mounts_differ(struct field text, const struct mount_view *view, bool mounts)
{
	struct mount_row row;
	struct field line;
	bool valid, differ = false;

	while (mount_row_next(&text, &line, &row, &valid)) {
		if (!valid && mounts)
			return false; /* nothing can be made of it: the kernel's own */
		if (!valid)
			continue;
		if (mount_row_told(&row, view) || (!mounts && other_number(&row, view)))
			differ = true;
		for (u64 i = 0; mounts && i < row.point.size; i++)
			if (row.point.at[i] == '\\') /* gVisor's mounts has no escapes */
				differ = true;
	}
	return differ;
}

/* --- telling ------------------------------------------------------------------------------------------------------------------------ */

struct out {
	char *to;
	u64 used;
};

static void put(struct out *out, struct field field)
{
	memcpy(out->to + out->used, field.at, field.size);
	out->used += field.size;
}

static void put_string(struct out *out, const char *string)
{
	put(out, (struct field){ string, strlen(string) });
}

static void put_number(struct out *out, u32 value)
{
	char digits[DECIMAL_MAX];

	put(out, (struct field){ digits, decimal_put(digits, value) });
}

static void put_device(struct out *out, const struct mount_row *row, const struct mount_view *view, char between)
{
	bool other = other_number(row, view);

	put_number(out, other ? view->told_major : row->major);
	put(out, (struct field){ &between, 1 });
	put_number(out, other ? view->told_minor : row->minor);
}

/*
 * The source of a mount told as a disk's. The root's is what Linux itself says of a root that the kernel mounted by number. Of others it
 * names what is behind it; it must differ between file systems, because readers take two rows of one source for a bind mount.
 */
static void put_source(struct out *out, const struct mount_row *row, const struct mount_view *view)
{
	if (!mount_row_told(row, view) || begins(row->source, "/dev/")) {
		put(out, row->source);
	} else if (on_root(row, view)) {
		put_string(out, "/dev/root");
	} else {
		put_string(out, "/dev/");
		put(out, row->type);
		put_string(out, "-");
		put_device(out, row, view, '-'); /* with ':' df(1) would take it for a remote host's */
	}
}

static void put_type(struct out *out, const struct mount_row *row, const struct mount_view *view)
{
	if (mount_row_told(row, view))
		put_string(out, MOUNT_TOLD_TYPE);
	else
		put(out, row->type);
}

/* Options that any file system may have: show_sb_opts() of fs/proc_namespace.c and the security modules' behind them. */
static bool is_generic(struct field option)
{
	return is(option, "sync") || is(option, "dirsync") || is(option, "mand") || is(option, "lazytime") ||
	       is(option, "seclabel") || begins(option, "context=") || begins(option, "fscontext=") ||
	       begins(option, "defcontext=") || begins(option, "rootcontext=");
}

enum which { GENERIC, SPECIFIC };

/* The super block's options but the first (rw or ro), each with a comma before it. */
static void put_super(struct out *out, struct field options, enum which which)
{
	(void)take(&options, ',');
	while (options.size) {
		struct field option = take(&options, ',');

		if (is_generic(option) != (which == GENERIC))
			continue;
		put_string(out, ",");
		put(out, option);
	}
}

/* The first option, rw or ro. */
static struct field first(struct field options)
{
	return take(&options, ',');
}

/* "trans=fd" is no option of ext4. */
static bool has_own_options(const struct mount_row *row, const struct mount_view *view)
{
	return !mount_row_told(row, view) || is(row->type, MOUNT_TOLD_TYPE);
}

static void tell_mountinfo(struct out *out, const struct mount_row *row, const struct mount_view *view)
{
	put(out, row->ids);
	put_string(out, " ");
	put_device(out, row, view, ':');
	put_string(out, " ");
	put(out, row->root);
	put_string(out, " ");
	put(out, row->point);
	put_string(out, " ");
	put(out, row->options);
	put_string(out, " - ");
	put_type(out, row, view);
	put_string(out, " ");
	put_source(out, row, view);
	put_string(out, " ");
	if (has_own_options(row, view)) {
		put(out, row->super);
	} else {
		put_string(out, is(first(row->super), "ro") ? "ro" : "rw");
		put_super(out, row->super, GENERIC);
	}
}

/* In the order of show_vfsmnt(). */
static void tell_mounts(struct out *out, const struct mount_row *row, const struct mount_view *view)
{
	struct field flags = row->flags;

	put_source(out, row, view);
	put_string(out, " ");
	put(out, row->point);
	put_string(out, " ");
	put_type(out, row, view);
	put_string(out, is(first(row->super), "ro") || is(first(row->flags), "ro") ? " ro" : " rw");
	put_super(out, row->super, GENERIC);
	(void)take(&flags, ',');
	if (flags.size) {
		put_string(out, ",");
		put(out, flags);
	}
	if (has_own_options(row, view))
		put_super(out, row->super, SPECIFIC);
	put_string(out, " 0 0");
}

u64 mounts_tell(struct field text, const struct mount_view *view, bool mounts, char *to)
{
	struct out out = { to, 0 };
	struct mount_row row;
	struct field line;
	bool valid;

	while (mount_row_next(&text, &line, &row, &valid)) {
		if (!valid) {
			if (mounts)
				continue;
			put(&out, line);
		} else if (mounts) {
			tell_mounts(&out, &row, view);
		} else if (mount_row_told(&row, view) || other_number(&row, view)) {
			tell_mountinfo(&out, &row, view);
		} else {
			put(&out, line);
		}
		put_string(&out, "\n");
	}
	return out.used;
}
