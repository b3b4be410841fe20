/* rate_note.c - counts what may happen often and tells of it at most once a period.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/rate_note.h"

int64_t
rate_note_add(struct rate_note *note, int64_t period_ms, int64_t now)
{
	if (note->count < INT64_MAX)
		note->count++;
	return rate_note_due(note, period_ms, now);
}

int64_t
rate_note_due(struct rate_note *note, int64_t period_ms, int64_t now)
{
	int64_t count = note->count;

	/* A clock that jumped back must not silence it for longer than a period. */
	if (note->next_at - now > period_ms)
		note->next_at = now + period_ms;
	if (count == 0 || now < note->next_at)
		return 0;
	note->count = 0;
	note->next_at = now + period_ms;
	return count;
}

int64_t
rate_note_wait_ms(const struct rate_note *note, int64_t now)
{
	if (note->count == 0)
		return -1;
	return note->next_at > now ? note->next_at - now : 0;
}

void
rate_note_put_back(struct rate_note *note, int64_t count)
{
	note->count = note->count > INT64_MAX - count ? INT64_MAX : note->count + count;
}
