/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of mount(2) in src/agent/fs_mount_options.c: a byte for the file system, then the text. Refusals are errnos, texts end in their rooms, what is
 * told is taken again and then told in the same words; of lowerdir's names each is in the text, and there are no more than colons.
 */
#include "fuzz.h"

#include "agent/fs_mount.h"

#undef memset

static const char types[][8] = { "tmpfs", "ramfs", "proc", "sysfs", "devpts", "mqueue", "overlay", "other" };

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	abort(); /* a parser asks nobody */
}

void *fake_memset(void *to, int byte, size_t size)
{
	return memset(to, byte, size);
}

static void check(const struct mnt_super *super)
{
	MUST(memchr(super->source, 0, sizeof(super->source)) && memchr(super->more, 0, sizeof(super->more)));
	MUST(memchr(super->lower, 0, sizeof(super->lower)) && memchr(super->upper, 0, sizeof(super->upper)));
	MUST(memchr(super->work, 0, sizeof(super->work)) && memchr(super->shown, 0, sizeof(super->shown)));
	MUST(!(super->mode & ~07777u) && super->read_only == (super->flags & 1));
}

/* What a remount does. */
static void read_again(const struct mnt_super *super, const char *type)
{
	static struct mnt_super again;
	char text[MNT_SHOWN];

	MUST(mnt_super_init(&again, type) == 0);
	memcpy(text, super->shown + (super->shown[0] == ','), sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	MUST(mnt_super_parse(&again, text) == 0);
	mnt_super_show(&again);
	MUST(!strcmp(again.shown, super->shown));
}

static void take_lowers(char *names)
{
	u64 colons = 0, count = 0;
	const char *end = names + strlen(names);

	for (const char *at = names; *at; at++)
		colons += *at == ':';
	for (const char *name; (name = mnt_lower_next(&names)); count++)
		MUST(name + strlen(name) <= end);
	MUST(count >= 1 && count <= colons + 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct mnt_super super;
	struct input in = { data, size };
	const char *type = types[input_number(&in, 1) % ARRAY_SIZE(types)];
	char text[4097];
	long r = mnt_super_init(&super, type);

	MUST(r == 0 || r == -ENODEV);
	input_line(&in, text, sizeof(text));
	if (r < 0)
		return 0;
	r = mnt_super_parse(&super, text);
	MUST(r == 0 || r == -EINVAL);
	check(&super);
	if (r < 0)
		return 0;
	mnt_super_show(&super);
	check(&super);
	if (super.blocks < UINT64_C(1) << 50) /* the kernel counts those in KiB as well, and they wrap around */
		read_again(&super, type);
	take_lowers(super.lower);
	return 0;
}
