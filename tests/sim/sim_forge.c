/* sim_forge.c - branches that move, deliveries that come twice or never, and what git answers.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/buf.h"
#include "tests/sim/sim_inside.h"

#define NOT_OURS 202 /* its application is not there */

static sim_fn delivery_comes, git_answers;

/* --- commits --- */

static int
new_commit(struct sim *sim)
{
	int n = sim->n_commits++;

	assert(n < SIM_COMMITS);
	(void)snprintf(sim->commits[n], LIMIT_COMMIT, "%08x%032x",
	    (unsigned)n * 0x01234567u + 0xa0000001u, (unsigned)n);
	return n;
}

int
sim_forge_index(const struct sim *sim, const char *commit)
{
	for (int i = 0; i < sim->n_commits; i++)
		if (strcmp(sim->commits[i], commit) == 0)
			return i;
	for (int i = SIM_COMMITS; i < SIM_COMMITS + sim->n_archives; i++)
		if (strcmp(sim->commits[i], commit) == 0)
			return i;
	return -1;
}

bool
sim_forge_is_bad(const struct sim *sim, const char *commit)
{
	int i = sim_forge_index(sim, commit);

	if (sim->day == SIM_DAY_CALM)
		return i % 6 == 5;
	return i >= 0 && (sim->seed * 2654435761u >> (i % 24) & 3) == 0;
}

void
sim_forge_new(struct sim *sim)
{
	for (int b = sim->is_many ? 2 : 0; b < sim->n_environments; b++)
		if (sim_branch(b) == b) {
			sim->head[b] = new_commit(sim);
			sim_blocks_pushed(sim, b);
			sim_ci_pushed(sim, b);
		}
}

/* --- deliveries: the forge tells once, and never again by itself --- */

static void
on_answer(void *ctx, const struct answer *answer)
{
	struct sim_delivery *delivery = ctx;
	struct sim *sim = delivery->sim;

	sim_trace(sim, "delivery %s: %d", delivery->id, answer->status);
	if (answer->status == NOT_OURS && !sim_settings_may_lack(delivery->branch / 2))
		sim_fail(sim, "a_delivery_finds_its_application", "%s", delivery->id);
	if (answer->status >= 200 && answer->status < 300 && answer->status != NOT_OURS)
		sim_check_acknowledged(sim, delivery->sim->at_gitlab ? "gitlab" : "github",
		    delivery->id, delivery->digest);
}

/* GitHub says it in letters of its own. */
void
sim_forge_repository(
    const struct sim *sim, int branch, char ret[LIMIT_REF], char ret_id[JOB_MARK + JOB_NUMBER])
{
	const char *mark = job_forges[sim->at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB].mark;

	(void)snprintf(ret, LIMIT_REF, "%s/%s", sim->at_gitlab ? "acme" : "Acme",
	    branch >= 2	       ? sim_applications[branch / 2] :
		sim->at_gitlab ? "shop" :
				 "Shop");
	(void)snprintf(ret_id, JOB_MARK + JOB_NUMBER, "%s%d", mark, 100 + branch / 2);
}

static void
delivery_comes(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_delivery *from = &sim->deliveries[index];
	struct event *event;
	struct delivery *delivery;
	char id[JOB_MARK + JOB_NUMBER];

	(void)b;
	if (sim->store == NULL) {
		sim_note(sim, SIM_DELIVERY_LOST);
		return;
	}
	event = sim_server_event(sim, EVENT_DELIVERY);
	delivery = &event->u.delivery;
	delivery->kind = DELIVERY_PUSH;
	(void)text_copy(delivery->id, sizeof(delivery->id), from->id);
	memcpy(delivery->digest, from->digest, sizeof(delivery->digest));
	delivery->forge = sim->at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB;
	sim_forge_repository(sim, from->branch, delivery->repository, id);
	(void)text_copy(delivery->branch, sizeof(delivery->branch), sim_branch_name(from->branch));
	(void)text_copy(delivery->login, sizeof(delivery->login), from->login);
	(void)text_copy(delivery->after, sizeof(delivery->after), from->after);
	delivery->sender = 7;
	event->done = on_answer;
	event->done_ctx = from;
	sim_server_submit(sim, event);
}

/* Somebody sends a signed body once more, under an id of their own. */
static void
replay(struct sim *sim, const struct sim_delivery *from)
{
	struct sim_delivery *copy = &sim->deliveries[sim->n_deliveries];

	*copy = *from;
	(void)snprintf(copy->id, sizeof(copy->id), "r-%zu", sim->n_deliveries);
	sim_note(sim, SIM_DELIVERY_REPLAYED);
	sim_later(
	    sim, 0, sim_delay(sim, 60000, 600000), delivery_comes, (int64_t)sim->n_deliveries++, 0);
}

static void
deliver(struct sim *sim, int branch)
{
	struct sim_delivery *delivery = &sim->deliveries[sim->n_deliveries];
	int64_t index = (int64_t)sim->n_deliveries++;

	assert(sim->n_deliveries + 1 < SIM_DELIVERIES);
	*delivery = (struct sim_delivery){ .sim = sim,
		.branch = branch,
		.digest = { (uint8_t)(index + 1), (uint8_t)((index + 1) >> 8) } };
	(void)snprintf(delivery->id, sizeof(delivery->id), "d-%" PRId64, index);
	(void)snprintf(delivery->login, sizeof(delivery->login), "octo%" PRId64, index);
	(void)text_copy(delivery->after, sizeof(delivery->after), sim->commits[sim->head[branch]]);
	delivery->last_work = sim_check_number(
	    sim, sim->eyes, "SELECT COALESCE(MAX(id), 0) FROM work WHERE id > $1", 0);
	if (sim_one_in(sim, 10)) {
		sim_note(sim, SIM_DELIVERY_LOST);
		return;
	}
	sim_later(sim, 0, sim_delay(sim, 10, 20000), delivery_comes, index, 0);
	if (sim_one_in(sim, 4)) {
		sim_note(sim, SIM_DELIVERY_AGAIN);
		sim_later(sim, 0, sim_delay(sim, 10, 90000), delivery_comes, index, 0);
	}
	if (sim_one_in(sim, 10))
		replay(sim, delivery);
}

/* Mostly onwards, sometimes back to an earlier commit. */
void
sim_forge_push(struct sim *sim)
{
	int is_main = sim->day != SIM_DAY_CALM && sim_one_in(sim, 3) ? 1 : 0;
	int branch = sim_branch(2 * sim_application(sim) + is_main);

	if (sim_one_in(sim, 6) && sim->now >= sim->lags_until[branch]) {
		sim_note(sim, SIM_GIT_LAGS);
		sim->shown[branch] = sim->head[branch];
		sim->lags_until[branch] = sim->now + sim_delay(sim, 1000, 400000);
	}
	sim->head[branch] = sim_one_in(sim, sim->day == SIM_DAY_CALM ? 2 : 8) ?
	    (int)sim_draw(sim, (uint32_t)sim->n_commits) :
	    new_commit(sim);
	sim_blocks_pushed(sim, branch);
	sim_ci_pushed(sim, branch);
	sim_trace(sim, "%s %s is pushed to %.7s", sim_applications[branch / 2],
	    sim_branch_name(branch), sim->commits[sim->head[branch]]);
	deliver(sim, branch);
}

/* --- git --- */

/* A replica shows a push late, or not before long after it was delivered. */
static int
shown_head(const struct sim *sim, int branch)
{
	return !sim->is_resting && sim->now < sim->lags_until[branch] ? sim->shown[branch] :
									sim->head[branch];
}

static bool
lacks(const struct sim *sim, int branch, const char *after)
{
	int shown = shown_head(sim, branch);

	return shown != sim->head[branch] && sim->head[branch] > shown &&
	    strcmp(after, sim->commits[sim->head[branch]]) == 0;
}

/* develop of the repository that this is asked about. */
static int
first_branch(const struct effect_git_query *ask)
{
	return ask->environment[0] == '\0' ? 0 : sim_branch(sim_environment(ask->environment) & ~1);
}

static int
find_branch(const struct effect_git_query *ask, const char *ref)
{
	int first = first_branch(ask);

	for (int b = first; b < first + 2; b++)
		if (strcmp(sim_branch_name(b), ref) == 0)
			return b;
	return -1;
}

/* A commit contains every one that was made before it. */
static void
add_contained(const struct sim *sim, const char *blocked, int commit, struct buf *out)
{
	char words[sizeof(((struct effect_git_query *)0)->blocked)], *rest = NULL;

	(void)text_copy(words, sizeof(words), blocked);
	for (const char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		if (sim_forge_index(sim, word) <= commit)
			buf_addf(out, "contains %s\n", word);
}

static bool
adds_barrier(const struct sim *sim, int commit)
{
	return sim->day != SIM_DAY_CALM && (sim->seed * 40503u >> (commit % 16) & 3) == 1;
}

bool
sim_forge_is_barrier(const struct sim *sim, int base, int commit)
{
	if (sim_uploads_is(commit) || sim_uploads_is(base))
		return false;
	for (int i = commit; base >= 0 && i > base; i--)
		if (adds_barrier(sim, i))
			return true;
	return false;
}

/* NULL: it is no commit of the repository. */
static const char *
find_commit(const struct sim *sim, const char *ref)
{
	for (int i = 0; i < sim->n_commits; i++)
		if (strcmp(sim->commits[i], ref) == 0)
			return sim->commits[i];
	return NULL;
}

/* A commit that was asked about is mostly still in its branch. */
static char *
answer_commits(struct sim *sim, const struct effect_git_query *ask)
{
	int ref = find_branch(ask, ask->ref), own = find_branch(ask, ask->branch);
	const char *asked = find_commit(sim, ask->ref);
	const char *commit =
	    asked != NULL ? asked : sim->commits[ref >= 0 ? shown_head(sim, ref) : 0];
	bool in_branch = own >= 0 &&
	    (asked != NULL ? commit == sim->commits[shown_head(sim, own)] || !sim_one_in(sim, 8) :
			     own == ref);
	int index = sim_forge_index(sim, commit);
	int base = sim_forge_index(sim, ask->base);
	struct buf contained;
	char *text = NULL;

	buf_init(&contained, LIMIT_BLOCKED * (LIMIT_COMMIT + 10));
	add_contained(sim, ask->blocked, index, &contained);
	if (ask->is_patient && sim->was_fled[sim_environment(ask->environment)][index])
		sim_note(sim, SIM_BLOCKED_PUSH);
	if (asprintf(&text,
		"==> fetch\nref %s\nkind %s\ncommit %s\nauthor Ann Example\nat 1767225600\n"
		"subject Make it blue\n%s%s%s%s%s%sin_branch %d\n%s%s%sforced %d\nlacks_after %d\n"
		"count %d\n%s%send\n",
		ask->ref,
		ref >= 0	  ? "branch" :
		    asked != NULL ? "commit" :
				    "tag",
		commit, own >= 0 ? "branch " : "", own >= 0 ? ask->branch : "",
		own >= 0 ? "\n" : "", own >= 0 ? "branch_commit " : "",
		own >= 0 ? sim->commits[shown_head(sim, own)] : "", own >= 0 ? "\n" : "", in_branch,
		ask->base[0] != '\0' ? "base " : "", ask->base, ask->base[0] != '\0' ? "\n" : "",
		base > index,
		ref >= 0 && ask->push.after[0] != '\0' && lacks(sim, ref, ask->push.after),
		base >= 0 && index > base ? index - base : 0,
		sim_forge_is_barrier(sim, base, index) ? "barrier drops a column\n" : "",
		buf_text(&contained)) < 0)
		abort();
	buf_done(&contained);
	return text;
}

static char *
answer_heads(const struct sim *sim, const struct effect_git_query *ask)
{
	int first = first_branch(ask);
	char *text = NULL;

	if (asprintf(&text, "head %s develop\nhead %s main\nend\n",
		sim->commits[shown_head(sim, first)], sim->commits[shown_head(sim, first + 1)]) < 0)
		abort();
	return text;
}

static char *
answer_no(void)
{
	char *text = strdup("error no such ref\npossible branch develop\npossible tag v1\nend\n");

	assert(text != NULL);
	return text;
}

/* Some commit is not in the repository any more; one that the base contains is, as long as that. */
static bool
is_lost(struct sim *sim, const struct effect_git_query *ask)
{
	int base = sim_forge_index(sim, ask->base);

	if (find_commit(sim, ask->ref) == NULL)
		return true;
	return base <= sim_forge_index(sim, ask->ref) && sim_one_in(sim, 16);
}

/* Who waits is told: as perform_git_query.c does it. */
static void
is_delayed(struct sim *sim, const struct sim_open *open, bool failed)
{
	struct event *event = sim_server_event(sim, EVENT_GIT_DELAYED);

	event->u.git_delayed.query = open->effect->id;
	event->u.git_delayed.failed = failed;
	(void)text_copy(event->u.git_delayed.text, sizeof(event->u.git_delayed.text),
	    failed ? "git is away" : "receiving objects 45 %");
	sim_server_submit(sim, event);
}

/* Asked again, or told: as perform_git_query.c does it. */
static void
is_away(struct sim *sim, struct sim_open *open)
{
	struct git_answered *asked = &open->effect->result->u.git_answered;

	sim_note(sim, SIM_GIT_AWAY);
	if (open->effect->u.git_query.is_patient) {
		if (sim_one_in(sim, 2))
			is_delayed(sim, open, true);
		sim_later(
		    sim, sim->life, sim_delay(sim, 1000, 300000), git_answers, open->effect->id, 0);
		return;
	}
	sim->works[open->effect->subject].is_away = true;
	asked->exit_status = 69;
	asked->unreachable = true;
	asked->answer = strdup("error git is away");
	sim_server_report(sim, open);
}

static void
git_answers(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	const struct effect_git_query *ask;
	struct git_answered *asked;

	(void)b;
	if (open == NULL)
		return;
	if (!sim->is_resting && sim_one_in(sim, 10)) {
		is_away(sim, open);
		return;
	}
	ask = &open->effect->u.git_query;
	if (!sim->is_resting && open->effect->subject != 0 && sim_one_in(sim, 8)) {
		sim_note(sim, SIM_GIT_SLOW);
		is_delayed(sim, open, false);
		sim_later(sim, sim->life, sim_delay(sim, 1000, 300000), git_answers, effect, 0);
		return;
	}
	asked = &open->effect->result->u.git_answered;
	if (ask->kind != GIT_QUERY_HEADS)
		asked->binding = sim_run_list(sim, sim_environment(ask->environment));
	if (ask->kind == GIT_QUERY_UNPACK) {
		asked->answer = sim_uploads_unpack(sim, ask, &asked->exit_status);
	} else if (ask->kind == GIT_QUERY_SETTINGS) {
		asked->answer = strdup("end\n");
	} else if (ask->kind == GIT_QUERY_HEADS) {
		asked->answer = answer_heads(sim, ask);
	} else if (strcmp(ask->ref, "v1") != 0 && find_branch(ask, ask->ref) < 0 &&
	    is_lost(sim, ask)) {
		asked->exit_status = 64;
		sim->works[open->effect->subject].is_lost = true;
		asked->answer = answer_no();
	} else {
		sim->works[open->effect->subject].is_away = false;
		asked->answer = answer_commits(sim, ask);
	}
	sim_server_report(sim, open);
}

void
sim_forge_ask(struct sim *sim, struct sim_open *open)
{
	sim_later(sim, sim->life, sim_delay(sim, 20, 30000), git_answers, open->effect->id, 0);
}
