// SPDX-License-Identifier: Apache-2.0
#include "doctor/tree.h"

#include <glib.h>
#include <yaml.h>

struct tree {
	yaml_document_t documents[TREE_DOCUMENTS_MAX];
	size_t count;
};

static struct error *problem(const char *name, const yaml_parser_t *parser)
{
	return error_with_hint(error_new(ERROR_MALFORMED, place_whole(name),
					 "line %zu is neither YAML nor JSON: %s",
					 parser->problem_mark.line + 1,
					 parser->problem ? parser->problem : "not readable"),
			       "check it with the tool that it is for");
}

static struct error *load_all(const char *name, yaml_parser_t *parser, struct tree *tree)
{
	while (tree->count < TREE_DOCUMENTS_MAX) {
		yaml_document_t *document = &tree->documents[tree->count];

		if (!yaml_parser_load(parser, document))
			return problem(name, parser);
		if (!yaml_document_get_root_node(document)) {
			yaml_document_delete(document);
			return NULL;
		}
		tree->count++;
	}
	return NULL;
}

struct error *tree_read(const char *name, struct text text, struct tree **ret)
{
	scoped(tree) struct tree *tree = g_new0(struct tree, 1);
	yaml_parser_t parser;
	struct error *error;

	if (text.n > TREE_BYTES_MAX)
		return error_new(ERROR_LIMIT, place_whole(name), "holds more than %u bytes",
				 TREE_BYTES_MAX);
	if (!yaml_parser_initialize(&parser))
		return error_new(ERROR_SYSTEM, place_whole(name), "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.n ? text.p : ""),
				     text.n);
	error = load_all(name, &parser, tree);
	yaml_parser_delete(&parser);
	if (!error)
		*ret = g_steal_pointer(&tree);
	return error;
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; tree && i < tree->count; i++)
		yaml_document_delete(&tree->documents[i]);
	g_free(tree);
}

size_t tree_documents(const struct tree *tree) { return tree->count; }

struct branch tree_document(const struct tree *tree, size_t i)
{
	yaml_document_t *document = (yaml_document_t *)&tree->documents[i];

	return (struct branch){document, yaml_document_get_root_node(document)};
}

bool branch_exists(struct branch branch) { return branch.node != NULL; }

static struct branch node_at(struct branch branch, int index)
{
	return (struct branch){branch.document, yaml_document_get_node(branch.document, index)};
}

static struct branch member(struct branch branch, const char *key, size_t n)
{
	const yaml_node_t *node = branch.node;

	if (!node || node->type != YAML_MAPPING_NODE)
		return (struct branch){0};
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const char *name = branch_text(node_at(branch, pair->key));

		if (name && strlen(name) == n && !memcmp(name, key, n))
			return node_at(branch, pair->value);
	}
	return (struct branch){0};
}

struct branch branch_at(struct branch branch, const char *path)
{
	while (*path && branch.node) {
		size_t n = strcspn(path, ".");

		branch = member(branch, path, n);
		path += n + (path[n] == '.');
	}
	return branch;
}

size_t branch_count(struct branch branch)
{
	const yaml_node_t *node = branch.node;

	if (!node)
		return 0;
	if (node->type == YAML_SEQUENCE_NODE)
		return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (node->type == YAML_MAPPING_NODE)
		return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	return 0;
}

struct branch branch_item(struct branch branch, size_t i, const char **ret_key)
{
	const yaml_node_t *node = branch.node;
	const char *key;

	*ret_key = "";
	if (i >= branch_count(branch))
		return (struct branch){0};
	if (node->type == YAML_SEQUENCE_NODE)
		return node_at(branch, node->data.sequence.items.start[i]);
	key = branch_text(node_at(branch, node->data.mapping.pairs.start[i].key));
	*ret_key = key ? key : "";
	return node_at(branch, node->data.mapping.pairs.start[i].value);
}

const char *branch_text(struct branch branch)
{
	const yaml_node_t *node = branch.node;

	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
						      : NULL;
}

const char *branch_text_at(struct branch branch, const char *path)
{
	return branch_text(branch_at(branch, path));
}

bool branch_is_list(struct branch branch)
{
	return branch.node && ((const yaml_node_t *)branch.node)->type == YAML_SEQUENCE_NODE;
}

bool branch_is_true(struct branch branch, const char *path)
{
	const char *text = branch_text_at(branch, path);

	return text && !g_ascii_strcasecmp(text, "true");
}

bool branch_has_word(struct branch branch, const char *path, const char *word)
{
	struct branch list = branch_at(branch, path);
	const char *key;

	for (size_t i = 0; i < branch_count(list); i++) {
		const char *text = branch_text(branch_item(list, i, &key));

		if (text && !g_ascii_strcasecmp(text, word))
			return true;
	}
	return false;
}
