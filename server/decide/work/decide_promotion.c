/* decide_promotion.c - what is live in one environment goes to another one, without a build: may it?  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_promotion.h"

#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/hold/decide_refusal.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_sees.h"
#include "lib/environment_id.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "settings/checks/settings_stages.h"
#include "settings/settings_table.h"
#include "store/row_binding.h"
#include "store/row_block.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_promotion.h"
#include "types/git_answer.h"

#define MARK_ROOM    32
#define WHOLE_COMMIT 40

/* --- what an image is made of, by the lists of both works --- */

/* What makes an image another one; the first two say where it is. */
static const char *const made_of[] = { "REGISTRY_URL", "REGISTRY_IMAGE", "DOCKERFILE", "BUILD_ARGS",
	"BUILD_SECRETS", "BUILD_TARGET", "BUILD_PLATFORM", "BUILD_CONTEXT" };
#define WHERE_IT_IS 2

/* The mark behind NAME=; false: the list has no such word. */
static bool
take_mark(const char *list, const char *prefix, const char *name, char ret[MARK_ROOM])
{
	char word[SETTING_NAME_MAX + 16];
	size_t size;

	(void)snprintf(word, sizeof(word), "%s%s=", prefix, name);
	size = strlen(word);
	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		if (strncmp(at, word, size) == 0) {
			(void)snprintf(
			    ret, MARK_ROOM, "%.*s", (int)strcspn(at + size, " "), at + size);
			return true;
		}
		at += strcspn(at, " ");
	}
	return false;
}

/* Of what an environment sets, for itself or with others, or of the default. */
static void
find_mark(const char *list, const struct environment_id *id, const char *name, char ret[MARK_ROOM])
{
	const struct settings_spec *spec = settings_runners_spec(NULL, NULL, name);
	const char *value = strcmp(name, made_of[1]) == 0 && id->application[0] != '\0' ?
	    id->application :
	    spec->fallback;
	char special[SETTING_NAME_MAX];
	CLEANUP(buf_done) struct buf mark = buf_make(MARK_ROOM);

	(void)setting_special(name, id->name, special);
	ret[0] = '\0';
	if (take_mark(list, "environment/", special, ret) ||
	    take_mark(list, "environment/", name, ret) || take_mark(list, "", special, ret) ||
	    take_mark(list, "", name, ret) || value == NULL)
		return;
	fingerprint_add_bytes(&mark, "", value, strlen(value));
	(void)text_copy(ret, MARK_ROOM, buf_text(&mark) + strlen("="));
}

/* The first of them that differs; COUNT(made_of): none does. */
static size_t
find_differing(const char *from, const char *from_list, const char *to, const char *to_list)
{
	struct environment_id here, there;
	char mark[MARK_ROOM], other[MARK_ROOM];
	size_t i = 0;

	if (!environment_id_parse(from, &here) || !environment_id_parse(to, &there))
		return 0;
	for (; i < COUNT(made_of); i++) {
		find_mark(from_list, &here, made_of[i], mark);
		find_mark(to_list, &there, made_of[i], other);
		if (strcmp(mark, other) != 0)
			break;
	}
	return i;
}

static const char *
find_made_otherwise(struct tx *tx, const struct deployment *work, const struct promotion *promotion,
    const struct release *release, char out[LIMIT_LINE])
{
	char from_list[FINGERPRINT_LIST_MAX], to_list[FINGERPRINT_LIST_MAX];
	struct release origin = row_release_get(tx, release->origin);
	size_t i;

	(void)row_binding_get(
	    tx, origin.id != 0 ? origin.deployment : release->deployment, from_list);
	if (row_binding_get(tx, work->id, to_list)[0] == '\0')
		return "which settings would ship it is not known yet: ask again when its runner is connected";
	if (from_list[0] == '\0')
		return "which settings its image was made with is not known: deploy that commit to its source once more, and promote that";
	i = find_differing(promotion->from, from_list, work->environment, to_list);
	if (i == COUNT(made_of))
		return NULL;
	if (i < WHERE_IT_IS)
		(void)snprintf(out, LIMIT_LINE,
		    "its image is in another repository: %s is another one for its source",
		    made_of[i]);
	else
		(void)snprintf(out, LIMIT_LINE,
		    "its image was made with another %s than this environment has: give both the same, or deploy the commit itself",
		    made_of[i]);
	return out;
}

/* --- where it comes from --- */

static const char *
name_setting(const char *setting, const char *environment, char out[SETTING_NAME_MAX])
{
	const char *slash = strrchr(environment, '/');

	return setting_name(setting, slash != NULL ? slash + 1 : environment, out);
}

/* What it lacks of the time for which it has to be live there. */
static const char *
find_too_early(struct tx *tx, const struct environment_settings *to, const struct release *release,
    char out[LIMIT_LINE])
{
	int64_t live_ms = row_promotion_live_ms(tx, release);
	char name[SETTING_NAME_MAX];
	char lived[TEXT_DURATION_SIZE], left[TEXT_DURATION_SIZE];

	if (live_ms >= to->promote_after_ms)
		return NULL;
	(void)snprintf(out, LIMIT_LINE,
	    "it has been live in its source for %s, and %s asks for more: promote it in %s",
	    text_age(lived, live_ms), name_setting("<ENV>_PROMOTE_AFTER", to->name, name),
	    text_age(left, to->promote_after_ms - live_ms + 59999)); /* rounded up */
	return out;
}

/* Why that release is none that could be brought anywhere. */
static const char *
find_no_image(const struct release *release)
{
	if (release->id == 0)
		return "nothing is live in its source";
	if (release->source == SOURCE_UPLOAD)
		return "its source runs an archive that was sent, and no digest of an image is known of it: send it to this environment";
	if (!commit_is_git(release->source, release->commit) ||
	    !git_image_is_digest(release->image))
		return "its source runs a release of which no digest of an image is known";
	return release->left_by != 0 ? "its source has rolled that release back" : NULL;
}

static const char *
find_fault(struct tx *tx, const struct environment_settings *to, const struct promotion *promotion,
    const struct release *release, char out[LIMIT_LINE])
{
	const struct environment_settings *from =
	    settings_environment(tx->settings, promotion->from);
	char name[SETTING_NAME_MAX];

	if (from == to)
		return "its source is this environment itself";
	if (from == NULL)
		return "its source is no longer in the settings";
	if (!settings_promotes(tx->settings, to->name, promotion->from)) {
		(void)snprintf(out, LIMIT_LINE, "%s does not name its source",
		    name_setting("<ENV>_PROMOTE_FROM", to->name, name));
		return out;
	}
	if (find_no_image(release) != NULL)
		return find_no_image(release);
	return find_too_early(tx, to, release, out);
}

/* --- to its own hosts that do not run it --- */

/* Why that release, which is live there, is brought to no host of it; NULL: it can be. */
static const char *
find_own_fault(struct tx *tx, const struct environment *there, int64_t release)
{
	CLEANUP(freep) struct host_past *behind = NULL;
	const struct release *live = &there->current;

	if (live->id == 0)
		return "nothing is live there, so all hosts are deployed to";
	if (environment_is_in_doubt(there))
		return "what is live there is not known, or is down: deploy a release to all of its hosts";
	if (live->id != release)
		return "another release is live there now: ask again";
	if (!commit_is_git(live->source, live->commit))
		return "what is live there is an archive: send it again, to all of its hosts";
	behind = mem_new(HOST_LINES_MAX, sizeof(*behind));
	return row_host_list_behind(tx, there->name, live->commit, behind) == 0 ?
	    "each host that is known runs what is live: none has failed" :
	    NULL;
}

static bool
find_own(struct tx *tx, const struct update *update, const struct environment_settings *to,
    struct promotion *ret)
{
	struct deployment active;
	struct environment there;
	const char *fault;

	row_environment_get(tx, to->name, &there);
	text_set(ret->from, to->name);
	ret->release = ret->seen = there.current.id;
	ret->since = there.current.at;
	text_set(ret->image, there.current.image);
	fault = row_deployment_active(tx, to->name, &active)->waves > 0 ?
	    "a release is being brought to its hosts: ask again when that is over" :
	    find_own_fault(tx, &there, ret->release);
	if (fault != NULL)
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_NOT_DEPLOYED, to->name, ": %s", fault);
	return fault == NULL;
}

/* A name without an application is of the target's own. */
static void
name_source(const struct environment_settings *to, const char *said, char ret[LIMIT_ENVIRONMENT])
{
	struct environment_id id = { .application = "" };
	char name[ENVIRONMENT_ID_MAX] = "";

	if (strchr(said, '/') == NULL && environment_name_is_valid(said) &&
	    environment_id_parse(to->name, &id))
		said = environment_id_text(id.application, said, name);
	if (!text_copy(ret, LIMIT_ENVIRONMENT, said))
		ret[0] = '\0';
}

/* What they may not see the status of is to them as what there is not. */
static bool
may_look(struct tx *tx, const struct update *update, const struct environment_settings *to,
    const char *from)
{
	bool is_there = settings_environment(tx->settings, from) != NULL;

	if (is_there && decide_is_allowed(tx, update->person, POLICY_STATUS, from))
		return true;
	if (is_there)
		decide_audit_denied(
		    tx, update, AUDIT_CODE_DENIED, "promote", from, "no grant status there");
	/* The log has the denial; an answer of its own would say that there is one. */
	tx->costs_nothing = true;
	tx->answer.status = decide_is_answered(update) ? 409 : tx->answer.status;
	(void)decide_send_firstf(tx, &update->address, FIRST_NOT_DEPLOYED, to->name,
	    ": you see no environment of the name behind \"from\". /status lists those that you see.");
	return false;
}

bool
decide_promotion_find(struct tx *tx, const struct update *update,
    const struct environment_settings *to, const struct request *request, struct promotion *ret)
{
	const char *said = request_text(request, "from"), *fault;
	struct environment there;
	char line[LIMIT_LINE];

	*ret = (struct promotion){ .from = "" };
	if (said[0] == '\0' && to->in_waves.is_set &&
	    strcmp(request_text(request, "ref"), PROMOTION_FAILED) == 0)
		return find_own(tx, update, to, ret);
	if (said[0] == '\0')
		return true;
	name_source(to, said, ret->from);
	if (!may_look(tx, update, to, ret->from))
		return false;
	row_environment_get(tx, ret->from, &there);
	ret->release = ret->seen = there.current.id;
	ret->since = there.current.at;
	text_set(ret->image, there.current.image);
	if (there.current.id != 0 && environment_is_in_doubt(&there))
		fault =
		    "what runs where it would come from is not known, or is down: /status says why";
	else
		fault = find_fault(tx, to, ret, &there.current, line);
	if (fault != NULL)
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_NOT_DEPLOYED, to->name, ": %s", fault);
	return fault == NULL;
}

const char *
decide_promotion_unfit(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE])
{
	const char *refusal = decide_refusal_of_work(tx, work, out);

	return refusal != NULL ? refusal : decide_promotion_refusal(tx, work, out);
}

bool
decide_promotion_is_possible(const struct deployment *work)
{
	/* What goes to some hosts of its own environment may have no image. */
	return work->program == PROGRAM_DEPLOY && deployment_is_by_request(work) &&
	    (work->image[0] != '\0' || strlen(work->ref) >= WHOLE_COMMIT) &&
	    (work->commit[0] == '\0' || strcmp(work->ref, work->commit) == 0);
}

struct promotion *
decide_promotion_of(struct tx *tx, const struct deployment *work, struct promotion *ret)
{
	*ret = (struct promotion){ .from = "" };
	if (decide_promotion_is_possible(work))
		(void)row_promotion_get(tx, work->id, ret);
	return ret;
}

struct release
decide_promotion_release(struct tx *tx, const struct promotion *promotion)
{
	return row_release_get(tx, promotion->release);
}

/* --- what is to be deployed, looked at again --- */

const char *
decide_promotion_alone(const struct environment_settings *to, char out[LIMIT_LINE])
{
	char name[SETTING_NAME_MAX];

	if (!to->promote_only)
		return NULL;
	(void)snprintf(out, LIMIT_LINE,
	    "only what is live elsewhere goes there (%s): /promote <from> %s",
	    name_setting("<ENV>_PROMOTE_ONLY", to->name, name), to->name);
	return out;
}

const char *
decide_promotion_refusal(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE])
{
	const struct environment_settings *to =
	    settings_environment(tx->settings, work->environment);
	struct promotion promotion;
	struct release release;
	struct block block;
	const char *fault;

	if (to == NULL || !deployment_brings_commit(work))
		return NULL;
	if (decide_promotion_of(tx, work, &promotion)->from[0] == '\0')
		return deployment_is_emergency(work) ? NULL : decide_promotion_alone(to, out);
	if (promotion_is_own(&promotion, work->environment))
		return find_own_fault(tx,
		    row_environment_get(tx, work->environment, &(struct environment){ 0 }),
		    promotion.release);
	if (!decide_is_allowed(tx, work->requested_by, POLICY_STATUS, promotion.from))
		return "who asked for it may not see the status of its source any more";
	release = decide_promotion_release(tx, &promotion);
	fault = find_fault(tx, to, &promotion, &release, out);
	if (fault == NULL && row_block_find(tx, promotion.from, work->commit, &block) &&
	    block.at >= work->requested_at)
		fault = "its source has blocked that commit since";
	return fault != NULL ? fault : find_made_otherwise(tx, work, &promotion, &release, out);
}

void
decide_promotion_shown(struct tx *tx, const struct deployment *work)
{
	struct promotion promotion;
	struct environment there;

	if (decide_promotion_of(tx, work, &promotion)->from[0] == '\0')
		return;
	row_environment_get(tx, promotion.from, &there);
	if (there.current.id != promotion.seen)
		row_promotion_see(tx, work->id, there.current.id);
}

const char *
decide_promotion_changed(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE])
{
	struct promotion promotion;
	struct environment there;

	if (decide_promotion_of(tx, work, &promotion)->from[0] == '\0')
		return NULL;
	out[0] = '\0';
	row_environment_get(tx, promotion.from, &there);
	if (there.current.id != promotion.seen)
		(void)snprintf(out, LIMIT_LINE, "its source runs %s now",
		    there.current.id != 0 ? commit_name_here(COMMIT_OF(&there.current)) :
					    "nothing");
	return out;
}

bool
decide_promotion_is_seen(struct tx *tx, int64_t person, const struct promotion *promotion)
{
	return promotion->from[0] != '\0' &&
	    (person == 0 || decide_sees(tx, person, promotion->from));
}
