/* replay.c - a harness over its corpus without libFuzzer: every seed, and mutations of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Linked with each harness as build/tests/test_fuzz_<what>; prints what a cmocka program prints.
 *	test_fuzz_<what>          the corpus, then mutations with a seed that is printed (SEED=n
 *	                          draws the same ones again)
 *	test_fuzz_<what> FILE...  these files alone
 *	test_fuzz_<what> --list   what it reads in its corpus: name, size, FNV-1a of the bytes
 * The corpus is a text file: corpus.py says how its lines are written.
 * What fails leaves its input beside the program, as <program>.crash.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "tests/fuzz/fuzz.h"

#define SEEDS_MAX   2000
#define INPUT_MAX   ((size_t)1 << 20)
#define MUTATIONS   1500
#define MUTATED_MAX 4096 /* larger seeds are replayed, not mutated: cheap */

struct input {
	uint8_t *data;
	size_t size;
	const char *name;
};

static struct input corpus[SEEDS_MAX];
static size_t corpus_count;
static char *corpus_text; /* in which the seeds are: each line is unescaped where it stands */
static struct input now;  /* what the harness has at this moment */
static const char *program;

/* gcc's and clang's; missing without a sanitizer. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Of a harness that is too slow for MUTATIONS. */
unsigned fuzz_mutations(void) __attribute__((weak));

static unsigned
mutations(void)
{
	return fuzz_mutations != NULL ? fuzz_mutations() : MUTATIONS;
}

/* --- what a failure leaves ------------------------------------------------------------------- */

static void
keep_input(void)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s.crash", program);
	file = fopen(path, "wb");
	if (file == NULL)
		return;
	(void)fwrite(now.data, 1, now.size, file);
	(void)fclose(file); /* the test fails in any case */
	(void)fprintf(stderr, "input of %zu bytes kept; again: %s %s\n", now.size, program, path);
}

static void
on_death(int number)
{
	(void)signal(number, SIG_DFL);
	keep_input();
	(void)raise(number);
}

static void
watch_for_death(void)
{
	(void)signal(SIGABRT, on_death);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(keep_input);
	else
		(void)signal(SIGSEGV, on_death);
}

/* --- inputs ---------------------------------------------------------------------------------- */

/* In memory of exactly that size. */
static void
run(const uint8_t *data, size_t size)
{
	now = (struct input){ .data = malloc(size > 0 ? size : 1), .size = size };
	if (now.data == NULL)
		abort();
	if (size > 0)
		memcpy(now.data, data, size);
	(void)LLVMFuzzerTestOneInput(now.data, size);
	free(now.data);
}

static struct input
read_input(const char *path)
{
	struct input input;
	struct err err;

	input.data = (uint8_t *)file_read(path, INPUT_MAX, &input.size, &err);
	if (input.data == NULL) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return input;
}

static void
refuse_corpus(const char *what, size_t line)
{
	(void)fprintf(stderr, "tests/fuzz/corpus/%s:%zu: not as corpus.py writes it\n", what, line);
	exit(1);
}

/* One byte of an escape behind its backslash; how many characters it took, 0 when it is none. */
static size_t
unescape_one(const char *text, uint8_t *byte)
{
	static const char letters[] = "\\nrt", bytes[] = "\\\n\r\t", digits[] = "0123456789abcdef";
	const char *letter = *text == '\0' ? NULL : strchr(letters, *text);
	const char *high, *low;

	if (letter != NULL) {
		*byte = (uint8_t)bytes[letter - letters];
		return 1;
	}
	if (*text != 'x' || text[1] == '\0' || text[2] == '\0')
		return 0;
	high = strchr(digits, text[1]);
	low = strchr(digits, text[2]);
	if (high == NULL || low == NULL)
		return 0;
	*byte = (uint8_t)((high - digits) * 16 + (low - digits));
	return 3;
}

/* false: an escape that is none, or what should have been one. */
static bool
unescape(const char *text, struct input *input)
{
	input->size = 0;
	while (*text != '\0') {
		uint8_t byte = (uint8_t)*text++;
		size_t taken = 0;

		if (byte < 0x20 || byte > 0x7e)
			return false;
		if (byte == '\\' && (taken = unescape_one(text, &byte)) == 0)
			return false;
		text += taken;
		input->data[input->size++] = byte;
	}
	return true;
}

/* Lines stand in the order of their names, so that a seed's mutations are the same everywhere. */
static void
read_corpus(const char *what)
{
	char path[512];
	char *rest, *line;

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", what);
	corpus_text = (char *)read_input(path).data;
	rest = corpus_text;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		struct input *input = &corpus[corpus_count];

		if (corpus_count == SEEDS_MAX)
			refuse_corpus(what, corpus_count + 1);
		input->name = strsep(&line, " ");
		input->data = (uint8_t *)(line != NULL ? line : rest);
		if (rest == NULL || !unescape(line != NULL ? line : "", input) ||
		    (corpus_count > 0 && strcmp(input[-1].name, input->name) >= 0))
			refuse_corpus(what, corpus_count + 1);
		corpus_count++;
	}
}

/* --- mutations ------------------------------------------------------------------------------- */

static void
mutate_once(uint8_t *data, size_t *size, uint64_t *seed)
{
	static const uint8_t spice[] =
	    "{}[]\",:\\0123456789-.%&=\r\n\t \0\x1b\x1e\x1f\x7f\x80\xc3\xff<>/@";
	const struct input *other = &corpus[fuzz_draw(seed) % corpus_count];
	size_t at = *size == 0 ? 0 : fuzz_draw(seed) % *size;
	size_t from = other->size == 0 ? 0 : fuzz_draw(seed) % other->size;
	size_t n = fuzz_piece(seed, other->size - from);

	switch (fuzz_draw(seed) % 5) {
	case 0: /* another byte */
		if (*size > 0)
			data[at] = spice[fuzz_draw(seed) % (sizeof(spice) - 1)];
		break;
	case 1: /* a bit */
		if (*size > 0)
			data[at] ^= (uint8_t)(1u << fuzz_draw(seed) % 8);
		break;
	case 2: /* some out */
		n = fuzz_piece(seed, *size - at);
		memmove(data + at, data + at + n, *size - at - n);
		*size -= n;
		break;
	case 3: /* some of another in */
		if (*size + n > MUTATED_MAX)
			break;
		memmove(data + at + n, data + at, *size - at);
		memcpy(data + at, other->data + from, n);
		*size += n;
		break;
	default: /* the end off */
		if (fuzz_draw(seed) % 4 == 0)
			*size = at;
		break;
	}
}

static void
run_mutations(uint64_t seed)
{
	uint8_t data[MUTATED_MAX];

	for (unsigned i = mutations(); i > 0; i--) {
		const struct input *base = &corpus[fuzz_draw(&seed) % corpus_count];
		size_t size = base->size;

		if (size > sizeof(data))
			continue;
		memcpy(data, base->data, size);
		for (uint32_t n = 1 + fuzz_draw(&seed) % 4; n > 0; n--)
			mutate_once(data, &size, &seed);
		run(data, size);
	}
}

/* --- as a test program ------------------------------------------------------------------------ */

static void
test_corpus(void)
{
	for (size_t i = 0; i < corpus_count; i++)
		run(corpus[i].data, corpus[i].size);
	run(NULL, 0);
}

static int
test(const char *what)
{
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	test_corpus();
	(void)printf("[       OK ] every_seed_of_%s_holds\n", what);
	(void)printf(
	    "%zu seeds, %u mutations, SEED=%" PRIu64 "\n", corpus_count, mutations(), seed);
	(void)fflush(stdout);
	run_mutations(seed);
	(void)printf("[       OK ] mutations_of_%s_hold\n", what);
	return 0;
}

static int
list(void)
{
	for (size_t i = 0; i < corpus_count; i++)
		(void)printf("%s %zu %016" PRIx64 "\n", corpus[i].name, corpus[i].size,
		    fuzz_seed(corpus[i].data, corpus[i].size));
	return 0;
}

int
main(int argc, char **argv)
{
	static const char prefix[] = "test_fuzz_";
	const char *name = strrchr(argv[0], '/');
	int status;

	program = argv[0];
	name = name == NULL ? argv[0] : name + 1;
	watch_for_death();
	for (int i = 1; i < argc && strcmp(argv[1], "--list") != 0; i++) {
		struct input input = read_input(argv[i]);

		run(input.data, input.size);
		free(input.data);
		(void)printf("%s: holds\n", argv[i]);
		if (i == argc - 1)
			return 0;
	}
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0) {
		(void)fprintf(stderr, "call me test_fuzz_<what>\n");
		return 1;
	}
	name += sizeof(prefix) - 1;
	read_corpus(name);
	if (corpus_count == 0)
		refuse_corpus(name, 1);
	status = argc > 1 ? list() : test(name);
	free(corpus_text);
	return status;
}
