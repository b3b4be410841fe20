/* lines.c - a program that tells when it began and prints lines, as the bench's deploy script. */
/* SPDX-License-Identifier: ISC */
/*
 *   lines BYTES          "began NANOSECONDS" (CLOCK_MONOTONIC), then BYTES bytes in lines of 80
 *   lines ENV COMMIT     the same without any: what deploybot starts
 *
 * Without libc, whose own start takes 0.7 ms and more where CPUID is trapped by a hypervisor, and
 * the dynamic linker's as much again, before main().  And small, as scripts are: the runner reads
 * and hashes a script twice between Confirm and its start (the 770 KB of a static libc: 12 ms).
 */
#include "tests/bench/bare.h"

#define LINE  80
#define LINES 819 /* in one write: just below 64 KB */

static void
write_all(const char *data, size_t size)
{
	while (size > 0) {
		long n = call(SYS_write, 1, data, size, 0);

		if (n <= 0)
			leave(1);
		data += n;
		size -= (size_t)n;
	}
}

static void
write_number(unsigned long long number)
{
	char text[NUMBER_SIZE];
	size_t at = put_number(text, sizeof(text), number);

	write_all(text + at, sizeof(text) - at);
}

/* What the kernel has put on the stack: argc, and behind it argv. */
__attribute__((used)) _Noreturn void
begin(const long *stack)
{
	static const char first[] = "began ", behind[] = "\n==> release\n";
	static char block[LINE * LINES];
	unsigned long long began = now_ns();
	size_t left = 0;

	if (stack[0] == 2)
		for (const char *c = (const char *)stack[2]; *c >= '0' && *c <= '9'; c++)
			left = left * 10 + (size_t)(*c - '0');
	write_all(first, sizeof(first) - 1);
	write_number(began);
	write_all(behind, sizeof(behind) - 1);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i % LINE == LINE - 1 ? '\n' : (char)('a' + i % 26);
	while (left > 0) {
		size_t part = left < sizeof(block) ? left : sizeof(block);

		write_all(block, part);
		left -= part;
	}
	leave(0);
}
