/* loan.c - the secrets that the settings let be lent, one after the other.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/loan.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/setting.h"
#include "lib/shell.h"
#include "lib/text.h"
#include "types/settings_member.h"

static const struct {
	const char *word, *within, *before_mount, *before_path;
} kinds[] = {
#define K(name, ...) [LOAN_##name] = { __VA_ARGS__ },
	LOAN_KINDS(K)
#undef K
};

/* "production" of shop's own file is shop/production. */
static void
read_target(const char *text, const char *application, char ret[LIMIT_ENVIRONMENT])
{
	bool is_whole = application[0] == '\0' || strchr(text, '/') != NULL;

	(void)snprintf(ret, LIMIT_ENVIRONMENT, "%s%s%s", is_whole ? "" : application,
	    is_whole ? "" : "/", text);
}

/* "": it is no good, and what is wrong with it was said. */
static const char *
text_of(const struct settings_member *member, enum family_setting setting)
{
	const char *text = settings_own(member, setting)->text;

	return text != NULL ? text : "";
}

/* An application's file says nothing about another one's environments. */
static bool
is_for_its_own(const struct loan *loan)
{
	size_t size = strlen(loan->application);

	return size == 0 ||
	    (text_starts(loan->target, loan->application) && loan->target[size] == '/');
}

/* False: it is no good, or not its application's to lend. */
static bool
read_loan(const struct settings_member *member, const char *application, struct loan *ret)
{
	const char *path = settings_own(member, SECRET_SETTING_PATH)->text;
	const char *target = settings_own(member, SECRET_SETTING_FOR)->text;

	if (path == NULL || target == NULL)
		return false;
	*ret = (struct loan){
		.id = member->id,
		.name = member->name,
		.path = path,
		.at = loan_place(path),
		.is_value = text_same_ci(text_of(member, SECRET_SETTING_DELIVERS), "value"),
		.approvals = (int)strtol(text_of(member, SECRET_SETTING_APPROVALS), NULL, 10),
		.ttl_ms = setting_duration_ms(text_of(member, SECRET_SETTING_TTL)),
		.application = application,
	};
	read_target(target, application, ret->target);
	return ret->at.kind != LOAN_NONE && is_for_its_own(ret);
}

/* Does the main file lend one of that name there?  Then that one counts. */
static bool
is_shadowed(const struct settings *s, const struct loan *loan)
{
	const struct settings_member *member;
	const struct settings *of;
	struct loan other;

	for (size_t at = 0; loan->application[0] != '\0' &&
	     (member = settings_member_next(s, FAMILY_SECRET, &at, &of)) != NULL &&
	     of->application[0] == '\0';)
		if (strcmp(member->name, loan->name) == 0 && read_loan(member, "", &other) &&
		    strcmp(other.target, loan->target) == 0)
			return true;
	return false;
}

static bool
next(const struct settings *s, size_t *at, bool shadowed, struct loan *ret)
{
	const struct settings_member *member;
	const struct settings *of;

	while ((member = settings_member_next(s, FAMILY_SECRET, at, &of)) != NULL)
		if (read_loan(member, of->application, ret) && is_shadowed(s, ret) == shadowed)
			return true;
	return false;
}

bool
loan_next(const struct settings *s, size_t *at, struct loan *ret)
{
	return next(s, at, false, ret);
}

bool
loan_next_shadowed(const struct settings *s, size_t *at, struct loan *ret)
{
	return next(s, at, true, ret);
}

static enum loan_kind
kind_of(const char *word)
{
	enum loan_kind kind = LOAN_KIND_COUNT - 1;

	while (kind != LOAN_NONE && strcmp(kinds[kind].word, word) != 0)
		kind--;
	return kind;
}

struct loan_place
loan_place(const char *set)
{
	struct loan_place place = { .field = "" };
	char kind[LIMIT_LOAN_PATH] = "", field[LIMIT_LOAN_PATH] = "";
	char *const words[] = { kind, place.mount, place.path, field };

	for (size_t i = 0; i < COUNT(words) && *set != '\0'; i++) {
		size_t size = strcspn(set, " ");

		(void)snprintf(words[i], LIMIT_LOAN_PATH, "%.*s", (int)size, set);
		set += size;
		set += strspn(set, " ");
	}
	place.kind = kind_of(kind);
	if (field[0] != '\0')
		(void)text_copy(place.field, LIMIT_LOAN_PATH, strchr(field, '=') + 1); /* it fits */
	return place;
}

const char *
loan_kind_word(enum loan_kind kind)
{
	return kinds[kind].word;
}

void
loan_place_url(const struct loan_place *place, char *ret, size_t room)
{
	(void)snprintf(ret, room, "%s/%s%s", place->mount, kinds[place->kind].within, place->path);
}

bool
loan_may_be_value(const struct settings *s)
{
	const char *url = settings_text(s, SETTING_PUBLIC_URL);

	return url != NULL && text_starts(url, "https://");
}

void
loan_command(const struct loan *loan, char ret[LOAN_COMMAND])
{
	const struct loan_place *at = &loan->at;

	(void)snprintf(ret, LOAN_COMMAND, "%s%s%s%s", kinds[at->kind].before_mount, at->mount,
	    kinds[at->kind].before_path, at->path);
}

/* The assignment comes first, for one before a command does not reach its $(...); and with an empty
 * VAULT_TOKEN vault would take the person's own, and hide that somebody else was first. */
void
loan_shell(struct buf *out, const struct loan_shell *of)
{
	buf_adds(out, "export VAULT_ADDR=");
	shell_add_word(out, of->address);
	if (of->name_space != NULL && of->name_space[0] != '\0') {
		buf_adds(out, " VAULT_NAMESPACE=");
		shell_add_word(out, of->name_space);
	}
	buf_adds(out, "; t=$(vault unwrap -field=token ");
	shell_add_word(out, of->token);
	buf_addf(out, ") && VAULT_TOKEN=$t vault %s", of->command);
}

bool
loan_of(const struct settings *s, const char *name, const char *target, struct loan *ret)
{
	struct loan loan;

	for (size_t at = 0; loan_next(s, &at, &loan);)
		if (strcmp(loan.name, name) == 0 && strcmp(loan.target, target) == 0) {
			*ret = loan;
			return true;
		}
	return false;
}

bool
loan_is_there(const struct settings *s, const char *name, const char *target)
{
	struct loan loan;

	for (size_t at = 0; loan_next(s, &at, &loan);)
		if ((strcmp(name, "*") == 0 || strcmp(loan.name, name) == 0) &&
		    (strcmp(target, "*") == 0 || strcmp(loan.target, target) == 0))
			return true;
	return false;
}
