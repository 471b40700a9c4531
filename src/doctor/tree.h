// SPDX-License-Identifier: Apache-2.0
// YAML and JSON as a tree that is asked by path. Aliases are followed, never copied: a small file can't grow.
#pragma once
#include "base/error.h"
#include "base/text.h"

struct tree;

/** A node of a tree; absent ones answer every question with "nothing". */
struct branch {
	void *document, *node;
};

#define TREE_BYTES_MAX     (16u << 20)
#define TREE_DOCUMENTS_MAX 256

/** Reads all documents of @a text; @a name is for errors. */
struct error *tree_read(const char *name, struct text text, struct tree **ret);
void tree_free(struct tree *tree);
size_t tree_documents(const struct tree *tree);
struct branch tree_document(const struct tree *tree, size_t i);

bool branch_exists(struct branch branch);
/** What stands at "spec.template.spec". */
struct branch branch_at(struct branch branch, const char *path);
/** How many items a list has, or a mapping pairs. */
size_t branch_count(struct branch branch);
/** Item @a i of a list, or the value of pair @a i; @a ret_key is "" for lists. */
struct branch branch_item(struct branch branch, size_t i, const char **ret_key);
/** Of a scalar; NULL for anything else. */
const char *branch_text(struct branch branch);
/** The scalar at @a path; NULL when there is none. */
const char *branch_text_at(struct branch branch, const char *path);
bool branch_is_list(struct branch branch);
/** The word "true", in either case, stands at @a path. */
bool branch_is_true(struct branch branch, const char *path);
/** A list of words at @a path has @a word. */
bool branch_has_word(struct branch branch, const char *path, const char *word);

static inline void tree_free_at(struct tree **tree) { tree_free(*tree); }
