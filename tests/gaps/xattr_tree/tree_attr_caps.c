/* SPDX-License-Identifier: Apache-2.0 */
/* The same in a root directory of the cell's own. */
#include "../xattr/attr_caps.c"
