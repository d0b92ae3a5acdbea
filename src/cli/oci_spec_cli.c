// SPDX-License-Identifier: Apache-2.0
/* lichen oci spec: a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_spec.h"

/* A shell in a read-only root, with what containers have. ' stands for ". */
static const char usual[] =
	"{'ociVersion':'" OCI_VERSION "','process':{'terminal':true,'user':{'uid':0,'gid':0},'args':['sh'],"
	"'env':['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin','TERM=xterm'],'cwd':'/',"
	"'capabilities':{'bounding':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
	"'effective':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
	"'permitted':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE']},"
	"'rlimits':[{'type':'RLIMIT_NOFILE','hard':1024,'soft':1024}],'noNewPrivileges':true},"
	"'root':{'path':'rootfs','readonly':true},'hostname':'lichen','mounts':["
	"{'destination':'/proc','type':'proc','source':'proc'},"
	"{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','strictatime','mode=755','size=65536k']},"
	"{'destination':'/dev/pts','type':'devpts','source':'devpts',"
	"'options':['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620','gid=5']},"
	"{'destination':'/dev/shm','type':'tmpfs','source':'shm','options':['nosuid','noexec','nodev','mode=1777','size=65536k']},"
	"{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue','options':['nosuid','noexec','nodev']},"
	"{'destination':'/sys','type':'sysfs','source':'sysfs','options':['nosuid','noexec','nodev','ro']},"
	"{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['nosuid','noexec','nodev','relatime','ro']}],"
	"'linux':{'resources':{'devices':[{'allow':false,'access':'rwm'}]},"
	"'namespaces':[{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'mount'}],"
	"'maskedPaths':['/proc/acpi','/proc/asound','/proc/kcore','/proc/keys','/proc/latency_stats','/proc/timer_list',"
	"'/proc/timer_stats','/proc/sched_debug','/sys/firmware','/proc/scsi'],"
	"'readonlyPaths':['/proc/bus','/proc/fs','/proc/irq','/proc/sys','/proc/sysrq-trigger']}}";

struct spec_options {
	const char *bundle;
};

static const struct option_row rows[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .value = "DIR",
	  .offset = offsetof(struct spec_options, bundle),
	  .help = "write it there, instead of to the working directory" },
};

static json_t *usual_spec(void)
{
	char text[sizeof(usual)];

	for (size_t i = 0; i < sizeof(usual); i++)
		text[i] = usual[i] == '\'' ? '"' : usual[i];
	return json_loads(text, 0, NULL);
}

static int run_spec(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct spec_options given = { .bundle = "." };
	struct oci_error error = { 0 };
	char path[PATH_MAX];
	int first, status = command_parse(&verb->command, argc, argv, &given, &first);
	CLEANUP_FD int fd = FD_NONE;
	json_t *spec;

	if (status >= 0)
		return status;
	(void)snprintf(path, sizeof(path), "%s/config.json", given.bundle);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		(void)oci_fail(&error, -EEXIST, "file config.json exists. Remove it first");
	else if (fd < 0)
		(void)oci_fail_errno(&error, "open %s", path);
	if (fd < 0)
		return oci_failed(global, "", &error);
	spec = usual_spec();
	if (json_dumpfd(spec, fd, JSON_INDENT(8)) < 0 || write(fd, "\n", 1) != 1)
		status = oci_failed(global, "", &(struct oci_error){ "config.json cannot be written" });
	json_decref(spec);
	return status < 0 ? 0 : status;
}

const struct oci_verb oci_verb_spec = { { .name = "oci spec",
					  .synopsis = "[OPTION…]",
					  .summary = "Writes a config.json to begin with",
					  .options = rows,
					  .option_count = ARRAY_SIZE(rows),
					  .usage_status = LICHEN_EXIT_USAGE },
					run_spec };
