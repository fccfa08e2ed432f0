/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets that send to several recipients, one of which never reads: no edge is lost. */
#define NS		3
#define NR		3
#define SLOTS(r)	1

#include "../line.pml"

init {
	setup();
	room[1] = 0;
	atomic {
		/* Recipient 1 reads nothing. */
		sleeper[2] = true;
		unsent = 5;
		run polling(0, 1, 2);
		run polling(1, 5, 0);
		run sleeping(2, 1, 1, 0);
		run reader(0); run reader(2);
		run worker();
		run witness()
	}
}
