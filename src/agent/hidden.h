/* SPDX-License-Identifier: Apache-2.0 */
/* Included before everything in the agent (meson.build): no symbol goes through a GOT, which would be a relocation. */
#pragma GCC visibility push(hidden)
