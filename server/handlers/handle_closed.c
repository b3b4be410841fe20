/* handle_closed.c - results that do nothing but close their effect.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"

/* Only a run's exit record ends it: that its end was asked for decides nothing. */
void
handle_end_sent(struct tx *tx, const struct event *event)
{
	(void)tx;
	(void)event;
}

/* A toast that came too late is no failure. */
void
handle_toasted(struct tx *tx, const struct event *event)
{
	(void)tx;
	(void)event;
}

/* A log that could not be sent was said so by its performer's log line; the button stays. */
void
handle_documented(struct tx *tx, const struct event *event)
{
	(void)tx;
	(void)event;
}

void
handle_forgotten(struct tx *tx, const struct event *event)
{
	(void)tx;
	(void)event;
}
