/* vault_life.c - a token is renewed, replaced, or looked at.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_life.h"

#define PAUSE_S	     5 /* behind a failure, and twice as long behind the next */
#define PAUSE_MOST_S 60
#define LEAST_MS     1000 /* a token of a second's life is no reason to ask all the time */

const char *
vault_step_path(enum vault_step step)
{
	static const char *const paths[] = {
		[VAULT_LOG_IN] = "auth/approle/login",
		[VAULT_LOOK_UP] = "auth/token/lookup-self",
		[VAULT_RENEW] = "auth/token/renew-self",
	};

	return paths[step];
}

void
vault_life_forget(struct vault_life *life)
{
	*life = (struct vault_life){ .is_by_role = life->is_by_role, .pause_s = life->pause_s };
}

static bool
can_renew(const struct vault_life *life)
{
	return life->is_renewable && !life->is_spent;
}

enum vault_step
vault_life_next(const struct vault_life *life, int64_t now)
{
	bool has_ended = life->ends_at != 0 && now >= life->ends_at;

	if (life->is_by_role && (!life->has_token || has_ended))
		return VAULT_LOG_IN;
	if (!life->has_token || life->ends_at == 0 || now < life->renew_at)
		return VAULT_LOOK_UP;
	if (can_renew(life))
		return VAULT_RENEW;
	return life->is_by_role ? VAULT_LOG_IN : VAULT_LOOK_UP;
}

void
vault_life_take(
    struct vault_life *life, enum vault_step step, const struct vault_token *token, int64_t now)
{
	int64_t ttl_ms = token->ttl_s * 1000, renew_at = ttl_ms == 0 ? 0 : now + ttl_ms / 3 * 2;

	if (step == VAULT_LOG_IN)
		vault_life_forget(life);
	/* A look finds less of it each time: two thirds are counted from its first moment. */
	if (step != VAULT_LOOK_UP || life->renew_at == 0 || renew_at < life->renew_at)
		life->renew_at = renew_at;
	/* Near the longest life that Vault allows a renewal gives less and less. */
	life->is_spent |= step == VAULT_RENEW && ttl_ms != 0 && ttl_ms * 2 < life->longest_ms;
	life->longest_ms = ttl_ms > life->longest_ms ? ttl_ms : life->longest_ms;
	life->ends_at = ttl_ms == 0 ? 0 : now + ttl_ms;
	life->is_renewable = token->is_renewable;
	life->has_token = true;
	life->is_confirmed |= step != VAULT_LOG_IN;
	if (step != VAULT_LOG_IN)
		life->pause_s = 0;
}

bool
vault_life_refuse(struct vault_life *life, enum vault_step step, enum vault_step *ret_next)
{
	switch (step) {
	case VAULT_LOG_IN:
		return false;
	case VAULT_RENEW:
		life->is_spent = true;
		*ret_next = life->is_by_role ? VAULT_LOG_IN : VAULT_LOOK_UP;
		return true;
	case VAULT_LOOK_UP:
		/* One that just came is no worse than the next would be: its policy lacks the look,
		 * and a login each minute would not help. */
		if (life->is_by_role && !life->is_confirmed)
			return false;
		vault_life_forget(life);
		*ret_next = VAULT_LOG_IN;
		return life->is_by_role;
	}
	return false;
}

void
vault_life_fail(struct vault_life *life, int64_t retry_after_s)
{
	life->pause_s = life->pause_s == 0 ? PAUSE_S : life->pause_s * 2;
	if (life->pause_s > PAUSE_MOST_S)
		life->pause_s = PAUSE_MOST_S;
	if (retry_after_s > life->pause_s)
		life->pause_s = retry_after_s;
}

int64_t
vault_life_wait_ms(const struct vault_life *life, int64_t now)
{
	int64_t wait_ms = VAULT_LIFE_LOOK_MS, left_ms = life->renew_at - now;

	if (life->pause_s > 0)
		return life->pause_s * 1000;
	if (life->ends_at != 0 && (life->is_by_role || can_renew(life)) && left_ms < wait_ms)
		wait_ms = left_ms > LEAST_MS ? left_ms : LEAST_MS;
	return wait_ms;
}

bool
vault_life_is_ending(const struct vault_life *life)
{
	return life->has_token && life->ends_at != 0 && !life->is_by_role && !can_renew(life);
}
