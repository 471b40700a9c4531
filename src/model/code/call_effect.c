// SPDX-License-Identifier: Apache-2.0
#include "model/code/call_effect.h"

#include <glib.h>
#include <string.h>

static bool starts_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (g_str_has_prefix(name, *prefixes))
			return true;
	return false;
}

/*
 * Calls into the middle of duffzero and duffcopy, write barriers: the compiler counts on which
 * registers they leave alone (cmd/compile/internal/ssa/_gen/AMD64Ops.go, ARM64Ops.go: clobbers of
 * DUFFZERO, DUFFCOPY, LoweredWB).
 */
static bool preserving(struct flow_abi abi, const char *name, uint32_t *ret_clobbers)
{
	static const char *const barriers[] = {"runtime.gcWriteBarrier", "runtime.wbZero",
					       "runtime.wbMove", NULL};
	static const char *const duffs[] = {"runtime.duffzero", "runtime.duffcopy", NULL};
	bool amd64 = abi.arch == GO_ARCH_AMD64;

	/*
	 * Comes back to the function's entry, arguments saved above its frame; the closure's register is
	 * kept where the function is one (runtime/asm_amd64.s: morestack, gogo).
	 */
	if (g_str_has_prefix(name, "runtime.morestack")) {
		*ret_clobbers = UINT32_MAX;
		if (!strstr(name, "noctxt"))
			*ret_clobbers &= ~(amd64 ? 1u << 2 : 1u << 26);
		return true;
	}
	if (starts_any(name, barriers))
		*ret_clobbers = amd64 ? 1u << 11 : 1u << 16 | 1u << 17 | 1u << 25 | 1u << 27;
	else if (starts_any(name, duffs))
		*ret_clobbers =
			amd64 ? 1u << 6 | 1u << 7
			      : 1u << 16 | 1u << 17 | 1u << 20 | 1u << 21 | 1u << 26 | 1u << 27;
	else
		return false;
	if (!amd64)
		*ret_clobbers |= 1u << 30;
	return true;
}

static bool never_returns(const char *name)
{
	static const char *const prefixes[] = {"runtime.panicIndex",
					       "runtime.panicSlice",
					       "runtime.goPanic",
					       "runtime.panicdivide",
					       "runtime.panicshift",
					       "runtime.panicindex",
					       "runtime.panicslice",
					       "runtime.gopanic",
					       "runtime.panicnil",
					       "runtime.panicwrap",
					       "runtime.panicdottype",
					       "runtime.panicBounds",
					       "runtime.throw",
					       "runtime.fatal",
					       "runtime.panicmakeslicelen",
					       NULL};

	return starts_any(name, prefixes);
}

struct flow_effect call_effect(struct flow_abi abi, const char *name)
{
	struct flow_effect effect = {.type = -1, .map = -1, .iter = -1};

	if (g_str_has_prefix(name, "runtime.duff"))
		effect.fills = abi.arch == GO_ARCH_AMD64 ? 1u << 7 /* RDI */ : 1u << 20 | 1u << 21;
	effect.preserves = preserving(abi, name, &effect.clobbers);
	effect.returns = !never_returns(name);
	effect.makes = g_str_has_prefix(name, "runtime.makemap") ||
		       !strcmp(name, "internal/runtime/maps.NewMap") ||
		       !strcmp(name, "internal/runtime/maps.NewEmptyMap");
	return effect;
}
