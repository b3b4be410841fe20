/* decide_question_same.c - which open question asks what somebody else wants to ask about.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_question_same.h"

#include "decide/work/decide_promotion.h"
#include "lib/text.h"
#include "store/row_deployment.h"

static bool
is_same(const struct deployment *request, const struct promotion *brings,
    const struct deployment *question, const struct promotion *asked)
{
	if (strcmp(brings->from, asked->from) != 0 || strcmp(brings->image, asked->image) != 0)
		return false;
	return request->program != PROGRAM_ROLLBACK ||
	    (request->to_release == question->to_release &&
		request->is_past_barrier == question->is_past_barrier &&
		strcmp(request->without, question->without) == 0);
}

static struct deployment *
find(struct tx *tx, const struct deployment *request, const struct promotion *brings,
    struct deployment *ret)
{
	struct promotion asked;

	row_deployment_next_question(tx, request->program, request, 0, ret);
	while (ret->id != 0 && !tx->failed &&
	    !is_same(request, brings, ret, decide_promotion_of(tx, ret, &asked)))
		row_deployment_next_question(tx, request->program, request, ret->id, ret);
	return ret;
}

struct deployment *
decide_question_same(struct tx *tx, const struct deployment *request, struct deployment *ret)
{
	struct promotion brings;

	return find(tx, request, decide_promotion_of(tx, request, &brings), ret);
}

struct deployment *
decide_question_same_push(
    struct tx *tx, const char *environment, const char *commit, struct deployment *ret)
{
	static const struct promotion none;
	struct deployment push = { .program = PROGRAM_DEPLOY };

	text_set(push.environment, environment);
	text_set(push.commit, commit);
	return find(tx, &push, &none, ret);
}
