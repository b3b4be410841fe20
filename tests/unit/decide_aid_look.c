/* decide_aid_look.c - screen, rows and audit file as a test sees them; ways that are gone often.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/store_inside.h"

/* --- the screen --- */

const char *
world_plain(const struct world_message *message)
{
	static char plain[LIMIT_MESSAGE * 2];
	size_t n = 0;

	assert_non_null(message);
	for (const char *c = message->text; *c != '\0' && n + 1 < sizeof(plain); c++)
		if ((unsigned char)*c > 5)
			plain[n++] = *c;
	plain[n] = '\0';
	return plain;
}

struct world_message *
world_says_in(struct world *w, int64_t chat, const char *part)
{
	for (size_t i = w->n_screen; i-- > 0;)
		if ((chat == 0 || w->screen[i].chat == chat) && !w->screen[i].is_gone &&
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
	size_t n = w->n_screen;

	while (n > 0 && w->screen[n - 1].is_gone)
		n--;
	assert_true(n > 0);
	return &w->screen[n - 1];
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

const char *
world_copies(const struct world_message *message, const char *label)
{
	for (size_t i = 0; i < message->buttons.n; i++)
		if (strstr(message->buttons.at[i].label, label) != NULL)
			return message->buttons.at[i].copy;
	return "";
}

/* --- rows --- */

struct look {
	const char *environment;
	int64_t id;
	struct deployment deployment;
	struct question question;
	struct environment row;
};

static void
look_at_deployment(struct tx *tx, void *arg)
{
	struct look *look = arg;

	row_deployment_get(tx, look->id, &look->deployment);
}

static void
look_at_active(struct tx *tx, void *arg)
{
	struct look *look = arg;

	row_deployment_active(tx, look->environment, &look->deployment);
}

/* Ids are given in order, and none is used twice. */
static void
look_at_newest(struct tx *tx, void *arg)
{
	struct look *look = arg;
	struct deployment at;

	for (int64_t id = 1; row_deployment_get(tx, id, &at)->id != 0; id++)
		if (strcmp(at.environment, look->environment) == 0)
			look->deployment = at;
	row_question_get(tx, look->deployment.id, &look->question);
}

static void
look_at_environment(struct tx *tx, void *arg)
{
	struct look *look = arg;

	row_environment_get(tx, look->environment, &look->row);
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

struct question
world_question(struct world *w, const char *environment)
{
	struct look look = { .environment = environment };

	store_aid_act(&w->aid, look_at_newest, &look);
	return look.question;
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

int64_t
world_refusals(struct world *w)
{
	int64_t n = -1;

	assert_true(db_one_i64(&n, w->aid.store->db, &w->aid.err,
	    "SELECT (SELECT COUNT(*) FROM audit WHERE outcome = 'denied')"
	    " + (SELECT COALESCE(SUM(n), 0) FROM stranger)"));
	return n;
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
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
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
	world_run_releases(w, GOOD);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
}

void
world_two_go_live(struct world *w, const char *first, const char *second)
{
	world_deploy_goes_live(w, first);
	world_deploy_goes_live(w, second);
}

void
world_three_go_live(struct world *w)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_goes_live(w, COMMIT_C);
}

void
world_starts_over(struct world *w, const char *live, const char *commit)
{
	world_deploy_goes_live(w, live);
	world_deploy_starts(w, commit);
}

struct world_message *
world_rollback_asks(struct world *w, const char *text)
{
	char newest[LIMIT_BUTTON_ID];

	(void)world_text(w, WORLD_ADMIN, text);
	(void)text_copy(newest, sizeof(newest), world_button(world_last(w), "↩️ to "));
	if (newest[0] != '\0')
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, newest);
	return world_last(w);
}

const char *
world_rollback_says(struct world *w, const char *text)
{
	return world_plain(world_rollback_asks(w, text));
}

void
world_rolls_back(struct world *w, const char *text)
{
	const char *button;
	int64_t id;

	button = world_button(world_rollback_asks(w, text), "Roll");
	assert_string_not_equal(button, "");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	id = world_peek(w, EFFECT_RUN)->u.run.deployment; /* of a question that stood before, too */
	world_run_ends(w, GOOD);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_LIVE);
}

void
world_b_over_a(struct world *w, const char *url)
{
	world_open(w, url, NULL);
	world_starts_over(w, COMMIT_A, COMMIT_B);
}

static void
release(struct tx *tx, void *arg)
{
	const struct environment_settings *all = tx->settings->environments;
	const char *only = arg;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		struct release is = { .at = tx->at };

		if (only != NULL && strcmp(all[i].name, only) != 0)
			continue;
		(void)snprintf(is.environment, sizeof(is.environment), "%s", all[i].name);
		(void)snprintf(is.commit, sizeof(is.commit), "%s",
		    row_environment_get(tx, all[i].name, &(struct environment){ 0 })->current.id ==
			    0 ?
			COMMIT_A :
			COMMIT_B);
		(void)text_copy(is.subject, sizeof(is.subject), "Make it blue");
		(void)text_copy(is.by, sizeof(is.by), "@ada");
		(void)row_environment_release(tx, &is);
	}
}

void
world_released(struct world *w, const char *environment)
{
	world_act(w, release, (void *)(uintptr_t)environment);
}

const char *
world_labels(const struct world_message *message)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < message->buttons.n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
		    i > 0 ? " | " : "", message->buttons.at[i].label);
	return text;
}

size_t
world_rings_in(const struct world *w, int64_t chat)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && !w->screen[i].is_silent;
	return n;
}

size_t
world_says_times(const struct world *w, int64_t chat, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && strstr(w->screen[i].text, part) != NULL;
	return n;
}

void
world_set_down(struct tx *tx, void *arg)
{
	row_environment_down(tx, arg);
}

static void
count_contained(struct tx *tx, void *arg)
{
	*(int64_t *)arg = tx_number(tx, "SELECT COUNT(*) FROM contained");
}

int64_t
world_contained(struct world *w)
{
	int64_t n = -1;

	store_aid_act(&w->aid, count_contained, &n);
	return n;
}
