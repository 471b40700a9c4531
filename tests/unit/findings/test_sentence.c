// SPDX-License-Identifier: Apache-2.0
// The verdict in one sentence, as a person reads it.
#include "findings/rules.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;
static const struct goroutine readers = {.id = 18}, refresher = {.id = 34};
static const struct go_type type = {.name = "map[string]int"};
static const struct owner owner = {.path = "main.sessions"};
static struct side detector, writer;

static int make(void **state)
{
	arena = arena_new();
	detector = (struct side){.goroutine = &readers,
				 .operation = MAP_READ,
				 .site = {"example.com/x/store.(*Store).Get",
					  "/src/x/store/store.go", 41, 0, 0, false}};
	writer = (struct side){.goroutine = &refresher,
			       .operation = MAP_ASSIGN,
			       .confidence = CONFIDENCE_LIKELY,
			       .site = {"main.refresh", "main.go", 12, 0, 0, false}};
	return 0;
}

static int drop(void **state)
{
	arena_free(arena);
	return 0;
}

static struct findings crashed(void)
{
	return (struct findings){.arena = arena,
				 .death = DEATH_MAP_FATAL,
				 .detector = &detector,
				 .message = "",
				 .map = {.owners = &owner, .owner_count = 1, .type = &type}};
}

static void assert_sentence(struct findings findings, enum confidence confidence,
			    const char *expected)
{
	struct reasoning reasoning = {.findings = &findings};

	sentence_write(&reasoning);
	assert_string_equal(findings.sentence, expected);
	assert_int_equal(findings.confidence, confidence);
}

static void both_are_named(void **state)
{
	struct findings f = crashed();

	f.other = &writer;
	assert_sentence(
		f, CONFIDENCE_LIKELY,
		"goroutine 34 (main.refresh, main.go:12) wrote main.sessions while goroutine "
		"18 (store.(*Store).Get, store.go:41) read it");
}

static void a_candidate_is_called_one(void **state)
{
	struct findings f = crashed();

	f.candidates = &writer;
	f.candidate_count = 1;
	assert_sentence(
		f, CONFIDENCE_POSSIBLE,
		"goroutine 18 (store.(*Store).Get, store.go:41) read main.sessions while another "
		"goroutine wrote it; best candidate: goroutine 34 (main.refresh, main.go:12)");
}

static void nobody_is_said_to_be_nobody(void **state)
{
	struct findings f = crashed();

	f.map.owner_count = 0;
	f.map.address = 0xc000012340;
	assert_sentence(f, CONFIDENCE_UNKNOWN,
			"goroutine 18 (store.(*Store).Get, store.go:41) read the map[string]int at "
			"0xc000012340 while another goroutine wrote it; no second party found");
	f.map.address = 0;
	assert_sentence(
		f, CONFIDENCE_UNKNOWN,
		"goroutine 18 (store.(*Store).Get, store.go:41) read a map[string]int while "
		"another goroutine wrote it; no second party found");
}

static void other_deaths_are_called_by_their_names(void **state)
{
	struct findings f = crashed();

	f.death = DEATH_NIL_MAP_WRITE;
	assert_sentence(
		f, CONFIDENCE_PROVEN,
		"goroutine 18 (store.(*Store).Get, store.go:41) assigned to a nil map: no other "
		"goroutine is involved");
	f.detector = NULL;
	assert_sentence(f, CONFIDENCE_PROVEN,
			"an assignment to a nil map: no other goroutine is involved");
	f.death = DEATH_PANIC;
	f.message = "panic: boom";
	assert_sentence(f, CONFIDENCE_PROVEN,
			"not a map fatal: the program panicked (panic: boom)");
	f.death = DEATH_SIGNAL;
	f.message = "killed by signal SIGSEGV (11)";
	assert_sentence(f, CONFIDENCE_PROVEN, "not a map fatal: killed by signal SIGSEGV (11)");
	f.death = DEATH_UNKNOWN;
	assert_sentence(f, CONFIDENCE_UNKNOWN,
			"not a map fatal: nothing in the core says what ended the process");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(both_are_named),
		TEST(a_candidate_is_called_one),
		TEST(nobody_is_said_to_be_nobody),
		TEST(other_deaths_are_called_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
