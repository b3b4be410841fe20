/* fuzz.h - what the fuzz harnesses share: the entry, strings, and where a stream is cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A harness is one file fuzz_<what>.c: it gives the bytes to a parser and asserts what must hold
 * for any bytes.  libFuzzer calls it (make fuzz); replay.c calls it with the seeds of
 * corpus/<what> and with mutations of them (make test).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"

/* Returns 0.  data is in memory of exactly that size, so that a byte too far is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to the first NUL as a string, to be freed.  Never NULL. */
char *fuzz_string(const uint8_t *data, size_t size);

/* Valid UTF-8 without what lib/clean.h calls harmful; line ends only where has_lines. */
bool fuzz_is_clean(const char *text, bool has_lines);

/* A stream's pieces: drawn from a number that is made of the bytes themselves, so that an input
 * is the whole story. */
uint64_t fuzz_seed(const uint8_t *data, size_t size);
uint32_t fuzz_draw(uint64_t *seed);
/* 1 … left, mostly small; 0 when nothing is left. */
size_t fuzz_piece(uint64_t *seed, size_t left);

/* Both hold the same bytes, and neither has failed. */
void fuzz_same(const struct buf *a, const struct buf *b);
