/* serve_inside.h - every part of the running server, for serve.c and its neighbours alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "clients/loan_shelf.h"
#include "clients/uploads.h"
#include "clients/vault.h"
#include "effects/perform.h"
#include "effects/health_look.h"
#include "effects/log_look.h"
#include "effects/perform_health.h"
#include "effects/tls_watch.h"
#include "routes/state_watch.h"
#include "forges/forge_webhook.h"
#include "lib/http_client.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "routes/health_watch.h"
#include "routes/metric_set.h"
#include "routes/route_api.h"
#include "routes/route_hooks.h"
#include "routes/route_console.h"
#include "routes/route_instance.h"
#include "routes/route_job.h"
#include "routes/route_metrics.h"
#include "routes/route_watch.h"
#include "runs/agents.h"
#include "runs/run_source.h"
#include "runs/runs.h"
#include "serve.h"
#include "serve_sandbox.h"
#include "settings/sources/settings_watch.h"
#include "store/lease.h"
#include "store/store_thread.h"
#include "telegram/telegram.h"
#include "types/crossing.h"
#include "types/refusals.h"

#define SERVE_ROUTES_MAX (16 + ROUTE_API_ROUTES)
#define SERVE_LOGS_MAX	 8

struct serve_jobs {
	/* By their forges; NULL: no job of it has asked yet. */
	struct http_client *issuer[JOB_FORGES];
	struct jwks *keys[JOB_FORGES];
	struct route_job_config config;
};

struct serve_vault {
	struct vault *client;
	struct loan_shelf *loans; /* what was lent and not given yet */
};

struct serve_witness {
	struct http_client *s3;
	struct aws_credentials *aws;
};

/* In the order in which they are made; taken apart in the reverse order. */
/* Sockets that the service manager has given. */
struct serve_given {
	int fd;	      /* listened on instead of LISTEN_ADDRESS; -1: none */
	int local_fd; /* the same of LOCAL_SOCKET */
};

struct serve_runner {
	struct runner_child *child; /* NULL: RUNNER_SOCKET says where the runner is */
	int64_t away_ms; /* monotonic: since when it is disconnected; 0: it is not */
	bool is_gone;	 /* rows say so */
	struct agents *agents; /* of other machines; NULL: no LINK_ADDRESS */
	struct run_source *source; /* of logs */
	struct route_watch *waiting; /* requests to /v1 that follow those, or wait for news */
	char installation[LIMIT_INSTALLATION]; /* once the store is open */
	int64_t last_run; /* the number last given, as the store was opened */
};

/* Which of the servers of one database leads; all zero: with SQLite. */
struct serve_lead {
	struct lease *lease;
	struct loop_async changed; /* of a standby: what the lease's thread sees */
	bool is_over;		   /* of a standby: it was asked to end */
	struct http_route routes[5], local[3]; /* of a standby */
	struct route_metrics metrics;
	struct loop_timer watch;    /* ends one whose lease is over */
	int64_t leaves_at;	    /* monotonic ms: it listens no more; 0: it does not leave yet */
	struct queue_list held; /* outcomes, until the start or a lease lets them out */
};

struct serve {
	struct settings *settings; /* today's; one reference */
	struct serve_options options;
	int lock_fd;	    /* holds the state directory: a second one is refused */
	bool has_restore_mark; /* of `deploybot restore`, until a start on its copy is committed */
	struct serve_given given;
	struct redact *redact;
	struct loop *loop;
	struct serve_sandbox sandbox;
	struct serve_lead lead;
	struct runs *runs;
	struct serve_runner runner;
	struct store *store;	     /* until its thread has it */
	struct loop_async wake;
	struct crossing *crossing;
	struct refusals *refusals; /* who was not let in, and how often */
	struct metric_set *metrics;
	struct health_watch *watch;
	struct probe_clients probes;
	struct http_client *cloudflare;
	struct notify_clients *notify;
	struct http_client *opa;
	struct http_client *prometheus;
	struct forge_api *github;
	struct serve_vault vault;
	struct serve_jobs jobs; /* of workflows */
	struct serve_witness witness;
	struct uploads *uploads;
	struct telegram *telegram;
	struct forge_webhook *forges;
	struct route_hooks *hooks;
	struct route_metrics metrics_route;
	struct route_instance instance;
	struct route_console console; /* served where CONSOLE says so */
	struct http_route routes[SERVE_ROUTES_MAX];
	size_t n_routes;
	struct http_server *http;
	struct health_looks *looks;
	struct serve_log { /* a request over /v1 that waits for what an application logged */
		struct log_look *look; /* NULL: a free place */
		log_look_fn *on_done;
		void *ctx;
	} logs[SERVE_LOGS_MAX];
	struct route_api *api;
	struct route_api *network_api; /* NULL: ENABLE_API_SERVER is false */
	struct http_route api_routes[ROUTE_API_ROUTES + 2]; /* and those of serve_local.c */
	struct http_server *local_http; /* NULL: there is no LOCAL_SOCKET */
	struct perform perform;
	struct perform_health *health;
	struct tls_watch *tls;
	struct state_watch *state;
	struct store_thread *store_thread;

	struct loop_signal sigterm;
	struct loop_signal sigint;
	struct loop_signal sighup;
	struct loop_timer files_timer; /* looks whether a file with settings has changed */
	struct settings_watch watch_files;
	struct serve_heads *heads; /* the audit's are being compared; NULL: they are not */
	struct loop_timer secrets_timer; /* looks which secrets and keys are in force */
	bool is_refused;		 /* the last reload was refused */
	char refused_why[LIMIT_LINE];	 /* why it was, cut */
	bool asks_users;		 /* a thread does, and answers there */
	struct loop_io users_io;
	int64_t users_asked_at; /* monotonic ms; 0: never */
	/* Reads the settings, with what a directory elsewhere says of these. */
	void (*on_users)(struct serve *serve, const struct settings_user *users, size_t n);
	struct loop_timer alive_timer; /* heartbeat for the service manager */
	struct loop_timer stop_timer;  /* looks whether all has come to rest */
	int64_t stop_deadline;	       /* monotonic ms; 0: not stopping */
	int64_t callers_deadline;      /* the same, for whoever waits for an answer */
	int status;
};

static inline bool
serve_is_stopping(const struct serve *serve)
{
	return serve->stop_deadline != 0;
}

/* --- serve_local.c --- */

/* Who waits for what an application logged is answered that it is not read. */
void serve_local_stop(struct serve *serve);

/* Makes /v1 for tokens, where ENABLE_API_SERVER says so. */
void serve_network_api(struct serve *serve);

/* --- serve_crossing.c --- */

/* Stamps the event (time, random bytes, settings) and hands it to the store.  False: refused. */
bool serve_submit(void *ctx, struct event *event);

/* Performs, answers and counts what the store has decided; the list is empty then. */
void serve_take_outcomes(struct serve *serve, struct queue_list *list);

/* --- serve_stop.c --- */

void serve_stop_start(struct serve *serve); /* SIGTERM, SIGINT: no new work, then the end */
void serve_teardown(struct serve *serve);   /* after the loop; whatever was made is freed */

/* --- serve_local.c --- */

/* Listens on LOCAL_SOCKET where it can; where it cannot, that is a warning. */
void serve_local_start(struct serve *serve);

/* --- serve_manager.c --- */

/* The listening sockets of socket activation, of HTTP and of LOCAL_SOCKET; -1: none was given.
 * Before anything is forked. */
bool serve_manager_sockets(int *ret_fd, int *ret_local_fd, struct err *err) MUST_USE;

void serve_manager_ready(struct serve *serve); /* and from then on, that we live */
void serve_manager_stopping(void);
/* Why we do not start: what `systemctl status` shows also while it waits to try again. */
void serve_manager_refused(const char *why);

/* --- serve_reload.c --- */

void serve_reload_start(struct serve *serve); /* SIGHUP, and the files' changes */
void serve_reload_stop(struct serve *serve);

/* --- serve_secrets.c --- */

/* Has the store know which secrets are in force: at once, each hour, and when they may differ. */
void serve_secrets_start(struct serve *serve);
void serve_secrets_look(struct serve *serve);
void serve_secrets_stop(struct serve *serve);

/* --- serve_heads.c --- */

/* When the start was decided: has the audit each entry that other rows name? */
event_done serve_heads_start;
void serve_heads_stop(struct serve *serve);

/* --- serve_users.c --- */

/* Asks a directory elsewhere who LOCAL_<USER>_IS means, where the machine's file does not say; then
 * on_users().  is_paced: once a minute at most; never twice at a time. */
void serve_users_ask(struct serve *serve, bool is_paced);
void serve_users_stop(struct serve *serve);
