/* cli_audit_against.c - gathers what the log is compared with, and compares.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/audit_field.h"

#define EXPORT_MAX (INT64_C(512) << 20)
#define SERVER	   "deploybot-" /* how a server's folder begins */
#define SHOWN	   16 /* digits in the chat; for 8 an entry that begins so is found in hours */

/* --- gathering --- */

static int
compare_names(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool
add_object(struct audit_against *against, const char *path, struct err *err)
{
	struct err why;
	size_t size;
	CLEANUP(freep) char *text = file_read(path, AUDIT_OBJECT_MAX, &size, &why);
	const struct audit_finding finding = {
		.what = FOUND_COPY_BAD, .source = path, .detail = why.text
	};

	if (text == NULL && why.code == ERR_LIMIT) {
		cli_audit_against_print(against, &finding);
		return true;
	}
	if (text == NULL) {
		*err = why;
		return false;
	}
	return audit_copy_add_object(against->copy, path, 0, text, size, err);
}

/* Two servers' objects are two chains. */
static bool
check_server(const FTSENT *entry, char server[NAME_MAX + 1], struct err *err)
{
	const char *name = entry->fts_parent->fts_name;

	if (!text_starts(name, SERVER))
		return true;
	if (server[0] != '\0' && strcmp(server, name) != 0)
		return err_set(err, ERR_INVALID,
		    "it holds objects of several servers (%s, %s): name one of these folders",
		    server, name);
	(void)text_copy(server, NAME_MAX + 1, name);
	return true;
}

static bool
add_file(struct audit_against *against, const FTSENT *entry, char server[NAME_MAX + 1],
    size_t *ignored, struct err *err)
{
	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
		return err_errno(err, ERR_IO, entry->fts_errno, "%s", entry->fts_path);
	if (entry->fts_info != FTS_F)
		return true;
	if (!audit_copy_is_object(entry->fts_name)) {
		++*ignored;
		return true;
	}
	return check_server(entry, server, err) && add_object(against, entry->fts_path, err);
}

static bool
add_folder(struct audit_against *against, const char *path, struct err *err)
{
	char *const paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
	char server[NAME_MAX + 1] = "";
	size_t before = audit_copy_objects(against->copy), ignored = 0;
	const FTSENT *entry;
	bool ok = true;

	if (tree == NULL)
		return err_errno(err, ERR_IO, errno, "%s", path);
	while (ok && (errno = 0, entry = fts_read(tree)) != NULL)
		ok = add_file(against, entry, server, &ignored, err);
	if (ok && errno != 0)
		ok = err_errno(err, ERR_IO, errno, "%s", path);
	(void)fts_close(tree);
	if (ok && ignored > 0)
		(void)printf("note: %s: %zu other files are not looked at\n", path, ignored);
	if (ok && audit_copy_objects(against->copy) == before && against->faults_of_witness == 0)
		return err_set(err, ERR_INVALID,
		    "it holds no object of a witness (FIRST-LAST-HEAD.jsonl); for another copy of the log name its audit.log");
	return ok;
}

/* The log's first line, or a `{` and no audit line: an export of a chat. */
static bool
is_log(const char *path, bool *ret, struct err *err)
{
	FILE *file = fopen(path, "re");
	struct audit_claim claim;
	CLEANUP(freep) char *line = NULL;
	size_t room = 0;
	ssize_t size;

	if (file == NULL)
		return err_errno(err, ERR_IO, errno, "opening it");
	size = getdelim(&line, &room, '\n', file);
	*ret = size > 0 &&
	    audit_chain_read(line, (size_t)size - (line[size - 1] == '\n'), &claim, err);
	(void)fclose(file);
	return true;
}

static bool
add_plain_file(struct audit_against *against, const char *path, const char *bot, struct err *err)
{
	bool is_copy = false;
	size_t size;
	CLEANUP(freep) char *text = NULL;

	if (audit_copy_is_object(path))
		return add_object(against, path, err);
	if (!is_log(path, &is_copy, err))
		return false;
	if (is_copy)
		return audit_copy_add_log(against->copy, path, err);
	text = file_read(path, EXPORT_MAX, &size, err);
	if (text == NULL)
		return false;
	against->has_chat = true;
	return cli_audit_telegram(text, size, bot, &against->heads, err);
}

static bool
gather_one(struct audit_against *against, const char *what,
    const struct audit_against_arguments *arguments, struct err *err)
{
	struct audit_head head;
	struct stat st;
	bool ok;

	if (strcmp(what, "s3") == 0 || text_starts(what, "s3://"))
		return cli_audit_s3(what, arguments->settings, against, err);
	if (stat(what, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			ok = add_folder(against, what, err);
		else if (S_ISREG(st.st_mode))
			ok = add_plain_file(against, what, arguments->bot, err);
		else
			ok = err_set(err, ERR_INVALID, "it is neither a folder nor a file");
		return ok || err_wrap(err, "%s", what);
	}
	if (audit_head_read(&head, what, 0)) {
		cli_audit_heads_add(&against->heads, &head);
		return true;
	}
	return err_errno(err, ERR_MISSING, errno,
	    "--against %s: expected s3, a folder, a file, or 16 hexadecimal digits", what);
}

bool
cli_audit_against_gather(
    const struct audit_against_arguments *arguments, struct audit_against *ret, struct err *err)
{
	size_t n = 0;

	ret->copy = audit_copy_new(cli_audit_against_print, ret, err);
	if (ret->copy == NULL)
		return false;
	for (size_t i = 0; i < arguments->n; i++)
		if (!gather_one(ret, arguments->against[i], arguments, err))
			return false;
	if (!audit_copy_finish(ret->copy, err))
		return false;
	(void)audit_copy_entries(ret->copy, &n);
	if (n == 0) {
		audit_copy_free(ret->copy);
		ret->copy = NULL;
	}
	return true;
}

void
cli_audit_against_done(struct audit_against *against)
{
	audit_copy_free(against->copy);
	for (size_t i = 0; i < against->heads.n; i++) {
		free(against->heads.at[i].by);
		free(against->heads.at[i].file);
	}
	free(against->heads.at);
}

/* --- comparing --- */

static void
print_stamp(const struct audit_head *head, const struct audit_compared *found)
{
	char time[TEXT_TIME_SIZE];

	(void)text_time(time, head->at);
	if (head->seq <= found->flawless)
		(void)printf("ok: entries %" PRId64 " to %" PRId64
			     " are as they were at %s: stamped by %s\n",
		    found->first, head->seq, time, head->by);
	else
		(void)printf("note: entry %" PRId64
			     " is as it was at %s, those before it are not: stamped by %s\n",
		    head->seq, time, head->by);
}

static bool
is_short(const char *digits)
{
	return strlen(digits) < SHOWN;
}

bool
cli_audit_print_digits(const char *digits, int64_t seq)
{
	if (is_short(digits))
		(void)printf(
		    "note: %s is entry %" PRId64
		    "; %zu digits can be made to fit, so they are not counted: newer messages have %d\n",
		    digits, seq, strlen(digits), SHOWN);
	else
		(void)printf("ok: %s is entry %" PRId64 "\n", digits, seq);
	return !is_short(digits);
}

static void
print_heads(const struct audit_against *against, const struct audit_compared *found)
{
	const struct audit_head *best = NULL;
	char time[TEXT_TIME_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < against->heads.n; i++) {
		const struct audit_head *head = &against->heads.at[i];

		if (head->seq == 0)
			continue;
		if (head->by != NULL) {
			print_stamp(head, found);
			continue;
		}
		n++;
		if (head->at == 0)
			(void)cli_audit_print_digits(head->digits, head->seq); /* counted below */
		else if (head->seq <= found->flawless && (best == NULL || head->seq > best->seq))
			best = head;
	}
	if (best != NULL)
		(void)printf("ok: %zu heads are entries; entries %" PRId64 " to %" PRId64
			     " are as they were on %s (head %s in the chat)\n",
		    n, found->first, best->seq, text_time(time, best->at), best->digits);
}

/* When it was, by its own word. */
static const char *
written(
    const struct audit_copy *copy, const struct audit_copy_entry *entry, char out[TEXT_TIME_SIZE])
{
	char line[AUDIT_LINE_MAX];
	struct audit_fields fields = { 0 };

	out[0] = '\0';
	if (audit_copy_text(copy, entry, line, NULL) &&
	    audit_fields_read(&fields, line, entry->size))
		(void)audit_field_text(audit_fields_get(&fields, "timestamp"), out, TEXT_TIME_SIZE);
	return out[strspn(out, "0123456789-:.TZ")] == '\0' ? out : "a time that is none";
}

/* Which of it the witness has, and since when. */
static void
print_agreed(const struct audit_against *against, const struct audit_compared *found)
{
	size_t n;
	const struct audit_copy_entry *entries = audit_copy_entries(against->copy, &n);
	char first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE];
	const char *name;
	int64_t from, to;

	(void)audit_copy_source(against->copy, &entries[0], &from);
	name = audit_copy_source(against->copy, &entries[n - 1], &to);
	(void)printf("%s: %" PRId64 " of %zu entries (%" PRId64 " to %" PRId64
		     ") are as the witness has them",
	    against->faults_of_log == 0 ? "ok" : "note", found->same, n, entries[0].seq,
	    entries[n - 1].seq);
	if (from != 0 && to != 0)
		(void)printf(", the oldest since %s, the newest since %s", text_time(first, from),
		    text_time(last, to));
	(void)printf(" (%s)\n", name);
	if (found->newer > 0)
		(void)printf(
		    "note: %" PRId64
		    " entries are newer than the witness's newest, of %s: nothing outside shows them yet; a server that reaches its witness has them there within a minute\n",
		    found->newer, written(against->copy, &entries[n - 1], last));
}

/* What the newest head that was kept does not reach. */
static void
print_unreached(const struct audit_against *against, const struct audit_compared *found)
{
	int64_t newest = 0;

	for (size_t i = 0; i < against->heads.n; i++) {
		const struct audit_head *head = &against->heads.at[i];

		if (head->seq > newest && (head->at != 0 || !is_short(head->digits)))
			newest = head->seq;
	}
	if (newest == 0)
		return;
	if (newest < found->last)
		(void)printf(
		    "note: what is behind entry %" PRId64 ", up to entry %" PRId64
		    ", stands on the log's own chain alone: compare a newer head, a stamp, or a witness (--against)\n",
		    newest, found->last);
	(void)printf(
	    "note: no head shows what was cut off behind entry %" PRId64 "\n", found->last);
}

static int
conclude(const struct audit_against *against, const struct audit_compared *found, const char *log)
{
	if (against->printed > PRINTED_MAX)
		(void)fprintf(stderr, "error: %zu findings in all\n", against->printed);
	if (against->faults_of_log > 0) {
		if (against->faults_of_log == against->missing_heads)
			(void)fprintf(stderr,
			    "error: %s is not what it was: its chain fits to itself, and not to what was kept\n",
			    log);
		else if (found->flawless > 0)
			(void)fprintf(stderr,
			    "error: %s is not what it was: whole are entries %" PRId64
			    " to %" PRId64 "\n",
			    log, found->first, found->flawless);
		else
			(void)fprintf(stderr, "error: %s is not what it was\n", log);
		return 1;
	}
	(void)printf("%s: %s: %" PRId64 " entries, head %s\n",
	    against->faults_of_witness > 0 ? "note" : "ok", log, found->entries,
	    found->entries == 0 ? "none" : found->head);
	if (against->copy == NULL && against->heads.n == 0)
		(void)printf(
		    "note: by its own chain alone: whoever owns the machine can write one anew whole; compare it with --against\n");
	else if (against->copy == NULL)
		print_unreached(against, found);
	if (against->faults_of_witness == 0)
		return EX_OK;
	(void)fprintf(stderr,
	    "error: the log is as the witness has it, but with the witness itself %zu things are wrong\n",
	    against->faults_of_witness);
	return 1;
}

int
cli_audit_against_compare(struct audit_against *against, const char *log)
{
	struct audit_compared found;
	struct err err;

	if (!audit_compare(&(struct audit_compare_config){ .log = log,
			       .copy = against->copy,
			       .heads = against->heads.at,
			       .n_heads = against->heads.n,
			       .found = cli_audit_against_print,
			       .ctx = against },
		&found, &err))
		return cli_fail(&err);
	if (against->copy != NULL)
		print_agreed(against, &found);
	print_heads(against, &found);
	return conclude(against, &found, log);
}
