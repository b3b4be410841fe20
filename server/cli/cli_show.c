/* cli_show.c - what /v1 shows, as lines for people.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/commit.h"
#include "lib/environment_id.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "policy/hold.h"

const char *
cli_show_at(const struct json *object, const char *key, char out[CLI_AT])
{
	const char *text = json_text(object, key);

	out[0] = '\0';
	if (strlen(text) > 16)
		(void)snprintf(out, CLI_AT, "%.10s %.5s UTC", text, text + 11);
	return out;
}

const char *
cli_state_words(const char *state, char out[CLI_STATE])
{
	(void)text_copy(out, CLI_STATE, state);
	for (char *c = out; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	return out;
}

/* What is to be written of what has both; an older server says no source. */
#define commit_of(object) \
	commit_name_here(commit_source_of(json_text(object, "source")), json_text(object, "commit"))

/* " 1a2b3c4 A subject", " restart-web" */
static void
print_commit(const struct json *object)
{
	const char *commit = json_text(object, "commit"), *subject = json_text(object, "subject");
	const char *action = json_text(object, "action"), *argument = json_text(object, "argument");

	if (commit[0] != '\0')
		(void)printf(" %s", commit_of(object));
	else if (action[0] != '\0')
		(void)printf(" %s%s%s", action, argument[0] != '\0' ? " " : "", argument);
	else
		(void)printf(" %s", json_text(object, "ref"));
	if (subject[0] != '\0')
		(void)printf(" %s", subject);
}

static void
print_work(const struct json *work)
{
	char words[CLI_STATE];

	(void)printf("#%lld %s%s", (long long)json_get_i64_or(work, "work", 0),
	    json_text(work, "program"),
	    strcmp(json_text(work, "program"), "rollback") == 0 ? " to" : "");
	print_commit(work);
	(void)printf(": %s, by %s",
	    json_text(work, "live_until")[0] != '\0' ?
		"was live" :
		cli_state_words(json_text(work, "state"), words),
	    json_text(work, "requested_by"));
	if (json_text(work, "detail")[0] != '\0')
		(void)printf(" (%s)", json_text(work, "detail"));
	if (json_text(work, "note")[0] != '\0')
		(void)printf("; %s", json_text(work, "note"));
	(void)printf("\n");
}

/* Its word of the chat: all its URLs are healthy, and one names a commit that is not live. */
static bool
is_other_commit(const struct json *environment, const struct json *health)
{
	bool is_other = false;

	for (size_t i = 0; i < json_count(health); i++) {
		const struct json *finding = json_at(health, i);

		if (strcmp(json_text(finding, "environment"),
			json_text(environment, "environment")) != 0)
			continue;
		if (!json_get_bool(finding, "is_healthy", false))
			return false;
		is_other = is_other || json_get_bool(finding, "is_other_commit", false);
	}
	return is_other;
}

static const char *
state_words(const struct json *environment, const struct json *health)
{
	const char *state = json_text(environment, "state");

	if (json_get_bool(environment, "is_replaced", false))
		return "being replaced; last live";
	return strcmp(state, "live") == 0 && is_other_commit(environment, health) ?
	    "another commit answers; last live" :
	    state;
}

static void
print_release(const struct json *environment, const struct json *health)
{
	const struct json *release = json_get(environment, "release");
	char at[CLI_AT];

	if (environment_client(json_text(environment, "environment")) != NULL) {
		(void)printf("%s%s\n", json_text(environment, "environment"),
		    json_holds_object(json_get(environment, "in_progress")) ?
			"" :
			": nothing is in progress");
		return;
	}
	if (!json_holds_object(release)) {
		const char *state = json_text(environment, "state");

		(void)printf("%-24s %s%snothing was released yet\n",
		    json_text(environment, "environment"), strcmp(state, "none") == 0 ? "" : state,
		    strcmp(state, "none") == 0 ? "" : "; ");
		return;
	}
	(void)printf("%-24s %s: release %lld", json_text(environment, "environment"),
	    state_words(environment, health), (long long)json_get_i64_or(release, "number", 0));
	print_commit(release);
	(void)printf(", by %s, %s\n", json_text(release, "by"), cli_show_at(release, "at", at));
}

/* What waits for somebody, and how it is answered. */
static void
print_questions(const struct json *environment, const char *before)
{
	const struct json *all = json_get(environment, "questions");

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *work = json_at(all, i);
		long long number = (long long)json_get_i64_or(work, "work", 0);
		char at[CLI_AT];

		(void)printf("%squestion: ", before);
		print_work(work);
		(void)printf("    open%s%s: read and answer it: deploybot answer %lld\n",
		    json_text(work, "asked_until")[0] != '\0' ? " until " : "",
		    cli_show_at(work, "asked_until", at), number);
	}
}

static void
print_holds(const struct json *environment)
{
	const struct json *all = json_get(environment, "holds");

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *hold = json_at(all, i);
		char at[CLI_AT];
		const char *until = cli_show_at(hold, "until", at),
			   *reason = json_text(hold, "reason");
		enum hold_kind kind = 0;

		while (kind < HOLD_KIND_COUNT &&
		    strcmp(json_text(hold, "kind"), hold_kinds[kind].word) != 0)
			kind++;
		if (kind == HOLD_WITNESS)
			(void)printf("  %s (%s)\n", hold_kinds[kind].is, json_text(hold, "by"));
		else
			(void)printf("  %s by %s, until %s%s%s\n",
			    kind < HOLD_KIND_COUNT ? hold_kinds[kind].is : json_text(hold, "kind"),
			    json_text(hold, "by"), until[0] != '\0' ? until : "somebody ends it",
			    reason[0] != '\0' ? ": " : "", reason);
	}
	if (json_text(environment, "waiting_push")[0] != '\0')
		(void)printf(
		    "  a push by %s waits for that\n", json_text(environment, "waiting_push"));
}

/* One of its URLs. */
static void
print_finding(const struct json *environment, const struct json *finding)
{
	const char *state = json_text(environment, "state");
	/* As the chat: while one replaces another it need not answer. */
	bool is_down = strcmp(state, "down") == 0 ||
	    (strcmp(state, "live") == 0 && !json_get_bool(environment, "is_replaced", false));

	bool is_healthy = json_get_bool(finding, "is_healthy", false),
	     is_unknown = json_holds_null(json_get(finding, "is_healthy")),
	     is_one = json_get_i64_or(environment, "health_urls", 0) == 1;

	(void)printf("  %s%s%s: ",
	    is_unknown	   ? "health is not known" :
		is_healthy ? "healthy" :
		is_down	   ? "DOWN" :
			     "no healthy answer",
	    is_one ? "" : " at ", is_one ? "" : json_text(finding, "at"));
	if (is_healthy)
		(void)printf("HTTP %lld in %lld ms",
		    (long long)json_get_i64_or(finding, "http_status", 0),
		    (long long)json_get_i64_or(finding, "latency_ms", 0));
	else
		(void)printf("%s", json_text(finding, "detail"));
	if (json_get_bool(finding, "is_other_commit", false))
		(void)printf(", answers as %.7s", json_text(finding, "commit"));
	(void)printf("\n");
}

static void
print_health(const struct json *environment, const struct json *health)
{
	size_t n = 0;

	for (size_t i = 0; i < json_count(health); i++) {
		const struct json *finding = json_at(health, i);

		if (strcmp(json_text(finding, "environment"),
			json_text(environment, "environment")) != 0)
			continue;
		print_finding(environment, finding);
		n++;
	}
	if (environment_client(json_text(environment, "environment")) != NULL)
		return;
	if (json_get_i64_or(environment, "health_urls", 0) == 0)
		(void)printf("  no health check configured\n");
	else if (n == 0)
		(void)printf(
		    "  health was not looked at: of each host ({host}), or too many at once; see status APPLICATION\n");
}

static void
print_left_hosts(const struct json *environment)
{
	const struct json *all = json_get(environment, "left_hosts");

	for (size_t i = 0; i < json_count(all); i++) {
		const char *commit = json_text(json_at(all, i), "commit");

		(void)printf("  %s%s%s, left out %s\n", json_text(json_at(all, i), "host"),
		    commit[0] != '\0' ? " still has " : ": what it has is not known",
		    commit_of(json_at(all, i)), json_text(json_at(all, i), "since"));
	}
}

/* What the chat says below what runs: what nobody has seen, what a push does not deploy, what is
 * newer. */
static void
print_beside(const struct json *environment)
{
	long long unseen = (long long)json_get_i64_or(environment, "unseen", 0),
		  newer = (long long)json_get_i64_or(environment, "newer", 0);
	const struct json *blocked = json_get(environment, "blocked");
	char at[CLI_AT];

	if (unseen != 0)
		(void)printf(
		    "  nobody has seen how #%lld ended: deploybot show %lld\n", unseen, unseen);
	for (size_t i = 0; i < json_count(blocked); i++) {
		const struct json *block = json_at(blocked, i);
		const char *by = json_text(block, "by"), *reason = json_text(block, "reason");

		(void)printf("  blocked: %s, %s%s%s%s%s\n", commit_of(block),
		    by[0] != '\0' ? "rolled back by " : "its deployment failed", by,
		    reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
	}
	if (json_get_i64_or(environment, "blocks", 0) > (int64_t)json_count(blocked))
		(void)printf("  blocked: %lld in all\n",
		    (long long)json_get_i64_or(environment, "blocks", 0));
	if (json_text(environment, "git_failing_since")[0] != '\0')
		(void)printf("  git does not answer since %s: what is newer is not known\n",
		    cli_show_at(environment, "git_failing_since", at));
	else if (newer > 0)
		(void)printf("  %lld newer commit%s: its branch is at %.7s\n", newer,
		    newer == 1 ? "" : "s", json_text(environment, "head"));
}

void
cli_show_status(const struct json *answer)
{
	const struct json *all = json_get(answer, "environments");

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *environment = json_at(all, i);
		const struct json *work = json_get(environment, "in_progress");
		char at[CLI_AT];

		print_release(environment, json_get(answer, "health"));
		print_health(environment, json_get(answer, "health"));
		if (json_text(environment, "unknown_why")[0] != '\0')
			(void)printf("  not known: %s\n", json_text(environment, "unknown_why"));
		if (json_text(environment, "refusal")[0] != '\0')
			(void)printf("  not deployed: %s\n", json_text(environment, "refusal"));
		if (cli_show_at(environment, "runner_disconnected_since", at)[0] != '\0')
			(void)printf("  its runner %s is disconnected since %s\n",
			    json_text(environment, "runner"), at);
		print_left_hosts(environment);
		print_beside(environment);
		print_holds(environment);
		if (json_holds_object(work)) {
			(void)printf("  in progress: ");
			print_work(work);
		}
		if (json_get_i64_or(environment, "queued", 0) > 0)
			(void)printf("  queued: %lld\n",
			    (long long)json_get_i64_or(environment, "queued", 0));
		print_questions(environment, "  ");
	}
}

static int
compare_work(const void *a, const void *b)
{
	long long x = json_get_i64_or(*(const struct json *const *)a, "work", 0),
		  y = json_get_i64_or(*(const struct json *const *)b, "work", 0);

	return (x < y) - (x > y);
}

/* The answer goes by environment; a person asks what was last. */
void
cli_show_history(const struct json *answer)
{
	const struct json *all = json_get(answer, "work");
	size_t n = json_count(all);
	const struct json **work = mem_new(n + 1, sizeof(*work));

	for (size_t i = 0; i < n; i++)
		work[i] = json_at(all, i);
	qsort(work, n, sizeof(*work), compare_work);
	for (size_t i = 0; i < n; i++) {
		char at[CLI_AT];

		(void)printf("%s %s ", cli_show_at(work[i], "requested_at", at),
		    json_text(work[i], "environment"));
		print_work(work[i]);
	}
	if (n == 0)
		(void)printf("Nothing was deployed yet.\n");
	free(work);
}

void
cli_show_queue(const struct json *answer)
{
	const struct json *all = json_get(answer, "environments");
	char before[104];
	size_t n = 0;

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *work = json_get(json_at(all, i), "in_progress");
		const struct json *queue = json_get(json_at(all, i), "queue");

		if (json_holds_object(work)) {
			(void)printf("%s in progress: ", json_text(json_at(all, i), "environment"));
			print_work(work);
			n++;
		}
		n += json_count(json_get(json_at(all, i), "questions"));
		(void)snprintf(
		    before, sizeof(before), "%.96s ", json_text(json_at(all, i), "environment"));
		print_questions(json_at(all, i), before);
		for (size_t k = 0; k < json_count(queue); k++, n++) {
			(void)printf("%s %zu. ", json_text(json_at(all, i), "environment"), k + 1);
			print_work(json_at(queue, k));
		}
	}
	if (n == 0)
		(void)printf("Nothing is in progress, and nothing is queued.\n");
}

void
cli_show_holds(const struct json *answer)
{
	const struct json *all = json_get(answer, "environments");
	size_t n = 0;

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *environment = json_at(all, i);

		if (json_count(json_get(environment, "holds")) == 0)
			continue;
		(void)printf("%s\n", json_text(environment, "environment"));
		print_holds(environment);
		n++;
	}
	if (n == 0)
		(void)printf("Nothing keeps new work from starting.\n");
}

void
cli_show_actions(const struct json *answer)
{
	const struct json *all = json_get(answer, "actions");

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *action = json_at(all, i);
		const char *takes = json_text(action, "takes");

		(void)printf("%-24s %s%s%s%s: %s\n", json_text(action, "target"),
		    json_text(action, "action"), takes[0] != '\0' ? " <" : "", takes,
		    takes[0] != '\0' ? ">" : "", json_text(action, "help"));
	}
	if (json_count(all) == 0)
		(void)printf("You may ask for no action.\n");
}

void
cli_show_me(const struct json *answer)
{
	const struct json *roles = json_get(answer, "roles"), *may = json_get(answer, "may");

	(void)printf("%s", json_text(json_get(answer, "person"), "name"));
	for (size_t i = 0; i < json_count(roles); i++)
		(void)printf("%s%s", i == 0 ? ", as " : ", ", json_str(json_at(roles, i)));
	(void)printf("\n");
	for (size_t i = 0; i < json_count(may); i++)
		(void)printf("  %s: %s\n", json_text(json_at(may, i), "target"),
		    json_text(json_at(may, i), "right"));
}
