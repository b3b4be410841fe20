/* cli_audit_verify.c - `deploybot audit verify`: with the database beside it, or a log alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "cli/audit/cli_audit_inside.h"
#include "cli/audit/cli_audit_stamps.h"
#include "lib/clean.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/audit_verify.h"
#include "types/settings.h"

/* A running server writes the file right after the commit. */
#define LOOKS	 5
#define PAUSE_NS 200000000

#define WITNESSES_MAX 64
#define HEADS_SHOWN   50
#define DATE	      10 /* of a time's text */

struct arguments {
	const char *log; /* NULL: that of the settings */
	struct audit_witness digits[WITNESSES_MAX];
	size_t n_digits;
	struct audit_against_arguments against;
	bool is_missing; /* what was refused: a file that is not there */
};

/* --- with the database --- */

static bool
verify(const struct audit_source *source, struct audit_witness *witnesses, size_t n,
    struct audit_verified *ret, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int look = 0; look < LOOKS; look++) {
		if (look > 0)
			(void)nanosleep(&pause, NULL);
		if (!audit_verify_witnesses(source, witnesses, n, ret, err))
			return false;
		if (ret->behind == 0 || source->log == NULL)
			break;
	}
	return true;
}

/* What the chat has, and the log has not, shows that the log was cut or written anew; or it is of
 * the log that went on without a copy. */
static int
judge_witnesses(const struct audit_witness *witnesses, size_t n, int64_t last, int64_t restored)
{
	char copy[160] = "";
	int64_t newest = 0;
	int status = EX_OK;

	if (restored != 0)
		(void)snprintf(copy, sizeof(copy),
		    "; or it is newer than the copy started with --restored (entry %" PRId64 ")",
		    restored);
	for (size_t i = 0; i < n; i++) {
		if (witnesses[i].seq != 0) {
			if (cli_audit_print_digits(witnesses[i].digits, witnesses[i].seq) &&
			    witnesses[i].seq > newest)
				newest = witnesses[i].seq;
			continue;
		}
		(void)fprintf(stderr,
		    "error: %s is no entry: if a message of this deploybot shows it, the log was cut off or written anew%s\n",
		    witnesses[i].digits, copy);
		status = 1;
	}
	if (newest > 0 && newest < last)
		(void)printf(
		    "note: what is behind entry %" PRId64 ", up to entry %" PRId64
		    ", stands on the log's own chain alone: compare the newest message of the chat, or a witness (--against)\n",
		    newest, last);
	return status;
}

/* The file beside the rows. */
static int
judge_file(const struct audit_verified *found, const char *file)
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
	if (found->other_leads != 0 && found->behind > 0)
		(void)printf(
		    "note: the newest %" PRId64
		    " entries are not in %s: another server leads, and has them in its own\n",
		    found->behind, file);
	else if (found->behind > 0) {
		(void)fprintf(stderr,
		    "error: the newest %" PRId64
		    " entries are not in %s: it was cut off, or the server cannot write it\n",
		    found->behind, file);
		status = 1;
	}
	return status;
}

static void
on_head(void *ctx, UNUSED const char *key, bool is_newer, const char *text)
{
	int64_t *n = ctx;

	if (++*n > HEADS_SHOWN)
		return;
	if (is_newer)
		(void)printf("note: %s\n", text);
	else
		(void)fprintf(stderr, "error: %s\n", text);
}

/* Also where the chain is not whole: each says by itself how far it went. */
static int
judge_heads(const struct audit_source *source)
{
	struct audit_heads_found heads;
	int64_t n = 0;
	struct err err;

	if (!audit_heads_read(source, on_head, NULL, &n, &heads, &err)) {
		(void)fprintf(stderr, "error: %s\n", err.text);
		return 1;
	}
	if (n > HEADS_SHOWN)
		(void)fprintf(stderr, "error: and %" PRId64 " more\n", n - HEADS_SHOWN);
	if (heads.missing > 0)
		(void)fprintf(
		    stderr, "error: entries behind the newest one of the database were cut off\n");
	return heads.missing > 0 ? 1 : EX_OK;
}

static int
judge(const struct audit_verified *found, const struct audit_source *source)
{
	const char *file = source->log;
	int status = judge_heads(source) | (file == NULL ? EX_OK : judge_file(found, file));
	char time[TEXT_TIME_SIZE];

	if (file == NULL)
		(void)printf("note: the database alone: no log was named to compare it with\n");
	if (found->outside > 0)
		(void)printf(
		    "note: by the database a witness outside has confirmed entries 1 to %" PRId64
		    "; --against s3 asks it\n",
		    found->outside);
	if (found->line > 0)
		(void)printf("note: by the database the chats were sent entry %" PRId64
			     ", audit %s, as the line of %.*s: compare it with theirs\n",
		    found->line, found->line_head, DATE, text_time(time, found->line_at));
	(void)printf("%s: %" PRId64 " entries in the database, head %s\n",
	    status == EX_OK ? "ok" : "note", found->entries, found->head);
	return status;
}

static int
verify_database(const struct audit_source *source, struct arguments *arguments)
{
	struct audit_verified found;
	struct err err;

	if (verify(source, arguments->digits, arguments->n_digits, &found, &err))
		return judge(&found, source) |
		    judge_witnesses(
			arguments->digits, arguments->n_digits, found.entries, found.restored);
	(void)fprintf(stderr, "error: %s\n", err.text);
	if (db_is_url(source->database) && err.is_of_database)
		return err_exit_status(err.code); /* that says nothing of the log */
	(void)judge_heads(source);
	return 1;
}

int
cli_audit_verify_source(const struct audit_source *source)
{
	struct audit_against against = { 0 };

	return source->database != NULL ? verify_database(source, &(struct arguments){ 0 }) :
					  cli_audit_against_compare(&against, source->log);
}

/* --- a log alone, or against something --- */

static bool
refuse(const char *why, const char *word)
{
	(void)fprintf(
	    stderr, "error: audit verify: %s%s%s\n", why, word[0] == '\0' ? "" : ": ", word);
	return false;
}

static bool
add_digits(struct audit_heads *heads, const struct arguments *arguments)
{
	struct audit_head head;

	for (size_t i = 0; i < arguments->n_digits; i++) {
		if (!audit_head_read(&head, arguments->digits[i].digits, 0))
			return false;
		cli_audit_heads_add(heads, &head);
	}
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
	    (arguments->log != NULL && !add_digits(&against.heads, arguments))) {
		/* Names in a bucket are whoever's may write there. */
		(void)clean_line(said, sizeof(said), err.text, strlen(err.text));
		(void)fprintf(stderr, "error: %s\n", said);
		status = err_exit_status(err.code);
	} else if (arguments->against.bot != NULL && !against.has_chat) {
		(void)refuse(
		    "--bot: --against names no export of a chat, where it would choose the sender",
		    ""); /* always false */
		status = EX_USAGE;
	} else {
		status = cli_audit_against_compare(&against, log);
		faults = against.faults_of_log;
		if (cli_audit_has_stamps(log) && !cli_audit_stamps_days(log, &against, &err)) {
			status = cli_fail(&err);
		} else if (against.faults_of_log > faults && status == EX_OK) {
			status = 1;
		}
	}
	cli_audit_against_done(&against);
	return status;
}

/* --- arguments --- */

/* "123", or as a chat's export has it: "user123", and in a channel "channel123". */
static bool
is_sender(const char *text)
{
	if (text_starts(text, "user"))
		text += strlen("user");
	else if (text_starts(text, "channel"))
		text += strlen("channel");
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool
take_word(struct arguments *arguments, const char *word)
{
	const char *why;
	struct stat st;

	if (audit_witness_is_one(word)) {
		if (arguments->n_digits == WITNESSES_MAX)
			return refuse("at most 64 times digits", "");
		arguments->digits[arguments->n_digits++] = (struct audit_witness){ .digits = word };
		return true;
	}
	if (strpbrk(word, "/.") == NULL && stat(word, &st) != 0)
		return refuse(
		    "there is no such file, and these are not the 16 hexadecimal digits behind \"audit\" in a message of the chat (8 of an old one)",
		    word);
	if (arguments->log != NULL)
		return refuse("one log at a time", word);
	if (!cli_audit_is_log(word, &why)) {
		arguments->is_missing = stat(word, &st) != 0;
		return refuse(why, "");
	}
	arguments->log = word;
	return true;
}

static bool
read_arguments(const struct cli *cli, struct arguments *ret)
{
	const char *bot = cli->value[OPTION_BOT];

	for (int i = 0; i < cli->argc; i++)
		if (!take_word(ret, cli->argv[i]))
			return false;
	if (bot != NULL && !is_sender(bot)) {
		(void)cli_refuse(cli, OPTION_BOT, bot, NULL); /* 64 */
		return false;
	}
	ret->against = (struct audit_against_arguments){
		.against = cli->many,
		.n = cli->many_count,
		.bot = bot,
		.tsa_ca = cli->value[OPTION_TSA_CA],
	};
	return true;
}

/* What nothing would read was typed in the belief that something did.  log NULL: none. */
static bool
check_options(const struct arguments *arguments, const char *log)
{
	const char *authority = arguments->against.tsa_ca;
	struct stat st;

	if (arguments->against.bot != NULL && arguments->against.n == 0)
		return refuse(
		    "--bot: it chooses the sender in a chat's export, and --against names none",
		    "");
	if (authority == NULL)
		return true;
	if (stat(authority, &st) != 0 || !S_ISREG(st.st_mode) || access(authority, R_OK) != 0)
		return refuse("--tsa-ca: expected a file (PEM) that can be read", authority);
	if (log == NULL)
		return refuse("--tsa-ca: timestamps stand beside a log: name its path, too", "");
	if (!cli_audit_has_stamps(log))
		return refuse("--tsa-ca: no timestamp stands beside the log", log);
	return true;
}

/* The database, and its log against what there is to compare it with. */
static int
verify_both(struct arguments *arguments, const struct audit_source *source)
{
	int status = verify_database(source, arguments);

	arguments->n_digits = 0; /* the rows were asked */
	return source->log == NULL ||
		(arguments->against.n == 0 && !cli_audit_has_stamps(source->log)) ?
	    status :
	    status | compare(arguments, source->log);
}

/* Of a copy of the database, with the log where one was named. */
static int
verify_copy(struct arguments *arguments, struct audit_source *source)
{
	if (!check_options(arguments, arguments->log))
		return EX_USAGE;
	if (arguments->log == NULL && arguments->against.n > 0) {
		(void)refuse("--against compares a log: name its path, too", ""); /* always false */
		return EX_USAGE;
	}
	source->log = arguments->log;
	return verify_both(arguments, source);
}

int
cli_audit_verify(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct arguments arguments = { 0 };
	struct audit_source source = { 0 };

	if (!read_arguments(cli, &arguments))
		return arguments.is_missing ? EX_NOINPUT : EX_USAGE;
	cli_audit_copy(cli, &source);
	if (cli->value[OPTION_ENV_FILE] != NULL &&
	    (source.database != NULL || arguments.log != NULL)) {
		(void)refuse("--env-file beside --database or a log's path: one or the other", "");
		return EX_USAGE;
	}
	if (source.database != NULL)
		return verify_copy(&arguments, &source);
	if (arguments.log != NULL)
		return check_options(&arguments, arguments.log) ?
		    compare(&arguments, arguments.log) :
		    EX_USAGE;
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	if (!check_options(&arguments, s->audit_log_path))
		return EX_USAGE;
	arguments.against.settings = s;
	source = (struct audit_source){
		.database = s->database, .log = s->audit_log_path, .server = settings_server_name(s)
	};
	return verify_both(&arguments, &source);
}
