/* cli_notify.c - `deploybot notify test NAME`: one message to a destination, and what it says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "clients/notify_client.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/text.h"
#include "types/settings.h"

struct asking {
	struct loop *loop;
	struct notify_said said;
};

static void
on_done(void *ctx, const struct notify_said *said)
{
	struct asking *asking = ctx;

	asking->said = *said;
	loop_stop(asking->loop);
}

static bool
ask(const struct notify *to, struct notify_said *ret, struct err *err)
{
	struct asking asking = { .loop = loop_new(err) };
	struct notify_clients *clients =
	    asking.loop == NULL ? NULL : notify_clients_new(asking.loop, err);
	struct notify_call *call = NULL;
	uint8_t drawn[(NOTIFY_ID - 1) / 2];
	char key[NOTIFY_ID];

	if (clients != NULL && crypto_random(drawn, sizeof(drawn), err)) {
		text_hex(key, drawn, sizeof(drawn));
		call = notify_start(clients,
		    &(struct notify_request){ .to = to,
			.word = notify_word_text(NOTIFY_TEST),
			.key = key,
			.text = "deploybot: a test message, nothing was deployed",
			.data = "{}",
			.at = clock_wall_ms(),
			.on_done = on_done,
			.ctx = &asking },
		    err);
	}
	if (call != NULL)
		loop_run(asking.loop);
	notify_clients_free(clients);
	loop_free(asking.loop);
	*ret = asking.said;
	return call != NULL;
}

int
cli_notify_test(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct notify_said said;
	struct notify to;
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	if (!notify_find(s, cli->argv[0], &to)) {
		(void)fprintf(stderr,
		    "error: no NOTIFY_<NAME>_TO is of \"%s\" (status-page is NOTIFY_STATUS_PAGE_TO); there are:",
		    cli->argv[0]);
		for (size_t at = 0; notify_next(s, &at, &to);)
			(void)fprintf(stderr, " %s", to.id);
		(void)fprintf(stderr, "\n");
		return EX_USAGE;
	}
	if (!ask(&to, &said, &err))
		return cli_fail(&err);
	if (said.verdict != NOTIFY_SENT) {
		(void)fprintf(stderr, "error: %s: %s\n", to.id, said.why);
		return EX_UNAVAILABLE;
	}
	(void)printf("%d in %" PRId64 " ms\n", said.status, said.took_ms);
	return EX_OK;
}
