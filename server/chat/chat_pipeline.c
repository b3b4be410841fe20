/* chat_pipeline.c - what is said of runs of workflows: red, green again, the last of them.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_pipeline.h"

#include <inttypes.h>

#include "chat/chat_first.h"
#include "lib/text.h"

#define TITLE 60 /* letters */

static void
add_commit(struct chat_text *text, const char *before, const struct pipeline_run *run)
{
	if (run->commit[0] != '\0')
		chat_text_commit(text, before, run->commit);
	if (run->title[0] != '\0')
		chat_text_quoted(text, " ", run->title, TITLE);
	if (run->actor[0] != '\0')
		chat_text_author(text, " by ", run->actor);
}

/* "shop" of "octo/shop", "group/sub/shop": the owner would take the place of what failed. */
static const char *
name_of(const struct pipeline_run *run)
{
	const char *name = strrchr(run->repository, '/');

	return name != NULL ? name + 1 : run->repository;
}

static void
begin(struct chat_text *text, enum chat_first first, const struct pipeline_run *run)
{
	chat_first(text, first, name_of(run));
	chat_text_theirs(text, " ", run->branch);
	chat_text_code(text, ", ", run->file);
	add_commit(text, "\n", run);
}

/* Its first line is a job; the others are about lines of files, or are other jobs. */
static void
add_details(struct chat_text *text, const char *details)
{
	size_t size = strcspn(details, "\n");
	char job[LIMIT_LINE];

	if (size == 0)
		return;
	text_setf(job, "%.*s", (int)size, details); /* cut is fine */
	chat_text_theirs(text, "\n", job);
	if (details[size] == '\n')
		chat_text_lines(text, details + size + 1);
}

/* Whose commit it was stays said when others have failed behind it. */
static void
add_failures(struct chat_text *text, const char *before, const struct chat_pipeline *is)
{
	bool is_known = is->first->commit[0] != '\0';

	chat_text_add(text, "%s", before);
	if (is_known)
		chat_text_commit(text, "", is->first->commit);
	if (is->first->actor[0] != '\0')
		chat_text_author(text, " by ", is->first->actor);
	chat_text_since(text, is_known ? ", " : "", &is->clock, is->since, is->now);
	chat_text_add(text, " (%" PRId64 " runs)", is->failures);
}

void
chat_pipeline_red(struct chat_text *text, const struct chat_pipeline *is)
{
	begin(text, FIRST_CI_RED, is->run);
	add_details(text, is->details);
	if (is->failures > 1)
		add_failures(text, "\nred since ", is);
	if (is->others > 0)
		chat_text_add(text, "\nand %" PRId64 " more workflow%s failed on that commit",
		    is->others, is->others == 1 ? "" : "s");
	if (is->url[0] != '\0')
		chat_text_add(text, "\n%s", is->url);
}

void
chat_pipeline_green(struct chat_text *text, const struct chat_pipeline *is)
{
	begin(text, FIRST_CI_GREEN, is->run);
	if (is->failures > 1)
		add_failures(text, "\nwas red since ", is);
	else
		chat_text_since(text, "\nIt had failed since ", &is->clock, is->since, is->now);
}

void
chat_pipeline_line(struct chat_text *text, const struct chat_pipeline *is)
{
	const struct pipeline_run *run = is->run;

	const char *sign = pipeline_run_is_red(run) ? "❌ " :
	    pipeline_run_is_green(run)		    ? "✅ " :
	    run->rank == PIPELINE_IS_OVER	    ? "⛔ " :
						      "⏳ ";

	if (is->is_of_several)
		chat_text_theirs(text, sign, name_of(run));
	chat_text_code(text, is->is_of_several ? " " : sign, run->file);
	chat_text_theirs(text, " ", run->branch);
	add_commit(text, ", ", run);
	chat_text_theirs(text, ", ", pipeline_run_word(run));
	chat_text_since(text, " ", &is->clock, is->at, is->now);
	if (is->url != NULL && is->url[0] != '\0')
		chat_text_add(text, "\n%s", is->url);
}
