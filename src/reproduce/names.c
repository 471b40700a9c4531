// SPDX-License-Identifier: Apache-2.0
#include "reproduce/names.h"

#include <glib.h>

#define NAME_BYTES_MAX 64

struct names {
	struct arena *arena;
	GHashTable *taken; // names are the arena's
};

static const char *const keywords[] = {
	"break",  "case",        "chan", "const",   "continue", "default", "defer",
	"else",   "fallthrough", "for",  "func",    "go",       "goto",    "if",
	"import", "interface",   "map",  "package", "range",    "return",  "select",
	"struct", "switch",      "type", "var",
};

/* Predeclared, imported, and what the templates declare at package level or use inside functions. */
static const char *const reserved[] = {
	"_",          "append",     "cap",       "clear",
	"close",      "complex",    "copy",      "delete",
	"error",      "false",      "imag",      "iota",
	"len",        "make",       "max",       "min",
	"new",        "nil",        "panic",     "print",
	"println",    "real",       "recover",   "true",
	"any",        "bool",       "byte",      "comparable",
	"rune",       "string",     "int",       "int8",
	"int16",      "int32",      "int64",     "uint",
	"uint8",      "uint16",     "uint32",    "uint64",
	"uintptr",    "float32",    "float64",   "complex64",
	"complex128", "main",       "init",      "atomic",
	"debug",      "flag",       "fmt",       "gob",
	"ioutil",     "json",       "maps",      "os",
	"runtime",    "strconv",    "sync",      "testing",
	"time",       "burst",      "detectors", "fill",
	"first",      "keys",       "makeKeys",  "newKey",
	"others",     "over",       "round",     "rounds",
	"value",      "done",       "start",     "i",
	"n",          "p",          "r",         "ok",
	"k",          "m",          "x",         "side",
	"count",      "guardedMap", "shared",    "newGuardedMap",
	"load",       "shards",     "shardOf",   "TestRace",
};

/* Local names of the templates, within which types are named. */
static const char *const hiding[] = {
	"d",   "edit",       "end", "fresh", "g",       "h", "made", "mine",  "none",
	"old", "operations", "own", "s",     "seconds", "t", "v",    "visit",
};

struct names *names_new(struct arena *arena)
{
	struct names *names = arena_take(arena, sizeof(*names));

	names->arena = arena;
	names->taken = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++)
		g_hash_table_add(names->taken, (gpointer)keywords[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
		g_hash_table_add(names->taken, (gpointer)reserved[i]);
	return names;
}

void names_free(struct names *names)
{
	if (names)
		g_hash_table_destroy(names->taken);
}

/* ASCII letters, digits and underscores: what every Go version accepts. */
static char *identifier(struct arena *arena, const char *wanted)
{
	char name[NAME_BYTES_MAX];
	size_t n = 0;

	if (g_ascii_isdigit(*wanted))
		name[n++] = '_';
	for (; *wanted && n < sizeof(name) - 1; wanted++)
		if (g_ascii_isalnum(*wanted) || *wanted == '_')
			name[n++] = *wanted;
	name[n] = '\0';
	return arena_string(arena, text_of(n ? name : "unnamed"));
}

static bool hides(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hiding); i++)
		if (g_str_equal(hiding[i], name))
			return true;
	return false;
}

static const char *take(struct names *names, const char *wanted, bool type)
{
	const char *base = identifier(names->arena, wanted), *name = base;

	for (unsigned i = 2; g_hash_table_contains(names->taken, name) || (type && hides(name));
	     i++)
		name = arena_format(names->arena, "%s%u", base, i);
	g_hash_table_add(names->taken, (gpointer)name);
	return name;
}

const char *names_take(struct names *names, const char *wanted)
{
	return take(names, wanted, false);
}

const char *names_take_type(struct names *names, const char *wanted)
{
	return take(names, wanted, true);
}

const char *names_member(struct names *names, const char *wanted)
{
	const char *name = identifier(names->arena, wanted);

	for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++)
		if (g_str_equal(name, keywords[i]))
			return arena_format(names->arena, "%s_", name);
	return g_str_equal(name, "_") ? "blank" : name;
}
