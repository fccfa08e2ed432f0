/* SPDX-License-Identifier: GPL-2.0-only */
/* The same senders as in race.pml, and one of the two queues takes two messages. */
#define NS		3
#define NR		2
#define SLOTS(r)	(1 + (r))
#define ALL_READ

#include "../line.pml"

init {
	setup();
	room[1] = 1;
	atomic {
		sleeper[0] = true; sleeper[1] = true;
		unsent = 5;
		run sleeping(0, 3, 1, 0);
		run sleeping(1, 2, 3, 0);
		run polling(2, 2, 0);
		run reader(0); run reader(1);
		run worker();
		run witness()
	}
}
