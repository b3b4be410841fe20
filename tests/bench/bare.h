/* bare.h - the kernel's calls and where a program begins, for programs without libc: lines.c, asked.c. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#define NUMBER_SIZE    24 /* of digits, at most */
#define SIGCHLD_NUMBER 17

static long
call(long number, long a, const void *b, size_t c, size_t d)
{
#if defined(__x86_64__)
	register size_t r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register const void *x1 __asm__("x1") = b;
	register size_t x2 __asm__("x2") = c;
	register size_t x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#else
#error "how is the kernel called here?"
#endif
}

static _Noreturn void
leave(long status)
{
	for (;;)
		(void)call(SYS_exit_group, status, NULL, 0, 0);
}

static unsigned long long
now_ns(void)
{
	struct timespec at;

	(void)call(SYS_clock_gettime, CLOCK_MONOTONIC, &at, 0, 0);
	return (unsigned long long)at.tv_sec * 1000000000 + (unsigned long long)at.tv_nsec;
}

/* In front of text[end]; returns where it begins. */
static size_t
put_number(char *text, size_t end, unsigned long long number)
{
	do
		text[--end] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return end;
}

_Noreturn void begin(const long *stack);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl begin\n");
#endif
