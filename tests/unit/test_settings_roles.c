/* Goal: settings name a role by its file and its name; what was enough once is taken, or named.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy_aid.h"

#include "lib/text.h"
#include "routes/local_user.h"

#define LEAD_OF_SHOP "ROLE_LEAD_IDS=71\nROLE_LEAD_MAY=deploy:staging\n"
#define LEAD_OF_BLOG "ROLE_LEAD_IDS=72\nROLE_LEAD_MAY=\"deploy:*, rollback:*\"\n"
#define LEAD_OF_MAIN "ROLE_LEAD_IDS=73\nROLE_LEAD_MAY=status:infra/production\n"
#define GAMES	     5

static void
write_apps(bool shop, bool blog)
{
	policy_aid_write(
	    &policy_aid, "apps/shop.env", shop ? OWN("shop") LEAD_OF_SHOP : OWN("shop"));
	policy_aid_write(
	    &policy_aid, "apps/blog.env", blog ? OWN("blog") LEAD_OF_BLOG : OWN("blog"));
}

/* Whose a name is, by which files have one: of the main file, of shop, of blog. */
static const struct {
	bool main, shop, blog;
	const char *written;
	const char *role; /* whose it is; NULL: nobody's */
	const char *says; /* the warning; NULL: nothing is said */
} names[] = {
	{ true, true, true, "lead", "lead", NULL },
	{ true, false, false, "lead", "lead", NULL },
	{ true, true, true, "shop:lead", "shop:lead", NULL },
	{ true, true, true, "blog:lead", "blog:lead", NULL },
	{ false, true, false, "lead", "shop:lead",
	    "there is no role lead in the settings file, so it is an application's: write role shop:lead" },
	{ false, false, true, "lead", "blog:lead", "write role blog:lead" },
	{ false, true, true, "lead", NULL,
	    "several applications have a role lead, so nothing is granted: write role APPLICATION:lead" },
	{ false, true, true, "shop:lead", "shop:lead", NULL },
	{ true, false, true, "shop:lead", NULL, "there is no role shop:lead" },
	{ true, true, true, "infra:lead", NULL, "there is no role infra:lead" },
	{ true, true, true, "gone:lead", NULL, "there is no role gone:lead" },
	{ true, true, true, "shop:admin", NULL, "there is no role shop:admin" },
};

static const char *
warning_of(const struct settings *s)
{
	return s->warned_count == 0 ? NULL : s->warned[0].reason;
}

/* By a second way: of the roles that there are, the one with that file and name. */
static void
has_just(const struct settings *s, int64_t person, const char *text)
{
	size_t n = 0;
	const struct role_member *member = roles_of(s->roles, person, &n);
	char is[ROLE_TEXT];

	assert_int_equal(n, text == NULL ? 0 : 1);
	if (text != NULL)
		assert_string_equal(role_id_text(s->roles->role[member->role].application,
					s->roles->role[member->role].name, is),
		    text);
}

TEST(a_user_of_the_machine_has_the_role_that_is_named_and_never_two)
{
	char text[300];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(names); i++) {
		struct settings *s;

		write_apps(names[i].shop, names[i].blog);
		(void)snprintf(text, sizeof(text), "%sLOCAL_GAMES_IS=\"role %s\"\n",
		    names[i].main ? LEAD_OF_MAIN : "", names[i].written);
		s = policy_aid_good(text); /* a server that was upgraded starts */
		has_just(s, principal_of_user(GAMES), names[i].role);
		if ((warning_of(s) == NULL) != (names[i].says == NULL) ||
		    (names[i].says != NULL && strstr(warning_of(s), names[i].says) == NULL))
			fail_msg("%zu: %s", i, warning_of(s) == NULL ? "-" : warning_of(s));
		if (names[i].says != NULL) {
			SAYS(SETTINGS_WARNING, names[i].says);
			assert_string_equal(s->warned[0].file, "LOCAL_GAMES_IS");
		}
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

/* A name of no file was a mistake always; where a file is not read, nobody knows. */
TEST(a_bare_name_that_nobody_has_is_an_error_while_all_files_are_read)
{
	struct settings *s;

	policy_aid_open();
	assert_null(policy_aid_load("LOCAL_GAMES_IS=\"role lead\"\n"));
	SAYS(SETTINGS_ERROR, "LOCAL_GAMES_IS: there is no role lead");
	policy_aid_write(&policy_aid, "apps/shop.env", OWN("shop") "ROLE_LEAD_IDS=x\n");
	s = policy_aid_good("LOCAL_GAMES_IS=\"role lead\"\n");
	SAYS(SETTINGS_WARNING, "LOCAL_GAMES_IS: there is no role lead");
	has_just(s, principal_of_user(GAMES), NULL);
	policy_aid_close(s);
}

TEST(root_says_the_role_of_one_file)
{
	struct local_peer root = { .uid = 0, .server_uid = 10001, .runner_uid = 10002 };
	char text[ROLE_TEXT];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(names); i++) {
		struct update from;
		struct settings *s;
		const char *why;

		write_apps(names[i].shop, names[i].blog);
		s = policy_aid_good(names[i].main ? LEAD_OF_MAIN : "");
		root.as = names[i].written;
		why = local_user_judge(s, &root, &from);
		assert_int_equal(why == NULL, names[i].role != NULL);
		assert_string_equal(role_id_text(from.as.application, from.as.name, text),
		    names[i].role == NULL ? "" : names[i].role);
		assert_int_equal(from.person, 0); /* the store knows its number */
		if (why == NULL)
			assert_non_null(strstr(from.local, text));
		else if (strcmp(names[i].written, "lead") == 0)
			assert_string_equal(why,
			    "several applications have a role of that name: say --as APPLICATION:ROLE");
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

/* --- what is the server's --- */

static const struct {
	const char *main, *shop;
	const char *says; /* NULL: nothing */
} servers[] = {
	{ NULL, "deploy:staging, token",
	    "ROLE_X_MAY: token: grants nothing, for a token is the server's: write token:*/* in a role of the settings file" },
	{ NULL, "token:staging, deploy",
	    "token:staging: grants nothing, for a token is the server's: write token:*/* in a role of the settings file" },
	{ NULL, "2fa:*/*",
	    "2fa:*/*: grants nothing, for another person's second factor is the server's: write 2fa:*/* in a role of the settings file" },
	{ NULL, "*:*", NULL },
	{ "deploy:shop/staging, token", NULL,
	    "ROLE_X_MAY: token: grants nothing, for a token is the server's: write token:*/* here" },
	{ "2fa:shop/*", NULL, "2fa:shop/*: grants nothing" },
	{ "status:*/*, token", NULL, NULL },
	{ "status:shop/staging, token:*/*", NULL, NULL },
	{ "*:shop/*", NULL, NULL },
};

TEST(a_word_that_reaches_nothing_is_warned_of_with_what_to_write)
{
	char text[400];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(servers); i++) {
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%sROLE_X_IDS=5\nROLE_X_MAY=\"%s\"\n",
		    OWN("shop"), servers[i].shop);
		policy_aid_write(
		    &policy_aid, "apps/shop.env", servers[i].shop == NULL ? OWN("shop") : text);
		(void)snprintf(
		    text, sizeof(text), "ROLE_X_IDS=5\nROLE_X_MAY=\"%s\"\n", servers[i].main);
		s = policy_aid_good(servers[i].main == NULL ? "" : text);
		assert_int_equal(s->refused_count, 0); /* never an error */
		assert_int_equal(s->warned_count, servers[i].says == NULL ? 0 : 1);
		if (servers[i].says != NULL) {
			SAYS(SETTINGS_WARNING, servers[i].says);
			assert_string_equal(
			    s->warned[0].file, servers[i].shop != NULL ? "shop.env" : "ROLE_X_MAY");
		}
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

/* What cannot hold a role of that name: words of ours that are roles already, in each file. */
TEST(no_role_has_the_name_of_one_that_is_built_in)
{
	static const char *const built_in[] = { "ADMIN", "STAGING" };
	char text[200];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(built_in); i++) {
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%sROLE_%s_IDS=71\nROLE_%s_MAY=\"*:*\"\n",
		    OWN("shop"), built_in[i], built_in[i]);
		policy_aid_write(&policy_aid, "apps/shop.env", text);
		s = policy_aid_good("");
		assert_int_equal(s->refused_count, 1);
		/* Nor is it one where its file was read before that was found. */
		assert_false(policy_is_admin(s, principal_of_person(71), NOW));
		assert_false(policy_aid_may(s, 71, POLICY_STATUS, "blog/staging"));
		assert_false(policy_aid_may(s, 71, POLICY_TOKEN, POLICY_ALL));
		settings_unref(s);
	}
	policy_aid_close(NULL);
}
