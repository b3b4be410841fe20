/* test_judge.c - a compose file of a repository is taken or refused as the corpus says, and bounded. */
/* SPDX-License-Identifier: ISC */
#include "judge/judge.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "tests/unit/unit.h"

#define CORPUS	   "tests/fixtures/judge.txt"
#define CORPUS_MAX (1 << 20)
#define ROWS_MIN   280

static const char app[] = "services:\n  app:\n    image: x\n";

struct row {
	char *name, *kind, *allow; /* allow: "" */
	char *now;		   /* "taken PATH..." or "refused WORDS" */
	char *text;
	size_t size;
	bool was_refused;
	bool has_why;
};

/* --- the corpus --- */

/* Where it stands, as tests/fuzz/corpus.py writes it. */
static size_t
unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		if (*in == 'x') {
			assert_true(text_unhex(out++, 1, in + 1, 2));
			in += 2;
		} else {
			*out++ = *in == 'n' ? '\n' : *in == 'r' ? '\r' : *in == 't' ? '\t' : '\\';
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* The next row; false: there is none. */
static bool
read_row(char **rest, struct row *row)
{
	char *line;

	*row = (struct row){ .allow = "" };
	while ((line = strsep(rest, "\n")) != NULL && !text_starts(line, "== "))
		assert_true(line[0] == '#' || line[0] == '\0');
	if (line == NULL)
		return false;
	line += 3;
	row->name = strsep(&line, " ");
	row->kind = strsep(&line, " ");
	if (line != NULL)
		row->allow = line;
	while ((line = strsep(rest, "\n")) != NULL && !text_starts(line, "now: ")) {
		row->was_refused |= strcmp(line, "before: refused") == 0;
		row->has_why |= text_starts(line, "why: ");
	}
	assert_non_null(line);
	row->now = line + 5;
	row->text = strsep(rest, "\n");
	assert_non_null(row->text);
	row->size = unescape(row->text);
	return true;
}

static bool
judge_it(const char *kind, const char *allow, const char *text, size_t size, struct buf *said)
{
	struct judge judge;
	struct err err = { 0 };
	bool is_taken;
	const char *line;

	judge_init(&judge, allow);
	is_taken = strcmp(kind, "text") == 0 ? judge_text(&judge, text, size, &err) :
					       judge_config(&judge, text, size, &err);
	buf_clear(said);
	buf_adds(said, is_taken ? "taken" : "refused ");
	if (!is_taken)
		buf_adds(said, err.text);
	for (line = buf_text(&judge.paths); is_taken && *line != '\0';
	     line = strchr(line, '\n') + 1) {
		line = strchr(line, '\t') + 1;
		buf_addf(said, " %.*s", (int)strcspn(line, "\t\n"), line);
		buf_adds(said, line[strcspn(line, "\t\n")] == '\t' ? ":ro" : "");
	}
	judge_done(&judge);
	return is_taken;
}

TEST(each_file_of_the_corpus_is_taken_or_refused_as_it_says)
{
	/* Goal: the verdict, its words and the list of paths of files of people, attackers and
	 * both versions of compose; and nothing passes that the judge before refused, but with a
	 * reason. */
	struct err err = { 0 };
	CLEANUP(freep) char *corpus = file_read(CORPUS, CORPUS_MAX, NULL, &err);
	CLEANUP(buf_done) struct buf said = buf_make(65536);
	char *rest = corpus;
	struct row row;
	size_t n = 0, bad = 0;

	assert_non_null(corpus);
	for (; read_row(&rest, &row); n++) {
		bool is_taken = judge_it(row.kind, row.allow, row.text, row.size, &said);

		if (strcmp(buf_text(&said), row.now) != 0) {
			print_error("%s: %s\n", row.name, buf_text(&said));
			bad++;
		}
		if ((is_taken && row.was_refused) != row.has_why) {
			print_error("%s: refused before, taken now: why?\n", row.name);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
	assert_true(n >= ROWS_MIN);
}

/* --- what is large --- */

static void
is_refused(const char *kind, const struct buf *text, const char *words)
{
	CLEANUP(buf_done) struct buf said = buf_make(4096);

	assert_false(buf_failed(text));
	(void)judge_it(kind, "", buf_text(text), text->size, &said);
	if (strstr(buf_text(&said), words) == NULL)
		fail_msg("%s", buf_text(&said));
}

TEST(what_is_too_large_too_deep_or_stands_for_too_much_is_refused)
{
	/* Goal: each bound, one above it. */
	CLEANUP(buf_done) struct buf text = buf_make(1 << 20);

	for (size_t i = 0; i <= JUDGE_FILE_MAX - strlen(app); i++)
		buf_addc(&text, '#');
	buf_addf(&text, "\n%s", app);
	is_refused("text", &text, "refused it has more than 65536 bytes");
	buf_clear(&text);
	for (size_t i = 0; i <= JUDGE_CONFIG_MAX; i++)
		buf_addc(&text, ' ');
	is_refused("config", &text, "compose makes more than 262144 bytes of it");
	buf_clear(&text);
	buf_adds(&text, "x-a:\n");
	for (int i = 0; i <= 2000; i++)
		buf_addf(&text, "  k%d: 1\n", i);
	is_refused("text", &text, "line 2002: a mapping of more than 2000 keys");
	buf_clear(&text);
	buf_adds(&text, "x-a: [");
	for (int i = 0; i < 60000; i++)
		buf_adds(&text, "a,");
	buf_adds(&text, "]\n");
	is_refused("config", &text, "it has more than 60000 words");
	buf_clear(&text);
	buf_adds(&text, "x-a:\n");
	for (int i = 0; i <= 1000; i++)
		buf_addf(&text, "- &a%d b\n", i);
	is_refused("text", &text, "it has more than 1000 anchors");
}

TEST(as_many_as_fit_are_taken)
{
	/* Goal: no bound is below what it says, and the list of paths has one. */
	CLEANUP(buf_done) struct buf text = buf_make(1 << 20);

	buf_adds(&text, "x-a:\n");
	for (int i = 0; i < 2000; i++)
		buf_addf(&text, "  k%d: 1\n", i);
	is_refused("text", &text, "taken");
	buf_clear(&text);
	buf_adds(&text, "services:\n  app:\n    volumes: &v\n");
	for (int i = 0; i < 800; i++)
		buf_addf(&text, "    - /srv/a-folder-with-a-name/%d:/a\n", i);
	for (int i = 0; i < 20; i++)
		buf_addf(&text, "  a%d: {volumes: *v}\n", i);
	is_refused("config", &text, "262144");
}
