/* cli_audit_against_print.c - prints what a comparison with a witness has found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "lib/clean.h"
#include "lib/text.h"

/* Findings that have another sentence of their own, by what is known of them. */
enum {
	CHANGED_LINE = FOUND_COUNT, /* it is no entry */
	INSERTED_LINE,		    /* the same */
	HEAD_SEEN,		    /* it is known when */
	HEAD_STAMPED,
	DIFFERS_UNDATED,   /* nobody says which object is older */
	CUT_BY_RULE_ALONE, /* the witness has nothing of it */
	SENTENCES
};

/*
 * {word}: what print_part() puts there.  {one|several}: by how many entries it is about.
 * {: detail}, {; since}: where there is one, and that with what is proven.
 */
static const char *const sentences[SENTENCES] = {
	[FOUND_CHANGED] =
	    "{entries} {was|were} changed{place}{: detail}{; the witness has it otherwise}",
	[CHANGED_LINE] = "{file} line {line}{: detail}",
	[FOUND_FOREIGN] =
	    "{entries} are of another chain, as of another server, or were all written anew{place}{: detail}{; the witness has others}",
	[FOUND_REWRITTEN] =
	    "{entries} were written anew behind entry {before}{place}{: detail}{; the witness has others}",
	[FOUND_REHASHED] =
	    "{entries} {was|were} hashed anew: what they say is the same, their number or hash is not{place}{: detail}{; the witness has the old hash}",
	[FOUND_REMOVED] = "{entries} {was|were} removed{place}{: detail}{; the witness has it}",
	[FOUND_INSERTED] =
	    "{entries} {was|were} inserted: the witness has another one of that number{place}{: detail}",
	[INSERTED_LINE] = "{file} line {line} was inserted{: detail}",
	[FOUND_MOVED] =
	    "{entries} {was|were} moved: later ones stand before{place}{: detail}{; the witness has the order}",
	[FOUND_CUT_FRONT] =
	    "{entries} {is|are} not in the log: it was cut off at its beginning{; the witness has the last of them}",
	[FOUND_CUT_END] =
	    "{entries} {is|are} not in the log: it was cut off at its end{; the witness has the first of them}",
	[FOUND_UNLINKED] = "{entries} {does|do} not fit into the chain{place}{: detail}",
	[FOUND_UNENDED] = "{file} line {line}: it is cut off, its newline is missing",
	[FOUND_FILE_NAME] =
	    "{file} begins with entry {first}: its name says another, it was renamed",
	[FOUND_HEAD_MISSING] =
	    "{source} is no entry: if a message of this deploybot shows it, the log was cut off or written anew",
	[HEAD_SEEN] =
	    "{source} is no entry: if a message of this deploybot shows it, the log was cut off or written anew; seen since {time} (chat)",
	[HEAD_STAMPED] =
	    "{digits}, stamped at {time} by {detail}, is no entry: the log was changed, cut off or written anew",
	[FOUND_STAMP_MOVED] =
	    "{source} stamps {entries}, which is not the last of {detail}: what is behind it that day is not stamped",
	[FOUND_REMOVAL_FALSE] =
	    "{entries} says that AUDIT_KEEP_DAYS removed what it cannot have removed{: detail}{place}",
	[FOUND_COPY_BAD] = "the witness's {source} does not count{: detail}",
	[FOUND_COPY_UNLINKED] =
	    "the witness's entry {first}{object} does not follow the one before it{other}",
	[FOUND_COPY_GAP] =
	    "the witness lacks {entries}: they were removed there, never arrived, or do not count; the chain of the entry behind them holds them",
	[FOUND_COPY_DIFFERS] =
	    "{entries} stand in two objects, and are not the same:{object} counts,{other} does not",
	[DIFFERS_UNDATED] =
	    "{entries} stand in two objects, and are not the same:{object} and{other}: neither counts, as a folder does not show which is the older one; the bucket does (--against s3://…)",
	[FOUND_CUT_BY_RULE] =
	    "{entries} {is|are} not in the log: AUDIT_KEEP_DAYS removed {it|them}, says {detail}{; the witness has the first of them}",
	[CUT_BY_RULE_ALONE] =
	    "{entries} {is|are} not in the log: AUDIT_KEEP_DAYS removed {it|them}, says {detail}; only a witness that has them shows what they were",
	[FOUND_COPY_TWICE] =
	    "{entries} stand in two objects, and are the same:{object} counts,{other} does not",
	[FOUND_COPY_VERSION] =
	    "{object} counts; somebody put another content under that name{other}",
	[FOUND_COPY_AGAIN] = "{object} was put a second time, the same{other}",
	[FOUND_COPY_DELETED] =
	    "a delete marker hides{object}: somebody deleted it; its versions are there, and count",
	[FOUND_COPY_UNLOCKED] = "{object}{: detail}",
	[FOUND_COPY_LATE] =
	    "the witness begins behind {entries}, which the chain of its first entry holds",
	[FOUND_COPY_IGNORED] = "{source}{: detail}",
};

static const char *
sentence_of(const struct audit_finding *f)
{
	unsigned row = f->what;

	if (f->what == FOUND_CHANGED && f->first == 0)
		row = CHANGED_LINE;
	else if (f->what == FOUND_INSERTED && f->first == 0)
		row = INSERTED_LINE;
	else if (f->what == FOUND_HEAD_MISSING && f->detail != NULL)
		row = HEAD_STAMPED;
	else if (f->what == FOUND_HEAD_MISSING && f->at != 0)
		row = HEAD_SEEN;
	else if (f->what == FOUND_COPY_DIFFERS && (f->at == 0 || f->other_at == 0))
		row = DIFFERS_UNDATED;
	else if (f->what == FOUND_CUT_BY_RULE && f->source == NULL)
		row = CUT_BY_RULE_ALONE;
	return sentences[row];
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
	(void)fputs(what, out);
	if (f->at != 0)
		(void)fprintf(out, " since %s", text_time(time, f->at));
	(void)fprintf(out, " (%s)", f->source);
}

static void
print_part(FILE *out, const char *part, const struct audit_finding *f)
{
	bool is_one = f->first == f->last;
	const char *detail = f->detail;
	size_t one = strcspn(part, "|");
	char time[TEXT_TIME_SIZE];

	if (part[one] == '|')
		(void)fprintf(
		    out, "%.*s", is_one ? (int)one : INT_MAX, is_one ? part : part + one + 1);
	else if (part[0] == ';')
		print_since(out, part, f);
	else if (strcmp(part, "object") == 0)
		print_object(out, f->source, f->at);
	else if (strcmp(part, "other") == 0)
		print_object(out, f->other, f->other_at);
	else if (strcmp(part, "entries") == 0 && !is_one)
		(void)fprintf(out, "entries %" PRId64 " to %" PRId64, f->first, f->last);
	else if (strcmp(part, "entries") == 0)
		(void)fprintf(out, "entry %" PRId64, f->first);
	else if (strcmp(part, "first") == 0)
		(void)fprintf(out, "%" PRId64, f->first);
	else if (strcmp(part, "before") == 0)
		(void)fprintf(out, "%" PRId64, f->first - 1);
	else if (strcmp(part, "line") == 0)
		(void)fprintf(out, "%" PRId64, f->line);
	else if (strcmp(part, "place") == 0 && f->file != NULL)
		(void)fprintf(out, " (%s line %" PRId64 ")", f->file, f->line);
	else if (strcmp(part, ": detail") == 0 && detail != NULL)
		(void)fprintf(out, ": %s", detail);
	else if (strcmp(part, "digits") == 0 && f->source != NULL)
		(void)fprintf(out, "%.16s", f->source);
	else if (strcmp(part, "time") == 0)
		(void)fputs(text_time(time, f->at), out);
	else if (strcmp(part, "file") == 0 && f->file != NULL)
		(void)fputs(f->file, out);
	else if (strcmp(part, "source") == 0 && f->source != NULL)
		(void)fputs(f->source, out);
	else if (strcmp(part, "detail") == 0 && detail != NULL)
		(void)fputs(detail, out);
}

static void
print_sentence(FILE *out, const struct audit_finding *f)
{
	char part[64];

	for (const char *at = sentence_of(f); *at != '\0';) {
		size_t size = strcspn(at, "{"), inside;

		(void)fprintf(out, "%.*s", (int)size, at);
		at += size;
		if (*at == '\0')
			break;
		inside = strcspn(++at, "}");
		(void)snprintf(part, sizeof(part), "%.*s", (int)inside, at);
		print_part(out, part, f);
		at += inside + 1;
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
	enum audit_severity_found severity = audit_found_severity(given->what);
	FILE *out = severity == FOUND_NOTE ? stdout : stderr;

	if (given->what == FOUND_HEAD_MISSING)
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
	print_sentence(out, &plain);
	(void)fputc('\n', out);
	if (against->printed == PRINTED_MAX)
		(void)fputs("note: further ones are counted, not printed\n", stdout);
}
