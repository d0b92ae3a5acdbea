/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --mount, --tmpfs (by the first byte): what is accepted has a canonical target; what is refused is said why. */
#include "fuzz.h"
#include "host/mount_spec.h"
#include "host/volumes.h"

static void check(const struct mount_spec *spec)
{
	const char *target = spec->target;

	MUST(target[0] == '/' && target[1] && target[strlen(target) - 1] != '/');
	MUST(!strstr(target, "//") && !strstr(target, "/./") && !strstr(target, "/../"));
	MUST(strcmp(target, "/..") != 0 && strcmp(target, "/.") != 0);
	MUST(spec->kind != MOUNT_BIND || spec->source[0] == '/' || spec->source[0] == '.');
	MUST(spec->kind != MOUNT_VOLUME || !spec->source || volumes_name_valid(spec->source));
	MUST(spec->kind != MOUNT_TMPFS || (!spec->source && spec->mode <= 07777));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mount_specs specs = { 0 };
	char why[512] = "", *text;
	int r;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	r = data[0] == 'v' ? mount_spec_volume(&specs, text, why)
	  : data[0] == 'm' ? mount_spec_mount(&specs, text, why)
			   : mount_spec_tmpfs(&specs, text, why);
	if (r == 0) {
		MUST(specs.count == 1);
		check(&specs.mounts[0]);
	} else {
		MUST(r < 0 && why[0] && !specs.count);
	}
	mount_specs_done(&specs);
	free(text);
	return 0;
}
