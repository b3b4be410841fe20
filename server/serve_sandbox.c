/* serve_sandbox.c - the server's own sandbox: where it may write, and what is said of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "serve_sandbox.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/text.h"
#include "runs/runner_child.h"
#include "runs/runner_link.h"
#include "serve_inside.h"

#define HOUR_MS 3600000

struct folders {
	size_t n;
	char path[4][PATH_MAX];
	const char *list[4];
};

static void
add(struct folders *folders, const char *path)
{
	char *to = folders->path[folders->n];

	(void)snprintf(to, PATH_MAX, "%s", path);
	for (size_t i = 0; i < folders->n; i++)
		if (strcmp(folders->list[i], to) == 0)
			return;
	folders->list[folders->n++] = to;
}

static void
add_folder_of(struct folders *folders, const char *file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", file);
	add(folders, dirname(path));
}

static void
find_folders(const struct serve *serve, struct folders *ret)
{
	const struct settings *s = serve->settings;
	const char *local = settings_local_socket(s);

	ret->n = 0;
	add(ret, s->state_directory);
	add_folder_of(ret, s->audit_log_path);
	if (local != NULL && serve->given.local_fd < 0)
		add_folder_of(ret, local);
	if (s->listen_address[0] == '/' && serve->given.fd < 0)
		add_folder_of(ret, s->listen_address);
}

static void
warn(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
	log_warning(
	    "SANDBOX=off: whoever runs code in this server can start programs and write wherever its user may; take that setting out");
}

static void
forget_settings(void *ctx)
{
	settings_unref(ctx);
}

bool
serve_sandbox_fork(struct serve *serve, struct err *err)
{
	const struct runner_link_config config = {
		.state_directory = serve->settings->state_directory,
		.env_file = serve->options.env_file,
		.settings = serve->settings,
	};

	if (serve->settings->runner_socket != NULL)
		return true;
	serve->runner.child = runner_child_new(&config, forget_settings, serve->settings, err);
	return serve->runner.child != NULL;
}

bool
serve_sandbox_enter(struct serve *serve, struct err *err)
{
	struct serve_sandbox *sandbox = &serve->sandbox;
	struct folders folders;
	int landlock = 0;
	struct err why;

	if (!serve->settings->sandbox) {
		text_set(sandbox->said, "off");
		loop_timer_init(&sandbox->warning, warn, NULL);
		loop_timer_start(serve->loop, &sandbox->warning, 0, HOUR_MS);
		return true;
	}
	find_folders(serve, &folders);
	if (!sandbox_enter(folders.list, folders.n, &landlock, &why))
		return err_set(err, ERR_CONFIG,
		    "cannot load the sandbox: %s; SANDBOX=off starts without it", why.text);
	if (landlock == 0) {
		text_set(sandbox->said, "seccomp: on; no Landlock in this kernel");
		log_warning(
		    "this kernel has no Landlock: this server may write wherever its user may; Linux 5.13 has it");
		return true;
	}
	text_setf(sandbox->said, "seccomp: on; Landlock ABI %d: writes below %zu folders", landlock,
	    folders.n);
	return true;
}

void
serve_sandbox_stop(struct serve *serve)
{
	loop_timer_stop(&serve->sandbox.warning);
	runner_child_free(serve->runner.child);
}

/* To whoever reaches the socket, as `deploybot doctor` does: it needs no role. */
static void
on_alive(struct http_request *request, void *ctx)
{
	const struct serve *serve = ctx;
	CLEANUP(buf_done) struct buf body = buf_make(256);
	struct json_out out = json_out_begin(&body, '{');

	json_put_str(&out, "sandbox", serve->sandbox.said);
	json_out_end(&out);
	http_request_answer_text(request, 200, "application/json", NULL, buf_text(&body));
}

struct http_route
serve_sandbox_route(struct serve *serve)
{
	return (struct http_route){
		.methods = "GET", .path = "/healthz", .on_request = on_alive, .ctx = serve
	};
}
