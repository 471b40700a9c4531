// SPDX-License-Identifier: Apache-2.0
#include "report/json_parts.h"

#define NS_PER_S 1e9

static void site_members(struct json_writer *json, const struct go_site *site, uint64_t pc)
{
	json_known(json, "function", site->function);
	json_known(json, "file", site->file);
	if (site->line > 0)
		json_integer(json, "line", site->line);
	else
		json_null(json, "line");
	if (pc)
		json_address(json, "pc", pc);
	else
		json_null(json, "pc");
}

void json_site(struct json_writer *json, const char *key, const struct go_site *site)
{
	if (!site->function || !*site->function) {
		json_null(json, key);
		return;
	}
	json_line(json, key);
	site_members(json, site, site->pc);
	json_object_end(json);
}

void json_stack(struct json_writer *json, const char *key, const struct stack *stack)
{
	json_array(json, key);
	for (size_t i = 0; stack && i < stack->count; i++) {
		json_line(json, NULL);
		site_members(json, &stack->frames[i].site, stack->frames[i].pc);
		json_boolean(json, "inlined", stack->frames[i].site.inlined);
		json_object_end(json);
	}
	json_array_end(json);
}

static bool seen_before(const char *const *labels, size_t at)
{
	for (size_t i = 0; i < at; i += 2)
		if (strcmp(labels[i], labels[at]) == 0)
			return true;
	return false;
}

void json_labels(struct json_writer *json, const char *key, const char *const *labels)
{
	json_line(json, key);
	for (size_t i = 0; labels && labels[i] && labels[i + 1]; i += 2)
		if (!seen_before(labels, i))
			json_string(json, labels[i], labels[i + 1]);
	json_object_end(json);
}

void json_goroutine_members(struct json_writer *json, const struct goroutine *goroutine)
{
	json_unsigned(json, "id", goroutine->id);
	json_string(json, "state", go_status_name(goroutine->status));
	json_known(json, "wait_reason", goroutine->wait_reason);
	if (goroutine->wait_ns >= 0)
		json_integer(json, "wait_seconds",
			     (int64_t)((double)goroutine->wait_ns / NS_PER_S));
	else
		json_null(json, "wait_seconds");
	json_site(json, "created_by", &goroutine->created_by);
	json_labels(json, "labels", goroutine->labels);
}

void json_gaps(struct json_writer *json, const char *key, const struct gap *gaps, size_t count)
{
	json_array(json, key);
	for (size_t i = 0; i < count; i++) {
		json_object(json, NULL);
		json_string(json, "what", gaps[i].what);
		json_known(json, "why", gaps[i].why);
		json_known(json, "would_decide", gaps[i].would_decide);
		json_object_end(json);
	}
	json_array_end(json);
}
