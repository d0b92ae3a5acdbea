// SPDX-License-Identifier: Apache-2.0
/* What programs need: by name, by what real and made-up ELF files tell, through scripts; damaged files are refused, never read beyond. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/program_needs.h"
#include "host/workload.h"
#include "unit.h"

static struct program_needs needs;

static int judge(const char *name, const u8 *image, u64 size)
{
	struct elf_source source = { .fd = -1, .memory = image, .size = size };
	memset(&needs, 0, sizeof(needs));
	return program_judge(name, &source, &needs);
}

/* This test's own file, which imports what it calls. */
static u8 *own_file(u64 *ret_size)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	u8 *image = malloc((size_t)st.st_size);
	assert_non_null(image);
	assert_int_equal(read(fd, image, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_size = (u64)st.st_size;
	return image;
}

static void imports_tell_what_an_unknown_program_needs(void **state)
{
	(void)state;
	u64 size;
	u8 *image = own_file(&size);
	if (getenv("NO_SUCH_VARIABLE"))
		(void)!(shmget(1, 1, 0) + chown("/", 0, 0));
	assert_int_equal(judge("whatever", image, size), 0);
	assert_true(needs.needs & GAP_BIT(GAP_sysvipc));
	assert_true(needs.uses & GAP_BIT(GAP_identity));
	assert_int_equal(needs.needs & needs.uses, 0);
	assert_int_equal(strncmp(needs.how[GAP_sysvipc], "imports ", 8), 0);
	assert_non_null(strstr(needs.how[GAP_sysvipc], "shmget"));
	assert_non_null(strstr(needs.what, "a dynamic program; "));
	assert_string_equal(needs.known, "");
	/* A name that is known decides: the import is a use at most. */
	assert_int_equal(judge("nft", image, size), 0);
	assert_int_equal(needs.needs, GAP_BIT(GAP_netfilter));
	assert_true(needs.uses & GAP_BIT(GAP_sysvipc));
	/* A runtime needs nothing by itself. */
	assert_int_equal(judge("python3.11", image, size), 0);
	assert_string_equal(needs.known, "python3");
	assert_int_equal(needs.needs | needs.uses, 0);
	free(image);
}

static void names_fit_with_a_version_only(void **state)
{
	(void)state;
	static const struct {
		const char *name, *known;
	} table[] = {
		{ "runc", "runc" },
		{ "runc-1.1.5", "runc" },
		{ "runcible", "" },
		{ "crun", "crun" },
		{ "postgres", "postgres" },
		{ "postgres15", "postgres" },
		{ "ip", "ip" },
		{ "ip6tables", "ip6tables" },
		{ "iptables-nft", "iptables-nft" },
		{ "iptables-", "iptables" },
		{ "", "" },
		{ "nod", "" },
		{ "containerd-shim-runc-v2", "containerd-shim-runc-v2" },
	};
	u64 size;
	u8 *image = own_file(&size);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(judge(table[i].name, image, size), 0);
		assert_string_equal(needs.known, table[i].known);
	}
	free(image);
}

static void workloads_stand_behind_their_programs(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "dockerd", "docker" },
		{ "containerd", "containerd" },
		{ "kubelet", "kubernetes" },
		{ "initdb", "postgres" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		u32 want;
		char path[64];
		assert_int_equal(workload_by_name(pairs[i][1], &want), 0);
		snprintf(path, sizeof(path), "/nonexistent/%s", pairs[i][0]);
		assert_int_equal(program_examine(path, &needs), 0);
		assert_int_equal(needs.needs, want);
		assert_string_equal(needs.known, pairs[i][0]);
	}
	assert_int_equal(program_examine("/nonexistent/thing", &needs), -ENOENT);
	assert_int_equal(program_examine("no-such-program", &needs), -ENOENT);
	assert_int_equal(program_examine("/", &needs), -EISDIR);
	assert_int_equal(program_examine("/dev/null", &needs), -EINVAL);
}

/* A static program of one segment, with `text` in it at offset 0x1000. Returns its size. */
static u64 make_static(u8 image[0x2000], const void *text, size_t size)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	Elf64_Phdr load = { .p_type = PT_LOAD, .p_filesz = 0x2000, .p_vaddr = 0x400000 };
	memset(image, 0, 0x2000);
	memcpy(image, &header, sizeof(header));
	memcpy(image + sizeof(header), &load, sizeof(load));
	memcpy(image + 0x1000, text, size);
	return 0x2000;
}

static void go_programs_tell_their_name(void **state)
{
	(void)state;
	static const u8 info[] =
		"\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* 32 bytes, then version and modules */
		"\x06go1.20\x4a"
		"0123456789abcdef"
		"path\tk8s.io/kubernetes/cmd/kubelet\nmod\tk8s.io/kubernetes";
	static u8 image[0x2000];
	u32 want;
	u64 size = make_static(image, info, sizeof(info));
	assert_int_equal(workload_by_name("kubernetes", &want), 0);
	assert_int_equal(judge("renamed", image, size), 0);
	assert_string_equal(needs.known, "kubelet");
	assert_int_equal(needs.needs, want);
	assert_non_null(strstr(needs.what, "a static Go program, go1.20, k8s.io/kubernetes/cmd/kubelet"));
	image[0x1000 + 14] = 0; /* the magic alone stands in everything that looks for it */
	assert_int_equal(judge("renamed", image, size), 0);
	assert_null(strstr(needs.what, "Go"));
	image[0x1000 + 14] = 8;
	for (u8 length = 0; length < 255; length++) { /* lengths that lie */
		image[0x1000 + 32] = length;
		assert_int_equal(judge("renamed", image, size), 0);
	}
}

static void texts_of_static_programs_are_hints_only(void **state)
{
	(void)state;
	static u8 image[0x2000];
	u64 size = make_static(image, "/sys/fs/cgroup", 15);
	assert_int_equal(judge("x", image, size), 0);
	assert_int_equal(needs.needs, 0);
	assert_int_equal(needs.uses, GAP_BIT(GAP_cgroup));
	assert_string_equal(needs.how[GAP_cgroup], "contains /sys/fs/cgroup");
	assert_non_null(strstr(needs.what, "cannot be seen"));
}

/* The image lies against a page that must not be touched. */
static void damaged_files_are_refused(void **state)
{
	(void)state;
	u64 size, seed = 1;
	u8 *image = own_file(&size), *copy = malloc(size);
	assert_int_equal(judge("x", (const u8 *)"#!/bin/sh", 9), -ENOEXEC);
	assert_int_equal(judge("x", image, 0), -ENOEXEC);
	u8 *area = mmap(NULL, ALIGN_UP(size, 4096) + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	mprotect(area + ALIGN_UP(size, 4096), 4096, PROT_NONE);
	for (u64 length = 0; length < size; length += length < 1200 ? 1 : 509) {
		u8 *at = area + ALIGN_UP(size, 4096) - length;
		memcpy(at, image, length);
		int error = judge("x", at, length);
		assert_true(error == 0 || error == -EBADMSG || error == -ENOEXEC);
	}
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, image, size);
		for (int i = 0; i < 3; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			copy[(seed >> 33) % (i ? size : 1200)] = (u8)(seed >> 20);
		}
		int error = judge("x", copy, size);
		assert_true(error == 0 || error == -EBADMSG || error == -ENOEXEC || error == -E2BIG);
	}
	munmap(area, ALIGN_UP(size, 4096) + 4096);
	free(copy);
	free(image);
}

static void scripts_are_judged_by_their_interpreter(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int error;
		const char *known;
	} table[] = {
		{ "#!/bin/sh\n", 0, "sh" },
		{ "#! /usr/bin/env -S A=1 perl -w\n", 0, "perl" },
		{ "#!/usr/bin/env perl", 0, "perl" },
		{ "#!/nonexistent/thing\n", -ENOENT, "" },
		{ "#!\n", -ENOEXEC, "" },
		{ "#!   \n/bin/sh\n", -ENOEXEC, "" },
		{ "#!/usr/bin/env\n", -ENOEXEC, "" },
		{ "", -ENOEXEC, "" },
		{ "sysvipc\n", -ENOEXEC, "" },
	};
	char path[] = "/tmp/lichen-test-XXXXXX", loop[64];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, table[i].text, strlen(table[i].text), 0), strlen(table[i].text));
		assert_int_equal(program_examine(path, &needs), table[i].error);
		assert_string_equal(needs.known, table[i].known);
		assert_int_equal(program_recognise(path), strncmp(table[i].text, "#!", 2) == 0);
	}
	snprintf(loop, sizeof(loop), "#!%s\n", path);
	assert_int_equal(pwrite(fd, loop, strlen(loop), 0), strlen(loop));
	assert_int_equal(program_examine(path, &needs), -ELOOP);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports_tell_what_an_unknown_program_needs), cmocka_unit_test(names_fit_with_a_version_only),
		cmocka_unit_test(workloads_stand_behind_their_programs),      cmocka_unit_test(go_programs_tell_their_name),
		cmocka_unit_test(texts_of_static_programs_are_hints_only),    cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(scripts_are_judged_by_their_interpreter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
