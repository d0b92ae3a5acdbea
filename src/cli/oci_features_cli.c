// SPDX-License-Identifier: Apache-2.0
/* lichen oci features: what of the specification there is, as its features.md has it. */
#include <string.h>

#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_seccomp.h"

static json_t *names_by(const char *(*name)(size_t index))
{
	json_t *list = json_array();

	for (size_t i = 0; name(i); i++)
		json_array_append_new(list, json_string(name(i)));
	return list;
}

static json_t *capabilities(void)
{
	json_t *list = json_array();
	char text[32];

	for (int i = 0; oci_capability_name(i); i++) {
		(void)snprintf(text, sizeof(text), "CAP_%s", oci_capability_name(i));
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *namespaces(void)
{
	json_t *list = json_array();

	for (int i = 0; i < OCI_NAMESPACES; i++)
		json_array_append_new(list, json_string(oci_namespace_names[i].spec));
	return list;
}

static json_t *hooks(void)
{
	json_t *list = json_array();

	for (int i = 0; i < OCI_HOOK_TIMES; i++)
		json_array_append_new(list, json_string(oci_hook_names[i]));
	return list;
}

static json_t *seccomp(void)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "enabled", 1, "actions", names_by(oci_seccomp_action_name), "operators",
			 names_by(oci_seccomp_operator_name), "archs", names_by(oci_seccomp_arch_name), "supportedFlags",
			 names_by(oci_seccomp_flag_name));
}

static int run_features(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	int first, status = command_parse(&verb->command, argc, argv, NULL, &first);

	if (status >= 0)
		return status;
	return oci_print(global,
			 json_pack("{s:s, s:s, s:o, s:o, s:{s:o, s:o, s:{s:b, s:b, s:b, s:b}, s:o, s:{s:b}, s:{s:b}}}",
				   "ociVersionMin", "1.0.0", "ociVersionMax", OCI_VERSION, "hooks", hooks(), "mountOptions",
				   names_by(oci_mount_option_name), "linux", "namespaces", namespaces(), "capabilities",
				   capabilities(), "cgroup", "v1", 1, "v2", 1, "systemd", 0, "systemdUser", 0, "seccomp", seccomp(),
				   "apparmor", "enabled", 1, "selinux", "enabled", 1),
			 4);
}

const struct oci_verb oci_verb_features = { { .name = "oci features",
					      .synopsis = "",
					      .summary = "Prints what of the specification there is",
					      .usage_status = LICHEN_EXIT_USAGE },
					    run_features };
