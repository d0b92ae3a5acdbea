// SPDX-License-Identifier: Apache-2.0
/* Reads what is to be mounted: docker's -v, --mount and --tmpfs (docs.docker.com/reference/cli/docker/container/run). */
#include "host/mount_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/volumes.h"

#define WHY_SIZE 512

static int PRINTF_LIKE(2, 3) fail(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

const char *mount_kind_name(enum mount_kind kind)
{
	return kind == MOUNT_BIND ? "bind" : kind == MOUNT_VOLUME ? "volume" : "tmpfs";
}

bool mount_size(const char *text, u64 *ret)
{
	static const char units[] = "bkmgt";
	unsigned long long value;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : units;
	if (errno || !unit || value > (UINT64_C(1) << 62) >> (10 * (unit - units)))
		return false;
	if (*end && tolower((unsigned char)end[1]) == 'b' && unit != units)
		end++;
	if (*end && end[1])
		return false;
	*ret = (u64)value << (10 * (unit - units));
	return true;
}

/* The canonical form of an absolute path, without a look at the tree; allocated. NULL: it is none, or "/". */
static char *clean(const char *path)
{
	char *out = *path == '/' ? malloc(strlen(path) + 1) : NULL, *to = out;

	for (const char *at = path; out && *(at += strspn(at, "/"));) {
		size_t n = strcspn(at, "/");

		if (n == 2 && at[0] == '.' && at[1] == '.') {
			while (to > out && *--to != '/')
				;
		} else if (n != 1 || at[0] != '.') {
			*to++ = '/';
			memcpy(to, at, n);
			to += n;
		}
		at += n;
	}
	if (out && to == out) {
		free(out);
		return NULL;
	}
	if (out)
		*to = 0;
	return out;
}

/* Adds a mount, whose target is as it was typed. */
static int add(struct mount_specs *specs, const struct mount_spec *spec, char *why)
{
	char *target;

	if (specs->count == ROOT_BINDS_MAX)
		return fail(why, "at most %u things can be mounted", ROOT_BINDS_MAX);
	if (!spec->target || spec->target[0] != '/')
		return fail(why, "where '%.100s' is mounted must be an absolute path, not '%.100s'",
			    spec->source ? spec->source : mount_kind_name(spec->kind), spec->target ? spec->target : "");
	target = clean(spec->target);
	if (!target)
		return fail(why, "nothing can be mounted on '/'; --rootfs gives another root");
	for (u32 i = 0; i < specs->count; i++)
		if (!strcmp(specs->mounts[i].target, target)) {
			free(target);
			return fail(why, "two mounts on '%.100s'", spec->target);
		}
	specs->mounts[specs->count] = *spec;
	specs->mounts[specs->count++].target = target;
	return 0;
}

int mount_spec_image(struct mount_specs *specs, const char *path, char *why)
{
	const struct mount_spec spec = { .kind = MOUNT_VOLUME, .target = path };
	CLEANUP_FREE char *target = clean(path);

	for (u32 i = 0; target && i < specs->count; i++)
		if (!strcmp(specs->mounts[i].target, target))
			return 0;
	return add(specs, &spec, why);
}

void mount_specs_done(struct mount_specs *specs)
{
	while (specs->count) {
		const struct mount_spec *spec = &specs->mounts[--specs->count];

		free((void *)(uintptr_t)spec->source);
		free((void *)(uintptr_t)spec->target);
	}
}

/* Each word of a list; the text is changed. 0, or what `each` says first. */
static int each_word(char *list, int (*each)(struct mount_spec *spec, char *word, char *why), struct mount_spec *spec, char *why)
{
	int r = 0;

	while (list && r == 0) {
		char *word = strsep(&list, ",");

		r = each(spec, word, why);
	}
	return r;
}

static int is_one_of(const char *word, const char *list)
{
	size_t n = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == n && !strncmp(at, word, n))
			return true;
	return false;
}

/* --- -v --------------------------------------------------------------------------------------------------------------------------------- */

static int volume_word(struct mount_spec *spec, char *word, char *why)
{
	if (!strcmp(word, "ro"))
		spec->read_only = true;
	else if (!strcmp(word, "nocopy"))
		spec->no_copy = true;
	else if (!is_one_of(
			 word,
			 "rw z Z rprivate private consistent cached delegated")) /* SELinux labels, and what is the case anyway */
		return fail(why, "option '--volume' knows ro, rw and nocopy, not '%.100s'", word);
	return 0;
}

int mount_spec_volume(struct mount_specs *specs, const char *text, char *why)
{
	struct mount_spec spec = { .kind = MOUNT_BIND, .make_source = true };
	CLEANUP_FREE char *words = NULL;
	char *source = strdup(text), *target, *options;
	int r;

	if (!source)
		return -ENOMEM;
	target = strchr(source, ':');
	options = target ? strchr(target + 1, ':') : NULL;
	if (target)
		*target++ = 0;
	if (options)
		*options++ = 0;
	if (!target) {
		target = source;
		source = NULL;
	}
	spec.target = target;
	if (!*target || (source && !*source) || (options && !*options) || (source && *target != '/')) {
		r = fail(why, "option '--volume' needs [SOURCE:]/TARGET[:ro|rw], not '%.100s'", text);
		free(source ? source : target);
		return r; // cppcheck-suppress memleak ; it is one of the two
	}
	spec.source = source;
	if (!source || (*source != '/' && *source != '.')) {
		spec.kind = MOUNT_VOLUME;
		spec.make_source = false;
	}
	if (source && spec.kind == MOUNT_VOLUME && !volumes_name_valid(source)) {
		r = fail(
			why,
			"'%.100s' is no name of a volume (letters, digits and _.-, a letter or digit first) and no path (/… or ./…)",
			source);
		free(source);
		return r;
	}
	words = options ? strdup(options) : NULL;
	r = options && !words ? -ENOMEM : each_word(words, volume_word, &spec, why);
	if (r == 0)
		r = add(specs, &spec, why);
	if (r < 0 || !source) /* add() has a copy of the target */
		free(source ? source : target);
	return r;
}

/* --- --mount ---------------------------------------------------------------------------------------------------------------------------- */

static int truth(const char *value, bool *ret, char *why)
{
	if (!value || is_one_of(value, "true 1 True TRUE t T"))
		*ret = true;
	else if (is_one_of(value, "false 0 False FALSE f F"))
		*ret = false;
	else
		return fail(why, "option '--mount' needs true or false, not '%.100s'", value);
	return 0;
}

static int mode_of(const char *value, u32 *ret, char *why)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (!isdigit((unsigned char)*value) || *end || mode > 07777)
		return fail(why, "'%.100s' is no mode: an octal number up to 7777", value);
	*ret = (u32)mode;
	return 0;
}

static int mount_type(struct mount_spec *spec, const char *value, char *why)
{
	if (!strcmp(value, "bind"))
		spec->kind = MOUNT_BIND;
	else if (!strcmp(value, "volume"))
		spec->kind = MOUNT_VOLUME;
	else if (!strcmp(value, "tmpfs"))
		spec->kind = MOUNT_TMPFS;
	else
		return fail(why, "option '--mount' knows the types bind, volume and tmpfs, not '%.100s'", value);
	return 0;
}

static int mount_word(struct mount_spec *spec, char *word, char *why)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = 0;
	if (is_one_of(word, "readonly ro"))
		return truth(value, &spec->read_only, why);
	if (!strcmp(word, "volume-nocopy"))
		return truth(value, &spec->no_copy, why);
	if (!value || !*value)
		return fail(why, "option '--mount' needs KEY=VALUE,… and may have readonly; '%.100s' has no value", word);
	if (!strcmp(word, "type"))
		return mount_type(spec, value, why);
	if (is_one_of(word, "source src")) {
		free((void *)(uintptr_t)spec->source);
		spec->source = strdup(value);
		return spec->source ? 0 : -ENOMEM;
	}
	if (is_one_of(word, "target destination dst")) {
		free((void *)(uintptr_t)spec->target);
		spec->target = strdup(value);
		return spec->target ? 0 : -ENOMEM;
	}
	if (!strcmp(word, "tmpfs-size"))
		return mount_size(value, &spec->size) ? 0 : fail(why, "'%.100s' is no size: a number, and k, m or g", value);
	if (!strcmp(word, "tmpfs-mode"))
		return mode_of(value, &spec->mode, why);
	if ((!strcmp(word, "bind-propagation") && is_one_of(value, "rprivate private")) || !strcmp(word, "consistency") ||
	    (!strcmp(word, "volume-driver") && !strcmp(value, "local")))
		return 0;
	return fail(
		why,
		"option '--mount' does not know '%.100s=%.100s'; it knows type, src, dst, readonly, tmpfs-size, tmpfs-mode, volume-nocopy",
		word, value);
}

/* What does not go together. */
static int mount_check(const struct mount_spec *spec, const char *text, char *why)
{
	if (!spec->target)
		return fail(why, "option '--mount' needs dst=/PATH, in '%.100s'", text);
	if (spec->kind == MOUNT_BIND && !spec->source)
		return fail(why, "option '--mount' needs src=PATH with type=bind, in '%.100s'", text);
	if (spec->kind == MOUNT_BIND && *spec->source != '/' && *spec->source != '.')
		return fail(why, "option '--mount' needs src=/PATH with type=bind, not '%.100s'", spec->source);
	if (spec->kind == MOUNT_TMPFS && spec->source)
		return fail(why, "option '--mount': type=tmpfs has no src, in '%.100s'", text);
	if (spec->kind == MOUNT_VOLUME && spec->source && !volumes_name_valid(spec->source))
		return fail(why, "'%.100s' is no name of a volume: letters, digits and _.-, a letter or digit first", spec->source);
	if (spec->kind != MOUNT_TMPFS && (spec->size || spec->mode != 01777))
		return fail(why, "option '--mount': tmpfs-size and tmpfs-mode need type=tmpfs, in '%.100s'", text);
	if (spec->kind != MOUNT_VOLUME && spec->no_copy)
		return fail(why, "option '--mount': volume-nocopy needs type=volume, in '%.100s'", text);
	return 0;
}

int mount_spec_mount(struct mount_specs *specs, const char *text, char *why)
{
	struct mount_spec spec = { .kind = MOUNT_VOLUME, .mode = 01777 };
	CLEANUP_FREE char *words = strdup(text);
	int r = words ? each_word(words, mount_word, &spec, why) : -ENOMEM;

	if (r == 0)
		r = mount_check(&spec, text, why);
	if (r == 0)
		r = add(specs, &spec, why);
	free((void *)(uintptr_t)spec.target); /* add() has a copy */
	if (r < 0)
		free((void *)(uintptr_t)spec.source);
	return r;
}

/* --- --tmpfs ---------------------------------------------------------------------------------------------------------------------------- */

static int tmpfs_word(struct mount_spec *spec, char *word, char *why)
{
	if (!strncmp(word, "size=", 5))
		return mount_size(word + 5, &spec->size) ? 0 : fail(why, "'%.100s' is no size: a number, and k, m or g", word + 5);
	if (!strncmp(word, "mode=", 5))
		return mode_of(word + 5, &spec->mode, why);
	if (!strcmp(word, "ro"))
		spec->read_only = true;
	else if (is_one_of(word, "exec noexec"))
		spec->exec = *word == 'e';
	else if (is_one_of(word, "suid nosuid"))
		spec->suid = *word == 's';
	else if (is_one_of(word, "dev nodev"))
		spec->dev = *word == 'd';
	else if (!is_one_of(word, "rw relatime noatime"))
		return fail(why, "option '--tmpfs' knows size=, mode=, ro, rw, exec, suid, dev and their opposites, not '%.100s'",
			    word);
	return 0;
}

int mount_spec_tmpfs(struct mount_specs *specs, const char *text, char *why)
{
	struct mount_spec spec = { .kind = MOUNT_TMPFS, .mode = 01777 };
	CLEANUP_FREE char *target = strdup(text);
	char *options = target ? strchr(target, ':') : NULL;
	int r = target ? 0 : -ENOMEM;

	if (options)
		*options++ = 0;
	if (r == 0 && *target != '/')
		// cppcheck-suppress memleak ; CLEANUP_FREE
		return fail(why, "option '--tmpfs' needs /TARGET[:size=BYTES,mode=MODE], not '%.100s'", text);
	spec.target = target;
	if (options)
		r = each_word(options, tmpfs_word, &spec, why);
	return r < 0 ? r : add(specs, &spec, why);
}
