/* decide_where.c - which environment somebody means, of those that they see; asks where it is not one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_where.h"

#include <ctype.h>
#include <stdlib.h>

#include "decide/who/decide_allowed.h"
#include "decide/question/decide_near.h"
#include "decide/question/decide_offered.h"
#include "decide/question/decide_place.h"
#include "decide/decide_page.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define PREFIX_LEAST 3
#define WORD_ALL     "all" /* of a freeze: it begins no name */
#define LEFT_SHOWN   64	   /* environments in progress that no settings have */
#define OPEN_AT_ONCE 32
#define WHICH_SHOWN  10 /* two buttons more lead to the other pages */

/* --- what there is --- */

/* Its own text, its name, or its application's; "" means all. */
static bool
is_meant(const struct environment_settings *environment, const char *target)
{
	struct environment_id id;

	return target[0] == '\0' || strcmp(environment->name, target) == 0 ||
	    (environment_id_parse(environment->name, &id) &&
		(strcmp(id.name, target) == 0 || strcmp(id.application, target) == 0));
}

/* --- what no settings have --- */

/* One more place in the scope, as one of the settings; NULL: there is no room. */
static struct environment_settings *
add_left(
    const struct environment_settings *as, const char *name, size_t *n, struct decide_scope *scope)
{
	struct environment_settings *left;

	if (scope->left == NULL)
		scope->left = mem_new(LEFT_SHOWN, sizeof(*scope->left) + LIMIT_ENVIRONMENT);
	if (*n == LEFT_SHOWN)
		return NULL;
	char *text = (char *)&scope->left[LEFT_SHOWN] + *n * LIMIT_ENVIRONMENT;

	left = &scope->left[(*n)++];
	*left = *as;
	left->name = text;
	(void)text_copy(text, LIMIT_ENVIRONMENT, name); /* fits */
	return left;
}

static bool
is_there(const struct decide_scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->n; i++)
		if (strcmp(scope->at[i]->name, name) == 0)
			return true;
	return false;
}

/* Who does not see the environment with that name sees what is open of clients that it is. */
static void
add_clients_of(
    struct tx *tx, const char *name, const char *target, size_t *n, struct decide_scope *scope)
{
	const struct settings *settings = tx->settings;

	for (size_t i = 0; i < settings->client_count && *n < LEFT_SHOWN; i++) {
		const struct client_settings *client = &settings->clients[i];

		if (strcmp(client->target, name) != 0 || !is_meant(&client->as, target) ||
		    is_there(scope, client->as.name) ||
		    !decide_sees(tx, scope->person, client->as.name) ||
		    (client->target != client->as.name &&
			decide_place_open(tx, client->as.name, 0, &(struct deployment){ 0 })->id ==
			    0))
			continue;
		scope->at[scope->n++] = &client->as;
		(*n)++;
	}
}

/* A walk over those with work that has not ended; all zero begins it. */
struct open {
	char names[OPEN_AT_ONCE][LIMIT_ENVIRONMENT];
	size_t n, at;
	const char *name; /* where it stands */
};

static bool
next_open(struct tx *tx, struct open *open)
{
	char after[LIMIT_ENVIRONMENT] = "";

	if (open->at == open->n && (open->n == 0 || open->n == OPEN_AT_ONCE)) {
		if (open->n > 0)
			text_set(after, open->name);
		open->n = row_environment_list_open(tx, after, open->names, OPEN_AT_ONCE);
		open->at = 0;
	}
	if (open->at == open->n)
		return false;
	open->name = open->names[open->at++];
	return true;
}

/* Those that were renamed are what their rows name; behind them what is open at clients, and in
 * progress under a name that no settings have. */
static void
add_all_left(struct tx *tx, int64_t person, const char *target, struct decide_scope *scope)
{
	const struct environment_settings gone = {
		.of = tx->settings, .refusal = "", .branch = NULL
	};
	const struct environment_settings *left;
	struct open open = { 0 };
	char name[LIMIT_ENVIRONMENT] = "";
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++)
		if (decide_is_to_be_renamed(tx, scope->at[i]->name, name) &&
		    row_deployment_active(tx, name, &(struct deployment){ 0 })->id != 0 &&
		    (left = add_left(scope->at[i], name, &n, scope)) != NULL)
			scope->at[i] = left;
	if (settings_environment(tx->settings, target) != NULL)
		return;
	while (next_open(tx, &open)) {
		const struct environment_settings meant = { .name = open.name };
		bool is_gone = settings_environment(tx->settings, open.name) == NULL;

		if (!is_gone &&
		    (environment_client(open.name) != NULL || !decide_sees(tx, person, open.name)))
			add_clients_of(tx, open.name, target, &n, scope);
		if (is_gone && is_meant(&meant, target) && !is_there(scope, open.name) &&
		    decide_sees(tx, person, open.name) &&
		    (left = add_left(&gone, open.name, &n, scope)) != NULL)
			scope->at[scope->n++] = left;
	}
}

/* All of them that the person sees; by its own text one, without a look at the others. */
static bool
find_meant(struct tx *tx, int64_t person, const char *target, struct decide_scope *ret)
{
	const struct settings *settings = tx->settings;
	const struct environment_settings *own = settings_environment(settings, target);
	const struct environment_settings *first = own != NULL ? own : settings->environments;
	size_t count = own != NULL ? 1 : settings->environment_count;

	*ret = (struct decide_scope){ .at = mem_new(count + LEFT_SHOWN, sizeof(*ret->at)),
		.person = person };
	for (size_t i = 0; i < count; i++)
		if ((own != NULL || is_meant(&first[i], target)) &&
		    decide_sees(tx, person, first[i].name))
			ret->at[ret->n++] = &first[i];
	return ret->n > 0;
}

/* A client by its id, where nothing else has that name: the environment that it is, for who may do
 * that there, else the client itself. */
static void
add_client(struct tx *tx, enum policy_action action, const char *target, struct decide_scope *scope)
{
	const char *id = environment_client(target) != NULL ? environment_client(target) : target;
	const struct client_settings *client = settings_client(tx->settings, id);
	const struct environment_settings *is =
	    client != NULL ? settings_environment(tx->settings, client->target) : NULL;

	if (client == NULL || !decide_sees(tx, scope->person, client->as.name))
		return;
	scope->at[scope->n++] =
	    is != NULL && decide_is_allowed(tx, scope->person, action, client->target) ?
	    is :
	    &client->as;
}

/* With clients and what is left, for what looks at what is in progress or ends it. */
static bool
find_open(struct tx *tx, int64_t person, enum policy_action action, const char *target,
    struct decide_scope *ret)
{
	(void)find_meant(tx, person, target, ret);
	if (ret->at != NULL)
		add_all_left(tx, person, target, ret);
	if (ret->at != NULL && ret->n == 0)
		add_client(tx, action, target, ret);
	return ret->n > 0;
}

/* Leaves those in which they may; false: there is none, and all stay. */
static bool
leave_allowed(struct tx *tx, int64_t person, enum policy_action action, struct decide_scope *scope)
{
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++)
		if (decide_is_allowed(tx, person, action, scope->at[i]->name))
			scope->at[n++] = scope->at[i];
	if (n == 0)
		return false;
	scope->n = n;
	scope->is_wide = n > LIMIT_ENVIRONMENTS || scope->at[0]->of != scope->at[n - 1]->of;
	return true;
}

bool
decide_scope_of(struct tx *tx, int64_t person, enum policy_action action, const char *target,
    struct decide_scope *ret)
{
	return find_open(tx, person, action, target, ret) && leave_allowed(tx, person, action, ret);
}

void
decide_scope_done(struct decide_scope *scope)
{
	free(scope->at);
	free(scope->left);
	scope->at = NULL;
	scope->left = NULL;
}

/* --- what was typed --- */

static void
copy_lower(char *out, size_t room, const char *text)
{
	(void)text_copy(out, room, text); /* fits */
	for (; *out != '\0'; out++)
		*out = (char)tolower((unsigned char)*out);
}

/* "shop staging"; false: there is none that they see. */
static bool
read_both(struct tx *tx, const struct update *update, const char *first, const char *second,
    char ret[REQUEST_TARGET])
{
	char both[ENVIRONMENT_ID_MAX];

	if (!environment_name_is_valid(first) || !environment_name_is_valid(second))
		return false;
	(void)environment_id_text(first, second, both);
	if ((settings_environment(tx->settings, both) == NULL &&
		row_deployment_active(tx, both, &(struct deployment){ 0 })->id == 0) ||
	    !decide_sees(tx, update->person, both))
		return false;
	(void)text_copy(ret, REQUEST_TARGET, both);
	return true;
}

/* False: another name begins so. */
static bool
take_begun(const char *prefix, const char *name, char ret[LIMIT_ENVIRONMENT])
{
	if (name[0] == '\0' || !text_starts(name, prefix))
		return true;
	if (ret[0] != '\0' && strcmp(ret, name) != 0)
		return false;
	(void)text_copy(ret, LIMIT_ENVIRONMENT, name); /* fits */
	return true;
}

/* The one name of what they see that begins so; false: there is none, there are two, or it is a
 * name itself. */
static bool
find_begun(struct tx *tx, int64_t person, const char *prefix, char ret[LIMIT_ENVIRONMENT])
{
	const struct settings *s = tx->settings;
	bool is_whole = strchr(prefix, '/') != NULL;

	ret[0] = '\0';
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *environment = &s->environments[i];
		struct environment_id id;

		if (!environment_id_parse(environment->name, &id) ||
		    !decide_sees(tx, person, environment->name))
			continue;
		if (is_meant(environment, prefix))
			return false;
		if (is_whole ? !take_begun(prefix, environment->name, ret) :
			       !take_begun(prefix, id.name, ret) ||
			    !take_begun(prefix, id.application, ret))
			return false;
	}
	return ret[0] != '\0';
}

static bool
is_left(struct tx *tx, int64_t person, const char *target)
{
	struct open open = { 0 };

	while (next_open(tx, &open)) {
		const struct environment_settings meant = { .name = open.name };

		if (is_meant(&meant, target) && decide_sees(tx, person, open.name))
			return true;
	}
	return false;
}

/* A script writes names out. */
static void
complete(struct tx *tx, const struct update *update, struct request *ret)
{
	char name[LIMIT_ENVIRONMENT], typed[REQUEST_TARGET];

	if (strlen(ret->target) < PREFIX_LEAST || strcmp(ret->target, WORD_ALL) == 0 ||
	    decide_is_answered(update) || !find_begun(tx, update->person, ret->target, name) ||
	    is_left(tx, update->person, ret->target))
		return;
	text_set(typed, ret->target);
	text_set(ret->target, name);
	request_add(ret, REQUEST_TYPED, typed);
}

size_t
decide_read_target(struct tx *tx, const struct update *update, const struct chat_command *typed,
    struct request *ret)
{
	char second[LIMIT_REF];

	ret->target[0] = '\0';
	if (typed->n_arguments == 0)
		return 0;
	copy_lower(ret->target, sizeof(ret->target), typed->argument[0]);
	copy_lower(second, sizeof(second), typed->argument[1]);
	if (read_both(tx, update, ret->target, second, ret->target))
		return 2;
	complete(tx, update, ret);
	return 1;
}

/* --- there are several --- */

/* What was typed, or the one that there is. */
static void
name_meant(struct chat_text *text, const struct request *request, const struct decide_scope *scope)
{
	const char *name = scope->n == 1 ? scope->at[0]->name : request->target;

	chat_text_some(text, " ", name);
}

/* Words behind the target, as people call them. */
static const struct {
	const char *key, *name;
} keys[] = { { "ref", "ref" }, { "release", "release" }, { "lines", "number of lines" },
	{ "from", "source" } };

static void
say_which(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *scope)
{
	struct message message = { 0 };
	int64_t page, pages;
	size_t first = decide_page(request, scope->n, WHICH_SHOWN, &page, &pages);
	char value[LIMIT_REF];
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	tx->costs_nothing = true; /* what is chosen will */
	for (size_t i = first; i < scope->n && i < first + WHICH_SHOWN; i++)
		decide_choice(tx, update, request, scope->at[i]->name, &message.buttons);
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	chat_text_add(&text, "❓ " MARK_BOLD "/%s", request->action);
	name_meant(&text, request, scope);
	chat_text_add(&text, MARK_BOLD "%s?",
	    scope->n == 1				     ? "" :
		scope->is_wide && request->target[0] != '\0' ? ": of which application" :
							       ": which environment");
	for (size_t i = 0; i < scope->n && decide_is_answered(update); i++)
		chat_text_outside(&text, "\n", scope->at[i]->name); /* it has no buttons */
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (request_get(request, keys[i].key, value)[0] == '\0')
			continue;
		chat_text_code(&text, "\n", value);
		chat_text_add(&text, " is taken as the %s.", keys[i].name);
	}
	if (request_get(request, REQUEST_TYPED, value)[0] != '\0') {
		chat_text_code(&text, "\n", value);
		chat_text_outside(&text, " is taken as ", request->target);
		chat_text_add(&text, ".");
	}
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}

/* A typo is no missing right, and what they have no grant on is one; but a stranger learns of no
 * environment.  Nothing was named: who may it somewhere is shown where.  A button has named what
 * it is for already: of what is there, a press on it is denied. */
static void
say_none(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, bool is_one)
{
	CLEANUP(decide_scope_done) struct decide_scope all = { 0 };
	const char *target = request->target;
	bool is_known = target[0] == '\0' ?
	    decide_is_allowed_somewhere(tx, update->person, action) :
	    !decide_is_stranger(tx, update->person);

	is_known = is_known &&
	    (update->kind != UPDATE_PRESS || settings_environment(tx->settings, target) == NULL);
	if (!is_known && !decide_may_begin(tx, update, action, target))
		return;
	(void)find_meant(tx, update->person, "", &all);
	decide_near_say(tx, update, request, &all, &(struct decide_near){ action, is_one });
}

/* Nothing of it begins before the answer to a question that names the environment, or at all. */
static bool
begins_nothing(struct tx *tx, enum policy_action action, const char *word,
    const struct environment_settings *environment)
{
	static const char *const at_once[] = { "live", "pause" };
	struct deployment active;

	for (size_t i = 0; i < COUNT(at_once); i++)
		if (strcmp(word, at_once[i]) == 0)
			return false;
	if (action == POLICY_ROLLBACK) /* what bakes or is paused is acted on at once */
		return !deployment_is_baking(row_deployment_active(tx, environment->name, &active));
	return action == POLICY_LOG || (action == POLICY_DEPLOY && environment->confirm);
}

/* Named in full, or it begins nothing: a prefix, or no name, never starts anything by itself. */
static bool
is_clear(struct tx *tx, enum policy_action action, const struct request *request,
    const struct decide_scope *scope)
{
	bool is_named =
	    request->target[0] != '\0' && request_text(request, REQUEST_TYPED)[0] == '\0';

	return scope->n == 1 &&
	    (is_named || begins_nothing(tx, action, request->action, scope->at[0]));
}

/* The one of them that is meant; NULL: none, which was said. */
static const struct environment_settings *
choose(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *scope)
{
	if (scope->n == 0) {
		say_none(tx, update, action, request, true);
		return NULL;
	}
	if (!is_clear(tx, action, request, scope) &&
	    leave_allowed(tx, update->person, action, scope)) {
		say_which(tx, update, request, scope);
		return NULL;
	}
	return decide_may_as(tx, update, action, scope->at[0]->name, request->action) ?
	    scope->at[0] :
	    NULL;
}

/* Nothing was named: only where they may it. */
static bool
is_theirs(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *scope)
{
	return request->target[0] != '\0' || leave_allowed(tx, update->person, action, scope);
}

/* They may roll back, and there is nowhere to. */
static void
say_nothing_earlier(struct tx *tx, const struct update *update)
{
	decide_answer_no(tx, update);
	tx->costs_nothing = true;
	(void)decide_sendf(tx, &update->address,
	    "Nothing to roll back: no environment of yours has an earlier release.");
}

/* Of several that are meant those stay that have an earlier release, where there are any; one that
 * is named may be a newer one. */
static void
leave_earlier(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *scope)
{
	char release[LIMIT_REF];
	size_t n;

	if (action != POLICY_ROLLBACK || scope->n < 2 ||
	    request_get(request, "release", release)[0] != '\0' ||
	    !leave_allowed(tx, update->person, action, scope))
		return;
	n = scope->n;
	decide_offered(tx, action, scope);
	if (scope->n == 0)
		scope->n = n;
}

const struct environment_settings *
decide_where(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };

	if (!find_meant(tx, update->person, request->target, &scope) ||
	    !is_theirs(tx, update, action, request, &scope))
		scope.n = 0;
	if (scope.n > 0 && request->target[0] == '\0') {
		decide_offered(tx, action, &scope);
		if (scope.n == 0) {
			say_nothing_earlier(tx, update);
			return NULL;
		}
	}
	leave_earlier(tx, update, action, request, &scope);
	return choose(tx, update, action, request, &scope);
}

bool
decide_where_open(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, char ret[LIMIT_ENVIRONMENT])
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	const struct environment_settings *found;

	if (!find_open(tx, update->person, action, request->target, &scope) ||
	    !is_theirs(tx, update, action, request, &scope))
		scope.n = 0;
	found = choose(tx, update, action, request, &scope);
	if (found != NULL)
		(void)text_copy(ret, LIMIT_ENVIRONMENT, found->name); /* fits */
	return found != NULL;
}

bool
decide_scope(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *ret)
{
	if (!find_open(tx, update->person, action, request->target, ret)) {
		if (!tx->failed)
			say_none(tx, update, action, request, false);
		return false;
	}
	(void)leave_allowed(tx, update->person, action, ret);
	return decide_may(tx, update, action, ret->at[0]->name);
}

bool
decide_scope_seen(struct tx *tx, const struct update *update, const struct request *request,
    struct decide_scope *ret)
{
	if (request->target[0] != '\0')
		return decide_scope(tx, update, POLICY_TALK, request, ret);
	(void)decide_scope_of(tx, update->person, POLICY_TALK, "", ret);
	return decide_may(tx, update, POLICY_TALK, "");
}

/* --- one work --- */

int64_t
decide_work(struct tx *tx, const struct update *update, const struct request *request,
    char rest[LIMIT_REF], struct deployment *ret)
{
	char text[LIMIT_REF], target[LIMIT_ENVIRONMENT], *word = text;
	int64_t number = request_number(request, "work");
	size_t size;

	if (request_get(request, "number", text)[0] == '\0')
		(void)request_get(request, "text", text);
	word += *word == '#';
	size = strcspn(word, " ");
	(void)text_copy(rest, LIMIT_REF, word + size + strspn(word + size, " "));
	word[size] = '\0';
	if (number == 0 && !text_to_i64(word, 1, INT64_MAX, &number, NULL))
		number = 0;
	row_deployment_get(tx, number, ret);
	if (ret->id != 0 && !decide_sees(tx, update->person, deployment_target(ret, target)))
		*ret = (struct deployment){ 0 };
	return number;
}
