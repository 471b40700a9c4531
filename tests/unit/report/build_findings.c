// SPDX-License-Identifier: Apache-2.0
#include "build_findings.h"

#define STORE "example.com/shop/config.(*Store)"

static const struct go_type entries_type = {.kind = GO_KIND_MAP,
					    .name = "map[string]*config.Entry",
					    .full_name =
						    "map[string]*example.com/shop/config.Entry"};

static struct go_site site(const char *function, const char *file, int32_t line, uint64_t pc)
{
	return (struct go_site){.function = function, .file = file, .line = line, .pc = pc};
}

static struct go_site inlined(struct go_site at)
{
	at.inlined = true;
	return at;
}

static struct frame frame(struct arena *arena, struct go_site at)
{
	return (struct frame){.site = arena_copy(arena, &at, sizeof(at)), .pc = at.pc};
}

static struct stack reader_stack(struct arena *arena)
{
	struct frame frames[] = {
		frame(arena, site("runtime.mapaccess2_faststr",
				  "/usr/lib/go/src/runtime/map_faststr.go", 117, 0x411d20)),
		frame(arena, site(STORE ".Get", "/src/shop/config/store.go", 41, 0x4a2b31)),
		frame(arena, site("example.com/shop/api.(*Handler).ServeHTTP",
				  "/src/shop/api/handler.go", 112, 0x4a2c11)),
		frame(arena, inlined(site("net/http.(*conn).serve",
					  "/usr/lib/go/src/net/http/server.go", 2009, 0x4b0102))),
		frame(arena, site("net/http.(*Server).Serve.func3",
				  "/usr/lib/go/src/net/http/server.go", 3286, 0x4b0202)),
		frame(arena, site("runtime.goexit", "/usr/lib/go/src/runtime/asm_amd64.s", 1700,
				  0x46f101)),
	};

	return (struct stack){arena_copy(arena, frames, sizeof(frames)),
			      sizeof(frames) / sizeof(*frames), NULL};
}

static struct stack writer_stack(struct arena *arena)
{
	struct frame frames[] = {
		frame(arena, site("runtime.mapassign_faststr",
				  "/usr/lib/go/src/runtime/map_faststr.go", 263, 0x412a00)),
		frame(arena, site(STORE ".refresh", "/src/shop/config/store.go", 88, 0x4a2f40)),
		frame(arena, site(STORE ".Watch", "/src/shop/config/store.go", 70, 0x4a3050)),
		frame(arena, site("runtime.goexit", "/usr/lib/go/src/runtime/asm_amd64.s", 1700,
				  0x46f101)),
	};

	return (struct stack){arena_copy(arena, frames, sizeof(frames)),
			      sizeof(frames) / sizeof(*frames), NULL};
}

static const char *const labels[] = {"tenant", "blue", "tenant", "shadowed", NULL};

static void add_goroutines(struct arena *arena, struct program *program)
{
	struct goroutine all[] = {
		{.id = 23,
		 .status = GO_STATUS_RUNNABLE,
		 .wait_reason = "",
		 .wait_ns = -1,
		 .start_function = STORE ".Watch",
		 .created_by = site("main.main", "/src/shop/main.go", 20, 0x4a5000),
		 .stack = writer_stack(arena),
		 .unwound = true},
		{.id = 31,
		 .status = GO_STATUS_WAITING,
		 .wait_reason = "chan receive",
		 .wait_ns = 250 * 1000000000ll,
		 .start_function = "example.com/shop/config.audit",
		 .stack = writer_stack(arena),
		 .unwound = true},
		{.id = 87,
		 .status = GO_STATUS_RUNNING,
		 .wait_reason = "",
		 .wait_ns = -1,
		 .detector = true,
		 .labels = labels,
		 .start_function = "net/http.(*conn).serve",
		 .created_by = site("net/http.(*Server).Serve",
				    "/usr/lib/go/src/net/http/server.go", 3285, 0x4b0300),
		 .stack = reader_stack(arena),
		 .unwound = true},
	};

	program->goroutines = arena_copy(arena, all, sizeof(all));
	program->goroutine_count = program->live_count = sizeof(all) / sizeof(*all);
}

static struct witnesses witnesses(struct arena *arena, const char *a, const char *b)
{
	struct witness items[] = {{a, "core", "address 0xc000123f80"}, {b, "binary", ""}};

	return (struct witnesses){arena_copy(arena, items, sizeof(items)), b ? 2 : 1};
}

static struct side *detector_of(struct arena *arena, struct program *program)
{
	struct side *side = arena_take(arena, sizeof(*side));

	*side = (struct side){
		.role = SIDE_DETECTOR,
		.operation = MAP_READ,
		.goroutine = &program->goroutines[2],
		.site = *program->goroutines[2].stack.frames[1].site,
		.stack = &program->goroutines[2].stack,
		.confidence = CONFIDENCE_PROVEN,
		.rule = "",
		.check = MAP_CHECK_ENTRY,
		.witnesses = witnesses(arena, "it is the goroutine inside runtime.fatal", NULL)};
	return side;
}

static struct side *writer_of(struct arena *arena, struct program *program)
{
	struct side *side = arena_take(arena, sizeof(*side));

	*side = (struct side){.role = SIDE_OTHER,
			      .operation = MAP_ASSIGN,
			      .goroutine = &program->goroutines[0],
			      .site = *program->goroutines[0].stack.frames[1].site,
			      .stack = &program->goroutines[0].stack,
			      .confidence = CONFIDENCE_PROVEN,
			      .rule = "in_write_op",
			      .witnesses = witnesses(
				      arena, "it is inside runtime.mapassign_faststr with this map",
				      "return address 0x4a2f40 follows the CALL at store.go:88")};
	return side;
}

static void add_map(struct arena *arena, struct conflict_map *map)
{
	struct owner owners[] = {
		{.path = "config.store.entries",
		 .via = "global",
		 .holder_type = "example.com/shop/config.Store",
		 .word = 0xc000012340,
		 .hops = 1},
		{.path = "local s of config.(*Store).Get", .via = "local", .word = 0xc000123f80},
	};

	*map = (struct conflict_map){
		.address = 0xc0003ac1b0,
		.type = &entries_type,
		.header = {.address = 0xc0003ac1b0, .count = 1204, .flags = 4, .writing = true},
		.readable = true,
		.integrity = {.checked = true,
			      .entries_found = 1204,
			      .count_matches = true,
			      .first_problem = ""},
		.owners = arena_copy(arena, owners, sizeof(owners)),
		.owner_count = 2,
		.sure = CONFIDENCE_PROVEN,
		.found_by = "argument slot"};
}

static struct findings *start(const char *message)
{
	struct arena *arena = arena_new();
	struct findings *findings = arena_take(arena, sizeof(*findings));

	findings->arena = arena;
	findings->program = arena_take(arena, sizeof(*findings->program));
	findings->program->arena = arena;
	findings->message = message;
	add_goroutines(arena, findings->program);
	return findings;
}

static void add_advice(struct findings *findings)
{
	struct advice list[] = {
		{"P1",
		 "hold one sync.RWMutex in Store: Lock around store.go:88, RLock around "
		 "store.go:41.",
		 witnesses(findings->arena, "the writer holds no lock", NULL)},
		{"race-build",
		 "run the same load with a `go build -race` binary to confirm the fix.",
		 {NULL, 0}},
	};

	findings->advice = arena_copy(findings->arena, list, sizeof(list));
	findings->advice_count = 2;
}

struct findings *build_proven(void)
{
	struct findings *findings = start("fatal error: concurrent map read and map write");

	findings->death = DEATH_MAP_FATAL;
	findings->fatal = MAP_FATAL_READ_AND_WRITE;
	findings->kind = "concurrent_map_read_and_write";
	findings->confidence = CONFIDENCE_PROVEN;
	findings->sentence = "goroutine 23 (config.(*Store).refresh, store.go:88) wrote "
			     "config.store.entries while goroutine 87 (config.(*Store).Get, "
			     "store.go:41) read it";
	add_map(findings->arena, &findings->map);
	findings->detector = detector_of(findings->arena, findings->program);
	findings->other = writer_of(findings->arena, findings->program);
	add_advice(findings);
	return findings;
}

static void add_innocent(struct findings *findings)
{
	struct innocent one = {.goroutine = &findings->program->goroutines[1],
			       .site = *findings->program->goroutines[1].stack.frames[1].site,
			       .looked_guilty = "its code writes maps of this type",
			       .ruled_out = "parked in a channel receive since before the write"};

	findings->innocents = arena_copy(findings->arena, &one, sizeof(one));
	findings->innocent_count = 1;
}

struct findings *build_likely(void)
{
	struct findings *findings = build_proven();
	struct flag_row row = {&findings->program->goroutines[2], MAP_READ,
			       "saw writing set at entry", "in runtime.fatal"};

	findings->confidence = findings->other->confidence = CONFIDENCE_LIKELY;
	findings->other->rule = "ghost_write";
	findings->other->witnesses = witnesses(
		findings->arena,
		"runnable, and its dead stack still holds the return address of this very call "
		"with this very map in its argument slot",
		"none of the 14 other goroutines that reach the map was writing");
	findings->flags = arena_copy(findings->arena, &row, sizeof(row));
	findings->flag_count = 1;
	add_innocent(findings);
	return findings;
}

static void add_gap(struct findings *findings, const char *what, const char *why,
		    const char *would_decide)
{
	struct gap_list *gaps = &findings->program->gaps;
	struct gap *items = arena_array(findings->arena, gaps->count + 1, sizeof(*items));

	if (gaps->count)
		memcpy(items, gaps->items, gaps->count * sizeof(*items));
	items[gaps->count++] = (struct gap){what, why, would_decide};
	gaps->items = items;
}

struct findings *build_candidates(void)
{
	struct findings *findings = build_proven();
	struct side both[2] = {*findings->other, *findings->other};

	findings->other = NULL;
	findings->confidence = CONFIDENCE_POSSIBLE;
	findings->map.sure = CONFIDENCE_LIKELY;
	findings->sentence =
		"goroutine 87 (config.(*Store).Get, store.go:41) read config.store.entries "
		"while another goroutine wrote it; two may be the writer";
	for (size_t i = 0; i < 2; i++) {
		both[i].role = SIDE_CANDIDATE;
		both[i].confidence = CONFIDENCE_POSSIBLE;
		both[i].rule = "reach_parked";
		both[i].goroutine = &findings->program->goroutines[i];
		both[i].witnesses = witnesses(findings->arena, "its stack reaches the map", NULL);
	}
	findings->candidates = arena_copy(findings->arena, both, sizeof(both));
	findings->candidate_count = 2;
	add_gap(findings, "variable names", "the binary has no DWARF", "");
	return findings;
}

struct findings *build_panic(void)
{
	struct findings *findings = start("panic: runtime error: invalid memory address or nil "
					  "pointer dereference");

	findings->death = DEATH_PANIC;
	findings->kind = "not_a_map_fatal";
	findings->confidence = CONFIDENCE_PROVEN;
	findings->sentence = "the program died of a nil pointer dereference, not of a map";
	return findings;
}

struct findings *build_gaps(void)
{
	struct findings *findings = start("fatal error: concurrent map writes");

	findings->death = DEATH_MAP_FATAL;
	findings->fatal = MAP_FATAL_WRITES;
	findings->kind = "concurrent_map_writes";
	findings->confidence = CONFIDENCE_UNKNOWN;
	findings->sentence = "two goroutines wrote one map, but neither could be found";
	findings->program->goroutine_count = 0;
	add_gap(findings, "all goroutines", "the core is cut off before runtime.allgs",
		"both sides");
	add_gap(findings, "the map", "the detector's stack was not dumped", "whose map it is");
	return findings;
}

#define TAKE_OVER "\x1b]0;owned\x07\x1b[2J"

struct findings *build_hostile(void)
{
	struct findings *findings = build_proven();
	struct owner *owner = (struct owner *)findings->map.owners;
	struct go_type *type = arena_copy(findings->arena, &entries_type, sizeof(entries_type));

	type->name = "map[\xc2\x9b"
		     "31m]\xff"
		     "\xe2\x80\xae"
		     "tni";
	findings->map.type = type;
	owner->path = "main." TAKE_OVER;
	findings->other->site.function = "main.\r" TAKE_OVER;
	findings->other->site.file = "/x/" TAKE_OVER "/a\nb.go";
	findings->other->witnesses.items[0].fact = "\x1b[31mred\nline";
	findings->sentence = "\x7f\x1b";
	return findings;
}

struct report_input build_input(const struct findings *findings)
{
	static const struct gap cut = {"the end of the core", "the file is cut off", ""};
	static const struct report_evidence evidence[] = {
		{"core", "core", "/var/crash/core", "", "go1.22.12", "amd64", &cut, 1},
		{"binary", "binary", "/srv/shop", "c0ffee", "go1.22.12", "amd64", NULL, 0},
	};

	return (struct report_input){findings, evidence, 2};
}

void build_free(struct findings *findings)
{
	struct arena *arena = findings->arena;

	arena_free(arena);
}
