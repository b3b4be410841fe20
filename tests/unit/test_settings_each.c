/* Goal: a setting of a family that is no good is said, whatever stands beside it, and ends no program.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_table.h"

#include <ctype.h>

#include "settings_aid.h"
#include "types/loan.h"

#define NAME_MAX_ 64

/* Members that are complete, which others name. */
static const char *const whole[] = { "VAULT_ADDR=https://vault.example.org",
	"VAULT_TOKEN=hvs.0123456789abcdef0123", "PUBLIC_URL=https://bot.example.org",
	"GITHUB_REPOSITORY=octo/shop", "ENABLE_API_SERVER=true",
	"WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef", "SECRET_A_PATH=kv2 secret a",
	"SECRET_A_FOR=production", "WORKFLOW_A_IS=github 456789 deploy.yml@refs/heads/main",
	"WORKFLOW_A_MAY=secret.a:production", "ROLE_A_IDS=42", "ROLE_A_MAY=secret.a:production",
	"HOOK_A_STARTS=deploy:staging", "PERSON_42_GITHUB=mona", "PIPELINE_A=release.yml ref=main",
	"JOB_A=./a.sh", "CLIENTS=a", "CLIENT_A_NAME=Acme", "REQUIRE_OTP=secret.a:production" };
static const char *const bad[] = { "~", "-1", "99999999999", "yes", "x y", "1x", "\t", "*" };

/* SECRET_<NAME>_TTL: SECRET_A_TTL. */
static const char *
name_of(enum family_setting setting, char ret[NAME_MAX_])
{
	const char *name = settings_table_families[setting].name, *open = strchr(name, '<');
	const char *which = strncmp(name, "PERSON_", 7) == 0 ? "42" : "A";

	if (open != NULL)
		(void)snprintf(ret, NAME_MAX_, "%.*s%s%s", (int)(open - name), name, which,
		    strchr(open, '>') + 1);
	else
		(void)snprintf(ret, NAME_MAX_, "%s", name);
	return ret;
}

/* Under the sanitizers: what stands beside it is looked at with what is left of it. */
TEST(each_setting_of_a_family_may_be_no_good)
{
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++)
		for (size_t b = 0; b < COUNT(bad); b++) {
			const char *lines[COUNT(whole) + 8] = { COMPLETE };
			char name[NAME_MAX_], line[NAME_MAX_ + 24];
			size_t n = 0, size;

			size = strlen(name_of(i, name));
			(void)snprintf(line, sizeof(line), "%s=%s", name, bad[b]);
			while (lines[n] != NULL)
				n++;
			for (size_t w = 0; w < COUNT(whole); w++)
				if (strncmp(whole[w], name, size) != 0 || whole[w][size] != '=')
					lines[n++] = whole[w];
			lines[n++] = line;
			lines[n] = NULL;
			settings_unref(settings_aid_load(NULL, lines));
		}
}

/* --- where capitals mean nothing --- */

/* What is complete beside `name`, and this line. */
static struct settings *
load_with(const char *name, const char *line)
{
	static const char *const beside[] = { MINIMUM, REGISTRY, "STAGING_HOST=a",
		"PRODUCTION_HOST=b", "VAULT_ADDR=https://vault.example.org",
		"VAULT_TOKEN=hvs.0123456789abcdef0123", "PUBLIC_URL=https://bot.example.org",
		"ENABLE_API_SERVER=true", "SECRET_A_PATH=kv2 secret a", "SECRET_A_FOR=staging" };
	const char *lines[COUNT(beside) + 2] = { line };
	size_t n = 1, size = strlen(name);

	for (size_t i = 0; i < COUNT(beside); i++)
		if (strncmp(beside[i], name, size) != 0 || beside[i][size] != '=')
			lines[n++] = beside[i];
	return settings_aid_load(NULL, lines);
}

/* Where both loads of one text have the same, which are no addresses, a third has it too. */
static bool
are_same(const void *a, const void *b, const void *c, size_t size)
{
	uint64_t words[3];

	for (size_t at = 0; at + sizeof(words[0]) <= size; at += sizeof(words[0])) {
		memcpy(&words[0], (const char *)a + at, sizeof(words[0]));
		memcpy(&words[1], (const char *)b + at, sizeof(words[0]));
		memcpy(&words[2], (const char *)c + at, sizeof(words[0]));
		if (words[0] == words[1] && words[0] != words[2])
			return false;
	}
	return true;
}

static bool
are_read_alike(const struct settings *a, const struct settings *b, const struct settings *c)
{
	struct loan loans[3] = { 0 };

	if (a == NULL || c == NULL)
		return a == c;
	if (!are_same(a, b, c, sizeof(*a)) || a->environment_count != c->environment_count)
		return false;
	for (size_t i = 0; i < a->environment_count; i++)
		if (!are_same(&a->environments[i], &b->environments[i], &c->environments[i],
			sizeof(*a->environments)))
			return false;
	return loan_of(a, "a", "staging", &loans[0]) && loan_of(c, "a", "staging", &loans[2]) &&
	    loans[0].is_value == loans[2].is_value;
}

/* Makes NAME=word of the next word of `a|b`, in small letters and in capitals. */
static bool
next_lines(
    const char **words, const char *name, char small[NAME_MAX_ + 24], char large[NAME_MAX_ + 24])
{
	size_t size = strcspn(*words, "|"), begin = strlen(name) + 1;

	if (*words[0] == '\0')
		return false;
	(void)snprintf(small, NAME_MAX_ + 24, "%s=%.*s", name, (int)size, *words);
	(void)snprintf(large, NAME_MAX_ + 24, "%s", small);
	*words += size + ((*words)[size] == '|');
	for (size_t i = begin; small[i] != '\0'; i++) {
		small[i] = (char)tolower(small[i]);
		large[i] = (char)toupper(large[i]);
	}
	return true;
}

/* Returns how many words there were. */
static size_t
check_words(const struct settings_spec *spec, const char *name)
{
	const char *words = setting_rows[spec->type].expression;
	char small[NAME_MAX_ + 24], large[NAME_MAX_ + 24];
	size_t n = 0;

	if (!setting_rows[spec->type].is_folded || strpbrk(words, "[(") != NULL)
		return 0; /* it is no list of words */
	for (; next_lines(&words, name, small, large); n++) {
		struct settings *of[] = { load_with(name, small), load_with(name, small),
			load_with(name, large) };

		if (!are_read_alike(of[0], of[1], of[2]))
			fail_msg("%s is read as something else than %s", large, small);
		for (size_t i = 0; i < COUNT(of); i++)
			settings_unref(of[i]);
	}
	return n;
}

/* Each that is a list of words: one that joins is in this walk. */
TEST(each_setting_with_words_is_read_alike_in_capitals_and_in_small_letters)
{
	char name[SETTING_NAME_MAX];
	size_t n = 0;

	for (enum setting i = 0; i < SETTING_COUNT; i++)
		n += check_words(&settings_table[i], settings_table[i].name);
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		(void)setting_name(
		    spec->name, spec->family == FAMILY_ENVIRONMENT ? "staging" : "a", name);
		n += check_words(spec, name);
	}
	assert_true(n > 20);
}
