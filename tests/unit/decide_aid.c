/* decide_aid.c - the world around the decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "handlers/handlers.h"
#include "lib/log.h"
#include "lib/text.h"
#include <errno.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "settings/settings_load.h"
#include "store/row_block.h"

#define SETTINGS_MAX 32
#define TICK_MS	     10 /* between two events */

/* --- opening, closing, settings --- */

static void
load(struct world *w, va_list more)
{
	char state[128];
	char token[] = "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789";
	char admins[] = "ADMIN_TELEGRAM_IDS=11,22";
	char users[] = "STAGING_TELEGRAM_IDS=33";
	char team[] = "TELEGRAM_CHAT_ID=-1001";
	char repository[] = "GITHUB_REPOSITORY=acme/shop";
	char poll[] = "POLL_REPOSITORY_SECONDS=0";
	char *base[] = { token, admins, users, team, repository, state, poll };
	char *list[SETTINGS_MAX] = { 0 };
	char *given[SETTINGS_MAX] = { 0 };
	struct settings_report report = { 0 };
	struct settings *settings;
	size_t n_given = 0, n = 0;

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", w->aid.folder);
	while ((given[n_given] = va_arg(more, char *)) != NULL)
		assert_true(++n_given < SETTINGS_MAX - COUNT(base));
	for (size_t i = 0; i < COUNT(base); i++) {
		size_t name = strcspn(base[i], "=") + 1;
		bool is_given = false;

		for (size_t g = 0; g < n_given; g++)
			is_given |= strncmp(given[g], base[i], name) == 0;
		if (!is_given)
			list[n++] = base[i];
	}
	for (size_t g = 0; g < n_given; g++)
		if (given[g][strcspn(given[g], "=") + 1] != '\0') /* "NAME=": leave it out */
			list[n++] = given[g];
	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("settings: %s", report.lines[0].text);
	settings_unref(w->aid.settings);
	w->aid.settings = settings;
}

void
world_open(struct world *w, ...)
{
	va_list more;

	memset(w, 0, sizeof(*w));
	log_set_level(LOG_LEVEL_ERROR); /* what is decided is asked of rows, not of logs */
	w->next_update = 1000;
	w->next_remote = 500;
	store_aid_open(&w->aid, handlers, NULL, NULL);
	va_start(more, w);
	load(w, more);
	va_end(more);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

void
world_settings(struct world *w, ...)
{
	va_list more;

	va_start(more, w);
	load(w, more);
	va_end(more);
}

void
world_application(struct world *w, const char *name, const char *text)
{
	char directory[128], path[192], whole[2048];

	(void)snprintf(directory, sizeof(directory), "%s/apps", w->aid.folder);
	assert_true(mkdir(directory, 0700) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/%s.env", directory, name);
	(void)snprintf(whole, sizeof(whole),
	    "GITHUB_REPOSITORY=acme/%s\nSTAGING_HOST=%s-s\n%s%s\n%s", name, name,
	    strstr(text, "ENVIRONMENTS=") == NULL ? "PRODUCTION_HOST=p-" : "# ", name, text);
	assert_true(file_write(path, whole, strlen(whole), 0600, NULL));
	(void)snprintf(path, sizeof(path), "APPS_DIRECTORY=%s", directory);
	world_settings(w, path, "GITHUB_REPOSITORY=", NULL);
}

void
world_close(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		effect_free(w->open[i]);
	for (size_t i = 0; i < w->n_screen; i++)
		free(w->screen[i].text);
	free(w->audit);
	store_aid_close(&w->aid);
}

/* --- what comes out --- */

static void
show(struct world *w, const struct message *sent)
{
	struct world_message *message = NULL;

	for (size_t i = 0; i < w->n_screen; i++)
		if (w->screen[i].row == sent->id)
			message = &w->screen[i];
	if (message == NULL) {
		assert_true(w->n_screen < WORLD_SCREEN);
		message = &w->screen[w->n_screen++];
		message->is_silent = sent->is_silent;
		message->reply_to = sent->reply_to;
	}
	free(message->text);
	message->row = sent->id;
	message->chat = sent->address.chat;
	message->sends++;
	message->buttons = sent->buttons;
	message->text = strdup(sent->head);
	assert_non_null(message->text);
}

static void
deliver(struct world *w, struct effect *effect)
{
	if (effect->kind == EFFECT_SEND_MESSAGE) {
		struct message_sent *said = &effect->result->u.message_sent;
		const struct message *message = &effect->u.send_message.message;

		show(w, message);
		said->message = message->id;
		said->chat = message->address.chat;
		said->remote_id = message->remote_id != 0 ? message->remote_id : w->next_remote++;
		w->screen_remote[message->id % WORLD_SCREEN] = said->remote_id;
	} else {
		(void)text_copy(w->toast, sizeof(w->toast), effect->u.toast.text);
		w->is_alert = effect->u.toast.is_alert;
		w->n_toasts++;
	}
	(void)store_aid_report(&w->aid, effect);
}

static void
withdraw(struct world *w, int64_t id)
{
	w->withdrawn = id;
	for (size_t i = 0; i < w->n_open; i++) {
		if (w->open[i]->id != id)
			continue;
		effect_free(w->open[i]);
		memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
		return;
	}
}

static void
take_in(struct world *w, struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_WITHDRAW)
		withdraw(w, outcome->withdraw);
	if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_DEPLOYMENT)
		(void)text_copy(w->tallied, sizeof(w->tallied), outcome->increment.label[2]);
	if (outcome->kind != OUTCOME_EFFECT)
		return;
	if (outcome->effect->kind == EFFECT_SEND_MESSAGE || outcome->effect->kind == EFFECT_TOAST) {
		deliver(w, TAKE(outcome->effect));
		return;
	}
	assert_true(w->n_open < WORLD_OPEN);
	w->open[w->n_open++] = TAKE(outcome->effect);
}

static void
pump(struct world *w)
{
	struct queue_link *link;

	while ((link = queue_list_take(&w->aid.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		take_in(w, outcome);
		outcome_free(outcome);
	}
}

void
world_act(struct world *w, void (*act)(struct tx *tx, void *arg), void *arg)
{
	store_aid_act(&w->aid, act, arg);
	pump(w);
}

struct answer
world_decide(struct world *w, struct event *event)
{
	struct answer answer = store_aid_decide(&w->aid, event);

	w->aid.at += TICK_MS;
	pump(w);
	return answer;
}

/* --- what people do --- */

struct event *
world_update(struct world *w, enum update_kind kind, int64_t person, int64_t chat)
{
	struct event *event = store_aid_event(&w->aid, EVENT_UPDATE);
	struct update *update = calloc(1, sizeof(*update));
	const char *name = person == WORLD_ADMIN ? "@ada" :
	    person == WORLD_OTHER_ADMIN		 ? "@bob" :
	    person == WORLD_STAGING_USER	 ? "@cy" :
						   "@eve";

	assert_non_null(update);
	update->id = w->next_update++;
	update->kind = kind;
	update->address.chat = chat;
	update->is_private = chat > 0;
	update->message = kind == UPDATE_TEXT ? update->id + WORLD_WRITTEN : 0;
	update->person = person;
	(void)text_copy(update->name, sizeof(update->name), name);
	(void)snprintf(update->callback, sizeof(update->callback), "cb%" PRId64, update->id);
	event->u.update = update;
	return event;
}

struct answer
world_text_in(struct world *w, int64_t person, int64_t chat, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, chat);

	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	return world_decide(w, event);
}

struct answer
world_text(struct world *w, int64_t person, const char *text)
{
	return world_text_in(w, person, WORLD_GROUP, text);
}

struct answer
world_press(struct world *w, int64_t person, int64_t chat, const char *button)
{
	struct event *event = world_update(w, UPDATE_PRESS, person, chat);

	w->toast[0] = '\0';
	(void)text_copy(event->u.update->button, sizeof(event->u.update->button), button);
	return world_decide(w, event);
}

struct event *
world_push(struct world *w, const char *branch)
{
	struct event *event = store_aid_event(&w->aid, EVENT_DELIVERY);
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_PUSH;
	(void)snprintf(delivery->id, sizeof(delivery->id), "d-%" PRId64, w->next_update);
	memcpy(delivery->digest, &w->next_update, sizeof(w->next_update));
	w->next_update++;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), "Acme/Shop");
	(void)text_copy(delivery->branch, sizeof(delivery->branch), branch);
	(void)text_copy(delivery->login, sizeof(delivery->login), "octo");
	(void)text_copy(delivery->after, sizeof(delivery->after), COMMIT_A);
	delivery->sender = 7;
	return event;
}

/* --- open effects --- */

struct effect *
world_peek(struct world *w, enum effect_kind kind)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == kind)
			return w->open[i];
	return NULL;
}

static struct effect *
take_out(struct world *w, const struct effect *wanted)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect != wanted)
			continue;
		memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
		return effect;
	}
	return NULL;
}

struct effect *
world_take(struct world *w, enum effect_kind kind)
{
	return take_out(w, world_peek(w, kind));
}

size_t
world_count(const struct world *w, enum effect_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == kind;
	return n;
}

/* Its result, as it was filled in. */
static void
report(struct world *w, struct effect *effect)
{
	(void)store_aid_report(&w->aid, effect);
	w->aid.at += TICK_MS;
	pump(w);
}

static struct effect *
must_take(struct world *w, enum effect_kind kind)
{
	struct effect *effect = world_take(w, kind);

	if (effect == NULL)
		fail_msg("no effect %s is open", effect_name(kind));
	return effect;
}

void
world_due(struct world *w, enum timer_kind kind)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect->kind != EFFECT_TIMER || effect->u.timer.kind != kind)
			continue;
		if (w->aid.at < effect->due)
			w->aid.at = effect->due;
		report(w, take_out(w, effect));
		return;
	}
	fail_msg("no such deadline is open");
}

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
	n += snprintf(
	    text + n, room - (size_t)n, "forced %d\ncount %d\n", git->is_force_push, git->count);
	for (int i = 0; i < git->count && i < LIMIT_COMMITS; i++)
		n += snprintf(text + n, room - (size_t)n, "change %s Ann Example\tChange %d\n",
		    git->commit, i + 1);
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
	struct effect *effect = must_take(w, EFFECT_GIT_QUERY);
	struct git_answered *asked = &effect->result->u.git_answered;
	char text[8192];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_COMMITS);
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
	report(w, effect);
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
	struct effect *effect = must_take(w, EFFECT_GIT_QUERY);
	char text[512];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_HEADS);
	(void)snprintf(
	    text, sizeof(text), "head %s develop\nhead %s main\nend\n", develop, main_branch);
	effect->result->u.git_answered.answer = strdup(text);
	report(w, effect);
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

int
world_run_starts(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_RUN_STARTED);

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
world_run_ends(struct world *w, struct run_ended ended)
{
	struct effect *effect = must_take(w, EFFECT_RUN);

	ended.run = effect->u.run.run;
	effect->result->u.run_ended = ended;
	report(w, effect);
}

/* --- health --- */

void
world_probed(struct world *w, const char *failure)
{
	struct effect *effect = must_take(w, EFFECT_PROBE);
	struct probed *probed = &effect->result->u.probed;

	probed->n = effect->u.probe.n;
	probed->findings = calloc(probed->n, sizeof(*probed->findings));
	assert_non_null(probed->findings);
	for (size_t i = 0; i < probed->n; i++) {
		probed->findings[i].well = failure == NULL;
		probed->findings[i].http_status = failure == NULL ? 200 : 500;
		probed->findings[i].latency_ms = 12;
		(void)text_copy(
		    probed->findings[i].detail, LIMIT_LINE, failure == NULL ? "" : failure);
	}
	report(w, effect);
}

/* --- the screen --- */

const char *
world_plain(const struct world_message *message)
{
	static char plain[LIMIT_MESSAGE * 2];
	size_t n = 0;

	assert_non_null(message);
	for (const char *c = message->text; *c != '\0' && n + 1 < sizeof(plain); c++)
		if ((unsigned char)*c > 4)
			plain[n++] = *c;
	plain[n] = '\0';
	return plain;
}

struct world_message *
world_says_in(struct world *w, int64_t chat, const char *part)
{
	for (size_t i = w->n_screen; i-- > 0;)
		if ((chat == 0 || w->screen[i].chat == chat) &&
		    strstr(world_plain(&w->screen[i]), part) != NULL)
			return &w->screen[i];
	return NULL;
}

struct world_message *
world_says(struct world *w, const char *part)
{
	return world_says_in(w, 0, part);
}

struct world_message *
world_last(struct world *w)
{
	assert_true(w->n_screen > 0);
	return &w->screen[w->n_screen - 1];
}

size_t
world_rings(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += !w->screen[i].is_silent;
	return n;
}

const char *
world_button(const struct world_message *message, const char *label)
{
	assert_non_null(message);
	for (size_t i = 0; i < message->buttons.n; i++)
		if (strstr(message->buttons.at[i].label, label) != NULL)
			return message->buttons.at[i].id;
	return "";
}

/* --- rows --- */

struct look {
	const char *environment;
	int64_t id;
	struct deployment deployment;
	struct environment row;
};

static void
look_at_deployment(struct tx *tx, void *arg)
{
	struct look *look = arg;

	look->deployment = row_deployment_get(tx, look->id);
}

static void
look_at_active(struct tx *tx, void *arg)
{
	struct look *look = arg;

	look->deployment = row_deployment_active(tx, look->environment);
}

/* Ids are given in order, and none is used twice. */
static void
look_at_newest(struct tx *tx, void *arg)
{
	struct look *look = arg;
	struct deployment at;

	for (int64_t id = 1; (at = row_deployment_get(tx, id)).id != 0; id++)
		if (strcmp(at.environment, look->environment) == 0)
			look->deployment = at;
}

static void
look_at_environment(struct tx *tx, void *arg)
{
	struct look *look = arg;

	look->row = row_environment_get(tx, look->environment);
}

struct deployment
world_deployment(struct world *w, int64_t id)
{
	struct look look = { .id = id };

	store_aid_act(&w->aid, look_at_deployment, &look);
	return look.deployment;
}

struct deployment
world_newest(struct world *w, const char *environment)
{
	struct look look = { .environment = environment };

	store_aid_act(&w->aid, look_at_newest, &look);
	return look.deployment;
}

struct deployment
world_active(struct world *w, const char *environment)
{
	struct look look = { .environment = environment };

	store_aid_act(&w->aid, look_at_active, &look);
	return look.deployment;
}

struct environment
world_environment(struct world *w, const char *name)
{
	struct look look = { .environment = name };

	store_aid_act(&w->aid, look_at_environment, &look);
	return look.row;
}

struct look_blocks {
	const char *environment;
	char text[LIMIT_BLOCKED * LIMIT_COMMIT];
};

static void
look_at_blocks(struct tx *tx, void *arg)
{
	struct look_blocks *look = arg;
	struct block blocks[LIMIT_BLOCKED];
	size_t n = row_block_list(tx, look->environment, blocks, LIMIT_BLOCKED, NULL), used = 0;

	look->text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(look->text + used, sizeof(look->text) - used, "%s%s",
		    i > 0 ? " " : "", blocks[i].commit);
}

const char *
world_blocked(struct world *w, const char *environment)
{
	static struct look_blocks look;

	look.environment = environment;
	store_aid_act(&w->aid, look_at_blocks, &look);
	return look.text;
}

enum deploy_state
world_state(struct world *w)
{
	return world_newest(w, "staging").state;
}

size_t
world_audited(struct world *w, const char *first, const char *second)
{
	struct queue_list ignored = { 0 };
	size_t n = 0;
	char *copy, *line, *rest;

	assert_false(store_project(w->aid.store, &ignored));
	queue_list_append(&w->aid.outcomes, &ignored);
	free(w->audit);
	w->audit = store_aid_read(w->aid.audit_path);
	copy = strdup(w->audit);
	assert_non_null(copy);
	for (rest = copy; (line = strsep(&rest, "\n")) != NULL;)
		n +=
		    strstr(line, first) != NULL && (second == NULL || strstr(line, second) != NULL);
	free(copy);
	return n;
}

/* --- short cuts --- */

void
world_deploy_starts(struct world *w, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = commit });
	if (world_button(world_last(w), "Deploy again")[0] != '\0') {
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy again"));
		world_git_same(w);
	}
	assert_int_equal(world_run_starts(w), 200);
}

void
world_deploy_goes_live(struct world *w, const char *commit)
{
	world_deploy_starts(w, commit);
	world_run_step(w, 0, "release");
	world_run_ends(w, GOOD);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
}

void
world_rolls_back(struct world *w, const char *text)
{
	const char *button;

	(void)world_text(w, WORLD_ADMIN, text);
	button = world_button(world_last(w), "Roll");
	assert_string_not_equal(button, "");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	world_run_ends(w, GOOD);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

void
world_b_over_a(struct world *w, const char *url)
{
	world_open(w, url, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	world_deploy_starts(w, COMMIT_B);
}
