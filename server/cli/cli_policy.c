/* cli_policy.c - `deploybot policy`: who may what, which line decides, and who does not use it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/zone.h"
#include "policy/policy_report.h"
#include "store/row_grant_use.h"
#include "types/action.h"

#define DENIED 1

/* "42" is a person of Telegram. */
static bool
read_who(const char *text, struct principal *ret)
{
	char whole[PRINCIPAL_TEXT];

	(void)snprintf(
	    whole, sizeof(whole), "%s%s", isdigit((unsigned char)text[0]) ? "telegram:" : "", text);
	if (principal_parse(whole, ret))
		return true;
	(void)fprintf(stderr,
	    "error: \"%s\" is not a Telegram id (/whoami shows it), local:USER, github:NAME(ID) or system\n",
	    text);
	return false;
}

/* What is asked about, as a grant has it: "deploy", "do.restart-web". */
struct asked {
	enum policy_action action;
	const struct action *only; /* of do.NAME; NULL: all of them */
};

static bool
read_action(const char *text, struct asked *ret)
{
	bool is_do = strncmp(text, "do.", 3) == 0;
	const char *near = is_do ? action_nearest(text + 3) : policy_action_nearest(text);

	*ret = (struct asked){ .action = POLICY_DO, .only = is_do ? action_find(text + 3) : NULL };
	if (ret->only != NULL)
		return true;
	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_is_grantable((enum policy_action)i) &&
		    strcmp(policy_action_rows[i].word, text) == 0) {
			ret->action = (enum policy_action)i;
			return true;
		}
	(void)fprintf(stderr, "error: there is no action \"%s\"%s%s%s%s\n", text,
	    near == NULL ? "" : "; did you mean ", near != NULL && is_do ? "do." : "",
	    near == NULL ? "" : near, near == NULL ? "" : "?");
	return false;
}

/* Of "do" alone: who may not do all may do these. */
static void
print_single(const struct settings *s, struct principal who, const char *target, int64_t at)
{
	const char *before = "note: they may ";

	for (size_t i = 0; i < ACTION_COUNT; i++) {
		const char *name = action_table[i].name;

		if (policy_decide_do(s, who, name, target, at).verdict != POLICY_ALLOW)
			continue;
		(void)printf("%sdo.%s", before, name);
		before = ", ";
	}
	if (before[0] == ',')
		(void)printf(" there\n");
}

/* A grant is half of it. */
static void
print_client(const struct settings *s, const struct asked *asked, const char *target)
{
	const char *id = environment_client(target);
	const struct client_settings *client = id != NULL ? settings_client(s, id) : NULL;

	if (client != NULL && asked->only != NULL &&
	    (client->actions & action_bit(asked->only)) == 0)
		(void)printf(
		    "note: nobody does it: CLIENT_<ID>_ACTIONS of %s does not name it\n", id);
}

/* Of what somebody had, and has not any more. */
static void
print_ended(const struct settings *s, struct principal who, int64_t at)
{
	size_t n = 0;
	const struct role_member *member = roles_of(s->roles, who.id, &n);
	char date[ZONE_DATE];

	for (size_t i = 0; i < n; i++)
		if (!policy_is_in_force(&member[i], at))
			(void)printf("note: the role %s ended with %s\n",
			    s->roles->role[member[i].role].name,
			    zone_date_text(s->zone, member[i].until - 1, date));
}

static int
print_decision(const struct settings *s, struct principal who, const struct asked *asked,
    const char *word, const char *target)
{
	int64_t at = clock_wall_ms();
	struct policy_decision decision = asked->action == POLICY_DO ?
	    policy_decide_do(s, who, asked->only != NULL ? asked->only->name : "*", target, at) :
	    policy_decide(s, who, asked->action, target, at);
	char text[PRINCIPAL_TEXT], roles[LIMIT_LINE], line[POLICY_LINE];
	bool is_allowed = decision.verdict == POLICY_ALLOW;

	(void)principal_text(&who, text);
	if (is_allowed)
		(void)printf("yes: %s may %s %s: %s\n", text, word, target,
		    decision.role == NULL ? "no role is needed" : policy_line(s, &decision, line));
	else
		(void)printf("no: %s may not %s %s: %s%s\n", text, word, target, decision.reason,
		    policy_sees(s, who, target, at) ? "" : " (and does not learn that it exists)");
	if (!is_allowed && asked->action == POLICY_DO && asked->only == NULL)
		print_single(s, who, target, at);
	print_client(s, asked, target);
	if (principal_person(&who) != 0)
		(void)printf("note: roles of %s: %s\n", text,
		    policy_roles_text(s, who, at, roles, sizeof(roles)));
	print_ended(s, who, at);
	return is_allowed ? EX_OK : DENIED;
}

/* A user of this machine is who LOCAL_<USER>_IS says: "local:ada". */
static bool
find_user(const struct settings *s, struct principal *who)
{
	int64_t person;

	if (who->kind != PRINCIPAL_USER)
		return true;
	person = settings_user_named(s, who->name);
	who->id = person;
	if (person > 0)
		*who = principal_of_person(person);
	if (person == 0)
		(void)fprintf(stderr,
		    "error: no LOCAL_<USER>_IS names \"%s\" (root has the grants of each role that it says)\n",
		    who->name);
	return person != 0;
}

static int
explain(const struct cli *cli, const struct settings *s)
{
	const char *id = environment_client(cli->argv[3]);
	const struct client_settings *client = id != NULL ? settings_client(s, id) : NULL;
	struct asked asked;
	struct principal who;
	const char *target;

	if (!read_who(cli->argv[1], &who) || !find_user(s, &who) ||
	    !read_action(cli->argv[2], &asked))
		return EX_USAGE;
	target = client != NULL ? client->as.name : cli_target(s, cli->argv[3]);
	if (target == NULL)
		return EX_USAGE;
	return print_decision(s, who, &asked, cli->argv[2], target);
}

static int
report(const struct settings *s)
{
	char database[PATH_MAX];
	CLEANUP(freep) struct grant_use *uses;
	size_t count = 0;
	CLEANUP(buf_done) struct buf out = buf_make(1u << 20);
	struct err err;

	cli_database(s, database, sizeof(database));
	uses = row_grant_use_read(database, &count, &err);
	if (uses == NULL)
		(void)fprintf(stderr, "warning: nobody's last use is known: %s\n", err.text);
	policy_report(s, uses, count, clock_wall_ms(), &out);
	(void)fputs(buf_text(&out), stdout);
	return EX_OK;
}

int
cli_policy(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	bool is_report = cli->argc == 1 && strcmp(cli->argv[0], "report") == 0;

	if (!is_report && (cli->argc != 4 || strcmp(cli->argv[0], "explain") != 0)) {
		(void)fprintf(stderr,
		    "Usage: %s policy explain WHO ACTION TARGET (42 deploy shop/staging, 42 do.restart-web client/acme)\n"
		    "       %s policy report\n",
		    cli->program, cli->program);
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	return is_report ? report(s) : explain(cli, s);
}
