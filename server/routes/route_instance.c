/* route_instance.c - GET where Telegram delivers: which running server a name leads to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_instance.h"

#include "lib/crypto.h"
#include "lib/text.h"
#include "telegram/telegram_webhook.h"

bool
route_instance_draw(struct route_instance *instance, struct err *err)
{
	uint8_t drawn[(ROUTE_INSTANCE_SIZE - 1) / 2];

	if (!crypto_random(drawn, sizeof(drawn), err))
		return false;
	text_hex(instance->id, drawn, sizeof(drawn));
	return true;
}

static void
on_request(struct http_request *request, void *ctx)
{
	static const struct http_header post[] = { { "Allow", "POST" }, { NULL, NULL } };
	const struct route_instance *instance = ctx;
	char line[ROUTE_INSTANCE_SIZE + sizeof("deploybot \n")];

	if (http_request_header(request, ROUTE_INSTANCE_HEADER) == NULL) {
		http_request_answer(request, 405, post, NULL, 0);
		return;
	}
	text_setf(line, "deploybot %s\n", instance->id);
	http_request_answer_text(request, 200, "text/plain; charset=utf-8", NULL, line);
}

struct http_route
route_instance(struct route_instance *instance)
{
	return (struct http_route){
		.methods = "GET",
		.path = TELEGRAM_WEBHOOK_PATH,
		.on_request = on_request,
		.ctx = instance,
	};
}
