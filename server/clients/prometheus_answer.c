/* prometheus_answer.c - what an answer of Prometheus's means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/prometheus_answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/text.h"

#define OLDEST_MS    INT64_C(300000) /* a sample of another moment is none of this one */
#define LABELS_SHOWN 60		     /* bytes of one series */
#define LABELS_MAX   8192
#define SAID_SHOWN   150

/* --- an answer of Prometheus's --- */

static void
say_error(const struct prometheus_answer *answer, const struct json *root, char why[LIMIT_LINE])
{
	char said[LIMIT_LINE];
	const char *error = json_text(root, "error");

	(void)clean_line(said, sizeof(said), error, strlen(error));
	said[text_cut(said, strlen(said), SAID_SHOWN)] = '\0';
	(void)snprintf(
	    why, LIMIT_LINE, "HTTP %d%s%.200s", answer->status, said[0] != '\0' ? ": " : "", said);
}

static bool
has_warnings(const struct json *root, char why[LIMIT_LINE])
{
	const char *text = json_str(json_at(json_get(root, "warnings"), 0));
	char said[LIMIT_LINE];

	if (json_count(json_get(root, "warnings")) == 0)
		return false;
	(void)clean_line(
	    said, sizeof(said), text != NULL ? text : "", text != NULL ? strlen(text) : 0);
	said[text_cut(said, strlen(said), SAID_SHOWN)] = '\0';
	(void)snprintf(why, LIMIT_LINE, "Prometheus warns: %.200s", said);
	return true;
}

/* The data of one that succeeded without warnings; NULL: why says what it is instead.  The caller
 * frees *ret_root. */
static const struct json *
read_data(const struct prometheus_answer *answer, struct json **ret_root, char why[LIMIT_LINE])
{
	*ret_root = NULL;
	if (answer->status == 0) {
		(void)clean_line(why, LIMIT_LINE, answer->body, answer->size);
		return NULL;
	}
	*ret_root = json_decode(answer->body, answer->size, NULL);
	if (answer->status != 200 || json_has(*ret_root, "status", "error")) {
		say_error(answer, *ret_root, why);
		return NULL;
	}
	if (!json_has(*ret_root, "status", "success") ||
	    !json_holds_array(json_get(json_get(*ret_root, "data"), "result"))) {
		(void)text_copy(why, LIMIT_LINE, "its answer is no JSON of Prometheus's");
		return NULL;
	}
	return has_warnings(*ret_root, why) ? NULL : json_get(*ret_root, "data");
}

/* --- samples --- */

/* [1435781451.781, "0.2"] of about that moment.  False: why says what is wrong with it. */
static bool
read_sample(const struct json *pair, int64_t asked_at, double *ret, char why[LIMIT_LINE])
{
	CLEANUP(buf_done) struct buf time = buf_make(64);
	const char *text = json_str(json_at(pair, 1));
	double at;
	char *end;

	if (json_count(pair) != 2 || text == NULL) {
		(void)text_copy(why, LIMIT_LINE, "a series of its answer has no number");
		return false;
	}
	json_encode(json_at(pair, 0), &time);
	at = strtod(buf_text(&time), &end);
	if (end == buf_text(&time) || *end != '\0' ||
	    !(fabs(at * 1000 - (double)asked_at) <= (double)OLDEST_MS)) {
		(void)text_copy(why, LIMIT_LINE, "a sample of its answer is not of the last 5 min");
		return false;
	}
	*ret = strtod(text, &end);
	if (end == text || *end != '\0' || isnan(*ret)) {
		(void)text_copy(why, LIMIT_LINE, "a value of its answer is no number (NaN)");
		return false;
	}
	return true;
}

/* One look at all that the answer has. */
struct samples {
	const struct promql *query;   /* NULL: any value is one */
	struct bake_finding *finding; /* the same */
	size_t n, n_firing;
	double worst;
};

static bool
is_worse(const struct promql *query, double value, double than)
{
	return query->comparison[0] == '<' ? value < than : value > than;
}

/* "{instance="web1",job="shop"}", cut; ten of them at most. */
static void
name_series(struct samples *samples, const struct json *metric)
{
	CLEANUP(buf_done) struct buf labels = buf_make(LABELS_MAX);
	char *series = samples->finding->series, line[LIMIT_LINE];
	size_t used = strlen(series);

	if (samples->n_firing > BAKE_SERIES || json_count(metric) == 0)
		return;
	json_encode(metric, &labels);
	(void)clean_line(line, sizeof(line), buf_text(&labels), strlen(buf_text(&labels)));
	line[text_cut(line, strlen(line), LABELS_SHOWN)] = '\0';
	if (used + strlen(line) + 3 < LIMIT_LINE)
		(void)snprintf(series + used, LIMIT_LINE - used, "%s%.80s", used > 0 ? ", " : "",
		    line); /* it fits */
}

static bool
take_sample(struct samples *samples, const struct json *metric, const struct json *pair,
    int64_t asked_at, char why[LIMIT_LINE])
{
	double value;

	if (!read_sample(pair, asked_at, &value, why))
		return false;
	samples->n++;
	if (samples->query == NULL)
		return true;
	if (samples->n == 1 || is_worse(samples->query, value, samples->worst))
		samples->worst = value;
	if (promql_is_true(samples->query, value)) {
		samples->n_firing++;
		name_series(samples, metric);
	}
	return true;
}

/* False: something of it is not known; what is, is in *samples all the same. */
static bool
take_all(const struct prometheus_answer *answer, struct samples *samples, char why[LIMIT_LINE])
{
	CLEANUP(json_freep) struct json *root = NULL;
	const struct json *data, *result;
	bool is_known = true;

	why[0] = '\0';
	data = read_data(answer, &root, why);
	result = json_get(data, "result");
	if (data == NULL)
		return false;
	if (json_has(data, "resultType", "scalar"))
		return take_sample(samples, NULL, result, answer->asked_at, why);
	if (!json_has(data, "resultType", "vector")) {
		(void)text_copy(why, LIMIT_LINE,
		    "its answer is of no single moment: an instant vector or a scalar is expected");
		return false;
	}
	for (size_t i = 0; i < json_count(result); i++)
		is_known &= take_sample(samples, json_get(json_at(result, i), "metric"),
		    json_get(json_at(result, i), "value"), answer->asked_at, why);
	return is_known;
}

/* --- what they mean --- */

void
prometheus_judge(const struct prometheus_answer *answer, const struct promql *query,
    struct bake_finding *ret, char why[LIMIT_LINE])
{
	struct samples samples = { .query = query, .finding = ret };
	bool is_known;
	char value[PROMQL_VALUE];

	*ret = (struct bake_finding){ .verdict = BAKE_UNKNOWN };
	text_set(ret->name, query->name);
	text_setf(ret->limit, "%s %s", query->comparison, promql_value(query, query->limit, value));
	is_known = take_all(answer, &samples, why);
	if (samples.n > 0)
		(void)promql_value(query, samples.worst, ret->value);
	if (samples.n_firing > 0)
		ret->verdict = BAKE_FIRES;
	else if (is_known)
		ret->verdict = BAKE_HEALTHY;
}

bool
prometheus_is_present(const struct prometheus_answer *answer, char why[LIMIT_LINE])
{
	struct samples samples = { .query = NULL };
	bool is_known = take_all(answer, &samples, why);

	if (is_known && samples.n == 0)
		(void)text_copy(why, LIMIT_LINE, "<ENV>_BAKE_PRESENT has no value");
	return is_known && samples.n > 0;
}
