/* lines.c - a program that tells when it began and prints lines, as the bench's deploy script. */
/* SPDX-License-Identifier: ISC */
/*
 *   lines BYTES          "began NANOSECONDS" (CLOCK_MONOTONIC), then BYTES bytes in lines of 80
 *   lines ENV COMMIT     the same without any: what deploybot starts
 *
 * Linked static, and entered at `first`: libc's own start takes 0.7 ms and more where CPUID is
 * trapped by a hypervisor, and the dynamic linker's as much again, before main().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE  80
#define LINES 819 /* in one write: just below 64 KB */

static struct timespec began __attribute__((used)); /* the lines below know its name */

/* Where the kernel begins: asks for the time, and goes on where it would else have begun. */
#ifdef __x86_64__
_Static_assert(SYS_clock_gettime == 228 && CLOCK_MONOTONIC == 1, "as it is asked for below");
__asm__(".globl first\n"
	"first:\n"
	"	mov $228, %eax\n"
	"	mov $1, %edi\n"
	"	lea began(%rip), %rsi\n"
	"	syscall\n"
	"	jmp _start\n");
#else
__asm__(".globl first\n"
	".set first, _start\n"); /* main() asks */
#endif

static void
write_all(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, data, size);

		if (n <= 0)
			exit(1);
		data += n;
		size -= (size_t)n;
	}
}

int
main(int argc, char **argv)
{
	static char block[LINE * LINES];
	size_t left = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	char head[64];
	int size;

	if (began.tv_sec == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &began);
	size = snprintf(head, sizeof(head), "began %lld\n==> release\n",
	    (long long)began.tv_sec * 1000000000 + began.tv_nsec);
	write_all(head, (size_t)size);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i % LINE == LINE - 1 ? '\n' : (char)('a' + i % 26);
	while (left > 0) {
		size_t part = left < sizeof(block) ? left : sizeof(block);

		write_all(block, part);
		left -= part;
	}
	return 0;
}
