/* decide_aid_peers.c - what git, the runner, Cloudflare and the health URLs answer.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid_inside.h"

#include <sys/stat.h>

#include "lib/file.h"
#include "lib/fingerprint.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_audit.h"

/* --- git --- */

static void
say_commits(
    char *text, size_t room, const struct effect_git_query *ask, const struct world_git *git)
{
	const char *ref = git->ref != NULL ? git->ref : ask->ref;
	int n = snprintf(text, room,
	    "==> fetch\nref %s\nkind branch\ncommit %s\nauthor Ann Example\n"
	    "at 1767225600\nsubject %s\n",
	    ref, git->commit, git->subject != NULL ? git->subject : "Make it blue");

	if (ask->branch[0] != '\0')
		n += snprintf(text + n, room - (size_t)n, "branch %s\nbranch_commit %s\n",
		    ask->branch,
		    git->is_off_branch		   ? COMMIT_D :
			git->branch_commit != NULL ? git->branch_commit :
						     git->commit);
	n += snprintf(text + n, room - (size_t)n, "in_branch %d\n",
	    git->is_off_branch || ask->branch[0] == '\0' ? 0 : 1);
	if (ask->base[0] != '\0')
		n += snprintf(text + n, room - (size_t)n, "base %s\n", ask->base);
	if (ask->push.after[0] != '\0')
		n += snprintf(text + n, room - (size_t)n, "lacks_after %d\n", git->lacks_after);
	if (ask->paths[0] != '\0')
		n += snprintf(text + n, room - (size_t)n, "touches %d\n", !git->is_untouched);
	if (git->untouched != NULL) {
		assert_non_null(strstr(ask->paths, git->untouched));
		n += snprintf(text + n, room - (size_t)n, "untouched %s\n", git->untouched);
	}
	n += snprintf(
	    text + n, room - (size_t)n, "forced %d\ncount %d\n", git->is_force_push, git->count);
	for (int i = 0; i < git->count && i < LIMIT_COMMITS; i++)
		n += snprintf(text + n, room - (size_t)n, "change %s Ann Example\tChange %d\n",
		    git->commit, i + 1);
	if (git->tree != NULL)
		n += snprintf(text + n, room - (size_t)n, "tree %s\n", git->tree);
	if (git->barrier != NULL)
		n += snprintf(text + n, room - (size_t)n, "barrier %s\n", git->barrier);
	for (size_t i = 0; i < COUNT(git->past) && git->past[i] != NULL; i++)
		n += snprintf(text + n, room - (size_t)n, "past %s\n", git->past[i]);
	if (git->no_history)
		n += snprintf(text + n, room - (size_t)n, "no_history 1\n");
	if (git->image != NULL)
		n += snprintf(text + n, room - (size_t)n, "image %s\n", git->image);
	if (git->missing != NULL)
		n += snprintf(text + n, room - (size_t)n, "missing %s\n", git->missing);
	if (git->contains != NULL) {
		assert_non_null(strstr(ask->blocked, git->contains));
		n += snprintf(text + n, room - (size_t)n, "contains %s\n", git->contains);
	}
	n += snprintf(text + n, room - (size_t)n, "end\n");
	assert_true((size_t)n < room);
}

void
world_git(struct world *w, struct world_git git)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);
	struct git_answered *asked = &effect->result->u.git_answered;
	char text[8192];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_COMMITS);
	assert_null(strstr(effect->u.git_query.blocked, WORLD_UPLOADS)); /* git knows none */
	assert_false(text_starts(effect->u.git_query.base, WORLD_UPLOADS));
	assert_false(text_starts(effect->u.git_query.ref, WORLD_UPLOADS));
	if (git.is_unreachable) {
		asked->exit_status = 69;
		asked->unreachable = true;
		(void)snprintf(text, sizeof(text), "error fatal: could not read from remote\n");
	} else if (git.error != NULL) {
		asked->exit_status = 64;
		(void)snprintf(text, sizeof(text),
		    "error %s\npossible branch develop\npossible tag v1.2\nend\n", git.error);
	} else {
		say_commits(text, sizeof(text), &effect->u.git_query, &git);
	}
	asked->answer = strdup(text);
	asked->binding = world_list_of(w, effect->u.git_query.environment);
	world_report(w, effect);
}

void
world_archive(struct world *w, int64_t person, const char *text, const char *digest)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, person);
	struct effect *effect;

	update_set_text(event->u.update, text);
	text_set(event->u.update->file.id, "BQACAgIAAxk");
	text_set(event->u.update->file.name, "site.zip");
	event->u.update->file.size = 1000;
	(void)world_decide(w, event);
	effect = world_take(w, EFFECT_FETCH_FILE);
	if (effect == NULL)
		return; /* it was refused */
	text_set(effect->result->u.file_fetched.digest, digest);
	effect->result->u.file_fetched.size = 1000;
	world_report(w, effect);
}

void
world_unpacked(struct world *w, const char *tree)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);
	struct git_answered *asked = &effect->result->u.git_answered;
	char text[512];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_UNPACK);
	(void)snprintf(text, sizeof(text),
	    "commit %s\nkind upload\ntree %s\nin_branch 0\nforced 0\ncount 0\nfiles 3\nbytes 34567\nend\n",
	    effect->u.git_query.ref, tree);
	asked->answer = strdup(text);
	asked->binding = world_list_of(w, effect->u.git_query.environment);
	world_report(w, effect);
}

void
world_git_same(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_GIT_QUERY);
	char commit[LIMIT_COMMIT];

	if (effect == NULL)
		fail_msg("git is not asked");
	(void)text_copy(commit, sizeof(commit), effect->u.git_query.ref);
	world_git(w, (struct world_git){ .commit = commit });
}

void
world_git_heads(struct world *w, const char *develop, const char *main_branch)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);
	char text[512];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_HEADS);
	(void)snprintf(
	    text, sizeof(text), "head %s develop\nhead %s main\nend\n", develop, main_branch);
	effect->result->u.git_answered.answer = strdup(text);
	world_report(w, effect);
}

/* --- the runner --- */

static int64_t
open_run(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_RUN);

	if (effect == NULL)
		fail_msg("no run is open");
	return effect->u.run.run;
}

/* As the runner on this machine compares them. */
static bool
is_bound_to_others(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_RUN);
	const char *binding = effect == NULL ? "" : effect->u.run.binding;
	char digest[FINGERPRINT_DIGEST], *list;
	bool is_other;

	if (binding[0] == '\0' || peer_of_host(effect->u.run.runner) != NULL)
		return false; /* an agent's is its own */
	list = world_list_of(w, effect->u.run.environment);
	is_other = strcmp(fingerprint_of_order(list != NULL ? list : "", effect->u.run.source,
			      effect->u.run.tree, digest),
		       binding) != 0;
	free(list);
	return is_other;
}

int
world_run_starts(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_STARTED);

	assert_false(is_bound_to_others(w));
	event->u.run_started = (struct run_started){
		.run = open_run(w), .pid = 4711, .start_time = 1, .boot = "boot"
	};
	return world_decide(w, event).status;
}

void
world_run_step(struct world *w, int n, const char *name)
{
	world_run_ships(w, n, name, "");
}

void
world_run_ships(struct world *w, int n, const char *name, const char *image)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_STEP);

	event->u.run_step = (struct run_step){ .run = open_run(w), .n = n, .at = w->aid.at };
	(void)text_copy(event->u.run_step.image, LIMIT_IMAGE, image);
	(void)text_copy(event->u.run_step.name, LIMIT_STEP, name);
	(void)world_decide(w, event);
}

void
world_run_incompatible(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_INCOMPATIBLE);

	event->u.run_started.run = open_run(w);
	(void)world_decide(w, event);
}

void
world_run_lost(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_LOST);

	event->u.run_started.run = open_run(w);
	(void)world_decide(w, event);
}

void
world_run_refused(struct world *w)
{
	assert_true(is_bound_to_others(w));
	world_run_ends(w,
	    (struct run_ended){ .refused = true,
		.is_changed = true,
		.binding = world_list_of(w, world_peek(w, EFFECT_RUN)->u.run.environment),
		.detail = "the settings changed since it was shown" });
}

void
world_run_ends(struct world *w, struct run_ended ended)
{
	struct effect *effect = world_must_take(w, EFFECT_RUN);

	ended.run = effect->u.run.run;
	effect->result->u.run_ended = ended;
	world_report(w, effect);
}

/* --- Cloudflare --- */

void
world_cloudflare(struct world *w, const char *asked, const struct cloudflare_answer *answer)
{
	bool is_get = strcmp(asked, "get") == 0;
	struct effect *effect =
	    world_must_take(w, is_get ? EFFECT_CLOUDFLARE_GET : EFFECT_CLOUDFLARE_SET);

	assert_string_equal(effect->u.cloudflare.level, is_get ? "" : asked);
	effect->result->u.cloudflare = *answer;
	world_report(w, effect);
}

void
world_github_runs(struct world *w, const struct pipeline_run *runs, size_t n, const char *why)
{
	struct effect *effect = world_must_take(w, EFFECT_GITHUB_RUNS);
	struct github_runs_read *read = &effect->result->u.github_runs_read;

	read->runs = n > 0 ? mem_copy(runs, n * sizeof(*runs)) : NULL;
	read->n = n;
	(void)text_copy(read->why, sizeof(read->why), why != NULL ? why : "");
	world_report(w, effect);
}

int
world_workflow_says(struct world *w, const struct pipeline_run *run)
{
	struct event *event = store_aid_event(&w->aid, EVENT_DELIVERY);
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_WORKFLOW_RUN;
	delivery->forge = job_forge_of(run->repository_id);
	if (delivery->forge == DELIVERY_GITHUB)
		delivery->job = mem_new(1, sizeof(*delivery->job));
	delivery->run = mem_copy(run, sizeof(*run));
	(void)text_copy(delivery->repository, sizeof(delivery->repository), run->repository);
	return world_decide(w, event).status;
}

void
world_github_failure(struct world *w, const char *details)
{
	struct effect *effect = world_must_take(w, EFFECT_GITHUB_FAILURE);

	(void)text_copy(effect->result->u.github_failure_read.details, LIMIT_TAIL, details);
	world_report(w, effect);
}

void
world_github_deliveries(struct world *w, const struct github_deliveries_read *read)
{
	struct effect *effect = world_must_take(w, EFFECT_GITHUB_DELIVERIES);

	effect->result->u.github_deliveries_read = *read;
	world_report(w, effect);
}

void
world_forge(struct world *w, enum effect_kind kind, const struct forge_said *said)
{
	struct effect *effect = world_must_take(w, kind);

	effect->result->u.forge_said = *said;
	world_report(w, effect);
}

void
world_vault(struct world *w, enum effect_kind kind, const struct vault_said *said)
{
	struct effect *effect = world_must_take(w, kind);

	effect->result->u.vault_said = *said;
	world_report(w, effect);
}

void
world_witnessed(struct world *w, const struct witness_answer *answer)
{
	struct effect *effect = world_must_take(w, EFFECT_WITNESS);

	effect->result->u.witnessed = *answer;
	world_report(w, effect);
}

static void
act_write(struct tx *tx, void *arg)
{
	const int64_t *n = arg;

	for (int64_t i = 0; i < *n; i++)
		row_audit_add(tx,
		    &(struct audit_entry){
			.code = AUDIT_CODE_LOGOUT, .user = "system", .outcome = "ok" },
		    NULL);
}

/* The last one is the reload's own. */
void
world_writes_entries(struct world *w, int64_t n)
{
	struct event *event = store_aid_event(&w->aid, EVENT_SETTINGS);

	if (n > 1)
		n--, world_act(w, act_write, &n);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
}

/* --- health --- */

static void
report_probe(
    struct world *w, struct effect *effect, const char *failure, const char *commit, size_t well)
{
	struct probed *probed = &effect->result->u.probed;

	probed->n = effect->u.probe.n;
	probed->findings = calloc(probed->n, sizeof(*probed->findings));
	assert_non_null(probed->findings);
	for (size_t i = 0; i < probed->n; i++) {
		const char *why = i < well ? NULL : failure;

		probed->findings[i].is_healthy = why == NULL;
		probed->findings[i].http_status = why == NULL ? 200 : 500;
		probed->findings[i].latency_ms = 12;
		/* A look for /status, or one host of several. */
		if (why != NULL && (effect->u.probe.message != 0 || well > 0))
			probed->findings[i].failures = effect->u.probe.plan.failures;
		(void)text_copy(probed->findings[i].detail, LIMIT_LINE, why == NULL ? "" : why);
	}
	if (probed->n > 0)
		(void)text_copy(probed->findings[probed->n - 1].commit, LIMIT_COMMIT, commit);
	world_report(w, effect);
}

static void
probed(struct world *w, const char *failure, const char *commit, size_t well)
{
	report_probe(w, world_must_take(w, EFFECT_PROBE), failure, commit, well);
}

void
world_looked(struct world *w, const char *failure)
{
	report_probe(w, world_take_look(w), failure, "", 0);
}

void
world_looked_but(struct world *w, size_t well, const char *failure)
{
	report_probe(w, world_take_look(w), failure, "", well);
}

void
world_probed(struct world *w, const char *failure)
{
	probed(w, failure, "", 0);
}

void
world_probed_but(struct world *w, size_t well, const char *failure)
{
	probed(w, failure, "", well);
}

void
world_probed_as(struct world *w, const char *commit)
{
	probed(w, NULL, commit, 0);
}

void
world_git_at(struct world *w, const char *commit)
{
	world_git(w, (struct world_git){ .commit = commit });
}

void
world_git_all_at(struct world *w, const char *commit)
{
	while (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git_at(w, commit);
}

void
world_run_plays(struct world *w, struct run_ended ended)
{
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, ended);
}

void
world_asks(struct world *w, int64_t person, const char *text, const char *commit)
{
	(void)world_text(w, person, text);
	world_git_at(w, commit);
}

void
world_asks_in(struct world *w, int64_t person, int64_t chat, const char *text, const char *commit)
{
	(void)world_text_in(w, person, chat, text);
	world_git_at(w, commit);
}

void
world_polled(struct world *w, const char *develop, const char *main_branch)
{
	world_due(w, TIMER_POLL);
	world_git_heads(w, develop, main_branch);
}

void
world_run_releases(struct world *w, struct run_ended ended)
{
	world_run_step(w, 0, "release");
	world_run_ends(w, ended);
}

void
world_run_is_probed(struct world *w, const char *failure)
{
	world_run_ends(w, GOOD);
	world_probed(w, failure);
}

void
world_push_is_at(struct world *w, const char *commit)
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git_at(w, commit);
}

void
world_settings_read(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_SETTINGS);

	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
}

void
world_restored(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_STARTED);

	event->u.started.is_restored = true;
	(void)world_decide(w, event);
}

void
world_application_file(struct world *w, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/apps", w->aid.folder);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/apps/%s.env", w->aid.folder, name);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}
