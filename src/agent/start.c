/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's entry to the guest's first instruction.
 *
 * agent_start(): reads the marker (exec.c), the last environment string; maps private memory and the commons at their fixed addresses.
 * agent_load(), on slot 0's stack: handlers, the program, its interpreter, the auxiliary vector, names; then jumps. A cell's first image
 * looks at what the user named, and executes the agent once more for it, or loads it itself where that comes to the same.
 * The marker is taken out of sight: its pointer out of envp (the auxiliary vector moves down by one word; argc stays where the kernel
 * aligned it), its text out of /proc/PID/environ where the host lets us say so (PR_SET_MM_MAP); its path stays, as AT_EXECFN's string.
 * The program is also mapped with one page at LAYOUT_EXE: that line of /proc/PID/maps is how everybody learns a member's real
 * executable (proc_self.c), kept true by the kernel through rename and unlink.
 */
#include <elf.h>

#include "agent/engine.h"
#include "agent/fs.h"
#include "agent/view.h"

#ifndef __NR_mseal
#define __NR_mseal 462 /* Linux 6.10 */
#endif
#define PR_SET_NAME_ 15
#define PR_SET_MM_ 35
#define PR_SET_MM_MAP_ 14

struct start_info {
	u64 *stack; /* argc */
	char **argv, **envp;
	u64 argc, envc;
	Elf64_auxv_t *auxv;
	struct marker marker;
	char *marker_text;
};

static u64 take_hex(const char **from)
{
	u64 value = 0;

	for (;; (*from)++) {
		char c = **from;

		if (c >= '0' && c <= '9')
			value = value << 4 | (u64)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (u64)(c - 'a' + 10);
		else
			break;
	}
	if (**from == '.' || **from == ':')
		(*from)++;
	return value;
}

/* In the marker, the path of what is loaded ends at a colon where a name follows: see exec.c. */
static void read_start(struct start_info *info, u64 *stack)
{
	const char *at;
	u64 length;

	info->stack = stack;
	info->argc = stack[0];
	info->argv = (char **)(stack + 1);
	info->envp = info->argv + info->argc + 1;
	for (info->envc = 0; info->envp[info->envc]; info->envc++)
		;
	info->auxv = (Elf64_auxv_t *)(info->envp + info->envc + 1);
	info->marker_text = info->envc ? info->envp[info->envc - 1] : NULL;
	if (!info->marker_text || strncmp(info->marker_text, MARKER_NAME, sizeof(MARKER_NAME) - 1))
		agent_die("started by hand: the agent runs only under `lichen run`", 0);
	at = info->marker_text + sizeof(MARKER_NAME) - 1;
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		info->marker.reserved_fds[i] = (s32)take_hex(&at);
	info->marker.member = (s32)take_hex(&at);
	info->marker.exec_fd = (s32)take_hex(&at);
	info->marker.mapped = take_hex(&at);
	info->marker.mask = take_hex(&at);
	info->marker.flags = take_hex(&at);
	info->marker.task_word = (u32)take_hex(&at);
	info->marker.view = (u32)take_hex(&at);
	info->marker.seccomp = (u32)take_hex(&at);
	info->marker.filters_fd = (s32)take_hex(&at);
	info->marker.cwd_mount = (u32)take_hex(&at);
	info->marker.exe_mount = (u32)take_hex(&at);
	length = take_hex(&at);
	info->marker.path = info->marker.name = at;
	if (!length)
		return;
	if (length >= strlen(at) || at[length] != ':')
		agent_die("started by hand: the marker is malformed", 0);
	info->marker.name = at + length + 1;
}

u64 agent_start(u64 *stack)
{
	struct start_info info;
	long r;

	read_start(&info, stack);
	r = sys6(__NR_mmap, LAYOUT_PRIVATE, PRIVATE_SIZE, 3, 0x104022 /* PRIVATE|ANON|NORESERVE|FIXED_NOREPLACE */, (u64)-1, 0);
	if (r != (long)LAYOUT_PRIVATE)
		agent_die("cannot map private memory", r);
	r = sys6(__NR_mmap, LAYOUT_COMMONS, info.marker.mapped, 3, 0x100001 /* SHARED|FIXED_NOREPLACE */,
		 (u64)info.marker.reserved_fds[RESERVED_COMMONS], 0);
	if (r != (long)LAYOUT_COMMONS)
		agent_die("cannot map the commons", r);
	if (commons()->magic != COMMONS_MAGIC || commons()->version != COMMONS_VERSION)
		agent_die("the commons are of another version", commons()->version);
	private()->magic = PRIVATE_MAGIC;
	memcpy(private()->reserved_fds, info.marker.reserved_fds, sizeof(info.marker.reserved_fds));
	private()->pid = (s32)sys0(__NR_getpid);
	private()->slot_busy[0] = 1;
	return PRIVATE_POOL + SLOT_SIZE;
}

static u64 *aux(const struct start_info *info, u64 type)
{
	for (Elf64_auxv_t *a = info->auxv; a->a_type != AT_NULL; a++)
		if (a->a_type == type)
			return &a->a_un.a_val;
	return NULL;
}

static void set_aux(const struct start_info *info, u64 type, u64 value)
{
	u64 *at = aux(info, type);

	if (at)
		*at = value;
}

/* Takes the marker's pointer out of the environment; the auxiliary vector moves down by one word. */
static void hide_marker(struct start_info *info)
{
	u64 *from = (u64 *)info->auxv, *to = from - 1;

	info->envp[--info->envc] = NULL;
	for (info->auxv = (Elf64_auxv_t *)to;; from += 2, to += 2) {
		to[0] = from[0];
		to[1] = from[1];
		if (to[0] == AT_NULL)
			break;
	}
}

/* Tells the kernel what /proc/PID/{cmdline,environ,auxv,stat} shall show. Best effort: gVisor has no PR_SET_MM_MAP. */
static void tell_kernel(const struct start_info *info, const struct elf_image *program)
{
	struct {
		u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
		u64 auxv;
		u32 auxv_size, exe_fd;
	} map = { 0 };
	u64 brk = (u64)sys1(__NR_brk, 0);
	char *last = info->argc ? info->argv[info->argc - 1] : NULL;
	u32 pairs = 1;

	for (const Elf64_auxv_t *a = info->auxv; a->a_type != AT_NULL; a++)
		pairs++;
	map.start_code = map.start_data = program->entry;
	map.end_code = map.end_data = program->end;
	map.start_brk = map.brk = brk;
	map.start_stack = (u64)info->stack;
	map.arg_start = info->argc ? (u64)info->argv[0] : (u64)info->marker_text;
	map.arg_end = last ? (u64)last + strlen(last) + 1 : map.arg_start;
	map.env_start = map.arg_end;
	map.env_end = (u64)info->marker_text;
	map.auxv = (u64)info->auxv;
	map.auxv_size = (u32)(pairs * sizeof(Elf64_auxv_t));
	map.exe_fd = (u32)-1;
	(void)sys5(__NR_prctl, PR_SET_MM_, PR_SET_MM_MAP_, &map, sizeof(map), 0);
}

static void set_comm(const char *path)
{
	const char *name = path;

	for (const char *c = path; *c; c++)
		if (*c == '/')
			name = c + 1;
	(void)sys2(__NR_prctl, PR_SET_NAME_, name);
}

static long exec_as(const struct start_info *info, const char *path)
{
	return exec_program(-100, (u64)path, (u64)info->argv, (u64)info->envp, 0, info->marker.mask);
}

static const char *search_path(const struct start_info *info)
{
	for (u64 i = 0; i + 1 < info->envc && info->envp[i]; i++)
		if (!strncmp(info->envp[i], "PATH=", 5))
			return info->envp[i] + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* In a tree of its own a cell's first program is searched here, as execvp does: the host does not know the tree. */
static long exec_searched(const struct start_info *info)
{
	const char *name = info->marker.path, *at = search_path(info);
	u64 size = strlen(name), n;
	long r, result = -ENOENT;
	char path[512];

	for (u64 i = 0; i < size; i++)
		if (name[i] == '/')
			return exec_as(info, name);
	for (;; at += n + 1) {
		for (n = 0; at[n] && at[n] != ':'; n++)
			;
		if (n + size + 2 <= sizeof(path)) {
			memcpy(path, at, n);
			path[n] = '/';
			memcpy(path + n + (n ? 1 : 0), name, size + 1);
			r = exec_as(info, path);
			if (r == -EACCES)
				result = r;
			else if (r != -ENOENT && r != -ENOTDIR)
				return r;
		}
		if (!at[n])
			return result;
	}
}

/* Who a further program of a cell is, and where it starts: the string before the marker. Returns the path. */
static const char *read_place(const struct start_info *info)
{
	const char *at = info->envc > 1 ? info->envp[info->envc - 2] : "";
	struct identity_start who = { 0 };
	u64 count;

	if (strncmp(at, START_NAME, sizeof(START_NAME) - 1))
		agent_die("started by hand: the place is missing", 0);
	at += sizeof(START_NAME) - 1;
	count = take_hex(&at);
	if (count > IDENTITY_GROUPS_MAX + 1)
		agent_die("started by hand: too many groups", (long)count);
	if (count) {
		who.uid = (u32)take_hex(&at);
		who.gid = (u32)take_hex(&at);
		who.group_count = (u32)count - 1;
		for (u32 i = 0; i < who.group_count; i++)
			who.groups[i] = (u32)take_hex(&at);
		events(EVENT_BECOME, (long)&who);
	}
	if (*at == ':')
		at++;
	return *at ? at : commons()->fs.cwd;
}

/* The first image of a cell: looks at what the user named as a guest's execve would, and becomes it, by an execve if that makes a difference: then it does not
 * return. */
static void exec_first(struct start_info *info)
{
	bool placed = info->marker.flags & MARKER_PLACED;
	const char *path = commons()->fs.cwd;
	long r;

	info->marker.exec_fd = placed ? -1 : exec_in_place(info->marker.path);
	if (info->marker.exec_fd >= 0)
		return;
	if (commons()->emulated & (1u << GAP_namespaces))
		pids_start(info->marker.mask);
	if (placed)
		path = read_place(info);
	if (fs_on() && !commons()->start_error)
		fs_mount_groups();
	r = fs_on() ? fs_start(path) : 0;
	if (r < 0 && placed)
		agent_die("cannot start in the directory that was asked for (--workdir)", r);
	info->envp[info->envc - 1 - placed] = NULL;
	if (r == 0)
		r = fs_on() ? exec_searched(info) : exec_as(info, info->marker.path);
	commons()->start_error = (s32)r;
	(void)sys1(__NR_exit_group, r == -ENOENT || r == -ENOTDIR ? 127 : 126);
}

/* From here on the guest cannot unmap, move or protect what is ours, by mistake or otherwise; and core files leave it out. */
static void seal(void)
{
	(void)sys3(__NR_madvise, LAYOUT_COMMONS, commons()->mapped, 16 /* MADV_DONTDUMP: no core file wants the cell's objects */);
	if (!(commons()->features & COMMONS_MSEAL))
		return;
	(void)sys3(__NR_mseal, LAYOUT_TEXT, ALIGN_UP((u64)agent_end, LAYOUT_PAGE) - LAYOUT_TEXT, 0);
	(void)sys3(__NR_mseal, LAYOUT_PRIVATE, PRIVATE_SIZE, 0);
	(void)sys3(__NR_mseal, LAYOUT_COMMONS, commons()->mapped, 0);
	(void)sys3(__NR_mseal, LAYOUT_EXE, LAYOUT_PAGE, 0);
}

/* The program cannot be mapped, and the old one is gone: what the kernel does then. By a fault, since that ends a pid 1, too. */
static NORETURN void die_half_replaced(void)
{
	for (;;)
		__asm__ volatile("movb (%0), %%al" ::"r"(UINT64_C(1) << 63) : "rax", "memory");
}

struct start agent_load(u64 *stack)
{
	struct slot *slot = (struct slot *)PRIVATE_POOL;
	struct start_info info;
	struct elf_image program, interpreter;
	bool exec_stack;
	const char *name;
	long fd, r;
	u64 *phdr, *vdso;

	read_start(&info, stack);
	slot->trap = (struct trap){ .frame = (u64)stack, .fault_ready = 1 };
	member_start(info.marker.member);
	task_start(TASK_IDENTITY, info.marker.task_word);
	view_start(info.marker.view);
	filter_start(info.marker.seccomp, info.marker.filters_fd);
	private()->hints.cwd = info.marker.cwd_mount;
	private()->hints.exe = info.marker.exe_mount;
	private()->cut_off = (info.marker.flags & MARKER_CUT_OFF) != 0;
	if (info.marker.flags & MARKER_FIRST)
		exec_first(&info);
	if (info.marker.name != info.marker.path)
		info.marker_text[info.marker.name - 1 - info.marker_text] = 0;
	fd = info.marker.exec_fd >= 0 ? info.marker.exec_fd : sys3(__NR_open, info.marker.path, 02000000 /* O_CLOEXEC */, 0);
	if (fd < 0)
		agent_die("the program vanished while it was being started", fd);
	if (elf_load((int)fd, &program, &interpreter, slot->scratch, &exec_stack) < 0)
		die_half_replaced();
	r = sys6(__NR_mmap, LAYOUT_EXE, LAYOUT_PAGE, 1, 0x100002 /* PRIVATE|FIXED_NOREPLACE */, (u64)fd, 0);
	if (r != (long)LAYOUT_EXE)
		agent_die("cannot map the program's first page", r);
	exe_keep((s32)fd, info.marker.flags & MARKER_DESCRIPTOR);

	if (!commons()->start_error)
		__atomic_store_n(&commons()->start_error, 1, __ATOMIC_RELEASE);
	seal();
	hide_marker(&info);
	phdr = aux(&info, AT_PHDR);
	if (phdr)
		*phdr = program.phdr;
	set_aux(&info, AT_PHENT, sizeof(Elf64_Phdr));
	set_aux(&info, AT_PHNUM, program.phnum);
	set_aux(&info, AT_BASE, interpreter.present ? interpreter.base : 0);
	set_aux(&info, AT_ENTRY, program.entry);
	set_aux(&info, AT_SECURE, 0);
	name = info.marker.name;
	set_aux(&info, AT_EXECFN, (u64)name);
	events(EVENT_EXEC, (long)info.auxv);
	tell_kernel(&info, &program);
	memset(info.marker_text, 0, (u64)(name - info.marker_text));
	set_comm(name);
	if (exec_stack)
		(void)sys3(__NR_mprotect, ALIGN_DOWN((u64)stack, LAYOUT_PAGE), LAYOUT_PAGE, 7 | 0x01000000 /* PROT_GROWSDOWN */);
	vdso = aux(&info, AT_SYSINFO_EHDR);
	private()->vdso_time = vdso ? vdso_find(*vdso, "__vdso_time") : 0;
	private()->vdso_clock = vdso && commons()->trace ? vdso_find(*vdso, "__vdso_clock_gettime") : 0;
	if (commons()->trace)
		trace_exec(name, info.argv);
	signal_start(info.marker.mask, info.marker.mask & SIGSYS_BIT);
	__atomic_store_n(&private()->slot_busy[0], 0, __ATOMIC_RELEASE);
	return (struct start){ (u64)stack, interpreter.present ? interpreter.entry : program.entry };
}
