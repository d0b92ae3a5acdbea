/* SPDX-License-Identifier: Apache-2.0 */
/* config.json and process.json: what is accepted is complete and within its limits, what is refused is refused with words. */
#include <errno.h>

#include "fuzz.h"
#include "oci/oci_seccomp.h"
#include "oci/oci_spec.h"

static struct oci_error why;

static void one_spec(const char *json, size_t size)
{
	struct oci_spec spec;
	struct oci_seccomp seccomp;
	int result = oci_spec_parse(json, size, &spec, &why);

	MUST(result <= 0);
	MUST(result == 0 || why.text[0]);
	if (result)
		return;
	MUST(spec.root_path && spec.root_path[0] && spec.namespaces[OCI_NS_MOUNT].asked);
	MUST(!spec.has_process || (spec.process.args[0] && spec.process.env && spec.process.cwd[0] == '/'));
	for (u32 i = 0; i < spec.mount_count; i++)
		MUST(spec.mounts[i].destination[0] && spec.mounts[i].type && spec.mounts[i].source);
	for (u32 i = 0; i < spec.device_count; i++)
		MUST(spec.devices[i].path[0] == '/' && spec.devices[i].type);
	if (oci_seccomp_compile(spec.seccomp, &seccomp, &why) == 0)
		MUST(!spec.seccomp == !seccomp.length);
	free(seccomp.program);
	oci_spec_done(&spec);
}

static void one_process(const char *json, size_t size)
{
	struct oci_process process;
	json_t *root;

	if (oci_process_parse(json, size, &root, &process, &why) < 0)
		return;
	MUST(process.args[0] && process.cwd[0] == '/' && process.env);
	oci_process_done(&process);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *json = malloc(size ? size : 1); /* exactly: AddressSanitizer sees a read beyond */

	MUST(json);
	if (size)
		memcpy(json, data, size);
	why.text[0] = '\0';
	one_spec(json, size);
	one_process(json, size);
	MUST(memchr(why.text, 0, sizeof(why.text)));
	free(json);
	return 0;
}
