/* cli_audit_against.c - gathers what the log is compared with, and prints what was found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/cli_audit_against_inside.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define PRINTED_MAX 200
#define EXPORT_MAX  (INT64_C(512) << 20)
#define SERVER	    "deploybot-" /* how a server's folder begins */

/* --- printing --- */

static void
print_entries(FILE *out, const struct audit_finding *f)
{
	if (f->first == f->last)
		(void)fprintf(out, "entry %" PRId64, f->first);
	else
		(void)fprintf(out, "entries %" PRId64 " to %" PRId64, f->first, f->last);
}

static void
print_place(FILE *out, const struct audit_finding *f)
{
	if (f->file != NULL)
		(void)fprintf(out, " (%s line %" PRId64 ")", f->file, f->line);
}

/* " (NAME, of 2026-11-20T07:10:48Z)" */
static void
print_object(FILE *out, const char *name, int64_t at)
{
	char time[TEXT_TIME_SIZE];

	if (name == NULL)
		return;
	(void)fprintf(out, " (%s", name);
	if (at != 0)
		(void)fprintf(out, ", of %s", text_time(time, at));
	(void)fputc(')', out);
}

/* Since when is it proven that it was otherwise? */
static void
print_since(FILE *out, const char *what, const struct audit_finding *f)
{
	char time[TEXT_TIME_SIZE];

	if (f->source == NULL)
		return;
	(void)fprintf(out, "; %s", what);
	if (f->at != 0)
		(void)fprintf(out, " since %s", text_time(time, f->at));
	(void)fprintf(out, " (%s)", f->source);
}

static void
print_words(FILE *out, const struct audit_finding *f, const char *words, const char *since)
{
	print_entries(out, f);
	(void)fprintf(out, " %s %s", f->first == f->last ? "was" : "were", words);
	print_place(out, f);
	if (f->detail != NULL)
		(void)fprintf(out, ": %s", f->detail);
	if (since != NULL)
		print_since(out, since, f);
}

static void
print_of_log(FILE *out, const struct audit_finding *f)
{
	bool is_one = f->first == f->last;

	switch (f->what) {
	case FOUND_CHANGED:
		if (f->first == 0) {
			(void)fprintf(out, "%s line %" PRId64 ": %s", f->file, f->line, f->detail);
			break;
		}
		print_words(out, f, "changed", "the witness has it otherwise");
		break;
	case FOUND_REHASHED:
		print_words(out, f,
		    "hashed anew: what they say is the same, their number or hash is not",
		    "the witness has the old hash");
		break;
	case FOUND_REMOVED:
		print_words(out, f, "removed", "the witness has it");
		break;
	case FOUND_INSERTED:
		if (f->first == 0)
			(void)fprintf(out, "%s line %" PRId64 " was inserted: %s", f->file, f->line,
			    f->detail);
		else
			print_words(
			    out, f, "inserted: the witness has another one of that number", NULL);
		break;
	case FOUND_MOVED:
		print_words(out, f, "moved: later ones stand before", "the witness has the order");
		break;
	case FOUND_CUT_FRONT:
		print_entries(out, f);
		(void)fprintf(out, " %s not in the log: it was cut off at its beginning",
		    is_one ? "is" : "are");
		print_since(out, "the witness has the last of them", f);
		break;
	case FOUND_CUT_END:
		print_entries(out, f);
		(void)fprintf(
		    out, " %s not in the log: it was cut off at its end", is_one ? "is" : "are");
		print_since(out, "the witness has the first of them", f);
		break;
	case FOUND_UNLINKED:
		print_entries(out, f);
		(void)fprintf(out, " %s not fit into the chain", is_one ? "does" : "do");
		print_place(out, f);
		if (f->detail != NULL)
			(void)fprintf(out, ": %s", f->detail);
		break;
	case FOUND_UNENDED:
		(void)fprintf(out, "%s line %" PRId64 ": it is cut off, its newline is missing",
		    f->file, f->line);
		break;
	case FOUND_FILE_NAME:
		(void)fprintf(out,
		    "%s begins with entry %" PRId64 ": its name says another, it was renamed",
		    f->file, f->first);
		break;
	case FOUND_HEAD_MISSING:
		if (f->detail != NULL) {
			char time[TEXT_TIME_SIZE];

			(void)fprintf(out,
			    "%.16s, stamped at %s by %s, is no entry: the log was changed, cut off or written anew",
			    f->source, text_time(time, f->at), f->detail);
			break;
		}
		/* FALLTHROUGH */
	default:
		(void)fprintf(out,
		    "%s is no entry: if a message of this deploybot shows it, the log was cut off or written anew",
		    f->source);
		if (f->at != 0)
			print_since(
			    out, "seen", &(struct audit_finding){ .at = f->at, .source = "chat" });
		break;
	}
}

static void
print_pair(FILE *out, const struct audit_finding *f, const char *words)
{
	print_entries(out, f);
	(void)fprintf(out, " %s:", words);
	print_object(out, f->source, f->at);
	(void)fputs(" counts,", out);
	print_object(out, f->other, f->other_at);
	(void)fputs(" does not", out);
}

static void
print_of_witness(FILE *out, const struct audit_finding *f)
{
	switch (f->what) {
	case FOUND_COPY_BAD:
		(void)fprintf(out, "the witness's %s does not count: %s", f->source, f->detail);
		break;
	case FOUND_COPY_UNLINKED:
		(void)fprintf(out, "the witness's entry %" PRId64, f->first);
		print_object(out, f->source, f->at);
		(void)fputs(" does not follow the one before it", out);
		print_object(out, f->other, f->other_at);
		break;
	case FOUND_COPY_GAP:
		(void)fputs("the witness lacks ", out);
		print_entries(out, f);
		(void)fputs(
		    ": they were removed there, or never arrived; the chain of the entry behind them holds them",
		    out);
		break;
	case FOUND_COPY_LATE:
		(void)fputs("the witness begins behind ", out);
		print_entries(out, f);
		(void)fputs(", which the chain of its first entry holds", out);
		break;
	case FOUND_COPY_DIFFERS:
		print_pair(out, f, "stand in two objects, and are not the same");
		break;
	case FOUND_COPY_TWICE:
		print_pair(out, f, "stand in two objects, and are the same");
		break;
	case FOUND_COPY_VERSION:
		print_object(out, f->source, f->at);
		(void)fputs(" counts; somebody put another content under that name", out);
		print_object(out, f->other, f->other_at);
		break;
	case FOUND_COPY_AGAIN:
		print_object(out, f->source, f->at);
		(void)fputs(" was put a second time, the same", out);
		print_object(out, f->other, f->other_at);
		break;
	case FOUND_COPY_DELETED:
		(void)fputs("a delete marker hides", out);
		print_object(out, f->source, f->at);
		(void)fputs(": somebody deleted it; its versions are there, and count", out);
		break;
	case FOUND_COPY_UNLOCKED:
		print_object(out, f->source, f->at);
		(void)fprintf(out, ": %s", f->detail);
		break;
	default:
		(void)fprintf(out, "%s: %s", f->source, f->detail);
		break;
	}
}

/* Names come from whoever could write there: nothing of them moves the cursor.  Returns out. */
static const char *
make_plain(const char *name, char *out, size_t room)
{
	if (name == NULL)
		return NULL;
	(void)text_copy(out, room, name);
	for (char *at = out; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return out;
}

void
cli_audit_against_print(void *ctx, const struct audit_finding *given)
{
	struct audit_against *against = ctx;
	char file[PATH_MAX], source[PATH_MAX + 64], other[PATH_MAX + 64];
	struct audit_finding plain = *given;
	const struct audit_finding *finding = &plain;
	enum audit_severity_found severity = audit_found_severity(finding->what);
	FILE *out = severity == FOUND_NOTE ? stdout : stderr;

	if (finding->what == FOUND_HEAD_MISSING)
		against->missing_heads++;
	if (severity == FOUND_LOG)
		against->faults_of_log++;
	else if (severity == FOUND_WITNESS)
		against->faults_of_witness++;
	if (++against->printed > PRINTED_MAX)
		return;
	plain.file = make_plain(given->file, file, sizeof(file));
	plain.source = make_plain(given->source, source, sizeof(source));
	plain.other = make_plain(given->other, other, sizeof(other));
	(void)fputs(severity == FOUND_NOTE ? "note: " : "error: ", out);
	if (severity == FOUND_LOG)
		print_of_log(out, finding);
	else
		print_of_witness(out, finding);
	(void)fputc('\n', out);
	if (against->printed == PRINTED_MAX)
		(void)fputs("note: further ones are counted, not printed\n", stdout);
}

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
	char *text = file_read(path, AUDIT_OBJECT_MAX, &size, &why);
	const struct audit_finding finding = {
		.what = FOUND_COPY_BAD, .source = path, .detail = why.text
	};
	bool ok;

	if (text == NULL && why.code == ERR_LIMIT) {
		cli_audit_against_print(against, &finding);
		return true;
	}
	if (text == NULL) {
		*err = why;
		return false;
	}
	ok = audit_copy_add_object(against->copy, path, 0, text, size, err);
	free(text);
	return ok;
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
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	if (file == NULL)
		return err_errno(err, ERR_IO, errno, "opening it");
	size = getdelim(&line, &room, '\n', file);
	*ret = size > 0 &&
	    audit_chain_read(line, (size_t)size - (line[size - 1] == '\n'), &claim, err);
	(void)fclose(file);
	free(line);
	return true;
}

static bool
add_plain_file(struct audit_against *against, const char *path, const char *bot, struct err *err)
{
	bool is_copy = false, ok;
	size_t size;
	char *text;

	if (audit_copy_is_object(path))
		return add_object(against, path, err);
	if (!is_log(path, &is_copy, err))
		return false;
	if (is_copy)
		return audit_copy_add_log(against->copy, path, err);
	text = file_read(path, EXPORT_MAX, &size, err);
	if (text == NULL)
		return false;
	ok = cli_audit_telegram(text, size, bot, &against->heads, err);
	free(text);
	return ok;
}

static bool
gather_one(struct audit_against *against, const char *what, const char *bot, struct err *err)
{
	struct audit_head head;
	struct stat st;
	bool ok;

	if (strcmp(what, "s3") == 0 || text_starts(what, "s3://"))
		return cli_audit_s3(what, against, err);
	if (stat(what, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			ok = add_folder(against, what, err);
		else if (S_ISREG(st.st_mode))
			ok = add_plain_file(against, what, bot, err);
		else
			ok = err_set(err, ERR_INVALID, "it is neither a folder nor a file");
		return ok || err_wrap(err, "%s", what);
	}
	if (audit_head_read(&head, what, 0))
		return cli_audit_heads_add(&against->heads, &head, err);
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
		if (!gather_one(ret, arguments->against[i], arguments->bot, err))
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
	for (size_t i = 0; i < against->heads.n; i++)
		free(against->heads.at[i].by);
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
			(void)printf("ok: %s is entry %" PRId64 "\n", head->digits, head->seq);
		else if (head->seq <= found->flawless && (best == NULL || head->seq > best->seq))
			best = head;
	}
	if (best != NULL)
		(void)printf("ok: %zu heads are entries; entries %" PRId64 " to %" PRId64
			     " are as they were on %s (head %s in the chat)\n",
		    n, found->first, best->seq, text_time(time, best->at), best->digits);
}

/* Which of it the witness has, and since when. */
static void
print_agreed(const struct audit_against *against, const struct audit_compared *found)
{
	const struct audit_copy_entry *entries;
	char first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE];
	const char *name;
	int64_t from, to;
	size_t n;

	entries = audit_copy_entries(against->copy, &n);
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
		    " entries are newer than the witness's: nothing outside shows them yet\n",
		    found->newer);
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

	if (!audit_compare(log, against->copy, against->heads.at, against->heads.n,
		cli_audit_against_print, against, &found, &err)) {
		(void)fprintf(stderr, "error: %s\n", err.text);
		return err_exit_status(err.code);
	}
	if (against->copy != NULL)
		print_agreed(against, &found);
	print_heads(against, &found);
	return conclude(against, &found, log);
}
