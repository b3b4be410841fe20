/* cli_follow.c - follows work: its output as it comes, its questions, how far it is, how it ended.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/text.h"
#include "types/limits.h"

#define LOOK_EVERY_MS 400
/* Of 7 s each, in which nothing was new: then it is looked at all the same. */
#define WAITS_MAX 3
/* A server that is restarted is waited for: the work goes on. */
#define AWAY_MS	  (180 * INT64_C(1000))
#define BAR_CELLS 24

struct follow {
	const struct cli_server *local;
	int64_t work;
	int64_t run;	/* whose output is shown; 0: none yet */
	int64_t offset; /* of its log, that is shown */
	bool has_run_ended;
	char environment[96];
	int64_t away_since;
	bool is_terminal;    /* somebody is there to answer, and to look at a bar */
	bool has_bar;	     /* the line on the screen is one */
	bool is_prompted;    /* for the question that is open */
	char shown[64];	     /* which one that is */
	bool has_left;	     /* Ctrl-D there: no answer */
	bool is_unreadable;  /* its log, for them: each denial is an entry of the audit */
	bool is_until_asked; /* no further than to where nobody's yes is missing */
	char state[64];
	char said[LIMIT_LINE]; /* of it */
};

static volatile sig_atomic_t is_interrupted;

static void
on_interrupt(UNUSED int signal_number)
{
	is_interrupted = 1;
}

bool
cli_is_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

/* --- what is shown --- */

static void
clear_bar(struct follow *f)
{
	if (f->has_bar)
		(void)fprintf(stderr, "\r\033[K");
	f->has_bar = false;
}

/* Of how long it took lately; longer than that, it stays near its end. */
static void
show_bar(struct follow *f, const struct json *work)
{
	int64_t estimate = json_get_i64_or(work, "estimate_ms", 0);
	int64_t passed = json_get_i64_or(work, "elapsed_ms", 0);
	const struct json *steps = json_get(work, "steps");
	const char *step = json_get_str(json_at(steps, json_count(steps) - 1), "name");
	char age[TEXT_DURATION_SIZE], words[CLI_STATE];
	int64_t percent = estimate == 0 ? 0 : passed * 100 / estimate;

	if (!f->is_terminal || passed == 0 || json_get_bool(work, "is_asked", false))
		return;
	clear_bar(f);
	(void)fprintf(stderr, "%s %s %s", cli_state_words(f->state, words),
	    step != NULL ? step : "", text_duration(age, passed));
	if (estimate > 0) {
		percent = percent > 99 ? 99 : percent;
		(void)fprintf(stderr, " [");
		for (int64_t i = 0; i < BAR_CELLS; i++)
			(void)fputc(i * 100 < percent * BAR_CELLS ? '#' : '.', stderr);
		(void)fprintf(stderr, "] %lld %%", (long long)percent);
	}
	f->has_bar = true;
}

/* All that there is by now of the run that is shown. */
static void
show_run(struct follow *f)
{
	int64_t before;
	char target[96];

	do {
		CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
		const char *text;

		before = f->offset;
		(void)snprintf(target, sizeof(target), "/v1/run/%lld/%lld", (long long)f->run,
		    (long long)f->offset);
		/* Who may not read logs sees how it goes all the same. */
		if (f->run == 0 || f->local->is_json || f->is_unreadable ||
		    !cli_api_ask(&f->local->api, target, NULL, &answer, NULL))
			return;
		f->is_unreadable = answer.status == 403;
		if (answer.status != 200)
			return;
		text = json_text(answer.json, "text");
		f->offset = json_get_i64_or(answer.json, "next", f->offset);
		if (text[0] != '\0') {
			clear_bar(f);
			(void)fputs(text, stdout);
			(void)fflush(stdout);
		}
	} while (f->offset != before);
}

/* Of a rollback the deployment's own output comes first, to its end. */
static void
show_output(struct follow *f, const struct json *work)
{
	int64_t run = json_get_i64_or(work, "run", 0);

	if (run != f->run) {
		show_run(f);
		f->offset = 0;
		f->has_run_ended = false;
	}
	f->run = run;
	show_run(f);
}

static void
show_state(struct follow *f, const struct json *work)
{
	const char *state = json_text(work, "state"), *note = json_text(work, "note");
	char words[CLI_STATE], said[sizeof(f->said)];

	if (state[0] == '\0')
		return;
	(void)text_copy(f->state, sizeof(f->state), state);
	(void)snprintf(said, sizeof(said), "%s%s%.180s", cli_state_words(state, words),
	    note[0] != '\0' ? "; " : "", note);
	if (strcmp(said, f->said) == 0)
		return;
	memcpy(f->said, said, sizeof(said));
	clear_bar(f);
	(void)fprintf(
	    stderr, "#%lld %s: %s\n", (long long)f->work, json_get_str(work, "environment"), said);
}

/* --- its question --- */

static void
ask(struct follow *f, const struct json *work)
{
	const char *shown = json_get_str(work, "shown");
	bool is_same = shown == NULL || strcmp(shown, f->shown) == 0;
	char until[CLI_AT];

	if (!json_get_bool(work, "is_asked", false)) {
		const char *by = json_get_str(work, "confirmed_by");

		if (f->is_prompted && by != NULL)
			(void)fprintf(stderr, "\nconfirmed by %s\n", by);
		else if (f->is_prompted)
			(void)fprintf(stderr, "\nits question is closed\n");
		f->is_prompted = false;
		return;
	}
	if (shown == NULL || !text_copy(f->shown, sizeof(f->shown), shown))
		f->shown[0] = '\0';
	if (f->is_prompted && is_same)
		return;
	if (f->is_prompted)
		(void)fprintf(stderr, "\nit is asked anew:\n");
	f->is_prompted = true;
	clear_bar(f);
	(void)cli_show_at(work, "asked_until", until);
	(void)fprintf(stderr, "%s\n", json_text(work, "message"));
	if (f->is_terminal)
		(void)fprintf(stderr, "Go on? [y/N] ");
	else
		(void)fprintf(stderr,
		    "answer it in the chat, or: deploybot answer %lld yes; it is open until %s\n",
		    (long long)f->work, until[0] != '\0' ? until : "somebody answers");
}

static void
send_answer(struct follow *f, const char *word)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char target[64], body[32];
	struct err err;

	(void)snprintf(target, sizeof(target), "/v1/answer/%lld", (long long)f->work);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"%s\"}", word);
	f->is_prompted = false;
	if (!cli_code_ask(
		&f->local->api, target, body, f->shown[0] != '\0' ? f->shown : NULL, &answer, &err))
		(void)fprintf(stderr, "%s\n", err.text);
	else if (answer.status == 409 && json_get_str(answer.json, "shown") != NULL)
		(void)fprintf(stderr, "It was asked anew: nothing was confirmed.\n");
	else if (json_get_str(answer.json, "said") != NULL)
		(void)fprintf(stderr, "%s\n", json_get_str(answer.json, "said"));
}

/* Waits for a line on the terminal, or until it is time to look again. */
static void
wait_for_line(struct follow *f)
{
	struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[64] = "";
	ssize_t n;

	if (poll(&terminal, f->is_prompted && f->is_terminal ? 1 : 0, LOOK_EVERY_MS) <= 0)
		return;
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0) {
		f->has_left = n == 0 || errno != EINTR; /* Ctrl-D: they do not answer now */
		return;
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (text_same_ci(line, "yes") || text_same_ci(line, "y"))
		send_answer(f, "yes");
	else if (line[0] == '\0' || text_same_ci(line, "no") || text_same_ci(line, "n"))
		send_answer(f, "no");
	else
		(void)fprintf(stderr, "y or n? ");
}

/* Until its log has grown or it has changed, and not much sooner than it was looked at without
 * that: the server may have no room for one that waits, or know of none. */
static void
wait_for_news(struct follow *f)
{
	int64_t began = clock_monotonic_ms();
	bool is_unchanged = true, asks = f->is_prompted && f->is_terminal;
	char target[96];

	if (f->run == 0 || f->has_run_ended)
		(void)snprintf(target, sizeof(target), "/v1/log/%lld/%lld", (long long)f->work,
		    (long long)f->offset);
	else
		(void)snprintf(target, sizeof(target), "/v1/run/%lld/%lld", (long long)f->run,
		    (long long)f->offset);
	for (int i = 0; i < WAITS_MAX && is_unchanged && !asks && !f->is_unreadable &&
	     !f->is_until_asked && f->away_since == 0 && !is_interrupted;
	     i++) {
		CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };

		is_unchanged = cli_api_wait(&f->local->api, target, &answer, NULL) &&
		    json_get_bool(answer.json, "is_unchanged", false);
		f->is_unreadable = answer.status == 403;
		f->has_run_ended = json_get_bool(answer.json, "is_over", f->has_run_ended);
		if (f->local->is_json && json_get_i64_or(answer.json, "run", 0) == f->run)
			f->offset = json_get_i64_or(answer.json, "next", f->offset);
	}
	if (clock_monotonic_ms() - began < LOOK_EVERY_MS && !is_interrupted)
		wait_for_line(f);
}

/* --- its end --- */

static int
end_status(const struct json *work)
{
	return json_get_bool(work, "is_good", false)   ? CLI_END_GOOD :
	    json_has(work, "state", "rollback_failed") ? CLI_END_UNKNOWN :
	    json_has(work, "state", "failed")	       ? CLI_END_FAILED :
	    json_has(work, "state", "rolled_back")     ? CLI_END_FAILED :
							 CLI_END_NOT_BEGUN;
}

static int
show_end(struct follow *f, const struct cli_answer *answer)
{
	const char *message = json_get_str(answer->json, "message");

	clear_bar(f);
	if (f->local->is_json && !f->is_until_asked)
		(void)printf("%s\n", answer->body);
	else if (message != NULL && !f->local->is_json)
		(void)printf("%s\n", message);
	return end_status(answer->json);
}

static int
leave(struct follow *f)
{
	clear_bar(f);
	(void)fprintf(stderr,
	    "\n#%lld goes on.  Follow it: deploybot log --wait %lld; stop it: deploybot cancel %s\n",
	    (long long)f->work, (long long)f->work, f->environment);
	if (f->is_prompted)
		(void)fprintf(stderr, "Its question is open: deploybot answer %lld yes\n",
		    (long long)f->work);
	return CLI_END_LEFT;
}

/* --- a look --- */

/* Somebody had asked for the same: their question is ours too. */
static bool
join(struct follow *f, const struct json *work)
{
	int64_t other = json_get_i64_or(work, "joined", 0);

	if (other == 0)
		return false;
	clear_bar(f);
	(void)fprintf(stderr,
	    "#%lld: the same was asked for before, as #%lld, whose question is open\n",
	    (long long)f->work, (long long)other);
	f->work = other;
	f->state[0] = f->said[0] = '\0';
	return true;
}

/* How far it is, and what it printed; of one that is over its end comes last. */
static void
show(struct follow *f, const struct json *work)
{
	bool is_over = json_get_bool(work, "is_over", false);

	(void)text_copy(f->environment, sizeof(f->environment), json_text(work, "environment"));
	if (is_over && !f->is_until_asked)
		show_output(f, work);
	show_state(f, work);
	if (!is_over && !f->is_until_asked)
		show_output(f, work);
}

/* Whether somebody's yes is missing, which was said then; -1: git has not said yet. */
static int
settle(const struct follow *f, const struct json *work)
{
	if (json_get_bool(work, "is_asked", false))
		return CLI_END_ASKED;
	if (strcmp(f->state, "requested") == 0 || strcmp(f->state, "awaiting_confirmation") == 0)
		return -1;
	if (!f->local->is_json)
		(void)printf(CLI_NOT_OVER, (long long)f->work, (long long)f->work);
	return strcmp(f->state, "awaiting_approval") == 0 ? CLI_END_ASKED : CLI_END_GOOD;
}

/* An exit status; -1: it goes on. */
static int
look(struct follow *f)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char target[64];

	(void)snprintf(target, sizeof(target), "/v1/work/%lld", (long long)f->work);
	if (!cli_api_ask(&f->local->api, target, NULL, &answer, NULL) || answer.status == 503) {
		if (f->away_since == 0) {
			f->away_since = clock_monotonic_ms();
			clear_bar(f);
			(void)fprintf(stderr, "the server does not answer; waiting for it\n");
		}
		return clock_monotonic_ms() - f->away_since < AWAY_MS ?
		    -1 :
		    cli_server_fail(f->local, EX_UNAVAILABLE, "the server does not answer");
	}
	f->away_since = 0;
	if (answer.status == 429)
		return -1;
	if (answer.status != 200)
		return cli_server_fail(f->local, answer.status == 403 ? EX_NOPERM : 1,
		    json_get_str(answer.json, "said"));
	show(f, answer.json);
	if (join(f, answer.json))
		return -1;
	ask(f, answer.json);
	if (f->is_until_asked &&
	    (!json_get_bool(answer.json, "is_over", false) ||
		json_get_i64_or(answer.json, "run", 0) != 0)) /* it has begun */
		return settle(f, answer.json);
	if (json_get_bool(answer.json, "is_over", false))
		return show_end(f, &answer);
	show_bar(f, answer.json);
	return -1;
}

static int
follow(const struct cli_server *local, int64_t work, bool is_until_asked)
{
	const struct sigaction on_int = { .sa_handler = on_interrupt };
	struct follow f = { .local = local,
		.work = work,
		.is_terminal = !is_until_asked && cli_is_terminal(),
		.is_until_asked = is_until_asked };
	int status;

	(void)sigaction(SIGINT, &on_int, NULL); /* no SA_RESTART: it ends a wait */
	while (!is_interrupted && !f.has_left) {
		status = look(&f);
		if (status >= 0)
			return status;
		if (!is_interrupted)
			wait_for_news(&f);
	}
	return leave(&f);
}

int
cli_follow(const struct cli_server *local, int64_t work)
{
	return follow(local, work, false);
}

int
cli_follow_until_asked(const struct cli_server *local, int64_t work)
{
	return follow(local, work, true);
}
