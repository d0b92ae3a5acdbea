/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the agent's memfd, the commons (abi/commons.h) and the broker socket (abi/broker.h). */
#include "host/cell_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/trace.h"
#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "gaps/registry.h"
#include "host/agent_blob.h"
#include "host/filter.h"
#include "host/launch.h"
#include "host/outer_state.h"

#define COMMONS_FILE_SIZE (UINT64_C(1) << 40) /* sparse: the room that gaps hand out pages from */
#define FD_TOP 1024u

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int new_memfd(const char *name, unsigned flags)
{
	int fd = (int)syscall(SYS_memfd_create, name, flags);

	if (fd < 0 && errno == EINVAL && (flags & MFD_EXEC)) /* kernels before 6.3 */
		fd = (int)syscall(SYS_memfd_create, name, flags & ~MFD_EXEC);
	return fd < 0 ? -errno : fd;
}

/* Moves a descriptor to the highest free number below the limit; keeps it open over execve. Returns the number or negative errno. */
static int move_up(int *fd)
{
	struct rlimit limit;
	int top = (int)FD_TOP;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FD_TOP)
		top = (int)limit.rlim_cur;
	for (int n = top - 1; n > *fd; n--) {
		if (fcntl(n, F_GETFD) >= 0)
			continue;
		if (dup2(*fd, n) < 0)
			return -errno;
		(void)close(take_fd(fd));
		return n;
	}
	return fcntl(*fd, F_SETFD, 0) < 0 ? -errno : take_fd(fd); /* few descriptors: where it is will do */
}

/* RLIMIT_FSIZE counts for memfds, and going beyond it is a SIGXFSZ: lifts it as far as we may. Returns what it is then. */
static u64 lift_file_limit(struct rlimit *saved)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (getrlimit(RLIMIT_FSIZE, saved) < 0 || saved->rlim_cur == RLIM_INFINITY) {
		*saved = limit;
		return RLIM_INFINITY;
	}
	if (saved->rlim_max == RLIM_INFINITY || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		limit.rlim_cur = limit.rlim_max = saved->rlim_max;
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? limit.rlim_cur : saved->rlim_cur;
}

static int make_agent(void)
{
	CLEANUP_FD int fd = new_memfd("lichen", MFD_ALLOW_SEALING | MFD_EXEC | MFD_CLOEXEC);

	return fd < 0 ? fd : move_up(&fd);
}

static int fill_agent(int fd)
{
	int r = write_bytes(fd, agent_blob, agent_blob_size);

	if (r < 0)
		return r;
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return 0;
}

int cell_fds_fill(const struct cell_fds *fds)
{
	struct rlimit saved;
	int r;

	(void)lift_file_limit(&saved);
	r = fill_agent(fds->reserved[RESERVED_AGENT]);
	(void)setrlimit(RLIMIT_FSIZE, &saved);
	return r;
}

static u32 spaces_of(u32 emulate, u32 id)
{
	return (emulate & GAP_BIT(GAP_namespaces)) && gap_by_id(id)->spaces ? gap_by_id(id)->spaces : 1;
}

/* Lays the areas of the emulated gaps behind struct commons. Returns the bytes that members map. */
static u64 lay_out(u32 emulate, struct commons_area areas[COMMONS_GAPS_MAX])
{
	u64 at = ALIGN_UP(sizeof(struct commons), LAYOUT_PAGE);

	for (u32 id = 0; id < GAP_COUNT; id++) {
		if (!(emulate & GAP_BIT(id)))
			continue;
		areas[id] = (struct commons_area){ at, gap_by_id(id)->area_size * spaces_of(emulate, id) };
		at += ALIGN_UP(areas[id].size, LAYOUT_PAGE);
	}
	return at;
}

static int stage_gaps(u32 emulate, struct commons *commons)
{
	for (u32 id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);

		for (u32 i = 0; (emulate & GAP_BIT(id)) && gap->install && i < spaces_of(emulate, id); i++) {
			int r = gap->install((u8 *)commons + commons->areas[id].offset + i * gap->area_size, commons);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool wants_broker(u32 emulate)
{
	for (u32 id = 0; id < GAP_COUNT; id++)
		if ((emulate & GAP_BIT(id)) && gap_by_id(id)->broker)
			return true;
	return false;
}

/* Our end and, moved up, the members'. */
static int make_broker(int *ret_ours, int *ret_members)
{
	CLEANUP_FD int ours = FD_NONE, members = FD_NONE;
	int pair[2], on = 1, r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	members = pair[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0 || setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -errno;
	r = move_up(&members);
	if (r < 0)
		return r;
	*ret_members = r;
	*ret_ours = take_fd(&ours);
	return 0;
}

/* Gaps that are about files or mounts: with one, a cell may have mount namespaces. */
#define LOOKS_AT_PATHS \
	(GAP_BIT(GAP_identity) | GAP_BIT(GAP_mounts) | GAP_BIT(GAP_overlay) | GAP_BIT(GAP_namespaces) | GAP_BIT(GAP_cgroup))

/* --- what this host has ------------------------------------------------------------------------------------------------------------ */

#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10 */
#endif

/* Tries mseal(2) on a page that stays sealed as long as we live. */
static bool probe_mseal(void)
{
	void *page = mmap(NULL, LAYOUT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED && syscall(SYS_mseal, page, LAYOUT_PAGE, 0) == 0;
}

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1u << 1)
#endif

/* rdfsbase works when the kernel has switched it on, which Linux (5.9) tells, and gVisor does not: there it is tried in a scratch child. */
static u32 probe_features(void)
{
	u32 features = probe_mseal() ? COMMONS_MSEAL : 0;
	int status;
	pid_t pid;

	if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)
		return features | COMMONS_FSGSBASE;
	pid = fork();
	if (pid == 0) {
		u64 base;

		(void)signal(SIGILL, SIG_DFL);
		__asm__ volatile("rdfsbase %0" : "=r"(base));
		_exit(base ? 0 : 1);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		features |= COMMONS_FSGSBASE;
	return features;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------------- */

/* Where what stands in the commons: offsets and sizes in bytes. */
struct plan_of_commons {
	struct commons_area areas[COMMONS_GAPS_MAX];
	u64 ring, ring_size;
	u64 views, spaces;
	u64 mapped; /* by members */
	u64 file_size;
};

static void plan_commons(const struct launch *launch, u64 file_limit, struct plan_of_commons *plan)
{
	bool has_spaces = launch->tree || (launch->emulate & LOOKS_AT_PATHS);

	*plan = (struct plan_of_commons){ .file_size = file_limit < COMMONS_FILE_SIZE ? file_limit : COMMONS_FILE_SIZE };
	plan->ring = lay_out(launch->emulate, plan->areas);
	plan->ring_size = launch->trace ? ALIGN_UP(sizeof(struct trace_ring), LAYOUT_PAGE) : 0;
	plan->views = plan->ring + plan->ring_size;
	plan->spaces = plan->views + ALIGN_UP(sizeof(struct view_state), LAYOUT_PAGE);
	plan->mapped = plan->spaces + (has_spaces ? ALIGN_UP(sizeof(struct fs_spaces), LAYOUT_PAGE) : 0);
}

/* The file is zeros; nothing of it is touched that stays so. */
static void fill_commons(const struct launch *launch, const struct plan_of_commons *plan, struct commons *map)
{
	const struct launch_trace *trace = launch->trace;

	map->version = COMMONS_VERSION;
	map->features = probe_features();
	map->mapped = plan->mapped;
	map->file_size = plan->file_size;
	map->emulated = launch->emulate;
	map->refused = launch->refuse;
	map->identity = launch->identity;
	map->namespaces = launch->namespaces;
	map->paths =
		filter_paths(launch->emulate) | (trace && trace->mode == TRACE_EVERYTHING ? GAP_PATHS_OPEN | GAP_PATHS_STAT : 0);
	map->trace = (u32)plan->ring_size;
	map->trace_offset = plan->ring;
	map->trace_mode = trace ? trace->mode : TRACE_EVERYTHING;
	map->views = plan->views;
	map->spaces = plan->spaces;
	map->supervisor = (s32)getpid();
	map->text_size = (u32)agent_blob_text_size;
	memcpy(map->areas, plan->areas, sizeof(plan->areas));
	if (trace && trace->numbers)
		memcpy(map->trace_numbers, trace->numbers, sizeof(map->trace_numbers));
	outer_state_get(&map->outer);
	if (!(launch->emulate & GAP_BIT(GAP_namespaces)))
		map->namespaces.pids = 0;
}

/* The commons' file, moved up. A descriptor or negative errno. */
static int make_commons(u64 size, const char **ret_stage)
{
	CLEANUP_FD int fd = new_memfd("lichen-commons", MFD_CLOEXEC);

	if (fd < 0)
		return fd;
	*ret_stage = "sizing the commons";
	if (ftruncate(fd, (off_t)size) < 0)
		return -errno;
	return move_up(&fd);
}

static int make_limited(const struct launch *launch, u64 file_limit, struct cell_fds *ret, const char **ret_stage)
{
	CLEANUP_FD int agent = FD_NONE, commons = FD_NONE, broker = FD_NONE, broker_members = FD_NONE;
	struct plan_of_commons plan;
	struct commons *map;
	int r;

	plan_commons(launch, file_limit, &plan);
	*ret_stage = "making files under this limit of file sizes (ulimit -f)";
	if (file_limit < plan.mapped || file_limit < agent_blob_size)
		return -EFBIG;
	*ret_stage = "memfd_create";
	agent = make_agent();
	if (agent < 0)
		return agent;
	commons = make_commons(plan.file_size, ret_stage);
	if (commons < 0)
		return commons;
	*ret_stage = "making the broker socket";
	r = wants_broker(launch->emulate) ? make_broker(&broker, &broker_members) : 0;
	if (r < 0)
		return r;
	*ret_stage = "mapping the commons";
	map = mmap(NULL, plan.mapped, PROT_READ | PROT_WRITE, MAP_SHARED, commons, 0);
	if (map == MAP_FAILED)
		return -errno;
	fill_commons(launch, &plan, map);
	*ret_stage = "staging a gap";
	r = stage_gaps(launch->emulate, map);
	if (r < 0) {
		(void)munmap(map, plan.mapped);
		return r;
	}
	map->magic = COMMONS_MAGIC;
	*ret = (struct cell_fds){
		.reserved = { [RESERVED_AGENT] = take_fd(&agent),
			      [RESERVED_COMMONS] = take_fd(&commons),
			      [RESERVED_BROKER] = take_fd(&broker_members) },
		.broker = take_fd(&broker),
		.mapped = plan.mapped,
		.text_size = (u32)agent_blob_text_size,
		.map = map,
	};
	return 0;
}

int cell_fds_make(const struct launch *launch, struct cell_fds *ret, const char **ret_stage)
{
	struct rlimit saved;
	u64 limit = lift_file_limit(&saved);
	int r = make_limited(launch, limit, ret, ret_stage);

	(void)setrlimit(RLIMIT_FSIZE, &saved);
	return r;
}

int cell_fds_move_up(struct cell_fds *fds)
{
	for (u32 i = 0; i < RESERVED_COUNT; i++) {
		int r = fds->reserved[i] < 0 ? fds->reserved[i] : move_up(&fds->reserved[i]);

		if (r < 0 && fds->reserved[i] >= 0)
			return r;
		fds->reserved[i] = r;
	}
	return 0;
}

void cell_fds_done(struct cell_fds *fds)
{
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		close_fd(&fds->reserved[i]);
	close_fd(&fds->broker);
	if (fds->map)
		(void)munmap(fds->map, fds->mapped);
	*fds = CELL_FDS_NONE;
}
