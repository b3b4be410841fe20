/* chat_deployment_shown.c - what is shown to whoever has to say yes: who is asked, and who approves.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "chat/chat_deployment_bake.h"
#include "chat/chat_hold.h"
#include "chat/chat_status.h"
#include "deployment/turn.h"
#include "lib/text.h"

#define CONTAINED_SHOWN 3

typedef void add_fn(struct chat_text *text, const struct chat_deployment *about);

/* --- which release --- */

void
chat_deployment_gone(struct chat_text *text, const struct release *gone, size_t n)
{
	for (size_t i = 0; i < n && i < CHAT_GONE; i++) {
		chat_text_named(text, i == 0 ? "rolls back " : ", ", COMMIT_OF(&gone[i]));
		chat_text_subject(text, " ", gone[i].subject);
	}
	if (n > CHAT_GONE)
		chat_text_add(text, " and more");
}

static void
add_to_release(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->to == NULL)
		return;
	chat_text_add(text, "\nrelease %lld", (long long)about->to->number);
	chat_text_ago(text, ", ", about->to->at, about->at);
	if (about->deployment->is_forward)
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD "newer than what runs: this goes forward" MARK_BOLD);
	if (about->gone_count > 0) {
		chat_deployment_gone_commits(text, about);
	} else {
		chat_text_add(text, "%s", about->n_gone > 0 ? "\n" : "");
		chat_deployment_gone(text, about->gone, about->n_gone);
	}
	chat_text_some(text, "\n🔗 ", about->link); /* to all commits that go with them */
}

/* Who says yes to it reads which hosts it may leave as they are. */
static void
add_without(struct chat_text *text, const struct chat_deployment *about)
{
	const char *hosts = about->deployment->without;

	if (hosts[0] == '\0')
		return;
	chat_text_outside(text, "\n⚠️ " MARK_BOLD "without " MARK_BOLD, hosts);
	chat_text_add(text,
	    ", where no answer comes then either: what is there stays until a release reaches it");
}

static void
add_requester(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_requester(text, about->deployment);
}

static void
add_missing(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_missing(text, about->deployment);
}

/* --- what is odd about it --- */

/* A person asks for an ancestor of what is live.  A push of one is a branch that was reset. */
static bool
is_older(const struct chat_deployment *about)
{
	const struct chat_approvals *listed = about->approvals;

	if (!deployment_is_by_request(about->deployment))
		return false;
	if (about->answer != NULL)
		return turn_is_behind(about->answer);
	return listed != NULL && listed->changes != NULL && listed->changes[0] != '\0' &&
	    listed->n_changes == 0 && about->deployment->is_force_push;
}

static void
add_odd(struct chat_text *text, const struct chat_deployment *about)
{
	bool is = is_older(about);

	if (is)
		chat_text_add(text, "\n⚠️ " MARK_BOLD "older than what %s" MARK_BOLD,
		    deployment_is_gate(about->deployment) ? "went there last" : "is live");
	chat_deployment_odd(text, about->deployment, !is);
}

/* Why no push deploys it, and what allows it. */
static void
add_block(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->block == NULL)
		return;
	chat_text_add(text, "\n⚠️ " MARK_BOLD "this commit is blocked" MARK_BOLD ": ");
	chat_block(text, about->block, about->at);
	chat_text_add(text, ". A yes allows it; once live it is not blocked any more.");
}

static void
add_contained(struct chat_text *text, const struct chat_deployment *about)
{
	for (size_t i = 0; i < about->n_contained && i < CONTAINED_SHOWN; i++) {
		const struct block *block = &about->contained[i];

		if (strcmp(block->commit, about->deployment->commit) == 0) {
			chat_text_add(text, "\n⚠️ this commit was ");
		} else {
			chat_text_named(text,
			    block->is_unsure ? "\n⚠️ may contain " : "\n⚠️ contains ",
			    COMMIT_OF(block));
			chat_text_add(text, ", ");
		}
		if (!block->is_rejected) {
			chat_block(text, block, about->at);
			continue;
		}
		chat_text_outside(text, "", block->why);
		chat_text_ago(text, ", ", block->at, about->at);
	}
	if (about->n_contained > CONTAINED_SHOWN)
		chat_text_add(text, "\n… and %zu more that are blocked or were rejected",
		    about->n_contained - CONTAINED_SHOWN);
	for (size_t i = CONTAINED_SHOWN; i < about->n_contained; i++)
		chat_text_named(
		    text, i == CONTAINED_SHOWN ? ": " : ", ", COMMIT_OF(&about->contained[i]));
}

static void
add_barriers(struct chat_text *text, const struct chat_deployment *about)
{
	chat_barriers(text, about->barriers, about->n_barriers);
}

/* --- what would keep it back, and what it would do beside --- */

static void
add_passed(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->passed > 0) /* an emergency */
		chat_text_add(
		    text, "\n⚠️ approved 0 of %d: a yes goes past that", about->passed);
}

static void
add_holds(struct chat_text *text, const struct chat_deployment *about)
{
	chat_hold_lines(text, about->holds, about->at);
}

static void
add_warning(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_warning(text, about);
}

static void
add_absent(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_some(text, "\n⚠️ ", about->newest.absent);
}

/* "#2 deploys 11450f1 now; this waits for it"; it need not be healthy when that has ended. */
static void
add_ahead(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *ahead = about->ahead;
	bool is_leaving =
	    ahead != NULL && ahead->state != DEPLOY_RUNNING && ahead->state != DEPLOY_VERIFYING;

	if (ahead == NULL)
		return;
	if (ahead->environment[0] == '\0') {
		chat_text_add(text, "\n⏳ other work is in progress there now" CHAT_SAID_AHEAD);
		return;
	}
	chat_text_add(text, "\n⏳ #%lld ", (long long)ahead->id);
	if (deployment_is_baking(ahead)) {
		chat_text_named(text,
		    ahead->state == DEPLOY_PAUSED ? "is paused: " : "bakes: ", COMMIT_OF(ahead));
		if (about->bake != NULL && about->bake->ahead != NULL)
			chat_deployment_bake(text, about->bake->ahead);
		if (about->newest.paused != NULL) {
			chat_deployment_ways(text, " (", ahead);
			chat_text_add(text, ")");
		}
		chat_text_add(text, CHAT_SAID_AHEAD);
		return;
	}
	if (is_leaving) {
		chat_text_add(text, "is %s", deploy_flow_word(ahead->state));
	} else if (deployment_is_gate(ahead)) {
		chat_text_named(text, "has the gate open for ", COMMIT_OF(ahead));
		chat_text_add(
		    text, " (" MARK_CODE "/cancel %s" MARK_CODE " ends that)", ahead->environment);
	} else if (deployment_is_action(ahead)) {
		chat_deployment_commit(text, "does ", ahead);
	} else {
		chat_text_named(text,
		    !deployment_is_rollback(ahead) ? "deploys " :
			ahead->is_forward	   ? "rolls forward to " :
						     "rolls back to ",
		    COMMIT_OF(ahead));
	}
	chat_text_add(text, " now" CHAT_SAID_AHEAD);
}

/* The line of it in what was said, from the line end before it on; NULL: there is none.  It ends as
 * add_ahead() has it, and no text from outside begins a line. */
static const char *
find_ahead(const char *said, const struct deployment *ended)
{
	const size_t size = strlen(CHAT_SAID_AHEAD);
	const char *line, *end;
	char begin[32];

	text_setf(begin, "\n⏳ #%lld ", (long long)ended->id);
	line = strstr(said, begin);
	if (line == NULL)
		return NULL;
	end = line + 1 + strcspn(line + 1, "\n");
	return (size_t)(end - line) > size && strncmp(end - size, CHAT_SAID_AHEAD, size) == 0 ?
	    line :
	    NULL;
}

bool
chat_deployment_ahead_ended(
    struct chat_text *text, const char *said, const struct deployment *ended)
{
	bool is_bad = ended->state != DEPLOY_LIVE && ended->state != DEPLOY_DONE;
	const char *at = find_ahead(said, ended);

	if (at == NULL)
		return false;
	chat_text_add(text, "%.*s\n%s #%lld has ended: %s", (int)(at - said), said,
	    is_bad ? "⚠️" : "ℹ️", (long long)ended->id, deploy_flow_word(ended->state));
	if (!deployment_is_action(ended)) /* who waits behind one may not see what it printed */
		chat_deployment_why(text, " (", ended, ")", WHY_BRIEF);
	chat_text_add(text, "%s", at + 1 + strcspn(at + 1, "\n"));
	return true;
}

static void
add_ci(struct chat_text *text, const struct chat_deployment *about)
{
	bool is_passed = deployment_is_emergency(about->deployment) && about->touches != NULL &&
	    about->touches[0] != '\0';

	chat_text_some(text, is_passed ? "\n⚠️ CI: " : "\nCI: ", about->touches);
	chat_text_add(text, "%s", is_passed ? ": a yes goes past that" : "");
}

/* --- what would change --- */

/* Of what awaits approvals they stand as git had them. */
static void
add_changes(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->answer != NULL)
		chat_deployment_no_history(text, about->answer, &about->environment->current);
	if (is_older(about))
		return;
	if (about->answer != NULL)
		chat_deployment_changes(text, about->answer, about->failed);
	else if (about->approvals != NULL && about->approvals->changes != NULL)
		buf_adds(&text->buf, about->approvals->changes);
}

static void
add_link(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_some(text, "\n🔗 ", about->link);
}

static void
add_unprobed(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->n_urls == 0)
		chat_text_add(
		    text, "\nNo health check configured: success means the script exits with 0.");
}

/* "3 waves: web1; then 4 hosts; then 7" */
static void
add_planned(struct chat_text *text, const struct chat_deployment *about)
{
	const struct waves_shown *shown = about->waves != NULL ? &about->waves->planned : NULL;

	if (shown == NULL || shown->n == 0)
		return;
	if (shown->n > 1)
		chat_text_add(text, "\n%zu waves: ", shown->n);
	else
		chat_text_add(text, "\n%zu host%s%s", shown->of[0], shown->of[0] == 1 ? "" : "s",
		    shown->first[0] != '\0' ? ": " : "");
	if (shown->n == 1 && shown->first[0] == '\0')
		return;
	if (shown->first[0] != '\0')
		chat_text_outside(text, "", shown->first);
	else
		chat_text_add(text, "%zu hosts", shown->of[0]);
	for (size_t i = 1; i < shown->n; i++)
		chat_text_add(text, "; then %zu%s", shown->of[i],
		    i > 1 || shown->first[0] == '\0' ? "" :
			shown->of[i] == 1	     ? " host" :
						       " hosts");
}

static void
add_note(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_note(text, about->deployment);
}

static void
add_image(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_shown_image(text, about);
}

#define OF_GATE PROGRAM_COUNT /* an action that brings a commit */

void
chat_deployment_shown(struct chat_text *text, const struct chat_deployment *about)
{
	static const struct {
		unsigned of;
		add_fn *add;
	} parts[] = {
#define PART(name, deploy, rollback, action, gate, add) \
	{ (deploy) << PROGRAM_DEPLOY | (rollback) << PROGRAM_ROLLBACK | \
		    (action) << PROGRAM_ACTION | (gate) << OF_GATE, \
		add },
		CHAT_SHOWN(PART)
#undef PART
	};

	unsigned of =
	    deployment_is_gate(about->deployment) ? OF_GATE : (unsigned)about->deployment->program;

	for (size_t i = 0; i < COUNT(parts); i++)
		if ((parts[i].of & 1u << of) != 0)
			parts[i].add(text, about);
}

void
chat_deployment_doubted(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->environment->unknown_since == 0)
		return;
	chat_unknown(text, about->environment, about->host, about->at);
	chat_text_add(text, "%s",
	    environment_is_left(about->environment) ?
		"\n" :
		"\nIs no other deploybot at work there? Look first.\n");
}
