/* metric_set.h - every metric that we publish, fed with what happened.  Serves nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/crossing.h"

struct buf;
struct metric_set;
struct state_facts;

enum metric_id {
#define METRIC(name, kind, id, ...) METRIC_##id,
#include "routes/metric_set.def"
	METRIC_COUNT,
};

/* Each environment has all its series up to so many.  With more, so that a page of 2,000 stays
 * below 3 MB, its first work brings how runs end by that trigger, other outcomes come with the
 * first of their kind, at zero, and are counted once they were written so; durations are of the
 * METRIC_HISTOGRAMS_MAX environments whose deployments ended first since the start; those of all
 * others together. */
#define METRIC_SET_ENVIRONMENTS 128

struct metric_set *metric_set_new(void) MUST_USE;
void metric_set_free(struct metric_set *set); /* takes NULL */

/* A gauge without labels that nothing else here feeds; its row's help says what it means. */
void metric_set_value(struct metric_set *set, enum metric_id id, double value);
/* Forgets all its series. */
void metric_set_forget(struct metric_set *set, enum metric_id id);

/* Series whose labels are known from the settings are there from the start, at zero, and there may
 * be as many as the settings need; what is counted of an environment comes with its first work, by
 * metric_set_gauges().  A counter's other series are written once at zero before what made them is
 * added.  At start, and after a reload. */
void metric_set_settings(struct metric_set *set, const struct settings *settings);
void metric_set_expect_command(struct metric_set *set, const char *word);

/* OUTCOME_METRIC and OUTCOME_GAUGES, as they come from the store. */
void metric_set_count(struct metric_set *set, const struct metric_increment *increment);
void metric_set_gauges(
    struct metric_set *set, const struct gauges *gauges, const struct settings *settings);

/* A webhook request was answered; source: "telegram" or "github".  application: of its own
 * webhook; "": of everybody's. */
void
metric_set_webhook(struct metric_set *set, const char *application, const char *source, int status);

/* A call of the Bot API ended; status 0: there was no answer. */
void metric_set_telegram(struct metric_set *set, const char *method, int status);

/* How far our clock is before Telegram's; not known: its last answer is too old. */
void metric_set_clock(struct metric_set *set, bool is_known, int64_t ahead_s);

void metric_set_health(struct metric_set *set, const char *environment, bool is_up);
/* Of one of its URLs, counted from 0; shown is what stands before its query. */
void metric_set_health_url(
    struct metric_set *set, const char *environment, size_t i, const char *url, bool is_up);
/* Forgets an environment that has no health URL any more. */
void metric_set_health_forget(struct metric_set *set, const char *environment);

/* The certificate was looked at; not read: what was read last stays. */
void metric_set_tls(struct metric_set *set, bool is_read, int64_t expires_at_s);

/* The disk of STATE_DIRECTORY, the newest backup and check. */
void metric_set_state(struct metric_set *set, const struct state_facts *facts);


/* Appends the whole text. */
void metric_set_write(const struct metric_set *set, struct buf *out);
