/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source of all random numbers: one stream for each process, which is a function of the seed
 * and the number of the process, and of nothing else.
 */
#ifndef RNG_H
#define RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

/* The next number; splitmix64. */
static inline uint64_t rng_next(struct rng *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A stream of its own for each pair of numbers. */
static inline struct rng rng_for(uint64_t seed, uint64_t number)
{
	struct rng d = { seed };

	d.state = rng_next(&d) ^ number * 0xd1342543de82ef95;
	return (struct rng){ rng_next(&d) };
}

/* 0 … sides - 1. */
static inline unsigned int roll(struct rng *d, unsigned int sides)
{
	return rng_next(d) % sides;
}

static inline int one_in(struct rng *d, unsigned int n)
{
	return !roll(d, n);
}

#define PICK(d, table) ((table)[roll(d, sizeof(table) / sizeof((table)[0]))])

#endif
