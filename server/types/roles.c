/* roles.c - who has which role, and what it grants: of one snapshot, made for decisions.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/roles.h"

void
roles_free(struct roles *roles)
{
	if (roles == NULL)
		return;
	free(roles->role);
	free(roles->grant);
	free(roles->member);
	free(roles);
}

const struct role_member *
roles_of(const struct roles *roles, int64_t person, size_t *ret_count)
{
	size_t low = 0, high = roles->member_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roles->member[middle].person < person)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < roles->member_count && roles->member[end].person == person;)
		end++;
	*ret_count = end - low;
	return end > low ? &roles->member[low] : NULL;
}

size_t
roles_find_own(
    const struct roles *roles, enum principal_kind of, const char *application, const char *name)
{
	for (size_t i = 0; roles != NULL && i < roles->count; i++)
		if (roles->role[i].of == of &&
		    strcmp(roles->role[i].application, application) == 0 &&
		    strcmp(roles->role[i].name, name) == 0)
			return i + 1;
	return 0;
}

size_t
roles_find(const struct roles *roles, const char *application, const char *name)
{
	return roles_find_own(roles, PRINCIPAL_SYSTEM, application, name);
}

enum roles_named
roles_named(const struct roles *roles, const char *text, size_t *ret)
{
	struct role_id id;
	size_t n = 0;

	*ret = 0;
	if (!role_id_parse(text, &id))
		return ROLES_NONE;
	*ret = roles_find(roles, id.application, id.name);
	if (*ret != 0)
		return ROLES_ONE;
	for (size_t i = 0; roles != NULL && strchr(text, ':') == NULL && i < roles->count; i++)
		if (roles->role[i].of == PRINCIPAL_SYSTEM &&
		    strcmp(roles->role[i].name, id.name) == 0 && n++ == 0)
			*ret = i + 1;
	if (n > 1)
		*ret = 0;
	return n == 0 ? ROLES_NONE : n == 1 ? ROLES_ONE_ELSEWHERE : ROLES_SEVERAL;
}

static bool
are_same_members(const struct roles *a, const struct roles *b)
{
	for (size_t i = 0; i < a->member_count; i++)
		if (a->member[i].person != b->member[i].person ||
		    a->member[i].role != b->member[i].role ||
		    a->member[i].until != b->member[i].until)
			return false;
	return true;
}

static bool
are_same_grants(const struct roles *a, const struct roles *b)
{
	for (size_t i = 0; i < a->grant_count; i++)
		if (a->grant[i].actions != b->grant[i].actions ||
		    a->grant[i].is_client != b->grant[i].is_client ||
		    strcmp(a->grant[i].only, b->grant[i].only) != 0 ||
		    strcmp(a->grant[i].application, b->grant[i].application) != 0 ||
		    strcmp(a->grant[i].name, b->grant[i].name) != 0)
			return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->role[i].first_grant != b->role[i].first_grant)
			return false;
	return true;
}

bool
roles_are_same(const struct roles *a, const struct roles *b)
{
	return a->count == b->count && a->grant_count == b->grant_count &&
	    a->member_count == b->member_count && are_same_members(a, b) && are_same_grants(a, b);
}
