/* SPDX-License-Identifier: Apache-2.0 */
/* no_new_privs and seccomp as the program sees them. */
#include "difftest.h"

#include <sys/prctl.h>

int main(void)
{
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	SHOW(trapped_ok());
	return 0;
}
