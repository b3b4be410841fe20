/* main.c - deploybot-judge: a compose file, or what compose makes of one, is read and judged.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "judge/judge.h"
#include "lib/err.h"
#include "lib/version.h"

#define EXIT_USAGE   64
#define EXIT_REFUSED 70
#define SECONDS_MAX  10 /* of processor time: a file that fits takes milliseconds */

static const char usage[] =
    "usage: deploybot-judge text <FILE\n"
    "       deploybot-judge config [ALLOW] <FILE\n"
    "       deploybot-judge --version | --help\n"
    "\n"
    "Judges a compose file that came from a repository: its text, by what compose would read\n"
    "besides, or what `compose config` prints of it, by what reaches beyond its containers.\n"
    "ALLOW is COMPOSE_ALLOW, with commas between its words.  Exit status 0, and a line\n"
    "WHERE<tab>PATH for each path of the host that it names, for that host to look where it\n"
    "leads; or 70 where it is refused, and a sentence.  Opens no file and no connection.\n";

/* Whatever is in the file: nothing is opened, and it ends. */
static void
confine(void)
{
	const struct rlimit seconds = { SECONDS_MAX, SECONDS_MAX };
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(
	    RLIMIT_CPU, &seconds);	     /* best effort, all: who started us has a clock too */
	(void)setrlimit(RLIMIT_CORE, &none); /* it may have secrets of the application */
#ifndef __SANITIZE_ADDRESS__		     /* that opens files at its end */
	(void)setrlimit(RLIMIT_NOFILE, &none);
#endif
}

static bool
read_all(struct buf *text, struct err *err)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n > 0)
			buf_add(text, piece, (size_t)n);
		else if (errno != EINTR)
			return err_errno(err, ERR_IO, errno, "it cannot be read");
	}
	return buf_check(text, err);
}

static bool
judge_it(struct judge *judge, bool is_config, struct err *err)
{
	CLEANUP(buf_done) struct buf text = buf_make(is_config ? JUDGE_CONFIG_MAX : JUDGE_FILE_MAX);

	return read_all(&text, err) &&
	    (is_config ? judge_config : judge_text)(judge, buf_text(&text), text.size, err);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool is_config = strcmp(what, "config") == 0;
	struct judge judge;
	struct err err = { 0 };
	int status = 0;

	if (argc == 2 && strcmp(what, "--version") == 0)
		return printf("deploybot-judge %s\n", version_text) < 0;
	if (argc == 2 && strcmp(what, "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (!(strcmp(what, "text") == 0 && argc == 2) && !(is_config && argc <= 3)) {
		(void)fputs(usage, stderr); /* nobody else to say it to */
		return EXIT_USAGE;
	}
	confine();
	judge_init(&judge, argc == 3 ? argv[2] : "");
	if (!judge_it(&judge, is_config, &err))
		status = err.code == ERR_IO ? err_exit_status(err.code) : EXIT_REFUSED;
	if (printf("%s%s", status == 0 ? buf_text(&judge.paths) : err.text,
		status == 0 ? "" : "\n") < 0 ||
	    fflush(stdout) != 0)
		status = err_exit_status(ERR_IO);
	judge_done(&judge);
	return status;
}
