/* cli_audit_verify.c - `deploybot audit verify`: with the database beside it, or a log alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "cli/cli_audit_against_inside.h"
#include "cli/cli_audit_inside.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "types/settings.h"

/* A running server writes the file right after the commit. */
#define LOOKS	 5
#define PAUSE_NS 200000000

#define WITNESSES_MAX 64

struct arguments {
	const char *log; /* NULL: that of the settings */
	struct audit_witness digits[WITNESSES_MAX];
	size_t n_digits;
	struct audit_against_arguments against;
};

/* --- with the database --- */

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
judge_witnesses(const struct audit_witness *witnesses, size_t n, int64_t last)
{
	int64_t newest = 0;
	int status = EX_OK;

	for (size_t i = 0; i < n; i++) {
		if (witnesses[i].seq != 0) {
			(void)printf(
			    "ok: %s is entry %" PRId64 "\n", witnesses[i].digits, witnesses[i].seq);
			if (witnesses[i].seq > newest)
				newest = witnesses[i].seq;
			continue;
		}
		(void)fprintf(stderr,
		    "error: %s is no entry: if a message of this deploybot shows it, the log was cut off or written anew\n",
		    witnesses[i].digits);
		status = 1;
	}
	if (newest > 0 && newest < last)
		(void)printf(
		    "note: what is behind entry %" PRId64 ", up to entry %" PRId64
		    ", stands on the log's own chain alone: compare the newest message of the chat, or a witness (--against)\n",
		    newest, last);
	return status;
}

static int
judge(const struct audit_verified *found, const char *file)
{
	int status = EX_OK;

	if (found->first > 1 && found->first - 1 <= found->outside)
		(void)printf(
		    "note: entries 1 to %" PRId64
		    " are not in %s: by the database a witness outside has confirmed them; the file begins at the stated head %s\n",
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
		(void)printf(
		    "note: by the database a witness outside has confirmed entries 1 to %" PRId64
		    "; --against s3 asks it\n",
		    found->outside);
	(void)printf("%s: %" PRId64 " entries in the database, head %s%s\n",
	    status == EX_OK ? "ok" : "note", found->entries, found->head,
	    found->is_witnessed ?
		" (the newest final message in the chat should show it: compare)" :
		"");
	return status;
}

int
cli_audit_verify_rows(const char *database, const char *log)
{
	struct audit_verified found;
	struct err err;

	if (verify(database, log, NULL, 0, &found, &err))
		return judge(&found, log);
	(void)fprintf(stderr, "error: %s\n", err.text);
	return 1;
}

static int
verify_database(const struct settings *s, struct arguments *arguments)
{
	char database[PATH_MAX];
	struct audit_verified found;
	struct err err;

	cli_database(s, database, sizeof(database));
	if (verify(
		database, s->audit_log_path, arguments->digits, arguments->n_digits, &found, &err))
		return judge(&found, s->audit_log_path) |
		    judge_witnesses(arguments->digits, arguments->n_digits, found.entries);
	(void)fprintf(stderr, "error: %s\n", err.text);
	return 1;
}

/* --- a log alone, or against something --- */

static bool
add_digits(struct audit_heads *heads, const struct arguments *arguments, struct err *err)
{
	struct audit_head head;

	for (size_t i = 0; i < arguments->n_digits; i++)
		if (!audit_head_read(&head, arguments->digits[i].digits, 0) ||
		    !cli_audit_heads_add(heads, &head, err))
			return false;
	return true;
}

static int
compare(const struct arguments *arguments, const char *log)
{
	struct audit_against against = { 0 };
	char said[sizeof(((struct err *)NULL)->text)];
	struct err err;
	size_t faults;
	int status;

	if (!cli_audit_against_gather(&arguments->against, &against, &err) ||
	    !cli_audit_stamps(log, arguments->against.tsa_ca, &against, &err) ||
	    (arguments->log != NULL && !add_digits(&against.heads, arguments, &err))) {
		/* Names in a bucket are whoever's may write there. */
		(void)clean_line(said, sizeof(said), err.text, strlen(err.text));
		(void)fprintf(stderr, "error: %s\n", said);
		status = err_exit_status(err.code);
	} else {
		status = cli_audit_against_compare(&against, log);
		faults = against.faults_of_log;
		if (cli_audit_has_stamps(log) && !cli_audit_stamps_days(log, &against, &err)) {
			(void)fprintf(stderr, "error: %s\n", err.text);
			status = err_exit_status(err.code);
		} else if (against.faults_of_log > faults && status == EX_OK) {
			status = 1;
		}
	}
	cli_audit_against_done(&against);
	return status;
}

/* --- arguments --- */

static bool
refuse(const char *why, const char *word)
{
	(void)fprintf(
	    stderr, "error: audit verify: %s%s%s\n", why, word[0] == '\0' ? "" : ": ", word);
	return false;
}

static bool
take_word(struct arguments *arguments, const char *word)
{
	struct stat st;

	if (audit_witness_is_one(word)) {
		if (arguments->n_digits == WITNESSES_MAX)
			return refuse("at most 64 times digits", "");
		arguments->digits[arguments->n_digits++] = (struct audit_witness){ .digits = word };
		return true;
	}
	if (word[0] == '-' || (strpbrk(word, "/.") == NULL && stat(word, &st) != 0))
		return refuse(
		    "expected the 16 hexadecimal digits behind \"audit\" in a final message; 8 of an old one; or a log's path",
		    word);
	if (arguments->log != NULL)
		return refuse("one log at a time", word);
	if (stat(word, &st) != 0 || !S_ISREG(st.st_mode))
		return refuse("there is no such file", word);
	arguments->log = word;
	return true;
}

static bool
read_arguments(const struct cli *cli, struct arguments *ret)
{
	for (int i = 1; i < cli->argc; i++) {
		const char *word = cli->argv[i];
		bool is_bot = strcmp(word, "--bot") == 0, is_ca = strcmp(word, "--tsa-ca") == 0;

		if (!is_bot && !is_ca && strcmp(word, "--against") != 0) {
			if (!take_word(ret, word))
				return false;
			continue;
		}
		if (++i == cli->argc)
			return refuse("something must follow", word);
		if (is_bot)
			ret->against.bot = cli->argv[i];
		else if (is_ca)
			ret->against.tsa_ca = cli->argv[i];
		else if (ret->against.n == AGAINST_MAX)
			return refuse("at most 64 times", word);
		else
			ret->against.against[ret->against.n++] = cli->argv[i];
	}
	return true;
}

int
cli_audit_verify(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct arguments arguments = { 0 };
	int status;

	if (!read_arguments(cli, &arguments))
		return EX_USAGE;
	if (arguments.log != NULL)
		return compare(&arguments, arguments.log);
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	arguments.against.settings = s;
	if (arguments.against.tsa_ca == NULL)
		arguments.against.tsa_ca = s->audit_timestamp_ca;
	status = verify_database(s, &arguments);
	return arguments.against.n == 0 && !cli_audit_has_stamps(s->audit_log_path) ?
	    status :
	    status | compare(&arguments, s->audit_log_path);
}
