/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of mountinfo in mount_rows.c: input is whether the root is forced, the number that stat(2) tells, and the file. What is told fits its
 * room, keeps every line, names the same mount points, and is told of itself without change.
 */
#include "fuzz.h"
#include "gaps/fstype/mount_rows.h"

static void check_row(const struct mount_row *before, const struct mount_row *after)
{
	MUST(before->ids.size == after->ids.size && !memcmp(before->ids.at, after->ids.at, before->ids.size));
	MUST(before->point.size == after->point.size && !memcmp(before->point.at, after->point.at, before->point.size));
	MUST(before->root.size == after->root.size);
}

static void check_rows(struct field before, struct field after)
{
	struct mount_row one, two;
	struct field line;
	bool valid, valid_after;

	while (mount_row_next(&before, &line, &one, &valid)) {
		MUST(mount_row_next(&after, &line, &two, &valid_after));
		MUST(valid == valid_after);
		if (valid)
			check_row(&one, &two);
	}
	MUST(!after.size);
}

static void check_paths(struct field text, const struct mount_view *view)
{
	char path[64];
	struct mount_row row;
	struct field line;
	bool valid;

	while (mount_row_next(&text, &line, &row, &valid)) {
		if (!valid)
			continue;
		u64 n = mount_field_path(row.point, path, sizeof(path));
		MUST(n < sizeof(path) && (!n || !path[n]));
		MUST(mount_row_told(&row, view) || row.type.size);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct mount_view view = { .forced = input_number(&in, 1) & 1 }, again;
	u32 major = (u32)input_number(&in, 1), minor = (u32)input_number(&in, 2);
	char *copy = malloc(in.left + 1), *to = malloc(MOUNTS_ROOM(in.left)), *twice;
	struct field text = { copy, in.left }, told;
	struct mount_row row;

	memcpy(copy, in.at, in.left);
	mounts_look(text, &view);
	if (major) {
		view.told_major = major;
		view.told_minor = minor;
	}
	told = (struct field){ to, mounts_tell(text, &view, false, to) };
	MUST(told.size <= MOUNTS_ROOM(in.left));
	check_rows(text, told);
	check_paths(text, &view);
	again = (struct mount_view){ 0 };
	mounts_look(told, &again);
	MUST(again.has_root == view.has_root && !again.root_foreign);
	MUST(!mounts_differ(told, &again, false));
	twice = malloc(MOUNTS_ROOM(told.size));
	MUST(mounts_tell(told, &again, false, twice) == told.size && !memcmp(to, twice, told.size));
	if (mounts_by_device(text, &view, view.told_major, view.told_minor, NULL, &row))
		MUST(row.point.at >= copy && row.point.at < copy + in.left);
	MUST(mounts_tell(text, &view, true, to) <= MOUNTS_ROOM(in.left));
	free(twice);
	free(to);
	free(copy);
	return 0;
}
