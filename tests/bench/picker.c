/* picker.c - how long reading a push's JSON takes, in microseconds: the best of many rounds. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <time.h>

#include "forges/github_payload.h"
#include "lib/err.h"
#include "lib/file.h"

#define ROUNDS 50
#define TIMES  200
#define MAX    (1 << 20)

static double
now_us(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

int
main(int argc, char **argv)
{
	struct github_payload payload;
	double best = 1e9, took;
	struct err err;
	size_t size;
	char *text;

	text = argc == 2 ? file_read(argv[1], MAX, &size, &err) : NULL;
	if (text == NULL)
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		took = -now_us();
		for (int i = 0; i < TIMES; i++)
			if (!github_payload_read(text, size, &payload, &err))
				return 1;
		took = (took + now_us()) / TIMES;
		best = took < best ? took : best;
	}
	(void)printf("%.2f\n", best);
	return 0;
}
