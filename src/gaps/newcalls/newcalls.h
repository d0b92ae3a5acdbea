/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of a cell share about newcalls: which calls the host has. */
#ifndef LICHEN_GAPS_NEWCALLS_NEWCALLS_H
#define LICHEN_GAPS_NEWCALLS_NEWCALLS_H

#include <assert.h>

#include "abi/layout.h"
#include "base/types.h"

/* What a handler may want to know of the host; one question each in host_calls.c. */
enum newcall {
	NEWCALL_OPENAT2,
	NEWCALL_FACCESSAT2,
	NEWCALL_STATX,
	NEWCALL_STATX_AUTOMOUNT, /* with AT_NO_AUTOMOUNT */
	NEWCALL_STATX_NULL,      /* with AT_EMPTY_PATH and NULL for the path */
	NEWCALL_CLOSE_RANGE,
	NEWCALL_COPY_FILE_RANGE,
	NEWCALL_MEMFD_EXEC,         /* memfd_create with MFD_EXEC and MFD_NOEXEC_SEAL */
	NEWCALL_GETRANDOM_INSECURE, /* getrandom with GRND_INSECURE */
	NEWCALL_PREADV2,            /* and pwritev2 */
	NEWCALL_CLONE3,
	NEWCALL_PIDFD,      /* pidfd_open, pidfd_send_signal, waitid(P_PIDFD), CLONE_PIDFD */
	NEWCALL_PROCESS_VM, /* process_vm_readv and writev */
	NEWCALL_COUNT
};

enum newcall_answer {
	NEWCALL_UNASKED = 0,
	NEWCALL_THERE = 1,
	NEWCALL_LACKING = 2,
};

struct newcalls_area {
	u8 answers[64]; /* enum newcall_answer by enum newcall: asked once per cell; the answer is the same whoever asks */
};
static_assert(sizeof(struct newcalls_area) == 64, "newcalls_area is shared between agents");
static_assert(NEWCALL_COUNT <= 64, "answers");
#define NEWCALLS_AREA_SIZE LAYOUT_PAGE

#endif
