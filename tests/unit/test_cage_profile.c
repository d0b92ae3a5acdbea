// SPDX-License-Identifier: Apache-2.0
/* Seccomp profiles of cages: Docker's own says of system calls what it means for a process without capabilities; what is wrong is refused. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/cbpf.h"
#include "base/cleanup.h"
#include "cage/cage_profile.h"
#include "unit.h"

static const char *docker; /* the file of its profile */

static struct oci_seccomp compile(const char *json, size_t size)
{
	struct oci_seccomp seccomp;
	struct oci_error error;
	u16 work[CBPF_INSNS_MAX];
	if (cage_profile_read(json, size, &seccomp, &error))
		fail_msg("%s", error.text);
	assert_true(cbpf_check((const struct cbpf_insn *)seccomp.program, seccomp.length, work));
	return seccomp;
}

static u32 answer(const struct oci_seccomp *seccomp, long number, u64 argument)
{
	const struct cbpf_data data = { .nr = (s32)number, .arch = AUDIT_ARCH_X86_64, .args = { argument } };
	bool constant;
	return cbpf_run((const struct cbpf_insn *)seccomp->program, &data, &constant);
}

static void dockers_profile_is_that_of_a_process_without_capabilities(void **state)
{
	(void)state;
	CLEANUP_FD int fd = open(docker, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = malloc(CAGE_PROFILE_MAX);
	assert_true(fd >= 0);
	assert_non_null(text);
	ssize_t size = read(fd, text, CAGE_PROFILE_MAX);
	assert_true(size > 0);
	struct oci_seccomp seccomp = compile(text, (size_t)size);
	assert_int_equal(answer(&seccomp, SYS_read, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&seccomp, SYS_ptrace, 0), SECCOMP_RET_ALLOW); /* minKernel 4.8 */
	assert_int_equal(answer(&seccomp, SYS_mount, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(&seccomp, SYS_bpf, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(&seccomp, SYS_clone, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&seccomp, SYS_clone, 0x10000000), SECCOMP_RET_ERRNO | EPERM); /* CLONE_NEWUSER */
	assert_int_equal(answer(&seccomp, SYS_clone3, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(&seccomp, SYS_arch_prctl, 0), SECCOMP_RET_ALLOW); /* arches: amd64 */
	free(seccomp.program);
}

#define RULE(members)                                                                                                            \
	"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"uname\"], \"action\": \"SCMP_ACT_ERRNO\"" members \
	"}]}"

static void conditions_are_dockers(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool refused;
	} rows[] = {
		{ RULE(""), true },
		{ RULE(", \"includes\": {}, \"excludes\": {}"), true },
		{ RULE(", \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}"), false },
		{ RULE(", \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}"), true },
		{ RULE(", \"includes\": {\"arches\": [\"arm64\", \"amd64\"]}"), true },
		{ RULE(", \"includes\": {\"arches\": [\"arm64\"]}"), false },
		{ RULE(", \"excludes\": {\"arches\": [\"amd64\"]}"), false },
		{ RULE(", \"includes\": {\"minKernel\": \"2.6\"}"), true },
		{ RULE(", \"includes\": {\"minKernel\": \"999.0\"}"), false },
		{ RULE(", \"excludes\": {\"minKernel\": \"2.6\"}"), false },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"name\": \"uname\", \"action\": \"SCMP_ACT_ERRNO\"}]}",
		  true },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"unam\"], \"action\": \"SCMP_ACT_ALLOW\"}]}",
		  true },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": [\"SCMP_ARCH_X86\"]}", true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oci_seccomp seccomp = compile(rows[i].json, strlen(rows[i].json));
		u32 wanted = rows[i].refused ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW;
		if (answer(&seccomp, SYS_uname, 0) != wanted)
			fail_msg("%s", rows[i].json);
		free(seccomp.program);
	}
}

static void what_is_wrong_is_refused_in_words(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "", "no JSON" },
		{ "[]", "no JSON object" },
		{ "{}", "defaultAction" },
		{ "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "SCMP_ACT_NOTIFY" },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": {}}", "syscalls" },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [1]}", "no object" },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\"}]}", "no names" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"unam\"], \"action\": \"SCMP_ACT_ERRNO\"}]}",
		  "'unam'" },
		{ RULE(", \"includes\": {\"cap\": []}"), "'cap'" },
		{ RULE(", \"includes\": {\"minKernel\": \"new\"}"), "minKernel" },
		{ RULE(", \"args\": [{\"index\": 6, \"op\": \"SCMP_CMP_EQ\"}]"), "argument" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oci_seccomp seccomp;
		struct oci_error error = { .text = "" };
		assert_true(cage_profile_read(rows[i][0], strlen(rows[i][0]), &seccomp, &error) < 0);
		assert_null(seccomp.program);
		if (!strstr(error.text, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], error.text);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dockers_profile_is_that_of_a_process_without_capabilities),
		cmocka_unit_test(conditions_are_dockers),
		cmocka_unit_test(what_is_wrong_is_refused_in_words),
	};
	docker = argc > 1 ? argv[1] : "";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
