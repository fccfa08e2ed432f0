/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicasts that wait for the same two queues, and a stream of unicasts to one of them, by senders
 * that all sleep. */
#define NS		3
#define NR		2
#define SLOTS(r)	1
#define ALL_READ

#include "../line.pml"

init {
	setup();
	room[0] = 0;
	atomic {
		sleeper[0] = true; sleeper[1] = true; sleeper[2] = true;
		unsent = 4;
		run sleeping(0, 3, 1, 0);
		run sleeping(1, 3, 1, 0);
		run sleeping(2, 2, 2, 0);
		run reader(0); run reader(1);
		run worker();
		run witness()
	}
}
