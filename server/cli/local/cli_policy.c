/* cli_policy.c - `deploybot policy`: who may what, which line decides, and who does not use it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "clients/opa.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/zone.h"
#include "policy/opa_input.h"
#include "policy/policy_report.h"
#include "store/row_grant_use.h"
#include "store/row_token.h"
#include "types/action.h"
#include "types/loan.h"

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
	    "error: \"%s\" is not a Telegram id (/whoami shows it), local:USER, hook:NAME, workflow:NAME, token:NAME, github:NAME(ID) or system\n",
	    text);
	return false;
}

/* What is asked about, as a grant has it: "deploy", "do.restart-web", "secret.db-migrate". */
struct asked {
	enum policy_action action;
	const struct action *only; /* of do.NAME; NULL: all of them */
	const char *secret;	   /* of secret.NAME; "": any */
};

static bool
read_action(const char *text, struct asked *ret)
{
	bool is_do = strncmp(text, "do.", 3) == 0;
	const char *near = is_do ? action_nearest(text + 3) : policy_action_nearest(text);

	*ret = (struct asked){
		.action = POLICY_DO,
		.only = is_do ? action_find(text + 3) : NULL,
		.secret = strncmp(text, "secret.", 7) == 0 ? text + 7 : "",
	};
	if (ret->secret[0] != '\0')
		ret->action = POLICY_SECRET;
	if (ret->only != NULL || ret->secret[0] != '\0')
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

/* --- what is the server's --- */

/* "apps/shop.env and apps/blog.env", whose grants hold there alone; false: they have one of the
 * settings file, or none at all. */
static bool
list_files(const struct settings *s, struct principal who, int64_t at, struct buf *out)
{
	const struct roles *roles = s->roles;
	const struct role_member *member;
	const char *last = "";
	size_t n = 0;

	if (who.lent != 0) {
		last = roles->role[who.lent - 1].application;
		buf_addf(out, "apps/%s.env", last);
		return last[0] != '\0';
	}
	member = roles_of(roles, who.id, &n);
	for (size_t i = 0; i < n;
	     i++) { /* those of one file stand together, the main one's first */
		const char *of = roles->role[member[i].role].application;

		if (!policy_is_in_force(&member[i], at) || (of[0] != '\0' && strcmp(of, last) == 0))
			continue;
		if (of[0] == '\0')
			return false;
		buf_addf(out, "%sapps/%s.env", out->size > 0 ? " and " : "", of);
		last = of;
	}
	return out->size > 0;
}

static int
print_of_server(const struct settings *s, struct principal who, enum policy_action action)
{
	int64_t at = clock_wall_ms();
	struct policy_decision decision = policy_decide(s, who, action, POLICY_ALL, at);
	bool is_allowed = decision.verdict == POLICY_ALLOW;
	CLEANUP(buf_done) struct buf files = buf_make(4096);
	const char *thing = policy_action_thing(action);
	char line[POLICY_LINE], text[PRINCIPAL_TEXT];

	if (is_allowed)
		(void)printf("allow: %s is the server's: %s\n", thing,
		    decision.role == NULL ? "no role is needed" : policy_line(s, &decision, line));
	else if (!policy_is_known(s, who, at))
		(void)printf("deny: %s is the server's; %s has no role here\n", thing,
		    principal_text(&who, text));
	else if (list_files(s, who, at, &files))
		(void)printf("deny: %s is the server's; grants of %s do not reach it\n", thing,
		    buf_text(&files));
	else
		(void)printf("deny: %s is the server's; only a grant on all reaches it: %s:*/*\n",
		    thing, policy_action_word(action));
	print_ended(s, who, at);
	return is_allowed ? EX_OK : DENIED;
}

/* --- what is done to a target --- */

static struct policy_decision
decide(const struct settings *s, struct principal who, const struct asked *asked,
    const char *target, int64_t at)
{
	return asked->action == POLICY_DO ?
	    policy_decide_do(s, who, asked->only != NULL ? asked->only->name : "*", target, at) :
	    asked->action == POLICY_SECRET ?
	    policy_decide_secret(s, who, asked->secret, target, at) :
	    policy_decide(s, who, asked->action, target, at);
}

static int
print_decision(const struct settings *s, struct principal who, const struct asked *asked,
    const char *word, const char *target)
{
	int64_t at = clock_wall_ms();
	struct policy_decision decision = decide(s, who, asked, target, at);
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
	if (asked->secret[0] != '\0' && !loan_is_there(s, asked->secret, target))
		(void)printf("note: nobody is lent it: there is no secret %s for %s\n",
		    asked->secret, target);
	if (principal_person(&who) != 0 || who.lent != 0)
		(void)printf("note: roles of %s: %s\n", text,
		    policy_roles_text(s, who, at, roles, sizeof(roles)));
	print_ended(s, who, at);
	return is_allowed ? EX_OK : DENIED;
}

/* --- what OPA says of it --- */

struct opa_asked {
	struct loop *loop;
	struct opa_answer answer;
};

static void
on_opa(void *ctx, const struct opa_answer *answer)
{
	struct opa_asked *asked = ctx;

	asked->answer = *answer;
	loop_stop(asked->loop);
}

static bool
ask_opa(const struct settings *s, const char *input, struct opa_answer *ret, struct err *err)
{
	struct opa_asked asked = { .loop = loop_new(err) };
	struct http_client *client = NULL;
	struct opa_call *call = NULL;

	if (asked.loop != NULL)
		client = opa_client(asked.loop, &s->opa, err);
	if (client != NULL)
		call = opa_start(client,
		    &(struct opa_request){ .url = s->opa.url,
			.token = s->opa.token,
			.input = input,
			.on_done = on_opa,
			.ctx = &asked },
		    err);
	if (call != NULL)
		loop_run(asked.loop);
	http_client_free(client);
	loop_free(asked.loop);
	*ret = asked.answer;
	return call != NULL;
}

/* As if they had approved it just now; returns how many. */
static size_t
read_approvals(const struct cli *cli, const struct settings *s, const char *target, int64_t at,
    struct approval ret[NEEDS_APPROVALS_MAX])
{
	size_t n = 0;

	for (; n < cli->many_count && n < NEEDS_APPROVALS_MAX; n++) {
		struct principal who = principal_of_person(strtoll(cli->many[n], NULL, 10));
		const struct role *role = policy_decide(s, who, POLICY_APPROVE, target, at).role;

		ret[n] = (struct approval){ .person = who.id, .at = at };
		if (role != NULL)
			(void)role_id_text(role->application, role->name, ret[n].role);
	}
	return n;
}

/* Of a request by them, of which what the options say is known.  What stands first is asked about
 * at its turn alone, as what is approved is. */
static int
print_opa(const struct cli *cli, const struct settings *s, struct principal who,
    const struct asked *asked, const char *target)
{
	CLEANUP(buf_done) struct buf input = buf_make(OPA_INPUT);
	struct approval approvals[NEEDS_APPROVALS_MAX];
	bool is_emergency = cli->value[OPTION_EMERGENCY] != NULL;
	const char *word = cli->argv[1];
	char text[PRINCIPAL_TEXT];
	int64_t at = clock_wall_ms();
	size_t n = read_approvals(cli, s, target, at, approvals);
	struct policy_decision decision = decide(s, who, asked, target, at);
	struct opa_answer answer;
	struct err err;

	opa_input_write(&(struct opa_input){ .is_start = n > 0 || is_emergency ||
				asked->action == POLICY_ROLLBACK,
			    .action = word,
			    .target = target,
			    .who = principal_text(&who, text),
			    .name = "",
			    .grant = decision.grant != NULL ? decision.grant->text : "",
			    .source = commit_source_word(
				strcmp(word, "upload") == 0 ? SOURCE_UPLOAD : SOURCE_GIT),
			    .commit = "",
			    .ref = "",
			    .image = "",
			    .promoted_from = "",
			    .live = "",
			    .in_branch = true,
			    .is_emergency = is_emergency,
			    .is_frozen = cli->value[OPTION_FREEZE] != NULL,
			    .approvals = approvals,
			    .n_approvals = n,
			    .requested_at = at,
			    .at = at },
	    &input);
	(void)printf("OPA is asked: %s\n", buf_text(&input));
	if (!ask_opa(s, buf_text(&input), &answer, &err))
		return cli_fail(&err);
	if (answer.verdict == OPA_SILENT)
		(void)printf("OPA has not answered: %s\n", answer.reason);
	else
		(void)printf("OPA says %s%s (decision_id %s)\n",
		    answer.verdict == OPA_YES ? "yes" : "no: ", answer.reason, answer.decision);
	return answer.verdict == OPA_YES ? EX_OK :
	    answer.verdict == OPA_NO	 ? DENIED :
					   EX_UNAVAILABLE;
}

/* --- who --- */

/* A user of this machine is who LOCAL_<USER>_IS says: "local:ada". */
static bool
find_user(const struct settings *s, struct principal *who)
{
	int64_t person = settings_user_named(s, who->name);

	who->id = person;
	if (person > 0)
		*who = principal_of_person(person);
	if (person == 0)
		(void)fprintf(stderr,
		    "error: no LOCAL_<USER>_IS names \"%s\" (root has the grants of each role that it says)\n",
		    who->name);
	return person != 0;
}

/* "hook:build-done", "workflow:shop/deploy": it has the grants of its line. */
static bool
find_program(const struct settings *s, struct principal *who)
{
	char id[ENVIRONMENT_ID_MAX];

	for (size_t i = 0; i < s->roles->count; i++) {
		const struct role *role = &s->roles->role[i];

		if (role->of == who->kind &&
		    strcmp(environment_id_text(role->application, role->name, id), who->name) == 0)
			who->lent = i + 1;
	}
	if (who->lent == 0)
		(void)fprintf(stderr,
		    "error: no %s is the %s \"%s\" (of an application's file: APPLICATION/NAME)\n",
		    who->kind == PRINCIPAL_HOOK ? "HOOK_<NAME>_STARTS" : "WORKFLOW_<NAME>_IS",
		    who->kind == PRINCIPAL_HOOK ? "hook" : "workflow", who->name);
	return who->lent != 0;
}

/* What it has, and whether it is valid, stands in its row. */
static int
find_token(const struct settings *s, struct principal *who)
{
	enum token_fault fault;
	struct token token;
	struct err err;

	if (!row_token_read(s->database, who->name, &token, &err))
		return cli_fail(&err);
	fault = row_token_fault(s, &token, clock_wall_ms());
	if (fault == TOKEN_GOOD)
		who->lent = row_token_role(s, &token);
	else
		(void)printf("note: that is %s\n", token_fault_rows[fault].what);
	return EX_OK;
}

/* An exit status. */
static int
find_who(const struct settings *s, struct principal *who)
{
	switch (who->kind) {
	case PRINCIPAL_USER:
		return find_user(s, who) ? EX_OK : EX_USAGE;
	case PRINCIPAL_HOOK:
	case PRINCIPAL_WORKFLOW:
		return find_program(s, who) ? EX_OK : EX_USAGE;
	case PRINCIPAL_TOKEN:
		return find_token(s, who);
	case PRINCIPAL_SYSTEM:
	case PRINCIPAL_PERSON:
	case PRINCIPAL_REPOSITORY:
		break;
	}
	return EX_OK;
}

int
cli_policy_explain(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	const char *id = environment_client(cli->argv[2]);
	const struct client_settings *client;
	struct asked asked;
	struct principal who;
	const char *target;
	int status, opa = EX_OK;

	if (s == NULL)
		return EX_CONFIG;
	if (!read_who(cli->argv[0], &who) || !read_action(cli->argv[1], &asked))
		return EX_USAGE;
	status = find_who(s, &who);
	if (status != EX_OK)
		return status;
	if (policy_action_rows[asked.action].scope == POLICY_ON_SERVER)
		return print_of_server(s, who, asked.action); /* whatever the target is */
	client = id != NULL ? settings_client(s, id) : NULL;
	target = client != NULL ? client->as.name : cli_target(s, cli->argv[2]);
	if (target == NULL)
		return EX_USAGE;
	status = print_decision(s, who, &asked, cli->argv[1], target);
	if (cli->value[OPTION_OPA] != NULL) /* which can only take away */
		opa = print_opa(cli, s, who, &asked, target);
	return status != EX_OK ? status : opa;
}

int
cli_policy_report(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	CLEANUP(freep) struct grant_use *uses = NULL;
	size_t count = 0;
	CLEANUP(buf_done) struct buf out = buf_make(1u << 20);
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	uses = row_grant_use_read(s->database, &count, &err);
	if (uses == NULL)
		(void)fprintf(stderr, "warning: nobody's last use is known: %s\n", err.text);
	policy_report(s, uses, count, clock_wall_ms(), &out);
	(void)fputs(buf_text(&out), stdout);
	return EX_OK;
}
