/* readers.c - many who follow one file as it grows, as `tail -f` does; until it is ended. */
/* SPDX-License-Identifier: ISC */
/*
 *   readers COUNT FILE      prints how many bytes they have read in all
 *
 * Each has a descriptor and a place of its own and reads what is new in pieces of 64 KB, in turns
 * 10 ms apart; one that is a megabyte behind goes on at the end, as a person at a terminal would.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT_MAX 1000
#define PIECE	  65536
#define BEHIND	  1048576
#define TURN_MS	  10

static volatile sig_atomic_t is_over;

static void
on_term(int number)
{
	(void)number;
	is_over = 1;
}

int
main(int argc, char **argv)
{
	static char piece[PIECE];
	size_t count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long long total = 0;
	int fds[COUNT_MAX];

	if (count == 0 || count > COUNT_MAX)
		return 2;
	(void)signal(SIGTERM, on_term);
	for (size_t i = 0; i < count; i++)
		if ((fds[i] = open(argv[2], O_RDONLY | O_CLOEXEC)) < 0)
			return 1;
	while (!is_over) {
		for (size_t i = 0; i < count; i++) {
			struct stat st;
			ssize_t n;

			if (fstat(fds[i], &st) == 0 &&
			    st.st_size - lseek(fds[i], 0, SEEK_CUR) > BEHIND)
				(void)lseek(fds[i], st.st_size - PIECE, SEEK_SET);
			n = read(fds[i], piece, sizeof(piece));
			total += n > 0 ? (unsigned long long)n : 0;
		}
		(void)poll(NULL, 0, TURN_MS);
	}
	(void)printf("%llu\n", total);
	return 0;
}
