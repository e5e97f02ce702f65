/* SPDX-License-Identifier: MIT */
#include "dispatchd/loop/loop_private.h"

void loop_wake(void *arg)
{
	struct loop *loop = arg;
	event_active(loop->turn, EV_READ, 0);
}
