/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before everything when a file of src/agent is built hosted for a fuzz target (meson.build, run): its system calls go to
 * fake_sys6(), which the target defines, and its memset() to fake_memset(), since elf.c zeroes memory that is mapped only in pretence.
 */
#ifndef LICHEN_FUZZ_FAKE_SYS_H
#define LICHEN_FUZZ_FAKE_SYS_H

#define LICHEN_AGENT_X86_64_SYS_H /* instead of src/agent/x86_64/sys.h */

#include <string.h>

#include "base/types.h"

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
void *fake_memset(void *to, int byte, size_t size);

#define memset(to, byte, size) fake_memset((to), (byte), (size))
#define sys6(nr, a, b, c, d, e, f) fake_sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), SYS_ARG(f))
#define SYS_ARG(x) ((u64)(x))
#define sys0(nr) fake_sys6((nr), 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) fake_sys6((nr), SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) fake_sys6((nr), SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) fake_sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) fake_sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)
#define sys5(nr, a, b, c, d, e) fake_sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)

static inline void cpu_relax(void)
{
}

#endif
