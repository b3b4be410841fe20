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

static enum telegram_webhook_command
read_command(const char *word)
{
	static const char *const words[] = {
		[TELEGRAM_WEBHOOK_SET] = "set",
		[TELEGRAM_WEBHOOK_INFO] = "info",
		[TELEGRAM_WEBHOOK_DELETE] = "delete",
	};
	size_t i = text_index(word, words, COUNT(words));

	assert(i < COUNT(words)); /* cli.def has no others */
	return (enum telegram_webhook_command)i;
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
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	enum telegram_webhook_command command = read_command(cli->argv[0]);
	struct order order = { 0 };
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	order.loop = loop_new(&err);
	if (order.loop == NULL || !carry_out(&order, s, command, &err))
		(void)fprintf(stderr, "error: %s\n", err.text);
	loop_free(order.loop);
	return order.ok ? EX_OK : 1;
}
