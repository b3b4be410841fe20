/* deployment.c - what a deployment says of itself.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deployment.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/column.h"
#include "lib/list.h"
#include "lib/text.h"
#include "types/action.h"

#define TARGET		   "target:"
#define PREVIOUS	   "previous " TARGET
#define STAYS_OLD	   "stays-old "
#define REMOVED		   "removed "
#define REMOVED_DIGITS	   32 /* enough for one release alone, and a step has room for them */
#define UNREACHABLE	   "unreachable "
#define NOTHING_RUNS	   "nothing-runs"
#define SERVICE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define WORD_MAX	   30 /* one more fills a step's name: a longer one that was cut? */

const char *
trigger_word(enum trigger trigger)
{
	static const char *const words[] = { TRIGGERS(COLUMN_SECOND) };

	assert((size_t)trigger < COUNT(words));
	return words[trigger];
}

bool
deployment_is_by_request(const struct deployment *deployment)
{
	static const enum {
		PUSH,
		REQUEST
	} by[] = {
#define T(name, word, by) by,
		TRIGGERS(T)
#undef T
	};

	assert((size_t)deployment->trigger < COUNT(by));
	return by[deployment->trigger] == REQUEST;
}

bool
deployment_has_pusher(const struct deployment *deployment)
{
	return !deployment_is_by_request(deployment) &&
	    strcmp(deployment->requester, DEPLOYMENT_FOUND) != 0;
}

bool
deployment_is_rollback(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ROLLBACK;
}

bool
deployment_is_action(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ACTION;
}

bool
deployment_is_emergency(const struct deployment *deployment)
{
	return deployment->exempt.emergency[0] != '\0';
}

static enum policy_action
grant_of_action(const struct deployment *deployment)
{
	const struct action *row = action_row_of(deployment->action);

	return row != NULL ? row->grant : POLICY_DO;
}

enum policy_action
deployment_grant(const struct deployment *deployment)
{
	static const enum policy_action grants[PROGRAM_COUNT] = {
		[PROGRAM_DEPLOY] = POLICY_DEPLOY,
		[PROGRAM_ROLLBACK] = POLICY_ROLLBACK,
	};

	return deployment_is_emergency(deployment) ? POLICY_EMERGENCY :
	    deployment->is_forward		   ? POLICY_DEPLOY :
	    deployment_is_action(deployment)	   ? grant_of_action(deployment) :
						     grants[deployment->program];
}

bool
deployment_is_upload(const struct deployment *deployment)
{
	return deployment->source == SOURCE_UPLOAD && deployment->program == PROGRAM_DEPLOY &&
	    !deployment->is_forward;
}

bool
deployment_stands_first(const struct deployment *deployment)
{
	return deployment_is_rollback(deployment) || deployment_is_emergency(deployment);
}

bool
deployment_awaits_review(const struct deployment *deployment)
{
	return deployment_is_emergency(deployment) && deployment->started_at != 0 &&
	    deployment->exempt.reviewed_at == 0;
}

bool
deployment_is_read(const struct deployment *deployment)
{
	const struct action *action = action_row_of(deployment->action);

	return action != NULL && action->risk == ACTION_RISK_READ;
}

const char *
deployment_target(const struct deployment *deployment, char out[LIMIT_ENVIRONMENT])
{
	if (deployment->client[0] == '\0') {
		(void)text_copy(out, LIMIT_ENVIRONMENT, deployment->environment);
		return out;
	}
	return environment_id_text(ENVIRONMENT_CLIENT, deployment->client, out);
}

bool
environment_is_in_doubt(const struct environment *environment)
{
	return environment->is_down || environment->unknown_since != 0;
}

bool
environment_is_left(const struct environment *environment)
{
	return environment->unknown_since != 0 &&
	    text_starts(environment->unknown_why, deploy_flow_why_word(DEPLOY_WHY_LEFT));
}

bool
deployment_runs_already(const struct deployment *deployment, const struct environment *environment)
{
	return !deployment_is_action(deployment) && !environment_is_in_doubt(environment) &&
	    deployment->commit[0] != '\0' &&
	    strcmp(environment->current.commit, deployment->commit) == 0;
}

const char *
deployment_confirmer(const struct deployment *deployment)
{
	return deployment->confirmed_by != deployment->requested_by ? deployment->confirmer : "";
}

const char *
deployment_starter(const struct deployment *deployment)
{
	return deployment->confirmed_by != 0 ? deployment->confirmer : deployment->requester;
}

bool
deployment_is_baking(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_BAKING || deployment->state == DEPLOY_PAUSED;
}

bool
deployment_is_changing(const struct deployment *deployment)
{
	enum deploy_state state = deployment->state;

	return state == DEPLOY_VERIFYING || state == DEPLOY_ROLLING_BACK ||
	    state == DEPLOY_VERIFYING_ROLLBACK || deployment_is_baking(deployment) ||
	    ((state == DEPLOY_RUNNING || state == DEPLOY_STOPPING) && deployment->target_changed);
}

bool
environment_is_serving(const struct environment *environment, const struct deployment *active)
{
	return environment->current.id != 0 && !environment->is_down &&
	    environment->unknown_since == 0 && (active->id == 0 || !deployment_is_changing(active));
}

bool
environment_push_waits(const struct environment *environment)
{
	const char *commit = environment->waiting_commit[0] != '\0' ? environment->waiting_commit :
								      environment->seen_commit;

	return environment->waiting_push[0] != '\0' &&
	    strcmp(commit, environment->current.commit) != 0;
}

bool
deployment_can_roll_back(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_DEPLOY && deployment->previous[0] != '\0' &&
	    !deployment->cannot_roll_back;
}

void
deployment_outcome_label(enum deploy_state state, char ret[LIMIT_ENVIRONMENT])
{
	(void)text_copy(ret, LIMIT_ENVIRONMENT, deploy_flow_name(state));
	for (char *c = ret; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

void
deployment_take_image(struct deployment *deployment, const char *image)
{
	bool is_decided = deployment_is_rollback(deployment) && deployment->image[0] != '\0';

	if (image[0] != '\0' && deployment->state != DEPLOY_ROLLING_BACK && !is_decided)
		text_set(deployment->image, image); /* fits */
}

static bool
begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

void
deployment_take_previous(struct deployment *deployment, const char *step)
{
	if (!begins_with(step, PREVIOUS) || deployment_is_rollback(deployment) ||
	    deployment->previous[0] != '\0' || deployment->target_changed)
		return;
	step += strlen(PREVIOUS) - strlen(TARGET);
	if (text_is_word(step + strlen(TARGET), WORD_MAX))
		text_set(deployment->previous, step);
}

static const struct {
	const char *step;
	enum migration migration;
} migration_steps[] = {
	{ "migrate", MIGRATION_CUT },
	{ "migrated", MIGRATION_RAN },
	{ "migrate-failed ", MIGRATION_FAILED },
	{ "migrate-stopped", MIGRATION_STOPPED },
	{ "migrate-not-started", MIGRATION_NOT_STARTED },
};

/* Of a text that others may have written: exactly these words, and digits behind the one. */
enum migration
deployment_migration_of(const char *step)
{
	for (size_t i = 0; i < COUNT(migration_steps); i++) {
		const char *word = migration_steps[i].step;
		size_t size = strlen(word);

		if (strncmp(step, word, size) == 0 &&
		    (word[size - 1] == ' ' ?
			    strspn(step + size, "0123456789") == strlen(step + size) :
			    step[size] == '\0'))
			return migration_steps[i].migration;
	}
	return MIGRATION_NONE;
}

void
deployment_take_migration(struct deployment *deployment, const char *step)
{
	enum migration now = deployment_migration_of(step);
	bool begins = deployment->migration[0] == '\0';

	if (deployment->program != PROGRAM_DEPLOY || deployment->target_changed ||
	    now == MIGRATION_NONE || begins != (now == MIGRATION_CUT))
		return;
	text_set(deployment->migration, step);
}

enum migration
deployment_migration(const struct deployment *deployment)
{
	return deployment_migration_of(deployment->migration);
}

const char *
deployment_migration_status(const struct deployment *deployment)
{
	const char *blank = strchr(deployment->migration, ' ');

	return blank == NULL ? "" : blank + 1;
}

/* Each has half of the line, and what the other does not need. */
void
deployment_add_rollback_failure(struct deployment *deployment, const char *how, const char *detail)
{
	char release[LIMIT_LINE], line[2 * LIMIT_LINE];
	size_t half = LIMIT_LINE / 2 - sizeof(ROLLBACK_BEHIND);
	size_t size = strlen(detail), room = 2 * half - (size < half ? size : half);

	(void)deployment_release_failure(deployment, release);
	release[text_cut(release, strlen(release), room)] = '\0';
	text_setf(line, "%s%s\n%s%s", release, release[0] != '\0' ? ";" : "", how, detail);
	line[text_cut(line, strlen(line), LIMIT_LINE - 1)] = '\0';
	text_set(deployment->detail, line);
}

const char *
deployment_release_failure(const struct deployment *deployment, char out[LIMIT_LINE])
{
	char *end;

	(void)text_copy(out, LIMIT_LINE, deployment->detail);
	end = strchr(out, '\n');
	if (end != NULL)
		*(end > out ? end - 1 : end) = '\0'; /* without the ";" */
	return out;
}

const char *
deployment_detail(const struct deployment *deployment, char out[LIMIT_LINE])
{
	return clean_line(out, LIMIT_LINE, deployment->detail, strlen(deployment->detail));
}

bool
deployment_is_back_to_target(const struct deployment *deployment)
{
	return begins_with(deployment->previous, TARGET);
}

bool
deployment_is_back_to_itself(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_ROLLED_BACK &&
	    strcmp(deployment->commit, deployment->previous) == 0;
}

const char *
deployment_stays_old(const char *step)
{
	const char *service = step + strlen(STAYS_OLD);

	if (!begins_with(step, STAYS_OLD) || !isalnum((unsigned char)service[0]) ||
	    service[strspn(service, SERVICE_CHARACTERS)] != '\0')
		return NULL;
	return service;
}

/* NULL: another step. */
static const char *
unreachable(const char *step)
{
	const char *host = step + strlen(UNREACHABLE);

	if (!begins_with(step, UNREACHABLE) || host[0] == '\0' ||
	    host[strspn(host, SERVICE_CHARACTERS ":")] != '\0')
		return NULL;
	return host;
}

const char *
deployment_unreachables(const struct step *steps, size_t n, char ret[LIMIT_WITHOUT])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const char *host = unreachable(steps[i].name);

		if (host == NULL || list_has(ret, host) || used + strlen(host) + 2 > LIMIT_WITHOUT)
			continue;
		used += (size_t)snprintf(
		    ret + used, LIMIT_WITHOUT - used, "%s%s", used > 0 ? "," : "", host);
	}
	return ret;
}

const char *
deployment_removed(const char *step)
{
	const char *word = step + strlen(REMOVED);
	const char *digits = word;

	if (!begins_with(step, REMOVED))
		return NULL;
	if (begins_with(word, "sha256:"))
		digits += strlen("sha256:");
	return text_is_hex(digits, REMOVED_DIGITS, LIMIT_STEP) ? word : NULL;
}

bool
deployment_is_note(const char *step)
{
	return deployment_stays_old(step) != NULL || deployment_removed(step) != NULL ||
	    unreachable(step) != NULL || begins_with(step, PREVIOUS) ||
	    deployment_migration_of(step) > MIGRATION_CUT || strcmp(step, "drain-later") == 0 ||
	    strcmp(step, NOTHING_RUNS) == 0 || strcmp(step, DEPLOYMENT_CLEAN_LATER) == 0;
}

bool
deployment_is_undone(const struct deployment *deployment, const struct step *steps, size_t n)
{
	if (deployment->program != PROGRAM_DEPLOY || deployment->state != DEPLOY_FAILED ||
	    deployment->target_changed)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(steps[i].name, NOTHING_RUNS) == 0)
			return true;
	return false;
}

size_t
deployment_last_step(const struct step *steps, size_t n)
{
	for (size_t i = n; i > 0; i--)
		if (!deployment_is_note(steps[i - 1].name))
			return i - 1;
	return n;
}

bool
deployment_is_left_unhealthy(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_DEPLOY && deployment->state == DEPLOY_FAILED &&
	    deployment->target_changed && deployment->cannot_roll_back;
}

bool
deployment_is_looked_down(const struct deployment *deployment)
{
	return deployment->look.at != 0 && deployment->look.said[0] != '\0';
}

bool
deployment_is_looked_well(const struct deployment *deployment)
{
	return deployment->look.at != 0 && deployment->look.said[0] == '\0';
}

bool
deployment_is_left_down(const struct deployment *deployment, const struct environment *environment)
{
	return deployment->state == DEPLOY_FAILED && deployment->target_changed &&
	    environment->unknown_since == 0 &&
	    (deployment_is_looked_down(deployment) ||
		(deployment->why == DEPLOY_WHY_UNHEALTHY &&
		    !deployment_is_looked_well(deployment)));
}

bool
deployment_left_doubt(const struct deployment *deployment)
{
	return !deployment_is_action(deployment) &&
	    (deployment->state == DEPLOY_ROLLBACK_FAILED ||
		(deployment->state == DEPLOY_FAILED && deployment->target_changed));
}

bool
deployment_is_over(const struct deployment *deployment, const struct environment *environment)
{
	return deployment_left_doubt(deployment) && !environment_is_in_doubt(environment);
}

bool
deployment_can_be_stopped(const struct deployment *deployment)
{
	const struct action *action = action_row_of(deployment->action);

	return action != NULL && action->stop == ACTION_ENDS;
}

bool
deployment_is_asked(const struct deployment *deployment)
{
	return (deployment->state == DEPLOY_AWAITING_CONFIRMATION &&
		   deployment->confirmed_by == 0) ||
	    (deployment->state == DEPLOY_QUEUED && deployment->wait.is_asked_anew);
}

bool
deployment_may_be_cancelled(const struct deployment *deployment)
{
	if (deployment->state == DEPLOY_QUEUED || deployment->state == DEPLOY_AWAITING_APPROVAL)
		return true;
	if (deployment_is_action(deployment))
		return deployment->state == DEPLOY_RUNNING && deployment_can_be_stopped(deployment);
	return !deployment_is_rollback(deployment) &&
	    (deployment->state == DEPLOY_RUNNING || deployment->state == DEPLOY_VERIFYING ||
		deployment_is_baking(deployment));
}

bool
deployment_is_of(const struct deployment *deployment, int64_t person)
{
	return deployment->id != 0 && person != 0 && deployment_is_by_request(deployment) &&
	    deployment->requested_by == person;
}

bool
deployment_is_own_place(const struct deployment *deployment, int64_t person)
{
	return deployment_is_of(deployment, person) &&
	    (deployment->state == DEPLOY_REQUESTED || deployment->state == DEPLOY_QUEUED ||
		deployment->state == DEPLOY_AWAITING_APPROVAL);
}
