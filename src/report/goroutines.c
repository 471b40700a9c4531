// SPDX-License-Identifier: Apache-2.0
// Goroutine lists: JSON one by one, text in groups that stand at the same place for the same
// reason.
#include "report/lists.h"

#include "report/blocked.h"
#include "report/goroutine_parts.h"
#include "report/words.h"
#include "model/stack/unwind.h"

static bool wanted(const struct goroutine *goroutine, const struct goroutine_filter *filter)
{
	if (filter->id)
		return goroutine->id == filter->id;
	return filter->system || !goroutine->system;
}

void goroutine_put_json(struct json_writer *json, const struct goroutine *goroutine,
			const struct stack *stack)
{
	json_put_object(json, NULL);
	json_put_goroutine_members(json, goroutine);
	json_put_unsigned(json, "count", goroutine->count ? goroutine->count : 1);
	json_put_boolean(json, "locked", goroutine->locked);
	json_put_boolean(json, "system", goroutine->system);
	json_put_boolean(json, "detector", goroutine->detector);
	json_put_known(json, "start_function", goroutine->start_function);
	json_put_stack(json, "stack", stack);
	json_put_known(json, "stack_broken", stack->broken);
	json_end_object(json);
}

void report_goroutines_json(struct program *program, const struct goroutine_filter *filter,
			    FILE *out)
{
	struct json_writer json;
	struct blocked blocked;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", GOROUTINES_SCHEMA);
	json_put_array(&json, "goroutines");
	for (size_t i = 0; i < program->live_count; i++)
		if (wanted(&program->goroutines[i], filter))
			goroutine_put_json(&json, &program->goroutines[i],
					   program_stack(program, &program->goroutines[i]));
	json_end_array(&json);
	blocked = blocked_find(program);
	report_blocked_json(&blocked, &json);
	json_put_gaps(&json, "gaps", program->gaps.items, program->gaps.count);
	json_end_object(&json);
	json_writer_done(&json);
}

void goroutine_put_frame(struct screen *screen, const struct go_site *site)
{
	g_autofree char *function = words_function(site->function);
	g_autofree char *place = words_place(site);
	bool runtime = !site->function || go_is_runtime_function(site->function);

	screen->indent = 8;
	screen_to(screen, 4);
	screen_words(screen, runtime ? TONE_DIM : TONE_PLAIN, function);
	screen_space(screen, 2);
	screen_field(screen, runtime ? TONE_DIM : TONE_BOLD, place);
	screen_newline(screen);
}

void goroutine_put_stack(struct screen *screen, const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		goroutine_put_frame(screen, stack->frames[i].site);
	if (stack->broken) {
		screen_to(screen, 4);
		screen_format(screen, TONE_YELLOW, "not the whole stack: %s", stack->broken);
		screen_newline(screen);
	}
}

void goroutine_put_creator(struct screen *screen, const struct goroutine *goroutine)
{
	g_autofree char *function = NULL, *place = NULL;

	if (!goroutine->created_by.function)
		return;
	function = words_function(goroutine->created_by.function);
	place = words_place(&goroutine->created_by);
	screen_to(screen, 4);
	screen_format(screen, TONE_DIM, "started by %s  %s", function, place);
	screen_newline(screen);
}

void goroutine_put_text(struct screen *screen, const struct goroutine *goroutine,
			const struct stack *stack)
{
	g_autofree char *state = words_state(goroutine);

	screen->indent = 4;
	screen_format(screen, TONE_BOLD, "goroutine %llu", (unsigned long long)goroutine->id);
	screen_format(screen, TONE_PLAIN, "  %s%s%s%s", state, goroutine->locked ? ", locked" : "",
		      goroutine->system ? ", the runtime's own" : "",
		      goroutine->detector ? ", died" : "");
	for (const char *const *label = goroutine->labels; label && label[0] && label[1];
	     label += 2)
		screen_format(screen, TONE_DIM, "  %s=%s", label[0], label[1]);
	screen_newline(screen);
	goroutine_put_stack(screen, stack);
	goroutine_put_creator(screen, goroutine);
	screen_newline(screen);
}

static void one_text(struct screen *screen, struct program *program, struct goroutine *goroutine)
{
	goroutine_put_text(screen, goroutine, program_stack(program, goroutine));
}

/* Goroutines with equal stacks and equal states. */
struct group {
	struct goroutine *first;
	size_t count, id_count;
	int64_t longest_ns, shortest_ns;
	uint64_t ids[GROUP_IDS_SHOWN];
};

/* Identity of a group: state, reason and every PC. Two stacks that differ must not share it. */
static GBytes *group_key(struct program *program, struct goroutine *goroutine)
{
	const struct stack *stack = program_stack(program, goroutine);
	g_autoptr(GByteArray) key = g_byte_array_new();
	const char *reason = goroutine->wait_reason ? goroutine->wait_reason : "";

	g_byte_array_append(key, (const guint8 *)&goroutine->status, sizeof(goroutine->status));
	g_byte_array_append(key, (const guint8 *)reason, (guint)strlen(reason) + 1);
	for (size_t i = 0; i < stack->count; i++) {
		g_byte_array_append(key, (const guint8 *)&stack->frames[i].pc,
				    sizeof(stack->frames[i].pc));
		// a text without its binary has no PCs, but one site for each printed place
		g_byte_array_append(key, (const guint8 *)&stack->frames[i].site,
				    sizeof(stack->frames[i].site));
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&key));
}

static void group_add(struct group *group, const struct goroutine *goroutine)
{
	if (group->id_count < GROUP_IDS_SHOWN)
		group->ids[group->id_count++] = goroutine->id;
	group->longest_ns = MAX(group->longest_ns, goroutine->wait_ns);
	group->shortest_ns = MIN(group->shortest_ns, goroutine->wait_ns);
	group->count += goroutine->count ? goroutine->count : 1;
}

static int by_size(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->first->id < y->first->id ? -1 : x->first->id > y->first->id;
}

static GPtrArray *groups_of(struct program *program, const struct goroutine_filter *filter)
{
	g_autoptr(GHashTable) index = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
							    (GDestroyNotify)g_bytes_unref, NULL);
	GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < program->live_count; i++) {
		struct goroutine *goroutine = &program->goroutines[i];
		struct group *group;
		GBytes *key;

		if (!wanted(goroutine, filter))
			continue;
		key = group_key(program, goroutine);
		group = g_hash_table_lookup(index, key);
		if (!group) {
			group = g_new0(struct group, 1);
			group->first = goroutine;
			group->longest_ns = group->shortest_ns = goroutine->wait_ns;
			g_ptr_array_add(groups, group);
			g_hash_table_insert(index, g_bytes_ref(key), group);
		}
		g_bytes_unref(key);
		group_add(group, goroutine);
	}
	g_ptr_array_sort(groups, by_size);
	return groups;
}

void goroutine_put_heading(struct screen *screen, const struct goroutine_heading *heading)
{
	g_autofree char *count = words_count(heading->count);
	g_autofree char *longest = words_wait(heading->longest_ns);
	g_autofree char *shortest = words_wait(heading->shortest_ns);
	const char *reason = heading->one->wait_reason;
	bool waits = reason && *reason;

	screen->indent = 4;
	screen_format(screen, TONE_BOLD, "%s goroutine%s", count, heading->count == 1 ? "" : "s");
	if (heading->one->status != STATUS_UNKNOWN)
		screen_format(screen, TONE_PLAIN, "  %s%s%s%s",
			      go_status_name(heading->one->status), waits ? " (" : "",
			      waits ? reason : "", waits ? ")" : "");
	if (*longest && *shortest && !g_str_equal(longest, shortest))
		screen_format(screen, TONE_PLAIN, " for %s to %s", shortest, longest);
	else if (*longest)
		screen_format(screen, TONE_PLAIN, " for up to %s", longest);
	if (heading->id_count)
		screen_words(screen, TONE_DIM, "  ids");
	for (size_t i = 0; i < heading->id_count; i++)
		screen_format(screen, TONE_DIM, " %llu", (unsigned long long)heading->ids[i]);
	if (heading->id_count && heading->count > heading->id_count)
		screen_words(screen, TONE_DIM, " ...");
	screen_newline(screen);
}

static void group_heading(struct screen *screen, const struct group *group)
{
	goroutine_put_heading(screen, &(struct goroutine_heading){.one = group->first,
								  .count = group->count,
								  .longest_ns = group->longest_ns,
								  .shortest_ns = group->shortest_ns,
								  .ids = group->ids,
								  .id_count = group->id_count});
}

static void group_text(struct screen *screen, struct program *program, const struct group *group)
{
	if (group->count == 1) {
		one_text(screen, program, group->first);
		return;
	}
	group_heading(screen, group);
	goroutine_put_stack(screen, program_stack(program, group->first));
	goroutine_put_creator(screen, group->first);
	screen_newline(screen);
}

void report_goroutines_text(struct program *program, const struct goroutine_filter *filter,
			    const struct report_style *style, FILE *out)
{
	g_autoptr(GPtrArray) groups = NULL;
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	if (filter->blocked) {
		report_blocked_text(program, &screen);
		return;
	}
	if (filter->each || filter->id) {
		for (size_t i = 0; i < program->live_count; i++)
			if (wanted(&program->goroutines[i], filter))
				one_text(&screen, program, &program->goroutines[i]);
		return;
	}
	groups = groups_of(program, filter);
	for (size_t i = 0; i < groups->len; i++)
		group_text(&screen, program, g_ptr_array_index(groups, i));
}
