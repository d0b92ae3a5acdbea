// SPDX-License-Identifier: Apache-2.0
/* Kernel configurations: every line that Kconfig writes, damage of every kind, dependencies, and what comes of a workload. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "host/kernel_config.h"
#include "host/workload.h"
#include "unit.h"

#define WHOLE "# Automatically generated file; DO NOT EDIT.\n"

static struct kernel_config parse(const char *text)
{
	struct kernel_config config;
	unsigned line = 0;
	assert_int_equal(kernel_config_parse(strdup(text), strlen(text), &config, &line), 0);
	return config;
}

static enum config_value value(const char *text, const char *options)
{
	struct kernel_config config = parse(text);
	enum config_value is = kernel_config_value(&config, options);
	kernel_config_done(&config);
	return is;
}

static void lines_are_read_as_kconfig_writes_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *option;
		enum config_value want;
	} table[] = {
		{ "CONFIG_A=y\n", "A", CONFIG_ON },
		{ "CONFIG_A=m", "A", CONFIG_MODULE },
		{ "CONFIG_A=n\n", "A", CONFIG_OFF },
		{ "# CONFIG_A is not set\n", "A", CONFIG_OFF },
		{ "CONFIG_A=y\r\n", "A", CONFIG_ON },
		{ "CONFIG_A=y\nCONFIG_AB=y\n", "AB", CONFIG_ON },
		{ "CONFIG_AB=y\n", "A", CONFIG_OFF },
		{ "CONFIG_A=y\n", "AB", CONFIG_OFF },
		{ "CONFIG_A=y\n# CONFIG_A is not set\n", "A", CONFIG_OFF }, /* the last counts */
		{ "# CONFIG_A is not set\nCONFIG_A=y\n", "A", CONFIG_ON },
		{ "# CONFIG_A is not set here\nCONFIG_A=y\n", "A", CONFIG_ON },
		{ "CONFIG_A=\"text with = and # \"\n", "A", CONFIG_ON },
		{ "CONFIG_A=0x10\n\n\n#\n# Section\n", "A", CONFIG_ON },
		{ "CONFIG_A=y\nCONFIG_B=m\n", "A & B", CONFIG_MODULE },
		{ "CONFIG_A=y\nCONFIG_B=m\n", "A & C", CONFIG_OFF },
		{ "CONFIG_A=y\nCONFIG_B=m\n", "C | B", CONFIG_MODULE },
		{ "CONFIG_A=y\nCONFIG_B=m\n", "C & B | B & A | C", CONFIG_MODULE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(value(table[i].text, table[i].option), table[i].want);
}

static void what_is_no_configuration_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t size;
		int error;
		unsigned line;
	} table[] = {
		{ "", 0, -ENOMSG, 0 },
		{ "\n\n# nothing\n", 12, -ENOMSG, 0 },
		{ "CONFIG_A=y\nfoo\n", 15, -EINVAL, 2 },
		{ "CONFIG_\n", 8, -EINVAL, 1 },
		{ "CONFIG_=y\n", 10, -EINVAL, 1 },
		{ "CONFIG_A y\n", 11, -EINVAL, 1 },
		{ " CONFIG_A=y\n", 12, -EINVAL, 1 },
		{ "\177ELF\0\1", 6, -EILSEQ, 0 },
		{ "CONFIG_A=y\n\0", 12, -EILSEQ, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct kernel_config config;
		unsigned line = 0;
		char *text = malloc(table[i].size + 1);
		memcpy(text, table[i].text, table[i].size);
		assert_int_equal(kernel_config_parse(text, table[i].size, &config, &line), table[i].error);
		assert_int_equal(line, table[i].line);
	}
}

static void dependencies_limit_what_is_set(void **state)
{
	(void)state;
	/* A defconfig that forgets NETDEVICES gives no VETH. */
	assert_int_equal(value("CONFIG_NET=y\nCONFIG_VETH=y\n", "VETH"), CONFIG_OFF);
	assert_int_equal(value("CONFIG_NET=y\nCONFIG_NETDEVICES=y\nCONFIG_VETH=y\n", "VETH"), CONFIG_ON);
	assert_int_equal(value("CONFIG_NET=y\nCONFIG_NETDEVICES=y\n# CONFIG_NET_CORE is not set\nCONFIG_VETH=y\n", "VETH"),
			 CONFIG_OFF);
	/* IPC namespaces come with System V IPC or with message queues. */
	assert_int_equal(value("CONFIG_A=y\n", "IPC_NS"), CONFIG_OFF);
	assert_int_equal(value("CONFIG_SYSVIPC=y\n", "IPC_NS"), CONFIG_ON);
	assert_int_equal(value("CONFIG_NET=y\nCONFIG_POSIX_MQUEUE=y\n", "IPC_NS"), CONFIG_ON);
	/* Filters need the network's BPF. */
	assert_int_equal(value("CONFIG_A=y\n", "SECCOMP & SECCOMP_FILTER"), CONFIG_OFF);
	assert_int_equal(value("CONFIG_NET=y\n", "SECCOMP & SECCOMP_FILTER"), CONFIG_ON);
	/* Of a module's dependants none is built in. */
	assert_int_equal(value(WHOLE
			       "CONFIG_NET=y\nCONFIG_INET=y\nCONFIG_NETFILTER=y\nCONFIG_NETFILTER_ADVANCED=y\nCONFIG_BRIDGE=m\n"
			       "CONFIG_BRIDGE_NETFILTER=y\n",
			       "BRIDGE_NETFILTER"),
			 CONFIG_MODULE);
	/* What another option selects is on, whatever it depends on. */
	assert_int_equal(value("CONFIG_DRM_I915=y\n", "TMPFS & MEMFD_CREATE"), CONFIG_ON);
	assert_int_equal(value(WHOLE "CONFIG_DRM_I915=y\n", "TMPFS"), CONFIG_OFF);
	/* What a whole configuration does not name is off; elsewhere it is at its default. */
	assert_int_equal(value("CONFIG_A=y\n", "PROC_FS"), CONFIG_ON);
	assert_int_equal(value(WHOLE "CONFIG_A=y\n", "PROC_FS"), CONFIG_OFF);
}

static const struct config_row *find_row(const struct config_advice *advice, const char *options)
{
	for (size_t i = 0; i < advice->count; i++)
		if (strcmp(advice->rows[i].need->options, options) == 0)
			return &advice->rows[i];
	return NULL;
}

static void advice_names_what_to_add(void **state)
{
	(void)state;
	static struct config_advice advice;
	struct kernel_config config = parse("CONFIG_NET=y\nCONFIG_VETH=y\n");
	kernel_config_advise(&config, "docker", 0, 0, &advice);
	const struct config_row *row = find_row(&advice, "VETH");
	assert_non_null(row);
	assert_string_equal(row->missing, "NETDEVICES");
	assert_string_equal(row->dropped, "VETH");
	row = find_row(&advice, "BRIDGE_NETFILTER");
	assert_non_null(row);
	assert_string_equal(row->missing, "BRIDGE NETFILTER INET BRIDGE_NETFILTER");
	row = find_row(&advice, "NF_TABLES & NF_TABLES_IPV4 & NFT_COMPAT | IP_NF_IPTABLES & IP_NF_FILTER");
	assert_non_null(row);
	assert_string_equal(row->missing,
			    "NETFILTER INET NF_TABLES NF_TABLES_IPV4 NETFILTER_XTABLES NFT_COMPAT"); /* the first way */
	kernel_config_done(&config);
	config = parse("CONFIG_NET=y\nCONFIG_INET=y\nCONFIG_NETFILTER=y\nCONFIG_IP_NF_IPTABLES=y\n");
	kernel_config_advise(&config, "docker", 0, 0, &advice);
	row = find_row(&advice, "NF_TABLES & NF_TABLES_IPV4 & NFT_COMPAT | IP_NF_IPTABLES & IP_NF_FILTER");
	assert_string_equal(row->missing, "IP_NF_FILTER"); /* the way that is begun */
	kernel_config_done(&config);
}

/* Adding what is missing, as often as there is something, ends with nothing missing: dependencies have no circles. */
static void following_the_advice_suffices(void **state)
{
	(void)state;
	static struct config_advice advice;
	for (const char *const *workload = workload_names; *workload; workload++)
		for (int whole = 0; whole < 2; whole++) {
			char text[1 << 16];
			snprintf(text, sizeof(text), "%sCONFIG_X86=y\n", whole ? WHOLE : "");
			for (int round = 0;; round++) {
				struct kernel_config config = parse(text);
				kernel_config_advise(&config, *workload, 0, 0, &advice);
				kernel_config_done(&config);
				if (!advice.unmet)
					break;
				assert_in_range(round, 0, 3);
				for (size_t i = 0; i < advice.count; i++) {
					if (advice.rows[i].value != CONFIG_OFF)
						continue;
					char *rest = advice.rows[i].missing, *word;
					assert_true(*rest);
					while ((word = strsep(&rest, " ")))
						snprintf(text + strlen(text), sizeof(text) - strlen(text), "CONFIG_%s=y\n", word);
				}
			}
		}
}

static void rows_are_sorted_by_what_hurts(void **state)
{
	(void)state;
	static struct config_advice advice;
	struct kernel_config config = parse("CONFIG_NET=y\nCONFIG_UNIX=y\nCONFIG_INET=m\n");
	u32 built = GAP_BIT(GAP_sysvipc);
	kernel_config_advise(&config, "postgres", 0, 0, &advice);
	assert_int_equal(advice.unmet, 1);
	assert_string_equal(advice.rows[0].need->options, "SYSVIPC");
	assert_false(advice.rows[0].filled);
	kernel_config_advise(&config, "postgres", 0, built, &advice);
	assert_int_equal(advice.unmet, 0);
	assert_true(advice.rows[0].filled);
	assert_non_null(find_row(&advice, "SECCOMP & SECCOMP_FILTER")); /* what lichen needs to fill it */
	for (size_t i = 1; i < advice.count; i++)
		assert_true(advice.rows[i - 1].value <= advice.rows[i].value);
	kernel_config_done(&config);
	/* Where lichen cannot work it fills nothing. */
	config = parse("CONFIG_NET=y\nCONFIG_UNIX=y\nCONFIG_INET=y\n# CONFIG_SECCOMP is not set\n");
	kernel_config_advise(&config, "postgres", 0, built, &advice);
	assert_int_equal(advice.unmet, 1);
	assert_string_equal(advice.rows[0].need->options, "SECCOMP & SECCOMP_FILTER");
	/* By gaps, as for a program. */
	kernel_config_advise(&config, NULL, GAP_BIT(GAP_vnet), 0, &advice);
	for (size_t i = 0; i < advice.count; i++)
		assert_int_equal(advice.rows[i].need->gap, GAP_vnet);
	kernel_config_done(&config);
}

static void rows_name_known_workloads_and_sources(void **state)
{
	(void)state;
	static struct config_advice advice;
	struct kernel_config config = parse("CONFIG_A=y\n");
	kernel_config_advise(&config, NULL, GAPS_ALL, 0, &advice);
	assert_true(advice.count > 40);
	for (size_t i = 0; i < advice.count; i++) {
		char words[128], *rest = words, *word;
		const struct config_need *need = advice.rows[i].need;
		u32 gaps;
		snprintf(words, sizeof(words), "%s", need->workloads);
		while ((word = strsep(&rest, " ")))
			assert_true(strcmp(word, "lichen") == 0 || workload_by_name(word, &gaps) == 0);
		assert_true(need->gap >= -1 && need->gap < GAP_COUNT);
		assert_true(need->why[0] && need->source[0]);
	}
	kernel_config_done(&config);
}

/* gzip's output for a text. */
static size_t squeeze(const char *text, size_t size, u8 *to, size_t room)
{
	z_stream stream = {
		.next_in = (u8 *)(uintptr_t)text, .avail_in = (unsigned)size, .next_out = to, .avail_out = (unsigned)room
	};
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return room - stream.avail_out;
}

static void compressed_files_are_expanded_or_refused(void **state)
{
	(void)state;
	static const char text[] = WHOLE "CONFIG_SYSVIPC=y\n";
	static u8 packed[1 << 20];
	char *out;
	size_t size, length = squeeze(text, sizeof(text) - 1, packed, sizeof(packed));
	assert_int_equal(kernel_config_expand(packed, length, &out, &size), 0);
	assert_int_equal(size, sizeof(text) - 1);
	assert_memory_equal(out, text, size);
	free(out);
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(kernel_config_expand(packed, cut, &out, &size), -EBADMSG);
	packed[length / 2] ^= 0x55;
	assert_int_equal(kernel_config_expand(packed, length, &out, &size), -EBADMSG);
	/* 100 MiB in 100 KiB */
	char *big = calloc(1, 100u << 20);
	assert_non_null(big);
	length = squeeze(big, 100u << 20, packed, sizeof(packed));
	assert_int_equal(kernel_config_expand(packed, length, &out, &size), -EFBIG);
	free(big);
}

static void files_that_cannot_be_read_are_told(void **state)
{
	(void)state;
	struct kernel_config config;
	unsigned line = 0;
	assert_int_equal(kernel_config_read("/nonexistent", &config, &line), -ENOENT);
	assert_int_equal(kernel_config_read("/", &config, &line), -EISDIR);
	assert_int_equal(kernel_config_read("/dev/null", &config, &line), -ENOMSG);
	assert_int_equal(kernel_config_read("/dev/zero", &config, &line), -EFBIG);
	assert_int_equal(kernel_config_read("/proc/self/exe", &config, &line), -EILSEQ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_as_kconfig_writes_them), cmocka_unit_test(what_is_no_configuration_is_refused),
		cmocka_unit_test(dependencies_limit_what_is_set),        cmocka_unit_test(advice_names_what_to_add),
		cmocka_unit_test(following_the_advice_suffices),         cmocka_unit_test(rows_are_sorted_by_what_hurts),
		cmocka_unit_test(rows_name_known_workloads_and_sources), cmocka_unit_test(compressed_files_are_expanded_or_refused),
		cmocka_unit_test(files_that_cannot_be_read_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
