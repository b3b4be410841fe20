/* route_console.c - the page /console/, out of the program, with the headers of its safety.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_console.h"

#include "lib/crypto.h"
#include "lib/embed.h"
#include "lib/text.h"

EMBED_HERE(console_html, CONSOLE_FOLDER "/index.html.gz");
EMBED_HERE(console_css, CONSOLE_FOLDER "/console.css.gz");
EMBED_HERE(console_js, CONSOLE_FOLDER "/console.js.gz");
EMBED_HERE(console_icon, CONSOLE_FOLDER "/icon.svg.gz");
extern const char console_html[], console_html_end[];
extern const char console_css[], console_css_end[];
extern const char console_js[], console_js_end[];
extern const char console_icon[], console_icon_end[];

/* In the order of struct route_console. */
static const struct {
	const char *name; /* behind ROUTE_CONSOLE_PATH */
	const char *type;
	const char *data, *end;
} rows[] = {
	{ "", "text/html; charset=utf-8", console_html, console_html_end },
	{ "console.css", "text/css; charset=utf-8", console_css, console_css_end },
	{ "console.js", "text/javascript; charset=utf-8", console_js, console_js_end },
	{ "icon.svg", "image/svg+xml", console_icon, console_icon_end },
};
_Static_assert(COUNT(rows) == COUNT(((struct route_console *)NULL)->tags), "one tag each");

/* Telegram's web client shows the page in a frame; nobody else may.  Nothing of another host is
 * loaded, and no text ever becomes code. */
#define POLICY \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors https://web.telegram.org https://*.web.telegram.org; require-trusted-types-for 'script'"

bool
route_console_init(struct route_console *console, struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char text[ROUTE_CONSOLE_TAG - 2];

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!crypto_sha256(rows[i].data, (size_t)(rows[i].end - rows[i].data), hash, err))
			return false;
		text_hex(text, hash, sizeof(text) / 2);
		text_setf(console->tags[i], "\"%s\"", text);
	}
	return true;
}

static void
answer(struct http_request *request, size_t row, const char *tag)
{
	const char *known = http_request_header(request, "If-None-Match");
	bool is_known = known != NULL && strstr(known, tag) != NULL;
	const struct http_header headers[] = {
		{ "Content-Type", rows[row].type },
		{ "Content-Encoding", "gzip" },
		{ "Vary", "Accept-Encoding" },
		{ "ETag", tag },
		{ "Cache-Control", "no-cache" },
		{ "Content-Security-Policy", POLICY },
		{ "Strict-Transport-Security", "max-age=31536000" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ NULL, NULL },
	};

	if (is_known)
		http_request_answer(request, 304, headers, NULL, 0);
	else
		http_request_answer(request, 200, headers, rows[row].data,
		    (size_t)(rows[row].end - rows[row].data));
}

static void
on_request(struct http_request *request, void *ctx)
{
	const struct route_console *console = ctx;
	const char *name = http_request_path(request) + strlen(ROUTE_CONSOLE_PATH);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(name, rows[i].name) == 0) {
			answer(request, i, console->tags[i]);
			return;
		}
	http_request_answer(request, 404, NULL, NULL, 0);
}

struct http_route
route_console(struct route_console *console)
{
	return (struct http_route){
		.methods = "GET, HEAD",
		.path = ROUTE_CONSOLE_PATH,
		.on_request = on_request,
		.ctx = console,
	};
}
