/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules go, recipients leave or are expelled, the policy changes, under multicasts and a socket
 * that sends to several. */
#define NS		3
#define NR		3
#define SLOTS(r)	1

#include "../line.pml"

init {
	setup();
	room[1] = 0;
	room[2] = 0;
	atomic {
		sleeper[0] = true; sleeper[1] = true;
		unsent = 4;
		run sleeping(0, 7, 1, 0);
		run sleeping(1, 4, 1, 0);
		run polling(2, 6, 1);
		run reader(0);
		run change();
		run worker();
		run witness()
	}
}

proctype change()
{
	if
	:: drop_rule(2); leave_bus(1)
	:: leave_bus(2); drop_rule(1)
	:: fail_when_full()
	fi
}
