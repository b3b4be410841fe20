/* cli_audit.c - `deploybot audit …`: which of them; verify prints what audit_verify finds.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "cli/cli_audit_inside.h"
#include "lib/err.h"
#include "store/audit_verify.h"
#include "types/settings.h"

/* A running server writes the file right after the commit. */
#define LOOKS	 5
#define PAUSE_NS 200000000

#define WITNESSES_MAX 64

static bool
verify(const char *database, const char *file, struct audit_witness *witnesses, size_t n,
    struct audit_verified *ret, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int look = 0; look < LOOKS; look++) {
		if (look > 0)
			(void)nanosleep(&pause, NULL);
		if (!audit_verify_witnesses(database, file, witnesses, n, ret, err))
			return false;
		if (ret->behind == 0)
			break;
	}
	return true;
}

/* What the chat has, and the log has not, shows that the log was cut or written anew. */
static int
judge_witnesses(const struct audit_witness *witnesses, size_t n)
{
	int status = EX_OK;

	for (size_t i = 0; i < n; i++) {
		if (witnesses[i].seq != 0) {
			(void)printf(
			    "ok: %s is entry %" PRId64 "\n", witnesses[i].digits, witnesses[i].seq);
			continue;
		}
		(void)fprintf(stderr,
		    "error: %s is no entry: if a message of this deploybot shows it, the log was cut off or written anew\n",
		    witnesses[i].digits);
		status = 1;
	}
	return status;
}

static int
judge(const struct audit_verified *found, const char *file)
{
	int status = EX_OK;

	if (found->first > 1 && found->first - 1 <= found->outside)
		(void)printf(
		    "note: entries 1 to %" PRId64
		    " are not in %s: a witness outside has confirmed them; the file begins at the stated head %s\n",
		    found->first - 1, file, found->before);
	else if (found->first > 1) {
		(void)fprintf(stderr, "error: entries 1 to %" PRId64 " are not in %s\n",
		    found->first - 1, file);
		status = 1;
	}
	if (found->behind > 0) {
		(void)fprintf(stderr,
		    "error: the newest %" PRId64
		    " entries are not in %s: it was cut off, or the server cannot write it\n",
		    found->behind, file);
		status = 1;
	}
	if (found->outside > 0)
		(void)printf("ok: a witness outside has confirmed entries 1 to %" PRId64
			     " (--against compares with it)\n",
		    found->outside);
	(void)printf("%s: %" PRId64 " entries in the database, head %s%s\n",
	    status == EX_OK ? "ok" : "note", found->entries, found->head,
	    found->is_witnessed ? " (the newest final message in the chat says the same)" : "");
	return status;
}

static bool
read_arguments(const struct cli *cli, struct audit_witness *ret, size_t *ret_n)
{
	if (cli->argc > 1 + WITNESSES_MAX)
		return false;
	for (int i = 1; i < cli->argc; i++) {
		if (!audit_witness_is_one(cli->argv[i]))
			return false;
		ret[(*ret_n)++] = (struct audit_witness){ .digits = cli->argv[i] };
	}
	return true;
}

static int
audit_verify_all(
    const struct settings *s, const char *database, struct audit_witness *witnesses, size_t n)
{
	struct audit_verified found;
	struct err err;

	if (verify(database, s->audit_log_path, witnesses, n, &found, &err))
		return judge(&found, s->audit_log_path) | judge_witnesses(witnesses, n);
	(void)fprintf(stderr, "error: %s\n", err.text);
	return 1;
}

static const char usage[] =
    "Usage: %s audit verify [DIGITS...]\n"
    "       %s audit tail [-n NUMBER] [--format text|json|csv]\n"
    "       %s audit search [--from TIME] [--to TIME] [--app NAME] [--person ID] [--severity WORD]\n"
    "                       [--code WORD] [-n NUMBER] [--format text|json|csv]\n"
    "       %s audit show NUMBER\n"
    "       %s audit export FOLDER [--from TIME] [--to TIME] [--app NAME] [--format json|csv]\n"
    "DIGITS: the 16 hexadecimal ones behind \"audit\" in a final message; 8 in an old one\n"
    "TIME: 2026-11-20 or 2026-11-20T07:10:48Z, UTC; --to a day includes it\n"
    "WORD: at least info, low, medium, high or critical\n";

int
cli_audit(const struct cli *cli)
{
	static const struct {
		const char *word;
		int (*run)(const struct cli *cli, const char *database);
	} kinds[] = {
		{ "tail", cli_audit_tail },
		{ "search", cli_audit_search },
		{ "show", cli_audit_show },
		{ "export", cli_audit_export },
	};
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	const char *word = cli->argc < 1 ? "" : cli->argv[0], *program = cli->program;
	struct audit_witness witnesses[WITNESSES_MAX];
	char database[PATH_MAX];
	size_t i = 0, n = 0;

	while (i < COUNT(kinds) && strcmp(kinds[i].word, word) != 0)
		i++;
	if (i == COUNT(kinds) && strcmp(word, "verify") != 0) {
		(void)fprintf(stderr, usage, program, program, program, program, program);
		return EX_USAGE;
	}
	if (i == COUNT(kinds) && !read_arguments(cli, witnesses, &n)) {
		(void)fprintf(stderr,
		    "error: audit verify: expected the 16 hexadecimal digits behind \"audit\" in a final message; 8 of an old one\n");
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	cli_database(s, database, sizeof(database));
	return i < COUNT(kinds) ? kinds[i].run(cli, database) :
				  audit_verify_all(s, database, witnesses, n);
}
