// SPDX-License-Identifier: Apache-2.0
// Each pattern is advised on its own clues, and nothing else is.
#include "findings/pattern.h"
#include "findings/rules.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NAME_BYTES 128

/** A detector and a candidate, each with one frame, and the map: what clues are looked for in. */
struct scene {
	struct findings findings;
	struct reasoning reasoning;
	struct goroutine goroutine;
	struct go_site sites[2];
	struct frame frames[2];
	struct stack stacks[2];
	struct side sides[2];
	struct go_type type;
	struct owner owner;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){
		.goroutine = {.id = 7},
		.type = {.name = "map[int]int", .full_name = "map[int]int"},
		.owner = {.path = "main.sessions", .holder_type = "", .word = 0x5000},
	};
	for (size_t i = 0; i < 2; i++) {
		s->sites[i] = (struct go_site){"main.use", "main.go", 7 + (int32_t)i,
					       0x1000,     0x1000,    false};
		s->frames[i].site = &s->sites[i];
		s->stacks[i] = (struct stack){&s->frames[i], 1, NULL};
		s->sides[i] = (struct side){.goroutine = &s->goroutine,
					    .site = s->sites[i],
					    .stack = &s->stacks[i],
					    .operation = i ? MAP_ASSIGN : MAP_READ,
					    .rule = ""};
	}
	s->findings.arena = arena_new();
	s->findings.death = DEATH_MAP_FATAL;
	s->findings.detector = &s->sides[0];
	s->findings.candidates = &s->sides[1];
	s->findings.candidate_count = 1;
	s->findings.map.type = &s->type;
	s->findings.map.owners = &s->owner;
	s->findings.map.owner_count = 1;
	s->reasoning.findings = &s->findings;
}

static const struct advice *advised(const struct scene *s, const char *pattern)
{
	for (size_t i = 0; i < s->findings.advice_count; i++)
		if (!strcmp(s->findings.advice[i].pattern, pattern))
			return &s->findings.advice[i];
	return NULL;
}

/** How many of the pattern base, rather than of what always fits. */
static size_t patterns_advised(const struct scene *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->findings.advice_count; i++)
		count += s->findings.advice[i].pattern[0] == 'P';
	return count;
}

static void place(struct scene *s, enum clue_kind kind, size_t side, const char *name)
{
	if (kind == CLUE_TYPE)
		s->type.full_name = name;
	else if (kind == CLUE_OWNER)
		s->owner.holder_type = name;
	else
		s->sites[side].function = name;
}

static void check_clue(const struct pattern *pattern, const struct clue *clue)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "a%sb", clue->text);
	for (size_t side = 0; side < 2; side++) {
		bool seen = side == 0 || clue->kind == CLUE_FUNCTION;
		struct scene s;

		if (side && clue->kind != CLUE_FUNCTION && clue->kind != CLUE_DETECTOR_FUNCTION)
			continue;
		scene_init(&s);
		place(&s, clue->kind, side, name);
		advice_give(&s.reasoning);
		assert_int_equal(patterns_advised(&s), seen ? 1 : 0);
		if (seen) {
			assert_non_null(advised(&s, pattern->id));
			assert_int_equal(advised(&s, pattern->id)->because.count, 1);
			assert_string_equal(advised(&s, pattern->id)->text, pattern->advice);
		}
		arena_free(s.findings.arena);
	}
}

static void every_clue_brings_its_pattern_and_no_other(void **state)
{
	size_t count;
	const struct pattern *patterns = patterns_all(&count);

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < PATTERN_CLUES && patterns[i].clues[j].text; j++)
			check_clue(&patterns[i], &patterns[i].clues[j]);
}

static void a_plain_program_matches_no_pattern(void **state)
{
	struct scene s;

	scene_init(&s);
	advice_give(&s.reasoning);
	assert_int_equal(patterns_advised(&s), 0);
	assert_int_equal(s.findings.advice_count, 2);
	assert_string_equal(advised(&s, "lock")->text,
			    "guard the write at main.go:8 and the use at main.go:7 with one "
			    "sync.RWMutex: Lock around the write, RLock around the read");
	assert_non_null(advised(&s, "race-build"));
	arena_free(s.findings.arena);
}

static void two_writers_want_a_plain_mutex(void **state)
{
	struct scene s;

	scene_init(&s);
	s.sides[0].operation = MAP_DELETE;
	s.findings.other = &s.sides[1];
	s.findings.confidence = CONFIDENCE_PROVEN;
	advice_give(&s.reasoning);
	assert_int_equal(s.findings.advice_count, 1);
	assert_string_equal(
		advised(&s, "lock")->text,
		"guard the write at main.go:8 and the write at main.go:7 with one sync.Mutex");
	arena_free(s.findings.arena);
}

static void a_damaged_map_may_be_more_than_a_race(void **state)
{
	struct scene s;

	scene_init(&s);
	s.findings.map.integrity = (struct map_integrity){
		.checked = true, .problems = 1, .first_problem = "a tophash that never occurs"};
	advice_give(&s.reasoning);
	assert_string_equal(advised(&s, "P18")->because.items[0].fact,
			    "the map's structure is damaged: a tophash that never occurs");
	arena_free(s.findings.arena);
}

static void other_deaths_get_no_advice_about_maps(void **state)
{
	struct scene s;

	scene_init(&s);
	s.findings.death = DEATH_PANIC;
	advice_give(&s.reasoning);
	assert_int_equal(s.findings.advice_count, 0);
	arena_free(s.findings.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_clue_brings_its_pattern_and_no_other),
		cmocka_unit_test(a_plain_program_matches_no_pattern),
		cmocka_unit_test(two_writers_want_a_plain_mutex),
		cmocka_unit_test(a_damaged_map_may_be_more_than_a_race),
		cmocka_unit_test(other_deaths_get_no_advice_about_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
