/* http_budget.c - arithmetic and a waiting line.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_budget.h"

void
http_budget_init(struct http_budget *budget, size_t max)
{
	*budget = (struct http_budget){ .max = max };
	TAILQ_INIT(&budget->waiting);
}

static bool
take_if_it_fits(struct http_budget *budget, struct http_budget_claim *claim)
{
	if (claim->size > budget->max - budget->used)
		return false;
	budget->used += claim->size;
	claim->state = HTTP_BUDGET_HELD;
	return true;
}

bool
http_budget_ask(struct http_budget *budget, struct http_budget_claim *claim, size_t size)
{
	assert(claim->state == HTTP_BUDGET_IDLE);
	claim->size = size;
	if (take_if_it_fits(budget, claim))
		return true;
	claim->state = HTTP_BUDGET_WAITING;
	TAILQ_INSERT_TAIL(&budget->waiting, claim, in_line);
	return false;
}

void
http_budget_release(struct http_budget *budget, struct http_budget_claim *claim)
{
	if (claim->state == HTTP_BUDGET_HELD) {
		assert(budget->used >= claim->size);
		budget->used -= claim->size;
	} else if (claim->state == HTTP_BUDGET_WAITING) {
		TAILQ_REMOVE(&budget->waiting, claim, in_line);
	}
	claim->state = HTTP_BUDGET_IDLE;
}

struct http_budget_claim *
http_budget_next(struct http_budget *budget)
{
	struct http_budget_claim *claim = TAILQ_FIRST(&budget->waiting);

	while (claim != NULL && !take_if_it_fits(budget, claim))
		claim = TAILQ_NEXT(claim, in_line);
	if (claim != NULL)
		TAILQ_REMOVE(&budget->waiting, claim, in_line);
	return claim;
}
