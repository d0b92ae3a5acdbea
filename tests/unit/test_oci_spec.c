// SPDX-License-Identifier: Apache-2.0
/* config.json: what is read, and what is refused with which words. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "oci/oci_cgroup.h"
#include "oci/oci_seccomp.h"
#include "oci/oci_spec.h"
#include "unit.h"

/* A configuration around members; ' stands for ". */
static int parse(const char *process, const char *more, struct oci_spec *ret, struct oci_error *error)
{
	char text[8192];

	*error = (struct oci_error){ 0 };
	(void)snprintf(text, sizeof(text),
		       "{'ociVersion':'1.0.2','root':{'path':'rootfs'},'process':{'cwd':'/','args':['sh']%s},"
		       "'linux':{'namespaces':[{'type':'mount'},{'type':'pid'}]%s}",
		       process, more);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return oci_spec_parse(text, strlen(text), ret, error);
}

static void refused(const char *process, const char *more, const char *words)
{
	struct oci_error error;
	struct oci_spec spec;

	assert_true(parse(process, more, &spec, &error) < 0);
	if (!strstr(error.text, words))
		fail_msg("'%s' is not in '%s'", words, error.text);
}

static void a_process_is_read(void **state)
{
	struct oci_error error;
	struct oci_spec spec;

	(void)state;
	assert_int_equal(parse(",'user':{'uid':7,'gid':8,'additionalGids':[9,10],'umask':63},'env':['A=b'],"
			       "'capabilities':{'bounding':['CAP_CHOWN','cap_bpf','CAP_FUTURE']},"
			       "'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':18446744073709551615}],'oomScoreAdj':-2000",
			       "}", &spec, &error),
			 0);
	assert_int_equal(spec.process.user.uid, 7);
	assert_int_equal(spec.process.user.gid, 8);
	assert_int_equal(spec.process.user.group_count, 2);
	assert_int_equal(spec.process.user.groups[1], 10);
	assert_int_equal(spec.process.user.umask, 077);
	assert_string_equal(spec.process.env[0], "A=b");
	assert_true(spec.process.capabilities.bounding == (UINT64_C(1) << 0 | UINT64_C(1) << 39));
	assert_int_equal(spec.process.rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(spec.process.rlimits[0].limit.rlim_max == UINT64_MAX);
	assert_int_equal(spec.process.oom_score, -1000);
	assert_true(spec.namespaces[OCI_NS_PID].asked && !spec.namespaces[OCI_NS_NETWORK].asked);
	oci_spec_done(&spec);
}

static void options_of_mounts(void **state)
{
	struct oci_error error;
	struct oci_spec spec;

	(void)state;
	assert_int_equal(
		parse("",
		      "},'mounts':[{'destination':'/a','type':'bind','source':'/b','options':['rbind','ro','rw','nosuid','rslave','private']},"
		      "{'destination':'/t','type':'tmpfs','options':['size=1k','mode=755','tmpcopyup','ro']}]",
		      &spec, &error),
		0);
	assert_true(spec.mounts[0].flags == (MS_BIND | MS_REC | MS_NOSUID));
	assert_int_equal(spec.mounts[0].propagation_count, 2);
	assert_true(spec.mounts[0].propagation[0] == (MS_SLAVE | MS_REC) && spec.mounts[0].propagation[1] == MS_PRIVATE);
	assert_string_equal(spec.mounts[1].data, "size=1k,mode=755");
	assert_true(spec.mounts[1].flags == MS_RDONLY && spec.mounts[1].special == OCI_MOUNT_COPY_UP);
	oci_spec_done(&spec);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	refused("", "", "no JSON");
	refused(",'cwd':'x'", "}", "cwd must be an absolute path");
	refused(",'args':[]", "}", "process.args must not be empty");
	refused(",'rlimits':[{'type':'RLIMIT_X'}]", "}", "invalid rlimit type");
	refused(",'user':{'uid':-1}", "}", "uid is no number");
	refused(",'user':{'uid':99999999999999999999}", "}", "uid is no number");
	refused(",'env':[1]", "}", "env is no list of texts");
	refused("", "},'mounts':[{'type':'tmpfs'}]", "destination is missing");
	refused("", "},'mounts':[{'destination':'/a','options':['idmap']}]", "ID mappings");
	refused("", ",'namespaces':[]}", "mount namespace");
	refused("", ",'namespaces':[{'type':'time'}]}", "'time' is not supported");
	refused("", ",'namespaces':[{'type':'mount'},{'type':'mount'}]}", "twice");
	refused("", ",'uidMappings':[{'containerID':0,'hostID':1,'size':1}]}", "user namespace");
	refused("", ",'devices':[{'path':'/dev/x','type':'z'}]}", "invalid device");
	refused("", ",'seccomp':{'listenerPath':'/x'}}", "listenerPath");
	refused("", ",'rootfsPropagation':'x'}", "rootfsPropagation");
	refused("", "},'hostname':'x'", "UTS namespace");
	refused("", "},'hooks':{'poststop':[{'path':'x'}]}", "not absolute");
	refused("", "},'ociVersion':'2.0.0'", "not supported");
}

/* --- filters ------------------------------------------------------------------------------------------------------------------------------- */

static int compile(const char *text, struct oci_seccomp *ret, struct oci_error *error)
{
	json_t *json = json_loads(text, 0, NULL);
	int r = oci_seccomp_compile(json, ret, error);

	assert_non_null(json);
	json_decref(json);
	return r;
}

static void filters_are_compiled(void **state)
{
	struct oci_error error = { 0 };
	struct oci_seccomp seccomp;

	(void)state;
	assert_int_equal(
		compile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"],"
			"\"syscalls\":[{\"names\":[\"read\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},"
			"{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			"{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]}]}",
			&seccomp, &error),
		0);
	assert_true(seccomp.program && seccomp.length > 4);
	free(seccomp.program);
	assert_true(compile("{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", &seccomp, &error) < 0);
	assert_non_null(strstr(error.text, "SCMP_ACT_NOTIFY"));
	assert_true(compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", &seccomp, &error) < 0);
	assert_true(compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_Z80\"]}", &seccomp, &error) < 0);
}

/* --- limits without a cgroup --------------------------------------------------------------------------------------------------------------- */

static int limit(const char *resources, struct oci_notes *notes, struct oci_error *error)
{
	json_t *json = json_loads(resources, 0, NULL), *cgroup = json_object();
	int r = oci_cgroup_limit(cgroup, json, true, notes, error);

	assert_non_null(json);
	json_decref(json);
	json_decref(cgroup);
	return r;
}

static void limits_that_nobody_would_keep_are_refused(void **state)
{
	struct oci_error error = { 0 };
	struct oci_notes notes = { 0 };

	(void)state;
	assert_int_equal(limit("{\"memory\":{\"limit\":0},\"cpu\":{\"shares\":0},\"pids\":{\"limit\":0}}", &notes, &error), 0);
	assert_string_equal(notes.text, "");
	assert_int_equal(limit("{\"cpu\":{\"shares\":512},\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", &notes, &error), 0);
	assert_non_null(strstr(notes.text, "cpu.shares is not set"));
	assert_non_null(strstr(notes.text, "rules for devices are not enforced"));
	assert_true(limit("{\"memory\":{\"limit\":1000000}}", &notes, &error) < 0);
	assert_non_null(strstr(error.text, "no cgroup of 'memory'"));
	assert_true(limit("{\"pids\":{\"limit\":5}}", &notes, &error) < 0);
	assert_true(limit("{\"cpu\":{\"quota\":5000}}", &notes, &error) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_read),
		cmocka_unit_test(options_of_mounts),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(filters_are_compiled),
		cmocka_unit_test(limits_that_nobody_would_keep_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
