/* principal.c - who acts, and their text.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/principal.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/text.h"

static const struct {
	const char *word;
	bool has_number;
} kinds[] = {
#define P(name, word, has_number) [PRINCIPAL_##name] = { word, has_number },
	PRINCIPALS(P)
#undef P
};

#define ROOT_BEFORE   (INT64_C(1) << 33) /* beyond all uids */
#define ROOT_BASE     (INT64_C(1) << 34) /* beyond its numbers of before */
#define TOKEN_BASE    (INT64_C(1) << 40) /* beyond all roles of root */
#define HOOK_BEFORE   (INT64_C(1) << 48) /* beyond all tokens */
#define HOOK_BASE     (INT64_C(1) << 50) /* beyond their numbers of before */
#define WORKFLOW_BASE (INT64_C(1) << 51) /* beyond all hooks */
#define WORKFLOW_END  (INT64_C(1) << 52) /* what is below is none of ours */
#define HOOK_MASK     ((UINT64_C(1) << 48) - 1)

const char *
role_id_text(const char *application, const char *name, char out[ROLE_TEXT])
{
	(void)snprintf(out, ROLE_TEXT, "%s%s%s", application, application[0] != '\0' ? ":" : "",
	    name); /* both fit */
	return out;
}

bool
role_id_parse(const char *text, struct role_id *ret)
{
	const char *colon = strchr(text, ':');
	const char *name = colon == NULL ? text : colon + 1;
	struct role_id id = { .application = "" };

	if (colon != NULL && (colon == text || (size_t)(colon - text) >= sizeof(id.application)))
		return false;
	text_setf(id.application, "%.*s", colon == NULL ? 0 : (int)(colon - text), text);
	if (!text_copy(id.name, sizeof(id.name), name))
		return false;
	*ret = id;
	return true;
}

int64_t
principal_of_user(uint32_t uid)
{
	return -(int64_t)uid - 1;
}

int64_t
principal_of_root_before(const char *role)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a */

	for (; *role != '\0'; role++)
		hash = (hash ^ (unsigned char)*role) * UINT32_C(16777619);
	return -ROOT_BEFORE - hash;
}

bool
principal_is_root(int64_t person)
{
	return person <= -ROOT_BEFORE && person > -TOKEN_BASE;
}

int64_t
principal_of_token(int64_t token)
{
	return -TOKEN_BASE - token;
}

int64_t
principal_token(int64_t person)
{
	return person < -TOKEN_BASE && person > -HOOK_BEFORE ? -TOKEN_BASE - person : 0;
}

int64_t
principal_of_hook_before(const char *id)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, as above */

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return -HOOK_BEFORE - (int64_t)(hash & HOOK_MASK);
}

bool
principal_is_hook(int64_t person)
{
	return person <= -HOOK_BEFORE && person > -WORKFLOW_BASE;
}

static bool
is_workflow(int64_t person)
{
	return person <= -WORKFLOW_BASE && person > -WORKFLOW_END;
}

int64_t
principal_of_row(enum principal_kind kind, int64_t row)
{
	return kind == PRINCIPAL_HOOK  ? -HOOK_BASE - row :
	    kind == PRINCIPAL_WORKFLOW ? -WORKFLOW_BASE - row :
					 -ROOT_BASE - row;
}

bool
principal_is_program(int64_t person)
{
	return principal_is_hook(person) || is_workflow(person);
}

int64_t
principal_row(int64_t person)
{
	if (is_workflow(person))
		return -WORKFLOW_BASE - person;
	if (principal_is_hook(person))
		return person < -HOOK_BASE ? -HOOK_BASE - person : 0;
	return principal_is_root(person) && person < -ROOT_BASE ? -ROOT_BASE - person : 0;
}

static enum principal_kind
kind_of(int64_t person)
{
	if (is_workflow(person))
		return PRINCIPAL_WORKFLOW;
	if (principal_is_hook(person))
		return PRINCIPAL_HOOK;
	if (principal_token(person) != 0)
		return PRINCIPAL_TOKEN;
	return person < 0 ? PRINCIPAL_USER : PRINCIPAL_PERSON;
}

struct principal
principal_of_person(int64_t person)
{
	return (struct principal){ .kind = kind_of(person), .id = person };
}

bool
principal_parse(const char *text, struct principal *ret)
{
	const char *colon = strchr(text, ':');
	size_t size = colon == NULL ? strlen(text) : (size_t)(colon - text);
	struct principal parsed = { 0 };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strlen(kinds[i].word) != size || strncmp(kinds[i].word, text, size) != 0)
			continue;
		parsed.kind = (enum principal_kind)i;
		if ((colon == NULL) != (i == PRINCIPAL_SYSTEM))
			return false;
		if (kinds[i].has_number && !text_to_i64(colon + 1, 1, INT64_MAX, &parsed.id, NULL))
			return false;
		if (colon != NULL && !kinds[i].has_number &&
		    (colon[1] == '\0' || !text_copy(parsed.name, sizeof(parsed.name), colon + 1)))
			return false;
		*ret = parsed;
		return true;
	}
	return false;
}

const char *
principal_text(const struct principal *principal, char out[PRINCIPAL_TEXT])
{
	const char *word = kinds[principal->kind].word;

	if (kinds[principal->kind].has_number)
		(void)snprintf(out, PRINCIPAL_TEXT, "%s:%" PRId64, word, principal->id);
	else if (principal_is_root(principal->id))
		(void)text_copy(out, PRINCIPAL_TEXT, PRINCIPAL_ROOT);
	else if (principal->id < 0 && principal->name[0] == '\0') /* its line has gone */
		(void)snprintf(out, PRINCIPAL_TEXT, "%s:%" PRId64, word,
		    principal->kind == PRINCIPAL_TOKEN ? principal_token(principal->id) :
							 -(principal->id + 1));
	else
		(void)snprintf(out, PRINCIPAL_TEXT, "%s%s%s", word,
		    principal->kind == PRINCIPAL_SYSTEM ? "" : ":", principal->name);
	return out;
}

int64_t
principal_person(const struct principal *principal)
{
	return principal->kind == PRINCIPAL_PERSON ? principal->id : 0;
}
