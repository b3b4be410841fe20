/* decide_where.c - which environment somebody means, of those that they see; asks where it is not one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_where.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/decide_refusal.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_message.h"

#define NAMES_SHOWN 24
#define LEFT_SHOWN  64 /* environments in progress that no settings have */
#define WHICH_SHOWN 10 /* two buttons more lead to the other pages */
#define WHICH_MS    (600 * INT64_C(1000))
#define PAGES_MS    (24 * 3600 * INT64_C(1000))

/* --- what they see --- */

bool
decide_sees(const struct tx *tx, int64_t person, const char *environment)
{
	const char *name = decide_new_name(tx, environment);

	return policy_sees(
	    tx->settings, principal_of_person(person), name == NULL ? environment : name, tx->at);
}

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
add_left(struct tx *tx, const struct environment_settings *as, const char *name, size_t *n,
    struct decide_scope *scope)
{
	struct environment_settings *left;

	if (scope->left == NULL)
		scope->left = calloc(LEFT_SHOWN, sizeof(*scope->left) + LIMIT_ENVIRONMENT);
	if (scope->left == NULL)
		tx_fail(tx, ERR_NOMEM, "no memory for a list of environments");
	if (scope->left == NULL || *n == LEFT_SHOWN)
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

/* Those that were renamed are what their rows name; behind them what is in progress under a name
 * that no settings have. */
static void
add_all_left(struct tx *tx, int64_t person, const char *target, struct decide_scope *scope)
{
	const struct environment_settings gone = {
		.of = tx->settings, .refusal = "", .branch = NULL
	};
	const struct environment_settings *left;
	char name[LIMIT_ENVIRONMENT] = "";
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++)
		if (decide_is_to_be_renamed(tx, scope->at[i]->name, name) &&
		    row_deployment_active(tx, name).id != 0 &&
		    (left = add_left(tx, scope->at[i], name, &n, scope)) != NULL)
			scope->at[i] = left;
	name[0] = '\0';
	while (settings_environment(tx->settings, target) == NULL &&
	    row_environment_next_open(tx, name)) {
		const struct environment_settings meant = { .name = name };

		if (settings_environment(tx->settings, name) == NULL && is_meant(&meant, target) &&
		    !is_there(scope, name) && decide_sees(tx, person, name) &&
		    (left = add_left(tx, &gone, name, &n, scope)) != NULL)
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

	*ret = (struct decide_scope){ .at = calloc(count + LEFT_SHOWN, sizeof(*ret->at)) };
	if (ret->at == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a list of environments");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if ((own != NULL || is_meant(&first[i], target)) &&
		    decide_sees(tx, person, first[i].name))
			ret->at[ret->n++] = &first[i];
	return ret->n > 0;
}

/* With what is left, for what looks at what is in progress or ends it. */
static bool
find_open(struct tx *tx, int64_t person, const char *target, struct decide_scope *ret)
{
	(void)find_meant(tx, person, target, ret);
	if (ret->at != NULL)
		add_all_left(tx, person, target, ret);
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
	scope->is_wide = scope->at[0]->of != scope->at[n - 1]->of;
	return true;
}

bool
decide_scope_of(struct tx *tx, int64_t person, enum policy_action action, const char *target,
    struct decide_scope *ret)
{
	return find_open(tx, person, target, ret) && leave_allowed(tx, person, action, ret);
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

size_t
decide_read_target(struct tx *tx, const struct update *update, const struct chat_command *typed,
    char ret[REQUEST_TARGET])
{
	char second[LIMIT_REF], both[ENVIRONMENT_ID_MAX];

	ret[0] = '\0';
	if (typed->n_arguments == 0)
		return 0;
	copy_lower(ret, REQUEST_TARGET, typed->argument[0]);
	copy_lower(second, sizeof(second), typed->argument[1]);
	if (!environment_name_is_valid(ret) || !environment_name_is_valid(second))
		return 1;
	(void)environment_id_text(ret, second, both);
	if ((settings_environment(tx->settings, both) == NULL &&
		row_deployment_active(tx, both).id == 0) ||
	    !decide_sees(tx, update->person, both))
		return 1;
	(void)text_copy(ret, REQUEST_TARGET, both);
	return 2;
}

/* --- there is none --- */

static void
take_nearer(const char *target, const char *name, char near[LIMIT_ENVIRONMENT])
{
	if (text_nearest(target, &name, 1) != NULL &&
	    (near[0] == '\0' || text_distance(target, name) < text_distance(target, near)))
		(void)text_copy(near, LIMIT_ENVIRONMENT, name); /* fits */
}

/* What may be typed for it: its own text, its name, its application's. */
static void
look_near(const char *target, const char *environment, char near[LIMIT_ENVIRONMENT])
{
	struct environment_id id;

	take_nearer(target, environment, near);
	if (!environment_id_parse(environment, &id))
		return;
	take_nearer(target, id.name, near);
	if (id.application[0] != '\0')
		take_nearer(target, id.application, near);
}

static void
say_unknown(struct tx *tx, const struct update *update, const char *target)
{
	CLEANUP(decide_scope_done) struct decide_scope all = { 0 };
	char near[LIMIT_ENVIRONMENT] = "";
	struct chat_text text;
	size_t shown;

	decide_answer_no(tx, update);
	if (!find_meant(tx, update->person, "", &all))
		return;
	for (size_t i = 0; i < all.n && target[0] != '\0'; i++)
		look_near(target, all.at[i]->name, near);
	shown = all.n < NAMES_SHOWN ? all.n : NAMES_SHOWN;
	chat_text_init(&text);
	if (target[0] == '\0') {
		chat_text_add(&text, "Which environment? There are:");
	} else {
		chat_text_code(&text, "There is no environment ", target);
		if (near[0] != '\0')
			chat_text_code(&text, ". Did you mean ", near);
		chat_text_add(&text, "%s There are:", near[0] != '\0' ? "?" : ".");
	}
	for (size_t i = 0; i < shown; i++)
		chat_text_code(&text, " ", all.at[i]->name);
	if (shown < all.n)
		chat_text_add(&text, " and %zu more: /status lists them.", all.n - shown);
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, false, "That environment is not there any more.");
	(void)decide_send(tx, &update->address, &text);
}

/* --- pages --- */

size_t
decide_page(
    const struct request *request, size_t n, size_t each, int64_t *ret_page, int64_t *ret_pages)
{
	int64_t page = request_get_number(request, "page");

	*ret_pages = n == 0 ? 1 : (int64_t)((n + each - 1) / each);
	*ret_page = page < 1 ? 1 : page > *ret_pages ? *ret_pages : page;
	return (size_t)(*ret_page - 1) * each;
}

static void
add_page(struct tx *tx, const struct update *update, const struct request *request, int64_t page,
    const char *label, struct buttons *keyboard)
{
	struct button_row button = {
		.request = *request,
		.chat = update->address.chat,
		.person = update->person,
		.expires_at = tx->at + PAGES_MS,
	};

	request_drop(&button.request, "page");
	request_add_number(&button.request, "page", page);
	row_button_show(tx, &button, label, keyboard);
}

void
decide_page_buttons(struct tx *tx, const struct update *update, const struct request *request,
    int64_t page, int64_t pages, struct buttons *keyboard)
{
	char label[LIMIT_BUTTON];

	(void)snprintf(label, sizeof(label), "◀ %" PRId64 "/%" PRId64, page - 1, pages);
	if (page > 1)
		add_page(tx, update, request, page - 1, label, keyboard);
	(void)snprintf(label, sizeof(label), "%" PRId64 "/%" PRId64 " ▶", page + 1, pages);
	if (page < pages)
		add_page(tx, update, request, page + 1, label, keyboard);
}

int64_t
decide_send_keyboard(struct tx *tx, const struct update *update, const struct request *request,
    struct message *message)
{
	int64_t row = request->message, page = request_get_number(request, "page");

	if (message->head != NULL && decide_is_answered(update)) {
		decide_answer(tx, message->head);
		return 0;
	}
	message->address = update->address;
	message->is_silent = message->is_answer = true;
	if (row != 0) {
		row_button_close_keyboard(tx, row);
		row_message_change(tx, row, message);
	} else {
		row = row_message_add(tx, message);
	}
	row_button_set_message(tx, &message->buttons, row);
	if (request->message != 0 && page != 0)
		decide_toastf(tx, update, false, "Page %" PRId64, page);
	return row;
}

/* --- there are several --- */

static void
add_choice(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, struct buttons *keyboard)
{
	struct button_row button = {
		.request = *request,
		.chat = update->address.chat,
		.person = update->person,
		.is_once = true,
		.expires_at = tx->at + WHICH_MS,
	};

	request_drop(&button.request, "page");
	(void)text_copy(button.request.target, sizeof(button.request.target), environment);
	row_button_show(tx, &button, environment, keyboard);
}

static void
say_which(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *scope)
{
	CLEANUP(message_done) struct message message = { 0 };
	int64_t page, pages;
	size_t first = decide_page(request, scope->n, WHICH_SHOWN, &page, &pages);
	char value[LIMIT_REF];
	struct chat_text text;

	decide_answer_no(tx, update);
	chat_text_init(&text);
	for (size_t i = first; i < scope->n && i < first + WHICH_SHOWN; i++)
		add_choice(tx, update, request, scope->at[i]->name, &message.buttons);
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	chat_text_add(&text, "❓ " MARK_BOLD "/%s", request->action);
	chat_text_outside(&text, " ", request->target);
	chat_text_add(&text, MARK_BOLD ": %s?",
	    scope->is_wide ? "of which application" : "which environment");
	for (size_t i = 0; i < scope->n && decide_is_answered(update); i++)
		chat_text_outside(&text, "\n", scope->at[i]->name); /* it has no buttons */
	for (size_t i = 0; i < 2; i++) {
		const char *const key = ((const char *const[]){ "ref", "release" })[i];

		if (request_get(request, key, value)[0] == '\0')
			continue;
		chat_text_code(&text, "\n", value);
		chat_text_add(&text, " is taken as the %s.", key);
	}
	message.head = chat_text_take(&text);
	(void)decide_send_keyboard(tx, update, request, &message);
}

/* A typo is no missing right, and what they have no grant on is one; but a stranger learns of no
 * environment.  Nothing was named: who may it somewhere is shown where. */
static void
say_none(struct tx *tx, const struct update *update, enum policy_action action, const char *target)
{
	bool is_known = target[0] == '\0' ? decide_is_allowed(tx, update->person, action, "") :
					    !decide_is_stranger(tx, update->person);

	if (is_known || decide_may(tx, update, action, target))
		say_unknown(tx, update, target);
}

/* The one of them that is meant; NULL: none, which was said. */
static const struct environment_settings *
choose(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *scope)
{
	char wanted[LIMIT_LINE];

	if (scope->n == 0) {
		say_none(tx, update, action, request->target);
		return NULL;
	}
	if (scope->n > 1 && leave_allowed(tx, update->person, action, scope)) {
		say_which(tx, update, request, scope);
		return NULL;
	}
	(void)snprintf(wanted, sizeof(wanted), "%.20s %.100s", request->action, scope->at[0]->name);
	return decide_may_as(tx, update, action, scope->at[0]->name, wanted) ? scope->at[0] : NULL;
}

const struct environment_settings *
decide_where(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };

	if (request->target[0] != '\0')
		(void)find_meant(tx, update->person, request->target, &scope);
	return choose(tx, update, action, request, &scope);
}

bool
decide_where_open(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, char ret[LIMIT_ENVIRONMENT])
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	const struct environment_settings *found;

	if (request->target[0] != '\0')
		(void)find_open(tx, update->person, request->target, &scope);
	found = choose(tx, update, action, request, &scope);
	if (found != NULL)
		(void)text_copy(ret, LIMIT_ENVIRONMENT, found->name); /* fits */
	return found != NULL;
}

bool
decide_scope(struct tx *tx, const struct update *update, enum policy_action action,
    const char *target, struct decide_scope *ret)
{
	if (!find_open(tx, update->person, target, ret)) {
		if (!tx->failed)
			say_none(tx, update, action, target);
		return false;
	}
	(void)leave_allowed(tx, update->person, action, ret);
	return decide_may(tx, update, action, ret->at[0]->name);
}
