/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the agent lives in every guest process. Fixed, because the seccomp filter trusts the agent's text by address and
 * because offsets in the commons then are pointers in every member.
 *
 * Why 0x51e0_0000_0000-0x5200_ffff_ffff:
 *   - above the non-PIE low range, Java's heaps and class space, ZGC's views (to 0x4000_0000_0000);
 *   - clear of gVisor's table at 0x10000-0x80000 and of page 0;
 *   - above ASan's shadow and gap (below 0x1000_7fff_8000), inside an application range of MSan (0x5100_0000_0000-0x6000_0000_0000);
 *   - clear of Go's arena hints, which end in _c0_0000_0000 (0x51c0…, 0x52c0…) and are taken in order from 0x00c0…;
 *   - below where the kernel puts PIE programs (0x5555_5555_4000 and up) and far below the top of mmap;
 *   - above the legacy bottom-up mmap base (0x2aaa_aaaa_a000), reached only after 39 TiB.
 * The guest's brk heap starts above the agent's image and has 64 GiB before anything else of ours, nothing above it.
 */
#ifndef LICHEN_ABI_LAYOUT_H
#define LICHEN_ABI_LAYOUT_H

#define LAYOUT_COMMONS UINT64_C(0x51e000000000) /* shared with all members of the cell */
#define LAYOUT_PRIVATE UINT64_C(0x51f000000000) /* this process only: struct private, then the trap stacks */
#define LAYOUT_EXE UINT64_C(0x51ff00000000)     /* one page of the guest's executable: names it in /proc/PID/maps */
#define LAYOUT_TEXT UINT64_C(0x520000000000)    /* the agent's code; also written in agent.ld */

#define LAYOUT_PAGE UINT64_C(4096)

#endif
