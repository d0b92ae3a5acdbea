/* SPDX-License-Identifier: Apache-2.0 */
/* Shared state of gap devices. */
#ifndef LICHEN_GAPS_DEVICES_H
#define LICHEN_GAPS_DEVICES_H

#include <assert.h>

#include "abi/layout.h"
#include "base/types.h"

enum device_id {
#define DEVICE(id, name, major, minor, mode, kind) DEVICE_##id,
#include "gaps/devices/device_list.def"
#undef DEVICE
	DEVICE_COUNT
};

enum device_kind {
	DEVICE_LOG,
	DEVICE_MEMORY,
	DEVICE_HARDWARE,
	DEVICE_TERMINAL,
};

struct devices_area {
	u32 available; /* bit per device_id: can be had where /dev lacks it */
	u32 own_log;   /* syslog(2) tells of the cell's log: the machine has no /dev/kmsg */
	u64 read_next; /* syslog(2): the record that SYSLOG_ACTION_READ gives next */
	u64 clear;     /* what SYSLOG_ACTION_CLEAR and SEEK_DATA go by: the first record that counts */
	u32 never;     /* what readers sleep on */
	u32 read_part; /* bytes of record read_next that SYSLOG_ACTION_READ has given */
};
static_assert(sizeof(struct devices_area) == 32, "devices_area is shared between agents");
#define DEVICES_AREA_SIZE ALIGN_UP((u64)sizeof(struct devices_area), LAYOUT_PAGE)

#endif
