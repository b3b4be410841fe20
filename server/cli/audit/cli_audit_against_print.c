/* cli_audit_against_print.c - prints what a comparison with a witness has found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "lib/clean.h"
#include "lib/text.h"

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
print_foreign(FILE *out, const struct audit_finding *f)
{
	print_entries(out, f);
	if (f->what == FOUND_REWRITTEN)
		(void)fprintf(out, " were written anew behind entry %" PRId64, f->first - 1);
	else
		(void)fputs(
		    " are of another chain, as of another server, or were all written anew", out);
	print_place(out, f);
	if (f->detail != NULL)
		(void)fprintf(out, ": %s", f->detail);
	print_since(out, "the witness has others", f);
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
	case FOUND_FOREIGN:
	case FOUND_REWRITTEN:
		print_foreign(out, f);
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
	case FOUND_STAMP_MOVED:
		(void)fprintf(out, "%s stamps ", f->source);
		print_entries(out, f);
		(void)fprintf(out,
		    ", which is not the last of %s: what is behind it that day is not stamped",
		    f->detail);
		break;
	case FOUND_REMOVAL_FALSE:
		print_entries(out, f);
		(void)fprintf(out,
		    " says that AUDIT_KEEP_DAYS removed what it cannot have removed: %s",
		    f->detail);
		print_place(out, f);
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
	if (f->what == FOUND_COPY_DIFFERS && (f->at == 0 || f->other_at == 0)) {
		(void)fputs(" and", out);
		print_object(out, f->other, f->other_at);
		(void)fputs(
		    ": neither counts, as a folder does not show which is the older one; the bucket does (--against s3://…)",
		    out);
		return;
	}
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
		    ": they were removed there, never arrived, or do not count; the chain of the entry behind them holds them",
		    out);
		break;
	case FOUND_COPY_LATE:
		(void)fputs("the witness begins behind ", out);
		print_entries(out, f);
		(void)fputs(", which the chain of its first entry holds", out);
		break;
	case FOUND_CUT_BY_RULE:
		print_entries(out, f);
		(void)fprintf(out, " %s not in the log: AUDIT_KEEP_DAYS removed %s, says %s",
		    f->first == f->last ? "is" : "are", f->first == f->last ? "it" : "them",
		    f->detail);
		if (f->source == NULL)
			(void)fputs("; only a witness that has them shows what they were", out);
		print_since(out, "the witness has the first of them", f);
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
	char detail[1024];
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
	if (given->detail != NULL) /* values of lines that somebody has changed */
		plain.detail =
		    clean_line(detail, sizeof(detail), given->detail, strlen(given->detail));
	(void)fputs(severity == FOUND_NOTE ? "note: " : "error: ", out);
	if (severity == FOUND_LOG)
		print_of_log(out, finding);
	else
		print_of_witness(out, finding);
	(void)fputc('\n', out);
	if (against->printed == PRINTED_MAX)
		(void)fputs("note: further ones are counted, not printed\n", stdout);
}
