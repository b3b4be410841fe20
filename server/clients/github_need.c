/* github_need.c - which permissions at GitHub are in use, and what for.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_need.h"

#include "lib/json.h"
#include "lib/text.h"

/* What every call needs, whatever it asks. */
static bool
always(UNUSED const struct settings *application)
{
	return true;
}

const struct github_need github_needs[GITHUB_NEEDS] = {
	{ "metadata", "read", "Metadata: read", "every call", "", always },
};
_Static_assert(GITHUB_NEEDS <= 32, "a bit for each");

/* What may be written may be read. */
static bool
is_granted(const struct github_need *need, const struct json *permissions)
{
	static const char *const levels[] = { "read", "write", "admin" };
	const char *level = json_get_str(permissions, need->permission);
	size_t granted = level == NULL ? COUNT(levels) : text_index(level, levels, COUNT(levels));

	return granted < COUNT(levels) && granted >= text_index(need->level, levels, COUNT(levels));
}

uint32_t
github_needs_of(const struct settings *application)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		needs |= github_needs[i].is_wanted(application) ? UINT32_C(1) << i : 0;
	return needs;
}

uint32_t
github_needs_granted(const struct json *permissions)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		needs |= is_granted(&github_needs[i], permissions) ? UINT32_C(1) << i : 0;
	return needs;
}

void
github_needs_put(struct json_out *out, uint32_t needs)
{
	json_put_open(out, "permissions", '{');
	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		if ((needs >> i & 1) != 0)
			json_put_str(out, github_needs[i].permission, github_needs[i].level);
	json_out_end(out);
}
