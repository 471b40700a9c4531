// SPDX-License-Identifier: Apache-2.0
#include "record/plan.h"

#include "base/arena.h"
#include "evidence/binary/buildinfo.h"
#include "evidence/binary/moduledata.h"

#include <glib.h>

#define MESSAGE_START        "concurrent map "
#define G_REGISTER_SINCE     17
#define CLASSIC_FLAG_WRITING 4
#define SWISS_FLAG_WRITING   1

struct planning {
	struct plan *plan;
	struct memory *memory;
	struct pclntab *table;
	struct decoder *decoder;
	GArray *functions, *hooks;
	bool births, reads, eras;
	/** A function some of whose reads cannot be hooked, and why; NULL when none */
	const char *unread, *unread_because;
	/** One that makes maps and cannot be hooked, and why; NULL when none */
	const char *unborn, *unborn_because;
};

static enum callee callee_of(void *context, uint64_t address)
{
	static const char *const give_up[] = {"runtime.throw", "runtime.fatal",
					      "internal/runtime/maps.fatal"};
	static const char *const ends[] = {"runtime.panic", "runtime.goPanic", "runtime.gopanic"};
	const struct planning *p = context;
	struct go_function function;

	if (!pclntab_find(p->table, address, &function) || function.entry != address)
		return CALLEE_OTHER;
	for (size_t i = 0; i < G_N_ELEMENTS(give_up); i++)
		if (g_str_equal(function.name, give_up[i]))
			return CALLEE_GIVES_UP;
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_prefix(function.name, ends[i]))
			return CALLEE_ENDS;
	return CALLEE_OTHER;
}

static bool is_map_message(void *context, uint64_t address)
{
	const struct planning *p = context;
	const char *bytes = memory_view(p->memory, address, sizeof(MESSAGE_START) - 1);

	return bytes && memcmp(bytes, MESSAGE_START, sizeof(MESSAGE_START) - 1) == 0;
}

static const char *add_hooks(struct planning *p, const struct go_function *function,
			     const struct map_code *code)
{
	for (size_t i = 0; i < code->count; i++) {
		struct plan_hook hook = {.at = code->hooks[i],
					 .function = (uint16_t)p->functions->len};
		int32_t delta;

		if (!pclntab_sp_delta(p->table, function, hook.at.address, &delta) ||
		    !memory_read(p->memory, hook.at.address, hook.bytes, hook.at.size))
			return "its frame size is not known";
		hook.return_offset = delta;
		g_array_append_val(p->hooks, hook);
	}
	return p->hooks->len > PLAN_HOOKS_MAX ? "there are too many places to hook" : NULL;
}

/** They run below maps.Keys and Values, which have checked the flag; what they check is the room for the result. */
static bool runs_below_a_reader(const struct go_map_function *function)
{
	return g_str_equal(function->name, "runtime.copyKeys") ||
	       g_str_equal(function->name, "runtime.copyValues");
}

static void note_unread(struct planning *p, const struct go_map_function *function, const char *why)
{
	if (!why || p->unread)
		return;
	p->unread = function->name;
	p->unread_because = why;
}

static const char *read_function(struct planning *p, const struct go_map_function *function,
				 const struct go_function *found)
{
	const struct go_layout *layout = p->plan->layout;
	struct map_code_question question = {
		.size = found->end - found->entry,
		.address = found->entry,
		.flag_offset = layout->offset[p->plan->swiss ? GO_SWISS_WRITING : GO_HMAP_FLAGS],
		.flag_mask = p->plan->swiss ? SWISS_FLAG_WRITING : CLASSIC_FLAG_WRITING,
		.writes = go_map_function_holds_flag(function, p->plan->swiss),
		.reads = p->reads && !map_operation_writes(function->operation) &&
			 !runs_below_a_reader(function),
		.callee = callee_of,
		.is_map_message = is_map_message,
		.context = p,
	};
	guint before = p->hooks->len;
	struct map_code code;
	const char *wrong;

	question.bytes = memory_view(p->memory, found->entry, question.size);
	if (!question.bytes)
		return "its code is not in the binary";
	wrong = map_code_read(p->decoder, &question, &code);
	if (!wrong)
		wrong = add_hooks(p, found, &code);
	if (wrong)
		g_array_set_size(p->hooks, before);
	if (question.reads)
		note_unread(p, function, wrong ? wrong : code.unread);
	return wrong;
}

/** A function that makes or grows maps. Where the map is: a register since Go 1.17, before that a word of the stack. */
struct birth_function {
	const char *name;
	enum map_moment moment;
	uint8_t map_register;
	int8_t word; /**< behind the return address: an argument, or the result behind the arguments */
};

/* Sources: runtime/hashmap.go 1.9 (whose makemap has one argument more), runtime/map.go, internal/runtime/maps/map.go */
static const struct birth_function birth_functions[] = {
	{"internal/runtime/maps.(*Map).Clone", MOMENT_MADE, RAX, 1},
	{"internal/runtime/maps.(*Map).growToTable", MOMENT_GROWN, RAX, 0},
	{"internal/runtime/maps.(*table).rehash", MOMENT_GROWN, RCX, 2},
	{"internal/runtime/maps.NewEmptyMap", MOMENT_MADE, RAX, 0},
	{"internal/runtime/maps.NewMap", MOMENT_MADE, RAX, 4},
	{"runtime.hashGrow", MOMENT_GROWN, RBX, 1},
	{"runtime.makemap", MOMENT_MADE, RAX, 3},
	{"runtime.makemap_small", MOMENT_MADE, RAX, 0},
};

static int32_t stack_word(const struct planning *p, const struct birth_function *birth)
{
	bool has_bucket =
		p->plan->version.minor <= 9 && g_str_equal(birth->name, "runtime.makemap");

	return (1 + birth->word + has_bucket) * (int32_t)sizeof(uint64_t);
}

static const char *overlap(const struct planning *p, guint from)
{
	for (guint i = from; i < p->hooks->len; i++)
		for (guint k = 0; k < from; k++) {
			const struct map_hook *a = &g_array_index(p->hooks, struct plan_hook, i).at;
			const struct map_hook *b = &g_array_index(p->hooks, struct plan_hook, k).at;

			if (a->address < b->address + b->size && b->address < a->address + a->size)
				return "two places to hook touch each other";
		}
	return NULL;
}

static void plan_birth(struct planning *p, const struct birth_function *birth)
{
	struct plan_function planned = {.function = go_map_function_find(birth->name)};
	struct go_function found;
	struct map_code code;
	struct map_code_question question = {
		.map_register = p->plan->g_in_register ? birth->map_register : REGISTER_NONE,
	};
	guint before = p->hooks->len;

	if (!pclntab_find_named(p->table, birth->name, &found))
		return;
	planned.entry = question.address = found.entry;
	planned.end = found.end;
	question.size = found.end - found.entry;
	question.bytes = memory_view(p->memory, found.entry, question.size);
	planned.left_alone =
		question.bytes ? map_code_read_birth(p->decoder, &question, birth->moment, &code)
			       : "its code is not in the binary";
	if (!planned.left_alone)
		planned.left_alone = add_hooks(p, &found, &code);
	if (!planned.left_alone)
		planned.left_alone = overlap(p, before);
	if (planned.left_alone)
		g_array_set_size(p->hooks, before);
	if (planned.left_alone && birth->moment == MOMENT_MADE) {
		p->unborn = birth->name;
		p->unborn_because = planned.left_alone;
	}
	for (guint i = before; i < p->hooks->len; i++) {
		struct plan_hook *hook = &g_array_index(p->hooks, struct plan_hook, i);

		hook->map_offset = hook->return_offset + stack_word(p, birth);
	}
	g_array_append_val(p->functions, planned);
}

static bool is_wanted(const struct planning *p, const struct birth_function *birth)
{
	if (birth->moment == MOMENT_GROWN)
		return p->births;
	// there, NewMap makes it
	return !p->plan->swiss || !g_str_equal(birth->name, "runtime.makemap");
}

static void plan_births(struct planning *p)
{
	guint hooks = p->hooks->len, functions = p->functions->len;

	for (size_t i = 0; i < G_N_ELEMENTS(birth_functions); i++)
		if (is_wanted(p, &birth_functions[i]))
			plan_birth(p, &birth_functions[i]);
	p->plan->eras = !p->unborn;
	if (p->plan->eras || p->births)
		return;
	g_array_set_size(p->hooks, hooks); // some of them tell nothing
	g_array_set_size(p->functions, functions);
}

/** Functions that never touch the flag (wrappers, growing) have nothing to hook and nothing to miss. */
static void plan_function(struct planning *p, const struct go_map_function *function)
{
	struct plan_function planned = {.function = function};
	struct go_function found;

	if (!pclntab_find_named(p->table, function->name, &found))
		return;
	planned.entry = found.entry;
	planned.end = found.end;
	planned.left_alone = read_function(p, function, &found);
	if (planned.left_alone && p->plan->complete) {
		p->plan->complete = false;
		p->plan->incomplete_because = planned.left_alone;
	}
	g_array_append_val(p->functions, planned);
}

/** `MOVQ FS:offset, CX`, or with the offset put in CX first: how every function up to 1.16 finds g. */
static bool find_tls(struct planning *p)
{
	static const uint8_t direct[] = {0x64, 0x48, 0x8b, 0x0c, 0x25};
	static const uint8_t set[] = {0x48, 0xc7, 0xc1}, through[] = {0x64, 0x48, 0x8b, 0x09};
	struct go_function function;
	uint8_t code[11];

	if (!pclntab_find_named(p->table, "runtime.mapassign", &function) ||
	    !memory_read(p->memory, function.entry, code, sizeof(code)))
		return false;
	if (!memcmp(code, direct, sizeof(direct))) {
		memcpy(&p->plan->tls_offset, code + sizeof(direct), sizeof(int32_t));
		return true;
	}
	if (memcmp(code, set, sizeof(set)) || memcmp(code + 7, through, sizeof(through)))
		return false;
	memcpy(&p->plan->tls_offset, code + sizeof(set), sizeof(int32_t));
	return true;
}

static struct error *refuse(const struct image *image, const char *why)
{
	return error_with_hint(error_new(ERROR_UNSUPPORTED, place_whole(image_path(image)),
					 "cannot be recorded: %s", why),
			       "the recorder knows programs built by Go 1.%d to 1.%d for x86-64",
			       GO_MINOR_OLDEST, GO_MINOR_NEWEST);
}

static struct error *check(struct planning *p, const struct image *image)
{
	size_t writes = 0;

	for (guint i = 0; i < p->functions->len; i++) {
		const struct plan_function *f =
			&g_array_index(p->functions, struct plan_function, i);

		writes += !f->left_alone && go_map_function_holds_flag(f->function, p->plan->swiss);
	}
	if (writes == 0)
		return refuse(image, p->plan->incomplete_because ? p->plan->incomplete_because
								 : "it writes no map");
	if (!p->plan->g_in_register && !find_tls(p))
		return refuse(image,
			      "its functions find their goroutine in a way that is not known");
	if (p->unread)
		return error_with_hint(error_new(ERROR_UNSUPPORTED, place_whole(image_path(image)),
						 "its reads of maps cannot be recorded: %s: %s",
						 p->unread, p->unread_because),
				       "its writes can: leave out --reads");
	if (p->eras && p->unborn)
		return error_with_hint(
			error_new(ERROR_UNSUPPORTED, place_whole(image_path(image)),
				  "maps that follow each other at one address cannot be told "
				  "apart: %s: %s",
				  p->unborn, p->unborn_because),
			"leave out --report-shared");
	return NULL;
}

static struct error *read_functions(struct planning *p, const struct image *image)
{
	struct go_function any;
	size_t count;
	const struct go_map_function *all = go_map_functions(&count);

	p->plan->swiss =
		pclntab_find_named(p->table, "internal/runtime/maps.(*Map).growToSmall", &any);
	p->plan->complete = true;
	for (size_t i = 0; i < count; i++)
		plan_function(p, &all[i]);
	plan_births(p);
	return check(p, image);
}

static struct error *open_tables(struct planning *p, struct image *image, struct arena *arena)
{
	struct plan *plan = p->plan;
	struct buildinfo build;
	struct moduledata module;
	bool exact;

	if (image_arch(image) != GO_ARCH_AMD64)
		return refuse(image, "it is not for x86-64");
	image_add_to(image, plan->bias, p->memory);
	TRY(buildinfo_read(image, plan->bias, p->memory, arena, &build));
	plan->version = build.version;
	plan->layout = go_layout_find(build.version, GO_ARCH_AMD64, &exact);
	if (!exact)
		return refuse(image, build.version.minor ? "its Go version is not known"
							 : "it does not say which Go built it");
	plan->g_in_register = build.version.minor >= G_REGISTER_SINCE;
	TRY(moduledata_find(image, plan->bias, p->memory, plan->layout, &module));
	plan->text = module.pclntab.text;
	plan->etext = module.pclntab.etext;
	return pclntab_open(p->memory, &module.pclntab, build.version, &p->table);
}

static struct error *make(struct planning *p, struct image *image)
{
	scoped(arena) struct arena *arena = arena_new();

	p->decoder = decoder_new();
	if (!p->decoder)
		return error_new(ERROR_SYSTEM, place_whole(image_path(image)),
				 "the disassembler cannot be had");
	TRY(open_tables(p, image, arena));
	return read_functions(p, image);
}

struct error *plan_make(struct image *image, const struct plan_options *options, struct plan **ret)
{
	struct planning p = {
		.plan = g_new0(struct plan, 1),
		.births = options->births,
		.reads = options->reads,
		.eras = options->eras,
		.memory = memory_new(),
		.functions = g_array_new(FALSE, FALSE, sizeof(struct plan_function)),
		.hooks = g_array_new(FALSE, FALSE, sizeof(struct plan_hook)),
	};
	struct error *error;

	p.plan->bias = options->bias;
	error = make(&p, image);
	pclntab_close(p.table);
	decoder_free(p.decoder);
	memory_free(p.memory);
	p.plan->function_count = p.functions->len;
	p.plan->functions = (struct plan_function *)g_array_free(p.functions, FALSE);
	p.plan->hook_count = p.hooks->len;
	p.plan->hooks = (struct plan_hook *)g_array_free(p.hooks, FALSE);
	if (error)
		plan_free(p.plan);
	else
		*ret = p.plan;
	return error;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	g_free(plan->functions);
	g_free(plan->hooks);
	g_free(plan);
}
