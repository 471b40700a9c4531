// SPDX-License-Identifier: Apache-2.0
#include "report/json_parts.h"

#define NS_PER_S 1e9

static void site_members(struct json_writer *json, const struct go_site *site, uint64_t pc)
{
	json_put_known(json, "function", site->function);
	json_put_known(json, "file", site->file);
	if (site->line > 0)
		json_put_integer(json, "line", site->line);
	else
		json_put_null(json, "line");
	if (pc)
		json_put_address(json, "pc", pc);
	else
		json_put_null(json, "pc");
}

void json_put_site(struct json_writer *json, const char *key, const struct go_site *site)
{
	if (!site->function || !*site->function) {
		json_put_null(json, key);
		return;
	}
	json_put_line(json, key);
	site_members(json, site, site->pc);
	json_end_object(json);
}

void json_put_frame(struct json_writer *json, const struct go_site *site, uint64_t pc)
{
	json_put_line(json, NULL);
	site_members(json, site, pc);
	json_put_boolean(json, "inlined", site->inlined);
	json_end_object(json);
}

void json_put_stack(struct json_writer *json, const char *key, const struct stack *stack)
{
	json_put_array(json, key);
	for (size_t i = 0; stack && i < stack->count; i++)
		json_put_frame(json, stack->frames[i].site, stack->frames[i].pc);
	json_end_array(json);
}

static bool seen_before(const char *const *labels, size_t at)
{
	for (size_t i = 0; i < at; i += 2)
		if (strcmp(labels[i], labels[at]) == 0)
			return true;
	return false;
}

void json_put_labels(struct json_writer *json, const char *key, const char *const *labels)
{
	json_put_line(json, key);
	for (size_t i = 0; labels && labels[i] && labels[i + 1]; i += 2)
		if (!seen_before(labels, i))
			json_put_string(json, labels[i], labels[i + 1]);
	json_end_object(json);
}

void json_put_goroutine_members(struct json_writer *json, const struct goroutine *goroutine)
{
	json_put_unsigned(json, "id", goroutine->id);
	json_put_string(json, "state", go_status_name(goroutine->status));
	json_put_known(json, "wait_reason", goroutine->wait_reason);
	if (goroutine->wait_ns >= 0)
		json_put_integer(json, "wait_seconds",
				 (int64_t)((double)goroutine->wait_ns / NS_PER_S));
	else
		json_put_null(json, "wait_seconds");
	json_put_site(json, "created_by", &goroutine->created_by);
	json_put_labels(json, "labels", goroutine->labels);
}

void json_put_gap_members(struct json_writer *json, const struct gap *gaps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_put_object(json, NULL);
		json_put_string(json, "what", gaps[i].what);
		json_put_known(json, "why", gaps[i].why);
		json_put_known(json, "would_decide", gaps[i].would_decide);
		json_end_object(json);
	}
}

void json_put_gaps(struct json_writer *json, const char *key, const struct gap *gaps, size_t count)
{
	json_put_array(json, key);
	json_put_gap_members(json, gaps, count);
	json_end_array(json);
}
