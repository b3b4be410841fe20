/* sim_uploads.c - archives that people send in private, and a git that is never asked about one.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * An archive is a commit behind all that the forge has (SIM_COMMITS and on): no branch has it, and
 * it contains nothing but itself.
 */
#include "tests/sim/sim_inside.h"

bool
sim_uploads_is(int commit)
{
	return commit >= SIM_COMMITS;
}

bool
sim_uploads_contains(int commit, int other)
{
	return commit == other ||
	    (other <= commit && !sim_uploads_is(commit) && !sim_uploads_is(other));
}

/* Mostly a new one; the same bytes are the same commit. */
static int
draw(struct sim *sim)
{
	int n = sim->n_archives;

	if (n == SIM_ARCHIVES || (n > 0 && sim_one_in(sim, 4)))
		return SIM_COMMITS + (int)sim_draw(sim, (uint32_t)n);
	sim->n_archives++;
	(void)snprintf(sim->commits[SIM_COMMITS + n], LIMIT_COMMIT, "%08x%056x",
	    (unsigned)n * 0x01234567u + 0xb0000003u, (unsigned)n);
	return SIM_COMMITS + n;
}

/* A commit behind it, or back from one to what was before. */
static void
goes_on(struct sim *sim, int64_t person, int64_t environment)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "/%s %s", sim_one_in(sim, 2) ? "deploy" : "rollback",
	    sim_environments[environment]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 60000, sim_chat_question_is_answered, person, 0);
	if (sim_one_in(sim, 2))
		sim_later(sim, 0, 600000, goes_on, person, environment);
}

/* Mostly by an admin: the built-in role of staging has no `upload`. */
void
sim_uploads_somebody_sends(struct sim *sim)
{
	static const int64_t others[] = { SIM_SECOND, 33, 99 };
	int64_t person = sim_one_in(sim, 4) ? others[sim_draw(sim, COUNT(others))] : SIM_ADMIN;
	const char *environment =
	    sim_environments[2 * sim_application(sim) + (sim_one_in(sim, 8) ? 1 : 0)];

	sim_chat_send_archive(sim, person, environment, sim->commits[draw(sim)]);
	sim_note(sim, SIM_ARCHIVE_SENT);
	for (int i = 1; i < 4; i++) /* git and the chat may be slow */
		sim_later(sim, 0, i * 60000, sim_chat_question_is_answered, person, 0);
	if (sim_one_in(sim, 2)) /* what comes next may be bad, and goes back to it */
		sim_later(sim, 0, 600000, goes_on, person, sim_environment(environment));
}

/* The chat's word for a file is its digest here; of some it has none any more. */
void
sim_uploads_fetch(struct sim *sim, struct sim_open *open)
{
	struct file_fetched *fetched = &open->effect->result->u.file_fetched;
	const char *file = open->effect->u.fetch_file.file;

	if (!sim_one_in(sim, 10)) {
		(void)text_copy(fetched->digest, sizeof(fetched->digest), file);
		fetched->size = 1000;
	} else {
		(void)text_copy(fetched->why, sizeof(fetched->why), "the chat has no such file");
	}
	sim_server_report_soon(sim, open->effect);
}

char *
sim_uploads_unpack(struct sim *sim, const struct effect_git_query *ask, int *ret_status)
{
	char *text = NULL;
	int bad = sim_one_in(sim, 8);

	*ret_status = bad ? 65 : 0;
	if (asprintf(&text,
		bad ?
		    "error a.php: a link\nviolation archive_type\nend\n" :
		    "kind upload\ncommit %s\ntree %s\nin_branch 0\nforced 0\ncount 0\nfiles 3\nbytes 99\nend\n",
		ask->ref, ask->ref) < 0)
		abort();
	return text;
}

static void
check(struct sim *sim, const char *commits, const char *what)
{
	for (int i = 0; i < sim->n_archives; i++)
		if (strstr(commits, sim->commits[SIM_COMMITS + i]) != NULL)
			sim_fail(sim, "git_is_never_asked_about_an_upload", "%s %.7s", what,
			    sim->commits[SIM_COMMITS + i]);
}

void
sim_uploads_check_asked(struct sim *sim, const struct effect *effect)
{
	const struct effect_git_query *ask = &effect->u.git_query;

	if (effect->kind == EFFECT_GITHUB_RUNS)
		check(sim, effect->u.github_runs.commit, "CI of");
	if (effect->kind == EFFECT_FORGE_REPORT)
		check(sim, effect->u.forge_report.commit, "a report of");
	if (effect->kind != EFFECT_GIT_QUERY || ask->kind == GIT_QUERY_UNPACK)
		return;
	check(sim, ask->ref, "ref");
	check(sim, ask->base, "base");
	check(sim, ask->blocked, "blocked");
	check(sim, ask->push.after, "after");
}

/* An order says what its commit is, and of what is built which tree. */
void
sim_uploads_check_order(struct sim *sim, const struct effect_run *run)
{
	bool is_archive = sim_uploads_is(sim_forge_index(sim, run->commit));

	if (run->program == PROGRAM_ACTION)
		return;
	if ((run->source == SOURCE_UPLOAD) != is_archive)
		sim_fail(sim, "an_order_says_what_it_ships", "run %" PRId64 " of %.7s", run->run,
		    run->commit);
	if (run->program == PROGRAM_DEPLOY && strcmp(run->tree, is_archive ? run->commit : "") != 0)
		sim_fail(sim, "an_order_has_the_tree_that_was_shown", "run %" PRId64, run->run);
	if (is_archive)
		sim_note(sim,
		    run->program == PROGRAM_DEPLOY ? SIM_ARCHIVE_SHIPPED : SIM_ARCHIVE_CAME_BACK);
}
