/* cli_webhook.c - `deploybot webhook set|info|delete`: one call, what came of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_webhook.h"
#include "types/settings.h"

struct order {
	struct loop *loop;
	bool ok;
};

static void
on_done(void *ctx, bool ok, const char *text)
{
	struct order *order = ctx;
	size_t size = strlen(text);

	order->ok = ok;
	(void)fprintf(
	    ok ? stdout : stderr, "%s%s", text, size > 0 && text[size - 1] == '\n' ? "" : "\n");
	loop_stop(order->loop);
}

static bool
take_command(const struct cli *cli, enum telegram_webhook_command *ret)
{
	static const char *const words[] = {
		[TELEGRAM_WEBHOOK_SET] = "set",
		[TELEGRAM_WEBHOOK_INFO] = "info",
		[TELEGRAM_WEBHOOK_DELETE] = "delete",
	};

	size_t i = cli->argc == 1 ? text_index(cli->argv[0], words, COUNT(words)) : COUNT(words);

	*ret = (enum telegram_webhook_command)i;
	return i < COUNT(words);
}

static bool
carry_out(struct order *order, const struct settings *s, enum telegram_webhook_command command,
    struct err *err)
{
	struct telegram_api *api = telegram_api_new(order->loop, s, NULL, NULL, err);
	bool started = api != NULL &&
	    telegram_webhook_order(order->loop, api, s, command, on_done, order, err);

	if (started)
		loop_run(order->loop);
	telegram_api_free(api);
	return started;
}

int
cli_webhook(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	enum telegram_webhook_command command;
	struct order order = { 0 };
	struct err err;

	if (!take_command(cli, &command)) {
		(void)fprintf(stderr, "Usage: %s webhook set|info|delete\n", cli->program);
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	order.loop = loop_new(&err);
	if (order.loop == NULL || !carry_out(&order, s, command, &err))
		(void)fprintf(stderr, "error: %s\n", err.text);
	loop_free(order.loop);
	return order.ok ? EX_OK : 1;
}
