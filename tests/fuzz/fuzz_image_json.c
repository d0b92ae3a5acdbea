/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, indexes and configurations: what is accepted is within its limits, and what is written of it is accepted again. */
#include <errno.h>

#include "fuzz.h"
#include "image/image_config.h"
#include "image/manifest.h"

static struct image_error why;

static void one_manifest(const char *json, size_t size)
{
	struct image_manifest manifest, again;
	int result = manifest_parse(json, size, &manifest, &why);

	MUST(result == 0 || result == -EBADMSG || result == -ENOMEM);
	if (result)
		return;
	MUST(manifest.layer_count >= 1 && manifest.layer_count <= MANIFEST_LAYERS_MAX);
	char *text = manifest_write(&manifest);

	MUST(text && manifest_parse(text, strlen(text), &again, &why) == 0);
	MUST(again.layer_count == manifest.layer_count && digest_equal(&again.config, &manifest.config));
	free(text);
	manifest_done(&again);
	manifest_done(&manifest);
}

static void one_index(const char *json, size_t size)
{
	struct image_index index;
	int result = index_parse(json, size, &index, &why);

	MUST(result == 0 || result == -EBADMSG || result == -ENOMEM);
	if (result)
		return;
	const struct image_index_row *row = index_choose(&index);

	MUST(!row || (row >= index.rows && row < index.rows + index.count));
	index_done(&index);
}

static void one_config(const char *json, size_t size)
{
	struct image_config config, again;
	int result = image_config_parse(json, size, &config, &why);

	MUST(result == 0 || result == -EBADMSG || result == -ENOMEM);
	if (result)
		return;
	MUST(config.layer_count >= 1 && config.env && config.cmd && config.entrypoint && config.volumes);
	MUST(!config.working_dir[0] || config.working_dir[0] == '/');
	char *text = image_config_write(&config);

	MUST(text && image_config_parse(text, strlen(text), &again, &why) == 0);
	MUST(again.layer_count == config.layer_count && again.label_count == config.label_count);
	free(text);
	image_config_done(&again);
	image_config_done(&config);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *json = malloc(size ? size : 1); /* exactly: AddressSanitizer sees a read beyond */

	MUST(json);
	if (size)
		memcpy(json, data, size);
	why.text[0] = '\0';
	one_manifest(json, size);
	one_index(json, size);
	one_config(json, size);
	MUST(memchr(why.text, 0, sizeof(why.text)));
	free(json);
	return 0;
}
