/* SPDX-License-Identifier: GPL-2.0-only */
/* A multicast, unicasts that sleep and a socket that polls, at two queues that are both read. */
#define NS		3
#define NR		2
#define SLOTS(r)	1
#define ALL_READ

#include "../line.pml"

init {
	setup();
	atomic {
		sleeper[0] = true; sleeper[1] = true;
		unsent = 4;
		run sleeping(0, 3, 1, 0);
		run sleeping(1, 1, 2, 0);
		run polling(2, 2, 0);
		run reader(0);
		run reader(1);
		run worker();
		run witness()
	}
}
