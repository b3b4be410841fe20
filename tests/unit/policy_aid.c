/* policy_aid.c - policies that are drawn, and a second reading of what they grant.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy_aid.h"

#include <sys/stat.h>

struct policy_aid policy_aid;

#define NO_TARGET 9

const char *const policy_aid_words[POLICY_AID_WORDS] = { "status", "history", "log", "deploy",
	"rollback", "cancel", "confirm", "*" };
const char *const policy_aid_places[POLICY_AID_PLACES] = { "shop/staging", "shop/production",
	"blog/staging", "blog/production", "infra/production" };

static const char *const targets[NO_TARGET] = { "shop/staging", "shop/production", "blog/staging",
	"blog/production", "infra/production", "shop/*", "*/production", "*/staging", "*/*" };

void
policy_aid_write(const struct policy_aid *aid, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", aid->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

void
policy_aid_begin(struct policy_aid *aid, uint64_t seed)
{
	char apps[80];

	memset(aid, 0, sizeof(*aid));
	aid->seed = seed;
	(void)snprintf(aid->folder, sizeof(aid->folder), "/tmp/policy_aid.XXXXXX");
	assert_non_null(mkdtemp(aid->folder));
	(void)snprintf(apps, sizeof(apps), "%s/apps", aid->folder);
	assert_int_equal(mkdir(apps, 0700), 0);
	policy_aid_write(aid, "apps/shop.env",
	    "GITHUB_REPOSITORY=acme/shop\nSTAGING_HOST=shop-s\nPRODUCTION_HOST=shop-p\n");
	policy_aid_write(aid, "apps/blog.env",
	    "GITHUB_REPOSITORY=acme/blog\nSTAGING_HOST=blog-s\nPRODUCTION_HOST=blog-p\n");
	policy_aid_write(aid, "apps/infra.env",
	    "GITHUB_REPOSITORY=acme/infra\nENVIRONMENTS=production\nPRODUCTION_HOST=infra-p\n");
}

void
policy_aid_end(struct policy_aid *aid)
{
	static const char *const names[] = { "apps/shop.env", "apps/blog.env", "apps/infra.env",
		"apps", "main.env", "." };
	char path[160];

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", aid->folder, names[i]);
		(void)remove(strcmp(names[i], ".") == 0 ? aid->folder :
							  path); /* main.env: not all have one */
	}
}

unsigned
policy_aid_number(struct policy_aid *aid, unsigned below)
{
	aid->seed ^= aid->seed << 13;
	aid->seed ^= aid->seed >> 7;
	aid->seed ^= aid->seed << 17;
	return (unsigned)(aid->seed >> 33) % below;
}

static void
draw_people(struct policy_aid *aid, unsigned r)
{
	char *line = aid->lines[3 * r];
	size_t used = (size_t)snprintf(line, sizeof(aid->lines[0]), "ROLE_R%u_IDS=", r);

	aid->roles[r].has_ended = policy_aid_number(aid, 5) == 0;
	for (unsigned p = 0; p < POLICY_AID_PEOPLE; p++) {
		/* Whoever is drawn, or the last one where nobody was. */
		aid->roles[r].has[p] = policy_aid_number(aid, 3) == 0 ||
		    (p + 1 == POLICY_AID_PEOPLE && line[used - 1] == '=');
		if (aid->roles[r].has[p])
			used += (size_t)snprintf(line + used, sizeof(aid->lines[0]) - used, "%s%u",
			    line[used - 1] == '=' ? "" : ",", POLICY_AID_FIRST + p);
	}
	(void)snprintf(
	    aid->lines[3 * r + 1], sizeof(aid->lines[0]), "ROLE_R%u_UNTIL=%s", r, POLICY_AID_ENDED);
	if (!aid->roles[r].has_ended)
		aid->lines[3 * r + 1][0] = '\0';
}

void
policy_aid_draw(struct policy_aid *aid)
{
	for (unsigned r = 0; r < POLICY_AID_ROLES; r++) {
		char *line = aid->lines[3 * r + 2];
		size_t room = sizeof(aid->lines[0]);
		size_t used = (size_t)snprintf(line, room, "ROLE_R%u_MAY=", r);

		draw_people(aid, r);
		for (unsigned g = 0; g < POLICY_AID_GRANTS; g++) {
			unsigned word = policy_aid_number(aid, POLICY_AID_WORDS);
			unsigned target =
			    policy_aid_number(aid, g == 0 ? 9 : 10); /* one names one */

			aid->roles[r].word[g] = word;
			aid->roles[r].target[g] = target;
			used += (size_t)snprintf(line + used, room - used, "%s%s%s%s",
			    g == 0 ? "" : ", ", policy_aid_words[word],
			    target == NO_TARGET ? "" : ":",
			    target == NO_TARGET ? "" : targets[target]);
		}
	}
}

static bool
is_in(const char *pattern, const char *place)
{
	const char *slash = strchr(pattern, '/'), *at = strchr(place, '/');
	size_t n = (size_t)(slash - pattern);

	return (strncmp(pattern, "*/", 2) == 0 ||
		   (n == (size_t)(at - place) && strncmp(pattern, place, n) == 0)) &&
	    (strcmp(slash, "/*") == 0 || strcmp(slash, at) == 0);
}

/* A grant without a target is on each target of its role. */
static bool
is_on(const struct policy_aid *aid, unsigned r, unsigned g, const char *place)
{
	if (aid->roles[r].target[g] != NO_TARGET)
		return is_in(targets[aid->roles[r].target[g]], place);
	for (unsigned t = 0; t < POLICY_AID_GRANTS; t++)
		if (aid->roles[r].target[t] != NO_TARGET &&
		    is_in(targets[aid->roles[r].target[t]], place))
			return true;
	return false;
}

/* Who may deploy there sees what runs there. */
static bool
has_word(unsigned has, unsigned word)
{
	return has == POLICY_AID_STAR || has == word ||
	    (word == POLICY_AID_STATUS && has == POLICY_AID_DEPLOY);
}

bool
policy_aid_grants(const struct policy_aid *aid, int64_t person, unsigned word, const char *place)
{
	int64_t p = person - POLICY_AID_FIRST;

	if (p < 0 || p >= POLICY_AID_PEOPLE)
		return false;
	for (unsigned r = 0; r < POLICY_AID_ROLES; r++)
		for (unsigned g = 0;
		     g < POLICY_AID_GRANTS && aid->roles[r].has[p] && !aid->roles[r].has_ended; g++)
			if (has_word(aid->roles[r].word[g], word) && is_on(aid, r, g, place))
				return true;
	return false;
}

bool
policy_aid_sees(const struct policy_aid *aid, int64_t person, const char *place)
{
	for (unsigned word = 0; word < POLICY_AID_WORDS; word++)
		if (policy_aid_grants(aid, person, word, place))
			return true;
	return false;
}

void
policy_aid_open(void)
{
	policy_aid_begin(&policy_aid, 88172645463325252u);
}

void
policy_aid_close(struct settings *s)
{
	settings_unref(s);
	policy_aid_end(&policy_aid);
}

struct settings *
policy_aid_load(const char *main_file)
{
	char path[100], text[8192];
	struct settings *settings = NULL;

	(void)snprintf(text, sizeof(text),
	    TOKEN "\nADMIN_TELEGRAM_IDS=11\nREGISTRY_URL=registry:5000\n%s", main_file);
	policy_aid_write(&policy_aid, "main.env", text);
	(void)snprintf(path, sizeof(path), "%s/main.env", policy_aid.folder);
	settings_said = (struct settings_report){ 0 };
	if (!settings_load(path, NULL, &settings, &settings_said))
		return NULL;
	return settings;
}

struct settings *
policy_aid_good(const char *main_file)
{
	struct settings *settings = policy_aid_load(main_file);

	if (settings == NULL)
		fail_msg("%s", settings_said.lines[0].text);
	return settings;
}

bool
policy_aid_may(
    const struct settings *s, int64_t person, enum policy_action action, const char *where)
{
	return policy_may(s, principal_of_person(person), action, where, NOW);
}
