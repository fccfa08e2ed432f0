// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options, filters and ioctls.
 */
#include "fuzz.h"
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

void do_set_bus(struct fuzzer *f)
{
	static const int policy[] = {
		BUS_ADD_ADDR, BUS_ADD_ADDR, BUS_DEL_ADDR, BUS_JOIN_BUS, BUS_JOIN_BUS, BUS_JOIN_BUS,
		BUS_SET_EAVESDROP, BUS_UNSET_EAVESDROP, BUS_SET_SENDBUF, BUS_SET_MAXQLEN,
		BUS_GET_QLENFULL, BUS_SET_OVERFLOW, BUS_PASSSEQ,
	};
	static const int values[] = { 0, 1, 2, 3, 20, 100, 4096, 1 << 20, -1, INT32_MAX, INT32_MIN };
	struct rng *d = &f->rng;
	int option = one_in(d, 20) ? (int)roll(d, 64) : PICK(d, policy);
	int is_addr = option == BUS_ADD_ADDR || option == BUS_DEL_ADDR;
	uint64_t value = is_addr ? some_address(d) : (uint64_t)(uint32_t)PICK(d, values);
	int len = one_in(d, 20) ? (int)roll(d, 20) - 2 : is_addr ? 8 : 4;

	CALL(f, SET_BUS, bus_slot(d), SOL_BUS, option, arena_in(d, &value, sizeof(value)), len);
}

void do_get_bus(struct fuzzer *f)
{
	static const int options[] = {
		BUS_SET_SENDBUF, BUS_SET_MAXQLEN, BUS_SET_OVERFLOW, BUS_GET_QLENFULL, BUS_PASSSEQ,
	};
	struct rng *d = &f->rng;
	int option = one_in(d, 10) ? (int)roll(d, 64) : PICK(d, options);
	int room = one_in(d, 5) ? (int)roll(d, 20) - 2 : 4;
	void *value = arena_out(d, 4);

	CALL(f, GET_BUS, bus_slot(d), SOL_BUS, option, value, arena_in(d, &room, sizeof(room)));
}

void do_set_socket(struct fuzzer *f)
{
	static const int options[] = {
		SO_PASSCRED, SO_PASSSEC, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_PEEK_OFF, SO_PEEK_OFF,
		SO_SNDBUF, SO_RCVBUF, SO_LOCK_FILTER, SO_DETACH_FILTER, SO_ZEROCOPY, SO_LINGER,
	};
	static const int values[] = { 0, 1, 1, 5, 4000, 20000, 1 << 20, -1 };
	struct rng *d = &f->rng;
	int option = one_in(d, 8) ? (int)roll(d, 80) : PICK(d, options);
	int value = PICK(d, values);

	CALL(f, SET_SOCKET, bus_slot(d), SOL_SOCKET, option, arena_in(d, &value, sizeof(value)),
	     sizeof(value));
}

void do_timeout(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	struct timeval t = { 0, roll(d, 3) * 5000 };

	CALL(f, SET_SOCKET, bus_slot(d), SOL_SOCKET, one_in(d, 2) ? SO_SNDTIMEO : SO_RCVTIMEO,
	     arena_in(d, &t, sizeof(t)), sizeof(t));
}

/* Keeps a number of bytes, or decides by the first one. */
void do_filter(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	static const int froms[] = { 0, 0, 0, 64, SKF_NET_OFF, SKF_LL_OFF, SKF_AD_OFF + SKF_AD_PAY_OFFSET };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned int)PICK(d, froms)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, roll(d, 256), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, one_in(d, 2) ? roll(d, 5000) : 1U << 30),
	};
	unsigned int from = one_in(d, 2) ? 3 : 0;
	struct sock_fprog prog = { ARRAY_SIZE(code) - from, NULL };

	prog.filter = arena_in(d, code + from, sizeof(code[0]) * prog.len);
	CALL(f, SET_SOCKET, bus_slot(d), SOL_SOCKET, SO_ATTACH_FILTER,
	     arena_in(d, &prog, sizeof(prog)), sizeof(prog));
}

void do_get_socket(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int room = roll(d, 80);
	void *value = arena_out(d, 80);
	int option = one_in(d, 2) ? SO_ERROR : (int)roll(d, 80);

	CALL(f, GET_SOCKET, bus_slot(d), SOL_SOCKET, option, value,
	     arena_in(d, &room, sizeof(room)));
}

void do_ioctl(struct fuzzer *f)
{
	static const unsigned int commands[] = {
		SIOCINQ, SIOCINQ, SIOCOUTQ, SIOCOUTQ, FIOASYNC, SIOCATMARK, SIOCGPGRP, SIOCPROTOPRIVATE,
	};
	struct rng *d = &f->rng;
	int zero = 0;

	CALL(f, IOCTL, bus_slot(d), PICK(d, commands), arena_in(d, &zero, sizeof(zero)));
}

void do_fcntl(struct fuzzer *f)
{
	struct rng *d = &f->rng;

	CALL(f, FCNTL, bus_slot(d), F_SETFL, one_in(d, 2) ? O_NONBLOCK : 0);
}
