/* decide_principal.c - who somebody is to the policy, with what they act with at this moment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_principal.h"

#include "policy/policy.h"
#include "lib/text.h"
#include "store/row_ended.h"
#include "store/row_principal.h"
#include "store/row_token.h"
#include "types/event.h"

/* --- what they act with --- */

/* Root's role was its name alone: it is taken for one of the main file. */
static bool
had_number(const struct role *role, int64_t person)
{
	char id[ENVIRONMENT_ID_MAX];

	if (principal_is_hook(person))
		return role->of == PRINCIPAL_HOOK &&
		    principal_of_hook_before(
			environment_id_text(role->application, role->name, id)) == person;
	return role->of == PRINCIPAL_SYSTEM && role->application[0] == '\0' &&
	    principal_of_root_before(role->name) == person;
}

/* Work of before is open under a number that others may share: it is of what alone has it. */
static size_t
find_before(const struct roles *roles, int64_t person)
{
	size_t found = 0, n = 0;

	for (size_t i = 0; i < roles->count; i++)
		if (had_number(&roles->role[i], person) && n++ == 0)
			found = i + 1;
	return n == 1 ? found : 0;
}

/* Of root, hooks and workflows. */
static size_t
find_row(struct tx *tx, int64_t person)
{
	struct role_id id;

	if (principal_row(person) == 0)
		return find_before(tx->settings->roles, person);
	if (!row_principal_get(tx, person, &id))
		return 0;
	return roles_find_own(tx->settings->roles,
	    principal_is_root(person) ? PRINCIPAL_SYSTEM : principal_of_person(person).kind,
	    id.application, id.name);
}

/* --- ends --- */

static bool
has_come(struct tx *tx, size_t role, int64_t person, int64_t until)
{
	return until > tx->at && row_ended_has(tx, &tx->settings->roles->role[role], person, until);
}

/* Where the clock says that it is still to come. */
static int64_t
find_end(struct tx *tx, int64_t person)
{
	size_t n = 0;
	const struct role_member *member = roles_of(tx->settings->roles, person, &n);
	int64_t last = 0;

	for (size_t i = 0; i < n; i++)
		if (member[i].until > last && has_come(tx, member[i].role, person, member[i].until))
			last = member[i].until;
	return last;
}

void
decide_principal_note_ends(struct tx *tx)
{
	const struct roles *roles = tx->settings->roles;

	for (size_t i = 0; i < roles->count; i++)
		if (roles->role[i].until != 0 && tx->at >= roles->role[i].until)
			row_ended_add(tx, &roles->role[i], 0, roles->role[i].until);
	for (size_t i = 0; i < roles->member_count; i++) {
		const struct role_member *member = &roles->member[i];

		if (member->until != 0 && tx->at >= member->until)
			row_ended_add(
			    tx, &roles->role[member->role], member->person, member->until);
	}
	tx->who.id = 0;
}

/* --- who they are --- */

/* What a login in the chat lends is not in a session of the console. */
static bool
is_page(const struct tx *tx, int64_t person)
{
	const struct update *from = tx->event->kind == EVENT_API ? &tx->event->u.api->from : NULL;

	return from != NULL && from->is_page && from->person == person;
}

static struct principal
look(struct tx *tx, int64_t person)
{
	struct principal who = principal_of_person(person);

	who.lent = principal_is_root(person) || principal_is_program(person) ?
	    find_row(tx, person) :
	    is_page(tx, person) ? 0 :
				  row_token_lent(tx, person);
	if (who.lent != 0 &&
	    has_come(tx, who.lent - 1, 0, tx->settings->roles->role[who.lent - 1].until))
		who.lent = 0;
	who.not_before = find_end(tx, person);
	return who;
}

struct principal
decide_principal(struct tx *tx, int64_t person)
{
	if (person != 0 && tx->who.id != person)
		tx->who = look(tx, person);
	return person == 0 ? principal_of_person(0) : tx->who;
}

int64_t
decide_principal_pusher(const struct settings *s, const char *requester)
{
	static const char github[] = "github:";
	const char *login = text_starts(requester, github) ? requester + strlen(github) :
	    text_starts(requester, "gitlab:")		   ? requester :
							     NULL;

	return login == NULL ? 0 : settings_person_of_login(s, login, strcspn(login, "("));
}

bool
decide_has_own_role(struct tx *tx, int64_t person)
{
	struct principal who = decide_principal(tx, person);

	who.lent = 0;
	return policy_is_known(tx->settings, who, tx->at);
}
