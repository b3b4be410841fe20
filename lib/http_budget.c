/* http_budget.c - arithmetic and a waiting line.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_budget.h"

void
http_budget_init(struct http_budget *budget, size_t max)
{
	*budget = (struct http_budget){ .max = max };
	budget->end = &budget->first;
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

static void
unlink_at(struct http_budget *budget, struct http_budget_claim **link)
{
	struct http_budget_claim *claim = *link;

	*link = claim->next;
	if (budget->end == &claim->next)
		budget->end = link;
	claim->next = NULL;
}

bool
http_budget_ask(struct http_budget *budget, struct http_budget_claim *claim, size_t size)
{
	assert(claim->state == HTTP_BUDGET_IDLE);
	claim->size = size;
	claim->next = NULL;
	if (take_if_it_fits(budget, claim))
		return true;
	claim->state = HTTP_BUDGET_WAITING;
	*budget->end = claim;
	budget->end = &claim->next;
	return false;
}

void
http_budget_release(struct http_budget *budget, struct http_budget_claim *claim)
{
	struct http_budget_claim **link = &budget->first;

	if (claim->state == HTTP_BUDGET_HELD) {
		assert(budget->used >= claim->size);
		budget->used -= claim->size;
	} else if (claim->state == HTTP_BUDGET_WAITING) {
		while (*link != claim)
			link = &(*link)->next;
		unlink_at(budget, link);
	}
	claim->state = HTTP_BUDGET_IDLE;
}

struct http_budget_claim *
http_budget_next(struct http_budget *budget)
{
	struct http_budget_claim **link = &budget->first;

	for (; *link != NULL; link = &(*link)->next) {
		struct http_budget_claim *claim = *link;

		if (take_if_it_fits(budget, claim)) {
			unlink_at(budget, link);
			return claim;
		}
	}
	return NULL;
}
